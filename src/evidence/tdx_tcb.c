/* Which level of Intel's documents a platform is at, and what follows from
 * platform, TDX module and quoting enclave together. */
#include <string.h>

#include "base/clock.h"
#include "evidence/tdx_rules.h"

#define LEVEL_REF TDX_VERIFY_REF ", TCB level selection"
#define QE_REF TDX_VERIFY_REF ", QE identity"
#define MODULE_REF TDX_VERIFY_REF ", TDX module identity"

struct evaluation {
    const struct tdx_quote *q;
    const struct sgx_pck *pck;
    const struct sgx_tcb_info *info;
    const struct sgx_qe_identity *identity;
    struct verdict *v;
    struct tcb_result *out;
    const struct tdx_module_identity *module; /* NULL: major version 0 */
    /* What matched; NULL: nothing. */
    const struct sgx_tcb_level *sgx_level;
    const struct sgx_tcb_level *level;
    const struct sgx_isv_level *module_level;
    const struct sgx_isv_level *qe_level;
};

static uint8_t
module_major(const struct evaluation *e)
{
    return e->q->td.tee_tcb_svn[1];
}

static bool
check_equal(struct evaluation *e, const char *name, const char *ref,
            struct span want, struct span got, const char *reason)
{
    const char *got_hex = verdict_hex(e->v, got);

    if (span_equal(want, got)) {
        verdict_pass(e->v, name, ref, got_hex, got_hex);
        return true;
    }
    verdict_fail(e->v, name, ref, verdict_hex(e->v, want), got_hex, reason);
    return false;
}

/* --- do they belong together? -------------------------------------------- */

static bool
check_id(struct evaluation *e, const char *name, const char *want,
         const char *got)
{
    if (strcmp(want, got) == 0) {
        verdict_pass(e->v, name, TDX_VERIFY_REF, want, got);
        return true;
    }
    verdict_fail(e->v, name, TDX_VERIFY_REF, want, got,
                 "Intel signed this for the other technology");
    return false;
}

static bool
check_platform(struct evaluation *e)
{
    bool is_tdx = e->q->tee == QUOTE_TEE_TDX;
    bool id = check_id(e, "tcb_info_id", is_tdx ? "TDX" : "SGX",
                       e->info->is_tdx ? "TDX" : "SGX");
    bool fmspc = check_equal(e, "fmspc", TDX_VERIFY_REF,
                             span_of(e->pck->fmspc, SGX_FMSPC_SIZE),
                             span_of(e->info->fmspc, SGX_FMSPC_SIZE),
                             "the TCB info is of another family of platforms");
    bool pce = check_equal(e, "pce_id", TDX_VERIFY_REF,
                           span_of(e->pck->pce_id, sizeof(e->pck->pce_id)),
                           span_of(e->info->pce_id, sizeof(e->info->pce_id)),
                           "the TCB info is of another PCE");

    return id && fmspc && pce;
}

static bool
masked_equal(const uint8_t *got, const uint8_t *mask, const uint8_t *want,
             size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((got[i] & mask[i]) != want[i])
            return false;
    }
    return true;
}

/* Modules of major version 0 have no identity of their own; for others the
 * hexadecimal id counts. */
static const struct tdx_module *
choose_module(struct evaluation *e)
{
    static const char name[] = "tdx_module_identity";
    const char *want = verdict_text(e->v, "TDX_%02X", module_major(e));

    if (module_major(e) == 0) {
        verdict_pass(e->v, name, MODULE_REF, "tdxModule", "tdxModule");
        return &e->info->module;
    }
    e->module = tdx_module_identity_find(e->info, module_major(e));
    if (e->module) {
        verdict_pass(e->v, name, MODULE_REF, want, want);
        return &e->module->module;
    }
    verdict_fail(e->v, name, MODULE_REF, want, "no such identity",
                 "Intel's document does not know this TDX module");
    return NULL;
}

