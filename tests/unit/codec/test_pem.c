#include "unit.h"
#include "vectors.h"

#include "codec/pem_key.h"
#include "crypto/crl.h"

static const char good[] = "-----BEGIN THING-----\n"
                           "aGVsbG8=\n"
                           "-----END THING-----\n";

static const struct {
    const char *rule;
    const char *text;
    enum assay_status want; /* of pem_next, else of pem_decode */
} cases[] = {
    { "one block", good, ASSAY_OK },
    { "CRLF", "-----BEGIN THING-----\r\naGVsbG8=\r\n-----END THING-----\r\n",
      ASSAY_OK },
    { "no newline at the end",
      "-----BEGIN THING-----\naGVsbG8=\n-----END THING-----", ASSAY_OK },
    { "text around",
      "subject: x\n\n-----BEGIN THING-----\naGVsbG8=\n"
      "-----END THING-----\nmore\n",
      ASSAY_OK },
    { "lines of any length",
      "-----BEGIN THING-----\naGV\nsbG8=\n-----END THING-----\n", ASSAY_OK },
    { "empty", "", ASSAY_ERR_NOT_FOUND },
    { "prose", "no block here\n", ASSAY_ERR_NOT_FOUND },
    { "BEGIN without END", "-----BEGIN THING-----\naGVsbG8=\n",
      ASSAY_ERR_MALFORMED },
    { "END without BEGIN", "-----END THING-----\n", ASSAY_ERR_MALFORMED },
    { "labels differ", "-----BEGIN THING-----\naGVsbG8=\n-----END THONG-----\n",
      ASSAY_ERR_MALFORMED },
    { "dashes missing in BEGIN",
      "-----BEGIN THING----\naGVsbG8=\n-----END THING-----\n",
      ASSAY_ERR_MALFORMED },
    { "dashes missing in END",
      "-----BEGIN THING-----\naGVsbG8=\n-----END THING----\n",
      ASSAY_ERR_MALFORMED },
    { "a second BEGIN inside",
      "-----BEGIN THING-----\naGVsbG8=\n-----BEGIN THING-----\naGVsbG8=\n"
      "-----END THING-----\n",
      ASSAY_ERR_MALFORMED },
    { "headers of RFC 1421",
      "-----BEGIN THING-----\nProc-Type: 4,ENCRYPTED\n\naGVsbG8=\n"
      "-----END THING-----\n",
      ASSAY_ERR_MALFORMED },
    { "empty line inside",
      "-----BEGIN THING-----\n\naGVsbG8=\n-----END THING-----\n",
      ASSAY_ERR_MALFORMED },
    { "blank inside a line",
      "-----BEGIN THING-----\naGVs bG8=\n-----END THING-----\n",
      ASSAY_ERR_MALFORMED },
    { "NUL inside", "-----BEGIN THING-----\naGVs\x80G8=\n-----END THING-----\n",
      ASSAY_ERR_MALFORMED },
    { "no content", "-----BEGIN THING-----\n-----END THING-----\n",
      ASSAY_ERR_MALFORMED },
    { "padding missing",
      "-----BEGIN THING-----\naGVsbG8\n-----END THING-----\n",
      ASSAY_ERR_MALFORMED },
    { "padding in the middle",
      "-----BEGIN THING-----\naGVsbG8=\naGVsbG8=\n-----END THING-----\n",
      ASSAY_ERR_MALFORMED },
    { "unused bits set",
      "-----BEGIN THING-----\naGVsbG9=\n-----END THING-----\n",
      ASSAY_ERR_MALFORMED },
    { "label of 65 characters",
      "-----BEGIN "
      "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLM"
      "-----\naGVsbG8=\n-----END "
      "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLM"
      "-----\n",
      ASSAY_ERR_MALFORMED },
};

