#include "service/authority.h"

static enum assay_status
check_signature(const struct manifest *active,
                const struct authority_request *r, struct assay_error *err)
{
    uint8_t digest[SHA256_SIZE];
    enum assay_status st = history_approval_digest(&r->transition, digest, err);

    if (st != ASSAY_OK)
        return st;
    for (size_t i = 0; i < active->workload_owner_count; i++) {
        struct key *owner;

        /* Only a digest is known of owners in manifests of the generation
         * before signatures: they have to come themselves. */
        if (active->workload_owners[i].spki_der.len == 0)
            continue;
        st =
            key_from_spki_der(active->workload_owners[i].spki_der, &owner, err);
        if (st == ASSAY_ERR_NOMEM)
            return st;
        if (st != ASSAY_OK)
            continue;
        st = key_verify_digest(owner, span_of(digest, sizeof(digest)),
                               r->signature, err);
        key_free(owner);
        if (st == ASSAY_OK || st == ASSAY_ERR_NOMEM)
            return st;
    }
    return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                      "the signature is not one of the active manifest's "
                      "workload owners over this manifest as the successor "
                      "of the active one");
}

enum assay_status
authority_check_update(const struct manifest *active,
                       const struct authority_request *r,
                       struct assay_error *err)
{
    enum assay_status st;

    if (active->workload_owner_count == 0)
        return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                          "setting manifest is disabled: the active manifest "
                          "names no workload owner");
    if (r->caller) {
        st = manifest_authorize_owner(active, key_spki(r->caller), err);
        if (st != ASSAY_ERR_UNTRUSTED)
            return st;
    }
    if (r->signature.len > 0)
        return check_signature(active, r, err);
    return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                      "the client's key is not a workload owner of the active "
                      "manifest, and no signature came with the request");
}

static bool
is_listed(const struct manifest *m, struct span rsa_der)
{
    for (size_t i = 0; i < m->seedshare_owner_count; i++) {
        if (span_equal(m->seedshare_owners[i].rsa_der, rsa_der))
            return true;
    }
    return false;
}

enum assay_status
authority_check_recovery(const struct manifest *latest,
                         const struct key *caller, struct assay_error *err)
{
    struct buffer rsa_der;
    enum assay_status st;

    if (latest->seedshare_owner_count == 0)
        return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                          "the latest manifest names no seedshare owner: "
                          "users cannot recover it");
    if (!caller)
        return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                          "no client certificate: recovery takes a seedshare "
                          "owner's key");
    buffer_init(&rsa_der, 4096, NULL);
    st = key_rsa_public_der(caller, &rsa_der, err);
    if (st == ASSAY_ERR_NOMEM) {
        buffer_free(&rsa_der);
        return st;
    }
    if (st != ASSAY_OK || !is_listed(latest, buffer_span(&rsa_der)))
        st = assay_fail(err, ASSAY_ERR_UNTRUSTED,
                        "the client's key (%s) is not a seedshare owner of "
                        "the latest manifest",
                        key_type_name(key_type(caller)));
    buffer_free(&rsa_der);
    return st;
}
