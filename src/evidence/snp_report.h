/* AMD SEV-SNP attestation report: the bytes, decoded.
 *
 * A decoded report is well formed, nothing more. Only snp_verify() can say it
 * is genuine. Layout: AMD 56860, SEV-SNP Firmware ABI, ATTESTATION_REPORT;
 * integers are little-endian. */
#ifndef ASSAY_EVIDENCE_SNP_REPORT_H
#define ASSAY_EVIDENCE_SNP_REPORT_H

#include "base/error.h"
#include "evidence/claims.h"
#include "evidence/snp_product.h"

enum {
    SNP_REPORT_SIZE = 1184,       /* bytes, all versions */
    SNP_REPORT_SIGNED_SIZE = 672, /* 000..29F, hashed with SHA-384 */
    SNP_SIGNATURE_SIZE = 512,     /* 2A0..49F */
    SNP_SIGNATURE_PART = 72,      /* r, then s: little-endian */
};

enum {
    SNP_VERSION_MIN = 2,
    SNP_VERSION_MAX = 5,
    SNP_ALGO_ECDSA_P384_SHA384 = 1,
    SNP_VMPL_MAX = 3,
};
#define SNP_VMPL_HOST UINT32_C(0xffffffff) /* the host asked, not the guest */

/* POLICY bits. */
#define SNP_POLICY_ABI_MINOR UINT64_C(0xff)
#define SNP_POLICY_ABI_MAJOR UINT64_C(0xff00)
#define SNP_POLICY_SMT (UINT64_C(1) << 16)
#define SNP_POLICY_RESERVED_ONE (UINT64_C(1) << 17)
#define SNP_POLICY_MIGRATE_MA (UINT64_C(1) << 18)
#define SNP_POLICY_DEBUG (UINT64_C(1) << 19)
#define SNP_POLICY_SINGLE_SOCKET (UINT64_C(1) << 20)
#define SNP_POLICY_CXL_ALLOW (UINT64_C(1) << 21)
#define SNP_POLICY_MEM_AES_256_XTS (UINT64_C(1) << 22)
#define SNP_POLICY_RAPL_DIS (UINT64_C(1) << 23)
#define SNP_POLICY_CIPHERTEXT_HIDING (UINT64_C(1) << 24)
#define SNP_POLICY_PAGE_SWAP_DISABLE (UINT64_C(1) << 25)
#define SNP_POLICY_KNOWN ((UINT64_C(1) << 26) - 1)

/* PLATFORM_INFO bits. Bit 6 (IOMMU_WRITE_SAFE) is set in genuine reports
 * before any published ABI named it. */
#define SNP_PLATFORM_SMT_EN (UINT64_C(1) << 0)
#define SNP_PLATFORM_TSME_EN (UINT64_C(1) << 1)
#define SNP_PLATFORM_ECC_EN (UINT64_C(1) << 2)
#define SNP_PLATFORM_RAPL_DIS (UINT64_C(1) << 3)
#define SNP_PLATFORM_CIPHERTEXT_HIDING_DRAM_EN (UINT64_C(1) << 4)
#define SNP_PLATFORM_ALIAS_CHECK_COMPLETE (UINT64_C(1) << 5)
#define SNP_PLATFORM_IOMMU_WRITE_SAFE (UINT64_C(1) << 6)
#define SNP_PLATFORM_TIO_EN (UINT64_C(1) << 7)
#define SNP_PLATFORM_KNOWN UINT64_C(0xff)

/* FLAGS at 048. */
#define SNP_FLAG_AUTHOR_KEY_EN UINT32_C(1)
#define SNP_FLAG_MASK_CHIP_KEY UINT32_C(2)

enum snp_signing_key {
    SNP_SIGNER_VCEK = 0,
    SNP_SIGNER_VLEK = 1,
    SNP_SIGNER_NONE = 7,
};

struct snp_firmware_version {
    uint8_t major;
    uint8_t minor;
    uint8_t build;
};

struct snp_report {
    uint32_t version;
    uint32_t guest_svn;
    uint64_t policy;
    uint8_t family_id[16];
    uint8_t image_id[16];
    uint32_t vmpl;
    uint32_t signature_algo;
    uint64_t current_tcb;
    uint64_t platform_info;
    uint32_t flags; /* also called signer_info */
    uint8_t report_data[64];
    uint8_t measurement[48];
    uint8_t host_data[32];
    uint8_t id_key_digest[48];
    uint8_t author_key_digest[48];
    uint8_t report_id[32];
    uint8_t report_id_ma[32];
    uint64_t reported_tcb;
    uint8_t cpuid_fam_id; /* combined; 0 in version 2 */
    uint8_t cpuid_mod_id;
    uint8_t cpuid_step;
    uint8_t chip_id[64];
    uint64_t committed_tcb;
    struct snp_firmware_version current;
    struct snp_firmware_version committed;
    uint64_t launch_tcb;
    /* 1F8..207. Mitigation vectors from version 5 on; bytes without a
     * published meaning in version 4; zero before. */
    uint64_t launch_mit_vector;
    uint64_t current_mit_vector;
    uint8_t signature[SNP_SIGNATURE_SIZE];
    struct span raw; /* all 1184 bytes, borrowed from the input */
};

/* Decode one report and refuse what is not well formed: length, version,
 * signature algorithm, every must-be-zero range of that version, POLICY,
 * FLAGS and VMPL, and the unused bytes of the signature (snp_form.h).
 *
 *   raw  untrusted. Must outlive *out, whose raw points into it.
 *   out  written only when ASSAY_OK is returned.
 *   err  may be NULL.
 *
 * ASSAY_ERR_MALFORMED    not SNP_REPORT_SIZE bytes, or a rule is broken
 * ASSAY_ERR_UNSUPPORTED  unknown version, or not ECDSA P-384 with SHA-384 */
ASSAY_MUST_CHECK
enum assay_status snp_report_decode(struct span raw, struct snp_report *out,
                                    struct assay_error *err);

/* The fields at their offsets, whatever the version and the reserved bytes
 * say. For showing a report and for naming each broken rule; never a reason
 * to trust one. ASSAY_ERR_MALFORMED when the length is wrong. */
ASSAY_MUST_CHECK
enum assay_status snp_report_read(struct span raw, struct snp_report *out,
                                  struct assay_error *err);

/* The inverse: fields to bytes, reserved bytes zero; r->raw is not used. A
 * report that decodes comes out byte for byte as it went in. */
void snp_report_encode(const struct snp_report *r,
                       uint8_t out[SNP_REPORT_SIZE]);

/* From CPUID (version 3 on); SNP_PRODUCT_UNKNOWN for version 2. */
enum snp_product snp_report_product(const struct snp_report *r);

enum snp_signing_key snp_report_signing_key(const struct snp_report *r);

/* Every field of the report as claims. product gives the TCB layout; with
 * SNP_PRODUCT_UNKNOWN only raw words are listed. Bytes are borrowed from *r. */
ASSAY_MUST_CHECK
enum assay_status snp_report_claims(const struct snp_report *r,
                                    enum snp_product product,
                                    struct arena *arena, struct claims *out,
                                    struct assay_error *err);

#endif