static void
test_blocks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct span rest = span_str(cases[i].text);
        struct pem_block block;
        struct buffer bytes;
        struct assay_error err;
        enum assay_status st = pem_next(&rest, &block, &err);

        buffer_init(&bytes, 100, NULL);
        if (st == ASSAY_OK)
            st = pem_decode(&block, &bytes, &err);
        if (st != cases[i].want)
            fail_msg("%s: got %s", cases[i].rule, assay_status_name(st));
        if (st == ASSAY_OK) {
            assert_true(pem_is(&block, "THING"));
            assert_false(pem_is(&block, "THIN"));
            assert_true(span_equal_str(buffer_span(&bytes), "hello"));
        } else {
            assert_int_equal(bytes.len, 0);
        }
        buffer_free(&bytes);
    }
}

/* A cut file is refused, or, cut after a block or before any, says so. */
static void
test_every_truncation(void **state)
{
    const size_t end = strlen(good) - 1; /* the last newline may be missing */

    (void)state;
    for (size_t len = 0; len < end; len++) {
        uint8_t *copy = malloc(len + 1);
        struct span rest = span_of(copy, len);
        struct pem_block block;
        struct assay_error err;

        assert_non_null(copy);
        memcpy(copy, good, len);
        assert_status(pem_next(&rest, &block, &err),
                      len < 5 ? ASSAY_ERR_NOT_FOUND : ASSAY_ERR_MALFORMED);
        assert_int_equal(rest.len, len);
        free(copy);
    }
}

static void
test_round_trip_of_every_length(void **state)
{
    uint8_t bytes[200];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 37);
    for (size_t len = 1; len <= sizeof(bytes); len++) {
        struct buffer text, back;
        struct pem_block block;
        struct span rest;
        struct assay_error err;

        buffer_init(&text, 1000, NULL);
        buffer_init(&back, 1000, NULL);
        assert_ok(pem_encode("X Y", span_of(bytes, len), &text, &err), &err);
        assert_int_equal(text.len, pem_encoded_size("X Y", len));
        rest = buffer_span(&text);
        assert_ok(pem_next(&rest, &block, &err), &err);
        assert_int_equal(rest.len, 0);
        assert_ok(pem_decode(&block, &back, &err), &err);
        assert_true(span_equal(buffer_span(&back), span_of(bytes, len)));
        buffer_free(&text);
        buffer_free(&back);
    }
}

/* As openssl and Go write it: 64 characters a line. */
static void
test_line_length(void **state)
{
    static const uint8_t zeros[49];
    struct buffer text;
    struct assay_error err;

    (void)state;
    buffer_init(&text, 1000, NULL);
    assert_ok(pem_encode("Z", span_of(zeros, 49), &text, &err), &err);
    assert_string_equal(buffer_str(&text), "-----BEGIN Z-----\n"
                                           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                                           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
                                           "AA==\n"
                                           "-----END Z-----\n");
    buffer_free(&text);
}

static void
test_writer_without_room_fails(void **state)
{
    char text[200];
    const size_t need = pem_encoded_size("Z", 5);

    (void)state;
    for (size_t cap = 0; cap < need; cap++) {
        struct writer wr = writer_over(text, cap);

        pem_write(&wr, "Z", span_str("hello"));
        assert_false(wr_ok(&wr));
    }
}

static void
test_no_memory(void **state)
{
    (void)state;
    for (size_t n = 0;; n++) {
        struct failing_alloc f;
        struct pem_block block;
        struct span rest = span_str(good);
        struct buffer bytes;
        struct assay_error err;
        enum assay_status st;

        failing_alloc_init(&f, n);
        buffer_init(&bytes, 100, &f.alloc);
        assert_ok(pem_next(&rest, &block, &err), &err);
        st = pem_decode(&block, &bytes, &err);
        if (st == ASSAY_OK) {
            buffer_clear(&bytes);
            st = pem_encode("X", span_str("hello"), &bytes, &err);
        }
        buffer_free(&bytes);
        assert_int_equal(f.live, 0);
        if (st == ASSAY_OK)
            break;
        assert_status(st, ASSAY_ERR_NOMEM);
    }
}

/* --- keys ---------------------------------------------------------------- */

/* Written by openssl ecparam -genkey, openssl genpkey and openssl pkey, for
 * this test alone. */
