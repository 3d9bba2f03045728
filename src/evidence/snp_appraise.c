#include "evidence/snp_appraise.h"

#include <string.h>

#define ABI "AMD 56860 ATTESTATION_REPORT"

struct appraisal {
    const struct snp_verified *got;
    const struct snp_report *r; /* of got */
    const struct snp_reference *want;
    struct verdict *v;
};

static const char *
hex_u64(struct verdict *v, uint64_t value)
{
    return verdict_text(v, "0x%llx", (unsigned long long)value);
}

/* --- exact bytes --------------------------------------------------------- */

static void
check_bytes(struct appraisal *a, const char *name, const char *ref,
            const struct expect *e, const uint8_t *field, size_t len)
{
    expectation_check(a->v, name, ref, e, span_of(field, len));
}

/* --- lists --------------------------------------------------------------- */

static bool
listed(struct span list, const uint8_t *item, size_t size)
{
    for (size_t at = 0; at + size <= list.len; at += size) {
        if (memcmp(list.ptr + at, item, size) == 0)
            return true;
    }
    return false;
}

/* --- what was launched --------------------------------------------------- */

/* Writes which of the digests matched. */
static bool
check_measurement(struct appraisal *a, size_t *index)
{
    static const char name[] = "measurement";
    static const char ref[] = ABI ", MEASUREMENT";
    struct snp_launch *l = a->want->launch;
    const char *got, *want;

    if (!l && a->want->any_measurement) {
        verdict_waive(a->v, name, ref, "no value is expected");
        return false;
    }
    got = verdict_hex(a->v, span_of(a->r->measurement, SNP_DIGEST_SIZE));
    if (!l) {
        verdict_fail(a->v, name, ref, "a stated expectation", got,
                     "nobody said what may have been launched");
        return false;
    }
    want = verdict_hex(a->v, span_of(snp_launch_digest(l, 0), SNP_DIGEST_SIZE));
    if (snp_launch_find(l, a->r->measurement, index)) {
        if (snp_launch_iterated(l))
            got = verdict_text(a->v, "%s (%zu vCPU%s)", got, *index + 1,
                               *index ? "s" : "");
        verdict_pass(a->v, name, ref,
                     verdict_hex(a->v, span_of(snp_launch_digest(l, *index),
                                               SNP_DIGEST_SIZE)),
                     got);
        return true;
    }
    if (snp_launch_iterated(l))
        want = verdict_text(a->v, "%s for 1 vCPU, or its continuation to %d",
                            want, SNP_VCPUS_MAX);
    else if (snp_launch_count(l) > 1)
        want = verdict_text(a->v, "%s or one of %zu others", want,
                            snp_launch_count(l) - 1);
    verdict_fail(a->v, name, ref, want, got,
                 "firmware, kernel or configuration differ from the reference");
    return false;
}

/* The key is not secret: it commits to launch digest, SVN and policy, which
 * are compared by recomputing it (contrast-interop section 7.4). */
static enum assay_status
check_id_block(struct appraisal *a, bool launched, size_t index,
               struct assay_error *err)
{
    static const char name[] = "id_block";
    static const char ref[] = ABI ", ID_KEY_DIGEST; AMD 56860 ID block";
    uint8_t want[SNP_DIGEST_SIZE];
    const char *got;
    enum assay_status st;

    if (!a->want->require_id_block) {
        verdict_waive(a->v, name, ref, "no ID block is required");
        return ASSAY_OK;
    }
    got = verdict_hex(a->v, span_of(a->r->id_key_digest, SNP_DIGEST_SIZE));
    if (!launched) {
        verdict_fail(a->v, name, ref,
                     "the key for a launch digest that is expected", got,
                     "the launch digest does not match, so no ID key can");
        return ASSAY_OK;
    }
    st = snp_launch_id_key_digest(a->want->launch, index, a->want->guest_policy,
                                  want, err);
    if (st != ASSAY_OK)
        return st;
    if (memcmp(want, a->r->id_key_digest, SNP_DIGEST_SIZE) == 0)
        verdict_pass(a->v, name, ref,
                     verdict_hex(a->v, span_of(want, sizeof(want))), got);
    else
        verdict_fail(a->v, name, ref,
                     verdict_hex(a->v, span_of(want, sizeof(want))), got,
                     "the guest was not started with the ID block of this "
                     "reference value");
    return ASSAY_OK;
}

