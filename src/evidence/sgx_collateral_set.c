#include "evidence/sgx_collateral_set.h"

#include "evidence/sgx_crl.h"

#define PCS_REF "Intel SGX and TDX PCS API v4"
#define CRL_REF "RFC 5280 section 6.3; " SGX_PKI_REF

enum { SET_ARENA_BYTES = 4 * 1024 * 1024 };

/* What a build works on. */
struct builder {
    struct sgx_collateral_set *set;
    struct verdict *v; /* the set's log */
    const struct tdx_collateral *given;
    const struct sgx_pck_chain *chain;
    const struct trust_anchors *anchors;
    struct assay_error *err;
    struct sgx_cert_list known; /* of the chain, and the first signer */
    const struct cert *signer;  /* of known: issued by the root, as verified */
};

/* --- revocation lists ---------------------------------------------------- */

static const char *
crl_fault(struct verdict *v, const struct crl *crl, const struct cert *issuer)
{
    struct span aki = crl_authority_key_id(crl);
    struct span ski = cert_subject_key_id(issuer);
    enum assay_status st;

    if (!span_equal(crl_issuer(crl), cert_subject(issuer)))
        return "of another issuer";
    if (aki.len > 0 && ski.len > 0 && !span_equal(aki, ski))
        return "of another key of the issuer";
    st = crl_verify_signature(crl, cert_key(issuer), NULL);
    v->nomem = v->nomem || st == ASSAY_ERR_NOMEM;
    if (st != ASSAY_OK)
        return "the signature does not verify";
    return crl_has_next_update(crl) ? NULL : "it never expires";
}

/* *out is written when the list verified. */
static enum assay_status
judge_crl(struct builder *b, const char *name, const char *validity,
          struct span bytes, const struct cert *issuer, struct crl **out)
{
    struct assay_error why = { 0 };
    struct crl *crl = NULL;
    const char *want, *fault;
    enum assay_status st;

    if (!bytes.ptr || !issuer) {
        verdict_lack(b->v, name, CRL_REF,
                     bytes.ptr ? "there is no trusted issuer to check it with"
                               : "the revocation list is missing");
        return ASSAY_OK;
    }
    want = verdict_text(b->v, "signed by %.64s", cert_common_name(issuer));
    st = sgx_crl_read(bytes, &crl, &why);
    if (st == ASSAY_ERR_NOMEM)
        return assay_nomem(b->err, "revocation list");
    fault = st == ASSAY_OK ? crl_fault(b->v, crl, issuer)
                           : verdict_text(b->v, "%s", why.text);
    if (fault) {
        verdict_fail(b->v, name, CRL_REF, want, fault,
                     "the revocation list cannot be used");
        crl_free(crl);
        return ASSAY_OK;
    }
    verdict_pass(b->v, name, CRL_REF, want,
                 verdict_text(b->v, "%zu revoked", crl_entry_count(crl)));
    sgx_windows_add(&b->set->windows, b->v, validity, CRL_REF,
                    crl_this_update(crl), crl_next_update(crl));
    *out = crl;
    return ASSAY_OK;
}

static void
check_revocation(struct verdict *v, const char *name, const struct crl *crl,
                 const struct cert *cert)
{
    const char *want;

    if (!crl || !cert) {
        verdict_lack(v, name, CRL_REF,
                     crl ? "the certificate is missing"
                         : "there is no usable revocation list");
        return;
    }
    want = verdict_text(v, "serial %s not listed",
                        verdict_hex(v, cert_serial(cert)));
    if (crl_is_revoked(crl, cert_serial(cert)))
        verdict_fail(v, name, CRL_REF, want, "listed",
                     verdict_text(v, "%.64s with this serial was revoked",
                                  cert_common_name(cert)));
    else
        verdict_pass(v, name, CRL_REF, want, "not listed");
}

