#include "evidence/snp_tcb.h"

#include <stdio.h>

enum part { RESERVED = 0, FMC, BL, TEE, SNP, UCODE, PARTS };

/* AMD 56860, TCB_VERSION: what each byte of the word means. */
static const uint8_t layout_milan[8] = { BL,       TEE,      RESERVED, RESERVED,
                                         RESERVED, RESERVED, SNP,      UCODE };
static const uint8_t layout_turin[8] = { FMC,      BL,       TEE,      SNP,
                                         RESERVED, RESERVED, RESERVED, UCODE };

static const uint8_t *
layout_of(enum snp_product product)
{
    switch (product) {
    case SNP_PRODUCT_MILAN:
    case SNP_PRODUCT_GENOA:
        return layout_milan;
    case SNP_PRODUCT_TURIN:
        return layout_turin;
    case SNP_PRODUCT_UNKNOWN:
        break;
    }
    return NULL;
}

static uint8_t
byte_of(uint64_t tcb, size_t i)
{
    return (uint8_t)(tcb >> (8 * i));
}

struct snp_tcb_parts
snp_tcb_split(enum snp_product product, uint64_t tcb)
{
    const uint8_t *layout = layout_of(product);
    uint8_t part[PARTS] = { 0 };

    for (size_t i = 0; layout && i < 8; i++)
        part[layout[i]] = byte_of(tcb, i);
    return (struct snp_tcb_parts){ part[FMC], part[BL], part[TEE], part[SNP],
                                   part[UCODE] };
}

uint64_t
snp_tcb_join(enum snp_product product, struct snp_tcb_parts parts)
{
    const uint8_t part[PARTS] = { 0,         parts.fmc, parts.bl,
                                  parts.tee, parts.snp, parts.ucode };
    const uint8_t *layout = layout_of(product);
    uint64_t tcb = 0;

    for (size_t i = 0; layout && i < 8; i++)
        tcb |= (uint64_t)part[layout[i]] << (8 * i);
    return tcb;
}

bool
snp_tcb_le(enum snp_product product, uint64_t a, uint64_t b)
{
    const uint8_t *layout = layout_of(product);

    if (!layout)
        return false;
    for (size_t i = 0; i < 8; i++) {
        uint8_t x = byte_of(a, i), y = byte_of(b, i);

        if (layout[i] == RESERVED ? x != y : x > y)
            return false;
    }
    return true;
}

bool
snp_tcb_reaches(enum snp_product product, uint64_t tcb,
                struct snp_tcb_parts minimum)
{
    struct snp_tcb_parts have = snp_tcb_split(product, tcb);

    /* Without a layout nothing is reached, not even zero. A minimum for FMC
     * where there is none is one that cannot be met. */
    return layout_of(product) && have.fmc >= minimum.fmc &&
           have.bl >= minimum.bl && have.tee >= minimum.tee &&
           have.snp >= minimum.snp && have.ucode >= minimum.ucode;
}

void
snp_tcb_format(enum snp_product product, uint64_t tcb, char text[SNP_TCB_TEXT])
{
    struct snp_tcb_parts p = snp_tcb_split(product, tcb);
    int at = 0;

    if (!layout_of(product)) {
        snprintf(text, SNP_TCB_TEXT, "%016llx", (unsigned long long)tcb);
        return;
    }
    if (product == SNP_PRODUCT_TURIN)
        at = snprintf(text, SNP_TCB_TEXT, "fmc %u ", p.fmc);
    snprintf(text + at, SNP_TCB_TEXT - (size_t)at,
             "bl %u tee %u snp %u ucode %u", p.bl, p.tee, p.snp, p.ucode);
}
