/* Fails each allocation of OpenSSL in turn. All of crypto/ allocates through
 * it, so this reaches every error path: none may crash, leak, succeed, leave
 * something in OpenSSL's queue, or take lack of memory for a verdict. */
#include "unit.h"

#include <openssl/err.h>

#include "base/arena.h"
#include "crypto/hkdf.h"
#include "crypto/hmac.h"
#include "crypto/random.h"
#include "crypto/x509_build.h"

#include "ossl_alloc.h"

/* --- material, made before anything fails -------------------------------- */

static struct key *p384, *rsa;
static struct secret p384_pkcs8, rsa_pkcs1;
static struct buffer name, cert_bytes, crl_bytes, sig, pss_sig;
static struct cert *cert;
static struct arena arena;
static struct x509_extensions extensions;
static uint8_t digest[SHA384_SIZE] = { 1 }, raw_r[48], raw_s[48];

static struct cert_spec
cert_example(void)
{
    return (struct cert_spec){
        .subject = buffer_span(&name),
        .random = &random_system,
        .not_before = 1700000000,
        .not_after = 1800000000,
        .key = p384,
        .extensions = &extensions,
    };
}

static struct crl_spec
crl_example(void)
{
    static const struct crl_entry entry = { { (const uint8_t *)"\1\2\3", 3 },
                                            1700000000 };

    return (struct crl_spec){
        .issuer = buffer_span(&name),
        .this_update = 1700000000,
        .next_update = 1731536000,
        .entries = &entry,
        .entry_count = 1,
        .signer = p384,
    };
}

static int
set_up(void **state)
{
    struct cert_spec spec;
    struct crl_spec list;
    struct assay_error err;

    (void)state;
    arena_init(&arena, 1u << 16, NULL);
    buffer_init(&name, 1024, NULL);
    buffer_init(&cert_bytes, 8192, NULL);
    buffer_init(&crl_bytes, 8192, NULL);
    buffer_init(&sig, 1024, NULL);
    buffer_init(&pss_sig, 1024, NULL);
    x509_extensions_init(&extensions, &arena);
    x509_add_basic_constraints(&extensions, true, 1);
    x509_add_key_usage(&extensions, KEY_USAGE_CERT_SIGN);
    x509_add_subject_key_id(&extensions, span_str("id"));
    x509_add_authority_key_id(&extensions, span_str("id"));
    assert_ok(key_generate(KEY_P384, &p384, &err), &err);
    assert_ok(key_generate(KEY_RSA4096, &rsa, &err), &err);
    assert_ok(key_pkcs8_der(p384, &p384_pkcs8, &err), &err);
    assert_ok(key_legacy_der(rsa, &rsa_pkcs1, &err), &err);
    assert_ok(x509_name_common_name("name", &name, &err), &err);
    spec = cert_example();
    list = crl_example();
    assert_ok(cert_build(&spec, &cert_bytes, &err), &err);
    assert_ok(crl_build(&list, &crl_bytes, &err), &err);
    assert_ok(cert_parse(buffer_span(&cert_bytes), &cert, &err), &err);
    assert_ok(key_sign(p384, SIGNATURE_ECDSA_SHA384, span_str("m"), &sig, &err),
              &err);
    assert_ok(
        key_sign(rsa, SIGNATURE_RSA_PSS_SHA384, span_str("m"), &pss_sig, &err),
        &err);
    assert_ok(key_sign_p384_raw(p384, digest, raw_r, raw_s, &err), &err);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    cert_free(cert);
    key_free(p384);
    key_free(rsa);
    secret_wipe(&p384_pkcs8);
    secret_wipe(&rsa_pkcs1);
    buffer_free(&name);
    buffer_free(&cert_bytes);
    buffer_free(&crl_bytes);
    buffer_free(&sig);
    buffer_free(&pss_sig);
    arena_drop(&arena);
    return 0;
}

/* --- operations ---------------------------------------------------------- */

static enum assay_status
do_digest(struct assay_error *err)
{
    uint8_t out[SHA384_SIZE];

    return digest_sha384(span_str("x"), out, err);
}

static enum assay_status
do_hkdf(struct assay_error *err)
{
    uint8_t out[64];

    return hkdf_sha256(span_str("a"), span_str("b"), span_str("c"), out, 64,
                       err);
}

