/* Numbers: comparison, arithmetic and text, against the worked values of the
 * language's specification (6.2) and against arithmetic done by hand. */
#include "unit.h"

#include "rego/number.h"

static struct arena arena;

static struct value
number(const char *text)
{
    struct value v;
    bool ok;

    assert_true(number_parse(&arena, span_str(text), &ok, &v));
    assert_true(ok);
    return v;
}

static void
assert_text(struct value v, const char *want)
{
    char scratch[24];
    struct span got = number_text(v, scratch);

    if (!span_equal_str(got, want))
        fail_msg("got %.*s, want %s", (int)got.len, (const char *)got.ptr,
                 want);
}

static int
setup(void **state)
{
    (void)state;
    arena_init(&arena, 64 * 1024 * 1024, NULL);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_drop(&arena);
    return 0;
}

static void
test_grammar(void **state)
{
    static const char *const bad[] = {
        "", "-", "01", "1.", ".5", "1e", "+1", "1e+", "0x1", "1 ", "--1", "1.e1"
    };
    static const char *const good[] = {
        "0", "-0", "0.5", "1e5", "1E-5", "123456789012345678901234567890"
    };
    struct value v;
    bool ok;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_true(number_parse(&arena, span_str(bad[i]), &ok, &v));
        if (ok)
            fail_msg("%s is taken for a number", bad[i]);
    }
    for (size_t i = 0; i < COUNT(good); i++)
        (void)number(good[i]);
}

static void
test_spelling_is_kept(void **state)
{
    static const char *const texts[] = { "1.0",
                                         "1e2",
                                         "9223372036854775807",
                                         "-9223372036854775808",
                                         "9223372036854775808",
                                         "1.50",
                                         "1E400" };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_text(number(texts[i]), texts[i]);
    assert_int_equal(number("9223372036854775807").tag, VALUE_INT);
    assert_int_equal(number("9223372036854775808").tag, VALUE_NUMBER);
    assert_int_equal(number("1.0").tag, VALUE_NUMBER);
}

static void
test_order(void **state)
{
    /* Each is below the next; equal spellings share a row. */
    static const char *const rising[][3] = {
        { "-1e99999", "-10e99998" },
        { "-1e3", "-1000", "-1000.0" },
        { "-0.5" },
        { "0", "0.0", "0e9" },
        { "1e-99999" },
        { "0.1", "1e-1", "0.10" },
        { "1", "1.0", "10e-1" },
        { "9007199254740992" },
        { "9007199254740993", "9007199254740993.0" },
        { "18446744073709551616", "1.8446744073709551616e19" },
        { "1e99999" },
        { "1e100000" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rising); i++)
        for (size_t j = 0; j < COUNT(rising); j++)
            for (size_t k = 0; k < 3 && rising[j][k]; k++) {
                struct value a = number(rising[i][0]);
                struct value b = number(rising[j][k]);
                int c = value_compare(a, b);

                assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
                assert_int_equal(value_equal(a, b), i == j);
                if (i == j)
                    assert_int_equal(value_hash(a), value_hash(b));
            }
}

