/* Which platforms are acceptable: the policy about TCB status, dates and
 * flags. */
#include <string.h>

#include "base/clock.h"
#include "evidence/tdx_appraise_internal.h"

#define STATUS_REF "Intel SGX and TDX PCS API v4, TCB status"

enum { DAY_S = 24 * 60 * 60 };

static unsigned
accepted_statuses(const struct tcb_policy *p)
{
    return p->accepted | 1u << TCB_UP_TO_DATE;
}

/* "UpToDate or OutOfDate" */
static const char *
list_accepted(struct verdict *v, const struct tcb_policy *p)
{
    const char *text = "";

    for (int i = TCB_NONE + 1; i < TCB_STATUSES; i++) {
        if (accepted_statuses(p) >> i & 1)
            text = verdict_text(v, "%s%s%s", text, text[0] ? " or " : "",
                                tcb_status_name((enum tcb_status)i));
    }
    return text;
}

static const char *
part_name(enum tcb_status status)
{
    const char *name = tcb_status_name(status);

    return name ? name : "n/a";
}

/* What each part contributes, and since when. */
static const char *
describe_status(struct appraisal *a)
{
    const struct tcb_result *r = &a->got->tcb;
    const char *parts = verdict_text(
        a->v, "%s (platform %s, %s%s%sQE %s)", tcb_status_name(r->status),
        part_name(r->platform), r->module ? "TDX module " : "",
        r->module ? part_name(r->module) : "", r->module ? ", " : "",
        part_name(r->qe));
    char day[RFC3339_SIZE];

    if (r->changed_at == 0)
        return parts;
    rfc3339_format(r->changed_at, day);
    return verdict_text(a->v, "%s, out of date since %.10s, %lld days behind",
                        parts, day,
                        (long long)((a->got->now - r->changed_at) / DAY_S));
}

static enum tcb_status
up_to_date(enum tcb_status status)
{
    if (status == TCB_OUT_OF_DATE)
        return TCB_UP_TO_DATE;
    return status == TCB_OUT_OF_DATE_CONFIGURATION_NEEDED
               ? TCB_CONFIGURATION_NEEDED
               : status;
}

/* The status as if nothing had gone out of date, while that is recent. */
static enum tcb_status
status_in_grace(struct appraisal *a)
{
    const struct tcb_result *r = &a->got->tcb;
    int64_t grace = a->want->tcb.grace_s;

    if (grace <= 0 || r->changed_at == 0 || a->got->now - r->changed_at > grace)
        return r->status;
    return tcb_converge(
        tcb_converge(up_to_date(r->platform), up_to_date(r->module)),
        up_to_date(r->qe));
}

static void
refuse_status(struct appraisal *a, const char *want, const char *got)
{
    enum tcb_status status = a->got->tcb.status;
    const char *why = "the platform must be updated";

    if (status == TCB_NOT_SUPPORTED)
        why = "the platform is older than anything Intel still supports";
    else if (status == TCB_REVOKED)
        why = "Intel has revoked this level: its keys may be known";
    else if (status == TCB_SW_HARDENING_NEEDED)
        why = "the guest's software must guard against known issues";
    else if (status == TCB_CONFIGURATION_NEEDED ||
             status == TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED)
        why = "the platform must be configured differently";
    else if (status == TCB_RELAUNCH_ADVISED ||
             status == TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED)
        why = "the guest was launched under an old TDX module: launch it anew";
    verdict_fail(a->v, "tcb_status", STATUS_REF, want, got,
                 verdict_text(a->v,
                              "%s; to accept it all the same, allow the "
                              "status %s",
                              why, tcb_status_name(status)));
}

static void
check_status(struct appraisal *a)
{
    static const char name[] = "tcb_status";
    enum tcb_status status = a->got->tcb.status;
    const char *want, *got;

    if (!a->got->has_tcb) {
        verdict_lack(a->v, name, STATUS_REF,
                     "the status could not be determined");
        return;
    }
    want = list_accepted(a->v, &a->want->tcb);
    got = describe_status(a);
    if (!(accepted_statuses(&a->want->tcb) >> status_in_grace(a) & 1))
        refuse_status(a, want, got);
    else if (status == TCB_REVOKED || status == TCB_NOT_SUPPORTED)
        verdict_warn(a->v, name, STATUS_REF, want, got,
                     "accepted on request, against Intel's advice");
    else
        verdict_pass(a->v, name, STATUS_REF, want, got);
}

static bool
is_listed(const char *id, const struct tcb_policy *p)
{
    for (size_t i = 0; i < p->advisory_count; i++) {
        if (strcmp(p->advisory_ids[i], id) == 0)
            return true;
    }
    return false;
}

/* ids separated by commas; only those that are not accepted when asked so. */
static const char *
list_advisories(struct appraisal *a, bool only_new)
{
    const struct tcb_result *r = &a->got->tcb;
    const char *text = "";

    for (size_t i = 0; i < r->advisory_count; i++) {
        if (!only_new || !is_listed(r->advisory_ids[i], &a->want->tcb))
            text = verdict_text(a->v, "%s%s%s", text, text[0] ? ", " : "",
                                r->advisory_ids[i]);
    }
    return text[0] ? text : "none";
}

