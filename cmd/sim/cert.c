#include "sim/cert.h"

#include <stdio.h>

#include "base/clock.h"
#include "crypto/x509_build.h"

#define OID_RSASSA_PSS "1.2.840.113549.1.1.10"
#define OID_MGF1 "1.2.840.113549.1.1.8"
#define OID_SHA384 "2.16.840.1.101.3.4.2.2"
#define OID_SUBJECT_KEY_ID "2.5.29.14"
#define OID_KEY_USAGE "2.5.29.15"
#define OID_BASIC_CONSTRAINTS "2.5.29.19"
#define OID_CRL_NUMBER "2.5.29.20"
#define OID_CRL_POINTS "2.5.29.31"
#define OID_AUTHORITY_KEY_ID "2.5.29.35"
#define OID_AMD "1.3.6.1.4.1.3704.1"

enum { YEAR_DAYS = 365, DAY_SECONDS = 86400 };

/* AMD wrote the default trailerField out in CA certificates, and stopped doing
 * so for leaves and revocation lists; both forms mean the same. */
enum trailer { TRAILER_EXPLICIT, TRAILER_OMITTED };

/* --- algorithm and names --- */

/* BIT STRING of whole bytes. */
static void
add_bits(struct buffer *out, struct span bytes)
{
    size_t mark = der_begin(out);

    buffer_add(out, span_of("\0", 1)); /* no unused bits */
    buffer_add(out, bytes);
    der_end(out, DER_BIT_STRING, mark);
}

/* UTCTime through 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5). */
static void
add_time(struct buffer *out, int64_t instant)
{
    static const int64_t year_2050 = 2524608000;
    bool generalized = instant >= year_2050;
    char iso[RFC3339_SIZE]; /* "2026-11-23T12:00:00Z" */
    char text[16];
    size_t n = 0;

    rfc3339_format(instant, iso);
    for (const char *p = generalized ? iso : iso + 2; *p; p++)
        if (((*p >= '0' && *p <= '9') || *p == 'Z') && n < sizeof(text))
            text[n++] = *p;
    der_add(out, generalized ? DER_GENERALIZED_TIME : DER_UTC_TIME,
            span_of(text, n));
}

static void
add_sha384(struct buffer *out)
{
    size_t mark = der_begin(out);

    der_add_oid(out, OID_SHA384);
    der_add(out, DER_NULL, span_of(NULL, 0));
    der_end(out, DER_SEQUENCE, mark);
}

static void
add_mgf1(struct buffer *out)
{
    size_t mark = der_begin(out);

    der_add_oid(out, OID_MGF1);
    add_sha384(out);
    der_end(out, DER_SEQUENCE, mark);
}

/* RSASSA-PSS-params (RFC 4055 section 3.1): SHA-384, MGF1-SHA-384, salt 48. */
static void
add_signature_algorithm(struct buffer *out, enum trailer trailer)
{
    size_t algorithm = der_begin(out), params, tagged;

    der_add_oid(out, OID_RSASSA_PSS);
    params = der_begin(out);
    tagged = der_begin(out);
    add_sha384(out);
    der_end(out, DER_CONTEXT_CONSTRUCTED | 0, tagged);
    tagged = der_begin(out);
    add_mgf1(out);
    der_end(out, DER_CONTEXT_CONSTRUCTED | 1, tagged);
    tagged = der_begin(out);
    der_add_uint(out, 48);
    der_end(out, DER_CONTEXT_CONSTRUCTED | 2, tagged);
    if (trailer == TRAILER_EXPLICIT) {
        tagged = der_begin(out);
        der_add_uint(out, 1);
        der_end(out, DER_CONTEXT_CONSTRUCTED | 3, tagged);
    }
    der_end(out, DER_SEQUENCE, params);
    der_end(out, DER_SEQUENCE, algorithm);
}

static void
add_attribute(struct buffer *out, const char *oid, enum der_tag type,
              const char *text)
{
    size_t set = der_begin(out);
    size_t pair = der_begin(out);

    der_add_oid(out, oid);
    der_add_str(out, (uint8_t)type, text);
    der_end(out, DER_SEQUENCE, pair);
    der_end(out, DER_SET, set);
}

