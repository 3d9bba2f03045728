#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/evidence_input.h"

#include "base/clock.h"
#include "codec/json.h"
#include "common/output.h"
#include "crypto/crl.h"
#include "crypto/digest.h"
#include "evidence/sgx_pck_chain.h"
#include "evidence/snp_certs.h"
#include "evidence/snp_form.h"
#include "evidence/snp_tcb.h"
#include "evidence/tdx_tdreport.h"
#include "evidence/tdx_verify.h"

struct values {
    const char *product;
    unsigned output;
};

static const struct option options[] = {
    { .name = "product",
      .help = "for the TCB layout of reports of version 2",
      OPT_TEXT(struct values, product, "NAME") },
    OPT_ROW_OUTPUT(struct values, output),
    { 0 },
};

/* Writes one description in either form: sections of named values. */
struct sheet {
    struct buffer *out;
    struct json_writer w;
    bool json;
    bool first;
};

static void
sheet_section(struct sheet *s, const char *title)
{
    if (!s->first)
        buffer_add_str(s->out, "\n");
    s->first = false;
    buffer_addf(s->out, "%s\n", title);
}

static void
sheet_text(struct sheet *s, const char *name, struct span value)
{
    enum { COLUMN = 38 };
    size_t at = 2 + strlen(name);

    if (s->json) {
        jw_put_string(&s->w, name, value);
        return;
    }
    buffer_addf(s->out, "  %s", name);
    for (; at < COLUMN; at++)
        buffer_add_str(s->out, " ");
    buffer_add_escaped(s->out, value);
    buffer_add_str(s->out, "\n");
}

static void
sheet_str(struct sheet *s, const char *name, const char *value)
{
    sheet_text(s, name, span_str(value));
}

static void
sheet_hex(struct sheet *s, const char *name, struct span value)
{
    struct buffer hex;

    buffer_init(&hex, 2 * LIMIT_CERT_BYTES, NULL);
    buffer_add_hex(&hex, value);
    sheet_str(s, name, buffer_str(&hex));
    buffer_free(&hex);
}

static void
sheet_time(struct sheet *s, const char *name, int64_t instant)
{
    char text[RFC3339_SIZE];

    rfc3339_format(instant, text);
    sheet_str(s, name, text);
}

/* --- report -------------------------------------------------------------- */

/* The whole signature is in JSON; in a table it is noise. */
static void
show_claims(struct sheet *s, const struct claims *claims)
{
    for (size_t i = 0; i < claims->count; i++) {
        const struct claim *c = &claims->list[i];
        struct buffer text;

        if (strcmp(c->name, "signature") == 0 ||
            strcmp(c->name, "pck_chain") == 0)
            continue;
        buffer_init(&text, 4096, NULL);
        claim_render(c, &text);
        sheet_text(s, c->name, buffer_span(&text));
        buffer_free(&text);
    }
}

static void
json_claims(struct sheet *s, const struct claims *claims)
{
    jw_key(&s->w, "claims");
    jw_object(&s->w);
    for (size_t i = 0; i < claims->count; i++)
        claim_render_json(&claims->list[i], &s->w);
    jw_end(&s->w);
}

/* What the leaf says about itself when the report does not (version 2). */
static enum snp_product
product_of(const struct evidence_input *in, const struct snp_report *r,
           enum snp_product chosen)
{
    enum snp_product product = snp_report_product(r);

    if (product != SNP_PRODUCT_UNKNOWN)
        return product;
    return chosen != SNP_PRODUCT_UNKNOWN ? chosen : in->product;
}

static enum assay_status
show_report(struct sheet *s, const struct evidence_input *in,
            enum snp_product chosen, struct arena *arena,
            struct assay_error *err)
{
    struct assay_error form = { 0 };
    struct claims claims;
    struct snp_report *r = arena_alloc(arena, sizeof(*r));
    enum assay_status st;

