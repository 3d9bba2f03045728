#include "vectors.h"

#include "sim/table.h"

/* certtable-vcek-der.bin holds VCEK, ASK and ARK of a genuine chain behind one
 * another: the same certificates must give the same bytes. */
static void
a_known_table_is_reproduced(void **state)
{
    enum { HEADER = 4 * 24 };
    static const enum table_entry order[] = { TABLE_VCEK, TABLE_ASK,
                                              TABLE_ARK };
    struct cert_table table;
    struct buffer want, got;
    struct assay_error err;

    (void)state;
    vector_read("snp/certtable-vcek-der.bin", &want);
    cert_table_init(&table);
    for (size_t i = 0; i < COUNT(order); i++) {
        const uint8_t *entry = want.ptr + 24 * i;
        size_t at = entry[16] + 256u * entry[17];
        size_t len = entry[20] + 256u * entry[21];

        buffer_add(cert_table_slot(&table, order[i]),
                   span_sub(buffer_span(&want), at, len));
    }
    buffer_init(&got, 1 << 16, NULL);
    assert_ok(cert_table_encode(&table, &got, &err), &err);
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.ptr, want.ptr, HEADER);
    assert_memory_equal(got.ptr, want.ptr, want.len);
    cert_table_free(&table);
    buffer_free(&got);
    buffer_free(&want);
}

static void
an_empty_table_is_its_terminator(void **state)
{
    struct cert_table table;
    struct assay_error err;
    struct buffer got;

    (void)state;
    cert_table_init(&table);
    buffer_init(&got, 1 << 16, NULL);
    assert_ok(cert_table_encode(&table, &got, &err), &err);
    assert_int_equal(got.len, 24);
    assert_true(span_is_zero(buffer_span(&got)));
    cert_table_free(&table);
    buffer_free(&got);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_table_is_reproduced),
        cmocka_unit_test(an_empty_table_is_its_terminator),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
