/* `assay evidence verify --tee tdx` and `--tee sgx` */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "cli/evidence_input.h"
#include "cli/evidence_verify.h"
#include "cli/tdx_input.h"
#include "common/output.h"
#include "evidence/sgx_pck_chain.h"
#include "evidence/tdx_appraise.h"

enum { DAY_S = 24 * 60 * 60 };

struct job {
    struct invocation *inv;
    const struct verify_values *v;
    struct arena *arena;
    struct trust trust;
    struct span quote;
    struct tdx_collateral collateral;
    struct text_list bundles; /* among --collateral */
    struct tdx_verify_params params;
    struct verify_time time;
    struct tdx_reference reference;
    struct verdict verdict;
};

/* --- which platforms ----------------------------------------------------- */

/* Each of "A,B" in an option's value. False at the end. */
static bool
next_word(const char **text, struct span *word)
{
    size_t len = strcspn(*text, ",");

    if (**text == '\0')
        return false;
    *word = span_of(*text, len);
    *text += len + ((*text)[len] == ',');
    return true;
}

static int
set_statuses(struct job *job)
{
    const struct text_list *list = &job->v->accept_statuses;

    for (size_t i = 0; i < list->count; i++) {
        const char *text = list->items[i];
        struct span word;

        while (next_word(&text, &word)) {
            enum tcb_status status = tcb_status_parse(word);

            if (status == TCB_NONE) {
                talk(job->inv,
                     "--accept-status: got \"%.*s\", want a TCB status like "
                     "SWHardeningNeeded or OutOfDate",
                     (int)word.len, (const char *)word.ptr);
                return EXIT_USAGE;
            }
            job->reference.tcb.accepted |= 1u << status;
        }
    }
    return EXIT_YES;
}

static int
set_min_date(struct job *job)
{
    struct assay_error err = { 0 };

    if (!job->v->min_tcb_date ||
        rfc3339_parse(span_str(job->v->min_tcb_date),
                      &job->reference.tcb.min_tcb_date, &err) == ASSAY_OK)
        return EXIT_YES;
    talk(job->inv, "--min-tcb-date: %s", err.text);
    return EXIT_USAGE;
}

static int
set_requirements(struct job *job)
{
    struct tcb_policy *p = &job->reference.tcb;
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        { "memory-integrity", &p->require_memory_integrity },
        { "no-smt", &p->require_smt_disabled },
        { "static", &p->require_static_platform },
        { "no-cached-keys", &p->require_uncached_keys },
    };
    const struct text_list *list = &job->v->require;

    for (size_t i = 0; i < list->count; i++) {
        bool known = false;

        for (size_t k = 0; k < sizeof(flags) / sizeof(flags[0]); k++) {
            if (strcmp(list->items[i], flags[k].name) == 0)
                known = *flags[k].flag = true;
        }
        if (!known) {
            talk(job->inv,
                 "--require: got \"%s\", want memory-integrity, no-smt, "
                 "static or no-cached-keys",
                 list->items[i]);
            return EXIT_USAGE;
        }
    }
    return EXIT_YES;
}

static int
set_policy(struct job *job)
{
    struct tcb_policy *p = &job->reference.tcb;
    int code = set_statuses(job);

    if (code == EXIT_YES)
        code = set_min_date(job);
    if (code == EXIT_YES)
        code = set_requirements(job);
    if (code == EXIT_YES)
        code =
            verify_hex_list(job->inv, job->arena, "chip-id", &job->v->chip_ids,
                            SGX_PIID_SIZE, &p->allowed_piids);
    p->advisory_ids = job->v->accept_advisories.items;
    p->advisory_count = job->v->accept_advisories.count;
    p->min_evaluation_number = (uint32_t)job->v->min_eval_number;
    p->grace_s = (int64_t)job->v->grace_days * DAY_S;
    return code;
}

/* --- what runs there ----------------------------------------------------- */

static int
expect_option(struct job *job, const char *name, const char *text, size_t max,
              struct expect *out)
{
    if (!text)
        return EXIT_YES;
    out->kind = EXPECT_EQUAL;
    return verify_hex_option(job->inv, job->arena, name, text, max, false,
                             &out->bytes);
}

