/* The encoder against firmware: genuine reports, taken apart by the library's
 * decoder, are put together again to the same bytes. */
#include "vectors.h"

#include "evidence/snp_report.h"
#include "evidence/snp_tcb.h"
#include "sim/report.h"

static struct tcb
tcb_of(const char *line, uint64_t word)
{
    struct snp_tcb_parts p =
        snp_tcb_split(snp_product_parse(span_str(line)), word);

    return (struct tcb){ p.fmc, p.bl, p.tee, p.snp, p.ucode };
}

static struct report_facts
facts_of(const char *line, const struct snp_report *r)
{
    struct report_facts f = {
        .product = product_find(span_str(line)),
        .version = r->version,
        .guest_svn = r->guest_svn,
        .policy = r->policy,
        .platform_info = r->platform_info,
        .vlek = r->flags == 4,
        .current_tcb = tcb_of(line, r->current_tcb),
        .committed_tcb = tcb_of(line, r->committed_tcb),
        .launch_tcb = tcb_of(line, r->launch_tcb),
        .reported_tcb = tcb_of(line, r->reported_tcb),
        .current = { r->current.major, r->current.minor, r->current.build },
        .committed = { r->committed.major, r->committed.minor,
                       r->committed.build },
        .launch_mit_vector = r->launch_mit_vector,
        .current_mit_vector = r->current_mit_vector,
        .cpuid = { r->cpuid_fam_id, r->cpuid_mod_id, r->cpuid_step },
    };

    memcpy(f.family_id, r->family_id, sizeof(f.family_id));
    memcpy(f.image_id, r->image_id, sizeof(f.image_id));
    memcpy(f.measurement, r->measurement, sizeof(f.measurement));
    memcpy(f.host_data, r->host_data, sizeof(f.host_data));
    memcpy(f.id_key_digest, r->id_key_digest, sizeof(f.id_key_digest));
    memcpy(f.report_id, r->report_id, sizeof(f.report_id));
    memcpy(f.chip_id, r->chip_id, sizeof(f.chip_id));
    return f;
}

static void
genuine_reports_are_reproduced(void **state)
{
    static const char *const rows[][2] = {
        { "Milan", "milan-v2-report-1-debug.bin" },
        { "Milan", "milan-v2-report-2.bin" },
        { "Milan", "milan-v2-report-5-old-tcb.bin" },
        { "Milan", "milan-v2-report-6.bin" },
        { "Milan", "milan-v3-report-1-vlek.bin" },
        { "Milan", "milan-v3-report-5.bin" },
        { "Genoa", "genoa-v3-report-2.bin" },
        { "Genoa", "bergamo-v5-report-1.bin" },
        { "Turin", "turin-v5-report-1-aci.bin" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t got[REPORT_SIZE];
        struct snp_report decoded;
        struct report_facts facts;
        struct assay_error err;
        struct buffer raw;
        char name[64];

        snprintf(name, sizeof(name), "snp/%s", rows[i][1]);
        vector_read(name, &raw);
        assert_ok(snp_report_decode(buffer_span(&raw), &decoded, &err), &err);
        facts = facts_of(rows[i][0], &decoded);
        report_encode(&facts, decoded.report_data, decoded.vmpl, got);
        for (size_t at = 0; at < REPORT_SIGNED_SIZE; at++)
            if (got[at] != raw.ptr[at])
                fail_msg("%s: byte 0x%03zx: got %02x, want %02x", name, at,
                         got[at], raw.ptr[at]);
        buffer_free(&raw);
    }
}

static void
signatures_are_little_endian(void **state)
{
    uint8_t report[REPORT_SIZE] = { 0 }, rs[96];

    (void)state;
    for (size_t i = 0; i < sizeof(rs); i++)
        rs[i] = (uint8_t)(i + 1);
    report_set_signature(report, rs);
    assert_int_equal(report[0x2a0], 48);
    assert_int_equal(report[0x2a0 + 47], 1);
    assert_int_equal(report[0x2a0 + 48], 0);
    assert_int_equal(report[0x2a0 + 72], 96);
    assert_int_equal(report[0x2a0 + 72 + 47], 49);
    assert_true(span_is_zero(span_of(report + 0x330, REPORT_SIZE - 0x330)));
}

static void
tcb_texts_follow_the_product(void **state)
{
    static const struct {
        const char *line, *text;
        bool ok;
    } rows[] = {
        { "Milan", "4,0,24,219", true },
        { "Milan", "4,0,24", false },
        { "Milan", "4,0,24,256", false },
        { "Milan", "4,0,24,219,", false },
        { "Milan", "-4,0,24,219", false },
        { "Milan", "1,4,0,24,219", false },
        { "Turin", "1,1,1,4,81", true },
        { "Turin", "1,1,4,81", false },
        { "Genoa", "", false },
        { "Genoa", "a,0,0,0", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct product *p = product_find(span_str(rows[i].line));
        struct tcb tcb;

        if ((tcb_parse(p, rows[i].text, &tcb, NULL) == ASSAY_OK) != rows[i].ok)
            fail_msg("%s \"%s\": want %d", rows[i].line, rows[i].text,
                     rows[i].ok);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(genuine_reports_are_reproduced),
        cmocka_unit_test(signatures_are_little_endian),
        cmocka_unit_test(tcb_texts_follow_the_product),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
