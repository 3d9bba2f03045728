/* Whom we believe: the vendor's root keys, pinned by digest, and roots that a
 * user added on purpose.
 *
 * Vendor pins are numbers in the source, not files. An added anchor makes
 * every verdict that rests on it insecure, and every rendering says so. */
#ifndef ASSAY_EVIDENCE_TRUST_H
#define ASSAY_EVIDENCE_TRUST_H

#include "base/alloc.h"
#include "base/error.h"
#include "evidence/snp_product.h"

enum { TRUST_ANCHORS_MAX = 16 };

enum trust_root {
    TRUST_ROOT_AMD = 0, /* "ARK-<product>" */
    TRUST_ROOT_INTEL,   /* "Intel SGX Root CA" */
};

struct trust_anchor {
    enum trust_root root;
    enum snp_product product; /* AMD: from the name; else UNKNOWN */
    bool vendor;              /* its key is the vendor's pinned one */
    uint8_t spki_sha256[32];
    uint8_t *owned;  /* memory of der */
    struct span der; /* the certificate */
};

/* All zero: the vendor's pins alone. Copies nothing it does not own. */
struct trust_anchors {
    struct trust_anchor extra[TRUST_ANCHORS_MAX];
    size_t count;
};

/* Adds the certificates of a file (PEM with one or many, or DER). Each must be
 * self-issued and named as enum trust_root says. One with the vendor's own key
 * is kept as a copy of that root and makes nothing insecure.
 *
 * ASSAY_ERR_MALFORMED  not a certificate, or none in the file
 * ASSAY_ERR_UNTRUSTED  a certificate that cannot be a root of either vendor
 * ASSAY_ERR_LIMIT      more than TRUST_ANCHORS_MAX */
ASSAY_MUST_CHECK
enum assay_status trust_anchors_add(struct trust_anchors *t, struct span file,
                                    struct assay_error *err);
void trust_anchors_wipe(struct trust_anchors *t);

enum trust_kind {
    TRUST_NONE = 0,
    TRUST_EXTRA,  /* an anchor somebody added: insecure */
    TRUST_VENDOR, /* the vendor's pinned key */
};

/* Is the key with this digest a root of this product? t may be NULL. */
enum trust_kind trust_find(const struct trust_anchors *t,
                           enum snp_product product,
                           const uint8_t spki_sha256[32]);
enum trust_kind trust_find_intel(const struct trust_anchors *t,
                                 const uint8_t spki_sha256[32]);
/* The certificates of Intel's name that were added, one by one: NULL behind
 * the last. The vendor's root completes chains that come without it. */
const struct trust_anchor *trust_intel_at(const struct trust_anchors *t,
                                          size_t i);

#endif
