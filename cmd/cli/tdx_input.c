#include "cli/tdx_input.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/limits.h"
#include "cli/evidence_input.h"
#include "common/output.h"
#include "crypto/der.h"
#include "evidence/sgx_pck_chain.h"
#include "evidence/tdx_proto.h"

/* --- collateral ---------------------------------------------------------- */

static int
read_folder(const struct invocation *inv, const char *dir,
            struct tdx_collateral *out)
{
    const struct {
        const char *name;
        struct span *piece;
    } files[] = {
        { "tcb_info.json", &out->tcb_info },
        { "tcb_info_issuer_chain.pem", &out->tcb_info_issuer_chain },
        { "qe_identity.json", &out->qe_identity },
        { "qe_identity_issuer_chain.pem", &out->qe_identity_issuer_chain },
        { "root_ca.crl", &out->root_ca_crl },
        { "pck.crl", &out->pck_crl },
        { "pck_crl_issuer_chain.pem", &out->pck_crl_issuer_chain },
        { "pck_certificate_chain.pem", &out->pck_certificate_chain },
    };
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        int code,
            len = snprintf(path, sizeof(path), "%s/%s", dir, files[i].name);

        if (len < 0 || (size_t)len >= sizeof(path)) {
            talk(inv, "--collateral: the path is too long");
            return EXIT_USAGE;
        }
        if (access(path, F_OK) != 0 && errno == ENOENT)
            continue;
        code = read_input(inv, path, LIMIT_CRL_BYTES, files[i].piece);
        if (code != EXIT_YES)
            return code;
        if (!files[i].piece->ptr) /* there, and empty */
            *files[i].piece = span_str("");
    }
    return EXIT_YES;
}

/* A collateral bundle says so near its beginning (doc/collateral-bundle.md). */
static bool
is_bundle(struct span file)
{
    static const char mark[] = "assay-collateral-bundle";
    struct span head = span_sub(file, 0, 256);

    return memmem(head.ptr, head.len, mark, sizeof(mark) - 1) != NULL;
}

static int
read_file(const struct invocation *inv, const char *path,
          const struct tdx_collateral_want *want, struct arena *arena,
          struct tdx_collateral *out, struct text_list *bundles,
          struct assay_error *fault)
{
    struct assay_error err = { 0 };
    struct span file;
    int code = read_input(inv, path, LIMIT_BUNDLE_BYTES, &file);
    enum assay_status st;

    if (code != EXIT_YES)
        return code;
    if (is_bundle(file)) {
        bundles->items[bundles->count++] = path;
        return EXIT_YES;
    }
    st = tdx_collateral_decode(file, want, arena, out, &err);
    if (st == ASSAY_ERR_NOMEM)
        return talk_error(inv, &err);
    if (st != ASSAY_OK)
        (void)assay_fail(fault, st, "%s: %s", path, err.text);
    return EXIT_YES;
}

int
tdx_input_collateral(const struct invocation *inv,
                     const struct text_list *paths,
                     const struct tdx_collateral_want *want,
                     struct arena *arena, struct tdx_collateral *out,
                     struct text_list *bundles, struct assay_error *fault)
{
    *bundles = (struct text_list){
        arena_array(arena, paths->count + 1, sizeof(*bundles->items)), 0
    };
    if (!bundles->items) {
        talk(inv, "out of memory");
        return EXIT_UNKNOWN;
    }
    for (size_t i = 0; i < paths->count; i++) {
        const char *path = paths->items[i];
        struct tdx_collateral one = { 0 };
        struct stat st;
        int code =
            stat(path, &st) == 0 && S_ISDIR(st.st_mode)
                ? read_folder(inv, path, &one)
                : read_file(inv, path, want, arena, &one, bundles, fault);

        if (code != EXIT_YES)
            return code;
        tdx_collateral_fill(out, &one);
    }
    return EXIT_YES;
}

/* --- quotes -------------------------------------------------------------- */

static struct span
trimmed(struct span text)
{
    while (text.len > 0 &&
           (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
        text.len--;
    if (text.len > 1 && text.ptr[0] == '0' && text.ptr[1] == 'x')
        text = span_sub(text, 2, text.len);
    return text;
}

/* True when the text was hex or base64 of a quote. */
static bool
open_text(struct span text, struct arena *arena, struct span *out)
{
    size_t len;
    uint8_t *bytes;

    text = trimmed(text);
    len = base64_decoded_max(text.len) + text.len / 2;
    bytes = arena_alloc(arena, len + 1);
    if (!bytes || text.len < 2 * 48)
        return false;
    if (text.len % 2 == 0 && hex_decode(text, bytes, text.len / 2))
        *out = span_of(bytes, text.len / 2);
    else if (base64_decode(text, bytes, &len))
        *out = span_of(bytes, len);
    else
        return false;
    return evidence_is_quote(*out);
}

/* Evidence of attested TLS is protobuf; other projects put a raw quote into an
 * extension of their own, as it is or in an OCTET STRING. */
static bool
open_extension(struct cert_extension x, struct arena *arena, struct span *out)
{
    struct reader rd = reader_over(x.value);
    struct span inner = rd_der(&rd, DER_OCTET_STRING);

    if (evidence_oid_from_text(x.oid) == EVIDENCE_OID_TDX)
        return tdx_evidence_decode(x.value, arena, out, NULL) == ASSAY_OK;
    *out = evidence_is_quote(x.value) ? x.value : inner;
    return evidence_is_quote(*out);
}

static enum assay_status
open_cert(struct span file, struct arena *arena, struct span *out,
          struct assay_error *err)
{
    struct snp_collateral *found = arena_alloc(arena, sizeof(*found));
    struct cert *cert = NULL;
    enum assay_status st;
    struct span quote;
    bool ok = false;

    if (!found)
        return assay_nomem(err, "certificates");
    st = snp_collateral_add_file(found, file, arena, err);
    if (st == ASSAY_OK && found->cert_count > 0)
        st = cert_parse(found->certs[0], &cert, err);
    for (size_t i = 0; cert && !ok && i < cert_extension_count(cert); i++)
        ok = open_extension(cert_extension_at(cert, i), arena, &quote);
    if (ok && !arena_dup(arena, quote, out))
        st = assay_nomem(err, "quote");
    cert_free(cert);
    return st;
}

enum assay_status
tdx_input_quote(struct span file, struct arena *arena, struct span *out,
                struct assay_error *err)
{
    *out = file;
    switch (evidence_detect(file)) {
    case EVIDENCE_CERT_DER:
    case EVIDENCE_CERT_PEM:
        return open_cert(file, arena, out, err);
    case EVIDENCE_TDX_PROTOBUF:
        return tdx_evidence_decode(file, arena, out, err);
    case EVIDENCE_UNKNOWN:
        (void)(open_text(file, arena, out) || (*out = file, false));
        return ASSAY_OK;
    default:
        return ASSAY_OK;
    }
}

enum assay_status
tdx_input_want(struct span quote, struct tdx_collateral_want *out,
               struct assay_error *err)
{
    struct tdx_quote q;
    enum assay_status st = tdx_quote_decode(quote, &q, err);

    if (st != ASSAY_OK)
        return st;
    if (q.cert_type != QUOTE_CERT_PCK_CHAIN)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "the quote has no PCK certificate in it, only data "
                          "of type %d",
                          q.cert_type);
    return sgx_pck_chain_want(q.cert_data, q.tee, out, err);
}
