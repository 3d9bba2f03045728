#include "../unit.h"

#include "base/reader.h"
#include "evidence/snp_tcb.h"

static uint64_t
word(const char *hex)
{
    uint8_t bytes[8];
    struct reader rd;

    assert_true(hex_decode(span_str(hex), bytes, sizeof(bytes)));
    rd = reader_over(span_of(bytes, sizeof(bytes)));
    return rd_u64le(&rd);
}

/* Words of genuine reports, with the meaning AMD's tools give them. */
static void
each_product_has_its_layout(void **state)
{
    static const struct {
        enum snp_product product;
        const char *bytes;
        const char *text;
    } rows[] = {
        { SNP_PRODUCT_MILAN, "04000000000018db",
          "bl 4 tee 0 snp 24 ucode 219" },
        { SNP_PRODUCT_GENOA, "0a00000000001754",
          "bl 10 tee 0 snp 23 ucode 84" },
        { SNP_PRODUCT_GENOA, "0a00000000001b1b",
          "bl 10 tee 0 snp 27 ucode 27" },
        { SNP_PRODUCT_TURIN, "0101010400000051",
          "fmc 1 bl 1 tee 1 snp 4 ucode 81" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t tcb = word(rows[i].bytes);
        char text[SNP_TCB_TEXT];

        snp_tcb_format(rows[i].product, tcb, text);
        assert_string_equal(text, rows[i].text);
        assert_true(snp_tcb_join(rows[i].product,
                                 snp_tcb_split(rows[i].product, tcb)) == tcb);
    }
}

/* As one number, the larger microcode would win. */
static void
comparing_is_component_wise(void **state)
{
    uint64_t old_snp = word("04000000000002ff");
    uint64_t new_snp = word("0400000000001801");

    (void)state;
    assert_true(old_snp > new_snp);
    assert_false(snp_tcb_le(SNP_PRODUCT_MILAN, new_snp, old_snp));
    assert_false(snp_tcb_le(SNP_PRODUCT_MILAN, old_snp, new_snp));
    assert_true(snp_tcb_le(SNP_PRODUCT_MILAN, new_snp, new_snp));
    assert_true(snp_tcb_le(SNP_PRODUCT_MILAN, word("0400000000001801"),
                           word("0400000000001802")));
}

static void
reserved_bytes_must_agree(void **state)
{
    (void)state;
    for (size_t i = 2; i <= 5; i++)
        assert_false(snp_tcb_le(SNP_PRODUCT_MILAN, 0, UINT64_C(1) << (8 * i)));
    for (size_t i = 4; i <= 6; i++)
        assert_false(snp_tcb_le(SNP_PRODUCT_TURIN, 0, UINT64_C(1) << (8 * i)));
}

static void
an_unknown_product_compares_with_nothing(void **state)
{
    const struct snp_tcb_parts none = { 0 };

    (void)state;
    assert_false(snp_tcb_le(SNP_PRODUCT_UNKNOWN, 0, 0));
    assert_false(snp_tcb_reaches(SNP_PRODUCT_UNKNOWN, UINT64_MAX, none));
}

/* The same bytes under the wrong layout land minimums on wrong components. */
static void
turin_minimums_meet_their_own_component(void **state)
{
    uint64_t tcb = word("0101010400000051");
    const struct snp_tcb_parts at = { 1, 1, 1, 4, 81 };

    (void)state;
    assert_true(snp_tcb_reaches(SNP_PRODUCT_TURIN, tcb, at));
    for (size_t i = 0; i < 5; i++) {
        struct snp_tcb_parts more = at;
        uint8_t *const part[] = { &more.fmc, &more.bl, &more.tee, &more.snp,
                                  &more.ucode };

        (*part[i])++;
        assert_false(snp_tcb_reaches(SNP_PRODUCT_TURIN, tcb, more));
    }
}

static void
a_minimum_for_fmc_is_never_met_without_one(void **state)
{
    const struct snp_tcb_parts fmc = { .fmc = 1 };

    (void)state;
    assert_false(snp_tcb_reaches(SNP_PRODUCT_MILAN, UINT64_MAX, fmc));
}

/* AMD's ranges, ends included: 0xAF is one that half-open ranges lose. */
static void
products_are_known_by_family_and_model(void **state)
{
    static const struct {
        uint8_t family, model;
        enum snp_product want;
    } rows[] = {
        { 0x19, 0x00, SNP_PRODUCT_MILAN },
        { 0x19, 0x01, SNP_PRODUCT_MILAN },
        { 0x19, 0x0f, SNP_PRODUCT_MILAN },
        { 0x19, 0x10, SNP_PRODUCT_GENOA },
        { 0x19, 0x11, SNP_PRODUCT_GENOA },
        { 0x19, 0x1f, SNP_PRODUCT_GENOA },
        { 0x19, 0x20, SNP_PRODUCT_UNKNOWN },
        { 0x19, 0x9f, SNP_PRODUCT_UNKNOWN },
        { 0x19, 0xa0, SNP_PRODUCT_GENOA },
        { 0x19, 0xaf, SNP_PRODUCT_GENOA },
        { 0x19, 0xb0, SNP_PRODUCT_UNKNOWN },
        { 0x1a, 0x00, SNP_PRODUCT_TURIN },
        { 0x1a, 0x02, SNP_PRODUCT_TURIN },
        { 0x1a, 0x11, SNP_PRODUCT_TURIN },
        { 0x1a, 0x12, SNP_PRODUCT_UNKNOWN },
        { 0x1a, 0x50, SNP_PRODUCT_UNKNOWN },
        { 0x18, 0x01, SNP_PRODUCT_UNKNOWN },
        { 0x00, 0x00, SNP_PRODUCT_UNKNOWN },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (snp_product_from_cpuid(rows[i].family, rows[i].model) !=
            rows[i].want)
            fail_msg("family 0x%x model 0x%x", rows[i].family, rows[i].model);
    }
}

static void
product_names_are_read(void **state)
{
    (void)state;
    assert_int_equal(snp_product_parse(span_str("Milan-B0")),
                     SNP_PRODUCT_MILAN);
    assert_int_equal(snp_product_parse(span_str("genoa")), SNP_PRODUCT_GENOA);
    assert_int_equal(snp_product_parse(span_str("Siena")), SNP_PRODUCT_GENOA);
    assert_int_equal(snp_product_parse(span_str("Turin")), SNP_PRODUCT_TURIN);
    assert_int_equal(snp_product_parse(span_str("Mil")), SNP_PRODUCT_UNKNOWN);
    assert_int_equal(snp_product_parse(span_str("Milan2")),
                     SNP_PRODUCT_UNKNOWN);
    assert_int_equal(snp_product_parse(span_str("")), SNP_PRODUCT_UNKNOWN);
}

/* 0x00A00F11 is Milan's CPUID word (family 25, model 1, stepping 1). */
static void
cpuid_words_convert_both_ways(void **state)
{
    uint8_t family, model, stepping;

    (void)state;
    snp_cpuid_split(0x00a00f11, &family, &model, &stepping);
    assert_int_equal(family, 0x19);
    assert_int_equal(model, 0x01);
    assert_int_equal(stepping, 1);
    assert_int_equal(snp_cpuid_eax(0x19, 0x01, 1), 0x00a00f11);
    assert_int_equal(snp_cpuid_eax(0x19, 0x11, 0), 0x00a10f10);
    assert_int_equal(snp_cpuid_eax(0x19, 0xa0, 2), 0x00aa0f02);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_product_has_its_layout),
        cmocka_unit_test(comparing_is_component_wise),
        cmocka_unit_test(reserved_bytes_must_agree),
        cmocka_unit_test(an_unknown_product_compares_with_nothing),
        cmocka_unit_test(turin_minimums_meet_their_own_component),
        cmocka_unit_test(a_minimum_for_fmc_is_never_met_without_one),
        cmocka_unit_test(products_are_known_by_family_and_model),
        cmocka_unit_test(product_names_are_read),
        cmocka_unit_test(cpuid_words_convert_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
