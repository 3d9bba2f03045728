#include "../vectors.h"

#include "evidence/snp_proto.h"

#include "amd_fixture.h"

static void
encode(const struct amd_machine *m, struct buffer *out)
{
    const struct snp_evidence_parts parts = {
        .report = span_of(m->raw, sizeof(m->raw)),
        .vcek = buffer_span(&m->leaf),
        .ask = buffer_span(&m->authority),
        .ark = buffer_span(&m->ark),
        .crl = buffer_span(&m->crl),
    };
    struct assay_error err = { 0 };

    buffer_init(out, LIMIT_EVIDENCE_BYTES, NULL);
    assert_ok(snp_evidence_encode(&parts, out, &err), &err);
}

static void
evidence_comes_back_byte_for_byte(void **state)
{
    (void)state;
    for (uint32_t version = 2; version <= 5; version++) {
        struct assay_error err = { 0 };
        struct snp_evidence e;
        struct amd_machine m;
        struct buffer bytes;
        struct arena arena;

        amd_machine_init(&m, SNP_PRODUCT_TURIN, false, version);
        if (version >= 4) {
            m.report.launch_mit_vector = UINT64_MAX;
            m.report.current_mit_vector = 0x0102030405060708;
        }
        m.report.guest_svn = 65547;
        amd_machine_remake(&m);
        encode(&m, &bytes);
        arena_init(&arena, 1 << 20, NULL);
        assert_ok(snp_evidence_decode(buffer_span(&bytes), &arena, &e, &err),
                  &err);
        assert_memory_equal(e.report, m.raw, sizeof(m.raw));
        assert_int_equal(e.collateral.cert_count, 3);
        assert_int_equal(e.collateral.crl_count, 1);
        assert_true(span_equal(e.collateral.certs[0], buffer_span(&m.leaf)));
        assert_true(span_equal(e.collateral.crls[0], buffer_span(&m.crl)));
        assert_int_equal(e.product, version >= 3 ? SNP_PRODUCT_TURIN
                                                 : SNP_PRODUCT_UNKNOWN);
        arena_drop(&arena);
        buffer_free(&bytes);
        amd_machine_free(&m);
    }
}

/* Reserved bytes do not fit the message: refused rather than lost. */
static void
what_would_be_lost_is_refused(void **state)
{
    static const size_t offsets[] = { 0x04c, 0x18b, 0x1eb, 0x210, 0x29f };
    struct amd_machine m;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    for (size_t i = 0; i < COUNT(offsets); i++) {
        const struct snp_evidence_parts parts = { .report = span_of(
                                                      m.raw, sizeof(m.raw)) };
        struct buffer out;

        m.raw[offsets[i]] ^= 1;
        buffer_init(&out, LIMIT_EVIDENCE_BYTES, NULL);
        assert_status(snp_evidence_encode(&parts, &out, NULL),
                      ASSAY_ERR_UNSUPPORTED);
        assert_int_equal(out.len, 0);
        buffer_free(&out);
        m.raw[offsets[i]] ^= 1;
    }
    amd_machine_free(&m);
}

static void
decode_is(struct span bytes, enum assay_status want)
{
    struct snp_evidence e;
    struct arena arena;

    arena_init(&arena, 4 << 20, NULL);
    assert_status(snp_evidence_decode(bytes, &arena, &e, NULL), want);
    arena_drop(&arena);
}

/* Field 15, varint; field 100, bytes: from a newer sender. */
static void
unknown_fields_are_tolerated(void **state)
{
    static const uint8_t unknown[] = { 0x78, 0x2a, 0xa2, 0x06, 0x02, 'h', 'i' };
    struct amd_machine m;
    struct buffer bytes;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    encode(&m, &bytes);
    buffer_add(&bytes, span_of(unknown, sizeof(unknown)));
    decode_is(buffer_span(&bytes), ASSAY_OK);
    buffer_free(&bytes);
    amd_machine_free(&m);
}

static void
every_shorter_message_is_refused_or_whole(void **state)
{
    struct amd_machine m;
    struct buffer bytes;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    encode(&m, &bytes);
    for (size_t len = 0; len < bytes.len; len++) {
        uint8_t *copy = malloc(len ? len : 1);
        struct snp_evidence e;
        struct arena arena;
        enum assay_status st;

        assert_non_null(copy);
        memcpy(copy, bytes.ptr, len);
        arena_init(&arena, 4 << 20, NULL);
        st = snp_evidence_decode(span_of(copy, len), &arena, &e, NULL);
        /* Cut at a field's end it may be whole: then the report is too. */
        if (st == ASSAY_OK)
            assert_memory_equal(e.report, m.raw, sizeof(m.raw));
        else
            assert_status(st, ASSAY_ERR_MALFORMED);
        arena_drop(&arena);
        free(copy);
    }
    buffer_free(&bytes);
    amd_machine_free(&m);
}

