#include "unit.h"

#include <stdio.h>

#include "temp_dir.h"

#include "base/file.h"
#include "codec/pem_key.h"
#include "crypto/random.h"
#include "service/ca.h"
#include "service/ca_claims.h"

enum { NOW = 1700000000 }; /* 2023-11-14T22:13:20Z */

static struct key *root_key, *mesh_key, *peer_key;
static struct ca *ca;

static int
set_up(void **state)
{
    struct assay_error err;

    (void)state;
    assert_ok(key_generate(KEY_P384, &root_key, &err), &err);
    assert_ok(key_generate(KEY_P384, &mesh_key, &err), &err);
    assert_ok(key_generate(KEY_P256, &peer_key, &err), &err);
    assert_ok(ca_new(root_key, mesh_key, NOW, &random_system, NULL, &ca, &err),
              &err);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    ca_free(ca);
    key_free(root_key);
    key_free(mesh_key);
    key_free(peer_key);
    return 0;
}

static struct cert *
one_cert(struct span pem)
{
    struct cert *cert = NULL;
    size_t count;
    struct assay_error err;

    assert_ok(pem_certs_decode(pem, &cert, 1, &count, &err), &err);
    return cert;
}

static void
assert_critical(const struct cert *cert, const char *oid)
{
    struct cert_extension ext;

    assert_true(cert_extension_get(cert, oid, &ext));
    assert_true(ext.critical);
}

/* The columns of CI 10.1. */
static void
check_ca_cert(const struct cert *cert, const char *subject, const char *issuer,
              const struct key *key, const struct key *signer)
{
    struct assay_error err;

    assert_string_equal(cert_common_name(cert), subject);
    assert_string_equal(cert_issuer_common_name(cert), issuer);
    assert_true(key_equal_public(cert_key(cert), key));
    assert_ok(cert_verify_signature(cert, signer, &err), &err);
    assert_int_equal(cert_signature(cert)->alg, SIGNATURE_ECDSA_SHA384);
    assert_int_equal(cert_not_before(cert), NOW - 3600);
    assert_int_equal(cert_not_after(cert), 2015619200); /* 2033-11-14 */
    assert_true(cert_constraints(cert)->is_ca);
    assert_int_equal(cert_constraints(cert)->path_len, -1);
    assert_int_equal(cert_constraints(cert)->key_usage,
                     KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_CERT_SIGN);
    assert_critical(cert, "2.5.29.19");
    assert_critical(cert, "2.5.29.15");
    assert_int_equal(cert_subject_key_id(cert).len, 20);
}

static void
test_ca_certificates(void **state)
{
    static const char root_cn[] = "system:coordinator:root";
    static const char mesh_cn[] = "system:coordinator:intermediate";
    struct cert *root = one_cert(ca_root_pem(ca));
    struct cert *inter = one_cert(ca_intermediate_pem(ca));
    struct cert *mesh = one_cert(ca_mesh_pem(ca));

    (void)state;
    check_ca_cert(root, root_cn, root_cn, root_key, root_key);
    check_ca_cert(inter, mesh_cn, root_cn, mesh_key, root_key);
    check_ca_cert(mesh, mesh_cn, mesh_cn, mesh_key, mesh_key);
    assert_int_equal(cert_authority_key_id(root).len, 0);
    assert_int_equal(cert_authority_key_id(mesh).len, 0);
    assert_true(
        span_equal(cert_authority_key_id(inter), cert_subject_key_id(root)));
    assert_true(
        span_equal(cert_subject_key_id(inter), cert_subject_key_id(mesh)));
    assert_false(span_equal(cert_serial(root), cert_serial(mesh)));
    cert_free(root);
    cert_free(inter);
    cert_free(mesh);
}

/* The leaf, first of the two certificates that are issued. */
static struct cert *
issue(const struct ca_leaf *leaf)
{
    struct cert *certs[2];
    struct buffer pem;
    size_t count = 0;
    struct assay_error err;

    buffer_init(&pem, 1u << 18, NULL);
    assert_ok(ca_issue(ca, leaf, NOW, &random_system, &pem, &err), &err);
    assert_ok(pem_certs_decode(buffer_span(&pem), certs, 2, &count, &err),
              &err);
    assert_int_equal(count, 2);
    assert_string_equal(cert_issuer_common_name(certs[1]),
                        "system:coordinator:root");
    cert_free(certs[1]);
    buffer_free(&pem);
    return certs[0];
}

