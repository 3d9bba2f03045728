#include "manifest/manifest.h"

#include <string.h>

const char *
manifest_severity_name(enum manifest_severity s)
{
    static const char *const names[] = {
        [MANIFEST_ERROR] = "error",
        [MANIFEST_MISSING] = "missing reference value",
        [MANIFEST_WARNING] = "warning",
    };

    return names[s];
}

const char *
manifest_generation_name(enum manifest_generation g)
{
    static const char *const names[] = {
        [MANIFEST_OLDER] = "older",
        [MANIFEST_MID] = "mid",
        [MANIFEST_CURRENT] = "current",
    };

    return names[g];
}

const char *
manifest_role_name(enum manifest_role role)
{
    return role == MANIFEST_ROLE_COORDINATOR ? "coordinator" : "";
}

static const struct manifest_finding *
first_fault(const struct manifest_findings *f)
{
    for (size_t i = 0; i < f->count; i++) {
        if (f->list[i].severity != MANIFEST_WARNING)
            return &f->list[i];
    }
    return NULL;
}

enum assay_status
manifest_check(const struct manifest *m, struct assay_error *err)
{
    const struct manifest_findings *f = &m->findings;
    const struct manifest_finding *first = first_fault(f);
    size_t faults = f->errors + f->missing;

    if (f->nomem)
        return assay_nomem(err, "manifest");
    if (faults == 0)
        return ASSAY_OK;
    if (!first)
        return assay_fail(err, ASSAY_ERR_MALFORMED, "manifest: %zu errors",
                          faults);
    if (faults == 1)
        return assay_fail(err, ASSAY_ERR_MALFORMED, "manifest: %s: %s",
                          first->path, first->text);
    return assay_fail(err, ASSAY_ERR_MALFORMED,
                      "manifest: %zu errors, the first: %s: %s", faults,
                      first->path, first->text);
}

enum assay_status
manifest_load(struct span bytes, struct arena *arena, struct manifest *out,
              struct assay_error *err)
{
    struct manifest m = { 0 };
    enum assay_status st = manifest_decode(bytes, arena, &m, err);

    if (st == ASSAY_OK)
        st = manifest_validate(&m, err);
    *out = st == ASSAY_OK ? m : (struct manifest){ 0 };
    return st == ASSAY_OK ? manifest_check(&m, err) : st;
}

const struct manifest_policy *
manifest_policy_find(const struct manifest *m, const uint8_t hash[SHA256_SIZE])
{
    for (size_t i = 0; i < m->policy_count; i++) {
        if (memcmp(m->policies[i].hash, hash, SHA256_SIZE) == 0)
            return &m->policies[i];
    }
    return NULL;
}

enum assay_status
manifest_authorize_owner(const struct manifest *m, struct span spki_der,
                         struct assay_error *err)
{
    uint8_t digest[SHA256_SIZE];
    enum assay_status st = digest_sha256(spki_der, digest, err);

    if (st != ASSAY_OK)
        return st;
    for (size_t i = 0; i < m->workload_owner_count; i++) {
        if (memcmp(m->workload_owners[i].digest, digest, SHA256_SIZE) == 0)
            return ASSAY_OK;
    }
    if (m->workload_owner_count == 0)
        return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                          "the manifest names no workload owner: it cannot be "
                          "updated");
    return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                      "the key is none of the manifest's %zu workload owners",
                      m->workload_owner_count);
}

bool
manifest_same_seedshare_owners(const struct manifest *a,
                               const struct manifest *b)
{
    if (a->seedshare_owner_count != b->seedshare_owner_count)
        return false;
    for (size_t i = 0; i < a->seedshare_owner_count; i++) {
        if (!span_equal(a->seedshare_owners[i].rsa_der,
                        b->seedshare_owners[i].rsa_der))
            return false;
    }
    return true;
}
