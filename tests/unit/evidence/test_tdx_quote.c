/* Quotes and PCK extensions: what decodes encodes back, and what is broken is
 * refused. Genuine ones are tests/conformance's. */
#include "../unit.h"

#include "base/limits.h"
#include "evidence/tdx_attributes.h"

#include "intel_fixture.h"

static enum assay_status
decode(struct span raw, struct tdx_quote *q)
{
    return tdx_quote_decode(raw, q, NULL);
}

static void
quotes_of_all_versions_survive_the_round_trip(void **state)
{
    (void)state;
    for (uint16_t version = 3; version <= 5; version++) {
        struct intel_machine m;
        struct tdx_quote q;
        struct buffer back;

        intel_machine_init(&m, version);
        assert_status(decode(buffer_span(&m.raw), &q), ASSAY_OK);
        assert_int_equal(q.version, version);
        assert_int_equal(q.qe_auth_data.len, 32);
        assert_true(span_equal(q.cert_data, buffer_span(&m.chain)));
        buffer_init(&back, LIMIT_EVIDENCE_BYTES, NULL);
        tdx_quote_encode(&q, &back);
        assert_true(span_equal(buffer_span(&back), buffer_span(&m.raw)));
        buffer_free(&back);
        intel_machine_free(&m);
    }
}

static void
fields_lie_where_the_layout_says(void **state)
{
    struct intel_machine m;
    struct tdx_quote q;

    (void)state;
    intel_machine_init(&m, 4);
    assert_status(decode(buffer_span(&m.raw), &q), ASSAY_OK);
    assert_int_equal(q.signed_part.len, 632);
    assert_memory_equal(q.td.mr_td, m.raw.ptr + 184, 48);
    assert_memory_equal(q.td.rtmr[0], m.raw.ptr + 376, 48);
    assert_memory_equal(q.td.report_data, m.raw.ptr + 568, 64);
    assert_memory_equal(q.attestation_key, m.raw.ptr + 700, 64);
    assert_ptr_equal(q.qe_report_raw.ptr, m.raw.ptr + 770);
    assert_ptr_equal(q.qe_auth_data.ptr, m.raw.ptr + 1220);
    assert_ptr_equal(q.cert_data.ptr, m.raw.ptr + 1258);
    intel_machine_free(&m);
}

static void
quotes_cut_short_anywhere_are_refused(void **state)
{
    (void)state;
    for (uint16_t version = 3; version <= 5; version++) {
        struct intel_machine m;
        struct tdx_quote q;

        intel_machine_init(&m, version);
        for (size_t len = 0; len < m.raw.len; len++) {
            uint8_t *copy = malloc(len + 1); /* a read past the end shows */

            assert_non_null(copy);
            memcpy(copy, m.raw.ptr, len);
            assert_status(decode(span_of(copy, len), &q), ASSAY_ERR_MALFORMED);
            free(copy);
        }
        intel_machine_free(&m);
    }
}

/* Each row breaks one rule of a valid quote. */
static const struct {
    const char *rule;
    uint16_t version;
    size_t at;
    uint8_t value;
    enum assay_status want;
} broken[] = {
    { "version 2", 4, 0, 2, ASSAY_ERR_UNSUPPORTED },
    { "version 6", 4, 0, 6, ASSAY_ERR_UNSUPPORTED },
    { "version 260", 4, 1, 1, ASSAY_ERR_UNSUPPORTED },
    { "attestation key P-384", 4, 2, 3, ASSAY_ERR_UNSUPPORTED },
    { "TEE type unknown", 4, 4, 0x82, ASSAY_ERR_UNSUPPORTED },
    { "TEE type in the high bytes", 4, 7, 1, ASSAY_ERR_UNSUPPORTED },
    { "version 3 with TEE type TDX", 3, 4, 0x81, ASSAY_ERR_UNSUPPORTED },
    { "another vendor's QE", 4, 12, 0, ASSAY_ERR_UNSUPPORTED },
    { "signature data too long", 4, 632, 0xff, ASSAY_ERR_MALFORMED },
    { "signature data near 2^32", 4, 635, 0xff, ASSAY_ERR_MALFORMED },
    { "outer type 5", 4, 764, 5, ASSAY_ERR_UNSUPPORTED },
    { "outer type 7", 4, 764, 7, ASSAY_ERR_UNSUPPORTED },
    { "outer size too long", 4, 769, 0xff, ASSAY_ERR_MALFORMED },
    { "auth data too long", 4, 1219, 0xff, ASSAY_ERR_MALFORMED },
    { "auth data one shorter", 4, 1218, 31, ASSAY_ERR_MALFORMED },
    { "inner type 0", 4, 1252, 0, ASSAY_ERR_UNSUPPORTED },
    { "inner type 6", 4, 1252, 6, ASSAY_ERR_UNSUPPORTED },
    { "inner size near 2^32", 4, 1257, 0xff, ASSAY_ERR_MALFORMED },
    { "body type 0", 5, 48, 0, ASSAY_ERR_UNSUPPORTED },
    { "body type 4", 5, 48, 4, ASSAY_ERR_UNSUPPORTED },
    { "body type SGX in a TDX quote", 5, 48, 1, ASSAY_ERR_MALFORMED },
    { "body type 2 with the size of 3", 5, 48, 2, ASSAY_ERR_MALFORMED },
    { "body size near 2^32", 5, 53, 0xff, ASSAY_ERR_MALFORMED },
    { "SGX TEE type with a TDX body", 5, 4, 0, ASSAY_ERR_MALFORMED },
};

