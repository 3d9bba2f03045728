#include "evidence/snp_launch.h"

#include <pthread.h>
#include <string.h>

#include "base/num.h"
#include "base/writer.h"
#include "crypto/digest.h"
#include "crypto/key.h"

enum {
    PAGE_INFO_SIZE = 0x70,
    PAGE_TYPE_VMSA = 2,
    CURVE_P384 = 2,
    COORDINATE = 72, /* of the key structure, little-endian, zero-extended */
    CONTRAST_GUEST_SVN = 2,
};

/* Where upstream KVM puts the VMSA pages on every product. */
#define VMSA_GPA UINT64_C(0xfffffffff000)

struct id_key_slot {
    bool known;
    uint64_t policy;
    uint8_t digest[SNP_DIGEST_SIZE];
};

struct snp_launch {
    size_t count;
    bool iterated;
    pthread_mutex_t lock; /* of slots; digests never change */
    struct id_key_slot *slots;
    uint8_t digests[][SNP_DIGEST_SIZE];
};

/* --- the object ---------------------------------------------------------- */

static enum assay_status
launch_alloc(size_t count, struct snp_launch **out, struct assay_error *err)
{
    struct snp_launch *l = NULL;
    size_t size;

    if (size_mul(count, SNP_DIGEST_SIZE, &size) &&
        size_add(size, sizeof(*l), &size))
        l = mem_zalloc(NULL, size);
    if (!l)
        return assay_nomem(err, "launch digests");
    l->slots = mem_zalloc(NULL, count * sizeof(*l->slots));
    if (!l->slots) {
        mem_free(NULL, l);
        return assay_nomem(err, "launch digests");
    }
    l->count = count;
    pthread_mutex_init(&l->lock, NULL); /* never fails with glibc's default */
    *out = l;
    return ASSAY_OK;
}

void
snp_launch_free(struct snp_launch *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    mem_free(NULL, l->slots);
    mem_free(NULL, l);
}

enum assay_status
snp_launch_new_exact(const uint8_t digest[SNP_DIGEST_SIZE],
                     struct snp_launch **out, struct assay_error *err)
{
    return snp_launch_new_set(span_of(digest, SNP_DIGEST_SIZE), out, err);
}

enum assay_status
snp_launch_new_set(struct span digests, struct snp_launch **out,
                   struct assay_error *err)
{
    size_t count = digests.len / SNP_DIGEST_SIZE;
    struct snp_launch *l;
    enum assay_status st;

    if (count == 0 || digests.len % SNP_DIGEST_SIZE != 0)
        return assay_fail(
            err, ASSAY_ERR_MALFORMED,
            "launch digests: got %zu bytes, want a multiple of %d", digests.len,
            SNP_DIGEST_SIZE);
    st = launch_alloc(count, &l, err);
    if (st != ASSAY_OK)
        return st;
    memcpy(l->digests, digests.ptr, digests.len);
    *out = l;
    return ASSAY_OK;
}

enum assay_status
snp_launch_new_vcpus(const uint8_t seed[SNP_DIGEST_SIZE], uint32_t ap_eip,
                     enum snp_product product, struct snp_launch **out,
                     struct assay_error *err)
{
    uint32_t signature = snp_cpu_signature(product);
    uint8_t page[SNP_VMSA_SIZE], contents[SNP_DIGEST_SIZE];
    struct snp_launch *l;
    enum assay_status st;

    /* Turin has a signature too, but no check value confirms it here. */
    if (product != SNP_PRODUCT_MILAN && product != SNP_PRODUCT_GENOA)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "launch digests per vCPU: product %s, know Milan and "
                          "Genoa",
                          snp_product_name(product));
    snp_vmsa_ap(ap_eip, signature, page);
    st = digest_sha384(span_of(page, sizeof(page)), contents, err);
    if (st == ASSAY_OK)
        st = launch_alloc(SNP_VCPUS_MAX, &l, err);
    if (st != ASSAY_OK)
        return st;
    l->iterated = true;
    memcpy(l->digests[0], seed, SNP_DIGEST_SIZE);
    for (size_t i = 1; i < l->count && st == ASSAY_OK; i++)
        st = snp_launch_extend(l->digests[i - 1], contents, PAGE_TYPE_VMSA,
                               VMSA_GPA, l->digests[i], err);
    if (st != ASSAY_OK) {
        snp_launch_free(l);
        return st;
    }
    *out = l;
    return ASSAY_OK;
}

