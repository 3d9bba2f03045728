#include "service/guard.h"

#include <stdlib.h>

#include "service/guard_internal.h"

const char *
guard_phase_name(enum guard_phase phase)
{
    static const char *const names[] = {
        [GUARD_EMPTY] = "empty",
        [GUARD_NEEDS_RECOVERY] = "needs_recovery",
        [GUARD_ACTIVE] = "active",
        [GUARD_STALE] = "stale",
    };

    return names[phase];
}

/* --- states -------------------------------------------------------------- */

/* Successive states have one seed. */
struct shared_seed {
    atomic_uint pins;
    struct seed_engine *engine;
};

static void
seed_unpin(struct shared_seed *seed)
{
    if (!seed || atomic_fetch_sub(&seed->pins, 1) != 1)
        return;
    seed_engine_free(seed->engine);
    free(seed);
}

/* Takes over engine, also on failure. */
enum assay_status
guard_state_take_seed(struct guard_state *s, struct seed_engine *engine,
                      struct assay_error *err)
{
    struct shared_seed *seed = calloc(1, sizeof(*seed));

    if (!seed) {
        seed_engine_free(engine);
        return assay_nomem(err, "state");
    }
    atomic_init(&seed->pins, 1);
    seed->engine = engine;
    s->seed_pin = seed;
    s->seed = engine;
    return ASSAY_OK;
}

void
guard_state_share_seed(struct guard_state *s, const struct guard_state *from)
{
    (void)atomic_fetch_add(&from->seed_pin->pins, 1);
    s->seed_pin = from->seed_pin;
    s->seed = from->seed;
}

static void
state_free(struct guard_state *s)
{
    if (!s)
        return;
    manifest_appraiser_free(s->appraiser);
    ca_free(s->ca);
    seed_unpin(s->seed_pin);
    arena_drop(&s->arena);
    free(s);
}

const struct guard_state *
guard_pin_again(const struct guard_state *state)
{
    /* The count is the one part of a state that changes. */
    struct guard_state *s = (struct guard_state *)(uintptr_t)state;

    (void)atomic_fetch_add(&s->pins, 1);
    return state;
}

void
guard_unpin(const struct guard_state *state)
{
    struct guard_state *s = (struct guard_state *)(uintptr_t)state;

    if (s && atomic_fetch_sub(&s->pins, 1) == 1)
        state_free(s);
}

struct guard_state *
guard_state_new(void)
{
    struct guard_state *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    atomic_init(&s->pins, 1);
    arena_init(&s->arena, MANIFEST_ARENA_BYTES, NULL);
    return s;
}

/* A new mesh CA key for every state (CI sections 8.2 and 10.2). */
static enum assay_status
state_add_ca(const struct guard *g, struct guard_state *s,
             struct assay_error *err)
{
    struct key *mesh_key = NULL;
    enum assay_status st = key_generate(KEY_P384, &mesh_key, err);

    if (st == ASSAY_OK)
        st = ca_new(seed_engine_root_ca_key(s->seed), mesh_key,
                    clock_now(g->config.clock), g->config.random, NULL, &s->ca,
                    err);
    key_free(mesh_key);
    return st;
}

/* What a state needs beside its manifest, seed and head. */
enum assay_status
guard_state_complete(const struct guard *g, struct guard_state *s,
                     struct assay_error *err)
{
    enum assay_status st = manifest_appraiser_new(
        &s->manifest, &g->config.appraiser, &s->appraiser, err);

    return st == ASSAY_OK ? state_add_ca(g, s, err) : st;
}

/* --- the pointer --------------------------------------------------------- */

enum assay_status
guard_new(const struct guard_config *config, struct guard **out,
          struct assay_error *err)
{
    struct history_head head;
    enum assay_status st = history_get_head(config->store, &head, err);
    struct guard *g;

    if (st != ASSAY_OK && st != ASSAY_ERR_NOT_FOUND)
        return st;
    if (st == ASSAY_OK)
        history_settle_first(config->store);
    g = calloc(1, sizeof(*g));
    if (!g)
        return assay_nomem(err, "guard");
    g->config = *config;
    g->phase = st == ASSAY_OK ? GUARD_NEEDS_RECOVERY : GUARD_EMPTY;
    if (pthread_mutex_init(&g->commit, NULL) != 0 ||
        pthread_mutex_init(&g->pointer, NULL) != 0)
        abort(); /* on Linux they cannot fail */
    *out = g;
    return ASSAY_OK;
}