/* The chain that came with the PCK list must be about the same CA. */
static enum assay_status
judge_crl_issuer(struct builder *b)
{
    static const char name[] = "pck_crl_issuer";
    const struct cert *ca = b->chain->ca, *other = NULL;
    struct sgx_cert_list list;
    enum assay_status st;

    if (!b->given->pck_crl_issuer_chain.ptr || !ca) {
        verdict_skip(b->v, name, SGX_PKI_REF,
                     "no chain came with the list; the quote's CA serves");
        return ASSAY_OK;
    }
    st = sgx_cert_list_read(b->given->pck_crl_issuer_chain, &b->known, &list,
                            NULL);
    if (st == ASSAY_OK)
        other = sgx_cert_list_find(&list, sgx_cert_role(ca));
    if (other && span_equal(cert_spki(other), cert_spki(ca)))
        verdict_pass(b->v, name, SGX_PKI_REF, "the CA of the quote's chain",
                     "the same key");
    else if (st != ASSAY_ERR_NOMEM)
        verdict_fail(b->v, name, SGX_PKI_REF, "the CA of the quote's chain",
                     other ? "another key" : "no such certificate",
                     "the issuer chain of the PCK list is of another CA");
    sgx_cert_list_wipe(&list);
    return st == ASSAY_ERR_NOMEM ? assay_nomem(b->err, "issuer chain")
                                 : ASSAY_OK;
}

static enum assay_status
judge_crls(struct builder *b)
{
    const struct sgx_pck_chain *c = b->chain;
    const struct cert *root = c->trust != TRUST_NONE ? c->root : NULL;
    enum assay_status st =
        judge_crl(b, "root_crl", "root_crl_validity", b->given->root_ca_crl,
                  root, &b->set->root_crl);

    if (st == ASSAY_OK)
        st = judge_crl_issuer(b);
    if (st == ASSAY_OK)
        st = judge_crl(b, "pck_crl", "pck_crl_validity", b->given->pck_crl,
                       c->ca, &b->set->pck_crl);
    if (st == ASSAY_OK)
        check_revocation(b->v, "pck_ca_revocation", b->set->root_crl, c->ca);
    return st;
}

/* --- signed documents ---------------------------------------------------- */

struct document_kind {
    const char *json_name;
    const char *chain, *root, *signer, *signer_signature, *signer_revocation,
        *signer_validity;
    const char *document, *signature, *validity;
};

static const struct document_kind tcb_info_kind = {
    .json_name = "tcbInfo",
    .chain = "tcb_info_issuer_chain",
    .root = "tcb_info_root_trusted",
    .signer = "tcb_info_signer_form",
    .signer_signature = "tcb_info_signer_signature",
    .signer_revocation = "tcb_info_signer_revocation",
    .signer_validity = "tcb_info_signer_validity",
    .document = "tcb_info",
    .signature = "tcb_info_signature",
    .validity = "tcb_info_validity",
};

static const struct document_kind qe_identity_kind = {
    .json_name = "enclaveIdentity",
    .chain = "qe_identity_issuer_chain",
    .root = "qe_identity_root_trusted",
    .signer = "qe_identity_signer_form",
    .signer_signature = "qe_identity_signer_signature",
    .signer_revocation = "qe_identity_signer_revocation",
    .signer_validity = "qe_identity_signer_validity",
    .document = "qe_identity",
    .signature = "qe_identity_signature",
    .validity = "qe_identity_validity",
};

/* Signer and root, nothing else; the root may be left to the quote's. */
static void
check_issuer_chain(struct builder *b, const struct document_kind *k,
                   const struct sgx_cert_list *list)
{
    bool signer = sgx_cert_list_find(list, SGX_CERT_TCB_SIGNER) != NULL;
    bool root = sgx_cert_list_find(list, SGX_CERT_ROOT) != NULL;

    if (signer && list->count == 1u + root)
        verdict_pass(b->v, k->chain, PCS_REF, "TCB signer and root",
                     root ? "TCB signer and root" : "TCB signer");
    else
        verdict_fail(b->v, k->chain, PCS_REF, "TCB signer and root",
                     verdict_text(b->v, "%zu certificates%s", list->count,
                                  signer ? "" : ", none named as the signer"),
                     "only the TCB signer may sign this, straight below the "
                     "root");
}

/* Lists of one root say nothing about certificates of another. */
static enum assay_status
judge_signer_root(struct builder *b, const struct document_kind *k,
                  const struct cert *root)
{
    static const char want[] = "the root of the quote's chain";
    const struct cert *mine = b->chain->root;
    enum trust_kind trust;

    if (!root || !mine || b->chain->trust == TRUST_NONE)
        return sgx_check_root_trusted(b->v, k->root, root, b->anchors, &trust,
                                      b->err);
    if (span_equal(cert_der(root), cert_der(mine)))
        verdict_pass(b->v, k->root, PCS_REF, want, want);
    else
        verdict_fail(b->v, k->root, PCS_REF, want, "another certificate",
                     "quote and document hang off different roots");
    return ASSAY_OK;
}