static enum assay_status
do_deterministic(struct assay_error *err)
{
    struct key *key = NULL;
    enum assay_status st = key_deterministic_p384(span_str("seed"), &key, err);

    key_free(key);
    return st;
}

static enum assay_status
do_recover(struct assay_error *err)
{
    struct key *key = NULL;
    enum assay_status st = key_recover_p384_constant(digest, &key, err);

    key_free(key);
    return st;
}

static enum assay_status
do_generate(struct assay_error *err)
{
    struct key *key = NULL;
    enum assay_status st = key_generate(KEY_P256, &key, err);

    key_free(key);
    return st;
}

static enum assay_status
do_private_ec(struct assay_error *err)
{
    struct key *key = NULL;
    enum assay_status st =
        key_from_private_der(secret_span(&p384_pkcs8), &key, err);

    key_free(key);
    return st;
}

static enum assay_status
read_public(struct span spki, struct assay_error *err)
{
    struct key *key = NULL;
    enum assay_status st = key_from_spki_der(spki, &key, err);

    key_free(key);
    return st;
}

static enum assay_status
do_public_ec(struct assay_error *err)
{
    return read_public(key_spki(p384), err);
}

static enum assay_status
do_public_rsa(struct assay_error *err)
{
    return read_public(key_spki(rsa), err);
}

static enum assay_status
do_private_rsa(struct assay_error *err)
{
    struct key *key = NULL;
    enum assay_status st =
        key_from_private_der(secret_span(&rsa_pkcs1), &key, err);

    key_free(key);
    return st;
}

static enum assay_status
do_encode_ec(struct assay_error *err)
{
    struct secret der = { 0 };
    enum assay_status st = key_pkcs8_der(p384, &der, err);

    secret_wipe(&der);
    return st;
}

static enum assay_status
do_encode_rsa(struct assay_error *err)
{
    struct secret der = { 0 };
    enum assay_status st = key_legacy_der(rsa, &der, err);

    secret_wipe(&der);
    return st;
}

static enum assay_status
do_scalar(struct assay_error *err)
{
    struct secret d = { 0 };
    enum assay_status st = key_private_scalar_p384(p384, &d, err);

    secret_wipe(&d);
    return st;
}

static enum assay_status
do_sign(struct assay_error *err)
{
    struct buffer out;
    enum assay_status st;

    buffer_init(&out, 1024, NULL);
    st = key_sign(rsa, SIGNATURE_RSA_PSS_SHA384, span_str("m"), &out, err);
    if (st == ASSAY_OK)
        st = key_sign_digest(p384, span_of(digest, sizeof(digest)), &out, err);
    buffer_free(&out);
    return st;
}

static enum assay_status
do_verify(struct assay_error *err)
{
    return key_verify(p384, SIGNATURE_ECDSA_SHA384, span_str("m"),
                      buffer_span(&sig), err);
}

static enum assay_status
do_verify_pss(struct assay_error *err)
{
    return key_verify(rsa, SIGNATURE_RSA_PSS_SHA384, span_str("m"),
                      buffer_span(&pss_sig), err);
}

static enum assay_status
do_verify_raw(struct assay_error *err)
{
    return key_verify_p384_raw(p384, digest, raw_r, raw_s, err);
}

static enum assay_status
do_oaep(struct assay_error *err)
{
    struct secret back = { 0 };
    struct buffer out;
    enum assay_status st;

    buffer_init(&out, 1024, NULL);
    st = key_oaep_encrypt(rsa, span_str("l"), span_str("m"), &out, err);
    if (st == ASSAY_OK)
        st =
            key_oaep_decrypt(rsa, span_str("l"), buffer_span(&out), &back, err);
    secret_wipe(&back);
    buffer_free(&out);
    return st;
}

static enum assay_status
do_cert_parse(struct assay_error *err)
{
    struct cert *parsed = NULL;
    enum assay_status st = cert_parse(buffer_span(&cert_bytes), &parsed, err);

    if (st == ASSAY_OK)
        assert_string_equal(cert_common_name(parsed), "name");
    cert_free(parsed);
    return st;
}

