#include "evidence/sgx_tcb.h"
#include "evidence/tdx_attributes.h"
#include "manifest/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "crypto/key.h"

enum { PATH_TEXT = 160, HASH_TEXT = 65 };

static void
check_reference_values(struct manifest *m)
{
    if (m->snp_count + m->tdx_count == 0 && !m->insecure)
        note_at(m, MANIFEST_ERROR, 0, "ReferenceValues",
                "missing, want at least one");
    if (m->insecure && m->snp_count + m->tdx_count > 0)
        note_at(m, MANIFEST_ERROR, 0, "ReferenceValues.insecure",
                "given together with hardware, whose promises it voids");
    if (m->insecure)
        note_at(m, MANIFEST_WARNING, 0, "ReferenceValues.insecure",
                "INSECURE: evidence without hardware is accepted");
}

/* EPYC Milan's root endorsement seed can be extracted in software by whoever
 * controls a host (arXiv 2605.12990). */
static void
check_milan(struct manifest *m, size_t i)
{
    const struct manifest_snp *v = &m->snp[i];
    char path[PATH_TEXT];

    if (v->product != SNP_PRODUCT_MILAN || v->chip_ids.len > 0 ||
        v->allow_milan_without_chip_ids)
        return;
    (void)snprintf(path, sizeof(path),
                   "ReferenceValues.snp[%zu].AllowedChipIDs", i);
    note_at(m, MANIFEST_WARNING, v->offset, path,
            "empty: Milan's keys can be extracted, so a report from a "
            "stranger's chip may be forged. List your chips (which does not "
            "stop their own operator), or set AllowMilanWithoutChipIDs");
}

static void
check_snp(struct manifest *m, size_t i)
{
    const struct manifest_snp *v = &m->snp[i];
    const struct snp_tcb_parts *t = &v->minimum_tcb;
    char path[PATH_TEXT];

    check_milan(m, i);
    (void)snprintf(path, sizeof(path), "ReferenceValues.snp[%zu].MinimumTCB",
                   i);
    if (v->has_minimum_tcb &&
        (t->fmc | t->bl | t->tee | t->snp | t->ucode) == 0)
        note_at(m, MANIFEST_WARNING, v->offset, path,
                "all zero: any firmware, however old, is accepted");
    (void)snprintf(path, sizeof(path), "ReferenceValues.snp[%zu].PlatformInfo",
                   i);
    if (!v->has_platform_info)
        note_at(m, MANIFEST_WARNING, v->offset, path,
                "missing: the machine's settings are not checked");
}

/* Statuses under which Intel itself says that known attacks work. */
static void
check_tdx_statuses(struct manifest *m, const struct manifest_tdx *v,
                   const char *path)
{
    static const enum tcb_status stale[] = {
        TCB_OUT_OF_DATE,
        TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
    };

    for (size_t i = 0; i < sizeof(stale) / sizeof(stale[0]); i++) {
        if (v->accepted_statuses & (1U << stale[i]) && v->min_tcb_date == 0 &&
            v->advisory_count == 0)
            note_at(m, MANIFEST_WARNING, v->offset, path,
                    "%s is accepted without limit: state MinimumTCBDate or "
                    "AllowedAdvisoryIDs",
                    tcb_status_name(stale[i]));
    }
}

static void
check_tdx(struct manifest *m)
{
    for (size_t i = 0; i < m->tdx_count; i++) {
        const struct manifest_tdx *v = &m->tdx[i];
        char path[PATH_TEXT];

        (void)snprintf(path, sizeof(path), "ReferenceValues.tdx[%zu]", i);
        check_tdx_statuses(m, v, path);
        if (v->has_td_attributes && (tdx_word(v->td_attributes) & TDX_ATTR_TUD))
            note_at(m, MANIFEST_ERROR, v->offset, path,
                    "TdAttributes: a TD under debug is readable by its host");
    }
}

static void
policy_path(const struct manifest_policy *p, const char *key,
            char path[PATH_TEXT])
{
    char hash[HASH_TEXT];

    hex_encode(span_of(p->hash, sizeof(p->hash)), hash);
    (void)snprintf(path, PATH_TEXT, "Policies.%s%s", hash, key);
}

/* "<digits>_" in front: the derived secret would be that version of a transit
 * key of the coordinator (section 16, number 12). */
static bool
is_transit_key(struct span id)
{
    size_t digits = 0;

    while (digits < id.len && id.ptr[digits] >= '0' && id.ptr[digits] <= '9')
        digits++;
    return digits > 0 && digits < id.len && id.ptr[digits] == '_';
}

