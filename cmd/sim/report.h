/* Writes an ATTESTATION_REPORT, up to its signature.
 *
 * Written from AMD 56860, table ATTESTATION_REPORT, and on purpose not from
 * the library's decoder: what one of them misreads the other refuses. */
#ifndef ASSAY_SIM_REPORT_H
#define ASSAY_SIM_REPORT_H

#include "sim/product.h"

enum {
    REPORT_SIZE = 1184,
    REPORT_SIGNED_SIZE = 0x2a0, /* bytes under the signature, which follows */
    REPORT_DATA_SIZE = 64,
};

struct firmware_version {
    uint8_t major, minor, build;
};

/* A launched guest and the machine it runs on, as the report shows them. */
struct report_facts {
    const struct product *product;
    uint32_t version; /* 2, 3 or 5 */
    uint32_t guest_svn;
    uint64_t policy;
    uint8_t family_id[16];
    uint8_t image_id[16];
    uint64_t platform_info;
    bool vlek; /* signed with the VLEK; CHIP_ID stays zero */
    bool mask_chip_id;
    uint8_t measurement[48];
    uint8_t host_data[32];
    uint8_t id_key_digest[48];
    uint8_t report_id[32];
    uint8_t chip_id[CHIP_ID_SIZE]; /* zero behind the product's hwid_size */
    struct tcb current_tcb, committed_tcb, launch_tcb, reported_tcb;
    struct firmware_version current, committed;
    uint64_t launch_mit_vector; /* version 5 */
    uint64_t current_mit_vector;
    uint8_t cpuid[3]; /* family, model, stepping: version 3 and later */
};

/* Fills the signed part; the signature block stays zero. */
void report_encode(const struct report_facts *facts,
                   const uint8_t report_data[REPORT_DATA_SIZE], uint32_t vmpl,
                   uint8_t out[REPORT_SIZE]);

/* Puts the raw signature in: r and s, 48 bytes each, big-endian. */
void report_set_signature(uint8_t report[REPORT_SIZE],
                          const uint8_t rs[2 * 48]);

#endif
