/* X.509 certificates (RFC 5280), decoded.
 *
 * A parsed certificate is well formed, nothing more: no signature, date or
 * extension has been judged. It is immutable and may be used by several
 * threads; everything got from it is borrowed from it.
 *
 * Stricter than the library below: DER throughout and nothing behind it; the
 * two AlgorithmIdentifiers equal; no extension twice; no negative serial; a
 * key that decodes. Serial 0 is accepted, since every AMD leaf has it. */
#ifndef ASSAY_CRYPTO_X509_H
#define ASSAY_CRYPTO_X509_H

#include "crypto/key.h"

struct cert;

/* ASSAY_ERR_MALFORMED, ASSAY_ERR_LIMIT (LIMIT_CERT_BYTES), ASSAY_ERR_NOMEM.
 * der is copied. */
ASSAY_MUST_CHECK
enum assay_status cert_parse(struct span der, struct cert **out,
                             struct assay_error *err);
struct cert *cert_dup(const struct cert *cert); /* shares; never fails */
void cert_free(struct cert *cert);

struct span cert_der(const struct cert *cert);
int cert_version(const struct cert *cert); /* 3 means v3 */

/* Big-endian without leading zeros; one zero byte for 0. */
struct span cert_serial(const struct cert *cert);

struct span cert_subject(const struct cert *cert); /* DER of the Name */
struct span cert_issuer(const struct cert *cert);
/* The one commonName; "" when there is none, several, or a NUL in it. */
const char *cert_common_name(const struct cert *cert);
const char *cert_issuer_common_name(const struct cert *cert);

int64_t cert_not_before(const struct cert *cert); /* seconds since 1970 UTC */
int64_t cert_not_after(const struct cert *cert);

const struct key *cert_key(const struct cert *cert);
/* key_spki(cert_key()), the bytes as they are in the certificate. */
struct span cert_spki(const struct cert *cert);

/* What the AlgorithmIdentifier of a signature says. */
struct signature_facts {
    enum signature_alg alg; /* PSS only when all four below are as AMD's */
    char name[64];          /* long name or dotted OID */
    bool is_pss;            /* then: */
    char pss_hash[24];      /* "SHA384" */
    char pss_mgf_hash[24];
    int64_t pss_salt; /* bytes */
    int64_t pss_trailer;
};
const struct signature_facts *cert_signature(const struct cert *cert);

enum key_usage {
    KEY_USAGE_DIGITAL_SIGNATURE = 1 << 0,
    KEY_USAGE_CERT_SIGN = 1 << 5,
    KEY_USAGE_CRL_SIGN = 1 << 6,
};
struct cert_constraints {
    bool has_basic; /* basicConstraints is there, then: */
    bool is_ca;
    int64_t path_len;   /* -1: not limited */
    bool has_key_usage; /* keyUsage is there, then: */
    unsigned key_usage; /* bit n of RFC 5280 is 1 << n */
};
const struct cert_constraints *cert_constraints(const struct cert *cert);

struct cert_extension {
    const char *oid; /* dotted decimal */
    bool critical;
    struct span value; /* content of extnValue */
};
size_t cert_extension_count(const struct cert *cert);
struct cert_extension cert_extension_at(const struct cert *cert, size_t i);
/* False when there is none with this OID; *out is then untouched. */
bool cert_extension_get(const struct cert *cert, const char *oid,
                        struct cert_extension *out);

/* keyIdentifier of subject and authority; empty when absent. */
struct span cert_subject_key_id(const struct cert *cert);
struct span cert_authority_key_id(const struct cert *cert);

/* Was the certificate signed by this key? Nothing else is judged.
 * ASSAY_ERR_UNTRUSTED, ASSAY_ERR_UNSUPPORTED (alg is SIGNATURE_OTHER). */
ASSAY_MUST_CHECK
enum assay_status cert_verify_signature(const struct cert *cert,
                                        const struct key *issuer,
                                        struct assay_error *err);

/* The same as an answer. Only ASSAY_ERR_NOMEM: it could not be found out. */
ASSAY_MUST_CHECK
enum assay_status cert_is_signed_by(const struct cert *cert,
                                    const struct key *issuer, bool *yes,
                                    struct assay_error *err);

#endif