static void
add_name(struct buffer *out, const char *cn)
{
    size_t mark = der_begin(out);

    add_attribute(out, "2.5.4.11", DER_UTF8_STRING, "Engineering");
    add_attribute(out, "2.5.4.6", DER_PRINTABLE_STRING, "US");
    add_attribute(out, "2.5.4.7", DER_UTF8_STRING, "Santa Clara");
    add_attribute(out, "2.5.4.8", DER_UTF8_STRING, "CA");
    add_attribute(out, "2.5.4.10", DER_UTF8_STRING, "Advanced Micro Devices");
    add_attribute(out, "2.5.4.3", DER_UTF8_STRING, cn);
    der_end(out, DER_SEQUENCE, mark);
}

void
ca_common_name(const struct product *p, enum ca_role role, char out[CN_SIZE])
{
    static const char *const prefix[] = {
        [CA_ARK] = "ARK", [CA_ASK] = "SEV", [CA_ASVK] = "SEV-VLEK"
    };

    snprintf(out, CN_SIZE, "%s-%s", prefix[role], p->name);
}

uint32_t
ca_serial(const struct product *p, enum ca_role role, unsigned generation)
{
    static const uint32_t offset[] = {
        [CA_ARK] = 0x000, [CA_ASK] = 0x001, [CA_ASVK] = 0x101
    };

    return p->serial_base + offset[role] + generation - 1;
}

/* The same date, years later; 29 February becomes 1 March. */
static int64_t
years_later(int64_t instant, int years)
{
    char text[RFC3339_SIZE];
    int year, month, day;
    int64_t days;

    rfc3339_format(instant, text);
    if (sscanf(text, "%4d-%2d-%2d", &year, &month, &day) != 3)
        return instant + (int64_t)years * YEAR_DAYS * DAY_SECONDS;
    days = civil_days(year + years, month, day) - civil_days(year, month, day);
    return instant + days * DAY_SECONDS;
}

static void
add_validity(struct buffer *out, int64_t not_before, int years)
{
    size_t mark = der_begin(out);

    add_time(out, not_before);
    add_time(out, years_later(not_before, years));
    der_end(out, DER_SEQUENCE, mark);
}

/* --- keys and extensions --- */

enum criticality { NOT_CRITICAL, CRITICAL };

/* An extension whose value is what follows until extension_end. */
struct extension {
    size_t whole, value;
};

static struct extension
extension_begin(struct buffer *out, const char *oid, enum criticality critical)
{
    struct extension ext;

    ext.whole = der_begin(out);
    der_add_oid(out, oid);
    if (critical == CRITICAL)
        der_add_bool(out, true);
    ext.value = der_begin(out);
    return ext;
}

static void
extension_end(struct buffer *out, struct extension ext)
{
    der_end(out, DER_OCTET_STRING, ext.value);
    der_end(out, DER_SEQUENCE, ext.whole);
}

static void
add_subject_key_id(struct buffer *out, const uint8_t id[X509_KEY_ID_SIZE])
{
    struct extension ext =
        extension_begin(out, OID_SUBJECT_KEY_ID, NOT_CRITICAL);

    der_add(out, DER_OCTET_STRING, span_of(id, X509_KEY_ID_SIZE));
    extension_end(out, ext);
}

static void
add_authority_key_id(struct buffer *out, const uint8_t id[X509_KEY_ID_SIZE])
{
    struct extension ext =
        extension_begin(out, OID_AUTHORITY_KEY_ID, NOT_CRITICAL);
    size_t mark = der_begin(out);

    der_add(out, DER_CONTEXT | 0, span_of(id, X509_KEY_ID_SIZE));
    der_end(out, DER_SEQUENCE, mark);
    extension_end(out, ext);
}

static void
add_basic_constraints(struct buffer *out, enum ca_role role)
{
    struct extension ext =
        extension_begin(out, OID_BASIC_CONSTRAINTS, CRITICAL);
    size_t mark = der_begin(out);

    der_add_bool(out, true);
    if (role != CA_ARK)
        der_add_uint(out, 0);
    der_end(out, DER_SEQUENCE, mark);
    extension_end(out, ext);
}

