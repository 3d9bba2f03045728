#include "evidence/snp_chain_rules.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "crypto/digest.h"
#include "evidence/amd_name.h"
#include "evidence/snp_tcb.h"

#define CERTS "AMD 57230 certificate formats"

static const struct {
    const char *name;
    const char *ref;
    const char *reason; /* when broken */
} rules[CHAIN_RULES] = {
    [RULE_ROOT_FORM] = { "root_form", CERTS ", ARK",
                         "the root certificate is not of AMD's form" },
    [RULE_ROOT_TRUSTED] = { "root_trusted", "AMD 57230, ARK public keys",
                            "the root key is neither AMD's nor an anchor that "
                            "was added: anybody can make such a chain" },
    [RULE_INTERMEDIATE_FORM] = { "intermediate_form", CERTS ", ASK and ASVK",
                                 "the intermediate certificate is not of "
                                 "AMD's form" },
    [RULE_INTERMEDIATE_SIGNATURE] = { "intermediate_signature",
                                      "RFC 5280 section 6.1.3",
                                      "the root did not sign the "
                                      "intermediate" },
    [RULE_LEAF_FORM] = { "leaf_form", CERTS ", VCEK and VLEK",
                         "the leaf certificate is not of AMD's form" },
    [RULE_LEAF_KIND] = { "leaf_kind", "AMD 56860 SIGNING_KEY",
                         "the report names another kind of signing key" },
    [RULE_LEAF_ISSUER] = { "leaf_issuer", "RFC 5280 section 6.1.3",
                           "leaf and intermediate do not belong together" },
    [RULE_LEAF_SIGNATURE] = { "leaf_signature", "RFC 5280 section 6.1.3",
                              "the intermediate did not sign the leaf" },
    [RULE_LEAF_EXTENSIONS] = { "leaf_extensions",
                               "AMD 57230 certificate extensions",
                               "the leaf does not say what a key of this kind "
                               "must say" },
    [RULE_PRODUCT] = { "product", "AMD 57230, one ARK per product",
                       "the chain belongs to another product line" },
};

/* --- findings ------------------------------------------------------------ */

static void
found(struct snp_chain *chain, enum chain_rule rule, bool holds,
      const char *want, const char *got)
{
    struct chain_finding *f = &chain->findings[rule];

    f->outcome = holds ? CHECK_PASS : CHECK_FAIL;
    snprintf(f->want, sizeof(f->want), "%s", want);
    snprintf(f->got, sizeof(f->got), "%s", got);
}

/* What cannot be judged is not there; unless something was given in its place
 * that is no certificate, which is a fault. */
static void
lacking(struct snp_chain *chain, enum chain_rule rule, enum snp_cert_kind kind)
{
    struct chain_finding *f = &chain->findings[rule];

    if (chain->broken.text[0]) {
        found(chain, rule, false, snp_cert_kind_name(kind), "");
        snprintf(f->got, sizeof(f->got), "%.*s", (int)sizeof(f->got) - 1,
                 chain->broken.text);
        return;
    }
    f->outcome = CHECK_SKIPPED;
    snprintf(f->got, sizeof(f->got), "no %s was given%s%.*s",
             snp_cert_kind_name(kind), chain->missing.text[0] ? "; " : "",
             (int)sizeof(f->got) - 40, chain->missing.text);
}

/* --- form ---------------------------------------------------------------- */

/* NULL when all critical extensions are ones that are judged here. */
static const char *
unknown_critical(const struct cert *cert)
{
    for (size_t i = 0; i < cert_extension_count(cert); i++) {
        struct cert_extension x = cert_extension_at(cert, i);

        if (x.critical && strcmp(x.oid, "2.5.29.19") != 0 &&
            strcmp(x.oid, "2.5.29.15") != 0)
            return x.oid;
    }
    return NULL;
}