static void
test_arithmetic(void **state)
{
    static const struct {
        const char *x;
        enum number_op op;
        const char *y, *want;
    } rows[] = {
        { "0.1", NUMBER_ADD, "0.2", "0.3" },
        { "1", NUMBER_DIV, "3", "0.33333333333333333334" },
        { "2", NUMBER_DIV, "3", "0.6666666666666666667" },
        { "1.1", NUMBER_MUL, "1.1", "1.21" },
        { "3.3", NUMBER_SUB, "1.1", "2.1999999999999999998" },
        { "100", NUMBER_MUL, "1.1", "110" },
        { "1", NUMBER_DIV, "7", "0.14285714285714285714" },
        { "4", NUMBER_DIV, "2", "2" },
        { "1234567.5", NUMBER_ADD, "0", "1.2345675e+06" },
        { "1e3", NUMBER_ADD, "2.0", "1002" },
        { "9223372036854775807", NUMBER_ADD, "1", "9223372036854775808" },
        { "-9223372036854775808", NUMBER_SUB, "1", "-9223372036854775809" },
        { "9223372036854775807", NUMBER_MUL, "9223372036854775807",
          "85070591730234615847396907784232501249" },
        { "-9223372036854775808", NUMBER_REM, "-1", "0" },
        { "85070591730234615847396907784232501249", NUMBER_REM,
          "9223372036854775806", "1" },
        { "-7", NUMBER_REM, "3", "-1" },
        { "7", NUMBER_REM, "-3", "1" },
        { "100000000000000000000", NUMBER_SUB, "100000000000000000000", "0" },
        { "1", NUMBER_DIV, "1024", "0.0009765625" },
        { "1", NUMBER_DIV, "100000", "1e-05" },
        { "-1", NUMBER_DIV, "4", "-0.25" },
        { "0.5", NUMBER_SUB, "0.5", "0" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value out;

        assert_int_equal(number_arith(&arena, rows[i].op, number(rows[i].x),
                                      number(rows[i].y), &out),
                         NUMBER_OK);
        assert_text(out, rows[i].want);
    }
}

static void
test_arithmetic_refused(void **state)
{
    static const struct {
        const char *x;
        enum number_op op;
        const char *y;
        enum number_result want;
    } rows[] = {
        { "1", NUMBER_DIV, "0", NUMBER_DIV_ZERO },
        { "1.5", NUMBER_DIV, "0.0", NUMBER_DIV_ZERO },
        { "1", NUMBER_REM, "0", NUMBER_REM_ZERO },
        { "1.5", NUMBER_REM, "1", NUMBER_REM_FRACTION },
        { "1e99999", NUMBER_ADD, "1", NUMBER_TOO_BIG },
        { "1e-99999", NUMBER_ADD, "0.5", NUMBER_TOO_BIG },
        { "1e30000", NUMBER_MUL, "1e30000", NUMBER_TOO_BIG },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value out;

        assert_int_equal(number_arith(&arena, rows[i].op, number(rows[i].x),
                                      number(rows[i].y), &out),
                         rows[i].want);
    }
}

static void
test_rounding(void **state)
{
    static const struct {
        enum number_round how;
        const char *x, *want;
    } rows[] = {
        { NUMBER_ROUND, "2.5", "3" },
        { NUMBER_ROUND, "-2.5", "-3" },
        { NUMBER_ROUND, "2.4999", "2" },
        { NUMBER_ROUND, "0.49", "0" },
        { NUMBER_CEIL, "1.01", "2" },
        { NUMBER_CEIL, "-1.01", "-1" },
        { NUMBER_FLOOR, "1.99", "1" },
        { NUMBER_FLOOR, "-0.01", "-1" },
        { NUMBER_ABS, "-7", "7" },
        { NUMBER_ABS, "-0.5", "0.5" },
        { NUMBER_ABS, "-9223372036854775808", "9223372036854775808" },
        { NUMBER_CEIL, "3.0", "3" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value out;

        assert_int_equal(
            number_rounded(&arena, rows[i].how, number(rows[i].x), &out),
            NUMBER_OK);
        assert_text(out, rows[i].want);
    }
}

static void
test_bits(void **state)
{
    static const struct {
        const char *x;
        enum number_bits op;
        const char *y, *want;
    } rows[] = {
        { "6", NUMBER_AND, "3", "2" },
        { "-1", NUMBER_AND, "18446744073709551615", "18446744073709551615" },
        { "-4", NUMBER_OR, "3", "-1" },
        { "5", NUMBER_XOR, "-1", "-6" },
        { "1", NUMBER_LSH, "100", "1267650600228229401496703205376" },
        { "1267650600228229401496703205376", NUMBER_RSH, "99", "2" },
        { "-1", NUMBER_RSH, "100", "-1" },
        { "-5", NUMBER_RSH, "1", "-3" },
        { "0", NUMBER_LSH, "9223372036854775807", "0" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct value out;

        assert_int_equal(number_bitwise(&arena, rows[i].op, number(rows[i].x),
                                        number(rows[i].y), &out),
                         NUMBER_OK);
        assert_text(out, rows[i].want);
    }
}

static void
test_format(void **state)
{
    static const struct {
        const char *x;
        unsigned base;
        const char *want;
    } rows[] = {
        { "255", 16, "ff" },
        { "-255", 2, "-11111111" },
        { "8", 8, "10" },
        { "15.9", 10, "15" },
        { "-15.9", 10, "-15" },
        { "0", 2, "0" },
        { "1267650600228229401496703205376", 16, "10000000000000000000000000" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span text;

        assert_int_equal(
            number_format(&arena, number(rows[i].x), rows[i].base, &text),
            NUMBER_OK);
        if (!span_equal_str(text, rows[i].want))
            fail_msg("got %.*s, want %s", (int)text.len, (const char *)text.ptr,
                     rows[i].want);
    }
}

/* (x / y) * y + x % y = x for long operands of pseudo-random digits. */
static void
test_long_division(void **state)
{
    uint32_t seed = 12345;

    (void)state;
    for (int round = 0; round < 300; round++) {
        char xs[120], ys[120];
        struct value x, y, rest, less, sum;
        size_t lx = 20 + (size_t)(round % 90), ly = 10 + (size_t)(round % 31);

        for (size_t i = 0; i < lx; i++)
            xs[i] =
                (char)('1' + (seed = seed * 1103515245 + 12345) / 65536 % 9);
        for (size_t i = 0; i < ly; i++)
            ys[i] =
                (char)('1' + (seed = seed * 1103515245 + 12345) / 65536 % 9);
        xs[lx] = ys[ly] = 0;
        x = number(xs);
        y = number(ys);
        assert_int_equal(number_arith(&arena, NUMBER_REM, x, y, &rest), 0);
        assert_int_equal(number_arith(&arena, NUMBER_SUB, x, rest, &less), 0);
        assert_true(number_compare(rest, y) < 0);
        assert_int_equal(number_arith(&arena, NUMBER_REM, less, y, &sum), 0);
        assert_text(sum, "0");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grammar),
        cmocka_unit_test(test_spelling_is_kept),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_arithmetic_refused),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_bits),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_long_division),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