static void
check_policies(struct manifest *m)
{
    size_t coordinators = 0;
    char path[PATH_TEXT];

    for (size_t i = 0; i < m->policy_count; i++) {
        const struct manifest_policy *p = &m->policies[i];

        coordinators += p->role == MANIFEST_ROLE_COORDINATOR;
        if (!is_transit_key(p->workload_secret_id))
            continue;
        policy_path(p, ".WorkloadSecretID", path);
        note_at(m, MANIFEST_WARNING, p->offset, path,
                "\"%.60s\" is also the name of a transit key: this pod would "
                "receive it",
                (const char *)p->workload_secret_id.ptr);
    }
    if (coordinators > 0)
        return;
    if (m->generation == MANIFEST_OLDER)
        note_at(m, MANIFEST_WARNING, 0, "Policies",
                "none has the role \"coordinator\": no coordinator can be "
                "verified with it");
    else
        note_at(m, MANIFEST_ERROR, 0, "Policies",
                "none has the role \"coordinator\", want at least one");
}

static enum assay_status
check_workload_owner(struct manifest *m, size_t i)
{
    const struct manifest_workload_owner *owner = &m->workload_owners[i];
    struct assay_error why = { 0 };
    struct key *key = NULL;
    char path[PATH_TEXT];
    enum assay_status st;

    if (owner->spki_der.len == 0)
        return ASSAY_OK;
    (void)snprintf(path, sizeof(path), "WorkloadOwnerPubKeys[%zu]", i);
    st = key_from_spki_der(owner->spki_der, &key, &why);
    if (st == ASSAY_ERR_NOMEM)
        return st;
    if (st != ASSAY_OK)
        note_at(m, MANIFEST_ERROR, owner->offset, path, "%s", why.text);
    else if (key_type(key) != KEY_P256 && key_type(key) != KEY_P384)
        note_at(m, MANIFEST_ERROR, owner->offset, path,
                "got %s, want ECDSA P-384 or P-256",
                key_type_name(key_type(key)));
    key_free(key);
    return ASSAY_OK;
}

static enum assay_status
check_seedshare_owner(struct manifest *m, size_t i)
{
    struct assay_error why = { 0 };
    struct key *key = NULL;
    char path[PATH_TEXT];
    enum assay_status st;

    (void)snprintf(path, sizeof(path), "SeedshareOwnerPubKeys[%zu]", i);
    st = key_from_rsa_public_der(m->seedshare_owners[i].rsa_der, &key, &why);
    if (st == ASSAY_ERR_NOMEM)
        return st;
    if (st != ASSAY_OK)
        note_at(m, MANIFEST_ERROR, m->seedshare_owners[i].offset, path, "%s",
                why.text);
    else if (key_type(key) != KEY_RSA4096 && key_type(key) != KEY_RSA)
        note_at(m, MANIFEST_ERROR, m->seedshare_owners[i].offset, path,
                "got a key of %d bits, want RSA of 2048 or more, best 4096",
                key_bits(key));
    key_free(key);
    return ASSAY_OK;
}

/* Equal digests among the workload owners, equal keys among the others. */
static void
check_doubled_owners(struct manifest *m)
{
    char path[PATH_TEXT];

    for (size_t i = 1; i < m->workload_owner_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (memcmp(m->workload_owners[i].digest,
                       m->workload_owners[j].digest, SHA256_SIZE) != 0)
                continue;
            (void)snprintf(path, sizeof(path), "WorkloadOwnerPubKeys[%zu]", i);
            note_at(m, MANIFEST_WARNING, m->workload_owners[i].offset, path,
                    "the same owner as [%zu]", j);
        }
    }
    for (size_t i = 1; i < m->seedshare_owner_count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (!span_equal(m->seedshare_owners[i].rsa_der,
                            m->seedshare_owners[j].rsa_der))
                continue;
            (void)snprintf(path, sizeof(path), "SeedshareOwnerPubKeys[%zu]", i);
            note_at(m, MANIFEST_WARNING, m->seedshare_owners[i].offset, path,
                    "the same owner as [%zu]", j);
        }
    }
}

static enum assay_status
check_owners(struct manifest *m)
{
    enum assay_status st = ASSAY_OK;

    for (size_t i = 0; st == ASSAY_OK && i < m->workload_owner_count; i++)
        st = check_workload_owner(m, i);
    for (size_t i = 0; st == ASSAY_OK && i < m->seedshare_owner_count; i++)
        st = check_seedshare_owner(m, i);
    check_doubled_owners(m);
    return st;
}

/* In the order of the file; those of one place by path. */
static int
by_place(const void *a, const void *b)
{
    const struct manifest_finding *x = a, *y = b;

    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return strcmp(x->path, y->path);
}

enum assay_status
manifest_validate(struct manifest *m, struct assay_error *err)
{
    enum assay_status st;

    check_reference_values(m);
    for (size_t i = 0; i < m->snp_count; i++)
        check_snp(m, i);
    check_tdx(m);
    check_policies(m);
    st = check_owners(m);
    if (st != ASSAY_OK || m->findings.nomem)
        return assay_nomem(err, "manifest");
    if (m->findings.count > 1)
        qsort(m->findings.list, m->findings.count, sizeof(*m->findings.list),
              by_place);
    return ASSAY_OK;
}
