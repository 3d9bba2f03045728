#include "../vectors.h"

#include "evidence/snp_form.h"
#include "evidence/snp_report.h"

#include "amd_fixture.h"

/* A well-formed report of a version; the signature is just filler. */
static void
make(uint32_t version, uint8_t raw[SNP_REPORT_SIZE])
{
    struct snp_report r;

    amd_report_init(&r, SNP_PRODUCT_GENOA, version);
    memset(r.signature, 0x5a, 48);
    memset(r.signature + SNP_SIGNATURE_PART, 0xa5, 48);
    snp_report_encode(&r, raw);
}

static void
every_known_version_decodes_and_encodes_back(void **state)
{
    (void)state;
    for (uint32_t version = 2; version <= 5; version++) {
        uint8_t raw[SNP_REPORT_SIZE], back[SNP_REPORT_SIZE];
        struct assay_error err = { 0 };
        struct snp_report r;

        make(version, raw);
        assert_ok(snp_report_decode(span_of(raw, sizeof(raw)), &r, &err), &err);
        snp_report_encode(&r, back);
        assert_memory_equal(raw, back, sizeof(raw));
    }
}

static void
every_other_version_is_unsupported(void **state)
{
    static const uint32_t versions[] = { 0, 1, 6, 7, 255, 0x01000002 };

    (void)state;
    for (size_t i = 0; i < COUNT(versions); i++) {
        uint8_t raw[SNP_REPORT_SIZE];
        struct snp_report r;

        make(versions[i], raw);
        assert_status(snp_report_decode(span_of(raw, sizeof(raw)), &r, NULL),
                      ASSAY_ERR_UNSUPPORTED);
        /* ... but can be shown. */
        assert_status(snp_report_read(span_of(raw, sizeof(raw)), &r, NULL),
                      ASSAY_OK);
    }
}

static void
every_other_length_is_malformed(void **state)
{
    uint8_t raw[SNP_REPORT_SIZE + 1] = { 0 };
    struct snp_report r;

    (void)state;
    make(3, raw);
    for (size_t len = 0; len <= sizeof(raw); len++) {
        /* Exact memory, so that reading beyond it is seen. */
        uint8_t *copy = malloc(len ? len : 1);

        assert_non_null(copy);
        memcpy(copy, raw, len);
        assert_status(snp_report_decode(span_of(copy, len), &r, NULL),
                      len == SNP_REPORT_SIZE ? ASSAY_OK : ASSAY_ERR_MALFORMED);
        free(copy);
    }
}