static int
set_measurements(struct job *job)
{
    bool is_tdx = job->v->tee == VERIFY_TDX;
    struct expect *out =
        is_tdx ? &job->reference.mr_td : &job->reference.mr_enclave;

    if (job->v->measurements.count == 0)
        return EXIT_YES;
    out->kind = EXPECT_ONE_OF;
    return verify_hex_list(job->inv, job->arena, "measurement",
                           &job->v->measurements, is_tdx ? TDX_MR_SIZE : 32,
                           &out->bytes);
}

/* "N=HEX" */
static int
set_rtmrs(struct job *job)
{
    const struct text_list *list = &job->v->rtmrs;

    for (size_t i = 0; i < list->count; i++) {
        const char *text = list->items[i];
        struct expect *out;
        int code;

        if (text[0] < '0' || text[0] > '3' || text[1] != '=') {
            talk(job->inv, "--rtmr: got \"%s\", want N=HEX with N from 0 to 3",
                 text);
            return EXIT_USAGE;
        }
        out = &job->reference.rtmr[text[0] - '0'];
        out->kind = EXPECT_EQUAL;
        code = verify_hex_option(job->inv, job->arena, "rtmr", text + 2,
                                 TDX_MR_SIZE, true, &out->bytes);
        if (code != EXIT_YES)
            return code;
    }
    return EXIT_YES;
}