static void
check_advisories(struct appraisal *a)
{
    static const char name[] = "advisories";
    const struct tcb_policy *p = &a->want->tcb;
    const char *want;

    if (!a->got->has_tcb || p->advisory_count == 0) {
        verdict_waive(a->v, name, STATUS_REF, "no list of accepted ones");
        return;
    }
    want =
        verdict_text(a->v, "at most the %zu accepted ones", p->advisory_count);
    for (size_t i = 0; i < a->got->tcb.advisory_count; i++) {
        if (is_listed(a->got->tcb.advisory_ids[i], p))
            continue;
        verdict_fail(a->v, name, STATUS_REF, want, list_advisories(a, true),
                     "the platform is open to issues that are not accepted");
        return;
    }
    verdict_pass(a->v, name, STATUS_REF, want, list_advisories(a, false));
}

static void
check_date(struct appraisal *a)
{
    static const char name[] = "tcb_date";
    int64_t want = a->want->tcb.min_tcb_date, got = a->got->tcb.tcb_date;
    char want_text[RFC3339_SIZE], got_text[RFC3339_SIZE] = "none";

    if (want == 0) {
        verdict_waive(a->v, name, STATUS_REF, "no minimum is stated");
        return;
    }
    rfc3339_format(want, want_text);
    if (got != 0)
        rfc3339_format(got, got_text);
    if (got >= want)
        verdict_pass(a->v, name, STATUS_REF,
                     verdict_text(a->v, "%s or later", want_text),
                     verdict_text(a->v, "%s", got_text));
    else
        verdict_fail(a->v, name, STATUS_REF,
                     verdict_text(a->v, "%s or later", want_text),
                     verdict_text(a->v, "%s", got_text),
                     "platform or quoting enclave are open to issues known "
                     "at that date");
}

/* Intel raises the two documents' numbers on different days, so the identity's
 * alone being lower is worth a warning, not a refusal. */
static void
check_evaluation_number(struct appraisal *a)
{
    static const char name[] = "evaluation_number";
    static const char ref[] =
        "Intel SGX and TDX PCS API v4, tcbEvaluationDataNumber";
    uint32_t want = a->want->tcb.min_evaluation_number;
    uint32_t info = a->got->tcb.evaluation_number;
    uint32_t qe = a->got->tcb.qe_evaluation_number;
    const char *want_text, *got_text;

    if (want == 0) {
        verdict_waive(a->v, name, ref, "no minimum is stated");
        return;
    }
    want_text = verdict_text(a->v, "%u or more", want);
    got_text = verdict_text(a->v, "TCB info %u, QE identity %u", info, qe);
    if (info >= want && qe >= want)
        verdict_pass(a->v, name, ref, want_text, got_text);
    else if (info >= want)
        verdict_warn(a->v, name, ref, want_text, got_text,
                     "the QE identity is of an older evaluation");
    else
        verdict_fail(a->v, name, ref, want_text, got_text,
                     "the collateral does not know of newer issues yet");
}

/* --- what the PCK certificate says of the platform ------------------------ */

struct flag_rule {
    const char *name;
    bool wanted; /* by the policy */
    bool known;  /* the certificate says so or not */
    bool holds;
    const char *want, *got;
};

static void
check_flag(struct appraisal *a, const struct flag_rule *rule)
{
    static const char ref[] = "Intel SGX PCK Certificate and CRL Profile 1.3.5";

    if (!rule->wanted)
        verdict_waive(a->v, rule->name, ref, "not required");
    else if (!a->got->has_pck)
        verdict_lack(a->v, rule->name, ref, "there is no PCK certificate");
    else if (rule->known && rule->holds)
        verdict_pass(a->v, rule->name, ref, rule->want, rule->want);
    else
        verdict_fail(a->v, rule->name, ref, rule->want,
                     rule->known ? rule->got : "the certificate does not say",
                     "the platform is not configured as required");
}

static void
check_flags(struct appraisal *a)
{
    const struct tcb_policy *p = &a->want->tcb;
    const struct sgx_pck *c = &a->got->pck;
    const struct flag_rule rules[] = {
        { "memory_integrity", p->require_memory_integrity, true,
          c->sgx_type == SGX_SCALABLE_WITH_INTEGRITY, "scalable with integrity",
          sgx_type_name(c->sgx_type) },
        { "smt_disabled", p->require_smt_disabled, c->has_configuration,
          !c->smt_enabled, "SMT disabled", "SMT enabled" },
        { "static_platform", p->require_static_platform, c->has_configuration,
          !c->dynamic_platform, "static platform", "dynamic platform" },
        { "uncached_keys", p->require_uncached_keys, c->has_configuration,
          !c->cached_keys, "no cached keys", "cached keys" },
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        check_flag(a, &rules[i]);
}

/* The only defence against keys that were taken out of a machine: which
 * machines there are. */
static void
check_piid(struct appraisal *a)
{
    static const char name[] = "piid";
    static const char ref[] = "Intel SGX PCK Certificate and CRL Profile 1.3.5";
    const struct sgx_pck *c = &a->got->pck;
    struct expect listed = { EXPECT_ONE_OF, a->want->tcb.allowed_piids };

    if (listed.bytes.len == 0)
        verdict_waive(a->v, name, ref, "no list of allowed platforms");
    else if (!a->got->has_pck)
        verdict_lack(a->v, name, ref, "there is no PCK certificate");
    else if (!c->has_platform_instance_id)
        verdict_fail(a->v, name, ref, "an allowed platform", "none",
                     "the certificate does not name the platform");
    else
        expectation_check(a->v, name, ref, &listed,
                          span_of(c->platform_instance_id, SGX_PIID_SIZE));
}

void
tdx_accept_check(struct appraisal *a)
{
    check_status(a);
    check_advisories(a);
    check_date(a);
    check_evaluation_number(a);
    check_flags(a);
    check_piid(a);
}
