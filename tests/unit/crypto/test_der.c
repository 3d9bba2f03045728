#include "unit.h"

#include "crypto/der.h"

/* Bytes in hex, and whether they are one strict DER value. */
static const struct {
    const char *rule;
    const char *hex;
    bool strict;
} values[] = {
    { "integer", "020105", true },
    { "negative integer", "020185", true },
    { "empty sequence", "3000", true },
    { "nested", "3005a003020101", true },
    { "octets of 128 bytes need one length byte more", "0480", false },
    { "nothing", "", false },
    { "tag alone", "02", false },
    { "short content", "020201", false },
    { "trailing byte", "02010500", false },
    { "second value", "020105020105", false },
    { "length in more bytes than it needs", "02810105", false },
    { "indefinite length", "30800000", false },
    { "length of length 5", "3085000000000100", false },
    { "tag of several bytes", "1f810100", false },
    { "integer without content", "0200", false },
    { "integer with a needless zero", "02020005", false },
    { "integer with a needless ff", "0202ff85", false },
    { "integer with a needed zero", "02020085", true },
    { "boolean true is ff", "010101", false },
    { "boolean ff", "0101ff", true },
    { "boolean of two bytes", "01020000", false },
    { "null with content", "050100", false },
    { "bit string without count", "0300", false },
    { "bit string with count and no bits", "030107", false },
    { "bit string of no bits", "030100", true },
    { "unused bits set", "03020181", false },
    { "unused bits clear", "03020180", true },
    { "more than seven unused bits", "03020800", false },
    { "empty oid", "0600", false },
    { "oid ends inside an arc", "06022a86", false },
    { "arc begins with a zero digit", "06032a8001", false },
    { "oid", "06032a8648", true },
    { "octet string in pieces", "2403040100", false },
    { "primitive sequence", "1000", false },
    { "no error deep inside", "30063004a0020500", true },
    { "error deep inside", "30063004a0020501", false },
    { "error deeper inside",
      "30083006a0040202"
      "0001",
      false },
};

static void
test_strictness(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        uint8_t bytes[32];
        size_t len = strlen(values[i].hex) / 2;

        assert_true(hex_decode(span_str(values[i].hex), bytes, len));
        if (der_is_strict(span_of(bytes, len)) != values[i].strict)
            fail_msg("%s (%s): want %s", values[i].rule, values[i].hex,
                     values[i].strict ? "strict" : "refused");
    }
}

static void
test_depth_ends(void **state)
{
    uint8_t bytes[200];

    (void)state;
    for (size_t depth = 1; depth <= 60; depth++) {
        /* 30 len 30 len ...: each holds the rest */
        for (size_t i = 0; i < depth; i++) {
            bytes[2 * i] = 0x30;
            bytes[2 * i + 1] = (uint8_t)(2 * (depth - 1 - i));
        }
        assert_int_equal(der_is_strict(span_of(bytes, 2 * depth)), depth <= 24);
    }
}

static void
test_numbers_of_every_size_come_back(void **state)
{
    (void)state;
    for (unsigned shift = 0; shift < 64; shift++) {
        for (uint64_t delta = 0; delta < 3; delta++) {
            uint64_t value = ((uint64_t)1 << shift) - 1 + delta;
            struct buffer b;
            struct reader rd;

            buffer_init(&b, 64, NULL);
            der_add_uint(&b, value);
            assert_true(der_is_strict(buffer_span(&b)));
            rd = reader_over(buffer_span(&b));
            assert_true(rd_der_uint(&rd) == value);
            assert_true(rd_done(&rd));
            buffer_free(&b);
        }
    }
}

static void
test_numbers_that_are_refused(void **state)
{
    static const char *const bad[] = {
        "0200",
        "020180",
        "02020001",
        "0209010000000000000000",
        "020a00ffffffffffffffffff",
        "040105",
        "0202",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint8_t bytes[16];
        size_t len = strlen(bad[i]) / 2;
        struct reader rd;

        assert_true(hex_decode(span_str(bad[i]), bytes, len));
        rd = reader_over(span_of(bytes, len));
        assert_true(rd_der_uint(&rd) == 0);
        assert_false(rd_ok(&rd));
        assert_int_equal(rd_der_peek(&rd), 0);
    }
}

static void
test_long_elements_have_long_lengths(void **state)
{
    static const struct {
        size_t len;
        const char *header;
    } cases[] = {
        { 0, "0400" },       { 127, "047f" },         { 128, "048180" },
        { 256, "04820100" }, { 65536, "0483010000" },
    };
    static const uint8_t zeros[65536];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t header = strlen(cases[i].header) / 2;
        struct buffer added, wrapped;
        size_t mark;

        buffer_init(&added, 100000, NULL);
        buffer_init(&wrapped, 100000, NULL);
        der_add(&added, DER_OCTET_STRING, span_of(zeros, cases[i].len));
        mark = der_begin(&wrapped);
        buffer_add(&wrapped, span_of(zeros, cases[i].len));
        der_end(&wrapped, DER_OCTET_STRING, mark);
        assert_hex(span_sub(buffer_span(&added), 0, header), cases[i].header);
        assert_true(span_equal(buffer_span(&added), buffer_span(&wrapped)));
        assert_true(der_is_strict(buffer_span(&added)));
        buffer_free(&added);
        buffer_free(&wrapped);
    }
}

static void
test_oid_and_bool(void **state)
{
    struct buffer b;

    (void)state;
    buffer_init(&b, 64, NULL);
    der_add_oid(&b, "1.3.9901.2.1");
    der_add_bool(&b, true);
    der_add_bool(&b, false);
    assert_hex(buffer_span(&b), "06052bcd2d0201"
                                "0101ff"
                                "010100");
    der_add_oid(&b, "not an oid");
    assert_true(b.failed);
    buffer_free(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strictness),
        cmocka_unit_test(test_depth_ends),
        cmocka_unit_test(test_numbers_of_every_size_come_back),
        cmocka_unit_test(test_numbers_that_are_refused),
        cmocka_unit_test(test_long_elements_have_long_lengths),
        cmocka_unit_test(test_oid_and_bool),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
