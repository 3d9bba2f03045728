/* The shared library as a stranger's program uses it: its header alone, and
 * whatever the version script exports. */
#include "../unit.h"

#include "assay/evidence.h"

#include "amd_fixture.h"

struct world {
    struct amd_machine m;
    struct assay_evidence_verifier *verifier;
    struct assay_evidence_bytes files[4];
    struct assay_evidence_request request;
};

static struct assay_evidence_bytes
bytes_of(const struct buffer *b)
{
    return (struct assay_evidence_bytes){ b->ptr, b->len };
}

static void
world_init(struct world *w)
{
    amd_machine_init(&w->m, SNP_PRODUCT_GENOA, false, 3);
    w->verifier = assay_evidence_verifier_new();
    assert_non_null(w->verifier);
    assert_int_equal(assay_evidence_verifier_add_anchor(
                         w->verifier, bytes_of(&w->m.ark), NULL, 0),
                     ASSAY_EVIDENCE_OK);
    w->files[0] = bytes_of(&w->m.crl);
    w->files[1] = bytes_of(&w->m.ark);
    w->files[2] = bytes_of(&w->m.leaf);
    w->files[3] = bytes_of(&w->m.authority);
    w->request = (struct assay_evidence_request){
        .size = sizeof(w->request),
        .evidence = { w->m.raw, sizeof(w->m.raw) },
        .collateral = w->files,
        .collateral_count = 4,
        .now = FIXTURE_NOW,
        .product = "Genoa",
        .report_data = { w->m.report.report_data, 64 },
        .host_data = { w->m.report.host_data, 32 },
        .measurements = { w->m.report.measurement, 48 },
    };
}

static void
world_free(struct world *w)
{
    assay_evidence_verifier_free(w->verifier);
    amd_machine_free(&w->m);
}

static struct assay_evidence_verdict *
verify(struct world *w)
{
    struct assay_evidence_verdict *verdict = NULL;

    assert_int_equal(
        assay_evidence_verify_snp(w->verifier, &w->request, &verdict),
        ASSAY_EVIDENCE_OK);
    return verdict;
}

static void
expect(struct world *w, enum assay_evidence_result result, const char *in_line)
{
    struct assay_evidence_verdict *v = verify(w);
    const char *line = assay_evidence_verdict_line(v);

    if (assay_evidence_verdict_result(v) != result || !strstr(line, in_line))
        fail_msg("got \"%s\", want %d by %s", line, (int)result, in_line);
    assay_evidence_verdict_free(v);
}

static void
a_good_report_is_accepted(void **state)
{
    struct assay_evidence_verdict *v;
    struct world w;

    (void)state;
    world_init(&w);
    v = verify(&w);
    assert_string_equal(assay_evidence_verdict_line(v), "accepted INSECURE");
    assert_int_equal(assay_evidence_verdict_result(v), ASSAY_EVIDENCE_ACCEPTED);
    assert_true(assay_evidence_verdict_insecure(v));
    assert_string_equal(assay_evidence_verdict_claim(v, "reported_tcb_snp"),
                        "24");
    assert_string_equal(assay_evidence_verdict_claim(v, "policy_debug"),
                        "false");
    assert_null(assay_evidence_verdict_claim(v, "nonsense"));
    assert_non_null(
        strstr(assay_evidence_verdict_json(v), "\"verdict\": \"accepted\""));
    assert_true(assay_evidence_verdict_check_count(v) > 40);
    for (size_t i = 0; i < assay_evidence_verdict_check_count(v); i++)
        assert_non_null(assay_evidence_verdict_check(v, i).name);
    assert_null(assay_evidence_verdict_check(v, 10000).name);
    assay_evidence_verdict_free(v);
    world_free(&w);
}

