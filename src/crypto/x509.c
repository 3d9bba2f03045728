#include "crypto/x509.h"

#include <openssl/x509v3.h>

#include "base/limits.h"
#include "crypto/x509_internal.h"

/* The largest certificate there is carries evidence (CI 1.4). */
enum { CERT_BYTES_MAX = LIMIT_CERT_BYTES + LIMIT_EVIDENCE_BYTES };

struct cert {
    struct cert *self; /* lets a const holder share it */
    atomic_uint refs;
    STACK_OF(X509_EXTENSION) * stack; /* extensions are borrowed from it */
    int version;                      /* 3 means v3 */
    struct span subject;              /* of der, as the next */
    struct span issuer;
    uint8_t *der;
    size_t der_len;
    struct x509_signed parts; /* of der */
    struct signature_facts signature;
    struct key *key;
    struct span serial;
    char *common_name;
    char *issuer_common_name;
    int64_t not_before;
    int64_t not_after;
    struct x509_extension_list extensions;
    struct cert_constraints constraints;
    struct span subject_key_id;
    struct span authority_key_id;
};

/* --- extensions with a meaning ------------------------------------------- */

/* RFC 5280 section 4.2.1.9. cA FALSE may be spelled out: some issuers do. */
static enum assay_status
read_basic_constraints(struct cert *cert, struct assay_error *err)
{
    const struct x509_extension *ext =
        x509_extension_find(&cert->extensions, "2.5.29.19");
    struct cert_constraints *c = &cert->constraints;
    struct reader outer, rd;
    uint64_t path_len;

    c->path_len = -1;
    if (!ext)
        return ASSAY_OK;
    outer = reader_over(ext->value);
    rd = reader_over(rd_der(&outer, DER_SEQUENCE));
    c->has_basic = true;
    if (rd_der_peek(&rd) == DER_BOOLEAN)
        c->is_ca = rd_der_bool(&rd);
    if (rd_der_peek(&rd) == DER_INTEGER) {
        path_len = rd_der_uint(&rd);
        if (path_len > INT32_MAX || !c->is_ca)
            rd.failed = true;
        c->path_len = (int64_t)(path_len & INT32_MAX);
    }
    if (!rd_done(&outer) || !rd_done(&rd))
        return assay_fail(err, ASSAY_ERR_MALFORMED, "basicConstraints");
    return ASSAY_OK;
}

/* RFC 5280 section 4.2.1.3: nine bits, the first is the most significant. */
static enum assay_status
read_key_usage(struct cert *cert, struct assay_error *err)
{
    const struct x509_extension *ext =
        x509_extension_find(&cert->extensions, "2.5.29.15");
    struct cert_constraints *c = &cert->constraints;
    struct reader rd;
    struct span bits;

    if (!ext)
        return ASSAY_OK;
    rd = reader_over(ext->value);
    bits = rd_der(&rd, DER_BIT_STRING);
    if (!rd_done(&rd) || bits.len < 1 || bits.len > 3)
        return assay_fail(err, ASSAY_ERR_MALFORMED, "keyUsage");
    c->has_key_usage = true;
    for (unsigned i = 0; i < 8 * (bits.len - 1); i++) {
        if (bits.ptr[1 + i / 8] & (0x80u >> i % 8))
            c->key_usage |= 1u << i;
    }
    return ASSAY_OK;
}

static enum assay_status
read_subject_key_id(struct cert *cert, struct assay_error *err)
{
    const struct x509_extension *ext =
        x509_extension_find(&cert->extensions, "2.5.29.14");
    struct reader rd;

    if (!ext)
        return ASSAY_OK;
    rd = reader_over(ext->value);
    cert->subject_key_id = rd_der(&rd, DER_OCTET_STRING);
    if (!rd_done(&rd))
        return assay_fail(err, ASSAY_ERR_MALFORMED, "subjectKeyIdentifier");
    return ASSAY_OK;
}

