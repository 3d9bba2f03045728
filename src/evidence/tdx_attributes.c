#include "evidence/tdx_attributes.h"

#include "base/reader.h"

struct bit_name {
    unsigned bit;
    const char *name;
};

static const struct bit_name attribute_names[] = {
    { 0, "DEBUG" },
    { 4, "HGS_PLUS_PROF" },
    { 5, "PERF_PROF" },
    { 6, "PMT_PROF" },
    { 16, "ICSSD" },
    { 27, "LASS" },
    { 28, "SEPT_VE_DISABLE" },
    { 29, "MIGRATABLE" },
    { 30, "PKS" },
    { 31, "KL" },
    { 62, "TPA" },
    { 63, "PERFMON" },
};

static const struct bit_name xfam_names[] = {
    { 0, "X87" },      { 1, "SSE" },        { 2, "AVX" },
    { 5, "AVX512_K" }, { 6, "AVX512_ZMM" }, { 7, "AVX512_HI16" },
    { 8, "PT" },       { 9, "PKRU" },       { 11, "CET_U" },
    { 12, "CET_S" },   { 14, "UINTR" },     { 15, "LBR" },
    { 16, "HWP" },     { 17, "TILECFG" },   { 18, "TILEDATA" },
};

enum {
    ATTRIBUTE_NAMES = sizeof(attribute_names) / sizeof(attribute_names[0]),
    XFAM_NAMES = sizeof(xfam_names) / sizeof(xfam_names[0]),
};

static uint64_t
known_bits(const struct bit_name *names, size_t count)
{
    uint64_t known = 0;

    for (size_t i = 0; i < count; i++)
        known |= UINT64_C(1) << names[i].bit;
    return known;
}

uint64_t
tdx_attributes_reserved(uint64_t attributes)
{
    return attributes & ~known_bits(attribute_names, ATTRIBUTE_NAMES);
}

uint64_t
tdx_xfam_invalid(uint64_t xfam)
{
    return (xfam & ~known_bits(xfam_names, XFAM_NAMES)) |
           (~xfam & TDX_XFAM_FIXED1);
}

static const char *
bit_name(const struct bit_name *names, size_t count, unsigned bit)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i].bit == bit)
            return names[i].name;
    }
    return NULL;
}

static void
describe(const struct bit_name *names, size_t count, uint64_t word,
         struct buffer *out)
{
    const char *gap = "";

    if (word == 0)
        buffer_add_str(out, "none");
    for (unsigned bit = 0; bit < 64; bit++) {
        const char *name = bit_name(names, count, bit);

        if (!(word >> bit & 1))
            continue;
        if (name)
            buffer_addf(out, "%s%s", gap, name);
        else
            buffer_addf(out, "%sbit%u", gap, bit);
        gap = " ";
    }
}

void
tdx_attributes_describe(uint64_t attributes, struct buffer *out)
{
    describe(attribute_names, ATTRIBUTE_NAMES, attributes, out);
}

void
tdx_xfam_describe(uint64_t xfam, struct buffer *out)
{
    describe(xfam_names, XFAM_NAMES, xfam, out);
}

uint64_t
tdx_word(const uint8_t bytes[8])
{
    struct reader rd = reader_over(span_of(bytes, 8));

    return rd_u64le(&rd);
}
