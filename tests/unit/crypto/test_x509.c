/* Certificates and CRLs: AMD's genuine ones, ours, and broken ones. */
#include "unit.h"
#include "vectors.h"

#include <openssl/err.h>

#include "base/arena.h"
#include "crypto/random.h"
#include "crypto/x509_build.h"

static struct key *ca_key, *leaf_key;
static struct arena arena;
static struct buffer ca_name, leaf_name;

static int
set_up(void **state)
{
    struct assay_error err;

    (void)state;
    arena_init(&arena, 1u << 20, NULL);
    buffer_init(&ca_name, 1024, NULL);
    buffer_init(&leaf_name, 1024, NULL);
    assert_ok(key_generate(KEY_RSA4096, &ca_key, &err), &err);
    assert_ok(key_generate(KEY_P384, &leaf_key, &err), &err);
    assert_ok(x509_name_common_name("Test CA", &ca_name, &err), &err);
    assert_ok(x509_name_common_name("leaf", &leaf_name, &err), &err);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    key_free(ca_key);
    key_free(leaf_key);
    buffer_free(&ca_name);
    buffer_free(&leaf_name);
    arena_drop(&arena);
    return 0;
}

static int
assert_queue_empty(void **state)
{
    (void)state;
    assert_int_equal(ERR_peek_error(), 0);
    return 0;
}

static struct cert *
parse(struct span der)
{
    struct cert *cert = NULL;
    struct assay_error err;

    assert_ok(cert_parse(der, &cert, &err), &err);
    return cert;
}

static struct span
hex_bytes(const char *hex, uint8_t *out)
{
    size_t len = strlen(hex) / 2;

    assert_true(hex_decode(span_str(hex), out, len));
    return span_of(out, len);
}

static void
assert_sha256(struct span bytes, const char *want)
{
    uint8_t digest[SHA256_SIZE];
    struct assay_error err;

    assert_ok(digest_sha256(bytes, digest, &err), &err);
    assert_hex(span_of(digest, sizeof(digest)), want);
}

/* --- genuine ------------------------------------------------------------- */

/* Chains are in PEM files, which another layer reads: see codec/test_pem.c. */
static void
test_vcek_of_milan(void **state)
{
    struct buffer der;
    struct cert *cert;
    struct cert_extension ext;
    const struct signature_facts *sig;

    (void)state;
    vector_read("snp/milan-v2-report-2.vcek.der", &der);
    cert = parse(buffer_span(&der));
    sig = cert_signature(cert);
    assert_int_equal(cert_version(cert), 3);
    assert_hex(cert_serial(cert), "00");
    assert_string_equal(cert_common_name(cert), "SEV-VCEK");
    assert_string_equal(cert_issuer_common_name(cert), "SEV-Milan");
    assert_int_equal(sig->alg, SIGNATURE_RSA_PSS_SHA384);
    assert_string_equal(sig->pss_hash, "SHA384");
    assert_string_equal(sig->pss_mgf_hash, "SHA384");
    assert_int_equal(sig->pss_salt, 48);
    assert_int_equal(sig->pss_trailer, 1);
    assert_int_equal(key_type(cert_key(cert)), KEY_P384);
    assert_false(cert_constraints(cert)->has_basic);
    assert_false(cert_constraints(cert)->has_key_usage);
    assert_int_equal(cert_not_after(cert) - cert_not_before(cert),
                     1901474623 - 1680549823);
    assert_true(cert_extension_get(cert, "1.3.6.1.4.1.3704.1.3.8", &ext));
    assert_false(ext.critical);
    assert_true(cert_extension_get(cert, "1.3.6.1.4.1.3704.1.4", &ext));
    assert_int_equal(ext.value.len, 64);
    assert_false(cert_extension_get(cert, "1.3.6.1.4.1.3704.1.5", &ext));
    assert_int_equal(cert_authority_key_id(cert).len, 0);
    cert_free(cert);
    buffer_free(&der);
}