static void
add_key_usage(struct buffer *out, enum ca_role role)
{
    struct extension ext = extension_begin(out, OID_KEY_USAGE, CRITICAL);

    /* keyCertSign is bit 5, cRLSign bit 6, counted from the top; AMD says
     * "one unused bit" for both, though the ASK's list could be shorter. */
    der_add(out, DER_BIT_STRING,
            role == CA_ARK ? span_of("\x01\x06", 2) : span_of("\x01\x04", 2));
    extension_end(out, ext);
}

static void
add_crl_points(struct buffer *out, const struct product *p, enum ca_role role)
{
    struct extension ext = extension_begin(out, OID_CRL_POINTS, NOT_CRITICAL);
    size_t list = der_begin(out);
    size_t point = der_begin(out);
    size_t name = der_begin(out);
    size_t full = der_begin(out);
    char url[80];

    snprintf(url, sizeof(url), "https://kdsintf.amd.com/%s/v1/%s/crl",
             role == CA_ASVK ? "vlek" : "vcek", p->name);
    der_add_str(out, DER_CONTEXT | 6, url);
    der_end(out, DER_CONTEXT_CONSTRUCTED | 0, full);
    der_end(out, DER_CONTEXT_CONSTRUCTED | 0, name);
    der_end(out, DER_SEQUENCE, point);
    der_end(out, DER_SEQUENCE, list);
    extension_end(out, ext);
}

/* --- signing --- */

/* SEQUENCE { to be signed, algorithm, signature }. */
static enum assay_status
sign(const struct buffer *tbs, const struct key *key, enum trailer trailer,
     struct buffer *der, struct assay_error *err)
{
    struct buffer signature;
    enum assay_status st = buffer_check(tbs, "certificate", err);

    buffer_init(&signature, CERT_DER_MAX, NULL);
    if (st == ASSAY_OK)
        st = key_sign(key, SIGNATURE_RSA_PSS_SHA384, buffer_span(tbs),
                      &signature, err);
    if (st == ASSAY_OK) {
        size_t mark = der_begin(der);

        buffer_add(der, buffer_span(tbs));
        add_signature_algorithm(der, trailer);
        add_bits(der, buffer_span(&signature));
        der_end(der, DER_SEQUENCE, mark);
        st = buffer_check(der, "certificate", err);
    }
    buffer_free(&signature);
    return st;
}

/* The fields of a TBSCertificate up to the key. */
struct certificate_head {
    uint32_t serial;
    enum trailer trailer;
    const char *issuer_cn;
    const char *subject_cn;
    int64_t not_before;
    int years;
    const struct key *key;
};

static void
add_head(struct buffer *tbs, const struct certificate_head *head)
{
    size_t version = der_begin(tbs);

    der_add_uint(tbs, 2); /* v3 */
    der_end(tbs, DER_CONTEXT_CONSTRUCTED | 0, version);
    der_add_uint(tbs, head->serial);
    add_signature_algorithm(tbs, head->trailer);
    add_name(tbs, head->issuer_cn);
    add_validity(tbs, head->not_before, head->years);
    add_name(tbs, head->subject_cn);
    buffer_add(tbs, key_spki(head->key));
}

/* --- ARK, ASK, ASVK --- */

static void
add_ca_extensions(struct buffer *tbs, const struct ca_params *params,
                  const uint8_t own_id[X509_KEY_ID_SIZE],
                  const uint8_t ark_id[X509_KEY_ID_SIZE])
{
    size_t tagged = der_begin(tbs);
    size_t list = der_begin(tbs);

    /* AMD's own order, which differs between root and intermediates. */
    if (params->role == CA_ARK) {
        add_key_usage(tbs, params->role);
        add_subject_key_id(tbs, own_id);
        add_basic_constraints(tbs, params->role);
    } else {
        add_subject_key_id(tbs, own_id);
        add_authority_key_id(tbs, ark_id);
        add_basic_constraints(tbs, params->role);
        add_key_usage(tbs, params->role);
    }
    add_crl_points(tbs, params->product, params->role);
    der_end(tbs, DER_SEQUENCE, list);
    der_end(tbs, DER_CONTEXT_CONSTRUCTED | 3, tagged);
}

