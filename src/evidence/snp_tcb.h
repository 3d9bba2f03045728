/* TCB_VERSION: eight bytes, each a security patch level (SPL) of one component.
 *
 * Which byte is which differs by product (AMD 56860, TCB_VERSION). Comparing
 * is component-wise and a partial order: the eight bytes are never one number,
 * or a large microcode level would hide an old firmware. */
#ifndef ASSAY_EVIDENCE_SNP_TCB_H
#define ASSAY_EVIDENCE_SNP_TCB_H

#include "base/buffer.h"
#include "evidence/snp_product.h"

/* The raw word is little-endian: byte 0 of the report is bits 7:0. */

struct snp_tcb_parts {
    uint8_t fmc; /* Turin only; 0 elsewhere */
    uint8_t bl;
    uint8_t tee;
    uint8_t snp;
    uint8_t ucode;
};

/* Parts of a raw word in the product's layout, and back. An unknown product
 * has no layout: all parts zero, and word 0. */
struct snp_tcb_parts snp_tcb_split(enum snp_product product, uint64_t tcb);
uint64_t snp_tcb_join(enum snp_product product, struct snp_tcb_parts parts);

/* Every component of a at most that of b, and reserved bytes equal, so that
 * a future component is not ignored. False for an unknown product. */
bool snp_tcb_le(enum snp_product product, uint64_t a, uint64_t b);

/* Every component of tcb at least that of minimum. */
bool snp_tcb_reaches(enum snp_product product, uint64_t tcb,
                     struct snp_tcb_parts minimum);

/* "bl 4 tee 0 snp 24 ucode 219" ("fmc 1 bl ..." on Turin), at most
 * SNP_TCB_TEXT bytes with the NUL. */
enum { SNP_TCB_TEXT = 64 };
void snp_tcb_format(enum snp_product product, uint64_t tcb,
                    char text[SNP_TCB_TEXT]);

#endif
