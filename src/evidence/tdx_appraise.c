#include "evidence/tdx_appraise.h"

#include <string.h>

#include "base/writer.h"
#include "evidence/tdx_appraise_internal.h"
#include "evidence/tdx_attributes.h"

#define TD_REF "Intel TDX Module Base Architecture Specification, TD report"
#define SGX_REF "Intel SDM volume 3D, REPORT"

#define FIELD(field) span_of(field, sizeof(field))

/* --- TD attributes ------------------------------------------------------- */

static const char *
describe_bits(struct verdict *v, uint64_t word,
              void (*describe)(uint64_t word, struct buffer *out))
{
    struct buffer text;
    const char *copy;

    buffer_init(&text, 1024, v->arena->alloc);
    describe(word, &text);
    copy = verdict_text(v, "%s", buffer_str(&text));
    v->nomem = v->nomem || text.failed;
    buffer_free(&text);
    return copy;
}

static void
check_debug(struct appraisal *a, bool debug, const char *got)
{
    static const char ref[] = "TD attributes and enclave attributes, DEBUG";
    const char *want = a->want->allow_debug ? "on or off" : "off";

    if (!debug || a->want->allow_debug)
        verdict_pass(a->v, "debug", ref, want, debug ? got : "off");
    else
        verdict_fail(a->v, "debug", ref, want, got,
                     "the host can look into what runs here");
}

/* Bits without a name may mean anything one day. */
static void
check_reserved(struct appraisal *a, uint64_t attributes)
{
    static const char name[] = "td_attributes_reserved";
    uint64_t tud = a->want->allow_debug ? TDX_ATTR_TUD : 0;
    uint64_t bad = tdx_attributes_reserved(attributes) & ~tud;

    if (bad == 0)
        verdict_pass(a->v, name, TD_REF, "none", "none");
    else
        verdict_fail(a->v, name, TD_REF, "none",
                     describe_bits(a->v, bad, tdx_attributes_describe),
                     "attributes are set that have no meaning yet");
}

/* What a relying party should know of, unless it stated the exact word. */
static void
note_attributes(struct appraisal *a, uint64_t attributes)
{
    static const struct {
        uint64_t bit;
        bool wanted;
        const char *name, *reason;
    } notes[] = {
        { TDX_ATTR_SEPT_VE_DISABLE, true, "sept_ve_disable",
          "Linux needs SEPT_VE_DISABLE; a paravisor may do without" },
        { TDX_ATTR_MIGRATABLE, false, "migratable",
          "the host may move the TD to another machine" },
        { TDX_ATTR_KL, false, "key_locker", "the TD may use key locker" },
        { TDX_ATTR_PERFMON, false, "perfmon",
          "performance counters may leak what the TD does" },
    };

    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
        bool set = attributes & notes[i].bit;
        const char *want = notes[i].wanted ? "1" : "0";

        if (set == notes[i].wanted)
            verdict_pass(a->v, notes[i].name, TD_REF, want, want);
        else
            verdict_warn(a->v, notes[i].name, TD_REF, want, set ? "1" : "0",
                         notes[i].reason);
    }
}

static void
check_attributes(struct appraisal *a)
{
    const struct td_report *t = &a->got->quote.td;
    uint64_t word = tdx_word(t->td_attributes);
    uint64_t tud = word & TDX_ATTR_TUD;

    check_debug(a, tud != 0, describe_bits(a->v, tud, tdx_attributes_describe));
    check_reserved(a, word);
    expectation_check(a->v, "td_attributes", TD_REF, &a->want->td_attributes,
                      FIELD(t->td_attributes));
    if (a->want->td_attributes.kind == EXPECT_ANY)
        note_attributes(a, word);
}

/* --- XFAM ---------------------------------------------------------------- */

/* The words back to back with the CET bits cleared, in the arena. */
static struct span
without_cet(struct verdict *v, struct span words)
{
    uint8_t *copy = arena_alloc(v->arena, words.len + 1);
    struct writer wr = writer_over(copy, words.len);

    if (!copy) {
        v->nomem = true;
        return words;
    }
    for (size_t at = 0; at + 8 <= words.len; at += 8)
        wr_u64le(&wr, tdx_word(words.ptr + at) & ~TDX_XFAM_CET);
    return wr_written(&wr);
}

static void
check_xfam(struct appraisal *a)
{
    static const char name[] = "xfam";
    const uint8_t *xfam = a->got->quote.td.xfam;
    struct expect want = a->want->xfam;
    struct span got = span_of(xfam, 8);
    uint64_t bad = tdx_xfam_invalid(tdx_word(xfam));

    if (want.kind == EXPECT_ANY && bad != 0) {
        verdict_fail(a->v, name, TD_REF, "X87 and SSE, and known bits",
                     describe_bits(a->v, tdx_word(xfam), tdx_xfam_describe),
                     "no processor we know allows this");
        return;
    }
    if (a->want->ignore_cet) {
        got = without_cet(a->v, got);
        want.bytes = without_cet(a->v, want.bytes);
    }
    expectation_check(a->v, name, TD_REF, &want, got);
}

/* --- measurements -------------------------------------------------------- */

