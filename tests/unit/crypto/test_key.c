#include "unit.h"

#include <openssl/err.h>

#include "crypto/key.h"

static struct key *p256, *p384, *rsa;

static int
make_keys(void **state)
{
    struct assay_error err;

    (void)state;
    assert_ok(key_generate(KEY_P256, &p256, &err), &err);
    assert_ok(key_generate(KEY_P384, &p384, &err), &err);
    assert_ok(key_generate(KEY_RSA4096, &rsa, &err), &err);
    return 0;
}

static int
free_keys(void **state)
{
    (void)state;
    key_free(p256);
    key_free(p384);
    key_free(rsa);
    return 0;
}

/* TLS code reads the queue: nothing of ours may lie in it. */
static int
assert_queue_empty(void **state)
{
    (void)state;
    assert_int_equal(ERR_peek_error(), 0);
    return 0;
}

/* --- CI 7.4 and 8.3 ------------------------------------------------------ */

/* The check value of CI 7.4: launch digest of zeros, policy 0x30000. */
static void
test_id_key_of_the_sheet(void **state)
{
    uint8_t block[96] = { 0 }, digest[SHA384_SIZE], xy[96];
    uint8_t id_key[0x404] = { 2 }; /* P-384 */
    struct key *key = NULL;
    struct assay_error err;

    (void)state;
    block[80] = 1; /* version */
    block[84] = 2; /* guest SVN */
    block[90] = 3; /* policy 0x30000, little-endian */
    assert_ok(digest_sha384(span_of(block, sizeof(block)), digest, &err), &err);
    assert_ok(key_recover_p384_constant(digest, &key, &err), &err);
    assert_ok(key_point_p384(key, xy, &err), &err);
    for (size_t i = 0; i < 48; i++) {
        id_key[4 + i] = xy[47 - i];
        id_key[4 + 72 + i] = xy[95 - i];
    }
    assert_ok(digest_sha384(span_of(id_key, sizeof(id_key)), digest, &err),
              &err);
    assert_hex(
        span_of(digest, sizeof(digest)),
        "45c561c003ae6d90f5281dc39b7a97aa00941beb2711057bbb157f1071d2855c"
        "bc857340c20516333eeac6284a641bf7");
    key_free(key);
}

/* What the key was recovered from must verify under it. */
static void
test_constant_signature_verifies_under_the_recovered_key(void **state)
{
    uint8_t r[48] = { 0 }, s[48] = { 0 };
    struct assay_error err;

    (void)state;
    r[47] = 2;
    s[47] = 1;
    for (uint8_t i = 0; i < 8; i++) {
        uint8_t digest[SHA384_SIZE];
        struct key *key = NULL;

        assert_ok(digest_sha384(span_of(&i, 1), digest, &err), &err);
        assert_ok(key_recover_p384_constant(digest, &key, &err), &err);
        assert_ok(key_verify_p384_raw(key, digest, r, s, &err), &err);
        digest[0] ^= 1;
        assert_status(key_verify_p384_raw(key, digest, r, s, &err),
                      ASSAY_ERR_UNTRUSTED);
        key_free(key);
    }
}

static void
test_same_seed_same_key(void **state)
{
    uint8_t seed[64];
    struct key *a = NULL, *b = NULL, *c = NULL;
    struct assay_error err;

    (void)state;
    memset(seed, 7, sizeof(seed));
    assert_ok(key_deterministic_p384(span_of(seed, 64), &a, &err), &err);
    assert_ok(key_deterministic_p384(span_of(seed, 64), &b, &err), &err);
    assert_ok(key_deterministic_p384(span_of(seed, 63), &c, &err), &err);
    assert_true(key_equal_public(a, b));
    assert_false(key_equal_public(a, c));
    key_free(a);
    key_free(b);
    key_free(c);
}

/* --- signatures ---------------------------------------------------------- */

static void
check_signature(const struct key *key, enum signature_alg alg)
{
    struct span message = span_str("message");
    struct buffer sig;
    struct assay_error err;

    buffer_init(&sig, 4096, NULL);
    assert_ok(key_sign(key, alg, message, &sig, &err), &err);
    assert_ok(key_verify(key, alg, message, buffer_span(&sig), &err), &err);
    assert_status(
        key_verify(key, alg, span_str("massage"), buffer_span(&sig), &err),
        ASSAY_ERR_UNTRUSTED);
    for (size_t len = 0; len < sig.len; len++)
        assert_status(
            key_verify(key, alg, message, span_of(sig.ptr, len), &err),
            ASSAY_ERR_UNTRUSTED);
    buffer_add(&sig, span_of("", 1));
    assert_status(key_verify(key, alg, message, buffer_span(&sig), &err),
                  ASSAY_ERR_UNTRUSTED);
    buffer_free(&sig);
}

