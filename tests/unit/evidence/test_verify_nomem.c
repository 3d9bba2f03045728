/* Fails each allocation of OpenSSL's in turn while genuine evidence is judged.
 * A verifier that is short of memory may be unable to say, but must never say
 * that the evidence is bad. */
#include "../unit.h"

#include <openssl/err.h>

#include "evidence/snp_verify.h"

#include "../ossl_alloc.h"
#include "amd_fixture.h"

static enum assay_status
judge(const struct amd_machine *m, struct span crl, enum verdict_result *result,
      const char **by)
{
    struct snp_collateral collateral = m->collateral;
    int64_t now = FIXTURE_NOW;
    struct clock clock = clock_at(&now);
    struct snp_verify_params params = { .anchors = &m->anchors,
                                        .clock = &clock,
                                        .crl = SNP_CRL_NEEDED };
    struct assay_error err = { 0 };
    struct snp_verified got;
    struct arena arena;
    struct verdict v;
    enum assay_status st;

    arena_init(&arena, 1 << 22, NULL);
    verdict_init(&v, &arena, "snp", false);
    st = snp_collateral_add_crl(&collateral, crl, &err);
    if (st == ASSAY_OK)
        st = snp_verify(span_of(m->raw, sizeof(m->raw)), &collateral, &params,
                        &v, &got, &err);
    *result = verdict_conclude(&v);
    *by = verdict_first_failure(&v) ? verdict_first_failure(&v)->name : "";
    arena_drop(&arena);
    return st;
}

static void
no_refusal_for_want_of_memory(bool vlek)
{
    struct amd_crl_spec spec = { .product = SNP_PRODUCT_GENOA,
                                 .this_update = FIXTURE_NOW - 1,
                                 .next_update = FIXTURE_NOW + 1 };
    enum verdict_result result;
    struct amd_machine m;
    struct buffer crl;
    const char *by;

    amd_machine_init(&m, SNP_PRODUCT_GENOA, vlek, 3);
    buffer_init(&crl, 8192, NULL);
    spec.signer = m.keys.ark;
    amd_crl(&spec, &crl);
    for (int i = 0; i < 2; i++) { /* caches of OpenSSL's fill */
        assert_int_equal(judge(&m, buffer_span(&crl), &result, &by), ASSAY_OK);
        assert_int_equal(result, VERDICT_ACCEPTED);
    }
    for (size_t n = 0; n < 100000; n++) {
        enum assay_status st;

        ossl_calls = 0;
        ossl_fail_at = n;
        st = judge(&m, buffer_span(&crl), &result, &by);
        ossl_fail_at = SIZE_MAX;
        ERR_clear_error();
        if (ossl_calls <= n) {
            print_message("%zu allocations\n", n);
            break;
        }
        if (st == ASSAY_OK && result == VERDICT_REFUSED)
            fail_msg("allocation %zu: refused by %s", n, by);
        if (st != ASSAY_OK && st != ASSAY_ERR_NOMEM)
            fail_msg("allocation %zu: %s", n, assay_status_name(st));
    }
    buffer_free(&crl);
    amd_machine_free(&m);
}

static void
a_vcek_is_not_refused(void **state)
{
    (void)state;
    no_refusal_for_want_of_memory(false);
}

static void
a_vlek_is_not_refused(void **state)
{
    (void)state;
    no_refusal_for_want_of_memory(true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vcek_is_not_refused),
        cmocka_unit_test(a_vlek_is_not_refused),
    };

    if (!ossl_alloc_hook())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
