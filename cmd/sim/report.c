#include "sim/report.h"

#include <assert.h>
#include <string.h>

#include "base/writer.h"

enum {
    SIGNATURE_ECDSA_P384_SHA384 = 1,
    SIGNING_KEY_VLEK = 1 << 2, /* FLAGS bits 4:2 */
    SCALAR_SIZE = 48,
    SIGNATURE_PART_SIZE = 72, /* r and s each, zero-extended */
};

static void
write_firmware(struct writer *wr, struct firmware_version v)
{
    wr_u8(wr, v.build);
    wr_u8(wr, v.minor);
    wr_u8(wr, v.major);
    wr_u8(wr, 0);
}

static void
write_identity(struct writer *wr, const struct report_facts *f)
{
    static const uint8_t no_migration_agent[32] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    };

    wr_span(wr, span_of(f->measurement, sizeof(f->measurement)));
    wr_span(wr, span_of(f->host_data, sizeof(f->host_data)));
    wr_span(wr, span_of(f->id_key_digest, sizeof(f->id_key_digest)));
    wr_zeros_to(wr, 0x140); /* author key digest: there is no author key */
    wr_span(wr, span_of(f->report_id, sizeof(f->report_id)));
    wr_span(wr, span_of(no_migration_agent, sizeof(no_migration_agent)));
}

static void
write_machine(struct writer *wr, const struct report_facts *f)
{
    const struct product *p = f->product;

    wr_u64le(wr, tcb_encode(p, &f->reported_tcb));
    if (f->version >= 3)
        wr_span(wr, span_of(f->cpuid, sizeof(f->cpuid)));
    wr_zeros_to(wr, 0x1a0);
    if (!f->vlek && !f->mask_chip_id)
        wr_span(wr, span_of(f->chip_id, sizeof(f->chip_id)));
    wr_zeros_to(wr, 0x1e0);
    wr_u64le(wr, tcb_encode(p, &f->committed_tcb));
    write_firmware(wr, f->current);
    write_firmware(wr, f->committed);
    wr_u64le(wr, tcb_encode(p, &f->launch_tcb));
    if (f->version >= 5) {
        wr_u64le(wr, f->launch_mit_vector);
        wr_u64le(wr, f->current_mit_vector);
    }
    wr_zeros_to(wr, REPORT_SIZE);
}

void
report_encode(const struct report_facts *f,
              const uint8_t report_data[REPORT_DATA_SIZE], uint32_t vmpl,
              uint8_t out[REPORT_SIZE])
{
    struct writer wr = writer_over(out, REPORT_SIZE);

    wr_u32le(&wr, f->version);
    wr_u32le(&wr, f->guest_svn);
    wr_u64le(&wr, f->policy);
    wr_span(&wr, span_of(f->family_id, sizeof(f->family_id)));
    wr_span(&wr, span_of(f->image_id, sizeof(f->image_id)));
    wr_u32le(&wr, vmpl);
    wr_u32le(&wr, SIGNATURE_ECDSA_P384_SHA384);
    wr_u64le(&wr, tcb_encode(f->product, &f->current_tcb));
    wr_u64le(&wr, f->platform_info);
    wr_u32le(&wr, f->vlek ? SIGNING_KEY_VLEK : 0);
    wr_zeros_to(&wr, 0x050);
    wr_span(&wr, span_of(report_data, REPORT_DATA_SIZE));
    write_identity(&wr, f);
    write_machine(&wr, f);
    assert(wr_ok(&wr));
}

static void
copy_reversed(uint8_t *out, const uint8_t *in, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = in[len - 1 - i];
}

void
report_set_signature(uint8_t report[REPORT_SIZE], const uint8_t rs[2 * 48])
{
    uint8_t *signature = report + REPORT_SIGNED_SIZE;

    memset(signature, 0, REPORT_SIZE - REPORT_SIGNED_SIZE);
    copy_reversed(signature, rs, SCALAR_SIZE);
    copy_reversed(signature + SIGNATURE_PART_SIZE, rs + SCALAR_SIZE,
                  SCALAR_SIZE);
}
