/* Launch digests a reference value stands for, and the ID key digests that go
 * with them (contrast-interop sections 7.3 and 7.4).
 *
 * One object per reference value, made once: the digests of 1 to 220 vCPUs are
 * computed when it is made; the ID key digest of one of them when it is first
 * asked for, then remembered. Safe for use from several threads. */
#ifndef ASSAY_EVIDENCE_SNP_LAUNCH_H
#define ASSAY_EVIDENCE_SNP_LAUNCH_H

#include "base/alloc.h"
#include "base/error.h"
#include "evidence/snp_product.h"

enum {
    SNP_DIGEST_SIZE = 48,
    SNP_ID_BLOCK_SIZE = 96,
    SNP_VMSA_SIZE = 4096,
    SNP_VCPUS_MAX = 220,
    SNP_ID_KEY_SIZE = 1028,
};

struct snp_launch;

/* One exact launch digest. */
ASSAY_MUST_CHECK
enum assay_status snp_launch_new_exact(const uint8_t digest[SNP_DIGEST_SIZE],
                                       struct snp_launch **out,
                                       struct assay_error *err);

/* Several exact launch digests, SNP_DIGEST_SIZE bytes each, back to back. */
ASSAY_MUST_CHECK
enum assay_status snp_launch_new_set(struct span digests,
                                     struct snp_launch **out,
                                     struct assay_error *err);

/* 1 to SNP_VCPUS_MAX vCPUs: seed is the digest for one, ap_eip the reset
 * address of the others. ASSAY_ERR_UNSUPPORTED for a product whose CPU
 * signature is not Milan's or Genoa's. */
ASSAY_MUST_CHECK
enum assay_status snp_launch_new_vcpus(const uint8_t seed[SNP_DIGEST_SIZE],
                                       uint32_t ap_eip,
                                       enum snp_product product,
                                       struct snp_launch **out,
                                       struct assay_error *err);
void snp_launch_free(struct snp_launch *l);

/* Number of digests, and one of them (index < count). */
size_t snp_launch_count(const struct snp_launch *l);
const uint8_t *snp_launch_digest(const struct snp_launch *l, size_t index);

/* Index of the measurement among the digests; false when it is not there. For
 * vCPUs the count is index + 1. */
bool snp_launch_find(const struct snp_launch *l,
                     const uint8_t measurement[SNP_DIGEST_SIZE], size_t *index);

/* True when made by snp_launch_new_vcpus. */
bool snp_launch_iterated(const struct snp_launch *l);

/* Digest of the anonymous ID key for digest number index and a guest policy
 * (zero family and image id, guest SVN 2). Remembered per index for the last
 * policy asked for. */
ASSAY_MUST_CHECK
enum assay_status snp_launch_id_key_digest(struct snp_launch *l, size_t index,
                                           uint64_t policy,
                                           uint8_t out[SNP_DIGEST_SIZE],
                                           struct assay_error *err);

/* The parts, for the measure/ layer, the simulator and tests. */

struct snp_id_block {
    uint8_t launch_digest[SNP_DIGEST_SIZE];
    uint8_t family_id[16];
    uint8_t image_id[16];
    uint32_t guest_svn;
    uint64_t policy;
};

void snp_id_block_encode(const struct snp_id_block *b,
                         uint8_t out[SNP_ID_BLOCK_SIZE]);

/* The public key that the constant signature r = 2, s = 1 over the block
 * recovers to, in AMD's key structure (AMD 56860, ECDSA public key). */
ASSAY_MUST_CHECK
enum assay_status snp_id_key_recover(const struct snp_id_block *b,
                                     uint8_t key[SNP_ID_KEY_SIZE],
                                     struct assay_error *err);

/* SHA-384 of that structure: ID_KEY_DIGEST of a guest launched with b. */
ASSAY_MUST_CHECK
enum assay_status snp_id_key_digest(const struct snp_id_block *b,
                                    uint8_t out[SNP_DIGEST_SIZE],
                                    struct assay_error *err);

/* The VMSA page of an application processor under QEMU/KVM. */
void snp_vmsa_ap(uint32_t eip, uint32_t cpu_signature,
                 uint8_t page[SNP_VMSA_SIZE]);

/* One PAGE_INFO step: next = SHA-384(digest, contents, type, gpa). */
ASSAY_MUST_CHECK
enum assay_status snp_launch_extend(const uint8_t digest[SNP_DIGEST_SIZE],
                                    const uint8_t contents[SNP_DIGEST_SIZE],
                                    uint8_t page_type, uint64_t gpa,
                                    uint8_t next[SNP_DIGEST_SIZE],
                                    struct assay_error *err);

/* CPUID Fn1 EAX of QEMU's EPYC-Milan, EPYC-Genoa, EPYC-Turin; 0 if unknown. */
uint32_t snp_cpu_signature(enum snp_product product);

#endif
