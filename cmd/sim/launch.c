#include "sim/launch.h"

#include <assert.h>
#include <string.h>

#include "base/writer.h"
#include "crypto/key.h"

enum {
    PAGE_SIZE = 4096,
    PAGE_INFO_SIZE = 0x70,
    PAGE_TYPE_VMSA = 2,
    ID_BLOCK_SIZE = 96,
    ID_KEY_SIZE = 0x404,
    CURVE_P384 = 2,
    COORDINATE_SIZE = 48,
};

static void
write_segment(struct writer *wr, uint16_t selector, uint16_t attributes,
              uint64_t base)
{
    wr_u16le(wr, selector);
    wr_u16le(wr, attributes);
    wr_u32le(wr, 0xffff); /* limit */
    wr_u64le(wr, base);
}

/* The state KVM gives an application processor before it runs. */
static void
write_vmsa(uint32_t eip, uint32_t cpu_signature, uint8_t page[PAGE_SIZE])
{
    struct writer wr = writer_over(page, PAGE_SIZE);

    write_segment(&wr, 0, 0x93, 0); /* ES */
    write_segment(&wr, 0xf000, 0x9b, eip & 0xffff0000);
    for (int i = 0; i < 4; i++)
        write_segment(&wr, 0, 0x93, 0); /* SS, DS, FS, GS */
    write_segment(&wr, 0, 0, 0);        /* GDTR */
    write_segment(&wr, 0, 0x82, 0);     /* LDTR */
    write_segment(&wr, 0, 0, 0);        /* IDTR */
    write_segment(&wr, 0, 0x8b, 0);     /* TR */
    wr_zeros_to(&wr, 0x0d0);
    wr_u64le(&wr, 0x1000); /* EFER: SVME */
    wr_zeros_to(&wr, 0x148);
    wr_u64le(&wr, 0x40); /* CR4: MCE */
    wr_zeros_to(&wr, 0x158);
    wr_u64le(&wr, 0x10);       /* CR0: ET */
    wr_u64le(&wr, 0x400);      /* DR7 */
    wr_u64le(&wr, 0xffff0ff0); /* DR6 */
    wr_u64le(&wr, 2);          /* RFLAGS */
    wr_u64le(&wr, eip & 0xffff);
    wr_zeros_to(&wr, 0x268);
    wr_u64le(&wr, 0x0007040600070406); /* G_PAT */
    wr_zeros_to(&wr, 0x310);
    wr_u64le(&wr, cpu_signature); /* RDX */
    wr_zeros_to(&wr, 0x3b0);
    wr_u64le(&wr, 1); /* SEV_FEATURES: SNP active */
    wr_zeros_to(&wr, 0x3e8);
    wr_u64le(&wr, 1); /* XCR0 */
    wr_zeros_to(&wr, 0x408);
    wr_u32le(&wr, 0x1f80); /* MXCSR */
    wr_zeros_to(&wr, 0x410);
    wr_u16le(&wr, 0x37f); /* x87 FCW */
    wr_zeros_to(&wr, PAGE_SIZE);
    assert(wr_ok(&wr));
}

/* One step of the launch digest: SHA-384 over PAGE_INFO. */
static enum assay_status
extend(uint8_t digest[SHA384_SIZE], const uint8_t contents[SHA384_SIZE],
       struct assay_error *err)
{
    uint8_t info[PAGE_INFO_SIZE];
    struct writer wr = writer_over(info, sizeof(info));

    wr_span(&wr, span_of(digest, SHA384_SIZE));
    wr_span(&wr, span_of(contents, SHA384_SIZE));
    wr_u16le(&wr, PAGE_INFO_SIZE);
    wr_u8(&wr, PAGE_TYPE_VMSA);
    wr_zeros_to(&wr, 0x68);
    wr_u64le(&wr, 0xfffffffff000); /* where KVM places every VMSA */
    return digest_sha384(wr_written(&wr), digest, err);
}

enum assay_status
launch_add_vcpus(struct report_facts *f, unsigned vcpus, uint32_t eip,
                 struct assay_error *err)
{
    uint8_t page[PAGE_SIZE], contents[SHA384_SIZE];
    enum assay_status st;

    write_vmsa(eip, f->product->qemu_cpu_signature, page);
    st = digest_sha384(span_of(page, sizeof(page)), contents, err);
    for (unsigned i = 1; st == ASSAY_OK && i < vcpus; i++)
        st = extend(f->measurement, contents, err);
    return st;
}

static void
write_id_block(const struct report_facts *f, uint8_t out[ID_BLOCK_SIZE])
{
    struct writer wr = writer_over(out, ID_BLOCK_SIZE);

    wr_span(&wr, span_of(f->measurement, sizeof(f->measurement)));
    wr_span(&wr, span_of(f->family_id, sizeof(f->family_id)));
    wr_span(&wr, span_of(f->image_id, sizeof(f->image_id)));
    wr_u32le(&wr, 1); /* version of the block */
    wr_u32le(&wr, f->guest_svn);
    wr_u64le(&wr, f->policy);
    assert(wr_ok(&wr));
}

/* Little-endian, in 72 bytes. */
static void
write_coordinate(struct writer *wr, const uint8_t big_endian[COORDINATE_SIZE],
                 size_t end)
{
    for (size_t i = COORDINATE_SIZE; i-- > 0;)
        wr_u8(wr, big_endian[i]);
    wr_zeros_to(wr, end);
}

enum assay_status
launch_set_id_key(struct report_facts *f, struct assay_error *err)
{
    uint8_t block[ID_BLOCK_SIZE], digest[SHA384_SIZE], id_key[ID_KEY_SIZE];
    uint8_t xy[2 * COORDINATE_SIZE];
    struct writer wr = writer_over(id_key, sizeof(id_key));
    struct key *key = NULL;
    enum assay_status st;

    write_id_block(f, block);
    st = digest_sha384(span_of(block, sizeof(block)), digest, err);
    if (st == ASSAY_OK)
        st = key_recover_p384_constant(digest, &key, err);
    if (st == ASSAY_OK)
        st = key_point_p384(key, xy, err);
    if (st == ASSAY_OK) {
        wr_u32le(&wr, CURVE_P384);
        write_coordinate(&wr, xy, 0x04c);
        write_coordinate(&wr, xy + COORDINATE_SIZE, 0x094);
        wr_zeros_to(&wr, ID_KEY_SIZE);
        st = digest_sha384(wr_written(&wr), f->id_key_digest, err);
    }
    key_free(key);
    return st;
}