/* Trusted signers: the ID key itself, or the author key above it. The firmware
 * verified their signatures at launch. */
static void
check_id_keys(struct appraisal *a)
{
    static const char name[] = "id_key";
    static const char ref[] = ABI ", ID_KEY_DIGEST and AUTHOR_KEY_DIGEST";
    struct span ids = a->want->id_key_digests.items;
    struct span authors = a->want->author_key_digests.items;
    bool has_author = a->r->flags & SNP_FLAG_AUTHOR_KEY_EN;
    const char *got;

    if (ids.len == 0 && authors.len == 0) {
        verdict_waive(a->v, name, ref, "no list of trusted ID keys");
        return;
    }
    got = verdict_hex(a->v, span_of(a->r->id_key_digest, SNP_DIGEST_SIZE));
    if (listed(ids, a->r->id_key_digest, SNP_DIGEST_SIZE) ||
        (has_author &&
         listed(authors, a->r->author_key_digest, SNP_DIGEST_SIZE)))
        verdict_pass(a->v, name, ref, "a trusted ID or author key", got);
    else
        verdict_fail(a->v, name, ref, "a trusted ID or author key", got,
                     "neither the ID key nor its author is trusted");
}

/* --- guest policy -------------------------------------------------------- */

static void
check_forbidden_bit(struct appraisal *a, const char *name, uint64_t bit,
                    bool allowed, const char *reason)
{
    static const char ref[] = "AMD 56860 Guest Policy";
    bool set = a->r->policy & bit;
    const char *want = allowed ? "0 or 1" : "0";

    if (!set || allowed)
        verdict_pass(a->v, name, ref, want, set ? "1" : "0");
    else
        verdict_fail(a->v, name, ref, want, "1", reason);
}

static const struct {
    uint64_t bit;
    const char *name;
    bool allowing; /* one weakens the guest; else one strengthens it */
} policy_bits[] = {
    { SNP_POLICY_SMT, "SMT", true },
    { SNP_POLICY_MIGRATE_MA, "MIGRATE_MA", true },
    { SNP_POLICY_DEBUG, "DEBUG", true },
    { SNP_POLICY_CXL_ALLOW, "CXL_ALLOW", true },
    { SNP_POLICY_SINGLE_SOCKET, "SINGLE_SOCKET", false },
    { SNP_POLICY_MEM_AES_256_XTS, "MEM_AES_256_XTS", false },
    { SNP_POLICY_RAPL_DIS, "RAPL_DIS", false },
    { SNP_POLICY_CIPHERTEXT_HIDING, "CIPHERTEXT_HIDING", false },
    { SNP_POLICY_PAGE_SWAP_DISABLE, "PAGE_SWAP_DISABLE", false },
};

enum { POLICY_BITS = sizeof(policy_bits) / sizeof(policy_bits[0]) };

/* NULL when no bit of got is weaker than want's. */
static const char *
weaker_bit(uint64_t got, uint64_t want)
{
    for (size_t i = 0; i < POLICY_BITS; i++) {
        bool has = got & policy_bits[i].bit;
        bool asked = want & policy_bits[i].bit;

        if (policy_bits[i].allowing ? has && !asked : asked && !has)
            return policy_bits[i].name;
    }
    return NULL;
}

static uint64_t
abi_of(uint64_t policy)
{
    return policy & (SNP_POLICY_ABI_MAJOR | SNP_POLICY_ABI_MINOR);
}

static void
check_guest_policy(struct appraisal *a)
{
    static const char name[] = "guest_policy";
    static const char ref[] = "AMD 56860 Guest Policy";
    uint64_t got = a->r->policy, want = a->want->guest_policy;
    const char *got_text, *want_text, *bit;

    if (!a->want->check_guest_policy) {
        verdict_waive(a->v, name, ref, "no guest policy is expected");
        return;
    }
    got_text = hex_u64(a->v, got);
    want_text =
        verdict_text(a->v, "0x%llx or stricter", (unsigned long long)want);
    bit = weaker_bit(got, want);
    if (bit)
        verdict_fail(a->v, name, ref, want_text, got_text,
                     verdict_text(a->v, "%s is weaker than required", bit));
    else if (abi_of(got) < abi_of(want))
        verdict_fail(a->v, name, ref, want_text, got_text,
                     "the minimum ABI version is below the required one");
    else
        verdict_pass(a->v, name, ref, want_text, got_text);
}

