#include "evidence/snp_report.h"

#include <string.h>

#include "base/reader.h"
#include "base/writer.h"
#include "evidence/snp_form.h"

/* The firmware writes the build number first. */
static struct snp_firmware_version
rd_firmware(struct reader *rd)
{
    struct snp_firmware_version v;

    v.build = rd_u8(rd);
    v.minor = rd_u8(rd);
    v.major = rd_u8(rd);
    return v;
}

static void
rd_head(struct reader *rd, struct snp_report *r)
{
    r->version = rd_u32le(rd);
    r->guest_svn = rd_u32le(rd);
    r->policy = rd_u64le(rd);
    rd_copy(rd, r->family_id, sizeof(r->family_id));
    rd_copy(rd, r->image_id, sizeof(r->image_id));
    r->vmpl = rd_u32le(rd);
    r->signature_algo = rd_u32le(rd);
    r->current_tcb = rd_u64le(rd);
    r->platform_info = rd_u64le(rd);
    r->flags = rd_u32le(rd);
}

static void
rd_body(struct reader *rd, struct snp_report *r)
{
    rd_skip_to(rd, 0x050);
    rd_copy(rd, r->report_data, sizeof(r->report_data));
    rd_copy(rd, r->measurement, sizeof(r->measurement));
    rd_copy(rd, r->host_data, sizeof(r->host_data));
    rd_copy(rd, r->id_key_digest, sizeof(r->id_key_digest));
    rd_copy(rd, r->author_key_digest, sizeof(r->author_key_digest));
    rd_copy(rd, r->report_id, sizeof(r->report_id));
    rd_copy(rd, r->report_id_ma, sizeof(r->report_id_ma));
    r->reported_tcb = rd_u64le(rd);
    r->cpuid_fam_id = rd_u8(rd);
    r->cpuid_mod_id = rd_u8(rd);
    r->cpuid_step = rd_u8(rd);
    rd_skip_to(rd, 0x1a0);
    rd_copy(rd, r->chip_id, sizeof(r->chip_id));
    r->committed_tcb = rd_u64le(rd);
    r->current = rd_firmware(rd);
    rd_skip_to(rd, 0x1ec);
    r->committed = rd_firmware(rd);
    rd_skip_to(rd, 0x1f0);
    r->launch_tcb = rd_u64le(rd);
    r->launch_mit_vector = rd_u64le(rd);
    r->current_mit_vector = rd_u64le(rd);
    rd_skip_to(rd, 0x2a0);
    rd_copy(rd, r->signature, sizeof(r->signature));
}

enum assay_status
snp_report_read(struct span raw, struct snp_report *out,
                struct assay_error *err)
{
    struct reader rd = reader_over(raw);
    struct snp_report r = { .raw = raw };

    if (raw.len != SNP_REPORT_SIZE)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "snp report: got %zu bytes, want %d", raw.len,
                          SNP_REPORT_SIZE);
    rd_head(&rd, &r);
    rd_body(&rd, &r);
    if (!rd_done(&rd))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "snp report: cut short at 0x%03zx", rd.offset);
    *out = r;
    return ASSAY_OK;
}

enum assay_status
snp_report_decode(struct span raw, struct snp_report *out,
                  struct assay_error *err)
{
    struct snp_report r;
    enum assay_status st = snp_report_read(raw, &r, err);

    if (st == ASSAY_OK)
        st = snp_form_verify(&r, err);
    if (st == ASSAY_OK)
        *out = r;
    return st;
}

static void
wr_firmware(struct writer *wr, struct snp_firmware_version v)
{
    wr_u8(wr, v.build);
    wr_u8(wr, v.minor);
    wr_u8(wr, v.major);
}

static void
wr_head(struct writer *wr, const struct snp_report *r)
{
    wr_u32le(wr, r->version);
    wr_u32le(wr, r->guest_svn);
    wr_u64le(wr, r->policy);
    wr_span(wr, span_of(r->family_id, sizeof(r->family_id)));
    wr_span(wr, span_of(r->image_id, sizeof(r->image_id)));
    wr_u32le(wr, r->vmpl);
    wr_u32le(wr, r->signature_algo);
    wr_u64le(wr, r->current_tcb);
    wr_u64le(wr, r->platform_info);
    wr_u32le(wr, r->flags);
    wr_zeros_to(wr, 0x050);
}

void
snp_report_encode(const struct snp_report *r, uint8_t out[SNP_REPORT_SIZE])
{
    struct writer wr = writer_over(out, SNP_REPORT_SIZE);

    wr_head(&wr, r);
    wr_span(&wr, span_of(r->report_data, sizeof(r->report_data)));
    wr_span(&wr, span_of(r->measurement, sizeof(r->measurement)));
    wr_span(&wr, span_of(r->host_data, sizeof(r->host_data)));
    wr_span(&wr, span_of(r->id_key_digest, sizeof(r->id_key_digest)));
    wr_span(&wr, span_of(r->author_key_digest, sizeof(r->author_key_digest)));
    wr_span(&wr, span_of(r->report_id, sizeof(r->report_id)));
    wr_span(&wr, span_of(r->report_id_ma, sizeof(r->report_id_ma)));
    wr_u64le(&wr, r->reported_tcb);
    wr_u8(&wr, r->cpuid_fam_id);
    wr_u8(&wr, r->cpuid_mod_id);
    wr_u8(&wr, r->cpuid_step);
    wr_zeros_to(&wr, 0x1a0);
    wr_span(&wr, span_of(r->chip_id, sizeof(r->chip_id)));
    wr_u64le(&wr, r->committed_tcb);
    wr_firmware(&wr, r->current);
    wr_zeros_to(&wr, 0x1ec);
    wr_firmware(&wr, r->committed);
    wr_zeros_to(&wr, 0x1f0);
    wr_u64le(&wr, r->launch_tcb);
    wr_u64le(&wr, r->launch_mit_vector);
    wr_u64le(&wr, r->current_mit_vector);
    wr_zeros_to(&wr, 0x2a0);
    wr_span(&wr, span_of(r->signature, sizeof(r->signature)));
}

enum snp_product
snp_report_product(const struct snp_report *r)
{
    if (r->version < 3)
        return SNP_PRODUCT_UNKNOWN;
    return snp_product_from_cpuid(r->cpuid_fam_id, r->cpuid_mod_id);
}

enum snp_signing_key
snp_report_signing_key(const struct snp_report *r)
{
    return (enum snp_signing_key)(r->flags >> 2 & 7);
}