static enum assay_status
read_extensions(struct cert *cert, struct assay_error *err)
{
    enum assay_status st =
        x509_extensions_read(cert->stack, &cert->extensions, err);

    if (st == ASSAY_OK && cert->extensions.count > 0 && cert_version(cert) != 3)
        st = assay_fail(err, ASSAY_ERR_MALFORMED,
                        "version %d with extensions, want 3",
                        cert_version(cert));
    if (st == ASSAY_OK)
        st = read_basic_constraints(cert, err);
    if (st == ASSAY_OK)
        st = read_key_usage(cert, err);
    if (st == ASSAY_OK)
        st = read_subject_key_id(cert, err);
    if (st == ASSAY_OK)
        st = x509_read_authority_key_id(&cert->extensions,
                                        &cert->authority_key_id, err);
    return st;
}

/* --- the whole -----------------------------------------------------------
 *
 * TBSCertificate (RFC 5280 section 4.1) is taken apart here, and its parts are
 * left to OpenSSL: d2i_X509 would also decode the key, at the price of a
 * signature, and we read keys ourselves (key_spki.c). */

struct tbs {
    uint64_t version; /* as on the wire */
    struct span serial;
    struct span issuer, subject; /* with their headers, as the next */
    struct span not_before, not_after;
    struct span spki;
    struct span extensions; /* SEQUENCE with its header; empty: none */
};

static struct span
read_whole(struct reader *rd, uint8_t want)
{
    struct span whole = { 0 };
    uint8_t tag;

    (void)rd_der_any(rd, &tag, &whole);
    if (tag != want)
        rd->failed = true;
    return whole;
}

static struct span
read_time(struct reader *rd)
{
    return read_whole(rd, rd_der_peek(rd) == DER_UTC_TIME
                              ? DER_UTC_TIME
                              : DER_GENERALIZED_TIME);
}

/* issuerUniqueID and subjectUniqueID, which nobody uses, and extensions. */
static void
read_optional(struct reader *rd, struct tbs *out)
{
    for (uint8_t number = 1; number <= 2; number++) {
        if (rd_der_peek(rd) == (DER_CONTEXT | number))
            (void)rd_der(rd, (uint8_t)(DER_CONTEXT | number));
    }
    if (rd_der_peek(rd) == (DER_CONTEXT_CONSTRUCTED | 3)) {
        struct reader x = reader_over(rd_der(rd, DER_CONTEXT_CONSTRUCTED | 3));

        out->extensions = read_whole(&x, DER_SEQUENCE);
        if (!rd_done(&x))
            rd->failed = true;
    }
}

static bool
split_tbs(struct span der, struct tbs *out)
{
    struct reader outer = reader_over(der);
    struct reader rd = reader_over(rd_der(&outer, DER_SEQUENCE));
    struct reader validity, version;

    *out = (struct tbs){ 0 };
    if (rd_der_peek(&rd) == DER_CONTEXT_CONSTRUCTED) {
        version = reader_over(rd_der(&rd, DER_CONTEXT_CONSTRUCTED));
        out->version = rd_der_uint(&version);
        if (!rd_done(&version) || out->version > 2)
            return false;
    }
    out->serial = rd_der(&rd, DER_INTEGER);
    (void)rd_der(&rd, DER_SEQUENCE); /* the algorithm: see x509_signed */
    out->issuer = read_whole(&rd, DER_SEQUENCE);
    validity = reader_over(rd_der(&rd, DER_SEQUENCE));
    out->not_before = read_time(&validity);
    out->not_after = read_time(&validity);
    out->subject = read_whole(&rd, DER_SEQUENCE);
    out->spki = read_whole(&rd, DER_SEQUENCE);
    read_optional(&rd, out);
    return rd_done(&outer) && rd_done(&rd) && rd_done(&validity);
}

/* Magnitude without leading zeros. */
static enum assay_status
read_serial(struct span n, struct span *out, struct assay_error *err)
{
    if (n.len == 0 || n.ptr[0] >= 0x80)
        return assay_fail(err, ASSAY_ERR_MALFORMED, "serial number: negative");
    *out = n.len > 1 && n.ptr[0] == 0 ? span_sub(n, 1, n.len) : n;
    return ASSAY_OK;
}

