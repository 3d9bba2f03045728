/* Which certificates go along with a report. The host's table is written by
 * hand, after sev-snp.md section 5.5. */
#include "amd_shaped.h"

#include "base/writer.h"
#include "collect/snp_issue.h"
#include "evidence/snp_proto.h"

enum { NOW = 1767323045, YEAR = 365 * 86400, TABLE_SIZE = 32768 };

static const uint8_t levels[4] = { 4, 0, 24, 219 };

static const uint8_t guid_vcek[16] = { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64,
                                       0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9,
                                       0x3b, 0xe8, 0xac, 0xcd };

/* What a source was asked for, and what it answers. */
struct source {
    struct amd_shaped *milan;
    enum assay_status st;
    unsigned vcek, chain, crl;
};

static enum assay_status
answer(const struct source *s, const struct buffer *what, struct buffer *out,
       struct assay_error *err)
{
    if (s->st != ASSAY_OK)
        return assay_fail(err, s->st, "scripted");
    buffer_add(out, buffer_span(what));
    return ASSAY_OK;
}

static enum assay_status
source_vcek(void *ctx, const struct snp_report *report,
            enum snp_product product, struct buffer *out,
            struct assay_error *err)
{
    struct source *s = ctx;

    (void)report;
    assert_int_equal(product, SNP_PRODUCT_MILAN);
    s->vcek++;
    return answer(s, &s->milan->vcek, out, err);
}

static enum assay_status
source_chain(void *ctx, enum snp_product product, bool vlek, struct buffer *out,
             struct assay_error *err)
{
    struct source *s = ctx;

    (void)product;
    assert_false(vlek);
    s->chain++;
    return answer(s, &s->milan->chain, out, err);
}

static enum assay_status
source_crl(void *ctx, enum snp_product product, bool vlek, struct buffer *out,
           struct assay_error *err)
{
    struct source *s = ctx;

    (void)product;
    (void)vlek;
    s->crl++;
    return answer(s, &s->milan->crl, out, err);
}

struct world {
    struct amd_shaped milan;
    struct source source;
    struct collateral_source collateral;
    uint8_t report[SNP_REPORT_SIZE];
    uint8_t table[TABLE_SIZE];
    struct collected got;
    struct arena arena;
};

static int
world_begin(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct snp_report r = { .version = 3,
                            .policy = 0x30000,
                            .signature_algo = 1,
                            .reported_tcb = 0xdb18000000000004,
                            .cpuid_fam_id = 0x19,
                            .cpuid_mod_id = 0x01 };

    assert_non_null(w);
    amd_shaped_make(&w->milan, 0xA7, levels, NOW - YEAR, NOW + YEAR);
    memset(r.chip_id, 0xA7, sizeof(r.chip_id));
    snp_report_encode(&r, w->report);
    w->source = (struct source){ .milan = &w->milan };
    w->collateral = (struct collateral_source){ .snp_vcek = source_vcek,
                                                .snp_chain = source_chain,
                                                .snp_crl = source_crl,
                                                .ctx = &w->source };
    w->got.outblob = span_of(w->report, sizeof(w->report));
    arena_init(&w->arena, 1 << 20, NULL);
    *state = w;
    return 0;
}

static int
world_end(void **state)
{
    struct world *w = *state;

    amd_shaped_free(&w->milan);
    arena_drop(&w->arena);
    free(w);
    return 0;
}

/* The host's table with one VCEK in it. */
static void
give_vcek(struct world *w, struct span der)
{
    struct writer wr = writer_over(w->table, sizeof(w->table));

    wr_span(&wr, span_of(guid_vcek, sizeof(guid_vcek)));
    wr_u32le(&wr, 48);
    wr_u32le(&wr, (uint32_t)der.len);
    wr_zeros_to(&wr, 48);
    wr_span(&wr, der);
    w->got.auxblob = wr_written(&wr);
}