enum assay_status
ca_tbs_encode(const struct ca_params *params, struct buffer *tbs,
              struct assay_error *err)
{
    char issuer_cn[CN_SIZE], subject_cn[CN_SIZE];
    uint8_t own_id[X509_KEY_ID_SIZE], ark_id[X509_KEY_ID_SIZE];
    const struct certificate_head head = {
        .serial = ca_serial(params->product, params->role, params->generation),
        .trailer = TRAILER_EXPLICIT,
        .issuer_cn = issuer_cn,
        .subject_cn = subject_cn,
        .not_before = params->not_before,
        .years = 25,
        .key = params->key,
    };
    size_t mark;
    enum assay_status st = x509_key_id(params->key, own_id, err);

    if (st == ASSAY_OK)
        st = x509_key_id(params->ark, ark_id, err);
    if (st != ASSAY_OK)
        return st;
    ca_common_name(params->product, CA_ARK, issuer_cn);
    ca_common_name(params->product, params->role, subject_cn);
    mark = der_begin(tbs);
    add_head(tbs, &head);
    add_ca_extensions(tbs, params, own_id, ark_id);
    der_end(tbs, DER_SEQUENCE, mark);
    return buffer_check(tbs, "certificate", err);
}

enum assay_status
ca_encode(const struct ca_params *params, struct buffer *der,
          struct assay_error *err)
{
    struct buffer tbs;
    enum assay_status st;

    buffer_init(&tbs, CERT_DER_MAX, NULL);
    st = ca_tbs_encode(params, &tbs, err);
    if (st == ASSAY_OK)
        st = sign(&tbs, params->ark, TRAILER_EXPLICIT, der, err);
    buffer_free(&tbs);
    return st;
}

/* --- VCEK, VLEK --- */

static void
add_amd_uint(struct buffer *out, const char *suffix, unsigned value)
{
    char oid[40];
    struct extension ext;

    snprintf(oid, sizeof(oid), OID_AMD ".%s", suffix);
    ext = extension_begin(out, oid, NOT_CRITICAL);
    der_add_uint(out, value);
    extension_end(out, ext);
}

static void
add_amd_text(struct buffer *out, const char *suffix, const char *text)
{
    char oid[40];
    struct extension ext;

    snprintf(oid, sizeof(oid), OID_AMD ".%s", suffix);
    ext = extension_begin(out, oid, NOT_CRITICAL);
    der_add_str(out, DER_IA5_STRING, text);
    extension_end(out, ext);
}

/* The order is the one seen in published leaves: snpSPL sits between the
 * reserved parts and the microcode, except on Turin. */
static void
add_patch_levels(struct buffer *out, const struct product *p,
                 const struct tcb *tcb)
{
    if (p->has_fmc)
        add_amd_uint(out, "3.9", tcb->fmc);
    add_amd_uint(out, "3.1", tcb->boot_loader);
    add_amd_uint(out, "3.2", tcb->tee);
    if (p->has_fmc)
        add_amd_uint(out, "3.3", tcb->snp);
    else
        add_amd_uint(out, "3.4", 0);
    add_amd_uint(out, "3.5", 0);
    add_amd_uint(out, "3.6", 0);
    add_amd_uint(out, "3.7", 0);
    if (!p->has_fmc)
        add_amd_uint(out, "3.3", tcb->snp);
    add_amd_uint(out, "3.8", tcb->microcode);
}

static void
add_leaf_extensions(struct buffer *tbs, const struct leaf_params *params)
{
    const struct product *p = params->product;
    size_t tagged = der_begin(tbs);
    size_t list = der_begin(tbs);

    add_amd_uint(tbs, "1", p->has_fmc ? 1 : 0); /* struct version */
    add_amd_text(tbs, "2", params->csp_id ? p->name : p->vcek_product);
    add_patch_levels(tbs, p, &params->tcb);
    if (params->csp_id) {
        add_amd_text(tbs, "5", params->csp_id);
    } else {
        /* The chip id is raw inside the extension: no inner tag. */
        struct extension ext = extension_begin(tbs, OID_AMD ".4", NOT_CRITICAL);

        buffer_add(tbs, params->hwid);
        extension_end(tbs, ext);
    }
    der_end(tbs, DER_SEQUENCE, list);
    der_end(tbs, DER_CONTEXT_CONSTRUCTED | 3, tagged);
}