/* Usually one signer signs both documents: once is enough. */
static void
check_signer_signature(struct builder *b, const struct document_kind *k,
                       const struct cert *signer, const struct cert *root)
{
    bool own_root = root && root == b->chain->root;
    const char *by = root ? cert_common_name(root) : "";

    if (signer && own_root && signer == b->signer) {
        verdict_pass(b->v, k->signer_signature, "RFC 5280 section 6.1.3",
                     verdict_text(b->v, "%.64s", by),
                     verdict_text(b->v, "%.64s", by));
        return;
    }
    sgx_check_signature(b->v, k->signer_signature, signer, root);
    if (own_root && b->v->count > 0 &&
        b->v->checks[b->v->count - 1].outcome == CHECK_PASS)
        b->signer = signer;
}

/* The signer is returned as a reference, NULL when there is none. */
static enum assay_status
judge_signer(struct builder *b, const struct document_kind *k, struct span pem,
             struct cert **out)
{
    const struct cert *signer, *root;
    struct sgx_cert_list list;
    struct assay_error why = { 0 };
    enum assay_status st;

    if (!pem.ptr) {
        verdict_lack(b->v, k->chain, PCS_REF, "the issuer chain is missing");
        return ASSAY_OK;
    }
    st = sgx_cert_list_read(pem, &b->known, &list, &why);
    if (st == ASSAY_OK) {
        check_issuer_chain(b, k, &list);
        signer = sgx_cert_list_find(&list, SGX_CERT_TCB_SIGNER);
        root = sgx_cert_list_find(&list, SGX_CERT_ROOT);
        if (!root)
            root = b->chain->root;
        st = judge_signer_root(b, k, root);
        sgx_check_form(b->v, k->signer, signer, SGX_CERT_TCB_SIGNER);
        check_signer_signature(b, k, signer, root);
        check_revocation(b->v, k->signer_revocation, b->set->root_crl, signer);
        sgx_windows_add_cert(&b->set->windows, b->v, k->signer_validity,
                             signer);
        *out = signer ? cert_dup(signer) : NULL;
        sgx_cert_list_add(&b->known, signer);
    } else if (st != ASSAY_ERR_NOMEM) {
        verdict_fail(b->v, k->chain, PCS_REF, "certificates in PEM",
                     verdict_text(b->v, "%s", why.text),
                     "the issuer chain cannot be read");
        st = ASSAY_OK;
    }
    sgx_cert_list_wipe(&list);
    return st;
}

/* True when the signer signed these very bytes. */
static bool
check_document_signature(struct builder *b, const struct document_kind *k,
                         const struct sgx_document *doc,
                         const struct cert *signer)
{
    static const char want[] = "ECDSA P-256 over the bytes as they came";
    enum assay_status st;

    if (!signer) {
        verdict_lack(b->v, k->signature, PCS_REF,
                     "there is no signer to check it with");
        return false;
    }
    st = key_verify_p256_raw(cert_key(signer), doc->signed_bytes,
                             doc->signature, NULL);
    b->v->nomem = b->v->nomem || st == ASSAY_ERR_NOMEM;
    if (st == ASSAY_OK) {
        verdict_pass(b->v, k->signature, PCS_REF, want, "verifies");
        return true;
    }
    verdict_fail(b->v, k->signature, PCS_REF, want, "does not verify",
                 "Intel did not sign this text");
    return false;
}

/* What of a document the two kinds read differently. */
static enum assay_status
read_body(struct builder *b, const struct document_kind *k,
          const struct sgx_document *doc, struct assay_error *why)
{
    if (k == &tcb_info_kind)
        return sgx_tcb_info_decode(&doc->body, &b->set->arena, &b->set->info,
                                   why);
    return sgx_qe_identity_decode(&doc->body, &b->set->arena, &b->set->identity,
                                  why);
}

static void
take_document(struct builder *b, const struct document_kind *k)
{
    struct sgx_collateral_set *s = b->set;

    if (k == &tcb_info_kind) {
        s->has_info = true;
        sgx_windows_add(&s->windows, b->v, k->validity, PCS_REF,
                        s->info.issue_date, s->info.next_update);
    } else {
        s->has_identity = true;
        sgx_windows_add(&s->windows, b->v, k->validity, PCS_REF,
                        s->identity.issue_date, s->identity.next_update);
    }
}

