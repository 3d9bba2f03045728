/* Between the files of the guard: the pointer (guard.c), SetManifest
 * (guard_update.c) and Recover (guard_recover.c). */
#ifndef ASSAY_SERVICE_GUARD_INTERNAL_H
#define ASSAY_SERVICE_GUARD_INTERNAL_H

#include <pthread.h>

#include "service/guard.h"

struct guard {
    struct guard_config config;
    /* Held from the comparison with the store to the swap of the pointer, so
     * that what is visible never runs behind what we ourselves made durable. */
    pthread_mutex_t commit;
    pthread_mutex_t pointer; /* guards the two below; held for moments */
    struct guard_state *state;
    enum guard_phase phase;
};

/* An empty state with one pin, or NULL. */
struct guard_state *guard_state_new(void);

/* Takes over engine, also on failure. */
ASSAY_MUST_CHECK
enum assay_status guard_state_take_seed(struct guard_state *s,
                                        struct seed_engine *engine,
                                        struct assay_error *err);
void guard_state_share_seed(struct guard_state *s,
                            const struct guard_state *from);

/* Adds what a state needs beside manifest, seed and head. */
ASSAY_MUST_CHECK
enum assay_status guard_state_complete(const struct guard *g,
                                       struct guard_state *s,
                                       struct assay_error *err);

/* Makes state the one that serves; takes over the caller's pin on it. The
 * caller holds g->commit. */
void guard_publish(struct guard *g, struct guard_state *state);

/* guard_reconcile() for a caller that holds g->commit. What it finds shows in
 * the phase, so the status may be ignored. */
enum assay_status guard_reconcile_locked(struct guard *g,
                                         struct assay_error *err);

bool guard_heads_equal(const struct history_head *a,
                       const struct history_head *b);

/* Records the sentence and returns the code. */
enum grpc_code guard_fail(struct assay_error *err, enum grpc_code code,
                          const char *text);

#endif
