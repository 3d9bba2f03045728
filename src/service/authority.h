/* Who may do what: changing the manifest, recovering, getting certificates.
 *
 * Pure decisions over a manifest and proven keys; whoever calls has checked
 * that the key belongs to the caller. */
#ifndef ASSAY_SERVICE_AUTHORITY_H
#define ASSAY_SERVICE_AUTHORITY_H

#include "crypto/key.h"
#include "manifest/manifest.h"
#include "service/history.h"

struct authority_request {
    const struct key *caller;       /* proven by TLS; NULL: none */
    struct span signature;          /* ASN.1 DER over the approval; or empty */
    struct history_hash transition; /* that the update would make */
};

/* May this update replace the active manifest (CI section 12.3)? Either of
 * the caller's key and the detached signature suffices.
 *
 * ASSAY_ERR_UNTRUSTED  no, and why */
ASSAY_MUST_CHECK
enum assay_status authority_check_update(const struct manifest *active,
                                         const struct authority_request *r,
                                         struct assay_error *err);

/* Is the caller a seedshare owner of this manifest (CI section 9.4, step 4)?
 * ASSAY_ERR_UNTRUSTED  no */
ASSAY_MUST_CHECK
enum assay_status authority_check_recovery(const struct manifest *latest,
                                           const struct key *caller,
                                           struct assay_error *err);

#endif
