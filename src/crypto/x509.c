#include "crypto/x509.h"

#include <openssl/x509v3.h>

#include "base/limits.h"
#include "crypto/x509_internal.h"

/* The largest certificate there is carries evidence (CI 1.4). */
enum { CERT_BYTES_MAX = LIMIT_CERT_BYTES + LIMIT_EVIDENCE_BYTES };

struct cert {
    struct cert *self; /* lets a const holder share it */
    atomic_uint refs;
    X509 *x509;
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
    enum assay_status st = x509_extensions_read(
        X509_get0_extensions(cert->x509), &cert->extensions, err);

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

/* --- the whole ----------------------------------------------------------- */

static enum assay_status
read_names(struct cert *cert, struct assay_error *err)
{
    cert->common_name = x509_common_name(X509_get_subject_name(cert->x509));
    cert->issuer_common_name =
        x509_common_name(X509_get_issuer_name(cert->x509));
    if (!cert->common_name || !cert->issuer_common_name)
        return ossl_fail(err, ASSAY_ERR_NOMEM, "names");
    return ASSAY_OK;
}

static enum assay_status
read_key(struct cert *cert, struct assay_error *err)
{
    uint8_t *spki = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert->x509), &spki);
    enum assay_status st;

    if (len <= 0)
        return ossl_fail(err, ASSAY_ERR_NOMEM, "public key");
    st = key_from_spki_der(span_of(spki, (size_t)len), &cert->key, err);
    OPENSSL_free(spki);
    return st;
}

static enum assay_status
read_facts(struct cert *cert, struct assay_error *err)
{
    enum assay_status st =
        x509_signature_facts(&cert->parts, &cert->signature, err);

    if (st == ASSAY_OK)
        st =
            x509_serial(X509_get0_serialNumber(cert->x509), &cert->serial, err);
    if (st == ASSAY_OK)
        st = x509_time(X509_get0_notBefore(cert->x509), "notBefore",
                       &cert->not_before, err);
    if (st == ASSAY_OK)
        st = x509_time(X509_get0_notAfter(cert->x509), "notAfter",
                       &cert->not_after, err);
    if (st == ASSAY_OK)
        st = read_names(cert, err);
    if (st == ASSAY_OK)
        st = read_key(cert, err);
    if (st == ASSAY_OK)
        st = read_extensions(cert, err);
    return st;
}

static enum assay_status
decode(struct cert *cert, struct span der, struct assay_error *err)
{
    const unsigned char *at = der.ptr;
    enum assay_status st;

    cert->der = OPENSSL_memdup(der.ptr, der.len);
    if (!cert->der)
        return ossl_fail(err, ASSAY_ERR_NOMEM, "bytes");
    cert->der_len = der.len;
    st = x509_signed_split(cert_der(cert), "certificate", &cert->parts, err);
    if (st != ASSAY_OK)
        return st;
    cert->x509 = d2i_X509(NULL, &at, (long)der.len);
    if (!cert->x509 || at != der.ptr + der.len)
        return ossl_fail(err, ASSAY_ERR_MALFORMED, "X.509");
    return read_facts(cert, err);
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
    X509_free(cert->x509);
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
    return (int)X509_get_version(cert->x509) + 1; /* 2 on the wire is v3 */
}

struct span
cert_serial(const struct cert *cert)
{
    return cert->serial;
}

struct span
cert_subject(const struct cert *cert)
{
    return x509_name_der(X509_get_subject_name(cert->x509));
}

struct span
cert_issuer(const struct cert *cert)
{
    return x509_name_der(X509_get_issuer_name(cert->x509));
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
