#include "evidence/snp_bind.h"

#include <string.h>

#include "crypto/digest.h"
#include "evidence/snp_tcb.h"

#define ABI "AMD 56860 ATTESTATION_REPORT"

/* --- binding ------------------------------------------------------------- */

/* r or s: 48 significant bytes of 72, little-endian. */
static void
big_endian(const uint8_t *little, uint8_t out[48])
{
    for (size_t i = 0; i < 48; i++)
        out[i] = little[47 - i];
}

static enum assay_status
check_signature(const struct snp_report *r, const struct cert *leaf,
                struct verdict *v, struct assay_error *err)
{
    static const char name[] = "report_signature";
    static const char ref[] = ABI ", SIGNATURE";
    static const char want[] = "ECDSA P-384 by the leaf over bytes 000 to 29f";
    struct assay_error why = { 0 };
    uint8_t digest[SHA384_SIZE], sig_r[48], sig_s[48];
    enum assay_status st;

    /* The bytes as they came: a report built anew from its fields would lose
     * what we do not know of. */
    st =
        digest_sha384(span_sub(r->raw, 0, SNP_REPORT_SIGNED_SIZE), digest, err);
    if (st != ASSAY_OK)
        return st;
    big_endian(r->signature, sig_r);
    big_endian(r->signature + SNP_SIGNATURE_PART, sig_s);
    st = key_verify_p384_raw(cert_key(leaf), digest, sig_r, sig_s, &why);
    if (st == ASSAY_ERR_NOMEM)
        return assay_nomem(err, "report signature");
    if (st == ASSAY_OK)
        verdict_pass(v, name, ref, want, "verified");
    else if (span_is_zero(span_of(r->signature, sizeof(r->signature))))
        verdict_fail(v, name, ref, want, "zero",
                     "the report is not signed at all");
    else
        verdict_fail(v, name, ref, want,
                     st == ASSAY_ERR_UNTRUSTED
                         ? "does not verify"
                         : verdict_text(v, "%s", why.text),
                     "the report was changed, or another key signed it");
    return ASSAY_OK;
}

static void
check_leaf_tcb(const struct snp_report *r, const struct snp_leaf_facts *facts,
               struct verdict *v)
{
    static const char name[] = "leaf_tcb";
    static const char ref[] = ABI ", REPORTED_TCB; AMD 57230 SPL extensions";
    char want[SNP_TCB_TEXT], got[SNP_TCB_TEXT];
    const char *want_text, *got_text;

    snp_tcb_format(facts->product, r->reported_tcb, want);
    snp_tcb_format(facts->product, facts->tcb, got);
    want_text = verdict_text(v, "reported %s", want);
    got_text = verdict_text(v, "certificate %s", got);
    /* Whole words: reserved bytes must agree too. */
    if (r->reported_tcb == facts->tcb)
        verdict_pass(v, name, ref, want_text, got_text);
    else
        verdict_fail(v, name, ref, want_text, got_text,
                     "the certificate belongs to another TCB of the chip");
}

static void
check_vcek_chip(const struct snp_report *r, const struct snp_leaf_facts *facts,
                bool allow_masked, struct verdict *v)
{
    static const char name[] = "leaf_chip";
    static const char ref[] = ABI ", CHIP_ID; AMD 57230 hwID";
    struct span chip = span_of(r->chip_id, sizeof(r->chip_id));
    const char *want = verdict_hex(v, span_of(facts->hwid, facts->hwid_len));
    const char *got = verdict_hex(v, chip);

    if (span_is_zero(chip) && allow_masked)
        verdict_warn(v, name, ref, want, "masked",
                     "the machine does not say which chip it is");
    else if (span_is_zero(chip))
        verdict_fail(v, name, ref, want, "masked",
                     "the report does not say which chip it is from");
    /* facts->hwid is padded with zeros, as CHIP_ID is behind a short id. */
    else if (memcmp(facts->hwid, r->chip_id, sizeof(r->chip_id)) == 0)
        verdict_pass(v, name, ref, want, got);
    else
        verdict_fail(v, name, ref, want, got,
                     "the certificate belongs to another chip");
}

static void
check_vlek_chip(const struct snp_report *r, struct verdict *v)
{
    static const char name[] = "leaf_chip";
    static const char ref[] = ABI ", CHIP_ID; AMD 57230 VLEK";
    struct span chip = span_of(r->chip_id, sizeof(r->chip_id));

    if (span_is_zero(chip))
        verdict_pass(v, name, ref, "zero: a VLEK is not bound to a chip",
                     "zero");
    else
        verdict_warn(v, name, ref, "zero", verdict_hex(v, chip),
                     "a VLEK does not confirm the chip id");
}

enum assay_status
snp_bind_check(const struct snp_report *r, const struct snp_chain *chain,
               bool allow_masked_chip, struct verdict *v,
               struct assay_error *err)
{
    const struct cert *leaf = snp_chain_leaf(chain);
    const struct snp_leaf_facts *facts = snp_chain_facts(chain);
    enum assay_status st = ASSAY_OK;

