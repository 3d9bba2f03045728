#include "unit.h"

#include "base/reader.h"
#include "base/writer.h"

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 0, 13 };

static struct reader
over_bytes(void)
{
    return reader_over(span_of(bytes, sizeof(bytes)));
}

static void
integers_are_read_in_both_orders(void **state)
{
    struct reader rd = over_bytes();

    (void)state;
    assert_int_equal(rd_u8(&rd), 0x01);
    assert_int_equal(rd_u16le(&rd), 0x0302);
    assert_int_equal(rd_u16be(&rd), 0x0405);
    assert_int_equal(rd_u32be(&rd), 0x06070809);
    assert_int_equal(rd_u32le(&rd), 0x0d000000);
    assert_true(rd_done(&rd));
    rd = over_bytes();
    assert_true(rd_u64le(&rd) == 0x0807060504030201);
    rd = over_bytes();
    assert_true(rd_u64be(&rd) == 0x0102030405060708);
}

static void
the_first_short_read_fails_for_good(void **state)
{
    struct reader rd = over_bytes();
    uint8_t out[4] = { 0xee, 0xee, 0xee, 0xee };

    (void)state;
    (void)rd_span(&rd, 12);
    assert_int_equal(rd_u16le(&rd), 0);
    assert_false(rd_ok(&rd));
    assert_int_equal(rd.offset, 12);
    assert_int_equal(rd_u8(&rd), 0); /* one byte is left, yet it stays shut */
    rd_copy(&rd, out, sizeof(out));
    assert_true(span_is_zero(span_of(out, sizeof(out))));
    assert_int_equal(rd_span(&rd, 0).len, 0);
    assert_false(rd_done(&rd));
}

static void
a_length_near_the_top_of_size_t_is_short(void **state)
{
    struct reader rd = over_bytes();

    (void)state;
    assert_null(rd_span(&rd, SIZE_MAX).ptr);
    assert_false(rd_ok(&rd));
    rd = over_bytes();
    rd_skip_to(&rd, SIZE_MAX);
    assert_false(rd_ok(&rd));
}

static void
skips_go_forward_only(void **state)
{
    struct reader rd = over_bytes();

    (void)state;
    rd_skip_to(&rd, 5);
    assert_int_equal(rd_u8(&rd), 6);
    rd_skip_to(&rd, 6);
    assert_true(rd_ok(&rd));
    rd_skip_to(&rd, 5);
    assert_false(rd_ok(&rd));
}

static void
zeros_must_be_zero_and_the_fault_is_named(void **state)
{
    struct reader rd = over_bytes();

    (void)state;
    rd_skip_to(&rd, 9);
    rd_zeros_to(&rd, 12);
    assert_true(rd_ok(&rd));
    rd_zeros_to(&rd, 13);
    assert_false(rd_ok(&rd));
    assert_int_equal(rd.offset, 12);
}

static void
trailing_bytes_are_not_done(void **state)
{
    struct reader rd = over_bytes();

    (void)state;
    (void)rd_span(&rd, sizeof(bytes) - 1);
    assert_true(rd_ok(&rd));
    assert_false(rd_done(&rd));
}

static void
what_is_written_is_read_back(void **state)
{
    uint8_t out[40];
    struct writer wr = writer_over(out, sizeof(out));
    size_t mark;

    (void)state;
    wr_u8(&wr, 0x11);
    mark = wr_len16_begin(&wr);
    wr_u16le(&wr, 0x2233);
    wr_u32be(&wr, 0x44556677);
    wr_len16_end(&wr, mark);
    wr_u64be(&wr, 0x8899aabbccddeeff);
    wr_zeros_to(&wr, 20);
    assert_hex(wr_written(&wr), "1100063322445566778899aabbccddeeff000000");
}

static void
a_write_that_does_not_fit_fails_for_good(void **state)
{
    uint8_t out[4] = { 9, 9, 9, 9 };
    struct writer wr = writer_over(out, 3);

    (void)state;
    wr_u16le(&wr, 1);
    wr_u16le(&wr, 2);
    assert_false(wr_ok(&wr));
    wr_u8(&wr, 3); /* would fit */
    assert_int_equal(wr.len, 2);
    assert_int_equal(wr_written(&wr).len, 0);
    assert_int_equal(out[3], 9);
}

static void
a_length_prefix_overflows_cleanly(void **state)
{
    static uint8_t big[70000];
    struct writer wr = writer_over(big, sizeof(big));
    size_t mark = wr_len16_begin(&wr);

    (void)state;
    wr_zeros_to(&wr, 65537);
    wr_len16_end(&wr, mark);
    assert_true(wr_ok(&wr));
    wr_u8(&wr, 0);
    wr_len16_end(&wr, mark);
    assert_false(wr_ok(&wr));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_read_in_both_orders),
        cmocka_unit_test(the_first_short_read_fails_for_good),
        cmocka_unit_test(a_length_near_the_top_of_size_t_is_short),
        cmocka_unit_test(skips_go_forward_only),
        cmocka_unit_test(zeros_must_be_zero_and_the_fault_is_named),
        cmocka_unit_test(trailing_bytes_are_not_done),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_write_that_does_not_fit_fails_for_good),
        cmocka_unit_test(a_length_prefix_overflows_cleanly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