static void
test_every_algorithm_signs_and_verifies(void **state)
{
    (void)state;
    check_signature(p256, SIGNATURE_ECDSA_SHA256);
    check_signature(p384, SIGNATURE_ECDSA_SHA384);
    check_signature(rsa, SIGNATURE_RSA_PKCS1_SHA256);
    check_signature(rsa, SIGNATURE_RSA_PSS_SHA384);
}

static void
test_algorithm_must_fit_the_key(void **state)
{
    struct buffer sig;
    struct assay_error err;

    (void)state;
    buffer_init(&sig, 4096, NULL);
    assert_status(
        key_sign(p256, SIGNATURE_RSA_PSS_SHA384, span_str("m"), &sig, &err),
        ASSAY_ERR_UNSUPPORTED);
    assert_status(
        key_sign(rsa, SIGNATURE_ECDSA_SHA384, span_str("m"), &sig, &err),
        ASSAY_ERR_UNSUPPORTED);
    assert_status(
        key_verify(p384, SIGNATURE_OTHER, span_str("m"), span_str("s"), &err),
        ASSAY_ERR_UNSUPPORTED);
    assert_int_equal(sig.len, 0);
    buffer_free(&sig);
}

static void
test_public_half_does_not_sign(void **state)
{
    struct key *public = NULL;
    struct secret der = { 0 };
    struct buffer sig;
    struct assay_error err;

    (void)state;
    buffer_init(&sig, 4096, NULL);
    assert_ok(key_from_spki_der(key_spki(p384), &public, &err), &err);
    assert_false(key_has_private(public));
    assert_true(key_equal_public(public, p384));
    assert_status(
        key_sign(public, SIGNATURE_ECDSA_SHA384, span_str("m"), &sig, &err),
        ASSAY_ERR_UNSUPPORTED);
    assert_status(key_pkcs8_der(public, &der, &err), ASSAY_ERR_UNSUPPORTED);
    assert_status(key_legacy_der(public, &der, &err), ASSAY_ERR_UNSUPPORTED);
    key_free(public);
    buffer_free(&sig);
}

/* A 32-byte hash as the digest of a P-384 signature: CI 11.1. */
static void
test_digest_of_another_length(void **state)
{
    uint8_t hash[32] = { 1, 2, 3 };
    struct span digest = span_of(hash, sizeof(hash));
    struct buffer sig;
    struct assay_error err;

    (void)state;
    buffer_init(&sig, 4096, NULL);
    assert_ok(key_sign_digest(p384, digest, &sig, &err), &err);
    assert_ok(key_verify_digest(p384, digest, buffer_span(&sig), &err), &err);
    hash[31] ^= 1;
    assert_status(key_verify_digest(p384, digest, buffer_span(&sig), &err),
                  ASSAY_ERR_UNTRUSTED);
    assert_status(
        key_verify_digest(p384, span_of(hash, 19), buffer_span(&sig), &err),
        ASSAY_ERR_UNSUPPORTED);
    assert_status(key_verify_digest(rsa, digest, buffer_span(&sig), &err),
                  ASSAY_ERR_UNSUPPORTED);
    buffer_free(&sig);
}

static const char order_hex[] =
    "ffffffffffffffffffffffffffffffffffffffffffffffff"
    "c7634d81f4372ddf581a0db248b0a77aecec196accc52973";

/* a = order - a, big-endian. */
static void
negate(uint8_t a[48])
{
    uint8_t order[48];
    int borrow = 0;

    assert_true(hex_decode(span_str(order_hex), order, 48));
    for (size_t i = 48; i-- > 0;) {
        int d = order[i] - a[i] - borrow;

        borrow = d < 0;
        a[i] = (uint8_t)(d + (borrow ? 256 : 0));
    }
}