static void
zero_is_the_strict_choice(void **state)
{
    struct world w, clean;

    (void)state;
    world_init(&w);
    clean = w;
    w.request.report_data.len = 0;
    expect(&w, ASSAY_EVIDENCE_REFUSED, "report_data");
    w.request.waive = ASSAY_EVIDENCE_ANY_REPORT_DATA;
    expect(&w, ASSAY_EVIDENCE_ACCEPTED, "accepted");
    w.request = clean.request;
    w.request.measurements.len = 0;
    expect(&w, ASSAY_EVIDENCE_REFUSED, "measurement");
    w.request = clean.request;
    w.request.host_data.len = 0;
    expect(&w, ASSAY_EVIDENCE_REFUSED, "host_data");
    w.request = clean.request;
    w.request.collateral++; /* the CRL is first */
    w.request.collateral_count--;
    expect(&w, ASSAY_EVIDENCE_UNKNOWN, "revocation");
    w.request.allow = ASSAY_EVIDENCE_ALLOW_NO_CRL;
    expect(&w, ASSAY_EVIDENCE_ACCEPTED, "accepted");
    w.request.strict = 1;
    expect(&w, ASSAY_EVIDENCE_REFUSED, "revocation");
    w.request = clean.request;
    w.request.vmpl = 2;
    expect(&w, ASSAY_EVIDENCE_REFUSED, "vmpl");
    world_free(&w);
}

static void
the_vendor_alone_is_trusted_by_default(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    assay_evidence_verifier_free(w.verifier);
    w.verifier = assay_evidence_verifier_new();
    expect(&w, ASSAY_EVIDENCE_REFUSED, "root_trusted");
    world_free(&w);
}

static void
garbage_gets_a_verdict(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    w.request.evidence = (struct assay_evidence_bytes){ "junk", 4 };
    expect(&w, ASSAY_EVIDENCE_REFUSED, "report_length");
    w.request.evidence =
        (struct assay_evidence_bytes){ "\x0a\x02\xff\xff\xff", 5 };
    expect(&w, ASSAY_EVIDENCE_REFUSED, "evidence_form");
    w.request.evidence = (struct assay_evidence_bytes){ NULL, 0 };
    expect(&w, ASSAY_EVIDENCE_REFUSED, "report_length");
    w.request.evidence = (struct assay_evidence_bytes){ w.m.raw, 1184 };
    w.files[2] = (struct assay_evidence_bytes){ "junk", 4 };
    expect(&w, ASSAY_EVIDENCE_REFUSED, "collateral");
    world_free(&w);
}

static void
bad_requests_are_said_so(void **state)
{
    struct assay_evidence_verdict *verdict;
    struct assay_evidence_request good;
    char why[20];
    struct world w;

    (void)state;
    world_init(&w);
    good = w.request;
#define BAD(change)                                                            \
    do {                                                                       \
        w.request = good;                                                      \
        w.request.change;                                                      \
        assert_int_equal(                                                      \
            assay_evidence_verify_snp(w.verifier, &w.request, &verdict),       \
            ASSAY_EVIDENCE_BAD_REQUEST);                                       \
    } while (0)
    BAD(size = 0);
    BAD(size = sizeof(w.request) + 8);
    BAD(product = "Rome");
    BAD(report_data.len = 65);
    BAD(host_data.len = 33);
    BAD(measurements.len = 47);
    BAD(chip_ids.len = 63);
    assert_int_equal(assay_evidence_verifier_add_anchor(
                         w.verifier, bytes_of(&w.m.leaf), why, sizeof(why)),
                     ASSAY_EVIDENCE_BAD_REQUEST);
    assert_string_equal(why, "trust anchor: got a");
    world_free(&w);
}

/* What an older header does not have is zero, so its callers lose nothing. */
static void
older_and_shorter_requests_are_taken(void **state)
{
    struct assay_evidence_verdict *verdict;
    struct world w;

    (void)state;
    world_init(&w);
    w.request.strict = 1;
    w.request.size = offsetof(struct assay_evidence_request, strict);
    verdict = verify(&w);
    assert_int_equal(assay_evidence_verdict_result(verdict),
                     ASSAY_EVIDENCE_ACCEPTED);
    assay_evidence_verdict_free(verdict);
    world_free(&w);
}

static void
null_may_be_freed(void **state)
{
    (void)state;
    assay_evidence_verdict_free(NULL);
    assay_evidence_verifier_free(NULL);
    assert_true(strlen(assay_evidence_version()) >= 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_report_is_accepted),
        cmocka_unit_test(zero_is_the_strict_choice),
        cmocka_unit_test(the_vendor_alone_is_trusted_by_default),
        cmocka_unit_test(garbage_gets_a_verdict),
        cmocka_unit_test(bad_requests_are_said_so),
        cmocka_unit_test(older_and_shorter_requests_are_taken),
        cmocka_unit_test(null_may_be_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
