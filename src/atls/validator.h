/* The validator that a manifest defines: evidence is good when one of the
 * manifest's reference values accepts it and its identity (HOSTDATA) is an
 * entry of the manifest's Policies.
 *
 * Used by whoever asks for a coordinator (CLI, initializer) and by the
 * coordinator for its workloads. */
#ifndef ASSAY_ATLS_VALIDATOR_H
#define ASSAY_ATLS_VALIDATOR_H

#include "atls/atls.h"
#include "manifest/appraise.h"

/* What the validator leaves as struct atls_peer.result: the verdict with all
 * its checks, and who the peer is. Everything lives in the arena. */
struct atls_appraisal {
    struct arena arena;
    struct verdict verdict;
    struct manifest_identity identity;
};

/* Borrowed by the validator. */
struct atls_appraiser {
    const struct manifest_appraiser *appraiser;
    const struct clock *clock;
    /* Optional: hears of every verdict, accepted or not, on whatever thread
     * runs the handshake. For --explain and logs. */
    void (*observe)(void *ctx, const struct verdict *verdict);
    void *ctx;
};

void atls_validator_init(struct atls_validator *validator,
                         struct atls_appraiser *appraiser);

/* The appraisal of a peer that such a validator accepted, or NULL when no
 * validator was asked. */
const struct atls_appraisal *atls_peer_appraisal(const struct atls_peer *peer);

#endif