static void
test_raw_signature_numbers(void **state)
{
    uint8_t digest[SHA384_SIZE] = { 5 }, r[48], s[48], zero[48] = { 0 };
    uint8_t order[48], max[48];
    struct assay_error err;

    (void)state;
    assert_true(hex_decode(span_str(order_hex), order, 48));
    memset(max, 0xff, sizeof(max));
    for (int i = 0; i < 20; i++) { /* some r and s are short or high */
        assert_ok(key_sign_p384_raw(p384, digest, r, s, &err), &err);
        assert_ok(key_verify_p384_raw(p384, digest, r, s, &err), &err);
        negate(s); /* sev-snp 1.7: there is no low-s rule */
        assert_ok(key_verify_p384_raw(p384, digest, r, s, &err), &err);
    }
    assert_status(key_verify_p384_raw(p384, digest, zero, s, &err),
                  ASSAY_ERR_UNTRUSTED);
    assert_status(key_verify_p384_raw(p384, digest, r, zero, &err),
                  ASSAY_ERR_UNTRUSTED);
    assert_status(key_verify_p384_raw(p384, digest, zero, zero, &err),
                  ASSAY_ERR_UNTRUSTED);
    assert_status(key_verify_p384_raw(p384, digest, order, s, &err),
                  ASSAY_ERR_UNTRUSTED);
    assert_status(key_verify_p384_raw(p384, digest, r, order, &err),
                  ASSAY_ERR_UNTRUSTED);
    assert_status(key_verify_p384_raw(p384, digest, max, max, &err),
                  ASSAY_ERR_UNTRUSTED);
    assert_status(key_verify_p384_raw(p256, digest, r, s, &err),
                  ASSAY_ERR_UNSUPPORTED);
}

/* --- encodings ----------------------------------------------------------- */

static void
check_private_round_trip(const struct key *key,
                         enum assay_status (*encode)(const struct key *,
                                                     struct secret *,
                                                     struct assay_error *))
{
    struct secret der = { 0 }, again = { 0 };
    struct key *back = NULL;
    struct assay_error err;

    assert_ok(encode(key, &der, &err), &err);
    assert_ok(key_from_private_der(secret_span(&der), &back, &err), &err);
    assert_int_equal(key_type(back), key_type(key));
    assert_true(key_has_private(back));
    assert_true(span_equal(key_spki(back), key_spki(key)));
    assert_ok(encode(back, &again, &err), &err);
    assert_true(span_equal(secret_span(&der), secret_span(&again)));
    for (size_t len = 0; len < der.len; len++) {
        struct key *none = NULL;

        assert_status(key_from_private_der(span_of(der.ptr, len), &none, &err),
                      ASSAY_ERR_MALFORMED);
        assert_null(none);
    }
    key_free(back);
    secret_wipe(&der);
    secret_wipe(&again);
}

static void
test_private_keys_round_trip(void **state)
{
    const struct key *const keys[] = { p256, p384, rsa };

    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        check_private_round_trip(keys[i], key_pkcs8_der);
        check_private_round_trip(keys[i], key_legacy_der);
    }
}

static void
test_halves_that_do_not_match_are_refused(void **state)
{
    struct secret der = { 0 };
    struct key *key = NULL;
    struct assay_error err;

    (void)state;
    /* SEC 1 ends with the public point. */
    assert_ok(key_legacy_der(p384, &der, &err), &err);
    memcpy(der.ptr + der.len - 96, key_spki(p384).ptr + key_spki(p384).len - 96,
           96);
    der.ptr[8] ^= 1; /* in the scalar */
    assert_status(key_from_private_der(secret_span(&der), &key, &err),
                  ASSAY_ERR_MALFORMED);
    secret_wipe(&der);
    /* PKCS#1: version, then the modulus. */
    assert_ok(key_legacy_der(rsa, &der, &err), &err);
    der.ptr[100] ^= 1;
    assert_status(key_from_private_der(secret_span(&der), &key, &err),
                  ASSAY_ERR_MALFORMED);
    secret_wipe(&der);
    assert_null(key);
}

static void
test_public_keys_of_every_truncation(void **state)
{
    const struct key *const keys[] = { p256, p384, rsa };
    struct assay_error err;

    (void)state;
    for (size_t i = 0; i < COUNT(keys); i++) {
        struct span spki = key_spki(keys[i]);
        struct key *key = NULL;

        for (size_t len = 0; len < spki.len; len++)
            assert_status(key_from_spki_der(span_of(spki.ptr, len), &key, &err),
                          ASSAY_ERR_MALFORMED);
        assert_ok(key_from_spki_der(spki, &key, &err), &err);
        assert_int_equal(key_type(key), key_type(keys[i]));
        key_free(key);
    }
}