    if (!r)
        return assay_nomem(err, "report");
    st = snp_report_read(in->report, r, err);
    if (st != ASSAY_OK)
        return st;
    st = snp_report_claims(r, product_of(in, r, chosen), arena, &claims, err);
    if (st != ASSAY_OK)
        return st;
    if (snp_form_verify(r, &form) != ASSAY_OK && s->json)
        jw_put_str(&s->w, "malformed", form.text);
    if (s->json) {
        json_claims(s, &claims);
        return ASSAY_OK;
    }
    sheet_section(s, "report (not verified: see assay evidence verify)");
    if (form.text[0])
        sheet_str(s, "MALFORMED", form.text);
    show_claims(s, &claims);
    return ASSAY_OK;
}

/* --- Intel --------------------------------------------------------------- */

static void
show_list(struct sheet *s, const char *title, const struct claims *claims)
{
    if (s->json) {
        json_claims(s, claims);
        return;
    }
    sheet_section(s, title);
    show_claims(s, claims);
}

/* The chain is shown as certificates, and read for what it says about the
 * platform; whether it is Intel's is not asked here. */
static enum assay_status
read_chain(struct evidence_input *in, const struct tdx_quote *q,
           struct arena *arena, struct sgx_pck *pck, bool *has_pck,
           struct assay_error *err)
{
    struct sgx_pck_chain *chain = NULL;
    struct span pem = q->cert_data;
    enum assay_status st;

    *has_pck = false;
    if (q->cert_type != QUOTE_CERT_PCK_CHAIN)
        return ASSAY_OK;
    st = sgx_pck_chain_build(pem, span_of(NULL, 0), NULL, &chain, err);
    if (st != ASSAY_OK)
        return st;
    *has_pck = chain->has_pck;
    *pck = chain->pck;
    sgx_pck_chain_release(chain);
    st = snp_collateral_add_file(&in->collateral, pem, arena, NULL);
    return st == ASSAY_ERR_NOMEM ? assay_nomem(err, "certificates") : ASSAY_OK;
}

static enum assay_status
show_quote(struct sheet *s, struct evidence_input *in, struct arena *arena,
           struct assay_error *err)
{
    struct tdx_quote q;
    struct sgx_pck pck;
    struct claims claims;
    bool has_pck;
    enum assay_status st = tdx_quote_decode(in->quote, &q, err);

    if (st == ASSAY_OK)
        st = read_chain(in, &q, arena, &pck, &has_pck, err);
    if (st == ASSAY_OK)
        st = tdx_quote_claims(&q, has_pck ? &pck : NULL, arena, &claims, err);
    if (st != ASSAY_OK)
        return st;
    show_list(s, "quote (not verified: see assay evidence verify)", &claims);
    if (!s->json && !span_is_zero(q.trailing))
        sheet_hex(s, "BEHIND_THE_END", q.trailing);
    return ASSAY_OK;
}

static enum assay_status
show_td_report(struct sheet *s, const struct evidence_input *in,
               struct arena *arena, struct assay_error *err)
{
    struct claims claims;
    struct tdreport *r = arena_alloc(arena, sizeof(*r));
    enum assay_status st;

    if (!r)
        return assay_nomem(err, "report");
    st = tdreport_decode(in->td_report, r, err);
    if (st == ASSAY_OK)
        st = tdreport_claims(r, arena, &claims, err);
    if (st == ASSAY_OK)
        show_list(s, "report (only its own machine can verify it)", &claims);
    return st;
}

/* --- certificates -------------------------------------------------------- */

static void
show_leaf(struct sheet *s, const struct cert *cert, enum snp_cert_kind kind,
          enum snp_product product)
{
    struct snp_leaf_facts f;
    struct assay_error why = { 0 };
    char tcb[SNP_TCB_TEXT];

    if (snp_leaf_facts_read(cert, kind, product, &f, &why) != ASSAY_OK) {
        sheet_str(s, "amd_extensions", why.text);
        return;
    }
    snp_tcb_format(product, f.tcb, tcb);
    sheet_str(s, "product_name", f.product_name);
    sheet_str(s, "tcb", tcb);
    if (f.hwid_len > 0)
        sheet_hex(s, "hwid", span_of(f.hwid, f.hwid_len));
    if (f.csp_id[0])
        sheet_str(s, "csp_id", f.csp_id);
}