/* Writes what is wrong, or the name, to got. */
static bool
common_form(const struct cert *cert, enum key_type key, char *got, size_t size)
{
    const char *critical = unknown_critical(cert);

    if (cert_version(cert) != 3)
        snprintf(got, size, "X.509 version %d", cert_version(cert));
    else if (key_type(cert_key(cert)) != key)
        snprintf(got, size, "key is %s",
                 key_type_name(key_type(cert_key(cert))));
    else if (cert_signature(cert)->alg != SIGNATURE_RSA_PSS_SHA384)
        snprintf(got, size, "signed with %s", cert_signature(cert)->name);
    else if (critical)
        snprintf(got, size, "unknown critical extension %s", critical);
    else
        return true;
    return false;
}

/* Certificate of an authority; path_len is what basicConstraints must say. */
static bool
authority_form(const struct cert *cert, int64_t path_len, char *got,
               size_t size)
{
    const struct cert_constraints *c = cert_constraints(cert);

    if (!common_form(cert, KEY_RSA4096, got, size))
        return false;
    if (!c->has_basic || !c->is_ca)
        snprintf(got, size, "not a certificate authority");
    else if (c->path_len != path_len)
        snprintf(got, size, "path length %lld", (long long)c->path_len);
    else if (!c->has_key_usage || !(c->key_usage & KEY_USAGE_CERT_SIGN))
        snprintf(got, size, "key usage lacks keyCertSign");
    else
        return true;
    return false;
}

static enum assay_status
judge_root_form(struct snp_chain *chain, struct assay_error *err)
{
    char got[160];
    bool holds = authority_form(chain->root, -1, got, sizeof(got));
    bool self_signed = false;
    enum assay_status st = cert_is_signed_by(chain->root, cert_key(chain->root),
                                             &self_signed, err);

    if (st != ASSAY_OK)
        return st;

    if (holds &&
        !span_equal(cert_subject(chain->root), cert_issuer(chain->root))) {
        snprintf(got, sizeof(got), "issued by %s",
                 cert_issuer_common_name(chain->root));
        holds = false;
    }
    if (holds && !self_signed) {
        snprintf(got, sizeof(got), "its own signature does not verify");
        holds = false;
    }
    found(chain, RULE_ROOT_FORM, holds,
          "self-signed CA, RSA 4096, RSASSA-PSS with SHA-384",
          holds ? cert_common_name(chain->root) : got);
    return ASSAY_OK;
}

static enum assay_status
judge_root_trusted(struct snp_chain *chain, const struct snp_chain_want *want,
                   struct assay_error *err)
{
    uint8_t digest[SHA256_SIZE];
    char got[160], hex[2 * SHA256_SIZE + 1], expect[96];
    enum snp_product product =
        want->product != SNP_PRODUCT_UNKNOWN ? want->product : chain->product;
    enum assay_status st = digest_sha256(cert_spki(chain->root), digest, err);

    if (st != ASSAY_OK)
        return st;
    chain->trust = trust_find(want->anchors, product, digest);
    hex_encode(span_of(digest, sizeof(digest)), hex);
    snprintf(expect, sizeof(expect), "pinned key of ARK-%s",
             snp_product_name(product));
    snprintf(got, sizeof(got), "%s%s, key %s", cert_common_name(chain->root),
             chain->trust == TRUST_EXTRA ? " (added anchor)" : "", hex);
    found(chain, RULE_ROOT_TRUSTED, chain->trust != TRUST_NONE, expect, got);
    return ASSAY_OK;
}

static void
judge_intermediate(struct snp_chain *chain)
{
    char got[160];
    bool holds = authority_form(chain->intermediate, 0, got, sizeof(got));

    found(chain, RULE_INTERMEDIATE_FORM, holds,
          "CA with path length 0, RSA 4096, RSASSA-PSS with SHA-384",
          holds ? cert_common_name(chain->intermediate) : got);
}

static enum assay_status
judge_signature(struct snp_chain *chain, enum chain_rule rule,
                const struct cert *c, const struct cert *issuer,
                struct assay_error *err)
{
    bool named = span_equal(cert_issuer(c), cert_subject(issuer));
    bool holds = false;
    enum assay_status st = ASSAY_OK;

