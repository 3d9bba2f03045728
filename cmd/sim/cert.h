/* Certificates and revocation lists of AMD's exact shape.
 *
 * Names, their string types, the order of extensions, algorithm parameters and
 * serial numbers are those of the published certificates; only keys, and with
 * them signatures and key identifiers, are ours. Source: AMD 57230. */
#ifndef ASSAY_SIM_CERT_H
#define ASSAY_SIM_CERT_H

#include "crypto/key.h"
#include "sim/product.h"

enum { CERT_DER_MAX = 16 * 1024, CRL_DER_MAX = 64 * 1024, CN_SIZE = 32 };

enum ca_role { CA_ARK, CA_ASK, CA_ASVK };

/* "ARK-Milan", "SEV-Milan", "SEV-VLEK-Milan". */
void ca_common_name(const struct product *p, enum ca_role role,
                    char out[CN_SIZE]);

/* generation counts from 1; a revoked ASK or ASVK gets a successor. */
uint32_t ca_serial(const struct product *p, enum ca_role role,
                   unsigned generation);

struct ca_params {
    const struct product *product;
    enum ca_role role;
    unsigned generation;
    int64_t not_before;    /* valid 25 years */
    const struct key *key; /* RSA-4096; only its public half is used */
    const struct key *ark; /* signs; the same as key for the ARK */
};

/* What is signed, and the whole. The first needs public keys only, so that
 * tests can compare it with AMD's own bytes. */
ASSAY_MUST_CHECK
enum assay_status ca_tbs_encode(const struct ca_params *params,
                                struct buffer *tbs, struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status ca_encode(const struct ca_params *params, struct buffer *der,
                            struct assay_error *err);

struct leaf_params {
    const struct product *product;
    struct tcb tcb;
    struct span hwid;   /* VCEK: the product's hwid_size bytes */
    const char *csp_id; /* VLEK: "CN=cc-us-east-2.amazonaws.com"; else NULL */
    int64_t not_before; /* VCEK valid 7 years, VLEK 1 */
    const struct key *key;    /* P-384; only its public half is used */
    const struct key *issuer; /* the ASK, or the ASVK for a VLEK */
};

ASSAY_MUST_CHECK
enum assay_status leaf_tbs_encode(const struct leaf_params *params,
                                  struct buffer *tbs, struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status leaf_encode(const struct leaf_params *params,
                              struct buffer *der, struct assay_error *err);

struct crl_line {
    uint32_t serial;
    int64_t revoked_at;
};

struct crl_params {
    const struct product *product;
    unsigned number;
    int64_t this_update; /* next update a year later, 23:00 */
    const struct crl_line *entries;
    size_t entry_count;
    const struct key *ark;
};

ASSAY_MUST_CHECK
enum assay_status crl_tbs_encode(const struct crl_params *params,
                                 struct buffer *tbs, struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status crl_encode(const struct crl_params *params,
                             struct buffer *der, struct assay_error *err);

#endif
