#include "unit.h"

#include "base/arena.h"
#include "base/buffer.h"

static void
arena_memory_is_zeroed_aligned_and_within_budget(void **state)
{
    struct arena a;
    uint8_t *one, *two;

    (void)state;
    arena_init(&a, 64, NULL);
    one = arena_alloc(&a, 1);
    two = arena_alloc(&a, 16);
    assert_non_null(one);
    assert_non_null(two);
    assert_int_equal((uintptr_t)two % _Alignof(max_align_t), 0);
    assert_true(span_is_zero(span_of(two, 16)));
    assert_null(arena_alloc(&a, 64));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_array(&a, SIZE_MAX / 2, 4));
    arena_drop(&a);
    assert_int_equal(a.left, 64); /* the budget comes back */
}

static void
arena_outgrows_its_first_block(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 1 << 20, NULL);
    for (int i = 0; i < 100; i++) {
        uint8_t *p = arena_alloc(&a, 1000);

        assert_non_null(p);
        memset(p, 0xff, 1000); /* ASan watches the edges */
    }
    arena_drop(&a);
}

static void
arena_copies_text_with_a_nul(void **state)
{
    struct arena a;
    struct span copy;

    (void)state;
    arena_init(&a, 4096, NULL);
    assert_string_equal(arena_strdup(&a, span_of("abcdef", 3)), "abc");
    assert_string_equal(arena_strdup(&a, span_of(NULL, 0)), "");
    assert_true(arena_dup(&a, span_str("xyz"), &copy));
    assert_true(span_equal_str(copy, "xyz"));
    arena_drop(&a);
}

static void
arena_survives_every_failing_allocation(void **state)
{
    (void)state;
    for (size_t n = 0; n < 4; n++) {
        struct failing_alloc f;
        struct arena a;
        size_t got = 0;

        failing_alloc_init(&f, n);
        arena_init(&a, 1 << 20, &f.alloc);
        for (int i = 0; i < 3; i++)
            got += arena_alloc(&a, 8000) != NULL;
        assert_int_equal(got, n < 3 ? n : 3);
        arena_drop(&a);
        assert_int_equal(f.live, 0);
    }
}

static void
buffer_grows_to_its_limit_and_no_further(void **state)
{
    struct buffer b;
    struct assay_error err = { 0 };

    (void)state;
    buffer_init(&b, 100, NULL);
    for (int i = 0; i < 10; i++)
        buffer_addf(&b, "%09d,", i);
    assert_int_equal(b.len, 100);
    assert_ok(buffer_check(&b, "test", &err), &err);
    buffer_add_str(&b, "x");
    assert_status(buffer_check(&b, "test", &err), ASSAY_ERR_LIMIT);
    assert_string_equal(err.text, "test: more than 100 bytes");
    assert_int_equal(b.len, 100);
    buffer_clear(&b);
    buffer_add_hex(&b, span_of("\x01\xfe", 2));
    assert_string_equal(buffer_str(&b), "01fe");
    buffer_free(&b);
    assert_string_equal(buffer_str(&b), "");
}

static void
buffer_keeps_its_content_when_memory_is_out(void **state)
{
    struct failing_alloc f;
    struct buffer b;

    (void)state;
    failing_alloc_init(&f, 1);
    buffer_init(&b, 1 << 20, &f.alloc);
    buffer_add_str(&b, "kept");
    for (int i = 0; i < 100; i++)
        buffer_add_str(&b, "0123456789");
    assert_status(buffer_check(&b, "test", NULL), ASSAY_ERR_NOMEM);
    assert_memory_equal(b.ptr, "kept", 4);
    buffer_free(&b);
    assert_int_equal(f.live, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_memory_is_zeroed_aligned_and_within_budget),
        cmocka_unit_test(arena_outgrows_its_first_block),
        cmocka_unit_test(arena_copies_text_with_a_nul),
        cmocka_unit_test(arena_survives_every_failing_allocation),
        cmocka_unit_test(buffer_grows_to_its_limit_and_no_further),
        cmocka_unit_test(buffer_keeps_its_content_when_memory_is_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
