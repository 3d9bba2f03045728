/* From the PCK key to the quote, signature by signature. */
#include <string.h>

#include "crypto/digest.h"
#include "evidence/tdx_rules.h"

enum { BINDING_SIZE = 64 };

static enum assay_status
check_qe_report_signature(const struct tdx_quote *q, const struct cert *leaf,
                          struct verdict *v, struct assay_error *err)
{
    static const char name[] = "qe_report_signature";
    static const char want[] = "ECDSA P-256 by the PCK key";
    enum assay_status st;

    if (!leaf) {
        verdict_lack(v, name, TDX_VERIFY_REF, "there is no PCK certificate");
        return ASSAY_OK;
    }
    st = key_verify_p256_raw(cert_key(leaf), q->qe_report_raw,
                             q->qe_report_signature, err);
    if (st == ASSAY_ERR_NOMEM)
        return st;
    if (st == ASSAY_OK)
        verdict_pass(v, name, TDX_VERIFY_REF, want, "verifies");
    else
        verdict_fail(v, name, TDX_VERIFY_REF, want, "does not verify",
                     "this platform did not vouch for the quoting enclave");
    return ASSAY_OK;
}

/* REPORTDATA: SHA-256 of key and authentication data, then 32 zeros. */
static enum assay_status
check_binding(const struct tdx_quote *q, struct verdict *v,
              struct assay_error *err)
{
    static const char name[] = "attestation_key_binding";
    const struct span parts[] = {
        span_of(q->attestation_key, sizeof(q->attestation_key)), q->qe_auth_data
    };
    struct span got =
        span_of(q->qe_report.report_data, sizeof(q->qe_report.report_data));
    uint8_t want[BINDING_SIZE] = { 0 };
    enum assay_status st = digest_compute(DIGEST_SHA256, parts, 2, want, err);

    if (st != ASSAY_OK)
        return st;
    if (memcmp(want, got.ptr, sizeof(want)) == 0)
        verdict_pass(v, name, TDX_VERIFY_REF, "SHA-256 of key and auth data",
                     "the same");
    else
        verdict_fail(v, name, TDX_VERIFY_REF,
                     verdict_hex(v, span_of(want, sizeof(want))),
                     verdict_hex(v, got),
                     "the quoting enclave did not vouch for this attestation "
                     "key");
    return ASSAY_OK;
}

static enum assay_status
check_quote_signature(const struct tdx_quote *q, const struct key *key,
                      struct verdict *v, struct assay_error *err)
{
    static const char name[] = "quote_signature";
    static const char want[] = "ECDSA P-256 by the attestation key";
    enum assay_status st =
        key_verify_p256_raw(key, q->signed_part, q->signature, err);

    if (st == ASSAY_ERR_NOMEM)
        return st;
    if (st == ASSAY_OK)
        verdict_pass(v, name, TDX_VERIFY_REF, want, "verifies");
    else
        verdict_fail(v, name, TDX_VERIFY_REF, want, "does not verify",
                     "the quote was changed, or made by somebody else");
    return ASSAY_OK;
}

static enum assay_status
check_quote(const struct tdx_quote *q, struct tdx_cache *cache,
            struct verdict *v, struct assay_error *err)
{
    static const char name[] = "attestation_key";
    struct key *key = NULL;
    enum assay_status st = tdx_cache_key(cache, q->attestation_key, &key, err);

    if (st == ASSAY_ERR_NOMEM)
        return st;
    if (st != ASSAY_OK) {
        verdict_fail(v, name, TDX_QUOTE_REF, "a point on P-256",
                     verdict_hex(v, span_of(q->attestation_key,
                                            sizeof(q->attestation_key))),
                     "this is not a public key");
        verdict_lack(v, "quote_signature", TDX_VERIFY_REF,
                     "there is no key to check it with");
        return ASSAY_OK;
    }
    verdict_pass(v, name, TDX_QUOTE_REF, "a point on P-256",
                 "a point on P-256");
    st = check_quote_signature(q, key, v, err);
    key_free(key);
    return st;
}

enum assay_status
tdx_bind_check(const struct tdx_quote *q, const struct cert *leaf,
               struct tdx_cache *cache, struct verdict *v,
               struct assay_error *err)
{
    enum assay_status st = check_qe_report_signature(q, leaf, v, err);

    if (st == ASSAY_OK)
        st = check_binding(q, v, err);
    if (st == ASSAY_OK)
        st = check_quote(q, cache, v, err);
    return st;
}