/* Each row breaks one rule of a report of that version. */
static const struct {
    const char *rule;
    uint32_t version;
    size_t at;
    uint8_t value;
    const char *check; /* NULL: nothing is broken */
} broken[] = {
    { "algorithm 0", 3, 0x034, 0x00, "signature_algo" },
    { "algorithm 2", 3, 0x034, 0x02, "signature_algo" },
    { "policy bit 17 clear", 3, 0x00a, 0x01, "policy_reserved" },
    { "policy bit 26 set", 3, 0x00b, 0x04, "policy_reserved" },
    { "policy bit 63 set", 3, 0x00f, 0x80, "policy_reserved" },
    { "policy bit 25 is known", 3, 0x00b, 0x02, NULL },
    { "flags bit 5", 3, 0x048, 0x20, "flags_reserved" },
    { "flags bit 31", 3, 0x04b, 0x80, "flags_reserved" },
    { "signing key 2", 3, 0x048, 0x08, "signing_key" },
    { "signing key 6", 3, 0x048, 0x18, "signing_key" },
    { "signing key none", 3, 0x048, 0x1c, "signing_key" },
    { "chip key masked", 3, 0x048, 0x02, "signing_key" },
    { "author key is fine", 3, 0x048, 0x01, NULL },
    { "vmpl 3", 3, 0x030, 0x03, NULL },
    { "vmpl 4", 3, 0x030, 0x04, "vmpl_range" },
    { "reserved word", 3, 0x04f, 0x80, "reserved_bytes" },
    { "cpuid in version 2", 2, 0x188, 0x19, "reserved_bytes" },
    { "stepping in version 2", 2, 0x18a, 0x01, "reserved_bytes" },
    { "stepping in version 3", 3, 0x18a, 0x02, NULL },
    { "first byte behind cpuid", 3, 0x18b, 0x01, "reserved_bytes" },
    { "last byte before chip id", 5, 0x19f, 0x01, "reserved_bytes" },
    { "behind current version", 5, 0x1eb, 0x01, "reserved_bytes" },
    { "behind committed version", 5, 0x1ef, 0x01, "reserved_bytes" },
    { "vector bytes in version 2", 2, 0x1f8, 0x01, "reserved_bytes" },
    { "vector bytes in version 3", 3, 0x207, 0x01, "reserved_bytes" },
    { "opaque bytes in version 4", 4, 0x1f8, 0x01, NULL },
    { "opaque bytes in version 4, last", 4, 0x207, 0x01, NULL },
    { "behind the opaque bytes", 4, 0x208, 0x01, "reserved_bytes" },
    { "vector in version 5", 5, 0x1f8, 0x0b, NULL },
    { "behind the vectors", 5, 0x208, 0x01, "reserved_bytes" },
    { "last signed byte", 5, 0x29f, 0x01, "reserved_bytes" },
    { "r longer than 48 bytes", 3, 0x2d0, 0x01, "signature_padding" },
    { "r, last byte", 3, 0x2e7, 0x01, "signature_padding" },
    { "s longer than 48 bytes", 3, 0x318, 0x01, "signature_padding" },
    { "behind s", 3, 0x330, 0x01, "signature_padding" },
    { "last byte of all", 3, 0x49f, 0x01, "signature_padding" },
    { "platform info is exempt", 3, 0x047, 0x80, NULL },
};

static void
each_broken_rule_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        uint8_t raw[SNP_REPORT_SIZE];
        struct snp_report r;
        struct arena arena;
        struct verdict v;
        bool holds;

        make(broken[i].version, raw);
        raw[broken[i].at] = broken[i].value;
        assert_status(snp_report_read(span_of(raw, sizeof(raw)), &r, NULL),
                      ASSAY_OK);
        arena_init(&arena, 1 << 20, NULL);
        verdict_init(&v, &arena, "snp", false);
        holds = snp_form_check(&r, &v);
        if (holds != (broken[i].check == NULL))
            fail_msg("%s: got %d", broken[i].rule, holds);
        if (!holds &&
            strcmp(verdict_first_failure(&v)->name, broken[i].check) != 0)
            fail_msg("%s: got %s, want %s", broken[i].rule,
                     verdict_first_failure(&v)->name, broken[i].check);
        assert_int_equal(verdict_failures(&v), !holds);
        assert_int_equal(
            snp_report_decode(span_of(raw, sizeof(raw)), &r, NULL) == ASSAY_OK,
            holds);
        arena_drop(&arena);
    }
}

static void
a_report_the_host_asked_for_is_refused(void **state)
{
    uint8_t raw[SNP_REPORT_SIZE];
    struct snp_report r;

    (void)state;
    make(3, raw);
    memset(raw + 0x030, 0xff, 4);
    assert_status(snp_report_decode(span_of(raw, sizeof(raw)), &r, NULL),
                  ASSAY_ERR_MALFORMED);
}

/* go-sev-guest reads mitigation vectors of every version. */
static void
mitigation_vectors_are_claimed_from_version_5_on(void **state)
{
    (void)state;
    for (uint32_t version = 2; version <= 5; version++) {
        uint8_t raw[SNP_REPORT_SIZE];
        struct assay_error err = { 0 };
        struct claims claims;
        struct snp_report r;
        struct arena arena;

        make(version, raw);
        if (version >= 4)
            raw[0x1f8] = 0x3f;
        arena_init(&arena, 1 << 20, NULL);
        assert_ok(snp_report_decode(span_of(raw, sizeof(raw)), &r, &err), &err);
        assert_ok(
            snp_report_claims(&r, SNP_PRODUCT_GENOA, &arena, &claims, &err),
            &err);
        assert_int_equal(claims_find(&claims, "launch_mit_vector") != NULL,
                         version >= 5);
        assert_int_equal(claims_find(&claims, "opaque_1f8") != NULL,
                         version == 4);
        arena_drop(&arena);
    }
}

