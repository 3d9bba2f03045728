/* The parts that certificates and CRLs have in common. */
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/obj_mac.h>

#include "base/clock.h"
#include "base/limits.h"
#include "crypto/x509_internal.h"

/* A certificate begins with [0] version and a serial number, a CRL with a
 * version or nothing; then comes the algorithm. */
static struct span
find_inner_alg(struct span part)
{
    struct reader outer = reader_over(part);
    struct reader rd = reader_over(rd_der(&outer, DER_SEQUENCE));
    struct span alg = { 0 };
    uint8_t tag = rd_der_peek(&rd);

    while (tag == DER_INTEGER || tag == DER_CONTEXT_CONSTRUCTED) {
        (void)rd_der_any(&rd, &tag, NULL);
        tag = rd_der_peek(&rd);
    }
    if (tag == DER_SEQUENCE)
        (void)rd_der_any(&rd, &tag, &alg);
    return alg;
}

enum assay_status
x509_signed_split(struct span der, const char *what, struct x509_signed *out,
                  struct assay_error *err)
{
    struct reader outer = reader_over(der);
    struct reader rd = reader_over(rd_der(&outer, DER_SEQUENCE));
    struct x509_signed parts;
    uint8_t tag;

    (void)rd_der_any(&rd, &tag, &parts.part);
    (void)rd_der_any(&rd, &tag, &parts.outer_alg);
    parts.signature = rd_der(&rd, DER_BIT_STRING);
    if (!rd_done(&outer) || !rd_done(&rd) || parts.signature.len < 1 ||
        parts.signature.ptr[0] != 0) /* bits left over in the last byte */
        return assay_fail(err, ASSAY_ERR_MALFORMED, "not a signed %s", what);
    parts.signature = span_sub(parts.signature, 1, parts.signature.len - 1);
    parts.inner_alg = find_inner_alg(parts.part);
    *out = parts;
    return ASSAY_OK;
}

/* --- signature algorithms ------------------------------------------------ */

static void
oid_text(const ASN1_OBJECT *oid, char *text, size_t size)
{
    if (OBJ_obj2txt(text, (int)size, oid, 0) <= 0)
        (void)strncpy(text, "?", size);
}

/* An AlgorithmIdentifier of a hash, whose parameters are absent or NULL
 * (RFC 4055 section 2.1 wants both accepted). */
static void
read_hash(struct reader *rd, char *name, size_t size)
{
    struct reader alg = reader_over(rd_der(rd, DER_SEQUENCE));
    struct span oid = rd_der(&alg, DER_OID);
    static const uint8_t prefix[] = { 0x60, 0x86, 0x48, 0x01,
                                      0x65, 0x03, 0x04, 0x02 };
    static const char *const names[] = { "?", "SHA256", "SHA384", "SHA512" };
    uint8_t last = oid.len == 9 ? oid.ptr[8] : 0;

    if (rd_der_peek(&alg) == DER_NULL)
        (void)rd_der(&alg, DER_NULL);
    if (!rd_done(&alg))
        rd->failed = true;
    if (last > 3 || (last > 0 && memcmp(oid.ptr, prefix, 8) != 0))
        last = 0;
    (void)strncpy(name, names[last], size);
}

/* The content of an explicit context tag, or an empty reader when another
 * element stands there. */
static bool
next_field(struct reader *rd, uint8_t number, struct reader *field)
{
    uint8_t tag = (uint8_t)(DER_CONTEXT_CONSTRUCTED | number);

    if (rd_der_peek(rd) != tag)
        return false;
    *field = reader_over(rd_der(rd, tag));
    return true;
}

static void
read_mgf(struct reader *rd, char *name, size_t size)
{
    static const uint8_t mgf1[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7,
                                    0x0d, 0x01, 0x01, 0x08 };
    struct reader alg = reader_over(rd_der(rd, DER_SEQUENCE));
    struct span oid = rd_der(&alg, DER_OID);

    if (!span_equal(oid, span_of(mgf1, sizeof(mgf1)))) {
        rd->failed = true;
        return;
    }
    read_hash(&alg, name, size);
    if (!rd_done(&alg))
        rd->failed = true;
}

/* RSASSA-PSS-params of RFC 4055 section 3.1, with its defaults. Whether a
 * default was left out or spelled out makes no difference: AMD has both. */