static const char ec_params_and_key[] =
    "-----BEGIN EC PARAMETERS-----\n"
    "BgUrgQQAIg==\n"
    "-----END EC PARAMETERS-----\n"
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MIGkAgEBBDCIiRXcttTg3rYbbrHGCB7oq9W880IAsRLbYUVO319gDxsdSD9D28cl\n"
    "Bc5O8ZjS2SigBwYFK4EEACKhZANiAARHwNWcVlcxFuZPJwf4d60dbnpFhREiwPIp\n"
    "ug2/c+suIzmDO6F/RNpd3lqburnY33JTc9Jj6MucX1Eau/nY/b5jnIiy/4WOohzI\n"
    "OHjx+aDu8kviFLS+J2BtHQQ5lZhhBLE=\n"
    "-----END EC PRIVATE KEY-----\n";
static const char pkcs8_p256[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg94LzN/sBmVjLaBFl\n"
    "7J27wxyKB40685Nk0yKEzOD5gbyhRANCAAQRIp5w0S8t2IsEkkbejH6h0dYuotUO\n"
    "+8AXs9rcvJm4m8Toy47o6NfsG0RdgDBGHCW4tAS12wBX18eXUoO2YCUY\n"
    "-----END PRIVATE KEY-----\n";
static const char public_p256[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEESKecNEvLdiLBJJG3ox+odHWLqLV\n"
    "DvvAF7Pa3LyZuJvE6MuO6OjX7BtEXYAwRhwluLQEtdsAV9fHl1KDtmAlGA==\n"
    "-----END PUBLIC KEY-----\n";

static void
test_keys_that_openssl_wrote(void **state)
{
    struct key *ec = NULL, *p8 = NULL, *public = NULL;
    struct assay_error err;

    (void)state;
    assert_ok(pem_private_key_decode(span_str(ec_params_and_key), &ec, &err),
              &err);
    assert_int_equal(key_type(ec), KEY_P384);
    assert_ok(pem_private_key_decode(span_str(pkcs8_p256), &p8, &err), &err);
    assert_int_equal(key_type(p8), KEY_P256);
    assert_ok(pem_public_key_decode(span_str(public_p256), &public, &err),
              &err);
    assert_true(key_equal_public(public, p8));
    key_free(ec);
    key_free(p8);
    key_free(public);
}

static void
test_files_that_hold_no_single_key(void **state)
{
    struct key *key = NULL;
    struct buffer two;
    struct assay_error err;

    (void)state;
    buffer_init(&two, 10000, NULL);
    buffer_add_str(&two, pkcs8_p256);
    buffer_add_str(&two, pkcs8_p256);
    assert_status(pem_private_key_decode(buffer_span(&two), &key, &err),
                  ASSAY_ERR_MALFORMED);
    assert_status(pem_private_key_decode(span_str(public_p256), &key, &err),
                  ASSAY_ERR_MALFORMED);
    assert_status(pem_public_key_decode(span_str(pkcs8_p256), &key, &err),
                  ASSAY_ERR_MALFORMED);
    assert_status(pem_private_key_decode(span_str(""), &key, &err),
                  ASSAY_ERR_NOT_FOUND);
    assert_null(key);
    buffer_free(&two);
}

static void
test_private_keys_come_back(void **state)
{
    static const enum key_type types[] = { KEY_P256, KEY_P384, KEY_RSA4096 };
    static const char *const labels[] = { "EC ", "EC ", "RSA " };

    (void)state;
    for (size_t i = 0; i < COUNT(types); i++) {
        struct key *key = NULL;
        struct assay_error err;

        assert_ok(key_generate(types[i], &key, &err), &err);
        for (int legacy = 0; legacy < 2; legacy++) {
            struct secret text = { 0 };
            struct key *back = NULL;
            char begin[64];

            (void)snprintf(begin, sizeof(begin), "-----BEGIN %sPRIVATE KEY-",
                           legacy ? labels[i] : "");
            assert_ok(pem_private_key_encode(key, legacy, &text, &err), &err);
            assert_memory_equal(text.ptr, begin, strlen(begin));
            assert_int_equal(text.ptr[text.len - 1], '\n');
            assert_ok(pem_private_key_decode(secret_span(&text), &back, &err),
                      &err);
            assert_true(key_equal_public(key, back));
            key_free(back);
            secret_wipe(&text);
        }
        key_free(key);
    }
}

/* --- AMD's chains (sev-snp 2.2) ------------------------------------------ */

static const struct {
    const char *file;
    const char *name;
    const char *serial;
    const char *der;
    const char *spki;
} chain_certs[] = {
    { "snp/milan-ask-ark.pem", "SEV-Milan", "010001",
      "67d303bd3905fd38db8b20e0793699870e7fa612eaad5dec358293fd8c0bac1b",
      "42491669ccb851d627ea9846cd24eccbeb7de7c2a62740120fff88001d38ebb6" },
    { "snp/milan-ask-ark.pem", "ARK-Milan", "010000",
      "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",
      "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9" },
    { "snp/milan-asvk-ark.pem", "SEV-VLEK-Milan", "010101",
      "c5e081f59b7efab1fe2f8b505e159704e72f29cab7ef7cf628a05a42439082f5",
      "66450a123ea5876206df67f2514a4fea224c0f63b18313423078b0edc4535e33" },
    { "snp/milan-asvk-ark.pem", "ARK-Milan", "010000",
      "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",
      "9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9" },
    { "snp/genoa-ask-ark.pem", "SEV-Genoa", "020002",
      "5464738c1546aed5f2cecf1dc98c5c960a92e8913238a61711bc90ec6e828521",
      "0324d55bcd48ba877a8fd87c0e1b4934dec8448e3807a24384a34dc6a6c9ebb8" },
    { "snp/genoa-ask-ark.pem", "ARK-Genoa", "020000",
      "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",
      "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831" },
    { "snp/genoa-asvk-ark.pem", "SEV-VLEK-Genoa", "020101",
      "197e610743a917d6b9bb982a5a9226ccc0a15b611be0619e626aca9151457372",
      "7d1633252ebbadaa75f96e9b4e6f7d43a90ceb3f843937482630f8da2459264e" },
    { "snp/genoa-asvk-ark.pem", "ARK-Genoa", "020000",
      "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",
      "429a69c9422aa258ee4d8db5fcda9c6470ef15f8cd5a9cebd6cbc7d90b863831" },
    { "snp/turin-ask-ark.pem", "SEV-Turin", "030001",
      "5b77ef5fe7a7a004fd9032668fba9d0fda22f88c4442069a479636a6ae3b3185",
      "0000ead352025f208bf55297c4192c34cd1b878002107366d8f2065a9ae7d3a9" },
    { "snp/turin-ask-ark.pem", "ARK-Turin", "030000",
      "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a",
      "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08" },
    { "snp/turin-asvk-ark.pem", "SEV-VLEK-Turin", "030101",
      "104e10a8bd060a3c20a434261a57d0588fd65a88915b4f65b08bdecaf8df1a3c",
      "bfc441408b2f806c5dbf180bd8920e6e60dd404d82141780d85dbf962954d386" },
    { "snp/turin-asvk-ark.pem", "ARK-Turin", "030000",
      "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a",
      "4f125410563a2ab9a50356f9243f6fe0b6f73de98603f53f90339c70e9d7ad08" },
};

static void
assert_sha256(struct span bytes, const char *want)
{
    uint8_t digest[SHA256_SIZE];
    struct assay_error err;

    assert_ok(digest_sha256(bytes, digest, &err), &err);
    assert_hex(span_of(digest, sizeof(digest)), want);
}

/* Rows come in pairs: the intermediate, then its ARK. */
static void
test_genuine_chains(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(chain_certs); i += 2) {
        struct cert *certs[2];
        struct buffer pem;
        size_t count = 0;
        struct assay_error err;

        vector_read(chain_certs[i].file, &pem);
        assert_status(
            pem_certs_decode(buffer_span(&pem), certs, 1, &count, &err),
            ASSAY_ERR_LIMIT);
        assert_ok(pem_certs_decode(buffer_span(&pem), certs, 2, &count, &err),
                  &err);
        assert_int_equal(count, 2);
        for (size_t j = 0; j < 2; j++) {
            const struct cert *cert = certs[j];

            assert_string_equal(cert_common_name(cert),
                                chain_certs[i + j].name);
            assert_hex(cert_serial(cert), chain_certs[i + j].serial);
            assert_sha256(cert_der(cert), chain_certs[i + j].der);
            assert_sha256(cert_spki(cert), chain_certs[i + j].spki);
            assert_int_equal(key_type(cert_key(cert)), KEY_RSA4096);
            assert_ok(cert_verify_signature(cert, cert_key(certs[1]), &err),
                      &err);
        }
        assert_status(cert_verify_signature(certs[1], cert_key(certs[0]), &err),
                      ASSAY_ERR_UNTRUSTED);
        cert_free(certs[0]);
        cert_free(certs[1]);
        buffer_free(&pem);
    }
}

/* What the ASK signed, and what the ARK signed about it. */
static void
test_genuine_leaf_and_crl_under_their_chain(void **state)
{
    struct cert *certs[2], *leaf = NULL;
    struct crl *crl = NULL;
    struct buffer pem, leaf_der, crl_bytes;
    size_t count = 0;
    struct assay_error err;

    (void)state;
    vector_read("snp/genoa-ask-ark.pem", &pem);
    vector_read("snp/genoa-v3-report-2.vcek.der", &leaf_der);
    vector_read("snp/genoa-crl-1.der", &crl_bytes);
    assert_ok(pem_certs_decode(buffer_span(&pem), certs, 2, &count, &err),
              &err);
    assert_ok(cert_parse(buffer_span(&leaf_der), &leaf, &err), &err);
    assert_ok(crl_parse(buffer_span(&crl_bytes), &crl, &err), &err);
    assert_ok(cert_verify_signature(leaf, cert_key(certs[0]), &err), &err);
    assert_status(cert_verify_signature(leaf, cert_key(certs[1]), &err),
                  ASSAY_ERR_UNTRUSTED);
    assert_ok(crl_verify_signature(crl, cert_key(certs[1]), &err), &err);
    assert_true(span_equal(crl_issuer(crl), cert_subject(certs[1])));
    assert_false(crl_is_revoked(crl, cert_serial(certs[0])));
    /* DER is taken as well as PEM. */
    cert_free(leaf);
    assert_ok(pem_certs_decode(buffer_span(&leaf_der), &leaf, 1, &count, &err),
              &err);
    assert_int_equal(count, 1);
    crl_free(crl);
    cert_free(leaf);
    cert_free(certs[0]);
    cert_free(certs[1]);
    buffer_free(&pem);
    buffer_free(&leaf_der);
    buffer_free(&crl_bytes);
}

static void
test_files_that_hold_no_certificates(void **state)
{
    struct cert *certs[2];
    size_t count = 7;
    struct assay_error err;

    (void)state;
    assert_status(pem_certs_decode(span_str("prose"), certs, 2, &count, &err),
                  ASSAY_ERR_NOT_FOUND);
    assert_status(pem_certs_decode(span_str(good), certs, 2, &count, &err),
                  ASSAY_ERR_MALFORMED);
    assert_status(
        pem_certs_decode(span_str("0garbage"), certs, 2, &count, &err),
        ASSAY_ERR_MALFORMED);
    assert_int_equal(count, 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_round_trip_of_every_length),
        cmocka_unit_test(test_line_length),
        cmocka_unit_test(test_writer_without_room_fails),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_keys_that_openssl_wrote),
        cmocka_unit_test(test_files_that_hold_no_single_key),
        cmocka_unit_test(test_private_keys_come_back),
        cmocka_unit_test(test_genuine_chains),
        cmocka_unit_test(test_genuine_leaf_and_crl_under_their_chain),
        cmocka_unit_test(test_files_that_hold_no_certificates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
