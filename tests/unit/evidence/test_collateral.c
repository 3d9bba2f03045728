/* Certificate tables and files of certificates. */
#include "../vectors.h"

#include "codec/pem.h"
#include "evidence/evidence.h"
#include "evidence/snp_certs.h"

#include "amd_fixture.h"

static const struct snp_cert_table sample = {
    .vcek = { (const uint8_t *)"leaf", 4 },
    .vlek = { (const uint8_t *)"vlek", 4 },
    .ask = { (const uint8_t *)"ask", 3 },
    .ark = { (const uint8_t *)"ark", 3 },
    .crl = { (const uint8_t *)"c", 1 },
};

static void
encode(const struct snp_cert_table *t, struct buffer *out)
{
    struct assay_error err = { 0 };

    buffer_init(out, LIMIT_CERT_TABLE_BYTES, NULL);
    assert_ok(snp_cert_table_encode(t, out, &err), &err);
}

static void
tables_round_trip(void **state)
{
    struct assay_error err = { 0 };
    struct snp_cert_table t;
    struct buffer b;

    (void)state;
    encode(&sample, &b);
    assert_ok(snp_cert_table_decode(buffer_span(&b), &t, &err), &err);
    assert_true(span_equal(t.vcek, sample.vcek));
    assert_true(span_equal(t.vlek, sample.vlek));
    assert_true(span_equal(t.ask, sample.ask));
    assert_true(span_equal(t.ark, sample.ark));
    assert_true(span_equal(t.crl, sample.crl));
    buffer_free(&b);
}

static void
empty_tables_hold_nothing(void **state)
{
    static const uint8_t zeros[4096];
    struct assay_error err = { 0 };
    struct snp_cert_table t;

    (void)state;
    assert_ok(snp_cert_table_decode(span_of(zeros, 0), &t, &err), &err);
    assert_int_equal(t.vcek.len, 0);
    assert_ok(snp_cert_table_decode(span_of(zeros, sizeof(zeros)), &t, &err),
              &err);
    assert_int_equal(t.vcek.len, 0);
}

/* Offsets within the first entry: GUID 0, offset 16, length 20. The header of
 * five entries and a terminator has 144 bytes, the table 159. */
static const struct {
    const char *rule;
    size_t at;
    uint8_t bytes[8];
    size_t len;
} broken[] = {
    { "length 0", 20, { 0, 0, 0, 0 }, 4 },
    { "inside the header", 16, { 143, 0, 0, 0 }, 4 },
    { "offset 0", 16, { 0, 0, 0, 0 }, 4 },
    { "beyond the end", 16, { 156, 0, 0, 0 }, 4 },
    { "one byte too long", 20, { 16, 0, 0, 0 }, 4 },
    { "sum wraps 32 bits", 16, { 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0 }, 8 },
    { "sum wraps to inside", 16, { 144, 0, 0, 0, 0xff, 0xff, 0xff, 0xff }, 8 },
};

static void
broken_tables_are_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        struct snp_cert_table t;
        struct buffer b;

        encode(&sample, &b);
        memcpy(b.ptr + broken[i].at, broken[i].bytes, broken[i].len);
        if (snp_cert_table_decode(buffer_span(&b), &t, NULL) !=
            ASSAY_ERR_MALFORMED)
            fail_msg("%s: accepted", broken[i].rule);
        buffer_free(&b);
    }
}

static void
two_different_entries_of_a_kind_are_malformed(void **state)
{
    struct assay_error err = { 0 };
    struct snp_cert_table t;
    struct buffer b;

    (void)state;
    encode(&sample, &b);
    memcpy(b.ptr + 24, b.ptr, 16); /* the VLEK's GUID becomes the VCEK's */
    assert_status(snp_cert_table_decode(buffer_span(&b), &t, NULL),
                  ASSAY_ERR_MALFORMED);
    memcpy(b.ptr + 24, b.ptr, 24); /* the very same entry twice is harmless */
    assert_ok(snp_cert_table_decode(buffer_span(&b), &t, &err), &err);
    buffer_free(&b);
}