static void
test_revoked_genoa_ask_and_its_crl(void **state)
{
    struct buffer ask_der, crl_bytes;
    struct cert *ask;
    struct crl *crl = NULL;
    struct crl_entry entry;
    struct assay_error err;

    (void)state;
    vector_read("snp/genoa-ask-revoked.der", &ask_der);
    vector_read("snp/genoa-crl-1.der", &crl_bytes);
    ask = parse(buffer_span(&ask_der));
    assert_ok(crl_parse(buffer_span(&crl_bytes), &crl, &err), &err);
    assert_sha256(cert_der(ask), "54467b96b8baf21dd42ef7162a62ec7812c5231ef301"
                                 "790e37a84b822ae6f459");
    assert_sha256(cert_spki(ask), "0dee0c846c77000ff39d65b9d51d8b31189426d6f2f5"
                                  "0858fb23b39718dd9c30");
    assert_hex(cert_serial(ask), "020001");
    assert_true(cert_constraints(ask)->is_ca);
    assert_int_equal(cert_constraints(ask)->path_len, 0);
    assert_int_equal(cert_constraints(ask)->key_usage, KEY_USAGE_CERT_SIGN);
    assert_int_equal(crl_version(crl), 2);
    assert_true(span_equal(crl_issuer(crl), cert_issuer(ask)));
    assert_string_equal(crl_issuer_common_name(crl), "ARK-Genoa");
    assert_hex(crl_number(crl), "02");
    assert_int_equal(crl_authority_key_id(crl).len, 20);
    assert_true(crl_has_next_update(crl));
    assert_int_equal(crl_entry_count(crl), 1);
    entry = crl_entry_at(crl, 0);
    assert_true(span_equal(entry.serial, cert_serial(ask)));
    assert_true(crl_is_revoked(crl, cert_serial(ask)));
    assert_false(crl_is_revoked(crl, span_of("\2\0\2", 3)));
    /* Right algorithm, wrong key. */
    assert_status(crl_verify_signature(crl, cert_key(ask), &err),
                  ASSAY_ERR_UNTRUSTED);
    assert_status(cert_verify_signature(ask, cert_key(ask), &err),
                  ASSAY_ERR_UNTRUSTED);
    crl_free(crl);
    cert_free(ask);
    buffer_free(&ask_der);
    buffer_free(&crl_bytes);
}

/* The signature over a genuine report, by the key of its VCEK. */
static void
test_report_signature_of_a_genuine_key(void **state)
{
    struct buffer der, report;
    struct cert *cert;
    uint8_t digest[SHA384_SIZE], r[48], s[48];
    struct assay_error err;

    (void)state;
    vector_read("snp/milan-v2-report-2.vcek.der", &der);
    vector_read("snp/milan-v2-report-2.bin", &report);
    cert = parse(buffer_span(&der));
    assert_int_equal(report.len, 1184);
    for (size_t i = 0; i < 48; i++) {
        r[i] = report.ptr[0x2a0 + 47 - i];
        s[i] = report.ptr[0x2a0 + 72 + 47 - i];
    }
    assert_ok(digest_sha384(span_of(report.ptr, 0x2a0), digest, &err), &err);
    assert_ok(key_verify_p384_raw(cert_key(cert), digest, r, s, &err), &err);
    digest[47] ^= 1;
    assert_status(key_verify_p384_raw(cert_key(cert), digest, r, s, &err),
                  ASSAY_ERR_UNTRUSTED);
    cert_free(cert);
    buffer_free(&der);
    buffer_free(&report);
}

/* CRL of Milan: empty, number 4 or 3. */
static void
test_empty_crl_of_milan(void **state)
{
    struct buffer der;
    struct crl *crl = NULL;
    struct assay_error err;

    (void)state;
    vector_read("snp/milan-crl-1.der", &der);
    assert_ok(crl_parse(buffer_span(&der), &crl, &err), &err);
    assert_int_equal(crl_entry_count(crl), 0);
    assert_false(crl_is_revoked(crl, span_of("\0", 1)));
    assert_int_equal(crl_signature(crl)->alg, SIGNATURE_RSA_PSS_SHA384);
    crl_free(crl);
    buffer_free(&der);
}

