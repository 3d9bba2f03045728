#include "unit.h"

#include "atls/cert.h"

/* The check value of the interoperability sheet, section 1.5: the base point
 * of P-256 as public key, nonce 00 01 ... 1f. */
static void
report_data_matches_the_check_value(void **state)
{
    static const char spki_hex[] =
        "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    uint8_t spki[91], nonce[ATLS_NONCE_SIZE], got[ATLS_REPORT_DATA_SIZE];
    struct assay_error err = { 0 };

    (void)state;
    assert_true(hex_decode(span_str(spki_hex), spki, sizeof(spki)));
    for (int i = 0; i < ATLS_NONCE_SIZE; i++)
        nonce[i] = (uint8_t)i;
    assert_ok(atls_report_data(span_of(spki, sizeof(spki)), nonce, got, &err),
              &err);
    assert_hex(span_of(got, sizeof(got)),
               "381366df17eb25fccd6cbc8037f064cd7ad6b9192e62ba0481142cd0cc85"
               "c6e8c7a7ad2d982be6877442ba5ed786e55990bfe26792c490a1dc40a9b0"
               "722ac135");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(report_data_matches_the_check_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