static void
broken_quotes_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        struct intel_machine m;
        struct tdx_quote q;
        enum assay_status st;

        intel_machine_init(&m, broken[i].version);
        m.raw.ptr[broken[i].at] = broken[i].value;
        st = decode(buffer_span(&m.raw), &q);
        if (st != broken[i].want)
            fail_msg("%s: got %s, want %s", broken[i].rule,
                     assay_status_name(st), assay_status_name(broken[i].want));
        intel_machine_free(&m);
    }
}

static void
lengths_that_do_not_add_up_are_refused(void **state)
{
    /* Size of the certificate data, of the outer block, of all. */
    static const size_t fields[] = { 1254, 766, 632 };
    struct intel_machine m;
    struct tdx_quote q;

    (void)state;
    intel_machine_init(&m, 4);
    for (size_t i = 0; i < COUNT(fields); i++) {
        uint8_t *low = m.raw.ptr + fields[i];

        assert_true(*low != 0 && *low != 0xff);
        for (int step = -1; step <= 1; step += 2) {
            *low = (uint8_t)(*low + step);
            assert_status(decode(buffer_span(&m.raw), &q), ASSAY_ERR_MALFORMED);
            *low = (uint8_t)(*low - step);
        }
    }
    intel_machine_free(&m);
}

static void
bytes_behind_the_end_are_kept_apart(void **state)
{
    struct intel_machine m;
    struct tdx_quote q;

    (void)state;
    intel_machine_init(&m, 4);
    buffer_add(&m.raw, span_of("\0\0\0x", 4));
    assert_status(decode(buffer_span(&m.raw), &q), ASSAY_OK);
    assert_int_equal(q.trailing.len, 4);
    assert_int_equal(q.trailing.ptr[3], 'x');
    intel_machine_free(&m);
}

/* --- PCK extension -------------------------------------------------------- */

static void
extension_of(const struct intel_machine *m, struct buffer *out)
{
    buffer_init(out, 4096, NULL);
    sgx_pck_encode(&m->pck, out);
    assert_false(out->failed);
}

static void
pck_extensions_survive_the_round_trip(void **state)
{
    struct intel_machine m;
    struct sgx_pck pck;
    struct buffer raw;

    (void)state;
    intel_machine_init(&m, 4);
    memset(m.pck.comp_svn, 0xff, sizeof(m.pck.comp_svn)); /* a leading zero */
    m.pck.pce_svn = 0xffff;
    m.pck.sgx_type = SGX_SCALABLE_WITH_INTEGRITY;
    m.pck.cached_keys = true;
    extension_of(&m, &raw);
    assert_status(sgx_pck_decode(buffer_span(&raw), &pck, NULL), ASSAY_OK);
    assert_memory_equal(&pck, &m.pck, sizeof(pck));
    buffer_free(&raw);
    m.pck.has_platform_instance_id = m.pck.has_configuration = false;
    extension_of(&m, &raw);
    assert_status(sgx_pck_decode(buffer_span(&raw), &pck, NULL), ASSAY_OK);
    assert_false(pck.has_platform_instance_id || pck.has_configuration);
    buffer_free(&raw);
    intel_machine_free(&m);
}

static void
pck_extensions_cut_short_anywhere_are_refused(void **state)
{
    struct intel_machine m;
    struct sgx_pck pck;
    struct buffer raw;

    (void)state;
    intel_machine_init(&m, 4);
    extension_of(&m, &raw);
    for (size_t len = 0; len < raw.len; len++)
        assert_status(sgx_pck_decode(span_of(raw.ptr, len), &pck, NULL),
                      ASSAY_ERR_MALFORMED);
    buffer_add(&raw, span_of("", 1));
    assert_status(sgx_pck_decode(buffer_span(&raw), &pck, NULL),
                  ASSAY_ERR_MALFORMED);
    buffer_free(&raw);
    intel_machine_free(&m);
}

