/* Published vectors of SHA-2 (FIPS 180-4 examples), HMAC (RFC 4231), HKDF
 * (RFC 5869), and the REPORTDATA check value of CI 1.5. */
#include "unit.h"

#include "crypto/hkdf.h"
#include "crypto/hmac.h"

static void
test_digests_of_abc(void **state)
{
    static const char *const want[] = {
        [DIGEST_SHA256] = "ba7816bf8f01cfea414140de5dae2223"
                          "b00361a396177a9cb410ff61f20015ad",
        [DIGEST_SHA384] = "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"
                          "1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
        [DIGEST_SHA512] = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea2"
                          "0a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
                          "454d4423643ce80e2a9ac94fa54ca49f",
    };
    const struct span parts[] = { span_str("a"), span_str(""), span_str("bc") };
    uint8_t out[DIGEST_MAX_SIZE];
    struct assay_error err;

    (void)state;
    for (size_t i = 0; i < COUNT(want); i++) {
        enum digest_alg alg = (enum digest_alg)i;

        assert_ok(digest_compute(alg, parts, COUNT(parts), out, &err), &err);
        assert_hex(span_of(out, digest_size(alg)), want[i]);
    }
}

static void
test_report_data_of_the_sheet(void **state)
{
    static const char spki_hex[] =
        "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
    uint8_t spki[91] = { 0 }, nonce[32], out[SHA512_SIZE];
    const struct span parts[] = { span_of(spki, sizeof(spki)),
                                  span_of(nonce, sizeof(nonce)) };
    struct assay_error err;

    (void)state;
    assert_true(hex_decode(span_str(spki_hex), spki, sizeof(spki)));
    for (uint8_t i = 0; i < sizeof(nonce); i++)
        nonce[i] = i;
    assert_ok(digest_compute(DIGEST_SHA512, parts, 2, out, &err), &err);
    assert_hex(span_of(out, sizeof(out)),
               "381366df17eb25fccd6cbc8037f064cd7ad6b9192e62ba0481142cd0cc85c6"
               "e8c7a7ad2d982be6877442ba5ed786e55990bfe26792c490a1dc40a9b0722a"
               "c135");
}

static void
test_hmac_rfc4231(void **state)
{
    static const struct {
        uint8_t fill; /* of the key; 0: "Jefe" */
        size_t key_len;
        const char *message;
        const char *want;
    } cases[] = {
        { 0x0b, 20, "Hi There",
          "b0344c61d8db38535ca8afceaf0bf12b"
          "881dc200c9833da726e9376c2e32cff7" },
        { 0, 4, "what do ya want for nothing?",
          "5bdcc146bf60754e6a042426089575c7"
          "5a003f089d2739839dec58b964ec3843" },
        { 0xaa, 131, "Test Using Larger Than Block-Size Key - Hash Key First",
          "60e431591ee0b67f0d8a26aacbf5b77f"
          "8e0bc6213728c5140546040f0ee37f54" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t key[131], out[SHA256_SIZE];
        struct span whole = span_str(cases[i].message);
        const struct span parts[] = { span_sub(whole, 0, 3),
                                      span_sub(whole, 3, whole.len) };
        struct assay_error err;

        memset(key, cases[i].fill, sizeof(key));
        if (cases[i].fill == 0)
            memcpy(key, "Jefe", 4);
        assert_ok(
            hmac_sha256(span_of(key, cases[i].key_len), parts, 2, out, &err),
            &err);
        assert_hex(span_of(out, sizeof(out)), cases[i].want);
    }
}

/* An empty key must not mean "the key of last time". */
static void
test_hmac_of_nothing(void **state)
{
    uint8_t out[SHA256_SIZE];
    struct assay_error err;

    (void)state;
    assert_ok(hmac_sha256(span_of(NULL, 0), NULL, 0, out, &err), &err);
    assert_hex(span_of(out, sizeof(out)), "b613679a0814d9ec772f95d778c35fc5"
                                          "ff1697c493715653c6c712144292c5ad");
}

static void
fill(uint8_t *out, size_t len, uint8_t first, uint8_t step)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(first + i * step);
}

static void
test_hkdf_rfc5869(void **state)
{
    uint8_t ikm[80], salt[80], info[80], out[82];
    struct assay_error err;

    (void)state;
    fill(ikm, 22, 0x0b, 0);
    fill(salt, 13, 0x00, 1);
    fill(info, 10, 0xf0, 1);
    assert_ok(hkdf_sha256(span_of(ikm, 22), span_of(salt, 13),
                          span_of(info, 10), out, 42, &err),
              &err);
    assert_hex(span_of(out, 42),
               "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5"
               "bf34007208d5b887185865");
    assert_ok(hkdf_sha256(span_of(ikm, 22), span_str(""), span_str(""), out, 42,
                          &err),
              &err);
    assert_hex(span_of(out, 42),
               "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d"
               "2d9d201395faa4b61a96c8");
    fill(ikm, 80, 0x00, 1);
    fill(salt, 80, 0x60, 1);
    fill(info, 80, 0xb0, 1);
    assert_ok(hkdf_sha256(span_of(ikm, 80), span_of(salt, 80),
                          span_of(info, 80), out, 82, &err),
              &err);
    assert_hex(span_of(out, 82),
               "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa9"
               "7c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3"
               "db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
}

static void
test_hkdf_refuses_lengths_outside_the_rfc(void **state)
{
    static uint8_t out[255 * 32 + 1];
    struct span any = span_str("x");
    struct assay_error err;

    (void)state;
    assert_status(hkdf_sha256(any, any, any, out, 0, &err), ASSAY_ERR_LIMIT);
    assert_status(hkdf_sha256(any, any, any, out, sizeof(out), &err),
                  ASSAY_ERR_LIMIT);
    assert_ok(hkdf_sha256(any, any, any, out, sizeof(out) - 1, &err), &err);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digests_of_abc),
        cmocka_unit_test(test_report_data_of_the_sheet),
        cmocka_unit_test(test_hmac_rfc4231),
        cmocka_unit_test(test_hmac_of_nothing),
        cmocka_unit_test(test_hkdf_rfc5869),
        cmocka_unit_test(test_hkdf_refuses_lengths_outside_the_rfc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