static void
unknown_guids_are_ignored(void **state)
{
    struct assay_error err = { 0 };
    struct snp_cert_table t;
    struct buffer b;

    (void)state;
    encode(&sample, &b);
    b.ptr[24] ^= 0xff;
    assert_ok(snp_cert_table_decode(buffer_span(&b), &t, &err), &err);
    assert_int_equal(t.vlek.len, 0);
    assert_int_equal(t.vcek.len, 4);
    buffer_free(&b);
}

static void
every_shorter_table_is_refused(void **state)
{
    struct buffer b;

    (void)state;
    encode(&sample, &b);
    for (size_t len = 1; len < b.len; len++) {
        uint8_t *copy = malloc(len);
        struct snp_cert_table t;

        assert_non_null(copy);
        memcpy(copy, b.ptr, len);
        assert_status(snp_cert_table_decode(span_of(copy, len), &t, NULL),
                      ASSAY_ERR_MALFORMED);
        free(copy);
    }
    buffer_free(&b);
}

static void
tables_have_a_limit(void **state)
{
    static uint8_t big[LIMIT_CERT_TABLE_BYTES + 1];
    struct snp_cert_table t = { .vcek = span_of(big, sizeof(big) - 1) };
    struct buffer b;

    (void)state;
    assert_status(snp_cert_table_decode(span_of(big, sizeof(big)), &t, NULL),
                  ASSAY_ERR_LIMIT);
    buffer_init(&b, 1 << 20, NULL);
    t = (struct snp_cert_table){ .vcek = span_of(big, sizeof(big) - 1) };
    assert_status(snp_cert_table_encode(&t, &b, NULL), ASSAY_ERR_LIMIT);
    assert_int_equal(b.len, 0);
    buffer_free(&b);
}

/* --- files --------------------------------------------------------------- */

static void
add(struct snp_collateral *c, struct span file, enum assay_status want)
{
    struct assay_error err = { 0 };
    struct arena arena;

    arena_init(&arena, 1 << 20, NULL);
    assert_status(snp_collateral_add_file(c, file, &arena, &err), want);
    arena_drop(&arena);
}

static void
files_of_every_form_are_read(void **state)
{
    struct assay_error err = { 0 };
    struct snp_collateral c = { 0 };
    struct amd_machine m;
    struct buffer file;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_MILAN, false, 3);
    add(&c, buffer_span(&m.leaf), ASSAY_OK);
    assert_int_equal(c.cert_count, 1);
    add(&c, buffer_span(&m.crl), ASSAY_OK);
    assert_int_equal(c.crl_count, 1);
    buffer_init(&file, 1 << 20, NULL);
    buffer_add_str(&file, "a comment\n");
    assert_ok(pem_encode("CERTIFICATE", buffer_span(&m.ark), &file, &err),
              &err);
    assert_ok(pem_encode("X509 CRL", buffer_span(&m.crl), &file, &err), &err);
    assert_ok(pem_encode("CERTIFICATE", buffer_span(&m.leaf), &file, &err),
              &err);
    add(&c, buffer_span(&file), ASSAY_OK);
    assert_int_equal(c.cert_count, 3);
    assert_int_equal(c.crl_count, 2);
    buffer_clear(&file);
    buffer_add(&file, buffer_span(&m.leaf));
    buffer_add(&file, buffer_span(&m.crl));
    buffer_add(&file, buffer_span(&m.ark));
    buffer_add(&file, span_of("\0\0\0\0", 4)); /* padding of a table */
    add(&c, buffer_span(&file), ASSAY_OK);
    assert_int_equal(c.cert_count, 5);
    assert_int_equal(c.crl_count, 3);
    buffer_free(&file);
    amd_machine_free(&m);
}

static void
files_of_nothing_are_malformed(void **state)
{
    static const char *const files[] = {
        "",
        "text",
        "-----BEGIN CERTIFICATE-----\nMII\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "0\x82\xff\xff",
        "0\x03\x02\x01\x01trailing",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        struct snp_collateral c = { 0 };

        add(&c, span_str(files[i]), ASSAY_ERR_MALFORMED);
    }
}