static void
test_point_off_the_curve_is_refused(void **state)
{
    uint8_t spki[120];
    struct key *key = NULL;
    struct assay_error err;

    (void)state;
    memcpy(spki, key_spki(p384).ptr, sizeof(spki));
    spki[119] ^= 1;
    assert_status(key_from_spki_der(span_of(spki, 120), &key, &err),
                  ASSAY_ERR_MALFORMED);
    memset(spki + 24, 0x00, 96);
    assert_status(key_from_spki_der(span_of(spki, 120), &key, &err),
                  ASSAY_ERR_MALFORMED);
    memset(spki + 24, 0xff, 96); /* above the prime of the field */
    assert_status(key_from_spki_der(span_of(spki, 120), &key, &err),
                  ASSAY_ERR_MALFORMED);
}

/* Other kinds are carried, not used: an Ed25519 key (RFC 8410 section 10.1)
 * and P-256 in compressed form (RFC 5480 allows it; we do not). */
static void
test_other_kinds_are_carried(void **state)
{
    static const struct {
        const char *hex;
        size_t len;
    } others[] = {
        { "302a300506032b657003210019bf44096984cdfe8541bac167dc3b96c85086aa30"
          "b6b6cb0c5c38ad703166e1",
          44 },
        { "3039301306072a8648ce3d020106082a8648ce3d030107032200036b17d1f2e12c"
          "4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
          59 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        uint8_t spki[64] = { 0 };
        struct span in = span_of(spki, others[i].len);
        struct key *key = NULL;
        struct assay_error err;

        assert_true(hex_decode(span_str(others[i].hex), spki, others[i].len));
        assert_ok(key_from_spki_der(in, &key, &err), &err);
        assert_int_equal(key_type(key), KEY_OTHER);
        assert_true(span_equal(key_spki(key), in));
        assert_int_equal(key_signature_alg(key), SIGNATURE_OTHER);
        assert_status(key_verify(key, SIGNATURE_ECDSA_SHA256, span_str("m"),
                                 span_str("s"), &err),
                      ASSAY_ERR_UNSUPPORTED);
        key_free(key);
    }
}

static void
test_rsa_public_key_as_manifests_have_it(void **state)
{
    struct buffer der;
    struct key *back = NULL;
    struct assay_error err;

    (void)state;
    buffer_init(&der, 4096, NULL);
    assert_ok(key_rsa_public_der(rsa, &der, &err), &err);
    assert_ok(key_from_rsa_public_der(buffer_span(&der), &back, &err), &err);
    assert_int_equal(key_type(back), KEY_RSA4096);
    assert_true(span_equal(key_spki(back), key_spki(rsa)));
    key_free(back);
    /* An SPKI is something else. */
    back = NULL;
    assert_status(key_from_rsa_public_der(key_spki(rsa), &back, &err),
                  ASSAY_ERR_MALFORMED);
    assert_status(key_rsa_public_der(p384, &der, &err), ASSAY_ERR_UNSUPPORTED);
    buffer_free(&der);
}

static void
test_private_scalar(void **state)
{
    struct secret d = { 0 };
    struct assay_error err;

    (void)state;
    assert_ok(key_private_scalar_p384(p384, &d, &err), &err);
    assert_int_equal(d.len, 48);
    secret_wipe(&d);
    assert_status(key_private_scalar_p384(p256, &d, &err),
                  ASSAY_ERR_UNSUPPORTED);
}

/* --- encryption ---------------------------------------------------------- */

static void
test_oaep_binds_the_label(void **state)
{
    struct span label = span_str("seedshare"), plain = span_str("the seed");
    struct buffer cipher;
    struct secret back = { 0 };
    struct assay_error err;

    (void)state;
    buffer_init(&cipher, 4096, NULL);
    assert_ok(key_oaep_encrypt(rsa, label, plain, &cipher, &err), &err);
    assert_int_equal(cipher.len, 512);
    assert_ok(key_oaep_decrypt(rsa, label, buffer_span(&cipher), &back, &err),
              &err);
    assert_true(span_equal(secret_span(&back), plain));
    secret_wipe(&back);
    assert_status(key_oaep_decrypt(rsa, span_str("seedsharE"),
                                   buffer_span(&cipher), &back, &err),
                  ASSAY_ERR_UNTRUSTED);
    cipher.ptr[17] ^= 1;
    assert_status(
        key_oaep_decrypt(rsa, label, buffer_span(&cipher), &back, &err),
        ASSAY_ERR_UNTRUSTED);
    assert_status(key_oaep_decrypt(rsa, label, span_str("short"), &back, &err),
                  ASSAY_ERR_UNTRUSTED);
    assert_null(back.ptr);
    assert_status(key_oaep_encrypt(p384, label, plain, &cipher, &err),
                  ASSAY_ERR_UNSUPPORTED);
    buffer_free(&cipher);
}

/* Whatever a stranger sends is an answer, never a lack of memory. */
static void
test_oaep_ciphertexts_of_no_use(void **state)
{
    static const size_t lengths[] = { 0, 1, 48, 511, 512, 513, 2048 };
    uint8_t bytes[2048];
    struct secret back = { 0 };
    struct assay_error err;

    (void)state;
    for (int fill = 0; fill < 256; fill += 255) {
        memset(bytes, fill, sizeof(bytes));
        for (size_t i = 0; i < COUNT(lengths); i++) {
            assert_status(key_oaep_decrypt(rsa, span_str("seedshare"),
                                           span_of(bytes, lengths[i]), &back,
                                           &err),
                          ASSAY_ERR_UNTRUSTED);
            assert_null(back.ptr);
        }
    }
}

static void
test_rsa_signatures_of_no_use(void **state)
{
    static const enum signature_alg algs[] = { SIGNATURE_RSA_PKCS1_SHA256,
                                               SIGNATURE_RSA_PSS_SHA384 };
    static const size_t lengths[] = { 0, 1, 48, 511, 512, 513, 2048 };
    uint8_t bytes[2048];
    struct assay_error err;

    (void)state;
    for (int fill = 0; fill < 256; fill += 255) {
        memset(bytes, fill, sizeof(bytes));
        for (size_t i = 0; i < COUNT(lengths) * COUNT(algs); i++)
            assert_status(key_verify(rsa, algs[i % 2], span_str("m"),
                                     span_of(bytes, lengths[i / 2]), &err),
                          ASSAY_ERR_UNTRUSTED);
    }
}

/* OpenSSL cannot compute with an even modulus and gives up for a reason that
 * looks like a lack of memory; a stranger's certificate may have one. */
static void
test_even_modulus_verifies_nothing(void **state)
{
    struct span good = key_spki(rsa);
    uint8_t spki[1024], signature[512] = { 1 };
    struct key *key = NULL;
    struct assay_error err;

    (void)state;
    memcpy(spki, good.ptr, good.len);
    /* The modulus ends where INTEGER 65537 begins. */
    assert_memory_equal(spki + good.len - 5, "\x02\x03\x01\x00\x01", 5);
    spki[good.len - 6] ^= 1;
    assert_ok(key_from_spki_der(span_of(spki, good.len), &key, &err), &err);
    assert_status(key_verify(key, SIGNATURE_RSA_PSS_SHA384, span_str("m"),
                             span_of(signature, sizeof(signature)), &err),
                  ASSAY_ERR_UNSUPPORTED);
    key_free(key);
}

static void
test_oaep_takes_no_long_message(void **state)
{
    static const uint8_t long_message[512];
    struct buffer cipher;
    struct assay_error err;

    (void)state;
    buffer_init(&cipher, 4096, NULL);
    assert_status(key_oaep_encrypt(rsa, span_str("l"),
                                   span_of(long_message, sizeof(long_message)),
                                   &cipher, &err),
                  ASSAY_ERR_LIMIT);
    buffer_free(&cipher);
}

static void
test_sharing(void **state)
{
    struct key *again = key_dup(p384);

    (void)state;
    assert_ptr_equal(key_evp(again), key_evp(p384));
    key_free(again);
    assert_int_equal(key_type(p384), KEY_P384);
    key_free(NULL);
}

#define TEST(f) cmocka_unit_test_teardown(f, assert_queue_empty)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_id_key_of_the_sheet),
        TEST(test_constant_signature_verifies_under_the_recovered_key),
        TEST(test_same_seed_same_key),
        TEST(test_every_algorithm_signs_and_verifies),
        TEST(test_algorithm_must_fit_the_key),
        TEST(test_public_half_does_not_sign),
        TEST(test_digest_of_another_length),
        TEST(test_raw_signature_numbers),
        TEST(test_private_keys_round_trip),
        TEST(test_halves_that_do_not_match_are_refused),
        TEST(test_public_keys_of_every_truncation),
        TEST(test_point_off_the_curve_is_refused),
        TEST(test_other_kinds_are_carried),
        TEST(test_rsa_public_key_as_manifests_have_it),
        TEST(test_private_scalar),
        TEST(test_oaep_binds_the_label),
        TEST(test_oaep_ciphertexts_of_no_use),
        TEST(test_rsa_signatures_of_no_use),
        TEST(test_even_modulus_verifies_nothing),
        TEST(test_oaep_takes_no_long_message),
        TEST(test_sharing),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
