/* Fails each allocation of OpenSSL's in turn while a good quote is judged. A
 * verifier that is short of memory may be unable to say, but must never say
 * that the quote is bad. */
#include "../unit.h"

#include <openssl/err.h>

#include "evidence/tdx_verify.h"

#include "../ossl_alloc.h"
#include "intel_fixture.h"

static enum assay_status
judge(const struct intel_machine *m, enum verdict_result *result,
      const char **by)
{
    int64_t now = INTEL_NOW;
    const struct clock clock = clock_at(&now);
    const struct tdx_verify_params params = { .anchors = &m->anchors,
                                              .clock = &clock,
                                              .tee = QUOTE_TEE_TDX };
    struct assay_error err = { 0 };
    struct tdx_verified got;
    struct arena arena;
    struct verdict v;
    enum assay_status st;

    arena_init(&arena, 1 << 22, NULL);
    verdict_init(&v, &arena, "tdx", false);
    st = tdx_verify(buffer_span(&m->raw), &m->collateral, &params, &v, &got,
                    &err);
    *result = verdict_conclude(&v);
    *by = verdict_first_failure(&v) ? verdict_first_failure(&v)->name : "";
    arena_drop(&arena);
    return st;
}

static void
a_good_quote_is_never_refused_for_want_of_memory(void **state)
{
    enum verdict_result result;
    struct intel_machine m;
    const char *by;

    (void)state;
    intel_machine_init(&m, 4);
    for (int i = 0; i < 2; i++) { /* caches of OpenSSL's fill */
        assert_int_equal(judge(&m, &result, &by), ASSAY_OK);
        assert_int_equal(result, VERDICT_ACCEPTED);
    }
    for (size_t n = 0; n < 100000; n++) {
        enum assay_status st;

        ossl_calls = 0;
        ossl_fail_at = n;
        st = judge(&m, &result, &by);
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
    intel_machine_free(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_quote_is_never_refused_for_want_of_memory),
    };

    if (!ossl_alloc_hook())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
