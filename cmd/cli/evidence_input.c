#include "cli/evidence_input.h"

#include "cli/tdx_input.h"

#include "codec/pem.h"
#include "evidence/snp_certs.h"
#include "evidence/snp_proto.h"
#include "evidence/tdx_proto.h"
#include "evidence/tdx_tdreport.h"

static enum assay_status
open_protobuf(struct evidence_input *in, struct span bytes, struct arena *arena,
              struct assay_error *err)
{
    struct snp_evidence *e = arena_alloc(arena, sizeof(*e));
    enum assay_status st;

    if (!e)
        return assay_nomem(err, "evidence");
    st = snp_evidence_decode(bytes, arena, e, err);
    if (st != ASSAY_OK)
        return st;
    in->has_report = true;
    in->report = span_of(e->report, sizeof(e->report));
    in->collateral = e->collateral;
    in->product = e->product;
    return ASSAY_OK;
}

static enum assay_status
open_hcl(struct evidence_input *in, struct span bytes, struct assay_error *err)
{
    enum { HCL_REPORT_SNP = 2, HCL_REPORT_TDX = 4 };
    enum assay_status st = hcl_blob_decode(bytes, &in->hcl, err);

    if (st != ASSAY_OK)
        return st;
    in->has_hcl = true;
    if (in->hcl.report_type == HCL_REPORT_SNP) {
        in->has_report = true;
        in->report = in->hcl.report;
    } else if (in->hcl.report_type == HCL_REPORT_TDX) {
        in->has_td_report = true;
        in->td_report = span_sub(in->hcl.report, 0, TDREPORT_SIZE);
    } else {
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "HCL blob: report type %u, know 2 (SEV-SNP) and 4 "
                          "(TDX)",
                          in->hcl.report_type);
    }
    return ASSAY_OK;
}

static enum assay_status
open_insecure(struct evidence_input *in, struct span bytes, struct arena *arena,
              struct assay_error *err)
{
    enum assay_status st =
        insecure_evidence_decode(bytes, arena, &in->insecure, err);

    in->has_insecure = st == ASSAY_OK;
    return st;
}

static enum assay_status
open_tdx_protobuf(struct evidence_input *in, struct span bytes,
                  struct arena *arena, struct assay_error *err)
{
    enum assay_status st = tdx_evidence_decode(bytes, arena, &in->quote, err);

    in->has_quote = st == ASSAY_OK;
    return st;
}

/* A raw quote, hex or base64 of one, or one in a certificate's extension. */
static enum assay_status
open_quote(struct evidence_input *in, struct span file, struct arena *arena,
           struct assay_error *err)
{
    enum assay_status st = tdx_input_quote(file, arena, &in->quote, err);

    in->has_quote = st == ASSAY_OK && evidence_is_quote(in->quote);
    return st;
}

/* The first evidence extension, in certificate order; none is fine. */
static enum assay_status
open_extension(struct evidence_input *in, struct arena *arena,
               struct assay_error *err)
{
    for (size_t i = 0; i < cert_extension_count(in->cert); i++) {
        struct cert_extension x = cert_extension_at(in->cert, i);

        switch (evidence_oid_from_text(x.oid)) {
        case EVIDENCE_OID_SNP:
            in->inner = EVIDENCE_SNP_PROTOBUF;
            return open_protobuf(in, x.value, arena, err);
        case EVIDENCE_OID_INSECURE:
        case EVIDENCE_OID_INSECURE_OLDER:
            in->inner = EVIDENCE_INSECURE;
            return open_insecure(in, x.value, arena, err);
        case EVIDENCE_OID_TDX:
            in->inner = EVIDENCE_TDX_PROTOBUF;
            return open_tdx_protobuf(in, x.value, arena, err);
        case EVIDENCE_OID_NONE:
            break;
        }
    }
    return ASSAY_OK;
}

static enum assay_status
open_cert(struct evidence_input *in, struct span file, struct arena *arena,
          struct assay_error *err)
{
    struct snp_collateral *found = arena_alloc(arena, sizeof(*found));
    enum assay_status st;

    if (!found)
        return assay_nomem(err, "certificates");
    st = snp_collateral_add_file(found, file, arena, err);
    if (st != ASSAY_OK)
        return st;
    in->collateral = *found;
    if (found->cert_count == 0)
        return ASSAY_OK;
    st = cert_parse(found->certs[0], &in->cert, err);
    if (st == ASSAY_OK)
        st = open_extension(in, arena, err);
    if (st == ASSAY_OK && !in->has_report && !in->has_insecure &&
        !in->has_quote)
        st = open_quote(in, file, arena, err);
    return st;
}

enum assay_status
evidence_input_open(struct span file, struct arena *arena,
                    struct evidence_input *out, struct assay_error *err)
{
    *out = (struct evidence_input){ .bytes = file };
    out->format = out->inner = evidence_detect(file);
    switch (out->format) {
    case EVIDENCE_SNP_PROTOBUF:
    case EVIDENCE_SNP_BASE64:
        return open_protobuf(out, file, arena, err);
    case EVIDENCE_TDX_PROTOBUF:
        return open_tdx_protobuf(out, file, arena, err);
    case EVIDENCE_HCL:
        return open_hcl(out, file, err);
    case EVIDENCE_INSECURE:
        return open_insecure(out, file, arena, err);
    case EVIDENCE_TDX_QUOTE:
    case EVIDENCE_SGX_QUOTE:
        return open_quote(out, file, arena, err);
    case EVIDENCE_TDREPORT:
        out->has_td_report = true;
        out->td_report = file;
        return ASSAY_OK;
    case EVIDENCE_CERT_DER:
    case EVIDENCE_CERT_PEM:
    case EVIDENCE_CRL_DER:
        return open_cert(out, file, arena, err);
    case EVIDENCE_SNP_CERT_TABLE:
        return snp_collateral_add_table(&out->collateral, file, arena, err);
    case EVIDENCE_UNKNOWN:
        if (open_quote(out, file, arena, NULL) == ASSAY_OK && out->has_quote) {
            out->format = out->inner = EVIDENCE_QUOTE_TEXT;
            return ASSAY_OK;
        }
        break;
    case EVIDENCE_QUOTE_TEXT:
    case EVIDENCE_SNP_REPORT:
        break;
    }
    out->has_report = true;
    out->report = file;
    return ASSAY_OK;
}

void
evidence_input_close(struct evidence_input *in)
{
    cert_free(in->cert);
    in->cert = NULL;
}