static void
check_truncations(const char *name, bool is_crl)
{
    struct buffer whole;
    struct assay_error err;

    vector_read(name, &whole);
    for (size_t len = 0; len < whole.len; len++) {
        /* In memory of its own size, where ASan sees one byte too far. */
        uint8_t *copy = malloc(len + 1);
        struct cert *cert = NULL;
        struct crl *crl = NULL;
        enum assay_status st;

        assert_non_null(copy);
        memcpy(copy, whole.ptr, len);
        st = is_crl ? crl_parse(span_of(copy, len), &crl, &err)
                    : cert_parse(span_of(copy, len), &cert, &err);
        free(copy);
        assert_status(st, ASSAY_ERR_MALFORMED);
        assert_true(!cert && !crl);
    }
    buffer_free(&whole);
}

static void
test_every_truncation_of_genuine_ones(void **state)
{
    (void)state;
    check_truncations("snp/turin-v5-report-1-aci.vcek.der", false);
    check_truncations("snp/genoa-ask-revoked.der", false);
    check_truncations("snp/genoa-crl-1.der", true);
}

/* Any bit of a certificate that flips is either noticed at once, or breaks
 * the signature: nothing in it is unsigned. */
static void
test_no_byte_is_outside_the_signature(void **state)
{
    struct x509_extensions x;
    struct buffer der;
    struct cert_spec spec = {
        .subject = buffer_span(&leaf_name),
        .random = &random_system,
        .not_before = 1700000000,
        .not_after = 1800000000,
        .key = leaf_key,
        .extensions = &x,
    };
    struct assay_error err;

    (void)state;
    buffer_init(&der, 8192, NULL);
    x509_extensions_init(&x, &arena);
    x509_add_basic_constraints(&x, true, 3);
    assert_ok(cert_build(&spec, &der, &err), &err);
    for (size_t i = 0; i < der.len; i++) {
        struct cert *cert = NULL;

        der.ptr[i] ^= 0x01;
        if (cert_parse(buffer_span(&der), &cert, &err) == ASSAY_OK)
            assert_true(cert_verify_signature(cert, leaf_key, &err) !=
                        ASSAY_OK);
        cert_free(cert);
        der.ptr[i] ^= 0x01;
    }
    buffer_free(&der);
}

/* --- ours ---------------------------------------------------------------- */

static struct cert_spec
leaf_spec(const struct x509_extensions *x)
{
    return (struct cert_spec){
        .subject = buffer_span(&leaf_name),
        .issuer = buffer_span(&ca_name),
        .random = &random_system,
        .not_before = 1700000000,
        .not_after = 1800000000,
        .key = leaf_key,
        .signer = ca_key,
        .alg = SIGNATURE_RSA_PSS_SHA384,
        .extensions = x,
    };
}

static struct cert *
build(const struct cert_spec *spec)
{
    struct buffer der;
    struct cert *cert;
    struct assay_error err;

    buffer_init(&der, 1u << 19, NULL);
    assert_ok(cert_build(spec, &der, &err), &err);
    cert = parse(buffer_span(&der));
    buffer_free(&der);
    return cert;
}

/* The shape of an AMD leaf: serial 0, no standard extensions, RDNs of two
 * string types in AMD's order, the trailer left out or spelled out. */
