/* The golden vectors of CI 8.4, published upstream as determinism tests. */
#include "unit.h"

#include "crypto/random.h"
#include "service/seed.h"

static const struct {
    const char *seed, *salt, *pod_state, *history, *root_d, *signing_d;
    const char *workload; /* of "apps/v1/Deployment/default/web" */
} golden[] = {
    {
        "ccebed634ddee7535cd593e1e200b19b780f3906d8782207fa09c59e87a07cb3",
        "8c1b1225c5f6cb7eef6dbd8f77a1e1e149de031d6e3718e660a8b04c8e2b0037",
        "e8d42dc81aea4b0d0749b75004f3bb2ad35fd827e05727ac19c31e106ddc2a1f",
        "e0f4adb8326ed1bbf99b8291d7a90363113e2ac8ff9d030bcabe5e48b88bf0a6",
        "b17a061a04d93454c9530d247b336a9112a5209da0d0199929484cba350d2515"
        "9f2ead15d2d1334d6c908dad63ce7ee4",
        "5a58b771eef6bd6d2967b933ef3474e71bea849fd2b900f431dafe843d267b0b"
        "08875a95f4e442c6863663090c7c8576",
        "49d3125b48f17ac45de6b6d95825a49b57eaffa72ff6c2e17e8598ee5157cca1",
    },
    {
        "1adb326866d5b1e04520d9475f6ff41d3370bec96bbb5045d8dd9d16b3c48274",
        "0d2f1e0360d8476f836b8aa3dde3b1c58a361469a6e4f10cf9ed500a651c1c2b",
        "8964f1750fa69bd4107ffb055f3e093cd93064590f6c3ad459b66c3bb19231fd",
        "03c95af2f666f44239a92d2cda3a14c3ad9ad776ef06fd97a8873457b9cff7f4",
        "3362d867cd3dfa7db3ca6fb3920aa4a5f198ac05bf2eb0190983c969a7e4f47d"
        "94c7bc061551800faaecbc321f541d20",
        "42ac864deb9da243469f13d6fae37576cfafbc9995bbd094b0e62873f4258099"
        "315ef7f2290f84e9163f44559f4a43a0",
        "eed36e94c8a1e1ae5ba9d3c8f2077174968304a1d1d0bebad08683d304bc1da6",
    },
};

static void
assert_scalar(const struct key *key, const char *want)
{
    struct secret d = { 0 };
    struct assay_error err;

    assert_ok(key_private_scalar_p384(key, &d, &err), &err);
    assert_hex(secret_span(&d), want);
    secret_wipe(&d);
}

static void
assert_derived(struct span seed, struct span salt, const char *info,
               const char *want)
{
    struct secret derived = { 0 };
    struct assay_error err;

    assert_ok(seed_derive(seed, salt, span_str(info), &derived, &err), &err);
    assert_hex(secret_span(&derived), want);
    secret_wipe(&derived);
}

static void
test_golden_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(golden); i++) {
        uint8_t seed_bytes[32] = { 0 }, salt_bytes[32] = { 0 };
        struct span seed = span_of(seed_bytes, 32);
        struct span salt = span_of(salt_bytes, 32);
        struct secret workload = { 0 };
        struct seed_engine *e = NULL;
        struct assay_error err;

        assert_true(hex_decode(span_str(golden[i].seed), seed_bytes, 32));
        assert_true(hex_decode(span_str(golden[i].salt), salt_bytes, 32));
        assert_derived(seed, salt, "POD STATE SECRET", golden[i].pod_state);
        assert_derived(seed, salt, "HISTORY SECRET", golden[i].history);
        assert_ok(seed_engine_new(seed, salt, NULL, &e, &err), &err);
        assert_scalar(seed_engine_root_ca_key(e), golden[i].root_d);
        assert_scalar(seed_engine_transaction_key(e), golden[i].signing_d);
        assert_ok(
            seed_engine_workload_secret(
                e, span_str("apps/v1/Deployment/default/web"), &workload, &err),
            &err);
        assert_hex(secret_span(&workload), golden[i].workload);
        secret_wipe(&workload);
        seed_engine_free(e);
    }
}

