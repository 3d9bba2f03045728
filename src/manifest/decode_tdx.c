/* Reference values for TDX: contrast-interop section 6.4, and our own keys for
 * what of a platform's TCB is acceptable (doc/manifest.md). */
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "evidence/sgx_tcb.h"
#include "manifest/fields.h"

enum { RTMRS = 4, PIID_SIZE = 16, DAY_S = 24 * 3600, GRACE_DAYS_MAX = 3660 };

static const char *const keys[] = { "Platform",
                                    "MinTCBEvaluationDataNumber",
                                    "MrTd",
                                    "MrSeam",
                                    "Rtmrs",
                                    "Rtrms",
                                    "Xfam",
                                    "AllowedPIIDs",
                                    "MemoryIntegrity",
                                    "SMTDisabled",
                                    "StaticPlatform",
                                    "CPUs",
                                    "TdAttributes",
                                    "MinimumQeSvn",
                                    "MinimumPceSvn",
                                    "MinimumTeeTcbSvn",
                                    "AllowedTCBStatuses",
                                    "AllowedAdvisoryIDs",
                                    "MinimumTCBDate",
                                    "TCBGracePeriodDays",
                                    NULL };

static void
decode_rtmrs(const struct place *p, struct manifest_tdx *v)
{
    struct place rtmrs = place_member(p, "Rtmrs");
    struct place older = place_member(p, "Rtrms");
    size_t count = 0;

    if (place_present(&older)) {
        if (place_present(&rtmrs))
            note(&older, MANIFEST_ERROR, "given together with Rtmrs");
        else
            p->m->generation = MANIFEST_OLDER;
    }
    if (!place_present(&rtmrs))
        rtmrs = place_present(&older) ? older : rtmrs;
    if (!place_present(&rtmrs)) {
        note(&rtmrs, MANIFEST_ERROR, "missing, want %d values", RTMRS);
        return;
    }
    if (!read_array(&rtmrs, RTMRS, &count))
        return;
    if (count < RTMRS)
        note(&rtmrs, MANIFEST_ERROR, "got %zu values, want %d", count, RTMRS);
    for (size_t i = 0; i < count; i++) {
        struct place at = place_element(&rtmrs, i);

        (void)need_hex(&at, MANIFEST_ERROR, v->rtmrs[i], sizeof(v->rtmrs[i]));
    }
}

static bool
decode_svn(const struct place *p, const char *key, uint16_t *out)
{
    struct place at = place_member(p, key);
    uint64_t n;

    if (!read_u64(&at, UINT16_MAX, &n))
        return false;
    *out = (uint16_t)n;
    return true;
}

/* Only manifests of the older generation have these; what is absent among
 * them is zero, which any platform reaches. */
static void
decode_older(const struct place *p, struct manifest_tdx *v)
{
    struct place attributes = place_member(p, "TdAttributes");
    struct place tee = place_member(p, "MinimumTeeTcbSvn");
    bool qe = decode_svn(p, "MinimumQeSvn", &v->minimum_qe_svn);
    bool pce = decode_svn(p, "MinimumPceSvn", &v->minimum_pce_svn);
    bool module =
        read_hex(&tee, v->minimum_tee_tcb_svn, sizeof(v->minimum_tee_tcb_svn));

    v->has_minimum_svns = qe || pce || module;
    v->has_td_attributes =
        read_hex(&attributes, v->td_attributes, sizeof(v->td_attributes));
}

static void
decode_flags(const struct place *p, struct manifest_tdx *v)
{
    struct place integrity = place_member(p, "MemoryIntegrity");
    struct place smt = place_member(p, "SMTDisabled");
    struct place fixed = place_member(p, "StaticPlatform");

    (void)read_bool(&integrity, &v->memory_integrity);
    (void)read_bool(&smt, &v->smt_disabled);
    (void)read_bool(&fixed, &v->static_platform);
}

/* --- what is acceptable of a TCB ----------------------------------------- */

static void
decode_status(const struct place *p, struct manifest_tdx *v)
{
    struct span name = { 0 };
    enum tcb_status status;

    if (!read_text(p, &name))
        return;
    status = tcb_status_parse(name);
    if (status == TCB_NONE)
        note(p, MANIFEST_ERROR,
             "got \"%.40s\", want a TCB status as Intel spells it, such as "
             "SWHardeningNeeded",
             (const char *)name.ptr);
    else if (status == TCB_REVOKED || status == TCB_NOT_SUPPORTED)
        note(p, MANIFEST_ERROR, "%s is never acceptable",
             tcb_status_name(status));
    else
        v->accepted_statuses |= 1U << status;
}

