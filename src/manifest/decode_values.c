#include "manifest/fields.h"

#include <string.h>
#include <strings.h>

#include "evidence/snp_report.h"
#include "manifest/flags.h"

enum { CHIP_ID_SIZE = 64, SPL_MAX = 255 };

static const char *const values_keys[] = { "snp", "tdx", "insecure",
                                           "TrustedMeasurement", NULL };
static const char *const snp_keys[] = { "Platform",
                                        "ProductName",
                                        "TrustedMeasurement",
                                        "APEIP",
                                        "MinimumTCB",
                                        "GuestPolicy",
                                        "PlatformInfo",
                                        "MinimumMitigationVector",
                                        "AllowedChipIDs",
                                        "AllowMilanWithoutChipIDs",
                                        "CPUs",
                                        NULL };
static const char *const tcb_keys[] = { "BootloaderVersion", "TEEVersion",
                                        "SNPVersion",        "MicrocodeVersion",
                                        "FMCVersion",        NULL };
static const char *const insecure_keys[] = { "Platform",
                                             "AcceptWithoutHardware", NULL };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
decode_product(const struct place *p, struct manifest_snp *v)
{
    static const enum snp_product known[] = { SNP_PRODUCT_MILAN,
                                              SNP_PRODUCT_GENOA,
                                              SNP_PRODUCT_TURIN };
    struct span name = { 0 };

    if (!place_present(p)) {
        note(p, MANIFEST_ERROR, "missing, want Milan, Genoa or Turin");
        return;
    }
    if (!read_text(p, &name))
        return;
    for (size_t i = 0; i < COUNT(known); i++) {
        if (span_equal_str(name, snp_product_name(known[i])))
            v->product = known[i];
    }
    if (v->product == SNP_PRODUCT_UNKNOWN)
        note(p, MANIFEST_ERROR, "got \"%.40s\", want Milan, Genoa or Turin",
             (const char *)name.ptr);
}

/* One component, null until its user fills it in. */
static bool
decode_spl(const struct place *tcb, const char *key, uint8_t *out)
{
    struct place p = place_member(tcb, key);
    uint64_t n = 0;

    if (!place_present(&p)) {
        note(&p, MANIFEST_MISSING, "missing: fill in 0 to %d", SPL_MAX);
        return false;
    }
    if (!read_u64(&p, SPL_MAX, &n))
        return false;
    *out = (uint8_t)n;
    return true;
}

static void
decode_tcb(const struct place *p, struct manifest_snp *v)
{
    struct place fmc = place_member(p, "FMCVersion");
    struct snp_tcb_parts t = { 0 };
    bool all = true;

    if (place_present(p) && !read_object(p))
        return;
    if (place_present(p))
        note_unknown(p, tcb_keys);
    all &= decode_spl(p, "BootloaderVersion", &t.bl);
    all &= decode_spl(p, "TEEVersion", &t.tee);
    all &= decode_spl(p, "SNPVersion", &t.snp);
    all &= decode_spl(p, "MicrocodeVersion", &t.ucode);
    if (v->product == SNP_PRODUCT_TURIN)
        all &= decode_spl(p, "FMCVersion", &t.fmc);
    else if (place_present(&fmc))
        note(&fmc, MANIFEST_ERROR, "only Turin has this component");
    v->has_minimum_tcb = all;
    v->minimum_tcb = t;
}

static void
decode_ap_eip(const struct place *p, struct manifest_snp *v)
{
    uint8_t raw[4];

    if (!place_present(p) || json_is_string(p->value, "") ||
        !read_hex(p, raw, sizeof(raw)))
        return;
    v->has_ap_eip = true;
    v->ap_eip = (uint32_t)raw[0] << 24 | (uint32_t)raw[1] << 16 |
                (uint32_t)raw[2] << 8 | raw[3];
    if (v->product == SNP_PRODUCT_TURIN)
        note(p, MANIFEST_ERROR,
             "launch digests of Turin are not iterated: "
             "give the exact one and leave this empty");
}