size_t
snp_launch_count(const struct snp_launch *l)
{
    return l->count;
}

const uint8_t *
snp_launch_digest(const struct snp_launch *l, size_t index)
{
    return l->digests[index];
}

bool
snp_launch_iterated(const struct snp_launch *l)
{
    return l->iterated;
}

bool
snp_launch_find(const struct snp_launch *l,
                const uint8_t measurement[SNP_DIGEST_SIZE], size_t *index)
{
    for (size_t i = 0; i < l->count; i++) {
        /* Public digests: no need for constant time. */
        if (memcmp(l->digests[i], measurement, SNP_DIGEST_SIZE) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

static bool
remembered(struct snp_launch *l, size_t index, uint64_t policy,
           uint8_t out[SNP_DIGEST_SIZE])
{
    struct id_key_slot *slot = &l->slots[index];
    bool hit;

    pthread_mutex_lock(&l->lock);
    hit = slot->known && slot->policy == policy;
    if (hit)
        memcpy(out, slot->digest, SNP_DIGEST_SIZE);
    pthread_mutex_unlock(&l->lock);
    return hit;
}

static void
remember(struct snp_launch *l, size_t index, uint64_t policy,
         const uint8_t digest[SNP_DIGEST_SIZE])
{
    struct id_key_slot *slot = &l->slots[index];

    pthread_mutex_lock(&l->lock);
    slot->known = true;
    slot->policy = policy;
    memcpy(slot->digest, digest, SNP_DIGEST_SIZE);
    pthread_mutex_unlock(&l->lock);
}

enum assay_status
snp_launch_id_key_digest(struct snp_launch *l, size_t index, uint64_t policy,
                         uint8_t out[SNP_DIGEST_SIZE], struct assay_error *err)
{
    struct snp_id_block b = { .guest_svn = CONTRAST_GUEST_SVN,
                              .policy = policy };
    enum assay_status st;

    if (remembered(l, index, policy, out))
        return ASSAY_OK;
    memcpy(b.launch_digest, l->digests[index], SNP_DIGEST_SIZE);
    st = snp_id_key_digest(&b, out, err);
    if (st == ASSAY_OK)
        remember(l, index, policy, out);
    return st;
}

/* --- ID block and key ---------------------------------------------------- */

void
snp_id_block_encode(const struct snp_id_block *b,
                    uint8_t out[SNP_ID_BLOCK_SIZE])
{
    struct writer wr = writer_over(out, SNP_ID_BLOCK_SIZE);

    wr_span(&wr, span_of(b->launch_digest, sizeof(b->launch_digest)));
    wr_span(&wr, span_of(b->family_id, sizeof(b->family_id)));
    wr_span(&wr, span_of(b->image_id, sizeof(b->image_id)));
    wr_u32le(&wr, 1); /* version */
    wr_u32le(&wr, b->guest_svn);
    wr_u64le(&wr, b->policy);
}

static void
wr_coordinate(struct writer *wr, const uint8_t big_endian[48], size_t end)
{
    for (size_t i = 48; i > 0; i--)
        wr_u8(wr, big_endian[i - 1]);
    wr_zeros_to(wr, end);
}

enum assay_status
snp_id_key_recover(const struct snp_id_block *b, uint8_t out[SNP_ID_KEY_SIZE],
                   struct assay_error *err)
{
    struct writer wr = writer_over(out, SNP_ID_KEY_SIZE);
    uint8_t block[SNP_ID_BLOCK_SIZE], z[SHA384_SIZE], xy[96];
    struct key *key = NULL;
    enum assay_status st;

    snp_id_block_encode(b, block);
    st = digest_sha384(span_of(block, sizeof(block)), z, err);
    if (st == ASSAY_OK)
        st = key_recover_p384_constant(z, &key, err);
    if (st == ASSAY_OK)
        st = key_point_p384(key, xy, err);
    key_free(key);
    if (st != ASSAY_OK)
        return st;
    wr_u32le(&wr, CURVE_P384);
    wr_coordinate(&wr, xy, 4 + COORDINATE);
    wr_coordinate(&wr, xy + 48, 4 + 2 * COORDINATE);
    wr_zeros_to(&wr, SNP_ID_KEY_SIZE);
    return ASSAY_OK;
}

enum assay_status
snp_id_key_digest(const struct snp_id_block *b, uint8_t out[SNP_DIGEST_SIZE],
                  struct assay_error *err)
{
    uint8_t key[SNP_ID_KEY_SIZE];
    enum assay_status st = snp_id_key_recover(b, key, err);

    if (st == ASSAY_OK)
        st = digest_sha384(span_of(key, sizeof(key)), out, err);
    return st;
}

/* --- launch measurement of vCPUs ----------------------------------------- */

uint32_t
snp_cpu_signature(enum snp_product product)
{
    switch (product) {
    case SNP_PRODUCT_MILAN:
        return 0x00a00f11;
    case SNP_PRODUCT_GENOA:
        return 0x00a10f10;
    case SNP_PRODUCT_TURIN:
        return 0x00b00f00;
    case SNP_PRODUCT_UNKNOWN:
        break;
    }
    return 0;
}

static void
wr_segment(struct writer *wr, uint16_t selector, uint16_t attributes,
           uint64_t base)
{
    wr_u16le(wr, selector);
    wr_u16le(wr, attributes);
    wr_u32le(wr, 0xffff); /* limit */
    wr_u64le(wr, base);
}

static void
wr_at_u64(struct writer *wr, size_t offset, uint64_t value)
{
    wr_zeros_to(wr, offset);
    wr_u64le(wr, value);
}

/* AMD APM volume 2, table B-4 (VMSA layout), with the values of a processor
 * out of reset, as QEMU and KVM fill them in. */
void
snp_vmsa_ap(uint32_t eip, uint32_t cpu_signature, uint8_t page[SNP_VMSA_SIZE])
{
    struct writer wr = writer_over(page, SNP_VMSA_SIZE);

    wr_segment(&wr, 0, 0x93, 0);                         /* ES */
    wr_segment(&wr, 0xf000, 0x9b, eip & 0xffff0000u);    /* CS */
    wr_segment(&wr, 0, 0x93, 0);                         /* SS */
    wr_segment(&wr, 0, 0x93, 0);                         /* DS */
    wr_segment(&wr, 0, 0x93, 0);                         /* FS */
    wr_segment(&wr, 0, 0x93, 0);                         /* GS */
    wr_segment(&wr, 0, 0, 0);                            /* GDTR */
    wr_segment(&wr, 0, 0x82, 0);                         /* LDTR */
    wr_segment(&wr, 0, 0, 0);                            /* IDTR */
    wr_segment(&wr, 0, 0x8b, 0);                         /* TR */
    wr_at_u64(&wr, 0x0d0, 0x1000);                       /* EFER */
    wr_at_u64(&wr, 0x148, 0x40);                         /* CR4 */
    wr_at_u64(&wr, 0x158, 0x10);                         /* CR0 */
    wr_at_u64(&wr, 0x160, 0x400);                        /* DR7 */
    wr_at_u64(&wr, 0x168, 0xffff0ff0);                   /* DR6 */
    wr_at_u64(&wr, 0x170, 2);                            /* RFLAGS */
    wr_at_u64(&wr, 0x178, eip & 0xffff);                 /* RIP */
    wr_at_u64(&wr, 0x268, UINT64_C(0x0007040600070406)); /* G_PAT */
    wr_at_u64(&wr, 0x310, cpu_signature);                /* RDX */
    wr_at_u64(&wr, 0x3b0, 1);                            /* SEV_FEATURES */
    wr_at_u64(&wr, 0x3e8, 1);                            /* XCR0 */
    wr_zeros_to(&wr, 0x408);
    wr_u32le(&wr, 0x1f80); /* MXCSR */
    wr_zeros_to(&wr, 0x410);
    wr_u16le(&wr, 0x37f); /* X87_FCW */
    wr_zeros_to(&wr, SNP_VMSA_SIZE);
}

enum assay_status
snp_launch_extend(const uint8_t digest[SNP_DIGEST_SIZE],
                  const uint8_t contents[SNP_DIGEST_SIZE], uint8_t page_type,
                  uint64_t gpa, uint8_t next[SNP_DIGEST_SIZE],
                  struct assay_error *err)
{
    uint8_t info[PAGE_INFO_SIZE];
    struct writer wr = writer_over(info, sizeof(info));

    wr_span(&wr, span_of(digest, SNP_DIGEST_SIZE));
    wr_span(&wr, span_of(contents, SNP_DIGEST_SIZE));
    wr_u16le(&wr, PAGE_INFO_SIZE);
    wr_u8(&wr, page_type);
    wr_zeros_to(&wr, 0x68); /* IMI, VMPL permissions, reserved */
    wr_u64le(&wr, gpa);
    return digest_sha384(span_of(info, sizeof(info)), next, err);
}