static void
test_amd_shaped_leaf(void **state)
{
    static const struct x509_attribute amd[] = {
        { "2.5.4.11", DER_UTF8_STRING, "Engineering" },
        { "2.5.4.6", DER_PRINTABLE_STRING, "US" },
        { "2.5.4.7", DER_UTF8_STRING, "Santa Clara" },
        { "2.5.4.8", DER_UTF8_STRING, "CA" },
        { "2.5.4.10", DER_UTF8_STRING, "Advanced Micro Devices" },
        { "2.5.4.3", DER_UTF8_STRING, "SEV-VCEK" },
    };
    struct x509_extensions x;
    struct cert_spec spec = leaf_spec(&x);
    struct buffer name, genuine;
    struct assay_error err;

    (void)state;
    buffer_init(&name, 1024, NULL);
    assert_ok(x509_name_encode(amd, COUNT(amd), &name, &err), &err);
    x509_extensions_init(&x, &arena);
    x509_add_raw(&x, "1.3.6.1.4.1.3704.1.4", false, span_str("raw octets"));
    spec.subject = buffer_span(&name);
    spec.serial = span_of("\0", 1);
    for (int trailer = 0; trailer < 2; trailer++) {
        struct cert *cert;

        spec.pss_trailer = trailer;
        cert = build(&spec);
        assert_hex(cert_serial(cert), "00");
        assert_string_equal(cert_common_name(cert), "SEV-VCEK");
        assert_int_equal(cert_signature(cert)->alg, SIGNATURE_RSA_PSS_SHA384);
        assert_int_equal(cert_extension_count(cert), 1);
        assert_ok(cert_verify_signature(cert, ca_key, &err), &err);
        assert_status(cert_verify_signature(cert, leaf_key, &err),
                      ASSAY_ERR_UNSUPPORTED);
        cert_free(cert);
    }
    /* Byte for byte the name AMD writes. */
    vector_read("snp/milan-v2-report-2.vcek.der", &genuine);
    {
        struct cert *cert = parse(buffer_span(&genuine));

        assert_true(span_equal(cert_subject(cert), buffer_span(&name)));
        cert_free(cert);
    }
    buffer_free(&genuine);
    buffer_free(&name);
}

static void
test_serial_numbers(void **state)
{
    static const struct {
        const char *given;
        const char *want;
    } cases[] = {
        { "00", "00" },
        { "01", "01" },
        { "80", "80" },
        { "0001", "01" },
        { "010000", "010000" },
        { "7fffffffffffffffffffffffffffffffffffffff",
          "7fffffffffffffffffffffffffffffffffffffff" },
    };
    struct cert_spec spec = leaf_spec(NULL);
    struct buffer none;
    struct assay_error err;
    uint8_t bytes[24] = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cert *cert;

        spec.serial = hex_bytes(cases[i].given, bytes);
        cert = build(&spec);
        assert_hex(cert_serial(cert), cases[i].want);
        cert_free(cert);
    }
    buffer_init(&none, 8192, NULL);
    spec.serial = span_of(bytes, 21);
    assert_status(cert_build(&spec, &none, &err), ASSAY_ERR_LIMIT);
    assert_int_equal(none.len, 0);
    buffer_free(&none);
}

static void
test_random_serials_differ(void **state)
{
    struct cert_spec spec = leaf_spec(NULL);
    struct cert *a = build(&spec), *b = build(&spec);

    (void)state;
    assert_false(span_equal(cert_serial(a), cert_serial(b)));
    assert_true(cert_serial(a).len <= 16 && cert_serial(a).len >= 12);
    cert_free(a);
    cert_free(b);
}