static void
decode_abi(const struct place *policy, const struct manifest_snp *v,
           uint64_t *word)
{
    struct place major = place_member(policy, "ABIMajor");
    struct place minor = place_member(policy, "ABIMinor");
    /* Azure's guests are launched with 0.31. */
    bool aks = strncasecmp(v->platform, "AKS-", 4) == 0;
    uint64_t n = 0;

    if (read_u64(&major, UINT8_MAX, &n) && n != 0)
        note(&major, MANIFEST_ERROR, "got %u, modifying is not permitted",
             (unsigned)n);
    n = 0;
    if (read_u64(&minor, UINT8_MAX, &n) && n != 0 && !(aks && n == 31))
        note(&minor, MANIFEST_ERROR, "got %u, modifying is not permitted",
             (unsigned)n);
    *word |= n;
}

static bool
is_abi_or_flag(struct span key)
{
    if (json_key_equal_fold(key, span_str("ABIMajor")) ||
        json_key_equal_fold(key, span_str("ABIMinor")))
        return true;
    for (size_t i = 0; i < POLICY_FLAGS; i++) {
        if (json_key_equal_fold(key, span_str(policy_flags[i].name)))
            return true;
    }
    return false;
}

static void
refuse_unknown_policy(const struct place *p)
{
    const struct json *policy = p->value;

    for (size_t i = 0; policy && i < policy->count; i++) {
        const struct json_member *member = &policy->members[i];
        struct place at = { p, (const char *)member->key.ptr, 0, &member->value,
                            p->m };

        if (!is_abi_or_flag(member->key))
            note(&at, MANIFEST_WARNING, "unknown key, it has no effect");
    }
}

static void
decode_guest_policy(const struct place *p, struct manifest_snp *v)
{
    /* Absent in the oldest manifests: then it is the permitted one. */
    v->guest_policy = SNP_POLICY_RESERVED_ONE | SNP_POLICY_SMT;
    if (!read_object(p))
        return;
    refuse_unknown_policy(p);
    v->guest_policy = SNP_POLICY_RESERVED_ONE;
    decode_abi(p, v, &v->guest_policy);
    for (size_t i = 0; i < POLICY_FLAGS; i++) {
        const struct policy_flag *f = &policy_flags[i];
        struct place at = place_member(p, f->name);
        bool set = false;

        if (place_present(&at) && !read_bool(&at, &set))
            continue;
        if (set != f->want)
            note(&at, MANIFEST_ERROR,
                 "got %s, want %s: modifying is not permitted",
                 set ? "true" : "false", f->want ? "true" : "false");
        if (set)
            v->guest_policy |= f->bit;
    }
}

static void
decode_platform_info(const struct place *p, struct manifest_snp *v)
{
    const char *known[PLATFORM_FLAGS + 1] = { NULL };

    if (!read_object(p))
        return;
    v->has_platform_info = true;
    for (size_t i = 0; i < PLATFORM_FLAGS; i++) {
        const struct platform_flag *f = &platform_flags[i];
        struct place at = place_member(p, f->name);
        bool set = false;

        known[i] = f->name;
        (void)read_bool(&at, &set);
        if (f->allowing && !set)
            v->platform_forbidden |= f->bit;
        else if (!f->allowing && set)
            v->platform_required |= f->bit;
    }
    note_unknown(p, known);
}

/* A masked chip reports zeros, so listing them would let all of them in. */
static void
refuse_zero_chips(const struct place *p, struct span ids)
{
    for (size_t at = 0; at < ids.len; at += CHIP_ID_SIZE) {
        if (span_is_zero(span_sub(ids, at, CHIP_ID_SIZE)))
            note(p, MANIFEST_ERROR,
                 "an all-zero chip ID would match every masked chip");
    }
}

