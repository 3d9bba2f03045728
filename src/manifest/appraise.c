#include "manifest/appraise.h"

#include <string.h>

#include "evidence/insecure.h"
#include "manifest/appraise_internal.h"

static enum assay_status
new_launch(const struct manifest_snp *v, struct snp_launch **out,
           struct assay_error *err)
{
    if (v->has_ap_eip)
        return snp_launch_new_vcpus(v->measurement, v->ap_eip, v->product, out,
                                    err);
    return snp_launch_new_exact(v->measurement, out, err);
}

static size_t
count_acceptable(const struct manifest *m, bool coordinator_only)
{
    size_t n = 0;

    for (size_t i = 0; i < m->policy_count; i++)
        n += !coordinator_only ||
             m->policies[i].role == MANIFEST_ROLE_COORDINATOR;
    return n;
}

static enum assay_status
check_usable(const struct manifest *m,
             const struct manifest_appraiser_config *config,
             struct assay_error *err)
{
    enum assay_status st = manifest_check(m, err);

    if (st != ASSAY_OK)
        return st;
    if (m->insecure && !config->allow_insecure)
        return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                          "manifest: accepts evidence without hardware, which "
                          "this program was not told to allow");
    if (config->coordinator_only && count_acceptable(m, true) == 0)
        return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                          "manifest: no policy has the role \"coordinator\"");
    return ASSAY_OK;
}

enum assay_status
manifest_appraiser_new(const struct manifest *manifest,
                       const struct manifest_appraiser_config *config,
                       struct manifest_appraiser **out, struct assay_error *err)
{
    struct manifest_appraiser *a = NULL;
    enum assay_status st = check_usable(manifest, config, err);

    if (st != ASSAY_OK)
        return st;
    a = mem_zalloc(NULL, sizeof(*a));
    if (!a)
        return assay_nomem(err, "manifest appraiser");
    a->m = manifest;
    a->config = *config;
    a->launches = mem_zalloc(NULL, (manifest->snp_count + 1) *
                                       sizeof(struct snp_launch *));
    if (!a->launches)
        st = assay_nomem(err, "manifest appraiser");
    for (size_t i = 0; st == ASSAY_OK && i < manifest->snp_count; i++)
        st = assay_context(err,
                           new_launch(&manifest->snp[i], &a->launches[i], err),
                           "ReferenceValues.snp[%zu]", i);
    if (st != ASSAY_OK) {
        manifest_appraiser_free(a);
        return st;
    }
    *out = a;
    return ASSAY_OK;
}

void
manifest_appraiser_free(struct manifest_appraiser *a)
{
    if (!a)
        return;
    for (size_t i = 0; a->launches && i < a->m->snp_count; i++)
        snp_launch_free(a->launches[i]);
    mem_free(NULL, a->launches);
    mem_free(NULL, a);
}

const struct manifest_policy *
appraise_identify(const struct manifest_appraiser *a, const uint8_t *host_data,
                  struct verdict *v)
{
    bool coordinator = a->config.coordinator_only;
    const struct manifest_policy *policy =
        host_data ? manifest_policy_find(a->m, host_data) : NULL;
    const char *expected = verdict_text(v, "one of %zu %spolicies",
                                        count_acceptable(a->m, coordinator),
                                        coordinator ? "coordinator " : "");
    const char *actual =
        host_data ? verdict_hex(v, span_of(host_data, SHA256_SIZE)) : "";

    if (!policy) {
        verdict_fail(v, "manifest_policy", APPRAISE_REF_SELECTION, expected,
                     actual,
                     host_data ? "the policy of this guest is not in the "
                                 "manifest"
                               : "the evidence names no policy");
        return NULL;
    }
    if (coordinator && policy->role != MANIFEST_ROLE_COORDINATOR) {
        verdict_fail(v, "manifest_policy", APPRAISE_REF_SELECTION, expected,
                     actual,
                     "the manifest knows this guest, but not as a coordinator");
        return NULL;
    }
    verdict_pass(v, "manifest_policy", APPRAISE_REF_SELECTION, expected,
                 actual);
    return policy;
}

/* A verdict that one reference value led to. */
struct attempt {
    struct verdict verdict;
    size_t reference;
};

static bool
is_closer(const struct verdict *a, const struct verdict *b)
{
    return verdict_failures(a) < verdict_failures(b);
}

/* Says which value the checks of a verdict are about. */
static void
name_reference(const struct appraise_references *r, struct attempt *best)
{
    struct verdict *v = &best->verdict;
    const char *expected = verdict_text(v, "one of %zu", r->count);
    const char *actual =
        verdict_text(v, "ReferenceValues.%s[%zu] (%s)", r->kind,
                     best->reference, r->name(r->ctx, best->reference));

    if (v->result == VERDICT_REFUSED)
        verdict_fail(v, "reference_value", APPRAISE_REF_SELECTION, expected,
                     actual,
                     "none fits; the checks above are those of the closest "
                     "one");
    else
        verdict_pass(v, "reference_value", APPRAISE_REF_SELECTION, expected,
                     actual);
    (void)verdict_conclude(v);
}