static void
show_cert_facts(struct sheet *s, const struct cert *cert)
{
    enum snp_product product;
    enum snp_cert_kind kind = snp_cert_classify(cert, &product);
    uint8_t digest[SHA256_SIZE];

    sheet_str(s, "kind",
              sgx_cert_role(cert) != SGX_CERT_OTHER ? "Intel SGX PKI"
                                                    : snp_cert_kind_name(kind));
    sheet_str(s, "subject", cert_common_name(cert));
    sheet_str(s, "issuer", cert_issuer_common_name(cert));
    sheet_hex(s, "serial", cert_serial(cert));
    sheet_time(s, "not_before", cert_not_before(cert));
    sheet_time(s, "not_after", cert_not_after(cert));
    sheet_str(s, "key", key_type_name(key_type(cert_key(cert))));
    if (digest_sha256(cert_spki(cert), digest, NULL) == ASSAY_OK)
        sheet_hex(s, "spki_sha256", span_of(digest, sizeof(digest)));
    if (kind == SNP_CERT_VCEK || kind == SNP_CERT_VLEK)
        show_leaf(s, cert, kind, product);
}

static enum assay_status
show_cert(struct sheet *s, struct span der, struct assay_error *err)
{
    struct cert *cert;
    enum assay_status st = cert_parse(der, &cert, err);

    if (st != ASSAY_OK)
        return st;
    if (s->json)
        jw_object(&s->w);
    else
        sheet_section(s, "certificate");
    show_cert_facts(s, cert);
    if (s->json)
        jw_end(&s->w);
    cert_free(cert);
    return ASSAY_OK;
}

static void
show_crl_facts(struct sheet *s, const struct crl *crl)
{
    struct buffer list;

    buffer_init(&list, LIMIT_CRL_BYTES, NULL);
    for (size_t i = 0; i < crl_entry_count(crl); i++) {
        buffer_add_str(&list, i ? " " : "");
        buffer_add_hex(&list, crl_entry_at(crl, i).serial);
    }
    sheet_str(s, "issuer", crl_issuer_common_name(crl));
    sheet_hex(s, "number", crl_number(crl));
    sheet_time(s, "this_update", crl_this_update(crl));
    if (crl_has_next_update(crl))
        sheet_time(s, "next_update", crl_next_update(crl));
    sheet_str(s, "revoked_serials", buffer_str(&list));
    buffer_free(&list);
}

static enum assay_status
show_crl(struct sheet *s, struct span der, struct assay_error *err)
{
    struct crl *crl;
    enum assay_status st = crl_parse(der, &crl, err);

    if (st != ASSAY_OK)
        return st;
    if (s->json)
        jw_object(&s->w);
    else
        sheet_section(s, "revocation list");
    show_crl_facts(s, crl);
    if (s->json)
        jw_end(&s->w);
    crl_free(crl);
    return ASSAY_OK;
}

static enum assay_status
show_collateral(struct sheet *s, const struct snp_collateral *c,
                struct assay_error *err)
{
    enum assay_status st = ASSAY_OK;

    if (s->json) {
        jw_key(&s->w, "certificates");
        jw_array(&s->w);
    }
    for (size_t i = 0; i < c->cert_count && st == ASSAY_OK; i++)
        st = show_cert(s, c->certs[i], err);
    if (s->json) {
        jw_end(&s->w);
        jw_key(&s->w, "crls");
        jw_array(&s->w);
    }
    for (size_t i = 0; i < c->crl_count && st == ASSAY_OK; i++)
        st = show_crl(s, c->crls[i], err);
    if (s->json)
        jw_end(&s->w);
    return st;
}

/* --- other forms --------------------------------------------------------- */

