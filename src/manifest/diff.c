#include "manifest/diff.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/limits.h"
#include "evidence/sgx_tcb.h"
#include "evidence/snp_report.h"

static const char *text(struct manifest_diff *d, const char *fmt, ...)
    ASSAY_PRINTF(2, 3);

static const char *
text(struct manifest_diff *d, const char *fmt, ...)
{
    va_list args, again;
    char *line = NULL;
    int len;

    va_start(args, fmt);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, args);
    if (len >= 0)
        line = arena_alloc(d->arena, (size_t)len + 1);
    if (line)
        (void)vsnprintf(line, (size_t)len + 1, fmt, again);
    else
        d->nomem = true;
    va_end(again);
    va_end(args);
    return line ? line : "";
}

static const char *
hex_text(struct manifest_diff *d, struct span bytes)
{
    char *copy = arena_alloc(d->arena, 2 * bytes.len + 1);

    if (!copy) {
        d->nomem = true;
        return "";
    }
    hex_encode(bytes, copy);
    return copy;
}

static void
add(struct manifest_diff *d, struct manifest_change change)
{
    if (d->count == d->cap) {
        size_t cap = d->cap > 0 ? 2 * d->cap : 32;
        struct manifest_change *list =
            arena_array(d->arena, cap, sizeof(*list));

        if (!list) {
            d->nomem = true;
            return;
        }
        if (d->count > 0)
            memcpy(list, d->list, d->count * sizeof(*list));
        d->list = list;
        d->cap = cap;
    }
    d->list[d->count++] = change;
}

static void
add_whole(struct manifest_diff *d, bool added, enum manifest_subject subject,
          const char *name, const char *value)
{
    add(d, (struct manifest_change){
               .kind = added ? MANIFEST_ADDED : MANIFEST_REMOVED,
               .subject = subject,
               .name = name,
               .field = "",
               .from = added ? "" : value,
               .to = added ? value : "",
           });
}

/* A field that is another now, whether or not its text tells. */
static void
add_changed(struct manifest_diff *d, enum manifest_subject subject,
            const char *name, const char *field, const char *from,
            const char *to)
{
    add(d, (struct manifest_change){ .kind = MANIFEST_CHANGED,
                                     .subject = subject,
                                     .name = name,
                                     .field = field,
                                     .from = from,
                                     .to = to });
}

static void
compare(struct manifest_diff *d, enum manifest_subject subject,
        const char *name, const char *field, const char *from, const char *to)
{
    if (strcmp(from, to) != 0)
        add_changed(d, subject, name, field, from, to);
}

static const char *
sans_text(struct manifest_diff *d, const struct manifest_policy *p)
{
    struct buffer line;
    const char *copy;

    buffer_init(&line, LIMIT_MANIFEST_BYTES, d->arena->alloc);
    for (size_t i = 0; i < p->san_count; i++) {
        if (i > 0)
            buffer_add_str(&line, " ");
        buffer_add(&line, p->sans[i]);
    }
    d->nomem = d->nomem || line.failed;
    copy = text(d, "%s", buffer_str(&line));
    buffer_free(&line);
    return copy;
}

static const char *
policy_name(struct manifest_diff *d, const struct manifest_policy *p)
{
    const char *role = manifest_role_name(p->role);

    return text(d, "%s%s[%s]", role, role[0] ? " " : "", sans_text(d, p));
}

static bool
same_sans(const struct manifest_policy *a, const struct manifest_policy *b)
{
    if (a->san_count != b->san_count)
        return false;
    for (size_t i = 0; i < a->san_count; i++) {
        if (!span_equal(a->sans[i], b->sans[i]))
            return false;
    }
    return true;
}

static void
compare_policy(struct manifest_diff *d, const struct manifest_policy *from,
               const struct manifest_policy *to)
{
    const char *name = policy_name(d, to);

    compare(d, MANIFEST_POLICY, name, "hash",
            hex_text(d, span_of(from->hash, sizeof(from->hash))),
            hex_text(d, span_of(to->hash, sizeof(to->hash))));
    compare(d, MANIFEST_POLICY, name, "Role", manifest_role_name(from->role),
            manifest_role_name(to->role));
    if (!same_sans(from, to))
        add_changed(d, MANIFEST_POLICY, name, "SANs", sans_text(d, from),
                    sans_text(d, to));
    if (!span_equal(from->workload_secret_id, to->workload_secret_id))
        add_changed(d, MANIFEST_POLICY, name, "WorkloadSecretID",
                    text(d, "%.*s", (int)from->workload_secret_id.len,
                         (const char *)from->workload_secret_id.ptr),
                    text(d, "%.*s", (int)to->workload_secret_id.len,
                         (const char *)to->workload_secret_id.ptr));
}

