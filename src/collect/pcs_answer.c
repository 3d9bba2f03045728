#include "collect/pcs_answer.h"

#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "codec/json.h"
#include "evidence/sgx_certs.h"
#include "evidence/sgx_crl.h"
#include "evidence/sgx_qe_identity.h"
#include "evidence/sgx_tcb_info.h"

static bool
is_tcb_info(enum collateral_kind kind)
{
    return kind == COLLATERAL_TDX_TCB_INFO || kind == COLLATERAL_SGX_TCB_INFO;
}

static bool
is_identity(enum collateral_kind kind)
{
    return kind == COLLATERAL_TDX_QE_IDENTITY ||
           kind == COLLATERAL_SGX_QE_IDENTITY;
}

/* --- wrapping ------------------------------------------------------------ */

/* RFC 3986 section 2.1; the header has the PEM's line ends so. */
static enum assay_status
url_decode(struct span text, struct buffer *out, struct assay_error *err)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];

        if (byte == '%') {
            if (!hex_decode(span_sub(text, i + 1, 2), &byte, 1))
                return assay_fail(err, ASSAY_ERR_MALFORMED,
                                  "issuer chain: not URL-encoded at character "
                                  "%zu",
                                  i);
            i += 2;
        }
        buffer_add(out, span_of(&byte, 1));
    }
    return buffer_check(out, "issuer chain", err);
}

/* Lists come in DER, PEM or hex; kept in hex, or as text. */
static void
put_crl(struct json_writer *w, struct span body)
{
    jw_key(w, "crl_data");
    if (body.len > 0 && body.ptr[0] == 0x30 &&
        !(body.len > 1 && body.ptr[1] == '8')) /* "308..." is hex */
        jw_hex(w, body);
    else
        jw_string(w, body);
}

static void
write_answer(enum collateral_kind kind, struct span body, struct span chain,
             struct buffer *out)
{
    struct json_writer w = json_writer_over(out, 0);

    jw_object(&w);
    if (is_tcb_info(kind) || is_identity(kind)) {
        jw_key(&w,
               is_tcb_info(kind) ? "tcb_info_json" : "enclave_identity_json");
        jw_string(&w, body);
    } else {
        put_crl(&w, body);
    }
    jw_key(&w, "issuer_chain");
    jw_string(&w, chain);
    jw_end(&w);
}

enum assay_status
pcs_answer_wrap(const struct kds_path *path, struct span chain,
                struct buffer *body, struct assay_error *err)
{
    struct buffer pem, whole;
    enum assay_status st;

    buffer_init(&pem, LIMIT_CERT_BYTES, NULL);
    buffer_init(&whole, body->limit, NULL);
    st = url_decode(chain, &pem, err);
    if (st == ASSAY_OK) {
        write_answer(path->kind, buffer_span(body), buffer_span(&pem), &whole);
        st = buffer_check(&whole, path->text, err);
    }
    if (st == ASSAY_OK) {
        buffer_clear(body);
        buffer_add(body, buffer_span(&whole));
        st = buffer_check(body, path->text, err);
    }
    buffer_free(&pem);
    buffer_free(&whole);
    return st;
}

/* --- judging ------------------------------------------------------------- */

static enum assay_status
fail_other(struct assay_error *err, const struct kds_path *path,
           const char *got)
{
    return assay_fail(err, ASSAY_ERR_MALFORMED, "%s: got %s, asked for %.90s",
                      collateral_kind_name(path->kind), got, path->text);
}

static enum assay_status
judge_tcb_info(const struct kds_path *path, struct span text,
               struct arena *arena, struct kds_validity *out,
               struct assay_error *err)
{
    struct tdx_collateral_want want = pcs_path_want(path);
    struct sgx_document doc;
    struct sgx_tcb_info info;
    enum assay_status st =
        sgx_document_decode(text, "tcbInfo", arena, &doc, err);

    if (st == ASSAY_OK)
        st = sgx_tcb_info_decode(&doc.body, arena, &info, err);
    if (st != ASSAY_OK)
        return st;
    if (info.is_tdx != (want.tee == QUOTE_TEE_TDX) ||
        memcmp(info.fmspc, want.fmspc, sizeof(want.fmspc)) != 0)
        return fail_other(err, path, "TCB info of another kind of platform");
    *out = (struct kds_validity){ info.issue_date, info.next_update };
    return ASSAY_OK;
}

static enum assay_status
judge_identity(const struct kds_path *path, struct span text,
               struct arena *arena, struct kds_validity *out,
               struct assay_error *err)
{
    struct sgx_document doc;
    struct sgx_qe_identity id;
    enum assay_status st =
        sgx_document_decode(text, "enclaveIdentity", arena, &doc, err);

    if (st == ASSAY_OK)
        st = sgx_qe_identity_decode(&doc.body, arena, &id, err);
    if (st != ASSAY_OK)
        return st;
    if (id.is_td_qe != (path->kind == COLLATERAL_TDX_QE_IDENTITY))
        return fail_other(err, path, "the identity of another enclave");
    *out = (struct kds_validity){ id.issue_date, id.next_update };
    return ASSAY_OK;
}

static enum assay_status
judge_crl(const struct kds_path *path, struct span bytes,
          struct kds_validity *out, struct assay_error *err)
{
    enum sgx_cert_role issuer =
        path->kind == COLLATERAL_SGX_ROOT_CRL ? SGX_CERT_ROOT
        : pcs_path_want(path).processor_ca    ? SGX_CERT_PROCESSOR_CA
                                              : SGX_CERT_PLATFORM_CA;
    struct crl *crl = NULL;
    enum assay_status st = sgx_crl_read(bytes, &crl, err);

    if (st != ASSAY_OK)
        return st;
    if (strcmp(crl_issuer_common_name(crl), sgx_cert_role_name(issuer)) != 0)
        st = fail_other(err, path, crl_issuer_common_name(crl));
    else
        *out = (struct kds_validity){ crl_this_update(crl),
                                      crl_has_next_update(crl)
                                          ? crl_next_update(crl)
                                          : INT64_MAX };
    crl_free(crl);
    return st;
}

static enum assay_status
judge(const struct kds_path *path, struct span bytes, struct arena *arena,
      struct kds_validity *out, struct assay_error *err)
{
    struct tdx_collateral c = { 0 };
    enum assay_status st = tdx_collateral_decode(bytes, NULL, arena, &c, err);

    if (st != ASSAY_OK)
        return st;
    if (is_tcb_info(path->kind) && c.tcb_info.ptr)
        return judge_tcb_info(path, c.tcb_info, arena, out, err);
    if (is_identity(path->kind) && c.qe_identity.ptr)
        return judge_identity(path, c.qe_identity, arena, out, err);
    if (path->kind == COLLATERAL_PCK_CRL && c.pck_crl.ptr)
        return judge_crl(path, c.pck_crl, out, err);
    if (path->kind == COLLATERAL_SGX_ROOT_CRL && c.root_ca_crl.ptr)
        return judge_crl(path, c.root_ca_crl, out, err);
    return fail_other(err, path, "something else");
}

enum assay_status
pcs_answer_validity(const struct kds_path *path, struct span bytes,
                    struct kds_validity *out, struct assay_error *err)
{
    struct arena arena;
    enum assay_status st;

    arena_init(&arena, LIMIT_SGX_COLLATERAL_ARENA, NULL);
    st = judge(path, bytes, &arena, out, err);
    arena_drop(&arena);
    return st;
}
