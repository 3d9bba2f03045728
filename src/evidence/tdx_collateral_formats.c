/* Collateral as other people write it down. */
#include <string.h>

#include "base/hex.h"
#include "base/reader.h"
#include "codec/json.h"
#include "crypto/der.h"
#include "evidence/sgx_certs.h"
#include "evidence/sgx_crl.h"
#include "evidence/tdx_collateral.h"

enum { QVL_PIECES = 7 };

/* --- JSON ---------------------------------------------------------------- */

/* The text of a string member; a NULL pointer when there is none. */
static struct span
text_of(const struct json *obj, const char *key)
{
    const struct json *v = json_get(obj, key);

    return v && v->type == JSON_STRING ? v->text : span_of(NULL, 0);
}

/* { name: body, "signature": hex }, as Intel sends it. */
static enum assay_status
rejoin(const char *name, struct span body, struct span signature,
       struct arena *arena, struct span *out, struct assay_error *err)
{
    struct buffer text;
    enum assay_status st;

    if (!body.ptr || !signature.ptr)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "collateral: %s: want the body and its signature",
                          name);
    buffer_init(&text, LIMIT_SGX_DOCUMENT_BYTES, arena->alloc);
    buffer_addf(&text, "{\"%s\":", name);
    buffer_add(&text, body);
    buffer_add_str(&text, ",\"signature\":\"");
    buffer_add(&text, signature);
    buffer_add_str(&text, "\"}");
    st = buffer_check(&text, name, err);
    if (st == ASSAY_OK && !arena_dup(arena, buffer_span(&text), out))
        st = assay_nomem(err, name);
    buffer_free(&text);
    return st;
}

static enum assay_status
read_dcap_qvl(const struct json *root, struct arena *arena,
              struct tdx_collateral *out, struct assay_error *err)
{
    enum assay_status st =
        rejoin("tcbInfo", text_of(root, "tcb_info"),
               text_of(root, "tcb_info_signature"), arena, &out->tcb_info, err);

    if (st == ASSAY_OK)
        st = rejoin("enclaveIdentity", text_of(root, "qe_identity"),
                    text_of(root, "qe_identity_signature"), arena,
                    &out->qe_identity, err);
    out->tcb_info_issuer_chain = text_of(root, "tcb_info_issuer_chain");
    out->qe_identity_issuer_chain = text_of(root, "qe_identity_issuer_chain");
    out->root_ca_crl = text_of(root, "root_ca_crl");
    out->pck_crl = text_of(root, "pck_crl");
    out->pck_crl_issuer_chain = text_of(root, "pck_crl_issuer_chain");
    out->pck_certificate_chain = text_of(root, "pck_certificate_chain");
    return st;
}

static bool
is_platform(const struct json *platform, const struct tdx_collateral_want *want)
{
    uint8_t fmspc[sizeof(want->fmspc)];

    return hex_decode(text_of(platform, "fmspc"), fmspc, sizeof(fmspc)) &&
           memcmp(fmspc, want->fmspc, sizeof(fmspc)) == 0;
}

static enum assay_status
read_migtd(const struct json *root, const struct tdx_collateral_want *want,
           struct tdx_collateral *out, struct assay_error *err)
{
    const struct json *list = json_get(root, "platforms"), *found = NULL;

    for (size_t i = 0; i < list->count && !found; i++) {
        if (want ? is_platform(&list->items[i], want) : list->count == 1)
            found = &list->items[i];
    }
    out->qe_identity = text_of(root, "qeIdentity");
    out->qe_identity_issuer_chain = text_of(root, "qeIdentityIssuerChain");
    out->root_ca_crl = text_of(root, "rootCaCrl");
    out->pck_crl = text_of(root, "pckCrl");
    out->pck_crl_issuer_chain = text_of(root, "pckCrlIssuerChain");
    if (!found)
        return assay_fail(err, ASSAY_ERR_NOT_FOUND,
                          "collateral: no TCB info for this FMSPC among %zu "
                          "platforms",
                          list->count);
    out->tcb_info = text_of(found, "tcbInfo");
    out->tcb_info_issuer_chain = text_of(found, "tcbInfoIssuerChain");
    return ASSAY_OK;
}

/* Which CA's list it is decides its place. */
static enum assay_status
place_crl(struct span bytes, struct tdx_collateral *out,
          struct assay_error *err)
{
    struct crl *crl = NULL;
    enum assay_status st = sgx_crl_read(bytes, &crl, err);

    if (st != ASSAY_OK)
        return st;
    if (strcmp(crl_issuer_common_name(crl),
               sgx_cert_role_name(SGX_CERT_ROOT)) == 0)
        out->root_ca_crl = bytes;
    else
        out->pck_crl = bytes;
    crl_free(crl);
    return ASSAY_OK;
}