static bool
check_module(struct evaluation *e)
{
    const struct td_report *td = &e->q->td;
    const struct tdx_module *m;
    struct span attributes =
        span_of(td->seam_attributes, sizeof(td->seam_attributes));
    bool signer;

    if (e->q->tee != QUOTE_TEE_TDX)
        return true;
    m = choose_module(e);
    if (!m)
        return false;
    signer =
        check_equal(e, "tdx_module_signer", MODULE_REF,
                    span_of(m->mr_signer, sizeof(m->mr_signer)),
                    span_of(td->mr_signer_seam, sizeof(td->mr_signer_seam)),
                    "the TDX module is not signed by Intel");
    /* All zero today, masked or not: a debug module sets bits. */
    if (masked_equal(td->seam_attributes, m->attributes_mask, m->attributes,
                     sizeof(m->attributes)) &&
        span_is_zero(attributes)) {
        verdict_pass(e->v, "tdx_module_attributes", MODULE_REF,
                     "0000000000000000", "0000000000000000");
        return signer;
    }
    verdict_fail(e->v, "tdx_module_attributes", MODULE_REF, "0000000000000000",
                 verdict_hex(e->v, attributes),
                 "the TDX module has attributes that Intel's have not");
    return false;
}

static bool
check_masked(struct evaluation *e, const char *name, const uint8_t *got,
             const uint8_t *mask, const uint8_t *want, size_t len)
{
    const char *want_text, *got_text = verdict_hex(e->v, span_of(got, len));

    want_text = verdict_text(e->v, "%s under mask %s",
                             verdict_hex(e->v, span_of(want, len)),
                             verdict_hex(e->v, span_of(mask, len)));
    if (masked_equal(got, mask, want, len)) {
        verdict_pass(e->v, name, QE_REF, want_text, got_text);
        return true;
    }
    verdict_fail(e->v, name, QE_REF, want_text, got_text,
                 "this is not Intel's quoting enclave");
    return false;
}

static bool
check_prod_id(struct evaluation *e)
{
    static const char name[] = "qe_isvprodid";
    uint16_t got = e->q->qe_report.isv_prod_id;
    const char *want = verdict_text(e->v, "%u", e->identity->isv_prod_id);

    if (got == e->identity->isv_prod_id) {
        verdict_pass(e->v, name, QE_REF, want, want);
        return true;
    }
    verdict_fail(e->v, name, QE_REF, want, verdict_text(e->v, "%u", got),
                 "this is not Intel's quoting enclave");
    return false;
}

static bool
check_qe(struct evaluation *e)
{
    enum { MISC_SELECT_AT = 16 };
    const struct sgx_report *r = &e->q->qe_report;
    const struct sgx_qe_identity *i = e->identity;
    struct span misc =
        span_sub(e->q->qe_report_raw, MISC_SELECT_AT, sizeof(i->misc_select));
    bool is_tdx = e->q->tee == QUOTE_TEE_TDX;
    bool ok = check_id(e, "qe_identity_id", is_tdx ? "TD_QE" : "QE",
                       i->is_td_qe ? "TD_QE" : "QE");

    ok &= check_masked(e, "qe_miscselect", misc.ptr, i->misc_select_mask,
                       i->misc_select, sizeof(i->misc_select));
    ok &= check_masked(e, "qe_attributes", r->attributes, i->attributes_mask,
                       i->attributes, sizeof(i->attributes));
    ok &= check_equal(e, "qe_mrsigner", QE_REF,
                      span_of(i->mr_signer, sizeof(i->mr_signer)),
                      span_of(r->mr_signer, sizeof(r->mr_signer)),
                      "the quoting enclave is not signed by Intel");
    return check_prod_id(e) && ok;
}

/* --- levels -------------------------------------------------------------- */

static bool
at_least(const uint8_t *got, const uint8_t *want, size_t from)
{
    for (size_t i = from; i < SGX_COMPONENTS; i++) {
        if (got[i] < want[i])
            return false;
    }
    return true;
}

/* SGX components are the PCK certificate's. With a module identity of its own
 * the first two TDX components are that identity's business. */
static void
find_level(struct evaluation *e)
{
    size_t from = module_major(e) > 0 ? 2 : 0;

    for (size_t i = 0; i < e->info->level_count && !e->level; i++) {
        const struct sgx_tcb_level *l = &e->info->levels[i];

        if (!at_least(e->pck->comp_svn, l->sgx, 0) ||
            e->pck->pce_svn < l->pce_svn)
            continue;
        if (!e->sgx_level)
            e->sgx_level = l;
        if (e->q->tee == QUOTE_TEE_SGX ||
            at_least(e->q->td.tee_tcb_svn, l->tdx, from))
            e->level = l;
    }
}