static enum assay_status
read_instant(struct span der, const char *what, int64_t *out,
             struct assay_error *err)
{
    const unsigned char *at = der.ptr;
    ASN1_TIME *time = d2i_ASN1_TIME(NULL, &at, (long)der.len);
    enum assay_status st;

    if (!time)
        return ossl_fail(err, ASSAY_ERR_MALFORMED, what);
    st = x509_time(time, what, out, err);
    ASN1_TIME_free(time);
    return st;
}

static enum assay_status
read_name(struct span der, char **common_name, struct assay_error *err)
{
    const unsigned char *at = der.ptr;
    X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)der.len);

    if (!name)
        return ossl_fail(err, ASSAY_ERR_MALFORMED, "name");
    *common_name = x509_common_name(name);
    X509_NAME_free(name);
    if (!*common_name)
        return ossl_fail(err, ASSAY_ERR_NOMEM, "name");
    return ASSAY_OK;
}

static enum assay_status
read_stack(struct cert *cert, struct span der, struct assay_error *err)
{
    const unsigned char *at = der.ptr;

    if (der.len == 0)
        return ASSAY_OK;
    cert->stack = d2i_X509_EXTENSIONS(NULL, &at, (long)der.len);
    if (!cert->stack)
        return ossl_fail(err, ASSAY_ERR_MALFORMED, "extensions");
    return ASSAY_OK;
}

static enum assay_status
read_facts(struct cert *cert, const struct tbs *tbs, struct assay_error *err)
{
    enum assay_status st =
        x509_signature_facts(&cert->parts, &cert->signature, err);

    if (st == ASSAY_OK)
        st = read_serial(tbs->serial, &cert->serial, err);
    if (st == ASSAY_OK)
        st = read_instant(tbs->not_before, "notBefore", &cert->not_before, err);
    if (st == ASSAY_OK)
        st = read_instant(tbs->not_after, "notAfter", &cert->not_after, err);
    if (st == ASSAY_OK)
        st = read_name(tbs->subject, &cert->common_name, err);
    if (st == ASSAY_OK)
        st = read_name(tbs->issuer, &cert->issuer_common_name, err);
    if (st == ASSAY_OK)
        st = key_from_spki_der(tbs->spki, &cert->key, err);
    if (st == ASSAY_OK)
        st = read_stack(cert, tbs->extensions, err);
    if (st == ASSAY_OK)
        st = read_extensions(cert, err);
    return st;
}

static enum assay_status
decode(struct cert *cert, struct span der, struct assay_error *err)
{
    struct tbs tbs;
    enum assay_status st;

    cert->der = OPENSSL_memdup(der.ptr, der.len);
    if (!cert->der)
        return ossl_fail(err, ASSAY_ERR_NOMEM, "bytes");
    cert->der_len = der.len;
    st = x509_signed_split(cert_der(cert), "certificate", &cert->parts, err);
    if (st != ASSAY_OK)
        return st;
    if (!split_tbs(cert->parts.part, &tbs))
        return assay_fail(err, ASSAY_ERR_MALFORMED, "X.509");
    cert->version = (int)tbs.version + 1;
    cert->subject = tbs.subject;
    cert->issuer = tbs.issuer;
    return read_facts(cert, &tbs, err);
}

enum assay_status
cert_parse(struct span der, struct cert **out, struct assay_error *err)
{
    struct cert *cert;
    enum assay_status st;

    if (der.len > CERT_BYTES_MAX)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "certificate: %zu bytes, at most %d", der.len,
                          CERT_BYTES_MAX);
    if (!der_is_strict(der))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "certificate: not one DER value of %zu bytes",
                          der.len);
    cert = OPENSSL_zalloc(sizeof(*cert));
    if (!cert)
        return ossl_fail(err, ASSAY_ERR_NOMEM, "certificate");
    cert->self = cert;
    atomic_init(&cert->refs, 1);
    st = decode(cert, der, err);
    if (st == ASSAY_OK) {
        *out = cert;
    } else {
        cert_free(cert);
        (void)assay_context(err, st, "certificate");
    }
    return ossl_done(st);
}

