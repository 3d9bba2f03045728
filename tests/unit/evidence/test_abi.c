/* The shared library as a stranger's program uses it: its header alone, and
 * whatever the version script exports. */
#include "../unit.h"

#include "assay/evidence.h"

#include "amd_fixture.h"
#include "intel_fixture.h"

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

/* --- Intel ---------------------------------------------------------------- */

struct intel_world {
    struct intel_machine m;
    struct assay_evidence_verifier *verifier;
    struct assay_evidence_bytes files[6];
    struct assay_evidence_quote_request request;
};

static void
intel_world_init(struct intel_world *w)
{
    const struct td_report *td = &w->m.quote.td;

    intel_machine_init(&w->m, 4);
    w->verifier = assay_evidence_verifier_new();
    assert_non_null(w->verifier);
    assert_int_equal(assay_evidence_verifier_add_anchor(
                         w->verifier, bytes_of(&w->m.root), NULL, 0),
                     ASSAY_EVIDENCE_OK);
    w->files[0] = bytes_of(&w->m.root_crl);
    w->files[1] = bytes_of(&w->m.pck_crl);
    w->files[2] = bytes_of(&w->m.tcb_info);
    w->files[3] = bytes_of(&w->m.qe_identity);
    w->files[4] = bytes_of(&w->m.signer_chain);
    w->files[5] = bytes_of(&w->m.ca_chain);
    w->request = (struct assay_evidence_quote_request){
        .size = sizeof(w->request),
        .evidence = bytes_of(&w->m.raw),
        .collateral = w->files,
        .collateral_count = 6,
        .now = INTEL_NOW,
        .report_data = { td->report_data, 64 },
        .mr_config_id = { td->mr_config_id, 48 },
        .measurements = { td->mr_td, 48 },
        .mr_seam = { td->mr_seam, 48 },
    };
    for (size_t i = 0; i < 4; i++)
        w->request.rtmrs[i] = (struct assay_evidence_bytes){ td->rtmr[i], 48 };
}

static void
intel_world_free(struct intel_world *w)
{
    assay_evidence_verifier_free(w->verifier);
    intel_machine_free(&w->m);
}

static struct assay_evidence_verdict *
verify_quote(struct intel_world *w)
{
    struct assay_evidence_verdict *verdict = NULL;

    assert_int_equal(
        assay_evidence_verify_quote(w->verifier, &w->request, &verdict),
        ASSAY_EVIDENCE_OK);
    assert_non_null(verdict);
    return verdict;
}

static void
a_good_quote_is_accepted(void **state)
{
    struct assay_evidence_verdict *verdict;
    struct intel_world w;

    (void)state;
    intel_world_init(&w);
    for (int i = 0; i < 2; i++) { /* the second from the cache */
        verdict = verify_quote(&w);
        assert_string_equal(assay_evidence_verdict_line(verdict),
                            "accepted INSECURE");
        assert_string_equal(assay_evidence_verdict_claim(verdict, "fmspc"),
                            "00806f050000");
        assert_non_null(strstr(assay_evidence_verdict_json(verdict),
                               "\"status\": \"UpToDate\""));
        assay_evidence_verdict_free(verdict);
    }
    intel_world_free(&w);
}

static void
a_quote_of_zeros_request_is_refused(void **state)
{
    struct assay_evidence_verdict *verdict;
    struct intel_world w;

    (void)state;
    intel_world_init(&w);
    w.request = (struct assay_evidence_quote_request){
        .size = sizeof(w.request),
        .evidence = w.request.evidence,
        .collateral = w.files,
        .collateral_count = 6,
        .now = INTEL_NOW,
    };
    verdict = verify_quote(&w);
    assert_int_equal(assay_evidence_verdict_result(verdict),
                     ASSAY_EVIDENCE_REFUSED);
    assay_evidence_verdict_free(verdict);
    w.request.waive = ~0u;
    verdict = verify_quote(&w);
    assert_int_equal(assay_evidence_verdict_result(verdict),
                     ASSAY_EVIDENCE_ACCEPTED);
    assay_evidence_verdict_free(verdict);
    w.request.collateral_count = 5; /* the CA comes with the quote, too */
    verdict = verify_quote(&w);
    assert_int_equal(assay_evidence_verdict_result(verdict),
                     ASSAY_EVIDENCE_ACCEPTED);
    assay_evidence_verdict_free(verdict);
    w.request.collateral_count = 4;
    verdict = verify_quote(&w);
    assert_int_equal(assay_evidence_verdict_result(verdict),
                     ASSAY_EVIDENCE_UNKNOWN);
    assay_evidence_verdict_free(verdict);
    intel_world_free(&w);
}

static void
old_platforms_are_accepted_by_name(void **state)
{
    struct assay_evidence_verdict *verdict;
    struct intel_world w;

    (void)state;
    intel_world_init(&w);
    w.m.quote.td.tee_tcb_svn[0] = 5;
    intel_machine_remake(&w.m);
    w.request.evidence = bytes_of(&w.m.raw);
    assay_evidence_verifier_free(w.verifier);
    w.verifier = assay_evidence_verifier_new();
    assert_int_equal(assay_evidence_verifier_add_anchor(
                         w.verifier, bytes_of(&w.m.root), NULL, 0),
                     ASSAY_EVIDENCE_OK);
    w.files[0] = bytes_of(&w.m.root_crl);
    w.files[1] = bytes_of(&w.m.pck_crl);
    w.files[2] = bytes_of(&w.m.tcb_info);
    w.files[3] = bytes_of(&w.m.qe_identity);
    w.files[4] = bytes_of(&w.m.signer_chain);
    w.files[5] = bytes_of(&w.m.ca_chain);
    verdict = verify_quote(&w);
    assert_non_null(strstr(assay_evidence_verdict_line(verdict),
                           "tcb_status: got OutOfDate"));
    assay_evidence_verdict_free(verdict);
    w.request.accept_statuses = "SWHardeningNeeded,OutOfDate";
    verdict = verify_quote(&w);
    assert_int_equal(assay_evidence_verdict_result(verdict),
                     ASSAY_EVIDENCE_ACCEPTED);
    assay_evidence_verdict_free(verdict);
    intel_world_free(&w);
}

static void
bad_requests_about_quotes_are_said_so(void **state)
{
    struct assay_evidence_quote_request good;
    struct assay_evidence_verdict *verdict = NULL;
    struct intel_world w;

    (void)state;
    intel_world_init(&w);
    good = w.request;
    for (int i = 0; i < 7; i++) {
        w.request = good;
        switch (i) {
        case 0:
            w.request.size = sizeof(w.request) + 1;
            break;
        case 1:
            w.request.tee = 2;
            break;
        case 2:
            w.request.report_data.len = 65;
            break;
        case 3:
            w.request.measurements.len = 47;
            break;
        case 4:
            w.request.accept_statuses = "Fine";
            break;
        case 5:
            w.request.piids = (struct assay_evidence_bytes){ "x", 1 };
            break;
        default:
            w.request.size = 1;
        }
        assert_int_equal(
            assay_evidence_verify_quote(w.verifier, &w.request, &verdict),
            ASSAY_EVIDENCE_BAD_REQUEST);
        assert_null(verdict);
    }
    intel_world_free(&w);
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
        cmocka_unit_test(a_good_quote_is_accepted),
        cmocka_unit_test(a_quote_of_zeros_request_is_refused),
        cmocka_unit_test(old_platforms_are_accepted_by_name),
        cmocka_unit_test(bad_requests_about_quotes_are_said_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