/* The same pod with another policy: equal names and role, other hash. */
static const struct manifest_policy *
successor(const struct manifest *to, const struct manifest_policy *p,
          const bool *taken)
{
    for (size_t i = 0; i < to->policy_count; i++) {
        const struct manifest_policy *q = &to->policies[i];

        if (!taken[i] && q->role == p->role && same_sans(p, q))
            return q;
    }
    return NULL;
}

static void
diff_policies(struct manifest_diff *d, const struct manifest *from,
              const struct manifest *to)
{
    bool *taken = arena_array(d->arena, to->policy_count + 1, sizeof(bool));

    if (!taken) {
        d->nomem = true;
        return;
    }
    for (size_t i = 0; i < to->policy_count; i++)
        taken[i] = manifest_policy_find(from, to->policies[i].hash) != NULL;
    for (size_t i = 0; i < from->policy_count; i++) {
        const struct manifest_policy *p = &from->policies[i];
        const struct manifest_policy *q = manifest_policy_find(to, p->hash);

        if (!q)
            q = successor(to, p, taken);
        if (q) {
            taken[q - to->policies] = true;
            compare_policy(d, p, q);
        } else {
            add_whole(d, false, MANIFEST_POLICY, policy_name(d, p),
                      hex_text(d, span_of(p->hash, sizeof(p->hash))));
        }
    }
    for (size_t i = 0; i < to->policy_count; i++) {
        const struct manifest_policy *q = &to->policies[i];

        if (!taken[i])
            add_whole(d, true, MANIFEST_POLICY, policy_name(d, q),
                      hex_text(d, span_of(q->hash, sizeof(q->hash))));
    }
}

static const char *
number(struct manifest_diff *d, uint64_t n)
{
    return text(d, "%" PRIu64, n);
}

static const char *
bits(struct manifest_diff *d, uint64_t n)
{
    return text(d, "0x%" PRIx64, n);
}

static const char *
yes_no(bool value)
{
    return value ? "true" : "false";
}

static const char *
chips_text(struct manifest_diff *d, struct span ids)
{
    return ids.len > 0 ? hex_text(d, ids) : "any";
}

static const char *
snp_name(struct manifest_diff *d, const struct manifest_snp *v)
{
    return text(d, "snp %s%s%s", v->platform, v->platform[0] ? " " : "",
                snp_product_name(v->product));
}

static void
compare_tcb(struct manifest_diff *d, const char *name,
            struct snp_tcb_parts from, struct snp_tcb_parts to)
{
    const struct {
        const char *field;
        uint8_t from, to;
    } parts[] = {
        { "MinimumTCB.FMCVersion", from.fmc, to.fmc },
        { "MinimumTCB.BootloaderVersion", from.bl, to.bl },
        { "MinimumTCB.TEEVersion", from.tee, to.tee },
        { "MinimumTCB.SNPVersion", from.snp, to.snp },
        { "MinimumTCB.MicrocodeVersion", from.ucode, to.ucode },
    };

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        compare(d, MANIFEST_REFERENCE_VALUE, name, parts[i].field,
                number(d, parts[i].from), number(d, parts[i].to));
}

static void
compare_snp(struct manifest_diff *d, const struct manifest_snp *from,
            const struct manifest_snp *to)
{
    const enum manifest_subject s = MANIFEST_REFERENCE_VALUE;
    const char *name = snp_name(d, to);

    compare(d, s, name, "Platform", from->platform, to->platform);
    compare(d, s, name, "ProductName", snp_product_name(from->product),
            snp_product_name(to->product));
    compare(d, s, name, "TrustedMeasurement",
            hex_text(d, span_of(from->measurement, 48)),
            hex_text(d, span_of(to->measurement, 48)));
    compare(d, s, name, "APEIP",
            from->has_ap_eip ? text(d, "%08" PRIx32, from->ap_eip) : "none",
            to->has_ap_eip ? text(d, "%08" PRIx32, to->ap_eip) : "none");
    compare_tcb(d, name, from->minimum_tcb, to->minimum_tcb);
    compare(d, s, name, "GuestPolicy", bits(d, from->guest_policy),
            bits(d, to->guest_policy));
    compare(d, s, name, "PlatformInfo", yes_no(from->has_platform_info),
            yes_no(to->has_platform_info));
    compare(d, s, name, "PlatformInfo (required)",
            bits(d, from->platform_required), bits(d, to->platform_required));
    compare(d, s, name, "PlatformInfo (forbidden)",
            bits(d, from->platform_forbidden), bits(d, to->platform_forbidden));
    compare(d, s, name, "MinimumMitigationVector", bits(d, from->mitigations),
            bits(d, to->mitigations));
    compare(d, s, name, "AllowedChipIDs", chips_text(d, from->chip_ids),
            chips_text(d, to->chip_ids));
    compare(d, s, name, "AllowMilanWithoutChipIDs",
            yes_no(from->allow_milan_without_chip_ids),
            yes_no(to->allow_milan_without_chip_ids));
}