void
guard_free(struct guard *g)
{
    if (!g)
        return;
    guard_unpin(g->state);
    (void)pthread_mutex_destroy(&g->commit);
    (void)pthread_mutex_destroy(&g->pointer);
    free(g);
}

enum guard_phase
guard_phase(struct guard *g)
{
    enum guard_phase phase;

    (void)pthread_mutex_lock(&g->pointer);
    phase = g->phase;
    (void)pthread_mutex_unlock(&g->pointer);
    return phase;
}

const struct guard_state *
guard_pin(struct guard *g)
{
    const struct guard_state *s = NULL;

    (void)pthread_mutex_lock(&g->pointer);
    if (g->phase == GUARD_ACTIVE)
        s = guard_pin_again(g->state);
    (void)pthread_mutex_unlock(&g->pointer);
    return s;
}

bool
guard_is_current(struct guard *g, const struct guard_state *state)
{
    bool current;

    (void)pthread_mutex_lock(&g->pointer);
    current = g->phase == GUARD_ACTIVE && g->state == state;
    (void)pthread_mutex_unlock(&g->pointer);
    return current;
}

uint64_t
guard_generation(struct guard *g)
{
    const struct guard_state *s = guard_pin(g);
    uint64_t generation = s ? s->generation : 0;

    guard_unpin(s);
    return generation;
}

/* Takes over the caller's pin on state. */
void
guard_publish(struct guard *g, struct guard_state *state)
{
    struct guard_state *old;

    (void)pthread_mutex_lock(&g->pointer);
    old = g->state;
    g->state = state;
    g->phase = GUARD_ACTIVE;
    (void)pthread_mutex_unlock(&g->pointer);
    guard_unpin(old);
}

static void
set_phase(struct guard *g, enum guard_phase phase)
{
    (void)pthread_mutex_lock(&g->pointer);
    g->phase = phase;
    (void)pthread_mutex_unlock(&g->pointer);
}

/* --- keeping up with the store ------------------------------------------- */

bool
guard_heads_equal(const struct history_head *a, const struct history_head *b)
{
    return history_hash_equal(&a->transition, &b->transition);
}

/* The caller holds g->commit. */
enum assay_status
guard_reconcile_locked(struct guard *g, struct assay_error *err)
{
    enum guard_phase phase = guard_phase(g);
    struct history_head head;
    enum assay_status st;

    if (phase != GUARD_EMPTY && phase != GUARD_ACTIVE)
        return ASSAY_OK;
    st = history_get_head(g->config.store, &head, err);
    if (phase == GUARD_EMPTY) {
        /* Without a head, the transition of a first set that failed half way
         * is no sign of a lost one: we have watched since it was empty. */
        if (st != ASSAY_OK)
            return ASSAY_OK;
        set_phase(g, GUARD_NEEDS_RECOVERY);
        return assay_fail(err, ASSAY_ERR_CONFLICT,
                          "somebody else began a history in our store");
    }
    if (st == ASSAY_ERR_IO || st == ASSAY_ERR_NOMEM)
        return st;
    if (st == ASSAY_OK && guard_heads_equal(&head, &g->state->head))
        return ASSAY_OK;
    set_phase(g, GUARD_STALE);
    if (st == ASSAY_OK)
        return assay_fail(err, ASSAY_ERR_CONFLICT,
                          "the history in the store went on without us");
    return assay_context(err, ASSAY_ERR_CONFLICT,
                         "the history in the store is no longer ours");
}

enum assay_status
guard_reconcile(struct guard *g, struct assay_error *err)
{
    enum assay_status st;

    (void)pthread_mutex_lock(&g->commit);
    st = guard_reconcile_locked(g, err);
    (void)pthread_mutex_unlock(&g->commit);
    return st;
}

enum grpc_code
guard_fail(struct assay_error *err, enum grpc_code code, const char *text)
{
    (void)assay_fail(err, ASSAY_ERR_UNTRUSTED, "%s", text);
    return code;
}
