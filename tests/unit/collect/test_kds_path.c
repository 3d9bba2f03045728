/* Expected URLs are those of sev-snp.md section 3 (AMD 57230), written out. */
#include "unit.h"

#include "collect/kds_path.h"

#define DIGITS_128                                                             \
    "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"         \
    "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"

static const char *const known[] = {
    "/vcek/v1/Milan/" DIGITS_128 "?blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219",
    ("/vcek/v1/Turin/a0a1a2a3a4a5a6a7"
     "?fmcSPL=01&blSPL=01&teeSPL=01&snpSPL=04&ucodeSPL=81"),
    "/vcek/v1/Genoa/cert_chain",
    "/vlek/v1/Milan/cert_chain",
    "/vcek/v1/Turin/crl",
    "/vlek/v1/Genoa/crl",
};

static void
chip_id(uint8_t out[64], size_t used)
{
    for (size_t i = 0; i < 64; i++)
        out[i] = i < used ? (uint8_t)(0xa0 + i) : 0;
}

static void
urls_are_those_of_the_service(void **state)
{
    struct kds_path path;
    struct assay_error err;
    uint8_t chip[64];

    (void)state;
    chip_id(chip, 64);
    /* 04 00 00 00 00 00 18 db, the first byte lowest */
    assert_ok(
        kds_path_vcek(SNP_PRODUCT_MILAN, chip, 0xdb18000000000004, &path, &err),
        &err);
    assert_string_equal(path.text, known[0]);
    chip_id(chip, 8);
    /* 01 01 01 04 00 00 00 51 */
    assert_ok(
        kds_path_vcek(SNP_PRODUCT_TURIN, chip, 0x5100000004010101, &path, &err),
        &err);
    assert_string_equal(path.text, known[1]);
    assert_ok(
        kds_path_of(COLLATERAL_VCEK_CHAIN, SNP_PRODUCT_GENOA, &path, &err),
        &err);
    assert_string_equal(path.text, known[2]);
    assert_ok(kds_path_of(COLLATERAL_VLEK_CRL, SNP_PRODUCT_GENOA, &path, &err),
              &err);
    assert_string_equal(path.text, known[5]);
}

static void
what_nobody_can_be_asked_for_is_refused(void **state)
{
    struct kds_path path;
    uint8_t chip[64] = { 0 };

    (void)state;
    assert_status(kds_path_vcek(SNP_PRODUCT_MILAN, chip, 0, &path, NULL),
                  ASSAY_ERR_UNSUPPORTED);
    chip_id(chip, 64);
    assert_status(kds_path_vcek(SNP_PRODUCT_UNKNOWN, chip, 0, &path, NULL),
                  ASSAY_ERR_UNSUPPORTED);
    assert_status(kds_path_vcek((enum snp_product)4, chip, 0, &path, NULL),
                  ASSAY_ERR_UNSUPPORTED);
    /* A chip ID of 64 bytes is not Turin's. */
    assert_status(kds_path_vcek(SNP_PRODUCT_TURIN, chip, 0, &path, NULL),
                  ASSAY_ERR_UNSUPPORTED);
    assert_status(kds_path_of(COLLATERAL_VCEK, SNP_PRODUCT_MILAN, &path, NULL),
                  ASSAY_ERR_UNSUPPORTED);
    assert_status(
        kds_path_of(COLLATERAL_VCEK_CRL, SNP_PRODUCT_UNKNOWN, &path, NULL),
        ASSAY_ERR_UNSUPPORTED);
}

static void
paths_parse_to_themselves(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        struct kds_path path;
        struct assay_error err;

        assert_ok(kds_path_parse(span_str(known[i]), &path, &err), &err);
        assert_string_equal(path.text, known[i]);
    }
}

static void
only_one_spelling_is_taken(void **state)
{
    static const char *const broken[] = {
        "",
        "/",
        "vcek/v1/Milan/crl",
        "/vcek/v1/Milan/crl/",
        "/vcek/v1/milan/crl",
        "/vcek/v1/Bergamo/crl",
        "/vcek/v2/Milan/crl",
        "/vlek/v1/Milan/cert?blSPL=01",
        "/vcek/v1/Milan/../Genoa/crl",
        /* digits in upper case, levels unpadded, out of order, above 255 */
        "/vcek/v1/Turin/A0A1A2A3A4A5A6A7"
        "?fmcSPL=01&blSPL=01&teeSPL=01&snpSPL=04&ucodeSPL=81",
        "/vcek/v1/Turin/a0a1a2a3a4a5a6a7"
        "?fmcSPL=1&blSPL=01&teeSPL=01&snpSPL=04&ucodeSPL=81",
        "/vcek/v1/Turin/a0a1a2a3a4a5a6a7"
        "?blSPL=01&fmcSPL=01&teeSPL=01&snpSPL=04&ucodeSPL=81",
        "/vcek/v1/Turin/a0a1a2a3a4a5a6a7"
        "?fmcSPL=01&blSPL=01&teeSPL=01&snpSPL=04&ucodeSPL=256",
        "/vcek/v1/Turin/a0a1a2a3a4a5a6a7"
        "?fmcSPL=01&blSPL=01&teeSPL=01&snpSPL=04&ucodeSPL=81&",
        "/vcek/v1/Turin/a0a1a2a3a4a5a6a7"
        "?blSPL=01&teeSPL=01&snpSPL=04&ucodeSPL=81",
        "/vcek/v1/Milan/" DIGITS_128
        "?fmcSPL=01&blSPL=04&teeSPL=00&snpSPL=24&ucodeSPL=219",
        "/vcek/v1/Turin/0000000000000000"
        "?fmcSPL=01&blSPL=01&teeSPL=01&snpSPL=04&ucodeSPL=81",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        struct kds_path path;

        if (kds_path_parse(span_str(broken[i]), &path, NULL) !=
            ASSAY_ERR_MALFORMED)
            fail_msg("accepted \"%s\"", broken[i]);
    }
    for (size_t i = 0; i < COUNT(known); i++) {
        for (size_t n = 0; n < strlen(known[i]); n++) {
            struct kds_path path;

            /* A shorter microcode level is another path: as good as any. */
            if (kds_path_parse(span_of(known[i], n), &path, NULL) == ASSAY_OK &&
                n != strlen(known[i]) - 1)
                fail_msg("accepted %zu bytes of \"%s\"", n, known[i]);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_those_of_the_service),
        cmocka_unit_test(what_nobody_can_be_asked_for_is_refused),
        cmocka_unit_test(paths_parse_to_themselves),
        cmocka_unit_test(only_one_spelling_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
