/* Recovery by a user who holds the seed: CI section 9.4. */
#include "service/guard.h"

#include <assert.h>

#include "base/limits.h"
#include "service/authority.h"
#include "service/guard_internal.h"

struct recovery {
    struct guard *g;
    const struct guard_recovery *in;
    struct guard_state *next;
    struct assay_error *err;
};

static enum grpc_code
recovery_begin(struct recovery *r)
{
    switch (guard_phase(r->g)) {
    case GUARD_EMPTY:
        return guard_fail(r->err, GRPC_FAILED_PRECONDITION,
                          "no state to recover from");
    case GUARD_ACTIVE:
        return guard_fail(r->err, GRPC_FAILED_PRECONDITION,
                          "coordinator is already recovered");
    default:
        break;
    }
    if (r->in->seed.len < SEED_SIZE_MIN || r->in->seed.len > SEED_SIZE ||
        r->in->salt.len != SEED_SALT_SIZE) {
        (void)assay_fail(r->err, ASSAY_ERR_MALFORMED,
                         "seed of %zu bytes and salt of %zu, want %d to %d "
                         "and %d",
                         r->in->seed.len, r->in->salt.len, SEED_SIZE_MIN,
                         SEED_SIZE, SEED_SALT_SIZE);
        return GRPC_INVALID_ARGUMENT;
    }
    r->next = guard_state_new();
    if (!r->next) {
        (void)assay_nomem(r->err, "state");
        return GRPC_UNKNOWN;
    }
    return GRPC_OK;
}

/* Reads head, transition and manifest, none of which is verified yet. */
static enum assay_status
recovery_load(struct recovery *r)
{
    const struct store *store = r->g->config.store;
    struct guard_state *s = r->next;
    struct transition t;
    struct buffer bytes;
    enum assay_status st = history_get_head(store, &s->head, r->err);

    if (st == ASSAY_OK)
        st = history_get_transition(store, &s->head.transition, &t, r->err);
    if (st != ASSAY_OK)
        return st;
    buffer_init(&bytes, LIMIT_MANIFEST_BYTES, NULL);
    st = history_get_manifest(store, &t.manifest, &bytes, r->err);
    if (st == ASSAY_OK)
        st =
            manifest_load(buffer_span(&bytes), &s->arena, &s->manifest, r->err);
    buffer_free(&bytes);
    return st;
}

static enum assay_status
recovery_verify(struct recovery *r)
{
    struct guard_state *s = r->next;
    struct seed_engine *engine = NULL;
    enum assay_status st;

    assert(s); /* recovery_begin made it */
    st = seed_engine_new(r->in->seed, r->in->salt, NULL, &engine, r->err);

    if (st == ASSAY_OK)
        st = guard_state_take_seed(s, engine, r->err);
    if (st != ASSAY_OK)
        return st;
    st = history_verify_head(&s->head, seed_engine_transaction_key(s->seed),
                             r->err);
    if (st == ASSAY_ERR_UNTRUSTED)
        return assay_fail(r->err, st,
                          "seed or salt is wrong: the latest transition is "
                          "not signed with the key that they make");
    if (st == ASSAY_OK)
        st = history_count(r->g->config.store, &s->head.transition,
                           &s->generation, r->err);
    return st == ASSAY_OK ? guard_state_complete(r->g, s, r->err) : st;
}

static enum grpc_code
recovery_commit_locked(struct recovery *r)
{
    enum guard_phase phase = guard_phase(r->g);
    struct history_head now;
    enum assay_status st;

    if (phase == GUARD_ACTIVE)
        return guard_fail(r->err, GRPC_FAILED_PRECONDITION,
                          "coordinator is already recovered");
    st = history_get_head(r->g->config.store, &now, r->err);
    if (st != ASSAY_OK)
        return GRPC_UNKNOWN;
    if (!guard_heads_equal(&now, &r->next->head))
        return guard_fail(r->err, GRPC_UNKNOWN,
                          "the history changed during recovery: try again");
    guard_publish(r->g, r->next);
    r->next = NULL;
    return GRPC_OK;
}

static enum grpc_code
run_recovery(struct recovery *r)
{
    enum grpc_code code = recovery_begin(r);

    if (code != GRPC_OK)
        return code;
    if (recovery_load(r) != ASSAY_OK)
        return GRPC_UNKNOWN;
    if (authority_check_recovery(&r->next->manifest, r->in->caller, r->err) !=
        ASSAY_OK)
        return GRPC_PERMISSION_DENIED;
    if (recovery_verify(r) != ASSAY_OK)
        return GRPC_UNKNOWN;
    (void)pthread_mutex_lock(&r->g->commit);
    code = recovery_commit_locked(r);
    (void)pthread_mutex_unlock(&r->g->commit);
    return code;
}

enum grpc_code
guard_recover(struct guard *g, const struct guard_recovery *recovery,
              struct assay_error *err)
{
    struct recovery r = { .g = g, .in = recovery, .err = err };
    enum grpc_code code = run_recovery(&r);

    guard_unpin(r.next);
    return code;
}