static void
show_hcl(struct sheet *s, const struct hcl_blob *hcl)
{
    if (!s->json)
        sheet_section(s, "runtime data of the paravisor");
    sheet_text(s, "runtime_data", hcl->runtime_data);
}

static void
show_insecure(struct sheet *s, const struct insecure_evidence *e)
{
    if (!s->json)
        sheet_section(s, "INSECURE evidence: no processor vouches for it");
    sheet_hex(s, "report_data", span_of(e->report_data, 64));
    if (e->has_host_data)
        sheet_hex(s, "host_data", span_of(e->host_data, 32));
}

static enum assay_status
show_all(struct sheet *s, struct evidence_input *in, enum snp_product chosen,
         struct arena *arena, struct assay_error *err)
{
    enum assay_status st = ASSAY_OK;

    s->first = true;
    if (s->json) {
        s->w = json_writer_over(s->out, 2);
        jw_object(&s->w);
        jw_put_str(&s->w, "format", evidence_format_name(in->format));
    } else {
        sheet_section(s, evidence_format_name(in->format));
    }
    if (in->has_report)
        st = show_report(s, in, chosen, arena, err);
    if (in->has_quote)
        st = show_quote(s, in, arena, err);
    if (in->has_td_report)
        st = show_td_report(s, in, arena, err);
    if (st == ASSAY_OK && in->has_hcl)
        show_hcl(s, &in->hcl);
    if (st == ASSAY_OK && in->has_insecure)
        show_insecure(s, &in->insecure);
    if (st == ASSAY_OK)
        st = show_collateral(s, &in->collateral, err);
    if (st == ASSAY_OK && s->json) {
        jw_end(&s->w);
        buffer_add_str(s->out, "\n");
    }
    return st;
}

/* ------------------------------------------------------------------------- */

static int
show_file(struct invocation *inv, struct span file, enum snp_product chosen,
          struct arena *arena)
{
    const struct values *v = inv->values;
    struct sheet sheet = { .json = v->output == OUTPUT_JSON };
    struct evidence_input in;
    struct assay_error err = { 0 };
    struct buffer out;
    enum assay_status st;

    buffer_init(&out, 16 * 1024 * 1024, NULL);
    sheet.out = &out;
    st = evidence_input_open(file, arena, &in, &err);
    if (st == ASSAY_OK)
        st = show_all(&sheet, &in, chosen, arena, &err);
    evidence_input_close(&in);
    if (st == ASSAY_OK)
        return print_buffer(inv, &out, EXIT_YES);
    buffer_free(&out);
    if (st == ASSAY_ERR_UNSUPPORTED) {
        talk(inv, "%s", err.text);
        return EXIT_UNKNOWN;
    }
    return talk_error(inv, &err);
}

static int
run(struct invocation *inv)
{
    const struct values *v = inv->values;
    enum snp_product chosen = SNP_PRODUCT_UNKNOWN;
    struct arena arena;
    struct span file;
    int code;

    if (v->product) {
        chosen = snp_product_parse(span_str(v->product));
        if (chosen == SNP_PRODUCT_UNKNOWN) {
            talk(inv, "--product: got \"%s\", want Milan, Genoa or Turin",
                 v->product);
            return EXIT_USAGE;
        }
    }
    code = read_input(inv, inv->operands.items[0], EVIDENCE_INPUT_MAX, &file);
    if (code != EXIT_YES)
        return code;
    arena_init(&arena, EVIDENCE_ARENA, NULL);
    code = show_file(inv, file, chosen, &arena);
    arena_drop(&arena);
    return code;
}

const struct command evidence_show_command = {
    .name = "evidence show",
    .summary = "say what evidence or a certificate contains, unverified",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .values_size = sizeof(struct values),
    .details =
        "FILE: a raw report or quote, protobuf or base64 evidence, a TDREPORT, "
        "an Azure HCL blob, a certificate table, certificates (evidence inside "
        "is shown too) or a "
        "revocation list. Saying is not proving: see assay evidence verify.",
    .example = "assay evidence show report.bin",
    .run = run,
};