static const char *
statuses_text(struct manifest_diff *d, const struct manifest_tdx *v)
{
    const char *all = v->accepted_statuses ? "" : "UpToDate";

    for (int i = TCB_UP_TO_DATE; i < TCB_STATUSES; i++) {
        if (v->accepted_statuses & (1U << i))
            all = text(d, "%s%s%s", all, all[0] ? " " : "",
                       tcb_status_name((enum tcb_status)i));
    }
    return all;
}

static const char *
advisories_text(struct manifest_diff *d, const struct manifest_tdx *v)
{
    const char *all = v->advisory_count ? "" : "any";

    for (size_t i = 0; i < v->advisory_count; i++)
        all = text(d, "%s%s%s", all, all[0] ? " " : "", v->advisory_ids[i]);
    return all;
}

static const char *
date_text(struct manifest_diff *d, int64_t instant)
{
    char when[RFC3339_SIZE];

    if (instant == 0)
        return "none";
    rfc3339_format(instant, when);
    return text(d, "%s", when);
}

static const char *
days_text(struct manifest_diff *d, int64_t seconds)
{
    return number(d, (uint64_t)seconds / 86400);
}

static const char *
tdx_name(struct manifest_diff *d, const struct manifest_tdx *v)
{
    return text(d, "tdx%s%s", v->platform[0] ? " " : "", v->platform);
}

static void
compare_tdx(struct manifest_diff *d, const struct manifest_tdx *from,
            const struct manifest_tdx *to)
{
    const enum manifest_subject s = MANIFEST_REFERENCE_VALUE;
    const char *name = tdx_name(d, to);

    compare(d, s, name, "Platform", from->platform, to->platform);
    compare(d, s, name, "MrTd", hex_text(d, span_of(from->mr_td, 48)),
            hex_text(d, span_of(to->mr_td, 48)));
    compare(d, s, name, "MrSeam", hex_text(d, span_of(from->mr_seam, 48)),
            hex_text(d, span_of(to->mr_seam, 48)));
    for (size_t i = 0; i < 4; i++)
        compare(d, s, name, text(d, "Rtmrs[%zu]", i),
                hex_text(d, span_of(from->rtmrs[i], 48)),
                hex_text(d, span_of(to->rtmrs[i], 48)));
    compare(d, s, name, "Xfam", hex_text(d, span_of(from->xfam, 8)),
            hex_text(d, span_of(to->xfam, 8)));
    compare(d, s, name, "TdAttributes",
            hex_text(d, span_of(from->td_attributes, 8)),
            hex_text(d, span_of(to->td_attributes, 8)));
    compare(d, s, name, "AllowedPIIDs", chips_text(d, from->piids),
            chips_text(d, to->piids));
    compare(d, s, name, "MinTCBEvaluationDataNumber",
            number(d, from->min_tcb_evaluation_data_number),
            number(d, to->min_tcb_evaluation_data_number));
    compare(d, s, name, "MemoryIntegrity", yes_no(from->memory_integrity),
            yes_no(to->memory_integrity));
    compare(d, s, name, "SMTDisabled", yes_no(from->smt_disabled),
            yes_no(to->smt_disabled));
    compare(d, s, name, "StaticPlatform", yes_no(from->static_platform),
            yes_no(to->static_platform));
    compare(d, s, name, "AllowedTCBStatuses", statuses_text(d, from),
            statuses_text(d, to));
    compare(d, s, name, "AllowedAdvisoryIDs", advisories_text(d, from),
            advisories_text(d, to));
    compare(d, s, name, "MinimumTCBDate", date_text(d, from->min_tcb_date),
            date_text(d, to->min_tcb_date));
    compare(d, s, name, "TCBGracePeriodDays", days_text(d, from->grace_s),
            days_text(d, to->grace_s));
}