static void
check_vmpl(struct appraisal *a)
{
    static const char name[] = "vmpl";
    static const char ref[] = ABI ", VMPL";
    const char *got = verdict_text(a->v, "%u", a->r->vmpl);
    const char *want = verdict_text(a->v, "%u", a->want->vmpl);

    if (a->want->any_vmpl && a->r->vmpl != 0)
        verdict_warn(a->v, name, ref, "0, as nothing else is stated", got,
                     "something more privileged than the reporter runs in the "
                     "guest, as under an SVSM or paravisor");
    else if (a->want->any_vmpl || a->r->vmpl == a->want->vmpl)
        verdict_pass(a->v, name, ref, want, got);
    else
        verdict_fail(a->v, name, ref, want, got,
                     "the report was made at another privilege level");
}

/* --- TCB and firmware ---------------------------------------------------- */

static void
check_tcb(struct appraisal *a, const char *name, uint64_t tcb,
          struct snp_tcb_parts minimum)
{
    static const char ref[] = "AMD 56860 TCB_VERSION";
    enum snp_product product = a->got->product;
    char want[SNP_TCB_TEXT], got[SNP_TCB_TEXT];
    const char *want_text, *got_text;

    if (!a->want->check_minimum_tcb) {
        verdict_waive(a->v, name, ref, "no minimum TCB is stated");
        return;
    }
    snp_tcb_format(product, snp_tcb_join(product, minimum), want);
    snp_tcb_format(product, tcb, got);
    want_text = verdict_text(a->v, "at least %s", want);
    got_text = verdict_text(a->v, "%s", got);
    if (snp_tcb_reaches(product, tcb, minimum))
        verdict_pass(a->v, name, ref, want_text, got_text);
    else
        verdict_fail(a->v, name, ref, want_text, got_text,
                     "a component is older than required");
}

/* (major, minor, build) in this order: the build alone is not ordered. */
static bool
firmware_reaches(struct snp_firmware_version got,
                 struct snp_firmware_version want)
{
    if (got.major != want.major)
        return got.major > want.major;
    if (got.minor != want.minor)
        return got.minor > want.minor;
    return got.build >= want.build;
}

static void
check_firmware(struct appraisal *a)
{
    static const char name[] = "minimum_firmware";
    static const char ref[] = ABI ", CURRENT and COMMITTED versions";
    struct snp_firmware_version min = a->want->minimum_firmware;
    struct snp_firmware_version got =
        a->want->refuse_provisional ? a->r->committed : a->r->current;
    const char *want_text, *got_text;

    if (!a->want->check_minimum_firmware) {
        verdict_waive(a->v, name, ref, "no minimum firmware is stated");
        return;
    }
    want_text = verdict_text(a->v, "at least %u.%u.%u", min.major, min.minor,
                             min.build);
    got_text = verdict_text(a->v, "%u.%u.%u", got.major, got.minor, got.build);
    if (firmware_reaches(got, min))
        verdict_pass(a->v, name, ref, want_text, got_text);
    else
        verdict_fail(a->v, name, ref, want_text, got_text,
                     "the firmware is older than required");
}

static void
check_provisional(struct appraisal *a)
{
    static const char name[] = "provisional_firmware";
    static const char ref[] = ABI ", CURRENT and COMMITTED";
    const struct snp_report *r = a->r;
    bool provisional =
        r->current_tcb != r->committed_tcb ||
        memcmp(&r->current, &r->committed, sizeof(r->current)) != 0;
    const char *got =
        provisional ? "current differs from committed" : "current is committed";

    if (provisional && a->want->refuse_provisional)
        verdict_fail(a->v, name, ref, "current is committed", got,
                     "the host can still go back to an older firmware");
    else
        verdict_pass(a->v, name, ref,
                     a->want->refuse_provisional ? "current is committed"
                                                 : "either",
                     got);
}