static void
decode_snp(const struct place *p, struct manifest_snp *v)
{
    struct place platform = place_member(p, "Platform");
    struct place measurement = place_member(p, "TrustedMeasurement");
    struct place ap_eip = place_member(p, "APEIP");
    struct place tcb = place_member(p, "MinimumTCB");
    struct place policy = place_member(p, "GuestPolicy");
    struct place info = place_member(p, "PlatformInfo");
    struct place mitigations = place_member(p, "MinimumMitigationVector");
    struct place chips = place_member(p, "AllowedChipIDs");
    struct place milan = place_member(p, "AllowMilanWithoutChipIDs");
    struct place cpus = place_member(p, "CPUs");

    note_unknown(p, snp_keys);
    v->offset = p->value->offset;
    v->platform = read_text_or_empty(&platform);
    v->has_measurement = need_hex(&measurement, MANIFEST_ERROR, v->measurement,
                                  sizeof(v->measurement));
    decode_ap_eip(&ap_eip, v);
    decode_tcb(&tcb, v);
    decode_guest_policy(&policy, v);
    decode_platform_info(&info, v);
    (void)read_u64(&mitigations, UINT64_MAX, &v->mitigations);
    read_hex_list(&chips, LIMIT_CHIP_IDS, CHIP_ID_SIZE, &v->chip_ids);
    refuse_zero_chips(&chips, v->chip_ids);
    (void)read_bool(&milan, &v->allow_milan_without_chip_ids);
    (void)read_u64(&cpus, UINT64_MAX, &v->cpus);
}

static void
decode_snp_element(const struct place *p)
{
    struct manifest_snp *v = &p->m->snp[p->m->snp_count];
    struct place product = place_member(p, "ProductName");

    if (!read_object(p))
        return;
    decode_product(&product, v);
    decode_snp(p, v);
    p->m->snp_count++;
}

/* "snp" is one object with the minimum TCB, and the measurement stands beside
 * it: the oldest form. */
static void
decode_snp_single(const struct place *p, const struct place *values)
{
    struct manifest_snp *v = p->m->snp;
    struct place product = place_member(p, "ProductName");
    struct place inner = place_member(p, "TrustedMeasurement");
    struct place outer = place_member(values, "TrustedMeasurement");
    struct place tcb = place_member(p, "MinimumTCB");
    struct place none = { .up = p, .name = "GuestPolicy", .m = p->m };

    p->m->generation = MANIFEST_OLDER;
    if (place_present(&inner)) {
        decode_snp_element(p);
        return;
    }
    if (place_present(&product))
        decode_product(&product, v);
    v->offset = p->value->offset;
    v->platform = "";
    v->has_measurement = need_hex(&outer, MANIFEST_ERROR, v->measurement,
                                  sizeof(v->measurement));
    decode_tcb(&tcb, v);
    decode_guest_policy(&none, v);
    p->m->snp_count++;
}

static void
decode_insecure(const struct place *p)
{
    struct place list = *p;
    size_t count = 0;

    if (!read_array(&list, 1, &count) || count == 0)
        return;
    struct place at = place_element(&list, 0);
    struct place accept = place_member(&at, "AcceptWithoutHardware");
    bool accepted = false;

    if (!read_object(&at))
        return;
    note_unknown(&at, insecure_keys);
    p->m->insecure = true;
    if (!read_bool(&accept, &accepted) || !accepted)
        note(&accept, MANIFEST_ERROR,
             "must be true: whoever runs the machine can pretend anything");
}

static void
decode_snp_values(const struct place *p, const struct place *values)
{
    struct manifest *m = p->m;
    size_t count;

    if (!read_list_size(p, &count))
        return;
    m->snp = arena_array(m->arena, count + 1, sizeof(*m->snp));
    if (!m->snp) {
        m->findings.nomem = true;
        return;
    }
    if (p->value->type == JSON_OBJECT) {
        decode_snp_single(p, values);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct place at = place_element(p, i);

        decode_snp_element(&at);
    }
}

void
decode_reference_values(const struct place *p)
{
    struct place snp = place_member(p, "snp");
    struct place tdx = place_member(p, "tdx");
    struct place insecure = place_member(p, "insecure");
    struct place outer = place_member(p, "TrustedMeasurement");

    if (!read_object(p))
        return;
    note_unknown(p, values_keys);
    if (place_present(&outer) &&
        !(place_present(&snp) && snp.value->type == JSON_OBJECT))
        note(&outer, MANIFEST_WARNING,
             "only the single form of the oldest manifests has it here");
    decode_snp_values(&snp, p);
    decode_tdx_values(&tdx);
    decode_insecure(&insecure);
}