/* Reference values have no names. Those that are equal belong together; the
 * others are paired by platform and product, first come first served. */
static bool
snp_are_equal(const struct manifest_snp *a, const struct manifest_snp *b)
{
    return memcmp(a->measurement, b->measurement, 48) == 0 &&
           a->has_ap_eip == b->has_ap_eip && a->ap_eip == b->ap_eip &&
           memcmp(&a->minimum_tcb, &b->minimum_tcb, sizeof(a->minimum_tcb)) ==
               0 &&
           a->guest_policy == b->guest_policy &&
           a->has_platform_info == b->has_platform_info &&
           a->platform_required == b->platform_required &&
           a->platform_forbidden == b->platform_forbidden &&
           a->mitigations == b->mitigations &&
           span_equal(a->chip_ids, b->chip_ids);
}

static bool
snp_are_kin(const struct manifest_snp *a, const struct manifest_snp *b)
{
    return a->product == b->product && strcmp(a->platform, b->platform) == 0;
}

/* partner[i] of an old value: index of the new one, or to->snp_count. */
static void
pair_snp(const struct manifest *from, const struct manifest *to,
         size_t *partner, bool *taken)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < from->snp_count; i++) {
            for (size_t j = 0; j < to->snp_count; j++) {
                if (partner[i] < to->snp_count || taken[j] ||
                    !snp_are_kin(&from->snp[i], &to->snp[j]))
                    continue;
                if (pass == 0 && !snp_are_equal(&from->snp[i], &to->snp[j]))
                    continue;
                partner[i] = j;
                taken[j] = true;
            }
        }
    }
}

static void
diff_snp(struct manifest_diff *d, const struct manifest *from,
         const struct manifest *to)
{
    size_t *partner =
        arena_array(d->arena, from->snp_count + 1, sizeof(size_t));
    bool *taken = arena_array(d->arena, to->snp_count + 1, sizeof(bool));

    if (!partner || !taken) {
        d->nomem = true;
        return;
    }
    for (size_t i = 0; i < from->snp_count; i++)
        partner[i] = to->snp_count;
    pair_snp(from, to, partner, taken);
    for (size_t i = 0; i < from->snp_count; i++) {
        const struct manifest_snp *v = &from->snp[i];

        if (partner[i] < to->snp_count)
            compare_snp(d, v, &to->snp[partner[i]]);
        else
            add_whole(d, false, MANIFEST_REFERENCE_VALUE, snp_name(d, v),
                      hex_text(d, span_of(v->measurement, 48)));
    }
    for (size_t j = 0; j < to->snp_count; j++) {
        const struct manifest_snp *v = &to->snp[j];

        if (!taken[j])
            add_whole(d, true, MANIFEST_REFERENCE_VALUE, snp_name(d, v),
                      hex_text(d, span_of(v->measurement, 48)));
    }
}

static void
diff_tdx(struct manifest_diff *d, const struct manifest *from,
         const struct manifest *to)
{
    size_t both =
        from->tdx_count < to->tdx_count ? from->tdx_count : to->tdx_count;

    for (size_t i = 0; i < both; i++)
        compare_tdx(d, &from->tdx[i], &to->tdx[i]);
    for (size_t i = both; i < from->tdx_count; i++)
        add_whole(d, false, MANIFEST_REFERENCE_VALUE,
                  tdx_name(d, &from->tdx[i]),
                  hex_text(d, span_of(from->tdx[i].mr_td, 48)));
    for (size_t i = both; i < to->tdx_count; i++)
        add_whole(d, true, MANIFEST_REFERENCE_VALUE, tdx_name(d, &to->tdx[i]),
                  hex_text(d, span_of(to->tdx[i].mr_td, 48)));
}

static bool
has_workload_owner(const struct manifest *m, const uint8_t digest[SHA256_SIZE])
{
    for (size_t i = 0; i < m->workload_owner_count; i++) {
        if (memcmp(m->workload_owners[i].digest, digest, SHA256_SIZE) == 0)
            return true;
    }
    return false;
}

static void
diff_workload_owners(struct manifest_diff *d, const struct manifest *here,
                     const struct manifest *there, bool added)
{
    for (size_t i = 0; i < here->workload_owner_count; i++) {
        const uint8_t *digest = here->workload_owners[i].digest;

        if (!has_workload_owner(there, digest))
            add_whole(d, added, MANIFEST_WORKLOAD_OWNER, "key digest",
                      hex_text(d, span_of(digest, SHA256_SIZE)));
    }
}