/* 1.2.840.113741.1.13.1 and the tail that makes a member's OID, in DER. */
#define SGX_OID "\x2a\x86\x48\x86\xf8\x4d\x01\x0d\x01"

/* Changes the bytes behind the OID with this tail: every one of them. */
static void
members_are_there_once_and_in_range(void **state)
{
    static const struct {
        const char *rule;
        const char *oid; /* the OID's TLV, up to the value's tag */
        size_t len;
        size_t at; /* behind it */
        uint8_t value;
    } rows[] = {
        { "FMSPC has another type", "\x06\x0a" SGX_OID "\x04", 12, 0, 0x03 },
        { "FMSPC becomes a second PCE-ID", "\x06\x0a" SGX_OID "\x04", 12,
          (size_t)-1, 0x03 },
        { "an unknown member", "\x06\x0a" SGX_OID "\x05", 12, (size_t)-1, 9 },
        { "SGX type 3", "\x06\x0a" SGX_OID "\x05", 12, 2, 3 },
        { "a component becomes another one", "\x06\x0b" SGX_OID "\x02\x03", 13,
          (size_t)-1, 0x04 },
        { "a component is negative", "\x06\x0b" SGX_OID "\x02\x03", 13, 2,
          0x80 },
        { "component 19", "\x06\x0b" SGX_OID "\x02\x03", 13, (size_t)-1, 0x13 },
        { "a flag is neither true nor false", "\x06\x0b" SGX_OID "\x07\x01", 13,
          2, 0x01 },
        { "a flag becomes another one", "\x06\x0b" SGX_OID "\x07\x01", 13,
          (size_t)-1, 0x02 },
        { "a foreign OID", "\x06\x0a" SGX_OID "\x01", 12, (size_t)-2, 0x7f },
    };
    struct intel_machine m;

    (void)state;
    intel_machine_init(&m, 4);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sgx_pck pck;
        struct buffer raw;
        uint8_t *at;

        extension_of(&m, &raw);
        at = memmem(raw.ptr, raw.len, rows[i].oid, rows[i].len);
        assert_non_null(at);
        at[rows[i].len + rows[i].at] = rows[i].value;
        if (sgx_pck_decode(buffer_span(&raw), &pck, NULL) !=
            ASSAY_ERR_MALFORMED)
            fail_msg("%s: not refused", rows[i].rule);
        buffer_free(&raw);
    }
    intel_machine_free(&m);
}

/* --- bits ----------------------------------------------------------------- */

static void
bits_are_named(void **state)
{
    struct buffer text;

    (void)state;
    buffer_init(&text, 1024, NULL);
    tdx_attributes_describe(UINT64_C(0x8000000010000001), &text);
    assert_string_equal(buffer_str(&text), "DEBUG SEPT_VE_DISABLE PERFMON");
    buffer_clear(&text);
    tdx_attributes_describe(UINT64_C(1) << 40, &text);
    assert_string_equal(buffer_str(&text), "bit40");
    buffer_clear(&text);
    tdx_xfam_describe(0x618e7, &text);
    assert_string_equal(buffer_str(&text),
                        "X87 SSE AVX AVX512_K AVX512_ZMM AVX512_HI16 CET_U "
                        "CET_S TILECFG TILEDATA");
    buffer_clear(&text);
    tdx_xfam_describe(0, &text);
    assert_string_equal(buffer_str(&text), "none");
    buffer_free(&text);
    assert_int_equal(tdx_attributes_reserved(0x10000000), 0);
    assert_int_equal(tdx_attributes_reserved(2), 2);
    assert_int_equal(tdx_xfam_invalid(0x602e7), 0);
    assert_int_equal(tdx_xfam_invalid(0x602e6), 1); /* x87 must be on */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_of_all_versions_survive_the_round_trip),
        cmocka_unit_test(fields_lie_where_the_layout_says),
        cmocka_unit_test(quotes_cut_short_anywhere_are_refused),
        cmocka_unit_test(broken_quotes_are_refused),
        cmocka_unit_test(lengths_that_do_not_add_up_are_refused),
        cmocka_unit_test(bytes_behind_the_end_are_kept_apart),
        cmocka_unit_test(pck_extensions_survive_the_round_trip),
        cmocka_unit_test(pck_extensions_cut_short_anywhere_are_refused),
        cmocka_unit_test(members_are_there_once_and_in_range),
        cmocka_unit_test(bits_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