static void
test_standard_extensions_come_back(void **state)
{
    const struct x509_alt_name names[] = {
        { X509_ALT_DNS, span_str("*") },
        { X509_ALT_URI, span_str("spiffe://x/y") },
        { X509_ALT_IP, span_of("\x7f\0\0\1", 4) },
    };
    struct x509_extensions x;
    struct cert_spec spec = leaf_spec(&x);
    struct cert_extension ext;
    struct cert *cert;

    (void)state;
    x509_extensions_init(&x, &arena);
    x509_add_basic_constraints(&x, true, 0);
    x509_add_key_usage(&x, KEY_USAGE_CERT_SIGN | KEY_USAGE_CRL_SIGN);
    x509_add_tls_ext_key_usage(&x);
    x509_add_subject_key_id(&x, span_str("subject"));
    x509_add_authority_key_id(&x, span_str("authority"));
    x509_add_alt_names(&x, names, COUNT(names));
    cert = build(&spec);
    assert_true(cert_constraints(cert)->is_ca);
    assert_int_equal(cert_constraints(cert)->path_len, 0);
    assert_int_equal(cert_constraints(cert)->key_usage,
                     KEY_USAGE_CERT_SIGN | KEY_USAGE_CRL_SIGN);
    assert_true(span_equal_str(cert_subject_key_id(cert), "subject"));
    assert_true(span_equal_str(cert_authority_key_id(cert), "authority"));
    assert_true(cert_extension_get(cert, "2.5.29.19", &ext) && ext.critical);
    assert_hex(ext.value, "30060101ff020100");
    assert_true(cert_extension_get(cert, "2.5.29.15", &ext) && ext.critical);
    assert_hex(ext.value, "03020106");
    assert_true(cert_extension_get(cert, "2.5.29.37", &ext) && !ext.critical);
    assert_hex(ext.value, "301406082b06010505070302"
                          "06082b06010505070301");
    assert_true(cert_extension_get(cert, "2.5.29.17", &ext) && !ext.critical);
    assert_hex(ext.value, "3017"
                          "82012a"
                          "860c7370696666653a2f2f782f79"
                          "87047f000001");
    cert_free(cert);
}

static void
test_times_beyond_2049(void **state)
{
    static const int64_t instants[] = {
        -631152000, /* 1950-01-01T00:00:00Z */
        0,
        2524607999, /* 2049-12-31T23:59:59Z */
        2524608000,
        4102444800,   /* 2100 */
        253402300799, /* 9999-12-31T23:59:59Z */
    };
    struct cert_spec spec = leaf_spec(NULL);
    struct buffer none;
    struct assay_error err;

    (void)state;
    for (size_t i = 0; i < COUNT(instants); i++) {
        struct cert *cert;

        spec.not_after = instants[i];
        cert = build(&spec);
        assert_true(cert_not_after(cert) == instants[i]);
        cert_free(cert);
    }
    buffer_init(&none, 8192, NULL);
    spec.not_after = 253402300800; /* the year 10000 */
    assert_status(cert_build(&spec, &none, &err), ASSAY_ERR_LIMIT);
    spec.not_after = INT64_MIN;
    assert_status(cert_build(&spec, &none, &err), ASSAY_ERR_LIMIT);
    buffer_free(&none);
}

static void
test_names_pick_their_string_type(void **state)
{
    struct buffer name;
    struct assay_error err;
    const struct x509_attribute bad = { "2.5.4.3", DER_PRINTABLE_STRING, "*" };

    (void)state;
    buffer_init(&name, 256, NULL);
    assert_ok(x509_name_common_name("Contrast", &name, &err), &err);
    assert_hex(buffer_span(&name),
               "30133111300f06035504031308436f6e7472617374");
    buffer_clear(&name);
    assert_ok(x509_name_common_name("*", &name, &err), &err);
    assert_hex(buffer_span(&name), "300c310a300806035504030c012a");
    buffer_clear(&name);
    assert_ok(x509_name_common_name("", &name, &err), &err);
    assert_hex(buffer_span(&name), "3000");
    assert_status(x509_name_encode(&bad, 1, &name, &err), ASSAY_ERR_MALFORMED);
    buffer_free(&name);
}

/* CI 1.4: evidence of any size fits, and nothing else is in the way. */
static void
test_evidence_sized_extension(void **state)
{
    static uint8_t evidence[60 * 1024];
    struct x509_extensions x;
    struct cert_spec spec = leaf_spec(&x);
    struct cert_extension ext;
    struct cert *cert;

    (void)state;
    memset(evidence, 0x5a, sizeof(evidence));
    x509_extensions_init(&x, &arena);
    x509_add_raw(&x, "1.3.9901.2.1", false,
                 span_of(evidence, sizeof(evidence)));
    cert = build(&spec);
    assert_true(cert_extension_get(cert, "1.3.9901.2.1", &ext));
    assert_int_equal(ext.value.len, sizeof(evidence));
    cert_free(cert);
}

