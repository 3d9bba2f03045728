#include "evidence/tdx_verify.h"

#include "evidence/tdx_rules.h"

/* Everything of one call. */
struct verification {
    const struct tdx_verify_params *params;
    struct tdx_collateral collateral; /* the caller's, and what was fetched */
    const struct tdx_quote *q;
    struct sgx_pck_chain *chain;
    struct sgx_collateral_set *set;
    struct verdict *v;
    struct tdx_verified *out;
};

static bool
read_quote(struct span raw, struct tdx_quote *q, struct verdict *v)
{
    struct assay_error why = { 0 };

    if (tdx_quote_decode(raw, q, &why) == ASSAY_OK) {
        verdict_pass(v, "quote_form", TDX_QUOTE_REF,
                     "a quote of version 3 to 5",
                     verdict_text(v, "version %u, %s, body type %d", q->version,
                                  quote_tee_name(q->tee), (int)q->body));
        return true;
    }
    verdict_fail(v, "quote_form", TDX_QUOTE_REF, "a quote of version 3 to 5",
                 verdict_text(v, "%s", why.text),
                 "this cannot be read as a quote");
    verdict_lack(v, "quote_signature", TDX_VERIFY_REF,
                 "the quote could not be read");
    verdict_lack(v, "root_trusted", SGX_PKI_REF, "the quote could not be read");
    return false;
}

static void
check_tee(struct verification *x)
{
    const char *want = quote_tee_name(x->params->tee);
    const char *got = quote_tee_name(x->q->tee);

    if (x->q->tee == x->params->tee)
        verdict_pass(x->v, "tee", TDX_QUOTE_REF, want, got);
    else
        verdict_fail(x->v, "tee", TDX_QUOTE_REF, want, got,
                     "the quote is of the other technology");
}

/* Many sources fill up a buffer of fixed size with zeros. */
static void
check_padding(struct verification *x)
{
    static const char name[] = "quote_padding";
    static const char want[] = "nothing but zeros behind the declared end";
    struct span got = x->q->trailing;

    if (span_is_zero(got))
        verdict_pass(x->v, name, TDX_QUOTE_REF, want,
                     verdict_text(x->v, "%zu zeros", got.len));
    else
        verdict_fail(x->v, name, TDX_QUOTE_REF, want,
                     verdict_text(x->v, "%zu bytes, beginning %s", got.len,
                                  verdict_hex(x->v, span_sub(got, 0, 16))),
                     "nothing authenticates what stands behind the quote");
}

/* --- chain and collateral ------------------------------------------------ */

/* Types 1 to 4 only identify the platform: its certificates come from
 * somewhere else. */
static enum assay_status
get_chain(struct verification *x, struct assay_error *err)
{
    struct span pem = x->collateral.pck_certificate_chain;

    if (x->q->cert_type == QUOTE_CERT_PCK_CHAIN)
        pem = x->q->cert_data;
    if (!pem.ptr) {
        verdict_fail(x->v, "certification_data", TDX_QUOTE_REF,
                     "type 5, or a PCK certificate chain beside the quote",
                     verdict_text(x->v, "type %d", (int)x->q->cert_type),
                     "the quote only names its platform, and no certificate "
                     "chain of it was given");
        return ASSAY_OK;
    }
    return tdx_cache_chain(x->params->cache, pem,
                           x->collateral.tcb_info_issuer_chain,
                           x->params->anchors, &x->chain, err);
}

/* Only for platforms that Intel certified: nobody else makes us ask. */
static enum assay_status
fetch_collateral(struct verification *x, struct assay_error *err)
{
    const struct collateral_source *source = x->params->source;
    struct tdx_collateral fetched = { 0 };
    struct tdx_collateral_want want = { .tee = x->q->tee };
    struct assay_error why = { 0 };
    enum assay_status st;

    if (tdx_collateral_is_complete(&x->collateral) || !source ||
        !source->tdx_collateral || !x->chain ||
        !sgx_pck_chain_is_good(x->chain))
        return ASSAY_OK;
    want.processor_ca = x->chain->is_processor_ca;
    for (size_t i = 0; i < sizeof(want.fmspc); i++)
        want.fmspc[i] = x->chain->pck.fmspc[i];
    st =
        source->tdx_collateral(source->ctx, &want, x->v->arena, &fetched, &why);
    if (st == ASSAY_ERR_NOMEM)
        return assay_nomem(err, "collateral");
    if (st != ASSAY_OK)
        verdict_skip(x->v, "collateral", TDX_VERIFY_REF,
                     verdict_text(x->v, "not all could be had: %s", why.text));
    tdx_collateral_fill(&x->collateral, &fetched);
    return ASSAY_OK;
}

