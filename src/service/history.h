/* The history of manifests: a hash chain whose head is signed.
 *
 * CI section 11. Objects are content-addressed; every read recomputes the
 * hash, so a damaged object is an error and never another object. The head,
 * "transitions/latest", is the one key that changes, by compare-and-swap.
 *
 * Errors beyond the store's: ASSAY_ERR_MALFORMED for an object that does not
 * hash to its name and for a head of 32 bytes or fewer; ASSAY_ERR_LIMIT for a
 * chain of more than LIMIT_HISTORY_LENGTH; ASSAY_ERR_UNTRUSTED for a head whose
 * signature does not verify. */
#ifndef ASSAY_SERVICE_HISTORY_H
#define ASSAY_SERVICE_HISTORY_H

#include "crypto/key.h"
#include "store/store.h"

enum {
    TRANSITION_SIZE = 64,
    HISTORY_SIGNATURE_MAX = 128, /* ECDSA P-384 in DER is at most 104 */
};

/* All zero: "nothing before this". */
struct history_hash {
    uint8_t bytes[SHA256_SIZE];
};

bool history_hash_equal(const struct history_hash *a,
                        const struct history_hash *b);
bool history_hash_is_zero(const struct history_hash *h);

/* One step of the history; 64 bytes in the store. */
struct transition {
    struct history_hash manifest;
    struct history_hash previous;
};

/* The head: which transition is the latest, and the coordinator's word. */
struct history_head {
    struct history_hash transition;
    uint8_t signature[HISTORY_SIGNATURE_MAX]; /* ASN.1 DER */
    size_t signature_len;
};

ASSAY_MUST_CHECK
enum assay_status transition_hash(const struct transition *t,
                                  struct history_hash *out,
                                  struct assay_error *err);

/* What a workload owner signs to authorise transition h (CI section 12.3 b):
 * SHA-256 of the 64 lower-case hex digits of h. */
ASSAY_MUST_CHECK
enum assay_status history_approval_digest(const struct history_hash *h,
                                          uint8_t digest[SHA256_SIZE],
                                          struct assay_error *err);

/* Store an object under its hash, durable on return. */
ASSAY_MUST_CHECK
enum assay_status history_put_manifest(const struct store *s,
                                       struct span manifest,
                                       struct history_hash *out,
                                       struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status history_put_policy(const struct store *s, struct span policy,
                                     struct history_hash *out,
                                     struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status history_put_transition(const struct store *s,
                                         const struct transition *t,
                                         struct history_hash *out,
                                         struct assay_error *err);

/* Read an object back; *out is appended to. */
ASSAY_MUST_CHECK
enum assay_status history_get_manifest(const struct store *s,
                                       const struct history_hash *hash,
                                       struct buffer *out,
                                       struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status history_get_policy(const struct store *s,
                                     const struct history_hash *hash,
                                     struct buffer *out,
                                     struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status history_get_transition(const struct store *s,
                                         const struct history_hash *hash,
                                         struct transition *out,
                                         struct assay_error *err);

/* The head. ASSAY_ERR_NOT_FOUND means that no manifest was ever set: when
 * there are transitions but no head, something took the head away, and that
 * is ASSAY_ERR_MALFORMED with what to do about it; unless the first set is
 * known not to have come as far as its head. */
ASSAY_MUST_CHECK
enum assay_status history_get_head(const struct store *s,
                                   struct history_head *out,
                                   struct assay_error *err);

/* Makes the head for a transition. */
ASSAY_MUST_CHECK
enum assay_status history_sign_head(const struct history_hash *transition,
                                    const struct key *signing_key,
                                    struct history_head *out,
                                    struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status history_verify_head(const struct history_head *head,
                                      const struct key *signing_key,
                                      struct assay_error *err);

/* The first set writes transitions before there is a head. A note in the
 * store, "history/first", is written before and settled after it, so that a
 * crash in between is not taken for a lost head, nor a lost head for a crash.
 * It is no part of the history: a store without the note is complete.
 *
 * history_begin_first: ASSAY_ERR_CONFLICT when there is a head already.
 * history_settle_first: does nothing where there is no note. It may fail, on a
 * full disk for example; it is called again at the next start. */
ASSAY_MUST_CHECK
enum assay_status history_begin_first(const struct store *s,
                                      struct assay_error *err);
void history_settle_first(const struct store *s);

/* Swings the head. old is NULL for the first; ASSAY_ERR_CONFLICT when it is
 * no longer what the store holds. */
ASSAY_MUST_CHECK
enum assay_status history_swap_head(const struct store *s,
                                    const struct history_head *old,
                                    const struct history_head *head,
                                    struct assay_error *err);

/* Return false to stop; history_walk then ends with ASSAY_OK. */
typedef bool history_visitor(void *ctx, const struct history_hash *hash,
                             const struct transition *t);

/* Visits the transition from and all before it, latest first. */
ASSAY_MUST_CHECK
enum assay_status history_walk(const struct store *s,
                               const struct history_hash *from,
                               history_visitor *visit, void *ctx,
                               struct assay_error *err);

/* Number of transitions from the given one down to the first. */
ASSAY_MUST_CHECK
enum assay_status history_count(const struct store *s,
                                const struct history_hash *from,
                                uint64_t *count, struct assay_error *err);

#endif