    if (named)
        st = cert_is_signed_by(c, cert_key(issuer), &holds, err);
    if (st == ASSAY_OK)
        found(chain, rule, holds, cert_common_name(issuer),
              named && !holds ? "signature does not verify"
                              : cert_issuer_common_name(c));
    return st;
}

static void
judge_leaf_form(struct snp_chain *chain)
{
    char got[160];
    bool holds = common_form(chain->leaf, KEY_P384, got, sizeof(got));

    found(chain, RULE_LEAF_FORM, holds,
          "X.509 v3, P-384 key, RSASSA-PSS with SHA-384",
          holds ? cert_common_name(chain->leaf) : got);
}

static void
judge_leaf_kind(struct snp_chain *chain, enum snp_signing_key signer)
{
    enum snp_cert_kind want =
        signer == SNP_SIGNER_VLEK ? SNP_CERT_VLEK : SNP_CERT_VCEK;

    found(chain, RULE_LEAF_KIND, chain->kind == want, snp_cert_kind_name(want),
          snp_cert_kind_name(chain->kind));
}

/* By exact name: a VCEK comes from the ASK of its line, a VLEK from the
 * ASVK, and both names are AMD's in every attribute. */
static void
judge_leaf_issuer(struct snp_chain *chain)
{
    char want[SNP_CERT_NAME_SIZE], got[AMD_CN_MAX] = "";
    bool named = snp_cert_name(chain->authority, chain->product, want) &&
                 amd_name_cn(cert_issuer(chain->leaf), got);

    found(chain, RULE_LEAF_ISSUER,
          named && chain->product != SNP_PRODUCT_UNKNOWN &&
              strcmp(want, got) == 0,
          want, cert_issuer_common_name(chain->leaf));
}

static void
judge_leaf_extensions(struct snp_chain *chain)
{
    struct assay_error why = { 0 };
    char got[160], tcb[SNP_TCB_TEXT];

    chain->has_facts =
        snp_leaf_facts_read(chain->leaf, chain->kind, chain->product,
                            &chain->facts, &why) == ASSAY_OK;
    if (chain->has_facts) {
        snp_tcb_format(chain->product, chain->facts.tcb, tcb);
        snprintf(got, sizeof(got), "%s, %s", chain->facts.product_name, tcb);
    } else {
        snprintf(got, sizeof(got), "%.*s", (int)sizeof(got) - 1, why.text);
    }
    found(chain, RULE_LEAF_EXTENSIONS, chain->has_facts,
          "productName, SPLs, and hwID or CSP_ID, once each", got);
}

static void
judge_product(struct snp_chain *chain, enum snp_product want)
{
    found(chain, RULE_PRODUCT,
          chain->product != SNP_PRODUCT_UNKNOWN &&
              (want == SNP_PRODUCT_UNKNOWN || want == chain->product),
          want == SNP_PRODUCT_UNKNOWN ? "a known product"
                                      : snp_product_name(want),
          snp_product_name(chain->product));
}

static enum assay_status
judge_leaf(struct snp_chain *chain, const struct snp_chain_want *want,
           struct assay_error *err)
{
    if (!chain->leaf) {
        enum snp_cert_kind kind =
            want->signer == SNP_SIGNER_VLEK ? SNP_CERT_VLEK : SNP_CERT_VCEK;

        for (int r = RULE_LEAF_FORM; r < CHAIN_RULES; r++)
            lacking(chain, (enum chain_rule)r, kind);
        return ASSAY_OK;
    }
    judge_leaf_form(chain);
    judge_leaf_kind(chain, want->signer);
    judge_leaf_issuer(chain);
    judge_leaf_extensions(chain);
    judge_product(chain, want->product);
    if (chain->intermediate)
        return judge_signature(chain, RULE_LEAF_SIGNATURE, chain->leaf,
                               chain->intermediate, err);
    lacking(chain, RULE_LEAF_SIGNATURE, chain->authority);
    return ASSAY_OK;
}