static void
test_leaf(void **state)
{
    const struct span names[] = { span_str("web"), span_str("*") };
    const struct cert_extension claims[] = {
        { "1.3.9901.2.1.1", false, span_of("\2\1\3", 3) },
    };
    const struct ca_leaf leaf = {
        .key = peer_key,
        .names = names,
        .name_count = 2,
        .claims = claims,
        .claim_count = 1,
        .workload_secret_id = span_str("web-id"),
    };
    struct cert *cert = issue(&leaf);
    struct cert *mesh = one_cert(ca_mesh_pem(ca));
    struct cert_extension ext;
    struct assay_error err;

    (void)state;
    assert_string_equal(cert_common_name(cert), "web");
    assert_string_equal(cert_issuer_common_name(cert),
                        "system:coordinator:intermediate");
    assert_true(key_equal_public(cert_key(cert), peer_key));
    assert_int_equal(cert_not_before(cert), NOW - 3600);
    assert_int_equal(cert_not_after(cert), 1731622400); /* 2024-11-14 */
    assert_ok(cert_verify_signature(cert, mesh_key, &err), &err);
    assert_false(cert_constraints(cert)->is_ca);
    assert_critical(cert, "2.5.29.19");
    assert_critical(cert, "2.5.29.15");
    assert_int_equal(cert_constraints(cert)->key_usage,
                     KEY_USAGE_DIGITAL_SIGNATURE);
    assert_true(
        span_equal(cert_authority_key_id(cert), cert_subject_key_id(mesh)));
    assert_true(cert_extension_get(cert, "1.3.9901.2.1.1", &ext));
    assert_hex(ext.value, "020103");
    assert_true(cert_extension_get(cert, "1.3.9901.3.1", &ext));
    assert_hex(ext.value, "04067765622d6964");
    assert_false(ext.critical);
    cert_free(mesh);
    cert_free(cert);
}

/* CI 10.3, with the SAN extension as upstream's parser would fill it. */
static const struct {
    const char *name;
    const char *general_name; /* tag, length, value */
} name_kinds[] = {
    { "127.0.0.1", "87047f000001" },
    { "::1", "871000000000000000000000000000000001" },
    { "::ffff:10.0.0.1", "87040a000001" },
    { "a:8080", "8606613a38303830" },
    { "x+y.z-1:", "8608782b792e7a2d313a" },
    { "1a:80", "820531613a3830" },
    { ":80", "82033a3830" },
    { "*", "82012a" },
    { "*.a", "82032a2e61" },
    { "999.1.1.1", "82093939392e312e312e31" },
    { "01.2.3.4", "820830312e322e332e34" },
};

static void
test_kinds_of_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(name_kinds); i++) {
        const struct span name = span_str(name_kinds[i].name);
        const struct ca_leaf leaf = { .key = peer_key,
                                      .names = &name,
                                      .name_count = 1 };
        struct cert *cert = issue(&leaf);
        struct cert_extension ext;

        assert_true(cert_extension_get(cert, "2.5.29.17", &ext));
        assert_hex(span_sub(ext.value, 2, ext.value.len),
                   name_kinds[i].general_name);
        assert_string_equal(cert_common_name(cert), name_kinds[i].name);
        cert_free(cert);
    }
}

static void
test_common_name(void **state)
{
    const struct span mixed[] = { span_str("10.0.0.1"), span_str("x:y"),
                                  span_str("web"), span_str("other") };
    struct ca_leaf leaf = { .key = peer_key, .names = mixed, .name_count = 4 };
    struct cert_extension ext;
    struct cert *cert = issue(&leaf);

    (void)state;
    assert_string_equal(cert_common_name(cert), "web");
    cert_free(cert);
    leaf.name_count = 2;
    cert = issue(&leaf);
    assert_string_equal(cert_common_name(cert), "10.0.0.1");
    cert_free(cert);
    leaf.name_count = 0;
    cert = issue(&leaf);
    assert_string_equal(cert_common_name(cert), "workload");
    assert_false(cert_extension_get(cert, "2.5.29.17", &ext));
    cert_free(cert);
}

static void
test_names_that_are_refused(void **state)
{
    static const char *const bad[] = { "", "a b", "a\n", "\xc3\xa4", "\x7f" };
    struct buffer pem;
    struct assay_error err;

    (void)state;
    buffer_init(&pem, 1u << 18, NULL);
    for (size_t i = 0; i < COUNT(bad); i++) {
        const struct span names[] = { span_str("ok"), span_str(bad[i]) };
        const struct ca_leaf leaf = { .key = peer_key,
                                      .names = names,
                                      .name_count = 2 };

        assert_status(ca_issue(ca, &leaf, NOW, &random_system, &pem, &err),
                      ASSAY_ERR_MALFORMED);
    }
    {
        struct span many[CA_NAMES_MAX + 1];
        const struct ca_leaf leaf = { .key = peer_key,
                                      .names = many,
                                      .name_count = COUNT(many) };

        for (size_t i = 0; i < COUNT(many); i++)
            many[i] = span_str("x");
        assert_status(ca_issue(ca, &leaf, NOW, &random_system, &pem, &err),
                      ASSAY_ERR_LIMIT);
    }
    assert_int_equal(pem.len, 0);
    buffer_free(&pem);
}