static bool
has_seedshare_owner(const struct manifest *m, struct span rsa_der)
{
    for (size_t i = 0; i < m->seedshare_owner_count; i++) {
        if (span_equal(m->seedshare_owners[i].rsa_der, rsa_der))
            return true;
    }
    return false;
}

static void
diff_seedshare_owners(struct manifest_diff *d, const struct manifest *here,
                      const struct manifest *there, bool added)
{
    for (size_t i = 0; i < here->seedshare_owner_count; i++) {
        struct span key = here->seedshare_owners[i].rsa_der;
        uint8_t digest[SHA256_SIZE];

        if (has_seedshare_owner(there, key))
            continue;
        if (digest_sha256(key, digest, NULL) != ASSAY_OK)
            d->nomem = true;
        else
            add_whole(d, added, MANIFEST_SEEDSHARE_OWNER, "key digest",
                      hex_text(d, span_of(digest, SHA256_SIZE)));
    }
}

static void
diff_owners(struct manifest_diff *d, const struct manifest *from,
            const struct manifest *to)
{
    size_t before;

    diff_workload_owners(d, from, to, false);
    diff_workload_owners(d, to, from, true);
    before = d->count;
    diff_seedshare_owners(d, from, to, false);
    diff_seedshare_owners(d, to, from, true);
    if (d->count == before && !manifest_same_seedshare_owners(from, to))
        compare(d, MANIFEST_SEEDSHARE_OWNER, "list", "order", "before",
                "different: a coordinator refuses the update");
}

enum assay_status
manifest_diff(const struct manifest *from, const struct manifest *to,
              struct arena *arena, struct manifest_diff *out,
              struct assay_error *err)
{
    struct manifest_diff d = {
        .same_bytes = span_equal(from->bytes, to->bytes),
        .arena = arena,
    };

    if (!d.same_bytes) {
        diff_policies(&d, from, to);
        diff_snp(&d, from, to);
        diff_tdx(&d, from, to);
        compare(&d, MANIFEST_REFERENCE_VALUE, "insecure platform", "accepted",
                yes_no(from->insecure), yes_no(to->insecure));
        diff_owners(&d, from, to);
        compare(&d, MANIFEST_OTHER, "MinimumAPIVersion", "",
                from->minimum_api_version, to->minimum_api_version);
    }
    if (d.nomem)
        return assay_nomem(err, "manifest diff");
    *out = d;
    return ASSAY_OK;
}

const char *
manifest_change_kind_name(enum manifest_change_kind kind)
{
    static const char *const names[] = {
        [MANIFEST_ADDED] = "added",
        [MANIFEST_REMOVED] = "removed",
        [MANIFEST_CHANGED] = "changed",
    };

    return names[kind];
}

static const char *const subjects[][2] = {
    [MANIFEST_POLICY] = { "policy", "policies" },
    [MANIFEST_REFERENCE_VALUE] = { "reference value", "reference values" },
    [MANIFEST_WORKLOAD_OWNER] = { "workload owner", "workload owners" },
    [MANIFEST_SEEDSHARE_OWNER] = { "seedshare owner", "seedshare owners" },
    [MANIFEST_OTHER] = { "setting", "settings" },
};

const char *
manifest_subject_name(enum manifest_subject subject)
{
    return subjects[subject][0];
}

/* Several fields of one thing are one change: they come in a row. */
static size_t
count_things(const struct manifest_diff *d, enum manifest_subject subject,
             enum manifest_change_kind kind)
{
    const char *last = NULL;
    size_t n = 0;

    for (size_t i = 0; i < d->count; i++) {
        const struct manifest_change *c = &d->list[i];

        if (c->subject != subject || c->kind != kind)
            continue;
        n += kind != MANIFEST_CHANGED || c->name != last;
        last = c->name;
    }
    return n;
}

void
manifest_diff_summary(const struct manifest_diff *d, struct buffer *out)
{
    const char *between = "";

    for (int s = 0; s < MANIFEST_SUBJECTS; s++) {
        for (int k = MANIFEST_ADDED; k <= MANIFEST_CHANGED; k++) {
            size_t n = count_things(d, (enum manifest_subject)s,
                                    (enum manifest_change_kind)k);

            if (n == 0)
                continue;
            buffer_addf(
                out, "%s%zu %s %s", between, n, subjects[s][n != 1],
                manifest_change_kind_name((enum manifest_change_kind)k));
            between = ", ";
        }
    }
    if (*between == '\0')
        buffer_add_str(out, "nothing");
}