static bool
read_pss(struct span params, struct signature_facts *f)
{
    struct reader rd = reader_over(params);
    struct reader field = reader_over(span_of(NULL, 0));
    bool ok = true;

    f->is_pss = true;
    (void)strncpy(f->pss_hash, "SHA1", sizeof(f->pss_hash));
    (void)strncpy(f->pss_mgf_hash, "SHA1", sizeof(f->pss_mgf_hash));
    f->pss_salt = 20;
    f->pss_trailer = 1;
    if (next_field(&rd, 0, &field)) {
        read_hash(&field, f->pss_hash, sizeof(f->pss_hash));
        ok = rd_done(&field);
    }
    if (next_field(&rd, 1, &field)) {
        read_mgf(&field, f->pss_mgf_hash, sizeof(f->pss_mgf_hash));
        ok = ok && rd_done(&field);
    }
    if (next_field(&rd, 2, &field)) {
        f->pss_salt = (int64_t)(rd_der_uint(&field) & INT32_MAX);
        ok = ok && rd_done(&field);
    }
    if (next_field(&rd, 3, &field)) {
        f->pss_trailer = (int64_t)(rd_der_uint(&field) & INT32_MAX);
        ok = ok && rd_done(&field);
    }
    return ok && rd_done(&rd);
}

static bool
is_amd_pss(const struct signature_facts *f)
{
    return strcmp(f->pss_hash, "SHA384") == 0 &&
           strcmp(f->pss_mgf_hash, "SHA384") == 0 && f->pss_salt == 48 &&
           f->pss_trailer == 1;
}

/* RFC 5758 section 3.2: ECDSA has no parameters. RFC 8017 A.2.4: PKCS#1 v1.5
 * has NULL. */
static enum signature_alg
simple_alg(int nid, int param_type)
{
    if (nid == NID_ecdsa_with_SHA256 && param_type == V_ASN1_UNDEF)
        return SIGNATURE_ECDSA_SHA256;
    if (nid == NID_ecdsa_with_SHA384 && param_type == V_ASN1_UNDEF)
        return SIGNATURE_ECDSA_SHA384;
    if (nid == NID_sha256WithRSAEncryption && param_type == V_ASN1_NULL)
        return SIGNATURE_RSA_PKCS1_SHA256;
    return SIGNATURE_OTHER;
}

static enum assay_status
read_alg(const X509_ALGOR *alg, struct signature_facts *f,
         struct assay_error *err)
{
    const ASN1_OBJECT *oid;
    const void *value;
    struct reader rd;
    int type, nid;

    X509_ALGOR_get0(&oid, &type, &value, alg);
    nid = OBJ_obj2nid(oid);
    oid_text(oid, f->name, sizeof(f->name));
    f->alg = simple_alg(nid, type);
    if (nid != NID_rsassaPss || type != V_ASN1_SEQUENCE)
        return ASSAY_OK;
    rd = reader_over(span_of(ASN1_STRING_get0_data(value),
                             (size_t)ASN1_STRING_length(value)));
    if (!read_pss(rd_der(&rd, DER_SEQUENCE), f) || !rd_done(&rd))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "signature algorithm: RSASSA-PSS parameters");
    f->alg = is_amd_pss(f) ? SIGNATURE_RSA_PSS_SHA384 : SIGNATURE_OTHER;
    return ASSAY_OK;
}

enum assay_status
x509_signature_facts(const struct x509_signed *parts,
                     struct signature_facts *out, struct assay_error *err)
{
    const unsigned char *at = parts->outer_alg.ptr;
    struct signature_facts f = { 0 };
    enum assay_status st;
    X509_ALGOR *alg;

    if (!span_equal(parts->inner_alg, parts->outer_alg))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "signature algorithm: inside and outside differ");
    alg = d2i_X509_ALGOR(NULL, &at, (long)parts->outer_alg.len);
    if (!alg)
        return ossl_fail(err, ASSAY_ERR_MALFORMED, "signature algorithm");
    st = read_alg(alg, &f, err);
    X509_ALGOR_free(alg);
    if (st == ASSAY_OK)
        *out = f;
    return st;
}

/* --- times, numbers, names ----------------------------------------------- */

enum assay_status
x509_time(const ASN1_TIME *time, const char *what, int64_t *out,
          struct assay_error *err)
{
    int type = ASN1_STRING_type(time);
    int want = type == V_ASN1_UTCTIME ? 13 : 15; /* YYMMDDhhmmssZ */
    int len = ASN1_STRING_length(time);
    struct tm tm;

    if (len != want || ASN1_STRING_get0_data(time)[len - 1] != 'Z' ||
        ASN1_TIME_to_tm(time, &tm) != 1) {
        (void)ossl_done(ASSAY_OK);
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "%s: not a time with seconds, in UTC", what);
    }
    *out = civil_days(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) * 86400 +
           tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
    return ASSAY_OK;
}

enum assay_status
x509_serial(const ASN1_INTEGER *serial, struct span *out,
            struct assay_error *err)
{
    static const uint8_t zero = 0;