/* Nothing is expected that the command line does not say. */
static void
waive_all(struct tdx_reference *r)
{
    struct expect *fields[] = {
        &r->report_data,   &r->mr_config_id,  &r->mr_td,
        &r->mr_seam,       &r->mr_owner,      &r->mr_owner_config,
        &r->td_attributes, &r->mr_service_td, &r->xfam,
        &r->mr_enclave,    &r->mr_signer,
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        fields[i]->kind = EXPECT_ANY;
    for (size_t i = 0; i < TDX_RTMRS; i++)
        r->rtmr[i].kind = EXPECT_ANY;
}

static int
set_expectations(struct job *job)
{
    struct tdx_reference *r = &job->reference;
    const struct verify_values *v = job->v;
    int code;

    waive_all(r);
    code =
        expect_option(job, "report-data", v->report_data, 64, &r->report_data);
    if (code == EXIT_YES)
        code = expect_option(job, "host-data", v->host_data, TDX_MR_SIZE,
                             &r->mr_config_id);
    if (code == EXIT_YES)
        code = set_measurements(job);
    if (code == EXIT_YES)
        code = set_rtmrs(job);
    if (code == EXIT_YES)
        code = set_policy(job);
    if (code == EXIT_YES)
        code = verify_time_init(job->inv, &job->time);
    r->allow_debug = v->allow_debug;
    return code;
}

static int
refuse_option(const struct invocation *inv, const char *name)
{
    talk(inv,
         "--%s is for --tee snp; Intel's collateral is named with "
         "--collateral",
         name);
    return EXIT_USAGE;
}

/* An option that would be ignored is a mistake to be told of. */
static int
check_options(const struct job *job)
{
    const struct verify_values *v = job->v;

    if (v->certs.count > 0)
        return refuse_option(job->inv, "cert");
    if (v->crls.count > 0)
        return refuse_option(job->inv, "crl");
    if (v->product)
        return refuse_option(job->inv, "product");
    if (v->vmpl)
        return refuse_option(job->inv, "vmpl");
    if (v->allow_migrate_ma)
        return refuse_option(job->inv, "allow-migrate-ma");
    if (v->allow_masked_chip)
        return refuse_option(job->inv, "allow-masked-chip");
    return EXIT_YES;
}

/* --- input --------------------------------------------------------------- */

static int
open_quote(struct job *job)
{
    struct assay_error err = { 0 };
    struct span file;
    enum assay_status st;
    int code = read_input(job->inv, job->inv->operands.items[0],
                          EVIDENCE_INPUT_MAX, &file);

    if (code != EXIT_YES)
        return code;
    st = tdx_input_quote(file, job->arena, &job->quote, &err);
    if (st == ASSAY_ERR_NOMEM)
        return talk_error(job->inv, &err);
    if (st != ASSAY_OK) /* the verdict says that this is no quote */
        job->quote = file;
    return EXIT_YES;
}

static int
open_collateral(struct job *job)
{
    struct tdx_collateral_want want;
    bool known = tdx_input_want(job->quote, &want, NULL) == ASSAY_OK;
    struct assay_error fault = { 0 };
    int code = tdx_input_collateral(job->inv, &job->v->collateral,
                                    known ? &want : NULL, job->arena,
                                    &job->collateral, &job->bundles, &fault);

    if (code == EXIT_YES && fault.text[0])
        verdict_fail(&job->verdict, "collateral",
                     "Intel SGX and TDX PCS API v4", "collateral of Intel",
                     verdict_text(&job->verdict, "%s", fault.text),
                     "what was given as collateral is not");
    return code;
}

/* Bundles named as --collateral come before those named as --bundle. */
static int
open_trust(struct job *job)
{
    struct trust_options options = job->v->trust;
    struct text_list all = { 0 };
    size_t mine = job->bundles.count, theirs = options.bundles.count;

    all.items = arena_array(job->arena, mine + theirs + 1, sizeof(*all.items));
    if (!all.items) {
        talk(job->inv, "out of memory");
        return EXIT_UNKNOWN;
    }
    for (size_t i = 0; i < mine; i++)
        all.items[all.count++] = job->bundles.items[i];
    for (size_t i = 0; i < theirs; i++)
        all.items[all.count++] = options.bundles.items[i];
    options.bundles = all;
    options.kds_total_ms = job->v->timeout_s * 1000;
    return trust_open(job->inv, &options, trust_talk_event, job->inv,
                      &job->trust);
}

/* --- judging ------------------------------------------------------------- */

/* What would make this very platform acceptable. */
static const char *
how_to_accept(struct job *job, const struct tdx_verified *got)
{
    const struct check *failed = verdict_first_failure(&job->verdict);
    const struct tcb_result *r = &got->tcb;
    const char *grace = "";

    if (!failed || strcmp(failed->name, "tcb_status") != 0)
        return NULL;
    if (r->changed_at != 0)
        grace = verdict_text(
            &job->verdict, " or --grace-days %lld",
            (long long)((got->now - r->changed_at + DAY_S - 1) / DAY_S));
    return verdict_text(&job->verdict,
                        "to accept this platform as it is, add --accept-status "
                        "%s%s",
                        tcb_status_name(r->status), grace);
}

static int
show(struct job *job, const struct tdx_verified *got)
{
    const struct verify_advice advice = {
        .when_unknown =
            "name what is missing with --collateral, or try again later",
        .when_refused = how_to_accept(job, got),
    };

    return verify_show(job->inv, &job->verdict, &advice);
}

static int
judge(struct job *job)
{
    struct tdx_verified verified;
    struct assay_error err = { 0 };
    struct progress progress;
    bool ask;
    enum assay_status st;

    job->params.clock = job->time.clock;
    job->params.anchors = &job->trust.anchors;
    job->params.source = job->trust.source;
    job->params.tee = job->v->tee == VERIFY_TDX ? QUOTE_TEE_TDX : QUOTE_TEE_SGX;
    ask = job->trust.source && job->trust.source->tdx_collateral;
    if (ask)
        progress_begin(&progress, "asking for Intel's collateral");
    st = tdx_verify(job->quote, &job->collateral, &job->params, &job->verdict,
                    &verified, &err);
    if (ask)
        progress_end(&progress);
    if (st == ASSAY_OK)
        st = tdx_appraise(&verified, &job->reference, &job->verdict, &err);
    if (st != ASSAY_OK)
        return talk_error(job->inv, &err);
    verdict_conclude(&job->verdict);
    return show(job, &verified);
}

static int
run_job(struct job *job)
{
    int code = check_options(job);

    if (code == EXIT_YES)
        code = set_expectations(job);
    if (code == EXIT_YES)
        code = open_quote(job);
    if (code == EXIT_YES)
        code = open_collateral(job);
    if (code == EXIT_YES)
        code = open_trust(job);
    return code == EXIT_YES ? judge(job) : code;
}

int
verify_intel(struct invocation *inv)
{
    const struct verify_values *v = inv->values;
    struct arena arena;
    struct job *job = calloc(1, sizeof(*job));
    int code;

    if (!job) {
        talk(inv, "out of memory");
        return EXIT_UNKNOWN;
    }
    arena_init(&arena, EVIDENCE_ARENA, NULL);
    job->inv = inv;
    job->v = v;
    job->arena = &arena;
    verdict_init(&job->verdict, &arena, v->tee == VERIFY_TDX ? "tdx" : "sgx",
                 v->strict);
    code = run_job(job);
    trust_close(&job->trust);
    free(job);
    arena_drop(&arena);
    return code;
}
