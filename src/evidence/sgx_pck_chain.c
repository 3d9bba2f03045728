#include "evidence/sgx_pck_chain.h"

#include <string.h>

#include "base/limits.h"

enum { CHAIN_ARENA_BYTES = 64 * 1024 }; /* texts of 8 checks */

static struct cert *
take(const struct cert *cert)
{
    return cert ? cert_dup(cert) : NULL;
}

static size_t
count_role(const struct sgx_cert_list *list, enum sgx_cert_role role)
{
    size_t n = 0;

    for (size_t i = 0; i < list->count; i++)
        n += sgx_cert_role(list->items[i]) == role;
    return n;
}

/* Leaf, CA and root, each once, and nothing else: who adds certificates wants
 * one checked and another believed. */
static void
pick(struct sgx_pck_chain *c, const struct sgx_cert_list *list)
{
    size_t roots = count_role(list, SGX_CERT_ROOT);
    size_t known;

    c->leaf = take(sgx_cert_list_find(list, SGX_CERT_PCK));
    c->ca = take(sgx_cert_list_find(list, SGX_CERT_PLATFORM_CA));
    if (!c->ca) {
        c->ca = take(sgx_cert_list_find(list, SGX_CERT_PROCESSOR_CA));
        c->is_processor_ca = c->ca != NULL;
    }
    c->root = take(sgx_cert_list_find(list, SGX_CERT_ROOT));
    c->own_root = c->root != NULL;
    known = (size_t)(c->leaf != NULL) + (size_t)(c->ca != NULL) + roots;
    if (c->leaf && c->ca && roots <= 1 && known == list->count)
        verdict_pass(&c->log, "pck_chain", SGX_PKI_REF,
                     "one leaf, one CA, one root",
                     roots ? "one leaf, one CA, one root" : "one leaf, one CA");
    else
        verdict_fail(&c->log, "pck_chain", SGX_PKI_REF,
                     "one leaf, one CA, one root",
                     verdict_text(&c->log, "%zu certificates", list->count),
                     "a certificate is missing, or there is one too many");
}

static void
find_root(struct sgx_pck_chain *c, struct span roots)
{
    struct sgx_cert_list list;
    enum assay_status st;

    if (c->root || roots.len == 0)
        return;
    st = sgx_cert_list_read(roots, NULL, &list, NULL);
    if (st == ASSAY_OK)
        c->root = take(sgx_cert_list_find(&list, SGX_CERT_ROOT));
    c->log.nomem = c->log.nomem || st == ASSAY_ERR_NOMEM;
    sgx_cert_list_wipe(&list);
}

static void
read_extension(struct sgx_pck_chain *c)
{
    static const char name[] = "pck_extension";
    struct assay_error why = { 0 };
    struct cert_extension x;

    if (!c->leaf) {
        verdict_lack(&c->log, name, SGX_PKI_REF, "the PCK leaf is missing");
        return;
    }
    if (!cert_extension_get(c->leaf, OID_SGX, &x)) {
        verdict_fail(&c->log, name, SGX_PKI_REF, OID_SGX, "none",
                     "the leaf does not say which platform it is for");
        return;
    }
    c->has_pck = sgx_pck_decode(x.value, &c->pck, &why) == ASSAY_OK;
    if (c->has_pck)
        verdict_pass(
            &c->log, name, SGX_PKI_REF, "FMSPC, PCE-ID and SVNs, once each",
            verdict_text(&c->log, "FMSPC %s, %s",
                         verdict_hex(&c->log, span_of(c->pck.fmspc,
                                                      sizeof(c->pck.fmspc))),
                         sgx_type_name(c->pck.sgx_type)));
    else
        verdict_fail(&c->log, name, SGX_PKI_REF,
                     "FMSPC, PCE-ID and SVNs, once each",
                     verdict_text(&c->log, "%s", why.text),
                     "the leaf's extension cannot be read");
}

static enum assay_status
judge(struct sgx_pck_chain *c, const struct trust_anchors *anchors,
      struct assay_error *err)
{
    struct verdict *v = &c->log;
    enum assay_status st;