struct cert *
cert_dup(const struct cert *cert)
{
    atomic_fetch_add(&cert->self->refs, 1);
    return cert->self;
}

void
cert_free(struct cert *cert)
{
    if (!cert || atomic_fetch_sub(&cert->refs, 1) > 1)
        return;
    OPENSSL_free(cert->extensions.items);
    OPENSSL_free(cert->issuer_common_name);
    OPENSSL_free(cert->common_name);
    key_free(cert->key);
    sk_X509_EXTENSION_pop_free(cert->stack, X509_EXTENSION_free);
    OPENSSL_free(cert->der);
    OPENSSL_free(cert);
}

/* --- what it says -------------------------------------------------------- */

struct span
cert_der(const struct cert *cert)
{
    return span_of(cert->der, cert->der_len);
}

int
cert_version(const struct cert *cert)
{
    return cert->version;
}

struct span
cert_serial(const struct cert *cert)
{
    return cert->serial;
}

struct span
cert_subject(const struct cert *cert)
{
    return cert->subject;
}

struct span
cert_issuer(const struct cert *cert)
{
    return cert->issuer;
}

const char *
cert_common_name(const struct cert *cert)
{
    return cert->common_name;
}

const char *
cert_issuer_common_name(const struct cert *cert)
{
    return cert->issuer_common_name;
}

int64_t
cert_not_before(const struct cert *cert)
{
    return cert->not_before;
}

int64_t
cert_not_after(const struct cert *cert)
{
    return cert->not_after;
}

const struct key *
cert_key(const struct cert *cert)
{
    return cert->key;
}

struct span
cert_spki(const struct cert *cert)
{
    return key_spki(cert->key);
}

const struct signature_facts *
cert_signature(const struct cert *cert)
{
    return &cert->signature;
}

const struct cert_constraints *
cert_constraints(const struct cert *cert)
{
    return &cert->constraints;
}

size_t
cert_extension_count(const struct cert *cert)
{
    return cert->extensions.count;
}

static struct cert_extension
public_form(const struct x509_extension *ext)
{
    return (struct cert_extension){ ext->oid, ext->critical, ext->value };
}

struct cert_extension
cert_extension_at(const struct cert *cert, size_t i)
{
    return public_form(&cert->extensions.items[i]);
}

bool
cert_extension_get(const struct cert *cert, const char *oid,
                   struct cert_extension *out)
{
    const struct x509_extension *ext =
        x509_extension_find(&cert->extensions, oid);

    if (ext)
        *out = public_form(ext);
    return ext;
}

struct span
cert_subject_key_id(const struct cert *cert)
{
    return cert->subject_key_id;
}

struct span
cert_authority_key_id(const struct cert *cert)
{
    return cert->authority_key_id;
}

enum assay_status
cert_verify_signature(const struct cert *cert, const struct key *issuer,
                      struct assay_error *err)
{
    enum assay_status st;

    if (cert->signature.alg == SIGNATURE_OTHER)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "certificate: signed with %s, which is not accepted",
                          cert->signature.name);
    st = key_verify(issuer, cert->signature.alg, cert->parts.part,
                    cert->parts.signature, err);
    return assay_context(err, st, "certificate %s", cert->common_name);
}

enum assay_status
cert_is_signed_by(const struct cert *cert, const struct key *issuer, bool *yes,
                  struct assay_error *err)
{
    enum assay_status st = cert_verify_signature(cert, issuer, NULL);

    if (st == ASSAY_ERR_NOMEM)
        return assay_nomem(err, "certificate's signature");
    *yes = st == ASSAY_OK;
    return ASSAY_OK;
}