static void
check_mitigations(struct appraisal *a)
{
    static const char name[] = "mitigations";
    static const char ref[] = ABI ", LAUNCH_MIT_VECTOR and CURRENT_MIT_VECTOR";
    const struct snp_report *r = a->r;
    uint64_t want = a->want->mitigations;
    uint64_t missing = want & ~(r->launch_mit_vector & r->current_mit_vector);
    const char *want_text, *got_text;

    if (want == 0) {
        verdict_waive(a->v, name, ref, "no mitigation is required");
        return;
    }
    want_text =
        verdict_text(a->v, "bits 0x%llx in both", (unsigned long long)want);
    got_text = verdict_text(a->v, "launch 0x%llx, current 0x%llx",
                            (unsigned long long)r->launch_mit_vector,
                            (unsigned long long)r->current_mit_vector);
    if (r->version < 5)
        verdict_fail(a->v, name, ref, want_text,
                     verdict_text(a->v, "report version %u", r->version),
                     "only reports from version 5 on say what is mitigated");
    else if (missing != 0)
        verdict_fail(a->v, name, ref, want_text, got_text,
                     verdict_text(a->v, "bits 0x%llx are missing",
                                  (unsigned long long)missing));
    else
        verdict_pass(a->v, name, ref, want_text, got_text);
}

static void
check_platform_info(struct appraisal *a)
{
    static const char name[] = "platform_info";
    static const char ref[] = ABI ", PLATFORM_INFO";
    uint64_t got = a->r->platform_info;
    uint64_t missing = a->want->platform_required & ~got;
    uint64_t extra = a->want->platform_forbidden & got;
    const char *want_text;

    if (!a->want->check_platform_info) {
        verdict_waive(a->v, name, ref, "no platform state is expected");
        return;
    }
    want_text = verdict_text(a->v, "bits 0x%llx one, bits 0x%llx zero",
                             (unsigned long long)a->want->platform_required,
                             (unsigned long long)a->want->platform_forbidden);
    if (missing != 0)
        verdict_fail(a->v, name, ref, want_text, hex_u64(a->v, got),
                     verdict_text(a->v, "bits 0x%llx are not set",
                                  (unsigned long long)missing));
    else if (extra != 0)
        verdict_fail(a->v, name, ref, want_text, hex_u64(a->v, got),
                     verdict_text(a->v, "bits 0x%llx are set",
                                  (unsigned long long)extra));
    else
        verdict_pass(a->v, name, ref, want_text, hex_u64(a->v, got));
}

/* --- machine ------------------------------------------------------------- */

static void
check_product(struct appraisal *a)
{
    static const char name[] = "expected_product";
    static const char ref[] = "AMD 57230 product names";
    const char *got = snp_product_name(a->got->product);
    const char *want = snp_product_name(a->want->product);

    if (a->want->product == SNP_PRODUCT_UNKNOWN)
        verdict_waive(a->v, name, ref, "any product will do");
    else if (a->want->product == a->got->product)
        verdict_pass(a->v, name, ref, want, got);
    else
        verdict_fail(a->v, name, ref, want, got,
                     "the reference value is for another product");
}

static void
check_version(struct appraisal *a)
{
    static const char name[] = "minimum_report_version";
    static const char ref[] = ABI ", VERSION";
    const char *want, *got;

    if (a->want->min_report_version == 0) {
        verdict_waive(a->v, name, ref, "any supported version will do");
        return;
    }
    want = verdict_text(a->v, "at least %u", a->want->min_report_version);
    got = verdict_text(a->v, "%u", a->r->version);
    if (a->r->version >= a->want->min_report_version)
        verdict_pass(a->v, name, ref, want, got);
    else
        verdict_fail(a->v, name, ref, want, got,
                     "the firmware writes an older report than required");
}

/* A VLEK is every chip's of its provider: whoever has it writes the chip id
 * he likes. Only a VCEK, whose hwID agrees, confirms one. */
static bool
chip_listed(const struct appraisal *a)
{
    return a->got->signer == SNP_SIGNER_VCEK &&
           listed(a->want->chip_ids.items, a->r->chip_id,
                  sizeof(a->r->chip_id)) &&
           !span_is_zero(span_of(a->r->chip_id, sizeof(a->r->chip_id)));
}

static void
check_chip_ids(struct appraisal *a)
{
    static const char name[] = "chip_id";
    static const char ref[] = ABI ", CHIP_ID";
    const char *got;

    if (a->want->chip_ids.items.len == 0) {
        verdict_waive(a->v, name, ref, "no list of allowed chips");
        return;
    }
    got = verdict_hex(a->v, span_of(a->r->chip_id, sizeof(a->r->chip_id)));
    if (chip_listed(a))
        verdict_pass(a->v, name, ref, "an allowed chip", got);
    else if (a->got->signer != SNP_SIGNER_VCEK)
        verdict_fail(a->v, name, ref, "an allowed chip",
                     verdict_text(a->v, "%s, signed by a VLEK", got),
                     "a VLEK does not confirm which chip it is");
    else
        verdict_fail(a->v, name, ref, "an allowed chip", got,
                     "this machine is not on the list");
}