enum assay_status
leaf_tbs_encode(const struct leaf_params *params, struct buffer *tbs,
                struct assay_error *err)
{
    bool vlek = params->csp_id != NULL;
    char issuer_cn[CN_SIZE];
    const struct certificate_head head = {
        .serial = 0, /* on every genuine leaf, RFC 5280 notwithstanding */
        .trailer = TRAILER_OMITTED,
        .issuer_cn = issuer_cn,
        .subject_cn = vlek ? "SEV-VLEK" : "SEV-VCEK",
        .not_before = params->not_before,
        .years = vlek ? 1 : 7,
        .key = params->key,
    };
    size_t mark = der_begin(tbs);

    ca_common_name(params->product, vlek ? CA_ASVK : CA_ASK, issuer_cn);
    add_head(tbs, &head);
    add_leaf_extensions(tbs, params);
    der_end(tbs, DER_SEQUENCE, mark);
    return buffer_check(tbs, "certificate", err);
}

enum assay_status
leaf_encode(const struct leaf_params *params, struct buffer *der,
            struct assay_error *err)
{
    struct buffer tbs;
    enum assay_status st;

    buffer_init(&tbs, CERT_DER_MAX, NULL);
    st = leaf_tbs_encode(params, &tbs, err);
    if (st == ASSAY_OK)
        st = sign(&tbs, params->issuer, TRAILER_OMITTED, der, err);
    buffer_free(&tbs);
    return st;
}

/* --- revocation list --- */

static void
add_revoked(struct buffer *tbs, const struct crl_params *params)
{
    size_t list;

    if (params->entry_count == 0)
        return; /* the list is absent, not empty: RFC 5280 section 5.1.2.6 */
    list = der_begin(tbs);
    for (size_t i = 0; i < params->entry_count; i++) {
        size_t entry = der_begin(tbs);

        der_add_uint(tbs, params->entries[i].serial);
        add_time(tbs, params->entries[i].revoked_at);
        der_end(tbs, DER_SEQUENCE, entry);
    }
    der_end(tbs, DER_SEQUENCE, list);
}

static void
add_crl_extensions(struct buffer *tbs, unsigned number,
                   const uint8_t ark_id[X509_KEY_ID_SIZE])
{
    size_t tagged = der_begin(tbs);
    size_t list = der_begin(tbs);
    struct extension ext;

    add_authority_key_id(tbs, ark_id);
    ext = extension_begin(tbs, OID_CRL_NUMBER, NOT_CRITICAL);
    der_add_uint(tbs, number);
    extension_end(tbs, ext);
    der_end(tbs, DER_SEQUENCE, list);
    der_end(tbs, DER_CONTEXT_CONSTRUCTED | 0, tagged);
}

/* AMD's lists end a year later at 23:00, whenever they were made. */
static int64_t
next_update(int64_t this_update)
{
    int64_t later = years_later(this_update, 1);

    return later - later % DAY_SECONDS + 23 * 3600;
}

enum assay_status
crl_tbs_encode(const struct crl_params *params, struct buffer *tbs,
               struct assay_error *err)
{
    char issuer_cn[CN_SIZE];
    uint8_t ark_id[X509_KEY_ID_SIZE];
    size_t mark;
    enum assay_status st = x509_key_id(params->ark, ark_id, err);

    if (st != ASSAY_OK)
        return st;
    ca_common_name(params->product, CA_ARK, issuer_cn);
    mark = der_begin(tbs);
    der_add_uint(tbs, 1); /* v2 */
    add_signature_algorithm(tbs, TRAILER_OMITTED);
    add_name(tbs, issuer_cn);
    add_time(tbs, params->this_update);
    add_time(tbs, next_update(params->this_update));
    add_revoked(tbs, params);
    add_crl_extensions(tbs, params->number, ark_id);
    der_end(tbs, DER_SEQUENCE, mark);
    return buffer_check(tbs, "revocation list", err);
}

enum assay_status
crl_encode(const struct crl_params *params, struct buffer *der,
           struct assay_error *err)
{
    struct buffer tbs;
    enum assay_status st;

    buffer_init(&tbs, CRL_DER_MAX, NULL);
    st = crl_tbs_encode(params, &tbs, err);
    if (st == ASSAY_OK)
        st = sign(&tbs, params->ark, TRAILER_OMITTED, der, err);
    buffer_free(&tbs);
    return st;
}