static void
test_claims(void **state)
{
    const struct claim list[] = {
        { "version", CLAIM_NUMBER, 3, { 0 }, 1 },
        { "guest_svn", CLAIM_NUMBER, 65547, { 0 }, 2 },
        { "debug", CLAIM_BOOL, 1, { 0 }, 5 },
        { "smt", CLAIM_BOOL, 0, { 0 }, 7 },
        { "not copied", CLAIM_NUMBER, 9, { 0 }, 0 },
        { "host_data", CLAIM_BYTES, 0, { (const uint8_t *)"\1\2", 2 }, 23 },
    };
    static const char *const want[][2] = {
        { "1.3.9901.2.1.1", "020103" },
        { "1.3.9901.2.1.2", "02030100"
                            "0b" },
        { "1.3.9901.2.1.5", "0101ff" },
        { "1.3.9901.2.1.7", "010100" },
        { "1.3.9901.2.1.23", "04020102" },
    };
    struct claim copy[COUNT(list)];
    const struct claims claims = { copy, COUNT(list), COUNT(list) };
    struct cert_extension *out = NULL;
    struct arena arena;
    size_t count = 0;
    struct assay_error err;

    (void)state;
    memcpy(copy, list, sizeof(copy));
    arena_init(&arena, 1u << 16, NULL);
    assert_ok(
        ca_claims_encode(&claims, "1.3.9901.2.1", &arena, &out, &count, &err),
        &err);
    assert_int_equal(count, COUNT(want));
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(out[i].oid, want[i][0]);
        assert_hex(out[i].value, want[i][1]);
        assert_false(out[i].critical);
    }
    arena_drop(&arena);
    arena_init(&arena, 64, NULL);
    assert_status(
        ca_claims_encode(&claims, "1.3.9901.2.1", &arena, &out, &count, &err),
        ASSAY_ERR_NOMEM);
    arena_drop(&arena);
}

/* OpenSSL's own program must accept what we issue: under the root with the
 * intermediate in between, and under the mesh CA alone. */
static void
test_openssl_verify(void **state)
{
    static const char *const commands[] = {
        "verify -x509_strict -attime 1700000000 -CAfile root.pem"
        " -untrusted chain.pem chain.pem",
        "verify -x509_strict -attime 1700000000 -purpose sslserver"
        " -CAfile mesh.pem chain.pem",
        "verify -x509_strict -attime 1700000000 -verify_hostname web"
        " -CAfile mesh.pem chain.pem",
    };
    const struct span names[] = { span_str("web"), span_str("10.0.0.1") };
    const struct ca_leaf leaf = { .key = peer_key,
                                  .names = names,
                                  .name_count = 2,
                                  .workload_secret_id = span_str("id") };
    struct temp_dir dir = temp_dir_new();
    const struct {
        const char *name;
        struct span pem;
    } files[] = { { "root.pem", ca_root_pem(ca) },
                  { "mesh.pem", ca_mesh_pem(ca) } };
    struct buffer chain;
    char text[512];
    struct assay_error err;

    (void)state;
    buffer_init(&chain, 1u << 18, NULL);
    assert_ok(ca_issue(ca, &leaf, NOW, &random_system, &chain, &err), &err);
    (void)snprintf(text, sizeof(text), "%s/chain.pem", dir.path);
    assert_ok(file_write_atomic(text, buffer_span(&chain), 0600, &err), &err);
    for (size_t i = 0; i < COUNT(files); i++) {
        (void)snprintf(text, sizeof(text), "%s/%s", dir.path, files[i].name);
        assert_ok(file_write_atomic(text, files[i].pem, 0600, &err), &err);
    }
    for (size_t i = 0; i < COUNT(commands); i++) {
        (void)snprintf(text, sizeof(text), "cd %s && openssl %s >out 2>&1",
                       dir.path, commands[i]);
        if (system(text) != 0)
            fail_msg("openssl %s", commands[i]);
    }
    buffer_free(&chain);
    temp_dir_remove(&dir);
}

static void
test_no_memory(void **state)
{
    (void)state;
    for (size_t n = 0;; n++) {
        const struct ca_leaf leaf = { .key = peer_key };
        struct failing_alloc f;
        struct ca *other = NULL;
        struct buffer pem;
        struct assay_error err;
        enum assay_status st;

        failing_alloc_init(&f, n);
        buffer_init(&pem, 1u << 18, &f.alloc);
        st = ca_new(root_key, mesh_key, NOW, &random_system, &f.alloc, &other,
                    &err);
        if (st == ASSAY_OK)
            st = ca_issue(other, &leaf, NOW, &random_system, &pem, &err);
        ca_free(other);
        buffer_free(&pem);
        assert_int_equal(f.live, 0);
        if (st == ASSAY_OK)
            break;
        assert_status(st, ASSAY_ERR_NOMEM);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ca_certificates),
        cmocka_unit_test(test_leaf),
        cmocka_unit_test(test_kinds_of_names),
        cmocka_unit_test(test_common_name),
        cmocka_unit_test(test_names_that_are_refused),
        cmocka_unit_test(test_claims),
        cmocka_unit_test(test_openssl_verify),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