    if (ASN1_STRING_type(serial) != V_ASN1_INTEGER)
        return assay_fail(err, ASSAY_ERR_MALFORMED, "serial number: negative");
    *out = span_of(ASN1_STRING_get0_data(serial),
                   (size_t)ASN1_STRING_length(serial));
    if (out->len == 0)
        *out = span_of(&zero, 1);
    return ASSAY_OK;
}

struct span
x509_name_der(const X509_NAME *name)
{
    const unsigned char *der = NULL;
    size_t len = 0;

    if (X509_NAME_get0_der(name, &der, &len) != 1)
        return span_of(NULL, 0);
    return span_of(der, len);
}

char *
x509_common_name(const X509_NAME *name)
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    unsigned char *text = NULL;
    int len = -1;

    if (at >= 0 && X509_NAME_get_index_by_NID(name, NID_commonName, at) == -1) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, at);

        len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
    }
    if (len >= 0 && memchr(text, 0, (size_t)len) == NULL)
        return (char *)text;
    OPENSSL_free(text);
    /* No string in any encoding, or no memory for it? */
    if (at >= 0 && len < 0 &&
        ossl_fail(NULL, ASSAY_ERR_MALFORMED, "") == ASSAY_ERR_NOMEM)
        return NULL;
    return OPENSSL_strdup("");
}

/* --- extensions ---------------------------------------------------------- */

static enum assay_status
read_extension(X509_EXTENSION *ext, struct x509_extension *out,
               struct assay_error *err)
{
    const ASN1_OBJECT *oid = X509_EXTENSION_get_object(ext);
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(ext);
    int len = OBJ_obj2txt(out->oid, sizeof(out->oid), oid, 1);

    if (len <= 0 || (size_t)len >= sizeof(out->oid))
        return ossl_fail(err, ASSAY_ERR_MALFORMED, "extension: OID");
    out->critical = X509_EXTENSION_get_critical(ext) == 1;
    out->value = span_of(ASN1_STRING_get0_data(value),
                         (size_t)ASN1_STRING_length(value));
    return ASSAY_OK;
}

static enum assay_status
fill_extensions(const STACK_OF(X509_EXTENSION) * stack,
                struct x509_extension_list *list, size_t count,
                struct assay_error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct x509_extension *item = &list->items[i];
        enum assay_status st =
            read_extension(sk_X509_EXTENSION_value(stack, (int)i), item, err);

        if (st != ASSAY_OK)
            return st;
        if (x509_extension_find(list, item->oid))
            return assay_fail(err, ASSAY_ERR_MALFORMED, "extension %s: twice",
                              item->oid);
        list->count++;
    }
    return ASSAY_OK;
}

enum assay_status
x509_extensions_read(const STACK_OF(X509_EXTENSION) * stack,
                     struct x509_extension_list *out, struct assay_error *err)
{
    struct x509_extension_list list = { 0 };
    int count = stack ? sk_X509_EXTENSION_num(stack) : 0;
    enum assay_status st;

    if (count > LIMIT_CERT_EXTENSIONS)
        return assay_fail(err, ASSAY_ERR_LIMIT, "%d extensions, at most %d",
                          count, LIMIT_CERT_EXTENSIONS);
    if (count <= 0) {
        *out = list;
        return ASSAY_OK;
    }
    list.items = OPENSSL_zalloc((size_t)count * sizeof(*list.items));
    if (!list.items)
        return ossl_fail(err, ASSAY_ERR_NOMEM, "extensions");
    st = fill_extensions(stack, &list, (size_t)count, err);
    if (st == ASSAY_OK)
        *out = list;
    else
        OPENSSL_free(list.items);
    return st;
}

const struct x509_extension *
x509_extension_find(const struct x509_extension_list *list, const char *oid)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].oid, oid) == 0)
            return &list->items[i];
    }
    return NULL;
}

enum assay_status
x509_read_authority_key_id(const struct x509_extension_list *list,
                           struct span *out, struct assay_error *err)
{
    const struct x509_extension *ext = x509_extension_find(list, "2.5.29.35");
    struct reader outer, rd;
    struct span id = { 0 };
    uint8_t tag;

    if (!ext) {
        *out = id;
        return ASSAY_OK;
    }
    outer = reader_over(ext->value);
    rd = reader_over(rd_der(&outer, DER_SEQUENCE));
    if (rd_der_peek(&rd) == DER_CONTEXT)
        id = rd_der(&rd, DER_CONTEXT);
    while (rd.rest.len > 0)
        (void)rd_der_any(&rd, &tag, NULL); /* issuer and serial: unused */
    if (!rd_done(&outer) || !rd_done(&rd))
        return assay_fail(err, ASSAY_ERR_MALFORMED, "authorityKeyIdentifier");
    *out = id;
    return ASSAY_OK;
}