static void
too_many_certificates_are_a_limit(void **state)
{
    struct snp_collateral c = { 0 };
    struct amd_machine m;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_MILAN, false, 3);
    for (int i = 0; i < LIMIT_CERTS_PER_FILE; i++)
        add(&c, buffer_span(&m.leaf), ASSAY_OK);
    add(&c, buffer_span(&m.leaf), ASSAY_ERR_LIMIT);
    amd_machine_free(&m);
}

/* A table within a table would be recursion a host may choose. */
static void
tables_do_not_nest(void **state)
{
    struct snp_cert_table outer = { 0 };
    struct snp_collateral c = { 0 };
    struct buffer inner, b;

    (void)state;
    encode(&sample, &inner);
    outer.vcek = buffer_span(&inner);
    encode(&outer, &b);
    add(&c, buffer_span(&b), ASSAY_ERR_MALFORMED);
    buffer_free(&inner);
    buffer_free(&b);
}

/* --- detection ----------------------------------------------------------- */

static void
formats_are_recognised(void **state)
{
    struct amd_machine m;
    struct buffer table;
    char text[1700];

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_MILAN, false, 3);
    encode(&sample, &table);
    base64_encode(span_of(m.raw, sizeof(m.raw)), text);
    memcpy(text + strlen(text), "\n", 2);
    assert_int_equal(evidence_detect(span_of(m.raw, sizeof(m.raw))),
                     EVIDENCE_SNP_REPORT);
    assert_int_equal(evidence_detect(span_str(text)), EVIDENCE_SNP_BASE64);
    assert_int_equal(evidence_detect(buffer_span(&m.leaf)), EVIDENCE_CERT_DER);
    assert_int_equal(evidence_detect(buffer_span(&m.crl)), EVIDENCE_CRL_DER);
    assert_int_equal(evidence_detect(buffer_span(&table)),
                     EVIDENCE_SNP_CERT_TABLE);
    assert_int_equal(
        evidence_detect(span_of("\x04\x00\x02\x00\x81\x00\x00", 8)),
        EVIDENCE_TDX_QUOTE);
    assert_int_equal(evidence_detect(span_str("")), EVIDENCE_UNKNOWN);
    /* One byte more or less is no report. */
    assert_int_not_equal(evidence_detect(span_of(m.raw, sizeof(m.raw) - 1)),
                         EVIDENCE_SNP_REPORT);
    buffer_free(&table);
    amd_machine_free(&m);
}

static void
hcl_blobs_of_every_length_are_handled(void **state)
{
    struct buffer blob;

    (void)state;
    vector_read("snp/milan-v2-hcl-1.bin", &blob);
    for (size_t len = 0; len <= blob.len; len += len < 0x600 ? 1 : 37) {
        uint8_t *copy = malloc(len ? len : 1);
        struct hcl_blob hcl;
        enum assay_status st;

        assert_non_null(copy);
        memcpy(copy, blob.ptr, len);
        st = hcl_blob_decode(span_of(copy, len), &hcl, NULL);
        /* Runtime data ends at 4D4 + its length, 0x456. */
        assert_status(st, len < 0x4d4 + 0x456 ? ASSAY_ERR_MALFORMED : ASSAY_OK);
        free(copy);
    }
    buffer_free(&blob);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_round_trip),
        cmocka_unit_test(empty_tables_hold_nothing),
        cmocka_unit_test(broken_tables_are_malformed),
        cmocka_unit_test(two_different_entries_of_a_kind_are_malformed),
        cmocka_unit_test(unknown_guids_are_ignored),
        cmocka_unit_test(every_shorter_table_is_refused),
        cmocka_unit_test(tables_have_a_limit),
        cmocka_unit_test(files_of_every_form_are_read),
        cmocka_unit_test(files_of_nothing_are_malformed),
        cmocka_unit_test(too_many_certificates_are_a_limit),
        cmocka_unit_test(tables_do_not_nest),
        cmocka_unit_test(formats_are_recognised),
        cmocka_unit_test(hcl_blobs_of_every_length_are_handled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