enum assay_status
snp_chain_judge(struct snp_chain *chain, const struct snp_chain_want *want,
                struct assay_error *err)
{
    enum assay_status st = judge_leaf(chain, want, err);

    if (st != ASSAY_OK)
        return st;
    if (chain->intermediate)
        judge_intermediate(chain);
    else
        lacking(chain, RULE_INTERMEDIATE_FORM, chain->authority);
    if (!chain->root) {
        lacking(chain, RULE_ROOT_FORM, SNP_CERT_ARK);
        lacking(chain, RULE_ROOT_TRUSTED, SNP_CERT_ARK);
        lacking(chain, RULE_INTERMEDIATE_SIGNATURE, SNP_CERT_ARK);
        return ASSAY_OK;
    }
    st = judge_root_form(chain, err);
    if (st == ASSAY_OK)
        st = judge_signature(chain, RULE_INTERMEDIATE_SIGNATURE,
                             chain->intermediate, chain->root, err);
    if (st == ASSAY_OK)
        st = judge_root_trusted(chain, want, err);
    return st;
}

/* --- use ----------------------------------------------------------------- */

bool
snp_chain_is_good(const struct snp_chain *chain)
{
    for (size_t i = 0; i < CHAIN_RULES; i++) {
        if (chain->findings[i].outcome != CHECK_PASS)
            return false;
    }
    return true;
}

static bool
is_current(const struct cert *cert, int64_t now)
{
    return now >= cert_not_before(cert) && now <= cert_not_after(cert);
}

bool
snp_chain_is_current(const struct snp_chain *chain, int64_t now)
{
    return chain->leaf && chain->intermediate && chain->root &&
           is_current(chain->leaf, now) &&
           is_current(chain->intermediate, now) && is_current(chain->root, now);
}

static void
check_dates(const struct cert *cert, const char *name, int64_t now,
            struct verdict *v)
{
    const char *ref = "RFC 5280 section 4.1.2.5";
    char from[RFC3339_SIZE], to[RFC3339_SIZE], at[RFC3339_SIZE];
    const char *want, *got;

    if (!cert) {
        verdict_lack(v, name, ref, "the certificate is missing");
        return;
    }
    rfc3339_format(cert_not_before(cert), from);
    rfc3339_format(cert_not_after(cert), to);
    rfc3339_format(now, at);
    want = verdict_text(v, "%s to %s", from, to);
    got = verdict_text(v, "%s", at);
    if (is_current(cert, now))
        verdict_pass(v, name, ref, want, got);
    else
        verdict_fail(v, name, ref, want, got,
                     now < cert_not_before(cert)
                         ? "the certificate is not valid yet"
                         : "the certificate has expired");
}

static void
check_rule(const struct snp_chain *chain, size_t rule, struct verdict *v)
{
    const struct chain_finding *f = &chain->findings[rule];
    struct check c = { .name = rules[rule].name,
                       .ref = rules[rule].ref,
                       .outcome = f->outcome };

    if (f->outcome == CHECK_SKIPPED) {
        c.reason = verdict_text(v, "%s", f->got);
    } else {
        c.expected = verdict_text(v, "%s", f->want);
        c.actual = verdict_text(v, "%s", f->got);
        c.reason = f->outcome == CHECK_FAIL ? rules[rule].reason : "";
    }
    verdict_add(v, c);
}

void
snp_chain_check(const struct snp_chain *chain, int64_t now, struct verdict *v)
{
    for (size_t i = 0; i < CHAIN_RULES; i++)
        check_rule(chain, i, v);
    check_dates(chain->root, "root_validity", now, v);
    check_dates(chain->intermediate, "intermediate_validity", now, v);
    check_dates(chain->leaf, "leaf_validity", now, v);
    if (chain->trust == TRUST_EXTRA)
        v->insecure = true;
}