enum assay_status
appraise_try(const struct appraise_references *r, struct verdict *v,
             size_t *reference, struct assay_error *err)
{
    struct attempt best = { 0 };

    for (size_t i = 0; i < r->count; i++) {
        struct attempt now = { .reference = i };
        enum assay_status st;

        verdict_fork(v, &now.verdict);
        st = r->judge(r->ctx, i, &now.verdict, err);
        if (st != ASSAY_OK)
            return st;
        (void)verdict_conclude(&now.verdict);
        if (i == 0 || now.verdict.result == VERDICT_ACCEPTED ||
            is_closer(&now.verdict, &best.verdict))
            best = now;
        if (now.verdict.result == VERDICT_ACCEPTED)
            break;
    }
    name_reference(r, &best);
    *reference = best.reference;
    *v = best.verdict;
    return ASSAY_OK;
}

static enum assay_status
appraise_insecure(const struct manifest_appraiser *a,
                  const struct manifest_request *request, struct arena *arena,
                  struct verdict *v, struct manifest_identity *who,
                  struct assay_error *err)
{
    struct insecure_evidence evidence = { 0 };
    struct assay_error why = { 0 };
    enum assay_status st;

    v->insecure = true;
    if (!a->m->insecure || !a->config.allow_insecure) {
        verdict_fail(v, "insecure_allowed", "contrast-interop 2.3", NULL, NULL,
                     "evidence without hardware needs a manifest and an option "
                     "that both allow it");
        return ASSAY_OK;
    }
    st = insecure_evidence_decode(request->evidence, arena, &evidence, &why);
    if (st == ASSAY_ERR_NOMEM)
        return assay_nomem(err, "evidence");
    if (st != ASSAY_OK) {
        verdict_fail(v, "evidence_form", "contrast-interop 2.3", NULL, NULL,
                     verdict_text(v, "%s", why.text));
        return ASSAY_OK;
    }
    verdict_pass(v, "insecure_allowed", "contrast-interop 2.3", NULL, NULL);
    insecure_appraise(&evidence, request->report_data, NULL, v);
    who->policy = appraise_identify(
        a, evidence.has_host_data ? evidence.host_data : NULL, v);
    return ASSAY_OK;
}

/* Fills the verdict with checks; concluding it is the caller's. */
static enum assay_status
appraise(const struct manifest_appraiser *a,
         const struct manifest_request *request, struct arena *arena,
         struct verdict *v, struct manifest_identity *who,
         struct assay_error *err)
{
    bool strict = a->config.strict;

    switch (request->oid) {
    case EVIDENCE_OID_SNP:
        verdict_init(v, arena, "snp", strict);
        return appraise_snp(a, request, arena, v, who, err);
    case EVIDENCE_OID_INSECURE:
    case EVIDENCE_OID_INSECURE_OLDER:
        verdict_init(v, arena, "insecure", strict);
        return appraise_insecure(a, request, arena, v, who, err);
    case EVIDENCE_OID_TDX:
        verdict_init(v, arena, "tdx", strict);
        return appraise_tdx(a, request, arena, v, who, err);
    case EVIDENCE_OID_NONE:
        break;
    }
    verdict_init(v, arena, "unknown", strict);
    verdict_fail(v, "evidence_kind", APPRAISE_REF_SELECTION, "SEV-SNP or TDX",
                 NULL, "no evidence of a kind we know");
    return ASSAY_OK;
}

enum assay_status
manifest_appraise(const struct manifest_appraiser *a,
                  const struct manifest_request *request, struct arena *arena,
                  struct verdict *verdict, struct manifest_identity *identity,
                  struct assay_error *err)
{
    struct manifest_identity who = { 0 };
    struct verdict v = { 0 };
    enum assay_status st = appraise(a, request, arena, &v, &who, err);

    if (st == ASSAY_OK && v.nomem)
        st = assay_nomem(err, "verdict");
    if (st != ASSAY_OK)
        return st;
    if (verdict_conclude(&v) == VERDICT_ACCEPTED && !who.policy) {
        /* Cannot be: no check passes without one. Fail closed all the same. */
        verdict_fail(&v, "manifest_policy", APPRAISE_REF_SELECTION, NULL, NULL,
                     "no identity");
        (void)verdict_conclude(&v);
    }
    *verdict = v;
    st = verdict_status(&v, err);
    if (st != ASSAY_OK)
        return st;
    who.insecure = v.insecure;
    *identity = who;
    return ASSAY_OK;
}