static void
check_csp_id(struct appraisal *a)
{
    static const char name[] = "csp_id";
    static const char ref[] = "AMD 57230 CSP_ID";
    const char *got = a->got->csp_id ? a->got->csp_id : "none (VCEK)";

    if (a->want->csp_id.len == 0)
        verdict_waive(a->v, name, ref, "no cloud provider is expected");
    else if (a->got->csp_id && span_equal_str(a->want->csp_id, a->got->csp_id))
        verdict_pass(a->v, name, ref, got, got);
    else
        verdict_fail(a->v, name, ref,
                     verdict_text(a->v, "%.*s", (int)a->want->csp_id.len,
                                  (const char *)a->want->csp_id.ptr),
                     got, "the key belongs to another provider");
}

/* Whoever holds the seed of one Milan chip can sign as that chip, so only a
 * list of chips one believes in keeps strangers' chips out. */
static void
check_milan_root_seed(struct appraisal *a)
{
    static const char name[] = "milan_root_seed";
    static const char ref[] = "arXiv 2605.12990";
    static const char want[] = "a chip id that is allow-listed";

    if (a->got->product != SNP_PRODUCT_MILAN)
        verdict_waive(a->v, name, ref, "concerns Milan only");
    else if (chip_listed(a))
        verdict_pass(a->v, name, ref, want,
                     "listed: strangers' chips stay out; a dishonest operator "
                     "of this chip does not");
    else if (a->want->allow_milan_without_chip_ids)
        verdict_pass(a->v, name, ref, "any chip: the risk is accepted",
                     "not listed");
    else
        verdict_warn(a->v, name, ref, want, "not listed",
                     "the root endorsement seed of an EPYC Milan can be "
                     "extracted in software by whoever controls its host, who "
                     "can then sign any report; a list of allowed chip ids "
                     "keeps strangers' chips out, but not a dishonest "
                     "operator of a listed chip");
}

/* ------------------------------------------------------------------------- */

static void
check_guest(struct appraisal *a)
{
    const struct snp_report *r = a->r;

    check_bytes(a, "report_data", ABI ", REPORT_DATA", &a->want->report_data,
                r->report_data, sizeof(r->report_data));
    check_bytes(a, "host_data", ABI ", HOST_DATA", &a->want->host_data,
                r->host_data, sizeof(r->host_data));
    check_forbidden_bit(a, "debug", SNP_POLICY_DEBUG, a->want->allow_debug,
                        "the host can read and change the guest's memory");
    check_forbidden_bit(a, "migrate_ma", SNP_POLICY_MIGRATE_MA,
                        a->want->allow_migrate_ma,
                        "a migration agent may move the guest elsewhere");
    check_guest_policy(a);
    check_vmpl(a);
}

static void
check_machine(struct appraisal *a)
{
    const struct snp_report *r = a->r;

    check_product(a);
    check_version(a);
    check_tcb(a, "minimum_tcb_reported", r->reported_tcb, a->want->minimum_tcb);
    check_tcb(a, "minimum_tcb_committed", r->committed_tcb,
              a->want->minimum_tcb);
    check_tcb(a, "minimum_tcb_launch", r->launch_tcb,
              a->want->minimum_launch_tcb);
    check_firmware(a);
    check_provisional(a);
    check_mitigations(a);
    check_platform_info(a);
    check_chip_ids(a);
    check_csp_id(a);
    check_milan_root_seed(a);
}

enum assay_status
snp_appraise(const struct snp_verified *verified,
             const struct snp_reference *reference, struct verdict *v,
             struct assay_error *err)
{
    struct appraisal a = { verified, &verified->report, reference, v };
    size_t index = 0;
    enum assay_status st;
    bool launched;

    if (!verified->decoded) {
        verdict_lack(v, "measurement", ABI ", MEASUREMENT",
                     "the report could not be read");
        return v->nomem ? assay_nomem(err, "verdict") : ASSAY_OK;
    }
    launched = check_measurement(&a, &index);
    check_guest(&a);
    st = check_id_block(&a, launched, index, err);
    if (st != ASSAY_OK)
        return st;
    check_id_keys(&a);
    check_machine(&a);
    return v->nomem ? assay_nomem(err, "verdict") : ASSAY_OK;
}