static enum assay_status
judge_collateral(struct verification *x, struct assay_error *err)
{
    const struct sgx_pck_chain *c = x->chain;
    enum assay_status st;

    if (!c) {
        verdict_lack(x->v, "root_trusted", SGX_PKI_REF,
                     "there is no chain of certificates");
        return ASSAY_OK;
    }
    sgx_pck_chain_check(c, x->out->now, x->v);
    st = tdx_cache_collateral(x->params->cache, &x->collateral, c,
                              x->params->anchors, &x->set, err);
    if (st == ASSAY_OK)
        sgx_collateral_set_check(x->set, c->leaf, x->out->now, x->v);
    return st;
}

/* --- status -------------------------------------------------------------- */

static void
note_window(struct verification *x, struct tcb_result *r)
{
    r->valid_from = INT64_MIN;
    r->valid_until = INT64_MAX;
    sgx_windows_narrow(&x->chain->windows, &r->valid_from, &r->valid_until);
    sgx_windows_narrow(&x->set->windows, &r->valid_from, &r->valid_until);
    if (r->valid_from == INT64_MIN) /* there was not even a certificate */
        r->valid_from = r->valid_until = 0;
}

static void
judge_tcb(struct verification *x)
{
    const struct sgx_pck *pck =
        x->chain && x->chain->has_pck ? &x->chain->pck : NULL;
    struct tcb_result *r = arena_alloc(x->v->arena, sizeof(*r));

    if (!r) {
        x->v->nomem = true;
        return;
    }
    x->v->tcb = r;
    if (pck) {
        x->out->has_pck = true;
        x->out->pck = *pck;
        for (size_t i = 0; i < sizeof(r->fmspc); i++)
            r->fmspc[i] = pck->fmspc[i];
    }
    if (!x->set) {
        verdict_lack(x->v, "platform_level", TDX_VERIFY_REF,
                     "there is no chain of certificates");
        return;
    }
    note_window(x, r);
    x->out->has_tcb = tdx_tcb_check(x->q, pck, x->set, x->v, r);
    x->out->tcb = *r;
}

static enum assay_status
verify(struct verification *x, struct assay_error *err)
{
    enum assay_status st;

    check_tee(x);
    check_padding(x);
    st = get_chain(x, err);
    if (st == ASSAY_OK)
        st = fetch_collateral(x, err);
    x->out->now = clock_now(x->params->clock);
    if (st == ASSAY_OK)
        st = judge_collateral(x, err);
    if (st == ASSAY_OK)
        st = tdx_bind_check(x->q, x->chain ? x->chain->leaf : NULL,
                            x->params->cache, x->v, err);
    if (st != ASSAY_OK)
        return st;
    judge_tcb(x);
    return tdx_quote_claims(x->q, x->out->has_pck ? &x->out->pck : NULL,
                            x->v->arena, &x->v->claims, err);
}

enum assay_status
tdx_verify(struct span quote, const struct tdx_collateral *collateral,
           const struct tdx_verify_params *params, struct verdict *v,
           struct tdx_verified *out, struct assay_error *err)
{
    struct verification x = {
        .params = params, .collateral = *collateral, .v = v, .out = out
    };
    enum assay_status st;

    *out = (struct tdx_verified){ 0 };
    if (!read_quote(quote, &out->quote, v))
        return v->nomem ? assay_nomem(err, "verdict") : ASSAY_OK;
    out->decoded = true;
    x.q = &out->quote;
    st = verify(&x, err);
    sgx_pck_chain_release(x.chain);
    sgx_collateral_set_release(x.set);
    if (st == ASSAY_OK && v->nomem)
        st = assay_nomem(err, "verdict");
    v->nomem = v->nomem || st != ASSAY_OK; /* it can never be accepted */
    return st;
}