static void
test_crl_round_trip(void **state)
{
    static const struct crl_entry entries[] = {
        { { (const uint8_t *)"\1\2\3", 3 }, 1700000000 },
        { { (const uint8_t *)"\xff", 1 }, 1700000001 },
    };
    struct x509_extensions x;
    struct crl_spec spec = {
        .issuer = buffer_span(&ca_name),
        .this_update = 1700000000,
        .next_update = 1731536000,
        .entries = entries,
        .signer = ca_key,
        .alg = SIGNATURE_RSA_PSS_SHA384,
        .pss_trailer = true,
        .extensions = &x,
    };
    struct assay_error err;

    (void)state;
    x509_extensions_init(&x, &arena);
    x509_add_authority_key_id(&x, span_str("key id"));
    x509_add_crl_number(&x, 300);
    for (size_t n = 0; n <= COUNT(entries); n++) {
        struct buffer der;
        struct crl *crl = NULL;

        buffer_init(&der, 8192, NULL);
        spec.entry_count = n;
        assert_ok(crl_build(&spec, &der, &err), &err);
        assert_ok(crl_parse(buffer_span(&der), &crl, &err), &err);
        assert_ok(crl_verify_signature(crl, ca_key, &err), &err);
        assert_int_equal(crl_entry_count(crl), n);
        assert_int_equal(crl_is_revoked(crl, entries[0].serial), n > 0);
        assert_int_equal(crl_is_revoked(crl, entries[1].serial), n > 1);
        assert_hex(crl_number(crl), "012c");
        assert_true(span_equal_str(crl_authority_key_id(crl), "key id"));
        assert_true(crl_this_update(crl) == 1700000000);
        assert_true(crl_next_update(crl) == 1731536000);
        crl_free(crl);
        buffer_free(&der);
    }
}

static void
test_critical_crl_extension_is_refused(void **state)
{
    struct x509_extensions x;
    struct crl_spec spec = {
        .issuer = buffer_span(&ca_name),
        .this_update = 1700000000,
        .next_update = 1731536000,
        .signer = ca_key,
        .extensions = &x,
    };
    struct buffer der;
    struct crl *crl = NULL;
    struct assay_error err;

    (void)state;
    buffer_init(&der, 8192, NULL);
    x509_extensions_init(&x, &arena);
    x509_add_raw(&x, "2.5.29.27", true, span_of("\2\1\1", 3)); /* delta */
    assert_ok(crl_build(&spec, &der, &err), &err);
    assert_status(crl_parse(buffer_span(&der), &crl, &err),
                  ASSAY_ERR_UNSUPPORTED);
    buffer_free(&der);
}

/* --- broken -------------------------------------------------------------- */

/* One extension of a certificate that is fine otherwise. */
static const struct {
    const char *rule;
    const char *oid;
    const char *value_hex;
} broken_extensions[] = {
    { "cA is no SEQUENCE", "2.5.29.19", "0101ff" },
    { "trailing bytes behind basicConstraints", "2.5.29.19", "30030101ff00" },
    { "path length without cA", "2.5.29.19", "3003020100" },
    { "negative path length", "2.5.29.19", "30060101ff0201ff" },
    { "huge path length", "2.5.29.19", "300a0101ff020500ffffffff" },
    { "cA true is not ff", "2.5.29.19", "3003010101" },
    { "keyUsage is no BIT STRING", "2.5.29.15", "040106" },
    { "keyUsage is too long", "2.5.29.15", "03050001020304" },
    { "trailing byte behind keyUsage", "2.5.29.15", "0302010600" },
    { "subjectKeyIdentifier unwrapped", "2.5.29.14", "3000" },
    { "authorityKeyIdentifier unwrapped", "2.5.29.35", "040101" },
    { "authorityKeyIdentifier with trailing byte", "2.5.29.35", "300000" },
};