static void
test_lengths(void **state)
{
    static const uint8_t zeros[80];
    static const struct {
        size_t seed, salt;
        enum assay_status want;
    } lengths[] = {
        { 32, 32, ASSAY_OK },
        { 64, 32, ASSAY_OK },
        { 31, 32, ASSAY_ERR_MALFORMED },
        { 65, 32, ASSAY_ERR_MALFORMED },
        { 0, 32, ASSAY_ERR_MALFORMED },
        { 64, 31, ASSAY_ERR_MALFORMED },
        { 64, 33, ASSAY_ERR_MALFORMED },
        { 64, 0, ASSAY_ERR_MALFORMED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct seed_engine *e = NULL;
        struct assay_error err;

        assert_status(seed_engine_new(span_of(zeros, lengths[i].seed),
                                      span_of(zeros, lengths[i].salt), NULL, &e,
                                      &err),
                      lengths[i].want);
        seed_engine_free(e);
    }
}

static void
test_new_engines_differ_and_are_64_bytes(void **state)
{
    struct seed_engine *a = NULL, *b = NULL;
    struct secret secret = { 0 };
    struct assay_error err;

    (void)state;
    assert_ok(seed_engine_generate(&random_system, NULL, &a, &err), &err);
    assert_ok(seed_engine_generate(&random_system, NULL, &b, &err), &err);
    assert_int_equal(seed_engine_seed(a).len, 64);
    assert_int_equal(seed_engine_salt(a).len, 32);
    assert_false(span_equal(seed_engine_seed(a), seed_engine_seed(b)));
    assert_false(span_equal(seed_engine_salt(a), seed_engine_salt(b)));
    assert_ok(seed_engine_workload_secret(a, span_str("x"), &secret, &err),
              &err);
    assert_int_equal(secret.len, 64);
    secret_wipe(&secret);
    assert_status(seed_engine_workload_secret(a, span_str(""), &secret, &err),
                  ASSAY_ERR_MALFORMED);
    seed_engine_free(a);
    seed_engine_free(b);
}

static char *
owner_hex(const struct key *owner)
{
    struct buffer der;
    char *hex;
    struct assay_error err;

    buffer_init(&der, 4096, NULL);
    assert_ok(key_rsa_public_der(owner, &der, &err), &err);
    hex = malloc(2 * der.len + 1);
    assert_non_null(hex);
    hex_encode(buffer_span(&der), hex);
    buffer_free(&der);
    return hex;
}

static void
test_share_opens_for_its_owner_alone(void **state)
{
    struct key *owner = NULL, *other = NULL;
    struct seed_engine *e = NULL;
    struct secret seed = { 0 };
    struct buffer share;
    struct assay_error err;
    char *hex;

    (void)state;
    buffer_init(&share, 4096, NULL);
    assert_ok(key_generate(KEY_RSA4096, &owner, &err), &err);
    assert_ok(key_generate(KEY_RSA4096, &other, &err), &err);
    assert_ok(seed_engine_generate(&random_system, NULL, &e, &err), &err);
    hex = owner_hex(owner);
    assert_ok(seed_share_encrypt(e, span_str(hex), &share, &err), &err);
    assert_int_equal(share.len, 512);
    assert_ok(seed_share_decrypt(owner, buffer_span(&share), &seed, &err),
              &err);
    assert_true(span_equal(secret_span(&seed), seed_engine_seed(e)));
    secret_wipe(&seed);
    assert_status(seed_share_decrypt(other, buffer_span(&share), &seed, &err),
                  ASSAY_ERR_UNTRUSTED);
    hex[0] = 'x';
    assert_status(seed_share_encrypt(e, span_str(hex), &share, &err),
                  ASSAY_ERR_MALFORMED);
    assert_status(seed_share_encrypt(e, span_str(""), &share, &err),
                  ASSAY_ERR_MALFORMED);
    assert_status(seed_share_encrypt(e, span_str("300"), &share, &err),
                  ASSAY_ERR_MALFORMED);
    /* RSA of 24 bits. */
    assert_status(seed_share_encrypt(e,
                                     span_str("3009020400ffffff0201"
                                              "03"),
                                     &share, &err),
                  ASSAY_ERR_MALFORMED);
    assert_int_equal(share.len, 512);
    free(hex);
    seed_engine_free(e);
    key_free(owner);
    key_free(other);
    buffer_free(&share);
}

static void
test_no_memory(void **state)
{
    static const uint8_t zeros[64];

    (void)state;
    for (size_t n = 0;; n++) {
        struct failing_alloc f;
        struct seed_engine *e = NULL;
        struct secret secret = { 0 };
        struct assay_error err;
        enum assay_status st;

        failing_alloc_init(&f, n);
        st = seed_engine_new(span_of(zeros, 64), span_of(zeros, 32), &f.alloc,
                             &e, &err);
        if (st == ASSAY_OK)
            st = seed_engine_workload_secret(e, span_str("id"), &secret, &err);
        secret_wipe(&secret);
        seed_engine_free(e);
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
        cmocka_unit_test(test_golden_vectors),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_new_engines_differ_and_are_64_bytes),
        cmocka_unit_test(test_share_opens_for_its_owner_alone),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