/* Arcs of contrast-interop section 10.4, once each, 1 to 46. */
static void
claims_have_every_arc_once(void **state)
{
    uint8_t raw[SNP_REPORT_SIZE];
    struct assay_error err = { 0 };
    struct claims claims;
    struct snp_report r;
    struct arena arena;

    (void)state;
    make(3, raw);
    arena_init(&arena, 1 << 20, NULL);
    assert_ok(snp_report_decode(span_of(raw, sizeof(raw)), &r, &err), &err);
    assert_ok(snp_report_claims(&r, SNP_PRODUCT_GENOA, &arena, &claims, &err),
              &err);
    for (unsigned arc = 1; arc <= 46; arc++) {
        unsigned n = 0;

        for (size_t i = 0; i < claims.count; i++)
            n += claims.list[i].arc == arc;
        if (n != 1)
            fail_msg("arc %u: got %u claims, want 1", arc, n);
    }
    assert_string_equal(claims_find_arc(&claims, 22)->name, "measurement");
    assert_string_equal(claims_find_arc(&claims, 29)->name, "reported_tcb_snp");
    assert_int_equal(claims_find_arc(&claims, 29)->number, 24);
    assert_string_equal(claims_find_arc(&claims, 46)->name, "launch_tcb_ucode");
    arena_drop(&arena);
}

static void
claims_without_memory_fail_cleanly(void **state)
{
    uint8_t raw[SNP_REPORT_SIZE];
    struct snp_report r;

    (void)state;
    make(5, raw);
    assert_status(snp_report_decode(span_of(raw, sizeof(raw)), &r, NULL),
                  ASSAY_OK);
    for (size_t n = 0;; n++) {
        struct failing_alloc f;
        struct claims claims;
        struct arena arena;
        enum assay_status st;

        failing_alloc_init(&f, n);
        arena_init(&arena, 1 << 20, &f.alloc);
        st = snp_report_claims(&r, SNP_PRODUCT_TURIN, &arena, &claims, NULL);
        arena_drop(&arena);
        assert_int_equal(f.live, 0);
        if (st == ASSAY_OK)
            break;
        assert_status(st, ASSAY_ERR_NOMEM);
    }
}

static void
genuine_reports_come_back_byte_for_byte(void **state)
{
    static const char *const names[] = {
        "milan-v2-report-2.bin",      "milan-v2-report-4-authorkey.bin",
        "milan-v3-report-1-vlek.bin", "genoa-v3-report-2.bin",
        "bergamo-v5-report-1.bin",    "turin-v5-report-1-aci.bin",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct assay_error err = { 0 };
        uint8_t back[SNP_REPORT_SIZE];
        struct snp_report r;
        struct buffer raw;
        char path[128];

        snprintf(path, sizeof(path), "snp/%s", names[i]);
        vector_read(path, &raw);
        assert_ok(snp_report_decode(buffer_span(&raw), &r, &err), &err);
        snp_report_encode(&r, back);
        assert_memory_equal(raw.ptr, back, sizeof(back));
        buffer_free(&raw);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_known_version_decodes_and_encodes_back),
        cmocka_unit_test(every_other_version_is_unsupported),
        cmocka_unit_test(every_other_length_is_malformed),
        cmocka_unit_test(each_broken_rule_is_named),
        cmocka_unit_test(a_report_the_host_asked_for_is_refused),
        cmocka_unit_test(mitigation_vectors_are_claimed_from_version_5_on),
        cmocka_unit_test(claims_have_every_arc_once),
        cmocka_unit_test(claims_without_memory_fail_cleanly),
        cmocka_unit_test(genuine_reports_come_back_byte_for_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
