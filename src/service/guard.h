/* The guard: the coordinator's state machine (CI section 12).
 *
 * What the coordinator is at a moment, its seed, certificate authority and
 * manifest, is one immutable struct guard_state behind one pointer. A request
 * pins the state it starts with. An update is prepared completely, made
 * durable by compare-and-swap in the store, and only then becomes visible.
 *
 * Calls may block on the store and on the processor, so they belong on worker
 * threads; they are safe from several at once. Refusals are gRPC codes
 * (CI section 3.1) with the sentence in *err. */
#ifndef ASSAY_SERVICE_GUARD_H
#define ASSAY_SERVICE_GUARD_H

#include <stdatomic.h>

#include "base/clock.h"
#include "manifest/appraise.h"
#include "net/grpc.h"
#include "service/ca.h"
#include "service/history.h"
#include "service/seed.h"

enum guard_phase {
    GUARD_EMPTY,          /* no history: the first SetManifest may come */
    GUARD_NEEDS_RECOVERY, /* a history, and nobody here knows its seed */
    GUARD_ACTIVE,
    GUARD_STALE, /* the store moved on without us: only recovery helps */
};

struct guard_state {
    struct manifest manifest;
    struct manifest_appraiser *appraiser;
    const struct seed_engine *seed;
    struct ca *ca;
    struct history_head head;
    uint64_t generation; /* transitions so far, this one included */

    /* Private to guard.c. */
    atomic_uint pins;
    struct arena arena;           /* the manifest's */
    struct shared_seed *seed_pin; /* outlives the states that share it */
};

struct guard_config {
    const struct store *store; /* borrowed, as all below */
    const struct clock *clock;
    const struct random_source *random;
    struct manifest_appraiser_config appraiser;
};

struct guard;

/* Looks into the store: a history there means GUARD_NEEDS_RECOVERY, so that a
 * restart never starts a second one. Fails when the store cannot be read or
 * has lost its head. */
ASSAY_MUST_CHECK
enum assay_status guard_new(const struct guard_config *config,
                            struct guard **out, struct assay_error *err);
void guard_free(struct guard *g); /* NULL is fine; no state may be pinned */

enum guard_phase guard_phase(struct guard *g);
const char *guard_phase_name(enum guard_phase phase);
uint64_t guard_generation(struct guard *g); /* 0 unless active */

/* The state that serves, or NULL when there is none. Pinned: unpin it. */
const struct guard_state *guard_pin(struct guard *g);
const struct guard_state *guard_pin_again(const struct guard_state *state);
void guard_unpin(const struct guard_state *state); /* NULL is fine */

/* Is this the state that serves now? */
bool guard_is_current(struct guard *g, const struct guard_state *state);

struct guard_update {
    struct span manifest; /* untrusted, as all below */
    const struct span *policies;
    size_t policy_count;
    struct span previous;     /* a transition hash; empty: not compared */
    struct span signature;    /* a workload owner's; may be empty */
    const struct key *caller; /* proven by TLS; NULL: none */
};

struct guard_share {
    const char *public_key; /* hex, as in the manifest; in the arena */
    struct span encrypted_seed;
};

struct guard_set {
    const struct guard_state *state; /* pinned for the caller */
    const struct guard_share *shares;
    size_t share_count;
    struct span salt;   /* empty unless this was the first set */
    size_t superfluous; /* policies that no entry names; not stored */
};

/* SetManifest. *out is written with GRPC_OK only; what it points to is in the
 * arena.
 *
 * GRPC_INVALID_ARGUMENT     manifest or seedshare owner key malformed
 * GRPC_PERMISSION_DENIED    not authorised, or seedshare owners would change
 * GRPC_FAILED_PRECONDITION  recovery mode, or somebody else was first
 * GRPC_INTERNAL             a policy is missing, or the store failed */
ASSAY_MUST_CHECK
enum grpc_code guard_set_manifest(struct guard *g,
                                  const struct guard_update *update,
                                  struct arena *arena, struct guard_set *out,
                                  struct assay_error *err);

struct guard_recovery {
    struct span seed; /* secret; the caller wipes it */
    struct span salt;
    const struct key *caller;
};

/* Recover, by a user who holds the seed (CI section 9.4).
 *
 * GRPC_FAILED_PRECONDITION  nothing to recover, or already recovered
 * GRPC_INVALID_ARGUMENT     seed or salt of the wrong length
 * GRPC_PERMISSION_DENIED    the caller is not a seedshare owner
 * GRPC_UNKNOWN              the seed is wrong, or something else failed */
ASSAY_MUST_CHECK
enum grpc_code guard_recover(struct guard *g,
                             const struct guard_recovery *recovery,
                             struct assay_error *err);

/* Compares the store's head with the state's. ASSAY_ERR_CONFLICT, once, when
 * the state has just become stale; ASSAY_ERR_IO and others when the store
 * could not be read, which changes nothing. For a timer. */
ASSAY_MUST_CHECK
enum assay_status guard_reconcile(struct guard *g, struct assay_error *err);

#endif