static enum assay_status
do_crl_parse(struct assay_error *err)
{
    struct crl *parsed = NULL;
    enum assay_status st = crl_parse(buffer_span(&crl_bytes), &parsed, err);

    crl_free(parsed);
    return st;
}

static enum assay_status
do_cert_verify(struct assay_error *err)
{
    return cert_verify_signature(cert, p384, err);
}

static enum assay_status
do_cert_build(struct assay_error *err)
{
    struct cert_spec spec = cert_example();
    struct buffer out;
    enum assay_status st;

    buffer_init(&out, 8192, NULL);
    st = cert_build(&spec, &out, err);
    buffer_free(&out);
    return st;
}

static enum assay_status
do_crl_build(struct assay_error *err)
{
    struct crl_spec spec = crl_example();
    struct buffer out;
    enum assay_status st;

    buffer_init(&out, 8192, NULL);
    st = crl_build(&spec, &out, err);
    buffer_free(&out);
    return st;
}

static enum assay_status
do_key_id(struct assay_error *err)
{
    uint8_t id[X509_KEY_ID_SIZE];

    return x509_key_id(p384, id, err);
}

static const struct {
    const char *name;
    enum assay_status (*run)(struct assay_error *err);
} operations[] = {
    { "digest", do_digest },
    { "hkdf", do_hkdf },
    { "deterministic key", do_deterministic },
    { "key recovery", do_recover },
    { "key generation", do_generate },
    { "public key, EC", do_public_ec },
    { "public key, RSA", do_public_rsa },
    { "private key, EC", do_private_ec },
    { "private key, RSA", do_private_rsa },
    { "encode EC", do_encode_ec },
    { "encode RSA", do_encode_rsa },
    { "scalar", do_scalar },
    { "sign", do_sign },
    { "verify", do_verify },
    { "verify PSS", do_verify_pss },
    { "verify raw", do_verify_raw },
    { "OAEP", do_oaep },
    { "certificate", do_cert_parse },
    { "CRL", do_crl_parse },
    { "certificate's signature", do_cert_verify },
    { "build a certificate", do_cert_build },
    { "build a CRL", do_crl_build },
    { "key identifier", do_key_id },
};

static void
fail_each(size_t op)
{
    struct assay_error err;
    /* Twice without failing: caches fill, and then no longer grow. */
    assert_ok(operations[op].run(&err), &err);
    assert_ok(operations[op].run(&err), &err);
    ERR_clear_error();
    /* Each of the first hundred, then ever fewer: OpenSSL's decoders make
     * thousands of the same kind. */
    for (size_t n = 0; n < 100000; n += 1 + n / 100) {
        size_t before = ossl_live;
        enum assay_status st;

        ossl_calls = 0;
        ossl_fail_at = n;
        err.text[0] = '\0';
        st = operations[op].run(&err);
        ossl_fail_at = SIZE_MAX;
        if (ERR_peek_error() != 0)
            fail_msg("%s: allocation %zu: queue", operations[op].name, n);
        ERR_clear_error(); /* frees what the queue keeps for its next use */
        if (ossl_calls <= n) {
            assert_ok(st, &err);
            print_message("%s: %zu allocations\n", operations[op].name, n);
            return;
        }
        /* OpenSSL 3.0 itself loses up to two blocks on a few of its paths. */
        if (ossl_live > before + 2)
            fail_msg("%s: allocation %zu: %zu leaked", operations[op].name, n,
                     ossl_live - before);
        if (st != ASSAY_OK && st != ASSAY_ERR_NOMEM)
            fail_msg("%s: allocation %zu: %s: %s", operations[op].name, n,
                     assay_status_name(st), err.text);
    }
    fail_msg("%s: no end", operations[op].name);
}

static void
test_every_operation(void **state)
{
    struct key *key = NULL;
    struct assay_error err;

    (void)state;
    /* So that the queue itself and its texts are there. */
    assert_status(key_from_spki_der(span_of("\x30\0", 2), &key, &err),
                  ASSAY_ERR_MALFORMED);
    for (size_t op = 0; op < COUNT(operations); op++)
        fail_each(op);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_operation),
    };

    if (!ossl_alloc_hook())
        return 1;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
