/* Makes certificates and CRLs from a description.
 *
 * Nothing is added that the description does not name. Everything in it is
 * borrowed for the call. */
#ifndef ASSAY_CRYPTO_X509_BUILD_H
#define ASSAY_CRYPTO_X509_BUILD_H

#include "base/arena.h"
#include "crypto/crl.h"
#include "crypto/der.h"

/* --- names --------------------------------------------------------------- */

struct x509_attribute {
    const char *oid;     /* "2.5.4.3" */
    enum der_tag string; /* DER_UTF8_STRING or DER_PRINTABLE_STRING */
    const char *text;
};

/* Appends the DER of a Name with one RDN per attribute, in this order. */
ASSAY_MUST_CHECK
enum assay_status x509_name_encode(const struct x509_attribute *attributes,
                                   size_t count, struct buffer *out,
                                   struct assay_error *err);

/* The same for a commonName alone: PrintableString where the text allows it,
 * else UTF8String. An empty text gives an empty Name. */
ASSAY_MUST_CHECK
enum assay_status x509_name_common_name(const char *text, struct buffer *out,
                                        struct assay_error *err);

/* --- extensions ---------------------------------------------------------- */

enum { X509_EXTENSIONS_MAX = 96 }; /* SNP has 46 claims, TDX 47 */

/* A list that is appended to and checked once, by cert_build or crl_build:
 * failure (arena spent, list full) is sticky. */
struct x509_extensions {
    struct arena *arena; /* holds what the helpers encode */
    struct cert_extension items[X509_EXTENSIONS_MAX];
    size_t count;
    bool failed;
};

void x509_extensions_init(struct x509_extensions *x, struct arena *arena);

/* oid and value are borrowed until the build. */
void x509_add_raw(struct x509_extensions *x, const char *oid, bool critical,
                  struct span value);
/* Critical. path_len -1: none. */
void x509_add_basic_constraints(struct x509_extensions *x, bool is_ca,
                                int path_len);
void x509_add_key_usage(struct x509_extensions *x,
                        unsigned usage); /* critical */
/* clientAuth and serverAuth, in this order. */
void x509_add_tls_ext_key_usage(struct x509_extensions *x);
void x509_add_subject_key_id(struct x509_extensions *x, struct span id);
void x509_add_authority_key_id(struct x509_extensions *x, struct span id);
void x509_add_crl_number(struct x509_extensions *x, uint64_t number);

struct x509_alt_name {
    enum { X509_ALT_DNS = 2, X509_ALT_URI = 6, X509_ALT_IP = 7 } kind;
    struct span value; /* IA5 text; 4 or 16 bytes of an address */
};
void x509_add_alt_names(struct x509_extensions *x,
                        const struct x509_alt_name *names, size_t count);

/* SHA-1 of the public key bits, RFC 5280 section 4.2.1.2 (1). */
enum { X509_KEY_ID_SIZE = 20 };
ASSAY_MUST_CHECK
enum assay_status x509_key_id(const struct key *key,
                              uint8_t id[X509_KEY_ID_SIZE],
                              struct assay_error *err);

/* --- certificates and lists ---------------------------------------------- */

struct cert_spec {
    struct span subject; /* DER of a Name */
    struct span issuer;  /* likewise; empty: the subject */
    /* Big-endian, up to 20 bytes; one zero byte gives serial 0. Empty: 127
     * bits from random (NULL: random_system), never zero. */
    struct span serial;
    const struct random_source *random;
    int64_t not_before; /* seconds since 1970 UTC */
    int64_t not_after;
    const struct key *key;    /* the subject's, public half suffices */
    const struct key *signer; /* NULL: key signs itself */
    enum signature_alg alg;   /* SIGNATURE_OTHER: key_signature_alg(signer) */
    bool pss_trailer;         /* spell out trailerField, which has a default */
    const struct x509_extensions *extensions; /* NULL: none */
};

/* Appends the DER of a v3 certificate. */
ASSAY_MUST_CHECK
enum assay_status cert_build(const struct cert_spec *spec, struct buffer *out,
                             struct assay_error *err);

struct crl_spec {
    struct span issuer; /* DER of a Name */
    int64_t this_update;
    int64_t next_update;
    const struct crl_entry *entries;
    size_t entry_count;
    const struct key *signer;
    enum signature_alg alg;
    bool pss_trailer;
    const struct x509_extensions *extensions; /* NULL: none */
};

/* Appends the DER of a v2 CRL. */
ASSAY_MUST_CHECK
enum assay_status crl_build(const struct crl_spec *spec, struct buffer *out,
                            struct assay_error *err);

#endif