static void
decode_statuses(const struct place *p, struct manifest_tdx *v)
{
    struct place list = place_member(p, "AllowedTCBStatuses");
    size_t count = 0;

    if (!place_present(&list) || !read_array(&list, TCB_STATUSES, &count))
        return;
    if (count == 0)
        note(&list, MANIFEST_ERROR, "empty: leave it out for UpToDate alone");
    for (size_t i = 0; i < count; i++) {
        struct place at = place_element(&list, i);

        decode_status(&at, v);
    }
}

static void
decode_advisories(const struct place *p, struct manifest_tdx *v)
{
    struct place list = place_member(p, "AllowedAdvisoryIDs");
    size_t count = 0;

    if (!place_present(&list) || !read_array(&list, LIMIT_ADVISORY_IDS, &count))
        return;
    if (count == 0)
        note(&list, MANIFEST_ERROR,
             "empty: leave it out to allow those of an accepted status");
    v->advisory_ids =
        arena_array(p->m->arena, count + 1, sizeof(*v->advisory_ids));
    if (!v->advisory_ids) {
        p->m->findings.nomem = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct place at = place_element(&list, i);
        const char *id = read_text_or_empty(&at);

        if (id[0])
            v->advisory_ids[v->advisory_count++] = id;
    }
}

static void
decode_dates(const struct place *p, struct manifest_tdx *v)
{
    struct place date = place_member(p, "MinimumTCBDate");
    struct place grace = place_member(p, "TCBGracePeriodDays");
    struct assay_error err = { 0 };
    struct span text = { 0 };
    uint64_t days;

    if (read_text(&date, &text) &&
        rfc3339_parse(text, &v->min_tcb_date, &err) != ASSAY_OK)
        note(&date, MANIFEST_ERROR, "%s", err.text);
    if (read_u64(&grace, GRACE_DAYS_MAX, &days))
        v->grace_s = (int64_t)days * DAY_S;
}

/* ------------------------------------------------------------------------- */

static void
decode_tdx(const struct place *p)
{
    struct manifest_tdx *v = &p->m->tdx[p->m->tdx_count];
    struct place platform = place_member(p, "Platform");
    struct place mr_td = place_member(p, "MrTd");
    struct place mr_seam = place_member(p, "MrSeam");
    struct place xfam = place_member(p, "Xfam");
    struct place piids = place_member(p, "AllowedPIIDs");
    struct place number = place_member(p, "MinTCBEvaluationDataNumber");
    struct place cpus = place_member(p, "CPUs");
    uint64_t ignored;

    if (!read_object(p))
        return;
    note_unknown(p, keys);
    v->offset = p->value->offset;
    v->platform = read_text_or_empty(&platform);
    (void)need_hex(&mr_td, MANIFEST_ERROR, v->mr_td, sizeof(v->mr_td));
    (void)need_hex(&mr_seam, MANIFEST_MISSING, v->mr_seam, sizeof(v->mr_seam));
    (void)need_hex(&xfam, MANIFEST_ERROR, v->xfam, sizeof(v->xfam));
    decode_rtmrs(p, v);
    decode_flags(p, v);
    decode_older(p, v);
    decode_statuses(p, v);
    decode_advisories(p, v);
    decode_dates(p, v);
    read_hex_list(&piids, LIMIT_CHIP_IDS, PIID_SIZE, &v->piids);
    (void)read_u64(&number, INT32_MAX, &v->min_tcb_evaluation_data_number);
    (void)read_u64(&cpus, UINT64_MAX, &ignored);
    p->m->tdx_count++;
}

void
decode_tdx_values(const struct place *p)
{
    struct manifest *m = p->m;
    size_t count;

    if (!read_list_size(p, &count))
        return;
    m->tdx = arena_array(m->arena, count + 1, sizeof(*m->tdx));
    if (!m->tdx) {
        m->findings.nomem = true;
        return;
    }
    if (p->value->type == JSON_OBJECT) {
        m->generation = MANIFEST_OLDER;
        decode_tdx(p);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct place at = place_element(p, i);

        decode_tdx(&at);
    }
}
