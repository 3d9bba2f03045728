/* What differs between AMD's server processors, as far as attestation shows it.
 *
 * Source: AMD 56860 (report), 57230 (certificates), and the published
 * certificates themselves (names, serial numbers, dates, extension order). */
#ifndef ASSAY_SIM_PRODUCT_H
#define ASSAY_SIM_PRODUCT_H

#include "base/error.h"

enum { PRODUCT_COUNT = 3, CHIP_ID_SIZE = 64 };

/* Security patch levels: the parts of a TCB_VERSION. */
struct tcb {
    uint8_t fmc; /* Turin only, else 0 */
    uint8_t boot_loader;
    uint8_t tee;
    uint8_t snp;
    uint8_t microcode;
};

struct product {
    const char *name;         /* the certificate line: "Milan" */
    const char *vcek_product; /* productName of a VCEK: "Milan-B0" */
    uint32_t serial_base;     /* serial of the ARK; ASKs add 1, ASVKs 0x101 */
    int64_t ark_not_before;   /* AMD's own dates, to the second */
    int64_t ask_not_before;
    int64_t asvk_not_before;
    size_t hwid_size; /* bytes of CHIP_ID that identify the chip */
    uint8_t family;   /* combined, as in CPUID_FAM_ID */
    uint8_t model;
    uint8_t stepping;
    uint32_t qemu_cpu_signature; /* CPUID Fn1 EAX that QEMU gives guests */
    uint8_t report_version;      /* a usual one for this product */
    bool has_fmc;                /* Turin's TCB layout and struct version 1 */
    struct tcb usual_tcb;
    uint8_t firmware[3]; /* major, minor, build of a usual firmware */
};

extern const struct product products[PRODUCT_COUNT];

/* NULL when there is no such certificate line. */
const struct product *product_find(struct span name);

/* The 8 bytes of a report, read as a little-endian number. */
uint64_t tcb_encode(const struct product *p, const struct tcb *tcb);

/* "bl,tee,snp,ucode", and "fmc,bl,tee,snp,ucode" on Turin: decimal, 0 to 255
 * each. ASSAY_ERR_MALFORMED otherwise. */
ASSAY_MUST_CHECK
enum assay_status tcb_parse(const struct product *p, const char *text,
                            struct tcb *out, struct assay_error *err);

#endif