    if (!leaf)
        verdict_lack(v, "report_signature", ABI ", SIGNATURE",
                     "there is no leaf certificate to check it with");
    else
        st = check_signature(r, leaf, v, err);
    if (st != ASSAY_OK)
        return st;
    if (!facts) {
        const char *why = "there is no leaf certificate whose extensions "
                          "could be read";

        verdict_lack(v, "leaf_tcb", ABI ", REPORTED_TCB", why);
        verdict_lack(v, "leaf_chip", ABI ", CHIP_ID", why);
        return ASSAY_OK;
    }
    check_leaf_tcb(r, facts, v);
    if (snp_chain_leaf_kind(chain) == SNP_CERT_VCEK)
        check_vcek_chip(r, facts, allow_masked_chip, v);
    else
        check_vlek_chip(r, v);
    return ASSAY_OK;
}

/* --- consistency --------------------------------------------------------- */

static void
check_order(enum snp_product product, const char *name, uint64_t low,
            uint64_t high, const char *reason, struct verdict *v)
{
    static const char ref[] = "AMD 56860 TCB_VERSION";
    char want[SNP_TCB_TEXT], got[SNP_TCB_TEXT];
    const char *want_text, *got_text;

    if (product == SNP_PRODUCT_UNKNOWN) {
        verdict_lack(v, name, ref,
                     "without a product the TCB has no known layout");
        return;
    }
    snp_tcb_format(product, high, want);
    snp_tcb_format(product, low, got);
    want_text = verdict_text(v, "at most %s", want);
    got_text = verdict_text(v, "%s", got);
    if (snp_tcb_le(product, low, high))
        verdict_pass(v, name, ref, want_text, got_text);
    else
        verdict_fail(v, name, ref, want_text, got_text, reason);
}

static uint32_t
version_number(struct snp_firmware_version f)
{
    return (uint32_t)f.major << 16 | (uint32_t)f.minor << 8 | f.build;
}

static void
check_firmware_order(const struct snp_report *r, struct verdict *v)
{
    static const char name[] = "firmware_order";
    static const char ref[] = ABI ", CURRENT and COMMITTED versions";
    const char *want =
        verdict_text(v, "committed at most %u.%u.%u", r->current.major,
                     r->current.minor, r->current.build);
    const char *got = verdict_text(v, "%u.%u.%u", r->committed.major,
                                   r->committed.minor, r->committed.build);

    if (version_number(r->committed) <= version_number(r->current))
        verdict_pass(v, name, ref, want, got);
    else
        verdict_fail(v, name, ref, want, got,
                     "a firmware older than the committed one is running");
}

static void
check_author_key(const struct snp_report *r, struct verdict *v)
{
    static const char name[] = "author_key";
    static const char ref[] = ABI ", AUTHOR_KEY_EN";
    bool enabled = r->flags & SNP_FLAG_AUTHOR_KEY_EN;
    struct span author =
        span_of(r->author_key_digest, sizeof(r->author_key_digest));
    struct span id = span_of(r->id_key_digest, sizeof(r->id_key_digest));

    if (!enabled && !span_is_zero(author))
        verdict_fail(v, name, ref, "digest zero, as AUTHOR_KEY_EN is 0",
                     verdict_hex(v, author),
                     "there is an author key that was not used");
    else if (enabled && span_is_zero(id))
        verdict_fail(v, name, ref, "an ID key digest, as AUTHOR_KEY_EN is 1",
                     "zero", "an author key signs an ID key");
    else
        verdict_pass(v, name, ref, "agrees with its flag",
                     enabled ? "used" : "not used");
}

static void
check_chip_form(const struct snp_report *r, enum snp_product product,
                struct verdict *v)
{
    static const char name[] = "chip_id_form";
    static const char ref[] = ABI ", CHIP_ID";

    if (product != SNP_PRODUCT_TURIN)
        verdict_waive(v, name, ref, "only Turin has short chip ids");
    else if (span_is_zero(span_of(r->chip_id + 8, sizeof(r->chip_id) - 8)))
        verdict_pass(v, name, ref, "8 bytes, then zeros", "8 bytes");
    else
        verdict_fail(v, name, ref, "8 bytes, then zeros",
                     verdict_hex(v, span_of(r->chip_id, sizeof(r->chip_id))),
                     "a Turin chip id has 8 bytes");
}

void
snp_consistency_check(const struct snp_report *r, enum snp_product product,
                      struct verdict *v)
{
    check_order(product, "tcb_reported", r->reported_tcb, r->committed_tcb,
                "the reported TCB is above the committed one", v);
    check_order(product, "tcb_committed", r->committed_tcb, r->current_tcb,
                "the committed TCB is above the current one", v);
    if (r->policy & SNP_POLICY_MIGRATE_MA)
        verdict_waive(v, "tcb_launch", "AMD 56860 TCB_VERSION",
                      "a guest that may migrate may have been launched on "
                      "another machine");
    else
        check_order(product, "tcb_launch", r->launch_tcb, r->current_tcb,
                    "the launch TCB is above the current one", v);
    check_firmware_order(r, v);
    check_author_key(r, v);
    check_chip_form(r, product, v);
}