/* Zero unless a TD of the provider (for migration, say) is bound. */
static void
check_service_td(struct appraisal *a)
{
    static const char name[] = "mrservicetd";
    const struct tdx_quote *q = &a->got->quote;
    struct span got = FIELD(q->td.mr_service_td);

    if (q->body != QUOTE_BODY_TD_15)
        verdict_waive(a->v, name, TD_REF, "the body has no such field");
    else if (a->want->mr_service_td.kind != EXPECT_ANY)
        expectation_check(a->v, name, TD_REF, &a->want->mr_service_td, got);
    else if (span_is_zero(got))
        verdict_pass(a->v, name, TD_REF, "zero", "zero");
    else
        verdict_warn(a->v, name, TD_REF, "zero", verdict_hex(a->v, got),
                     "another TD is bound to this one and may act on it");
}

static void
check_measurements(struct appraisal *a)
{
    static const char *const rtmr[] = { "rtmr0", "rtmr1", "rtmr2", "rtmr3" };
    const struct td_report *t = &a->got->quote.td;
    const struct tdx_reference *w = a->want;

    expectation_check(a->v, "mrseam", TD_REF, &w->mr_seam, FIELD(t->mr_seam));
    expectation_check(a->v, "mrtd", TD_REF, &w->mr_td, FIELD(t->mr_td));
    for (size_t i = 0; i < TDX_RTMRS; i++)
        expectation_check(a->v, rtmr[i], TD_REF, &w->rtmr[i],
                          FIELD(t->rtmr[i]));
    expectation_check(a->v, "mrconfigid", TD_REF, &w->mr_config_id,
                      FIELD(t->mr_config_id));
    expectation_check(a->v, "mrowner", TD_REF, &w->mr_owner,
                      FIELD(t->mr_owner));
    expectation_check(a->v, "mrownerconfig", TD_REF, &w->mr_owner_config,
                      FIELD(t->mr_owner_config));
    check_service_td(a);
    expectation_check(a->v, "report_data", TD_REF, &w->report_data,
                      FIELD(t->report_data));
}

/* --- older manifests ----------------------------------------------------- */

static bool
at_least(const uint8_t *got, const uint8_t *want, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (got[i] < want[i])
            return false;
    }
    return true;
}

static void
check_minimum(struct appraisal *a, const char *name, uint16_t want,
              uint16_t got)
{
    const char *want_text = verdict_text(a->v, "%u or more", want);
    const char *got_text = verdict_text(a->v, "%u", got);

    if (got >= want)
        verdict_pass(a->v, name, TD_REF, want_text, got_text);
    else
        verdict_fail(a->v, name, TD_REF, want_text, got_text,
                     "below the minimum of the reference value");
}

static void
check_minimum_svns(struct appraisal *a)
{
    const struct tdx_minimum_svns *m = &a->want->minimum;
    const struct tdx_quote *q = &a->got->quote;
    const char *want, *got;

    if (!m->check) {
        verdict_waive(a->v, "minimum_svns", TD_REF, "none are stated");
        return;
    }
    check_minimum(a, "minimum_qe_svn", m->qe_svn, q->qe_report.isv_svn);
    if (a->got->has_pck)
        check_minimum(a, "minimum_pce_svn", m->pce_svn, a->got->pck.pce_svn);
    else
        verdict_lack(a->v, "minimum_pce_svn", TD_REF,
                     "there is no PCK certificate");
    want = verdict_hex(a->v, FIELD(m->tee_tcb_svn));
    got = verdict_hex(a->v, FIELD(q->td.tee_tcb_svn));
    if (at_least(q->td.tee_tcb_svn, m->tee_tcb_svn, sizeof(m->tee_tcb_svn)))
        verdict_pass(a->v, "minimum_tee_tcb_svn", TD_REF, want, got);
    else
        verdict_fail(a->v, "minimum_tee_tcb_svn", TD_REF, want, got,
                     "below the minimum of the reference value");
}

/* --- SGX ----------------------------------------------------------------- */

static void
check_enclave(struct appraisal *a)
{
    const struct sgx_report *r = &a->got->quote.enclave;
    const struct tdx_reference *w = a->want;

    check_debug(a, r->attributes[0] & SGX_ATTRIBUTE_DEBUG, "on");
    expectation_check(a->v, "mrenclave", SGX_REF, &w->mr_enclave,
                      FIELD(r->mr_enclave));
    expectation_check(a->v, "mrsigner", SGX_REF, &w->mr_signer,
                      FIELD(r->mr_signer));
    expectation_check(a->v, "report_data", SGX_REF, &w->report_data,
                      FIELD(r->report_data));
}

enum assay_status
tdx_appraise(const struct tdx_verified *verified,
             const struct tdx_reference *reference, struct verdict *v,
             struct assay_error *err)
{
    struct appraisal a = { verified, reference, v };

    if (!verified->decoded) {
        verdict_lack(v, "report_data", TD_REF, "the quote could not be read");
        return v->nomem ? assay_nomem(err, "verdict") : ASSAY_OK;
    }
    tdx_accept_check(&a);
    if (verified->quote.tee == QUOTE_TEE_TDX) {
        check_attributes(&a);
        check_xfam(&a);
        check_measurements(&a);
        check_minimum_svns(&a);
    } else {
        check_enclave(&a);
    }
    return v->nomem ? assay_nomem(err, "verdict") : ASSAY_OK;
}
