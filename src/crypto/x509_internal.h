/* What certificates and CRLs are read with. Internal to crypto/. */
#ifndef ASSAY_CRYPTO_X509_INTERNAL_H
#define ASSAY_CRYPTO_X509_INTERNAL_H

#include <stdatomic.h>

#include <openssl/x509.h>

#include "crypto/der.h"
#include "crypto/ossl.h"
#include "crypto/x509.h"

enum { OID_TEXT_SIZE = 96 }; /* the longest in use has 26 characters */

struct x509_extension {
    char oid[OID_TEXT_SIZE];
    bool critical;
    struct span value;
};

struct x509_extension_list {
    struct x509_extension *items; /* OPENSSL_free */
    size_t count;
};

/* SEQUENCE { signed part, AlgorithmIdentifier, BIT STRING }: the outermost
 * shape of certificates and CRLs alike. */
struct x509_signed {
    struct span part;      /* what is signed, with its header */
    struct span inner_alg; /* DER of the AlgorithmIdentifier in part */
    struct span outer_alg; /* and of the one behind it */
    struct span signature;
};
ASSAY_MUST_CHECK
enum assay_status x509_signed_split(struct span der, const char *what,
                                    struct x509_signed *out,
                                    struct assay_error *err);

/* Of the two AlgorithmIdentifiers, which must be equal. */
ASSAY_MUST_CHECK
enum assay_status x509_signature_facts(const struct x509_signed *parts,
                                       struct signature_facts *out,
                                       struct assay_error *err);

/* RFC 5280 section 4.1.2.5: with seconds, in UTC. */
ASSAY_MUST_CHECK
enum assay_status x509_time(const ASN1_TIME *time, const char *what,
                            int64_t *out, struct assay_error *err);

/* Magnitude without leading zeros, borrowed; negative is refused. */
ASSAY_MUST_CHECK
enum assay_status x509_serial(const ASN1_INTEGER *serial, struct span *out,
                              struct assay_error *err);

struct span x509_name_der(const X509_NAME *name);

/* OPENSSL_free'd by the caller; "" as cert_common_name says; NULL when memory
 * ran out. */
char *x509_common_name(const X509_NAME *name);

/* None twice. Values are borrowed from stack. */
ASSAY_MUST_CHECK
enum assay_status x509_extensions_read(const STACK_OF(X509_EXTENSION) * stack,
                                       struct x509_extension_list *out,
                                       struct assay_error *err);
const struct x509_extension *
x509_extension_find(const struct x509_extension_list *list, const char *oid);

/* The keyIdentifier of the extension, if list has it; else *out is empty. */
ASSAY_MUST_CHECK
enum assay_status
x509_read_authority_key_id(const struct x509_extension_list *list,
                           struct span *out, struct assay_error *err);

#endif