static void
test_broken_extensions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(broken_extensions); i++) {
        uint8_t value[32] = { 0 };
        struct x509_extensions x;
        struct cert_spec spec = leaf_spec(&x);
        struct cert *cert = NULL;
        struct buffer der;
        struct assay_error err;

        spec.signer = leaf_key; /* faster */
        spec.alg = SIGNATURE_OTHER;
        buffer_init(&der, 8192, NULL);
        x509_extensions_init(&x, &arena);
        x509_add_raw(&x, broken_extensions[i].oid, true,
                     hex_bytes(broken_extensions[i].value_hex, value));
        assert_ok(cert_build(&spec, &der, &err), &err);
        if (cert_parse(buffer_span(&der), &cert, &err) != ASSAY_ERR_MALFORMED)
            fail_msg("%s: not refused", broken_extensions[i].rule);
        assert_null(cert);
        buffer_free(&der);
    }
}

static void
test_extension_twice_is_refused(void **state)
{
    struct x509_extensions x;
    struct cert_spec spec = leaf_spec(&x);
    struct cert *cert = NULL;
    struct buffer der;
    struct assay_error err;

    (void)state;
    buffer_init(&der, 8192, NULL);
    x509_extensions_init(&x, &arena);
    x509_add_raw(&x, "1.2.3.4", false, span_str("one"));
    x509_add_raw(&x, "1.2.3.5", false, span_str("other"));
    x509_add_raw(&x, "1.2.3.4", false, span_str("one"));
    assert_ok(cert_build(&spec, &der, &err), &err);
    assert_status(cert_parse(buffer_span(&der), &cert, &err),
                  ASSAY_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "1.2.3.4"));
    buffer_free(&der);
}

static void
test_too_many_extensions_do_not_build(void **state)
{
    struct x509_extensions x;
    struct cert_spec spec = leaf_spec(&x);
    struct buffer der;
    struct assay_error err;

    (void)state;
    buffer_init(&der, 8192, NULL);
    x509_extensions_init(&x, &arena);
    for (int i = 0; i <= X509_EXTENSIONS_MAX; i++)
        x509_add_raw(&x, "1.2.3.4", false, span_str("one"));
    assert_true(x.failed);
    assert_status(cert_build(&spec, &der, &err), ASSAY_ERR_NOMEM);
    buffer_free(&der);
}

/* Replaces the one place where from stands; lengths are equal. */
static void
patch(struct buffer *b, size_t skip, const char *from_hex, const char *to_hex)
{
    uint8_t from[64], to[64];
    struct span f = hex_bytes(from_hex, from), t = hex_bytes(to_hex, to);

    assert_int_equal(f.len, t.len);
    for (size_t i = 0; i + f.len <= b->len; i++) {
        if (memcmp(b->ptr + i, f.ptr, f.len) == 0 && skip-- == 0) {
            memcpy(b->ptr + i, t.ptr, t.len);
            return;
        }
    }
    fail_msg("%s is not there", from_hex);
}

static const struct {
    const char *rule;
    size_t skip;
    const char *from, *to;
    enum assay_status want;
} broken_bytes[] = {
    { "nothing changed", 0, "0c046c656166", "0c046c656166", ASSAY_OK },
    { "negative serial", 0, "020105", "020185", ASSAY_ERR_MALFORMED },
    { "inner algorithm differs", 0, "06082a8648ce3d040303",
      "06082a8648ce3d040302", ASSAY_ERR_MALFORMED },
    { "outer algorithm differs", 1, "06082a8648ce3d040303",
      "06082a8648ce3d040302", ASSAY_ERR_MALFORMED },
    { "time without Z", 0,
      "323331313134323231333230"
      "5a",
      "323331313134323231333230"
      "30",
      ASSAY_ERR_MALFORMED },
    { "month 13", 0,
      "323331313134323231333230"
      "5a",
      "323331333134323231333230"
      "5a",
      ASSAY_ERR_MALFORMED },
    { "extensions in version 2", 0, "a003020102", "a003020101",
      ASSAY_ERR_MALFORMED },
    { "explicit tag of the version", 0, "a003020102", "a103020102",
      ASSAY_ERR_MALFORMED },
    { "critical FALSE is not 00", 0, "0101ff", "010101", ASSAY_ERR_MALFORMED },
};

