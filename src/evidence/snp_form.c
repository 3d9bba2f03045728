#include "evidence/snp_form.h"

#include <stdio.h>

#include "base/reader.h"

#define ABI "AMD 56860 ATTESTATION_REPORT"

/* A rule returns true when it holds; else it describes got and want. */
struct finding {
    char expected[64];
    char actual[64];
};

struct rule {
    const char *name;
    const char *ref;
    const char *reason; /* why the rule exists, or what breaking it means */
    enum assay_status status;
    bool (*holds)(const struct snp_report *r, struct finding *f);
};

/* Each sets both texts, whether or not the rule holds. */
#define FINDING(f, want, ...)                                                  \
    (snprintf((f)->expected, sizeof((f)->expected), "%s", want),               \
     snprintf((f)->actual, sizeof((f)->actual), __VA_ARGS__))

static bool
version_holds(const struct snp_report *r, struct finding *f)
{
    FINDING(f, "2 to 5", "%u", r->version);
    return r->version >= SNP_VERSION_MIN && r->version <= SNP_VERSION_MAX;
}

static bool
algo_holds(const struct snp_report *r, struct finding *f)
{
    FINDING(f, "1 (ECDSA P-384 with SHA-384)", "%u", r->signature_algo);
    return r->signature_algo == SNP_ALGO_ECDSA_P384_SHA384;
}

static bool
policy_holds(const struct snp_report *r, struct finding *f)
{
    FINDING(f, "bit 17 one, bits 63:26 zero", "0x%llx",
            (unsigned long long)r->policy);
    return (r->policy & SNP_POLICY_RESERVED_ONE) != 0 &&
           (r->policy & ~SNP_POLICY_KNOWN) == 0;
}

static bool
flags_holds(const struct snp_report *r, struct finding *f)
{
    FINDING(f, "bits 31:5 zero", "0x%x", r->flags);
    return r->flags >> 5 == 0;
}

static bool
signer_holds(const struct snp_report *r, struct finding *f)
{
    enum snp_signing_key key = snp_report_signing_key(r);

    FINDING(f, "0 (VCEK) or 1 (VLEK), not masked", "%d%s%s", (int)key,
            key == SNP_SIGNER_NONE ? " (none)" : "",
            r->flags & SNP_FLAG_MASK_CHIP_KEY ? ", MASK_CHIP_KEY set" : "");
    return (key == SNP_SIGNER_VCEK || key == SNP_SIGNER_VLEK) &&
           (r->flags & SNP_FLAG_MASK_CHIP_KEY) == 0;
}

static bool
vmpl_holds(const struct snp_report *r, struct finding *f)
{
    FINDING(f, "0 to 3", "%u%s", r->vmpl,
            r->vmpl == SNP_VMPL_HOST ? " (asked for by the host)" : "");
    return r->vmpl <= SNP_VMPL_MAX;
}

/* Offset after which the reserved range that ends at 01A0 begins: CPUID
 * bytes have a meaning from version 3 on. */
static size_t
cpuid_end(uint32_t version)
{
    return version >= 3 ? 0x18b : 0x188;
}

/* Where the range before the signature begins: mitigation vectors exist from
 * version 5 on; version 4 has bytes there that AMD has not published. */
static size_t
vectors_end(uint32_t version)
{
    return version >= 4 ? 0x208 : 0x1f8;
}

static bool
reserved_holds(const struct snp_report *r, struct finding *f)
{
    struct reader rd = reader_over(r->raw);

    rd_skip_to(&rd, 0x04c);
    rd_zeros_to(&rd, 0x050);
    rd_skip_to(&rd, cpuid_end(r->version));
    rd_zeros_to(&rd, 0x1a0);
    rd_skip_to(&rd, 0x1eb);
    rd_zeros_to(&rd, 0x1ec);
    rd_skip_to(&rd, 0x1ef);
    rd_zeros_to(&rd, 0x1f0);
    rd_skip_to(&rd, vectors_end(r->version));
    rd_zeros_to(&rd, 0x2a0);
    if (rd_ok(&rd))
        FINDING(f, "zero", "zero");
    else
        FINDING(f, "zero", "byte 0x%03zx is not zero", rd.offset);
    return rd_ok(&rd);
}

/* r and s have 48 significant bytes of 72; what follows s is outside the
 * signed range, so only this rule keeps it from being changed. */
static bool
signature_holds(const struct snp_report *r, struct finding *f)
{
    struct reader rd = reader_over(r->raw);

    rd_skip_to(&rd, 0x2d0);
    rd_zeros_to(&rd, 0x2e8);
    rd_skip_to(&rd, 0x318);
    rd_zeros_to(&rd, SNP_REPORT_SIZE);
    if (rd_ok(&rd))
        FINDING(f, "zero", "zero");
    else
        FINDING(f, "zero", "byte 0x%03zx is not zero", rd.offset);
    return rd_ok(&rd);
}

static const struct rule rules[] = {
    { "report_version", ABI ", VERSION",
      "other versions may give the fields another meaning",
      ASSAY_ERR_UNSUPPORTED, version_holds },
    { "signature_algo", ABI ", SIGNATURE_ALGO", "no other algorithm is defined",
      ASSAY_ERR_UNSUPPORTED, algo_holds },
    { "policy_reserved", "AMD 56860 Guest Policy",
      "a reserved bit of POLICY has the wrong value", ASSAY_ERR_MALFORMED,
      policy_holds },
    { "flags_reserved", ABI ", offset 048", "a reserved bit is set",
      ASSAY_ERR_MALFORMED, flags_holds },
    { "signing_key", ABI ", SIGNING_KEY",
      "the firmware did not sign this report with a key we can check",
      ASSAY_ERR_MALFORMED, signer_holds },
    { "vmpl_range", ABI ", VMPL",
      "a report that the host asked for carries data the guest did not choose",
      ASSAY_ERR_MALFORMED, vmpl_holds },
    { "reserved_bytes", ABI, "a reserved byte is set", ASSAY_ERR_MALFORMED,
      reserved_holds },
    { "signature_padding", "AMD 56860 ECDSA P-384 signature",
      "bytes around r and s must be zero; they are not signed",
      ASSAY_ERR_MALFORMED, signature_holds },
};

enum { RULES = sizeof(rules) / sizeof(rules[0]) };

enum assay_status
snp_form_verify(const struct snp_report *r, struct assay_error *err)
{
    for (size_t i = 0; i < RULES; i++) {
        struct finding f;

        if (!rules[i].holds(r, &f))
            return assay_fail(err, rules[i].status,
                              "snp report: %s: got %s, want %s", rules[i].name,
                              f.actual, f.expected);
    }
    return ASSAY_OK;
}

bool
snp_form_check(const struct snp_report *r, struct verdict *v)
{
    bool all = true;

    for (size_t i = 0; i < RULES; i++) {
        struct finding f;
        bool holds = rules[i].holds(r, &f);

        all = all && holds;
        verdict_add(v, (struct check){
                           .name = rules[i].name,
                           .ref = rules[i].ref,
                           .outcome = holds ? CHECK_PASS : CHECK_FAIL,
                           .expected = verdict_text(v, "%s", f.expected),
                           .actual = verdict_text(v, "%s", f.actual),
                           .reason = holds ? "" : rules[i].reason,
                       });
    }
    return all;
}
