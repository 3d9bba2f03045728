#include "evidence/snp_product.h"

#include <strings.h>

/* Inclusive ranges. A model that is not here has no root key we know, so a
 * missing row refuses reports and a wrong one asks for the wrong root. */
static const struct {
    uint8_t family;
    uint8_t model_first;
    uint8_t model_last;
    enum snp_product product;
    const char *cpu;
} ranges[] = {
    { 0x19, 0x00, 0x0f, SNP_PRODUCT_MILAN, "Milan" },
    { 0x19, 0x10, 0x1f, SNP_PRODUCT_GENOA, "Genoa" },
    { 0x19, 0xa0, 0xaf, SNP_PRODUCT_GENOA, "Bergamo or Siena" },
    { 0x1a, 0x00, 0x11, SNP_PRODUCT_TURIN, "Turin" },
};

enum { RANGES = sizeof(ranges) / sizeof(ranges[0]) };

static const struct {
    const char *name;
    enum snp_product product;
} names[] = {
    { "Milan", SNP_PRODUCT_MILAN },   { "Genoa", SNP_PRODUCT_GENOA },
    { "Bergamo", SNP_PRODUCT_GENOA }, { "Siena", SNP_PRODUCT_GENOA },
    { "Turin", SNP_PRODUCT_TURIN },
};

enum { NAMES = sizeof(names) / sizeof(names[0]) };

enum snp_product
snp_product_from_cpuid(uint8_t family, uint8_t model)
{
    for (size_t i = 0; i < RANGES; i++) {
        if (ranges[i].family == family && model >= ranges[i].model_first &&
            model <= ranges[i].model_last)
            return ranges[i].product;
    }
    return SNP_PRODUCT_UNKNOWN;
}

const char *
snp_cpu_name(uint8_t family, uint8_t model)
{
    for (size_t i = 0; i < RANGES; i++) {
        if (ranges[i].family == family && model >= ranges[i].model_first &&
            model <= ranges[i].model_last)
            return ranges[i].cpu;
    }
    return "unknown";
}

const char *
snp_product_name(enum snp_product product)
{
    switch (product) {
    case SNP_PRODUCT_MILAN:
        return "Milan";
    case SNP_PRODUCT_GENOA:
        return "Genoa";
    case SNP_PRODUCT_TURIN:
        return "Turin";
    case SNP_PRODUCT_UNKNOWN:
        break;
    }
    return "unknown";
}

/* The part before a stepping: "Milan" of "Milan-B0". */
static struct span
without_stepping(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '-')
            return span_sub(name, 0, i);
    }
    return name;
}

enum snp_product
snp_product_parse(struct span name)
{
    struct span line = without_stepping(name);

    for (size_t i = 0; i < NAMES; i++) {
        struct span known = span_str(names[i].name);

        if (line.len == known.len &&
            strncasecmp((const char *)line.ptr, names[i].name, line.len) == 0)
            return names[i].product;
    }
    return SNP_PRODUCT_UNKNOWN;
}

/* A base family of 0xF means that the extended family is added to it; AMD's
 * SNP processors all have that form. */
enum { BASE_FAMILY = 0x0f };

uint32_t
snp_cpuid_eax(uint8_t family, uint8_t model, uint8_t stepping)
{
    uint32_t base = family < BASE_FAMILY ? family : BASE_FAMILY;
    uint32_t extended = family - base;

    return extended << 20 | (uint32_t)(model >> 4) << 16 | base << 8 |
           (uint32_t)(model & 15) << 4 | (stepping & 15u);
}

void
snp_cpuid_split(uint32_t eax, uint8_t *family, uint8_t *model,
                uint8_t *stepping)
{
    *family = (uint8_t)((eax >> 8 & 15) + (eax >> 20 & 0xff));
    *model = (uint8_t)((eax >> 12 & 0xf0) | (eax >> 4 & 15));
    *stepping = (uint8_t)(eax & 15);
}