/* A level is a fact; whether its status will do is tdx_appraise()'s. */
static void
report_level(struct evaluation *e, const char *name, const char *want,
             bool found, enum tcb_status status, int64_t date)
{
    char day[RFC3339_SIZE];

    if (!found) {
        verdict_skip(e->v, name, LEVEL_REF,
                     "no level is at or below its SVNs: TcbNotSupported");
        return;
    }
    rfc3339_format(date, day);
    verdict_pass(
        e->v, name, LEVEL_REF, want,
        verdict_text(e->v, "%s, tcbDate %.10s", tcb_status_name(status), day));
}

static void
report_isv_level(struct evaluation *e, const char *name, uint16_t svn,
                 const struct sgx_isv_level *l)
{
    report_level(e, name, verdict_text(e->v, "a level at or below SVN %u", svn),
                 l != NULL, l ? l->status : TCB_NONE, l ? l->date : 0);
}

static enum tcb_status
status_of(const struct sgx_isv_level *l)
{
    return l ? l->status : TCB_NOT_SUPPORTED;
}

static void
find_levels(struct evaluation *e)
{
    struct tcb_result *r = e->out;

    find_level(e);
    r->sgx = e->sgx_level ? e->sgx_level->status : TCB_NOT_SUPPORTED;
    r->platform = e->level ? e->level->status : TCB_NOT_SUPPORTED;
    report_level(e, "platform_level",
                 "a level at or below the SVNs of the platform",
                 e->level != NULL, r->platform, e->level ? e->level->date : 0);
    if (e->module) {
        uint8_t svn = e->q->td.tee_tcb_svn[0];

        e->module_level = sgx_isv_level_find(&e->module->levels, svn);
        r->module = status_of(e->module_level);
        report_isv_level(e, "tdx_module_level", svn, e->module_level);
    }
    e->qe_level =
        sgx_isv_level_find(&e->identity->levels, e->q->qe_report.isv_svn);
    r->qe = status_of(e->qe_level);
    report_isv_level(e, "qe_level", e->q->qe_report.isv_svn, e->qe_level);
}

/* --- convergence --------------------------------------------------------- */

/* Was the TD launched under an old module on a platform that is good now? */
static bool
may_be_relaunched(const struct evaluation *e, enum tcb_status merged)
{
    const struct tcb_result *r = e->out;

    return e->q->body == QUOTE_BODY_TD_15 && r->qe == TCB_UP_TO_DATE &&
           (r->sgx == TCB_UP_TO_DATE || r->sgx == TCB_SW_HARDENING_NEEDED ||
            r->sgx == TCB_CONFIGURATION_NEEDED ||
            r->sgx == TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED) &&
           (merged == TCB_OUT_OF_DATE ||
            merged == TCB_OUT_OF_DATE_CONFIGURATION_NEEDED) &&
           r->module == TCB_OUT_OF_DATE;
}

/* Is the module that is loaded now (TEE_TCB_SVN2) at the newest level? False
 * in *known when Intel's document does not know it. */
static bool
module_now_is_newest(const struct evaluation *e, bool *known)
{
    const uint8_t *now = e->q->td.tee_tcb_svn2;
    const struct sgx_tcb_level *newest = &e->info->levels[0];
    const struct tdx_module_identity *id;

    *known = true;
    if (now[2] < newest->tdx[2])
        return false;
    if (now[1] == 0)
        return now[0] >= newest->tdx[0];
    id = tdx_module_identity_find(e->info, now[1]);
    *known = id != NULL;
    return id && now[0] >= id->levels.list[0].isv_svn;
}

static enum tcb_status
relaunch(struct evaluation *e, enum tcb_status merged)
{
    static const char name[] = "tdx_module_now";
    struct span now =
        span_of(e->q->td.tee_tcb_svn2, sizeof(e->q->td.tee_tcb_svn2));
    bool known, newest;

    if (!may_be_relaunched(e, merged))
        return merged;
    newest = module_now_is_newest(e, &known);
    if (!known) {
        verdict_fail(e->v, name, MODULE_REF, "a known TDX module",
                     verdict_hex(e->v, now),
                     "Intel's document does not know the TDX module that is "
                     "loaded now");
        return TCB_NONE;
    }
    verdict_pass(e->v, name, MODULE_REF, "the newest level, or an older one",
                 newest ? "the newest: a new launch would be up to date"
                        : "an older one");
    if (!newest)
        return merged;
    return tcb_status_wants_configuration(e->out->sgx) ||
                   tcb_status_wants_configuration(merged)
               ? TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED
               : TCB_RELAUNCH_ADVISED;
}

