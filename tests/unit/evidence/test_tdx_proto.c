/* TDX evidence in protobuf: exact, or refused by name. */
#include "../vectors.h"

#include "evidence/evidence.h"
#include "evidence/tdx_proto.h"

#include "intel_fixture.h"

enum { EVIDENCE_MAX = 1 << 20 };

static void
encode(struct span quote, struct buffer *out)
{
    struct assay_error err = { 0 };

    buffer_init(out, EVIDENCE_MAX, NULL);
    assert_ok(tdx_evidence_encode(quote, out, &err), &err);
}

static void
want_round_trip(struct span quote, size_t significant)
{
    struct assay_error err = { 0 };
    struct arena arena;
    struct buffer evidence;
    struct span back;

    encode(quote, &evidence);
    assert_int_equal(evidence_detect(buffer_span(&evidence)),
                     EVIDENCE_TDX_PROTOBUF);
    arena_init(&arena, EVIDENCE_MAX, NULL);
    assert_ok(tdx_evidence_decode(buffer_span(&evidence), &arena, &back, &err),
              &err);
    assert_int_equal(back.len, significant);
    assert_memory_equal(back.ptr, quote.ptr, significant);
    arena_drop(&arena);
    buffer_free(&evidence);
}

static void
genuine_quotes_go_there_and_back(void **state)
{
    static const char *const names[] = {
        "tdx/cases/v4-gcp-2026-eval19-uptodate/quote.bin",
        "tdx/cases/v4-azure-sprA-uptodate/quote.bin",
        "tdx/cases/v4-oe-sprB-outofdate/quote.bin",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct assay_error err = { 0 };
        struct tdx_quote q;
        struct buffer raw;

        vector_read(names[i], &raw);
        assert_ok(tdx_quote_decode(buffer_span(&raw), &q, &err), &err);
        want_round_trip(buffer_span(&raw), raw.len - q.trailing.len);
        buffer_free(&raw);
    }
}

static void
what_the_message_cannot_carry_is_refused(void **state)
{
    static const uint16_t versions[] = { 3, 5 };

    (void)state;
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct intel_machine m;
        struct buffer out;

        intel_machine_init(&m, versions[i]);
        buffer_init(&out, EVIDENCE_MAX, NULL);
        assert_status(tdx_evidence_encode(buffer_span(&m.raw), &out, NULL),
                      ASSAY_ERR_UNSUPPORTED);
        assert_int_equal(out.len, 0);
        buffer_free(&out);
        intel_machine_free(&m);
    }
}

/* Where a field of the message is in its bytes, by the bytes themselves. */
static uint8_t *
find(struct buffer *b, const void *bytes, size_t len)
{
    uint8_t *at = memmem(b->ptr, b->len, bytes, len);

    assert_non_null(at);
    return at;
}

static void
want_refused(const struct buffer *evidence, enum assay_status status,
             const char *field)
{
    struct assay_error err = { 0 };
    struct arena arena;
    struct span quote;

    arena_init(&arena, EVIDENCE_MAX, NULL);
    assert_status(
        tdx_evidence_decode(buffer_span(evidence), &arena, &quote, &err),
        status);
    if (!strstr(err.text, field))
        fail_msg("got \"%s\", want %s in it", err.text, field);
    arena_drop(&arena);
}

/* Header: field 1, 48-ish bytes: version 4, key type 2, TEE 0x81. */
static void
fields_of_wrong_value_are_named(void **state)
{
    static const uint8_t header[] = { 0x08, 4, 0x10, 2, 0x18, 0x81, 1 };
    static const struct {
        size_t at;
        uint8_t value;
        enum assay_status status;
        const char *field;
    } rows[] = {
        { 1, 5, ASSAY_ERR_UNSUPPORTED, "header.version" },
        { 3, 3, ASSAY_ERR_UNSUPPORTED, "header.attestation_key_type" },
        { 5, 0x80, ASSAY_ERR_UNSUPPORTED, "header.tee_type" },
    };
    struct intel_machine m;

    (void)state;
    intel_machine_init(&m, 4);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer evidence;

        encode(buffer_span(&m.raw), &evidence);
        find(&evidence, header, sizeof(header))[rows[i].at] = rows[i].value;
        want_refused(&evidence, rows[i].status, rows[i].field);
        buffer_free(&evidence);
    }
    intel_machine_free(&m);
}

/* A second rtmrs field is one RTMR too many, a second body replaces nothing
 * in silence: every field is as long as it must be. */
static void
appended_fields_do_not_pass(void **state)
{
    static const uint8_t fifth_rtmr[] = { 0x12, 0x02, 0x5a, 0x00 };
    static const uint8_t short_report_data[] = { 0x12, 0x03, 0x62, 0x01, 7 };
    static const uint8_t other_size[] = { 0x18, 0x01 };
    static const struct {
        struct span bytes;
        const char *field;
    } rows[] = {
        { { fifth_rtmr, sizeof(fifth_rtmr) }, "rtmrs: got 5" },
        { { short_report_data, sizeof(short_report_data) },
          "td_quote_body.report_data" },
        { { other_size, sizeof(other_size) }, "signed_data_size" },
    };
    struct intel_machine m;

    (void)state;
    intel_machine_init(&m, 4);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer evidence;

        encode(buffer_span(&m.raw), &evidence);
        buffer_add(&evidence, rows[i].bytes);
        want_refused(&evidence, ASSAY_ERR_MALFORMED, rows[i].field);
        buffer_free(&evidence);
    }
    intel_machine_free(&m);
}

static void
no_prefix_is_evidence(void **state)
{
    struct intel_machine m;
    struct buffer evidence;

    (void)state;
    intel_machine_init(&m, 4);
    encode(buffer_span(&m.raw), &evidence);
    for (size_t len = 0; len < evidence.len; len++) {
        struct arena arena;
        struct span quote;

        arena_init(&arena, EVIDENCE_MAX, NULL);
        if (tdx_evidence_decode(span_of(evidence.ptr, len), &arena, &quote,
                                NULL) == ASSAY_OK)
            fail_msg("%zu of %zu bytes were accepted", len, evidence.len);
        arena_drop(&arena);
    }
    buffer_free(&evidence);
    intel_machine_free(&m);
}

static void
without_memory_it_says_so(void **state)
{
    struct intel_machine m;
    struct buffer evidence;
    enum assay_status st = ASSAY_ERR_NOMEM;

    (void)state;
    intel_machine_init(&m, 4);
    encode(buffer_span(&m.raw), &evidence);
    for (size_t n = 0; st != ASSAY_OK; n++) {
        struct failing_alloc f;
        struct arena arena;
        struct span quote;

        failing_alloc_init(&f, n);
        arena_init(&arena, EVIDENCE_MAX, &f.alloc);
        st = tdx_evidence_decode(buffer_span(&evidence), &arena, &quote, NULL);
        /* protobuf-c does not tell why it gave up */
        assert_true(st == ASSAY_OK || st == ASSAY_ERR_NOMEM ||
                    st == ASSAY_ERR_MALFORMED);
        arena_drop(&arena);
        assert_int_equal(f.live, 0);
        assert_true(n < 100);
    }
    buffer_free(&evidence);
    intel_machine_free(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(genuine_quotes_go_there_and_back),
        cmocka_unit_test(what_the_message_cannot_carry_is_refused),
        cmocka_unit_test(fields_of_wrong_value_are_named),
        cmocka_unit_test(appended_fields_do_not_pass),
        cmocka_unit_test(no_prefix_is_evidence),
        cmocka_unit_test(without_memory_it_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