static enum assay_status
judge_document(struct builder *b, const struct document_kind *k,
               struct span text, const struct cert *signer)
{
    struct assay_error why = { 0 };
    struct sgx_document doc;
    struct arena scratch;
    enum assay_status st;

    if (!text.ptr) {
        verdict_lack(b->v, k->document, PCS_REF, "the document is missing");
        return ASSAY_OK;
    }
    arena_init(&scratch, LIMIT_SGX_COLLATERAL_ARENA, NULL);
    st = sgx_document_decode(text, k->json_name, &scratch, &doc, &why);
    if (st == ASSAY_OK)
        st = read_body(b, k, &doc, &why);
    if (st == ASSAY_OK) {
        verdict_pass(b->v, k->document, PCS_REF, k->json_name, k->json_name);
        if (check_document_signature(b, k, &doc, signer))
            take_document(b, k);
    } else if (st != ASSAY_ERR_NOMEM) {
        verdict_fail(b->v, k->document, PCS_REF, k->json_name,
                     verdict_text(b->v, "%s", why.text),
                     "the document cannot be read");
        st = ASSAY_OK;
    } else {
        (void)assay_nomem(b->err, k->document);
    }
    arena_drop(&scratch);
    return st;
}

static enum assay_status
judge_signed(struct builder *b, const struct document_kind *k, struct span text,
             struct span pem)
{
    struct cert *signer = NULL;
    enum assay_status st = judge_signer(b, k, pem, &signer);

    if (st == ASSAY_OK)
        st = judge_document(b, k, text, signer);
    cert_free(signer);
    return st;
}

/* --- the whole ----------------------------------------------------------- */

static enum assay_status
judge(struct builder *b)
{
    enum assay_status st = judge_crls(b);

    if (st == ASSAY_OK)
        st = judge_signed(b, &tcb_info_kind, b->given->tcb_info,
                          b->given->tcb_info_issuer_chain);
    if (st == ASSAY_OK)
        st = judge_signed(b, &qe_identity_kind, b->given->qe_identity,
                          b->given->qe_identity_issuer_chain);
    if (st == ASSAY_OK && b->v->nomem)
        st = assay_nomem(b->err, "collateral");
    return st;
}

enum assay_status
sgx_collateral_set_build(const struct tdx_collateral *collateral,
                         const struct sgx_pck_chain *chain,
                         const struct trust_anchors *anchors,
                         struct sgx_collateral_set **out,
                         struct assay_error *err)
{
    struct sgx_collateral_set *set = mem_zalloc(NULL, sizeof(*set));
    struct builder b = { .set = set,
                         .given = collateral,
                         .chain = chain,
                         .anchors = anchors,
                         .err = err };
    enum assay_status st;

    if (!set)
        return assay_nomem(err, "collateral");
    atomic_init(&set->refs, 1);
    arena_init(&set->arena, SET_ARENA_BYTES, NULL);
    verdict_init(&set->log, &set->arena, "", false);
    b.v = &set->log;
    sgx_cert_list_add(&b.known, chain->root);
    sgx_cert_list_add(&b.known, chain->ca);
    st = judge(&b);
    sgx_cert_list_wipe(&b.known);
    if (st == ASSAY_OK)
        *out = set;
    else
        sgx_collateral_set_release(set);
    return st;
}

struct sgx_collateral_set *
sgx_collateral_set_ref(struct sgx_collateral_set *set)
{
    atomic_fetch_add(&set->refs, 1);
    return set;
}

void
sgx_collateral_set_release(struct sgx_collateral_set *set)
{
    if (!set || atomic_fetch_sub(&set->refs, 1) > 1)
        return;
    crl_free(set->root_crl);
    crl_free(set->pck_crl);
    arena_drop(&set->arena);
    mem_free(NULL, set);
}

void
sgx_collateral_set_check(const struct sgx_collateral_set *set,
                         const struct cert *leaf, int64_t now,
                         struct verdict *v)
{
    sgx_replay_checks(&set->log, v);
    sgx_windows_check(&set->windows, now, v);
    check_revocation(v, "pck_leaf_revocation", set->pck_crl, leaf);
}

bool
sgx_collateral_set_is_good(const struct sgx_collateral_set *set)
{
    for (size_t i = 0; i < set->log.count; i++) {
        enum check_outcome outcome = set->log.checks[i].outcome;

        if (outcome != CHECK_PASS && outcome != CHECK_SKIPPED)
            return false;
    }
    return set->has_info && set->has_identity && set->root_crl &&
           set->pck_crl && !set->log.nomem;
}