static enum tcb_status
converge(struct evaluation *e)
{
    struct tcb_result *r = e->out;
    enum tcb_status merged = tcb_converge(r->platform, r->module);

    return tcb_converge(relaunch(e, merged), r->qe);
}

/* --- what else is worth knowing ------------------------------------------ */

/* The union, sorted. list has room for all. */
static size_t
add_advisories(const char **list, size_t count, const struct sgx_advisories *a)
{
    for (size_t i = 0; i < a->count; i++) {
        size_t at = count;

        while (at > 0 && strcmp(list[at - 1], a->ids[i]) > 0)
            at--;
        if (at > 0 && strcmp(list[at - 1], a->ids[i]) == 0)
            continue;
        memmove(&list[at + 1], &list[at], (count - at) * sizeof(*list));
        list[at] = a->ids[i];
        count++;
    }
    return count;
}

static void
collect_advisories(struct evaluation *e)
{
    static const struct sgx_advisories none = { 0 };
    const struct sgx_advisories *parts[] = {
        e->level ? &e->level->advisories : &none,
        e->module_level ? &e->module_level->advisories : &none,
        e->qe_level ? &e->qe_level->advisories : &none,
    };
    size_t total = parts[0]->count + parts[1]->count + parts[2]->count;
    size_t count = 0;
    const char **list = arena_array(e->v->arena, total + 1, sizeof(*list));

    if (!list) {
        e->v->nomem = true;
        return;
    }
    for (size_t i = 0; i < 3; i++)
        count = add_advisories(list, count, parts[i]);
    /* The documents may go before the verdict does. */
    for (size_t i = 0; i < count; i++)
        list[i] = verdict_text(e->v, "%s", list[i]);
    e->out->advisory_ids = list;
    e->out->advisory_count = count;
}

static void
keep_earliest(int64_t date, int64_t after, int64_t *earliest)
{
    if (date > after && (*earliest == 0 || date < *earliest))
        *earliest = date;
}

static void
keep_change(const struct sgx_isv_levels *levels,
            const struct sgx_isv_level *matched, int64_t *changed)
{
    if (!matched || matched->status != TCB_OUT_OF_DATE)
        return;
    for (size_t i = 0; i < levels->count; i++)
        keep_earliest(levels->list[i].date, matched->date, changed);
}

static void
collect_dates(struct evaluation *e)
{
    struct tcb_result *r = e->out;
    const struct sgx_tcb_info *info = e->info;
    bool platform_old =
        e->level && (e->level->status == TCB_OUT_OF_DATE ||
                     e->level->status == TCB_OUT_OF_DATE_CONFIGURATION_NEEDED);

    for (size_t i = 0; i < info->level_count; i++) {
        if (info->levels[i].date > r->newest_date)
            r->newest_date = info->levels[i].date;
        if (platform_old)
            keep_earliest(info->levels[i].date, e->level->date, &r->changed_at);
    }
    if (e->module)
        keep_change(&e->module->levels, e->module_level, &r->changed_at);
    keep_change(&e->identity->levels, e->qe_level, &r->changed_at);
    if (e->level && e->qe_level)
        r->tcb_date = e->level->date < e->qe_level->date ? e->level->date
                                                         : e->qe_level->date;
}

bool
tdx_tcb_check(const struct tdx_quote *q, const struct sgx_pck *pck,
              const struct sgx_collateral_set *set, struct verdict *v,
              struct tcb_result *out)
{
    struct evaluation e = { .q = q,
                            .pck = pck,
                            .info = &set->info,
                            .identity = &set->identity,
                            .v = v,
                            .out = out };
    bool fits;

    if (!pck || !set->has_info || !set->has_identity) {
        verdict_lack(v, "platform_level", LEVEL_REF,
                     "PCK certificate, TCB info and QE identity are needed");
        return false;
    }
    out->evaluation_number = set->info.evaluation_number;
    out->qe_evaluation_number = set->identity.evaluation_number;
    fits = check_platform(&e);
    fits &= check_module(&e);
    fits &= check_qe(&e);
    if (!fits) {
        verdict_lack(v, "platform_level", LEVEL_REF,
                     "Intel's documents and the quote do not belong together");
        return false;
    }
    find_levels(&e);
    out->status = converge(&e);
    collect_advisories(&e);
    collect_dates(&e);
    return out->status != TCB_NONE;
}