static void
test_broken_bytes(void **state)
{
    struct x509_extensions x;
    struct cert_spec spec = leaf_spec(&x);

    (void)state;
    spec.signer = leaf_key;
    spec.alg = SIGNATURE_OTHER;
    spec.serial = span_of("\5", 1);
    x509_extensions_init(&x, &arena);
    x509_add_raw(&x, "1.2.3.4", true, span_str("one"));
    for (size_t i = 0; i < COUNT(broken_bytes); i++) {
        struct cert *cert = NULL;
        struct buffer der;
        struct assay_error err;
        enum assay_status st;

        buffer_init(&der, 8192, NULL);
        assert_ok(cert_build(&spec, &der, &err), &err);
        if (i > 0)
            patch(&der, broken_bytes[i].skip, broken_bytes[i].from,
                  broken_bytes[i].to);
        st = cert_parse(buffer_span(&der), &cert, &err);
        if (st != broken_bytes[i].want)
            fail_msg("%s: got %s", broken_bytes[i].rule, assay_status_name(st));
        cert_free(cert);
        buffer_free(&der);
    }
}

static void
test_trailing_and_oversized(void **state)
{
    struct cert_spec spec = leaf_spec(NULL);
    struct cert *cert = NULL;
    struct crl *crl = NULL;
    struct buffer der;
    struct assay_error err;
    uint8_t *big = calloc(1, 2u << 20);

    (void)state;
    assert_non_null(big);
    buffer_init(&der, 8192, NULL);
    assert_ok(cert_build(&spec, &der, &err), &err);
    buffer_add(&der, span_of("\0", 1));
    assert_status(cert_parse(buffer_span(&der), &cert, &err),
                  ASSAY_ERR_MALFORMED);
    assert_status(cert_parse(span_of(big, 2u << 20), &cert, &err),
                  ASSAY_ERR_LIMIT);
    assert_status(crl_parse(span_of(big, 2u << 20), &crl, &err),
                  ASSAY_ERR_LIMIT);
    /* One is not the other. */
    assert_status(crl_parse(span_of(der.ptr, der.len - 1), &crl, &err),
                  ASSAY_ERR_MALFORMED);
    free(big);
    buffer_free(&der);
}

static void
test_sharing(void **state)
{
    struct cert_spec spec = leaf_spec(NULL);
    struct cert *cert = build(&spec);
    struct cert *again = cert_dup(cert);

    (void)state;
    cert_free(cert);
    assert_string_equal(cert_common_name(again), "leaf");
    cert_free(again);
    cert_free(NULL);
    crl_free(NULL);
}

#define TEST(f) cmocka_unit_test_teardown(f, assert_queue_empty)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_vcek_of_milan),
        TEST(test_revoked_genoa_ask_and_its_crl),
        TEST(test_report_signature_of_a_genuine_key),
        TEST(test_empty_crl_of_milan),
        TEST(test_every_truncation_of_genuine_ones),
        TEST(test_no_byte_is_outside_the_signature),
        TEST(test_amd_shaped_leaf),
        TEST(test_serial_numbers),
        TEST(test_random_serials_differ),
        TEST(test_standard_extensions_come_back),
        TEST(test_times_beyond_2049),
        TEST(test_names_pick_their_string_type),
        TEST(test_evidence_sized_extension),
        TEST(test_crl_round_trip),
        TEST(test_critical_crl_extension_is_refused),
        TEST(test_broken_extensions),
        TEST(test_extension_twice_is_refused),
        TEST(test_too_many_extensions_do_not_build),
        TEST(test_broken_bytes),
        TEST(test_trailing_and_oversized),
        TEST(test_sharing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