    sgx_check_form(v, "root_form", c->root, SGX_CERT_ROOT);
    st = sgx_check_root_trusted(v, "root_trusted", c->root, anchors, &c->trust,
                                err);
    sgx_check_form(v, "pck_ca_form", c->ca,
                   c->is_processor_ca ? SGX_CERT_PROCESSOR_CA
                                      : SGX_CERT_PLATFORM_CA);
    sgx_check_signature(v, "pck_ca_signature", c->ca, c->root);
    sgx_check_form(v, "pck_leaf_form", c->leaf, SGX_CERT_PCK);
    sgx_check_signature(v, "pck_leaf_signature", c->leaf, c->ca);
    read_extension(c);
    sgx_windows_add_cert(&c->windows, v, "root_validity", c->root);
    sgx_windows_add_cert(&c->windows, v, "pck_ca_validity", c->ca);
    sgx_windows_add_cert(&c->windows, v, "pck_leaf_validity", c->leaf);
    if (st == ASSAY_OK && v->nomem)
        st = assay_nomem(err, "PCK chain");
    return st;
}

enum assay_status
sgx_pck_chain_build(struct span pem, struct span roots,
                    const struct trust_anchors *anchors,
                    struct sgx_pck_chain **out, struct assay_error *err)
{
    struct sgx_pck_chain *c = mem_zalloc(NULL, sizeof(*c));
    struct sgx_cert_list list;
    struct assay_error why = { 0 };
    enum assay_status st;

    if (!c)
        return assay_nomem(err, "PCK chain");
    atomic_init(&c->refs, 1);
    arena_init(&c->arena, CHAIN_ARENA_BYTES, NULL);
    verdict_init(&c->log, &c->arena, "", false);
    st = sgx_cert_list_read(pem, NULL, &list, &why);
    if (st == ASSAY_OK)
        pick(c, &list);
    else if (st != ASSAY_ERR_NOMEM)
        verdict_fail(&c->log, "pck_chain", SGX_PKI_REF, "certificates in PEM",
                     verdict_text(&c->log, "%s", why.text),
                     "the chain of the quote cannot be read");
    sgx_cert_list_wipe(&list);
    find_root(c, roots);
    if (st != ASSAY_ERR_NOMEM)
        st = judge(c, anchors, err);
    else
        (void)assay_nomem(err, "PCK chain");
    if (st == ASSAY_OK)
        *out = c;
    else
        sgx_pck_chain_release(c);
    return st;
}

struct sgx_pck_chain *
sgx_pck_chain_ref(struct sgx_pck_chain *chain)
{
    atomic_fetch_add(&chain->refs, 1);
    return chain;
}

void
sgx_pck_chain_release(struct sgx_pck_chain *chain)
{
    if (!chain || atomic_fetch_sub(&chain->refs, 1) > 1)
        return;
    cert_free(chain->leaf);
    cert_free(chain->ca);
    cert_free(chain->root);
    arena_drop(&chain->arena);
    mem_free(NULL, chain);
}

void
sgx_pck_chain_check(const struct sgx_pck_chain *chain, int64_t now,
                    struct verdict *v)
{
    sgx_replay_checks(&chain->log, v);
    sgx_windows_check(&chain->windows, now, v);
}

bool
sgx_pck_chain_is_good(const struct sgx_pck_chain *chain)
{
    for (size_t i = 0; i < chain->log.count; i++) {
        if (chain->log.checks[i].outcome != CHECK_PASS)
            return false;
    }
    return !chain->log.nomem;
}

enum assay_status
sgx_pck_chain_want(struct span pem, enum quote_tee tee,
                   struct tdx_collateral_want *out, struct assay_error *err)
{
    struct tdx_collateral_want want = { .tee = tee };
    struct sgx_pck_chain *chain = NULL;
    enum assay_status st =
        sgx_pck_chain_build(pem, span_of(NULL, 0), NULL, &chain, err);

    if (st != ASSAY_OK)
        return st;
    if (chain->has_pck) {
        memcpy(want.fmspc, chain->pck.fmspc, sizeof(want.fmspc));
        want.processor_ca = chain->is_processor_ca;
        *out = want;
    } else {
        st = assay_fail(err, ASSAY_ERR_MALFORMED,
                        "no PCK certificate that names its platform");
    }
    sgx_pck_chain_release(chain);
    return st;
}
