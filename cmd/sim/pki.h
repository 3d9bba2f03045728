/* The simulated vendor's keys and certificates, in a state directory.
 *
 *   DIR/ark-<P>.pem      the trust anchor to hand to verifiers
 *   DIR/secret           what chips' keys are derived from (mode 0600)
 *   DIR/chips/<P>-<id>   one empty file per chip that was ever switched on
 *   DIR/<P>/state        generations and revocations, written last
 *   DIR/<P>/{ark,ask-N,asvk-N}.{key,pem}, DIR/<P>/crl-N.der
 *
 * The vendor's service and the simulated processors share the directory and
 * need no other talk: a chip's key follows from secret, chip id and TCB, as a
 * real VCEK follows from fuses and firmware. Changes are made under a lock and
 * become visible with the state file; several processes may work on it. */
#ifndef ASSAY_SIM_PKI_H
#define ASSAY_SIM_PKI_H

#include "sim/cert.h"

enum { PKI_NEWEST = 0, PKI_GENERATIONS_MAX = 64 };

/* Makes what is missing for one product; three RSA-4096 keys take seconds. */
ASSAY_MUST_CHECK
enum assay_status pki_create(const char *dir, const struct product *p,
                             int64_t now, struct assay_error *err);

/* A chip of some product at some TCB, or a provider's loaded key. */
struct pki_leaf {
    const struct product *product;
    struct tcb tcb;
    uint8_t chip_id[CHIP_ID_SIZE];
    const char *csp_id;  /* not NULL: the VLEK of this provider */
    unsigned generation; /* of the ASK or ASVK that signs; PKI_NEWEST */
};

ASSAY_MUST_CHECK
enum assay_status pki_leaf_key(const char *dir, const struct pki_leaf *leaf,
                               struct key **out, struct assay_error *err);

/* Appends the DER of a certificate issued now. */
ASSAY_MUST_CHECK
enum assay_status pki_leaf_cert(const char *dir, const struct pki_leaf *leaf,
                                int64_t now, struct buffer *der,
                                struct assay_error *err);

/* ASSAY_ERR_NOT_FOUND for a generation that was never made. */
ASSAY_MUST_CHECK
enum assay_status pki_ca_pem(const char *dir, const struct product *p,
                             enum ca_role role, unsigned generation,
                             struct buffer *pem, struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status pki_ca_der(const char *dir, const struct product *p,
                             enum ca_role role, unsigned generation,
                             struct buffer *der, struct assay_error *err);

/* The published list, or one made now when that is more than 300 days old or
 * from the future. */
ASSAY_MUST_CHECK
enum assay_status pki_crl(const char *dir, const struct product *p, int64_t now,
                          struct buffer *der, struct assay_error *err);

/* Puts the newest ASK or ASVK on the list and makes its successor. */
ASSAY_MUST_CHECK
enum assay_status pki_revoke(const char *dir, const struct product *p,
                             enum ca_role role, int64_t now,
                             struct assay_error *err);

/* A chip exists for the vendor's service once it was switched on. */
ASSAY_MUST_CHECK
enum assay_status pki_chip_register(const char *dir, const struct product *p,
                                    const uint8_t chip_id[CHIP_ID_SIZE],
                                    struct assay_error *err);
bool pki_chip_known(const char *dir, const struct product *p,
                    const uint8_t chip_id[CHIP_ID_SIZE]);

#endif
