#include <string.h>

#include "base/clock.h"
#include "evidence/snp_bind.h"

/* AMD 57230, certificate revocation list; RFC 5280 section 6.3. Leaves are
 * never listed: their serial is 0 and the TCB in them replaces revocation. */

#define REF "AMD 57230 CRL; RFC 5280 section 6.3"

struct lists {
    struct crl *best; /* current if there is one, else the newest */
    bool revoked;     /* any list that verifies names the intermediate */
    size_t given;
    struct assay_error why;         /* why the last one was not usable */
    struct assay_error unavailable; /* why the source had none */
};

static bool
is_current(const struct crl *crl, int64_t now)
{
    return crl_this_update(crl) <= now && crl_has_next_update(crl) &&
           now <= crl_next_update(crl);
}

static bool
is_better(const struct crl *a, const struct crl *b, int64_t now)
{
    if (!b)
        return true;
    if (is_current(a, now) != is_current(b, now))
        return is_current(a, now);
    return crl_this_update(a) > crl_this_update(b);
}

static enum assay_status
lists_add(struct lists *l, struct span der, const struct snp_chain *chain,
          const struct snp_verify_params *p, struct assay_error *err)
{
    const struct cert *intermediate = snp_chain_intermediate(chain);
    struct crl *crl = NULL;
    enum assay_status st =
        snp_crl_get(p->cache, der, snp_chain_root(chain), &crl, &l->why);

    l->given++;
    if (st == ASSAY_ERR_NOMEM)
        return assay_nomem(err, "revocation list");
    if (st != ASSAY_OK)
        return ASSAY_OK; /* another one may do; l->why is kept */
    /* Nothing is ever taken off these lists, so an old one counts too. */
    if (intermediate && crl_is_revoked(crl, cert_serial(intermediate)))
        l->revoked = true;
    if (is_better(crl, l->best, clock_now(p->clock))) {
        crl_free(l->best);
        l->best = crl;
    } else {
        crl_free(crl);
    }
    return ASSAY_OK;
}

/* The vendor's list first: what came with the evidence was chosen by the
 * machine that is being judged. */
static enum assay_status
lists_fetch(struct lists *l, const struct snp_chain *chain,
            const struct snp_verify_params *p, struct assay_error *err)
{
    const struct collateral_source *source = p->source;
    struct buffer der;
    enum assay_status st;

    if (!source || !source->snp_crl)
        return ASSAY_OK;
    buffer_init(&der, LIMIT_CRL_BYTES, NULL);
    st = source->snp_crl(source->ctx, snp_chain_product(chain),
                         snp_chain_leaf_kind(chain) == SNP_CERT_VLEK, &der,
                         &l->unavailable);
    if (st == ASSAY_OK)
        st = lists_add(l, buffer_span(&der), chain, p, err);
    else if (st != ASSAY_ERR_NOMEM)
        st = ASSAY_OK; /* l->unavailable says why */
    buffer_free(&der);
    return st;
}

static void
skip_lists(struct verdict *v, const char *why)
{
    verdict_skip(v, "crl", REF, why);
    verdict_skip(v, "crl_validity", REF, why);
}

static void
without_list(const struct lists *l, const struct snp_verify_params *p,
             struct verdict *v)
{
    const char *why = "no revocation list was given";

    if (l->given > 0) {
        verdict_fail(v, "crl", REF, "a list signed by the root of the chain",
                     verdict_text(v, "%s", l->why.text),
                     "the revocation list is not usable");
        verdict_skip(v, "crl_validity", REF, "no usable list");
        verdict_lack(v, "revocation", REF, "no usable list");
        return;
    }
    if (l->unavailable.text[0])
        why = verdict_text(v, "no revocation list could be had: %s",
                           l->unavailable.text);
    skip_lists(v, why);
    if (v->strict)
        verdict_fail(v, "revocation", REF, "a revocation list", "none", why);
    else if (p->crl == SNP_CRL_OPTIONAL)
        verdict_skip(v, "revocation", REF, why);
    else
        verdict_lack(v, "revocation", REF, why);
}

static void
check_dates(const struct crl *crl, const struct snp_verify_params *p,
            struct verdict *v)
{
    char from[RFC3339_SIZE], to[RFC3339_SIZE] = "no nextUpdate";
    char at[RFC3339_SIZE];
    int64_t now = clock_now(p->clock);
    const char *want, *got;

    rfc3339_format(crl_this_update(crl), from);
    if (crl_has_next_update(crl))
        rfc3339_format(crl_next_update(crl), to);
    rfc3339_format(now, at);
    want = verdict_text(v, "%s to %s", from, to);
    got = verdict_text(v, "%s", at);
    if (is_current(crl, now))
        verdict_pass(v, "crl_validity", REF, want, got);
    else if (crl_this_update(crl) > now)
        verdict_fail(v, "crl_validity", REF, want, got,
                     "the revocation list is from the future");
    else if (p->allow_stale_crl)
        verdict_warn(v, "crl_validity", REF, want, got,
                     "the revocation list is out of date");
    else
        verdict_fail(v, "crl_validity", REF, want, got,
                     "the revocation list is out of date");
}

static void
with_list(const struct lists *l, const struct snp_chain *chain,
          const struct snp_verify_params *p, struct verdict *v)
{
    const struct cert *intermediate = snp_chain_intermediate(chain);
    const char *serial = verdict_hex(v, cert_serial(intermediate));

    verdict_pass(v, "crl", REF,
                 verdict_text(v, "signed by %s",
                              cert_common_name(snp_chain_root(chain))),
                 verdict_text(v, "number %s, %zu revoked",
                              verdict_hex(v, crl_number(l->best)),
                              crl_entry_count(l->best)));
    check_dates(l->best, p, v);
    if (l->revoked)
        verdict_fail(v, "revocation", REF,
                     verdict_text(v, "serial %s not listed", serial), "listed",
                     verdict_text(v, "AMD has revoked %s with this serial",
                                  cert_common_name(intermediate)));
    else
        verdict_pass(v, "revocation", REF,
                     verdict_text(v, "serial %s not listed", serial),
                     "not listed");
}

enum assay_status
snp_revocation_check(const struct snp_chain *chain,
                     const struct snp_collateral *collateral,
                     const struct snp_verify_params *params, struct verdict *v,
                     struct assay_error *err)
{
    struct lists l = { 0 };
    enum assay_status st;

    /* Only a trusted root says what is revoked. */
    if (!snp_chain_root(chain) || snp_chain_trust(chain) == TRUST_NONE) {
        const char *why = "there is no trusted root to check a list with";

        skip_lists(v, why);
        verdict_lack(v, "revocation", REF, why);
        return ASSAY_OK;
    }
    st = lists_fetch(&l, chain, params, err);
    for (size_t i = 0; i < collateral->crl_count && st == ASSAY_OK; i++)
        st = lists_add(&l, collateral->crls[i], chain, params, err);
    if (st == ASSAY_OK && l.best)
        with_list(&l, chain, params, v);
    else if (st == ASSAY_OK)
        without_list(&l, params, v);
    crl_free(l.best);
    return st;
}