static struct snp_evidence *
issue(struct world *w, const struct collateral_source *source)
{
    struct snp_evidence *e = arena_alloc(&w->arena, sizeof(*e));
    struct assay_error err;
    struct buffer wire;

    buffer_init(&wire, LIMIT_EVIDENCE_BYTES, NULL);
    assert_non_null(e);
    assert_ok(snp_issue_encode(&w->got, source, &wire, &err), &err);
    assert_ok(snp_evidence_decode(buffer_span(&wire), &w->arena, e, &err),
              &err);
    assert_memory_equal(e->report, w->report, sizeof(w->report));
    buffer_free(&wire);
    return e;
}

static bool
has_cert(const struct snp_evidence *e, struct buffer *der)
{
    for (size_t i = 0; i < e->collateral.cert_count; i++)
        if (span_equal(e->collateral.certs[i], buffer_span(der)))
            return true;
    return false;
}

static void
everything_missing_is_fetched(void **state)
{
    struct world *w = *state;
    const struct snp_evidence *e = issue(w, &w->collateral);

    assert_true(has_cert(e, &w->milan.vcek));
    assert_int_equal(e->collateral.cert_count, 3);
    assert_int_equal(e->collateral.crl_count, 1);
    assert_int_equal(e->product, SNP_PRODUCT_MILAN);
}

static void
hosts_certificate_saves_a_request(void **state)
{
    struct world *w = *state;
    const struct snp_evidence *e;

    give_vcek(w, buffer_span(&w->milan.vcek));
    e = issue(w, &w->collateral);
    assert_true(has_cert(e, &w->milan.vcek));
    assert_int_equal(w->source.vcek, 0);
    assert_int_equal(w->source.chain, 1);
}

/* After a firmware update the host's copy is for the TCB before. */
static void
hosts_stale_certificate_is_replaced(void **state)
{
    static const uint8_t before[4] = { 3, 0, 8, 115 };
    struct world *w = *state;
    struct amd_shaped old;
    const struct snp_evidence *e;

    amd_shaped_make(&old, 0xA7, before, NOW - YEAR, NOW + YEAR);
    give_vcek(w, buffer_span(&old.vcek));
    e = issue(w, &w->collateral);
    assert_true(has_cert(e, &w->milan.vcek));
    assert_false(has_cert(e, &old.vcek));
    assert_int_equal(w->source.vcek, 1);
    amd_shaped_free(&old);
}

static void
hosts_broken_table_is_as_none(void **state)
{
    struct world *w = *state;

    give_vcek(w, buffer_span(&w->milan.vcek));
    w->table[16] = 0xff; /* the offset lies outside */
    w->table[19] = 0xff;
    assert_int_equal(issue(w, &w->collateral)->collateral.cert_count, 3);
    assert_int_equal(w->source.vcek, 1);
}

static void
report_goes_alone_when_nothing_can_be_had(void **state)
{
    struct world *w = *state;

    w->source.st = ASSAY_ERR_IO;
    assert_int_equal(issue(w, &w->collateral)->collateral.cert_count, 0);
    /* One time-out is all a dead service costs. */
    assert_int_equal(w->source.vcek + w->source.chain + w->source.crl, 1);
    assert_int_equal(issue(w, NULL)->collateral.cert_count, 0);
}

static void
report_that_is_none_is_refused(void **state)
{
    struct world *w = *state;
    struct assay_error err;
    struct buffer wire;

    w->report[0] = 9;
    buffer_init(&wire, LIMIT_EVIDENCE_BYTES, NULL);
    assert_status(snp_issue_encode(&w->got, &w->collateral, &wire, &err),
                  ASSAY_ERR_UNSUPPORTED);
    assert_int_equal(wire.len, 0);
    buffer_free(&wire);
}

int
main(void)
{
#define ISSUE_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, world_begin, world_end)
    const struct CMUnitTest tests[] = {
        ISSUE_TEST(everything_missing_is_fetched),
        ISSUE_TEST(hosts_certificate_saves_a_request),
        ISSUE_TEST(hosts_stale_certificate_is_replaced),
        ISSUE_TEST(hosts_broken_table_is_as_none),
        ISSUE_TEST(report_goes_alone_when_nothing_can_be_had),
        ISSUE_TEST(report_that_is_none_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