static enum assay_status
read_json(struct span file, const struct tdx_collateral_want *want,
          struct arena *arena, struct tdx_collateral *out,
          struct assay_error *err)
{
    const struct json_options options = { .name = "collateral",
                                          .max_bytes = LIMIT_CRL_BYTES };
    const struct json *platforms;
    struct span chain;
    struct json root;
    enum assay_status st = json_parse(file, &options, arena, &root, err);

    if (st != ASSAY_OK)
        return st;
    chain = text_of(&root, "issuer_chain");
    platforms = json_get(&root, "platforms");
    if (text_of(&root, "tcb_info").ptr)
        return read_dcap_qvl(&root, arena, out, err);
    if (platforms && platforms->type == JSON_ARRAY)
        return read_migtd(&root, want, out, err);
    if (json_get(&root, "tcbInfo")) {
        out->tcb_info = file;
    } else if (json_get(&root, "enclaveIdentity")) {
        out->qe_identity = file;
    } else if (text_of(&root, "tcb_info_json").ptr) {
        out->tcb_info = text_of(&root, "tcb_info_json");
        out->tcb_info_issuer_chain = chain;
    } else if (text_of(&root, "enclave_identity_json").ptr) {
        out->qe_identity = text_of(&root, "enclave_identity_json");
        out->qe_identity_issuer_chain = chain;
    } else if (text_of(&root, "crl_data").ptr) {
        st = place_crl(text_of(&root, "crl_data"), out, err);
        if (out->pck_crl.ptr) /* the root vouches for its list itself */
            out->pck_crl_issuer_chain = chain;
        return st;
    } else {
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "collateral: JSON of no known form");
    }
    return ASSAY_OK;
}

/* --- certificates -------------------------------------------------------- */

static enum assay_status
read_certs(struct span file, struct tdx_collateral *out,
           struct assay_error *err)
{
    struct sgx_cert_list list;
    enum assay_status st = sgx_cert_list_read(file, NULL, &list, err);

    if (st == ASSAY_OK && sgx_cert_list_find(&list, SGX_CERT_PCK)) {
        out->pck_certificate_chain = file;
    } else if (st == ASSAY_OK &&
               sgx_cert_list_find(&list, SGX_CERT_TCB_SIGNER)) {
        out->tcb_info_issuer_chain = file;
        out->qe_identity_issuer_chain = file;
    } else if (st == ASSAY_OK) {
        out->pck_crl_issuer_chain = file;
    }
    sgx_cert_list_wipe(&list);
    return st;
}

/* --- the struct of Intel's library, written out --------------------------- */

/* version, TEE type, then pointer and size of each piece, then the pieces. The
 * pointers mean nothing here; texts are counted with their NUL. */
static bool
read_qvl(struct span file, struct tdx_collateral *out)
{
    struct span *pieces[QVL_PIECES] = {
        &out->pck_crl_issuer_chain,
        &out->root_ca_crl,
        &out->pck_crl,
        &out->tcb_info_issuer_chain,
        &out->tcb_info,
        &out->qe_identity_issuer_chain,
        &out->qe_identity,
    };
    struct reader rd = reader_over(file);
    uint64_t sizes[QVL_PIECES];
    uint32_t version = rd_u32le(&rd), tee = rd_u32le(&rd);

    for (size_t i = 0; i < QVL_PIECES; i++) {
        (void)rd_u64le(&rd);
        sizes[i] = rd_u64le(&rd);
    }
    if (!rd_ok(&rd) || version == 0 || (version & 0xffff) > 16 ||
        (tee != QUOTE_TEE_SGX && tee != QUOTE_TEE_TDX))
        return false;
    for (size_t i = 0; i < QVL_PIECES; i++) {
        if (sizes[i] > file.len)
            return false;
        *pieces[i] = rd_span(&rd, (size_t)sizes[i]);
    }
    return rd_done(&rd);
}

/* ------------------------------------------------------------------------- */

static bool
begins(struct span s, const char *text)
{
    return span_equal_str(span_sub(s, 0, strlen(text)), text);
}

enum assay_status
tdx_collateral_decode(struct span file, const struct tdx_collateral_want *want,
                      struct arena *arena, struct tdx_collateral *out,
                      struct assay_error *err)
{
    struct tdx_collateral c = { 0 };
    enum assay_status st = ASSAY_OK;

    while (file.len > 0 && (file.ptr[0] == ' ' || file.ptr[0] == '\n'))
        file = span_sub(file, 1, file.len);
    if (begins(file, "{"))
        st = read_json(file, want, arena, &c, err);
    else if (begins(file, "-----BEGIN CERTIFICATE"))
        st = read_certs(file, &c, err);
    else if (file.len > 0 && (file.ptr[0] == DER_SEQUENCE ||
                              begins(file, "-----BEGIN") || begins(file, "30")))
        st = place_crl(file, &c, err);
    else if (!read_qvl(file, &c))
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "collateral: no known form");
    if (st == ASSAY_OK)
        *out = c;
    return st;
}