static void
broken_messages_are_malformed(void **state)
{
    static const struct {
        const char *rule;
        const char *hex;
    } rows[] = {
        { "nothing", "" },
        { "no report", "1a00" },
        { "empty report", "0a00" },
        { "report_data of 1 byte", "0a035a0100" },
        { "wrong wire type of version", "0a0109" },
        { "length beyond the end", "0a7f00" },
        { "varint without end", "0a0308ffff" },
        { "not protobuf", "ffffffff" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[16];
        size_t len = strlen(rows[i].hex) / 2;

        assert_true(hex_decode(span_str(rows[i].hex), bytes, len));
        decode_is(span_of(bytes, len), ASSAY_ERR_MALFORMED);
    }
}

static void
too_much_is_a_limit(void **state)
{
    uint8_t *big = calloc(1, LIMIT_EVIDENCE_BYTES + 1);

    (void)state;
    assert_non_null(big);
    decode_is(span_of(big, LIMIT_EVIDENCE_BYTES + 1), ASSAY_ERR_LIMIT);
    free(big);
}

/* Many tiny extras must not take more memory than the arena's budget. */
static void
a_flood_of_extras_is_bounded(void **state)
{
    struct buffer inner, outer;

    (void)state;
    buffer_init(&inner, LIMIT_EVIDENCE_BYTES, NULL);
    buffer_init(&outer, LIMIT_EVIDENCE_BYTES, NULL);
    for (size_t i = 0; i < 120 * 1024; i++)
        buffer_add(&inner, span_of("\x3a\x00", 2));
    /* Attestation.certificate_chain, length as a three-byte varint. */
    buffer_add(&outer, span_of("\x12", 1));
    buffer_addf(&outer, "%c%c%c", (int)(inner.len & 127) | 128,
                (int)(inner.len >> 7 & 127) | 128, (int)(inner.len >> 14));
    buffer_add(&outer, buffer_span(&inner));
    decode_is(buffer_span(&outer), ASSAY_ERR_MALFORMED);
    buffer_free(&inner);
    buffer_free(&outer);
}

/* The older form: the raw report in base64, nothing else. */
static void
base64_of_a_report_is_evidence(void **state)
{
    struct assay_error err = { 0 };
    struct snp_evidence e;
    struct amd_machine m;
    struct arena arena;
    char text[1600];

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_MILAN, false, 2);
    base64_encode(span_of(m.raw, sizeof(m.raw)), text);
    arena_init(&arena, 1 << 20, NULL);
    assert_ok(snp_evidence_decode(span_str(text), &arena, &e, &err), &err);
    assert_memory_equal(e.report, m.raw, sizeof(m.raw));
    assert_int_equal(e.collateral.cert_count, 0);
    text[0] = '!';
    assert_status(snp_evidence_decode(span_str(text), &arena, &e, NULL),
                  ASSAY_ERR_MALFORMED);
    arena_drop(&arena);
    amd_machine_free(&m);
}

static void
memory_running_out_is_refused_cleanly(void **state)
{
    struct amd_machine m;
    struct buffer bytes;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    encode(&m, &bytes);
    for (size_t n = 0;; n++) {
        struct failing_alloc f;
        struct snp_evidence e;
        struct arena arena;
        enum assay_status st;

        failing_alloc_init(&f, n);
        arena_init(&arena, 1 << 20, &f.alloc);
        st = snp_evidence_decode(buffer_span(&bytes), &arena, &e, NULL);
        arena_drop(&arena);
        assert_int_equal(f.live, 0);
        if (st == ASSAY_OK)
            break;
    }
    buffer_free(&bytes);
    amd_machine_free(&m);
}

static void
genuine_reports_survive_the_message(void **state)
{
    static const char *const names[] = { "milan-v2-report-4-authorkey.bin",
                                         "milan-v3-report-1-vlek.bin",
                                         "bergamo-v5-report-1.bin",
                                         "turin-v5-report-1-aci.bin" };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct assay_error err = { 0 };
        struct snp_evidence_parts parts = { 0 };
        struct buffer raw, bytes;
        struct snp_evidence e;
        struct arena arena;
        char path[128];

        snprintf(path, sizeof(path), "snp/%s", names[i]);
        vector_read(path, &raw);
        parts.report = buffer_span(&raw);
        buffer_init(&bytes, LIMIT_EVIDENCE_BYTES, NULL);
        arena_init(&arena, 1 << 20, NULL);
        assert_ok(snp_evidence_encode(&parts, &bytes, &err), &err);
        assert_ok(snp_evidence_decode(buffer_span(&bytes), &arena, &e, &err),
                  &err);
        assert_memory_equal(e.report, raw.ptr, SNP_REPORT_SIZE);
        arena_drop(&arena);
        buffer_free(&bytes);
        buffer_free(&raw);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_comes_back_byte_for_byte),
        cmocka_unit_test(what_would_be_lost_is_refused),
        cmocka_unit_test(unknown_fields_are_tolerated),
        cmocka_unit_test(every_shorter_message_is_refused_or_whole),
        cmocka_unit_test(broken_messages_are_malformed),
        cmocka_unit_test(too_much_is_a_limit),
        cmocka_unit_test(a_flood_of_extras_is_bounded),
        cmocka_unit_test(base64_of_a_report_is_evidence),
        cmocka_unit_test(memory_running_out_is_refused_cleanly),
        cmocka_unit_test(genuine_reports_survive_the_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
