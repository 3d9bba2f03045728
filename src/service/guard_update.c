/* SetManifest: CI section 12.2. */
#include "service/guard.h"

#include <assert.h>
#include <string.h>

#include "base/hex.h"
#include "service/authority.h"
#include "service/guard_internal.h"

/* One update on its way. */
struct update {
    struct guard *g;
    const struct guard_update *in;
    const struct guard_state *base; /* pinned; NULL for the first set */
    struct guard_state *next;
    struct transition transition;
    struct history_hash hash; /* of transition */
    struct arena *arena;
    struct guard_set *out;
    struct assay_error *err;
};

/* Our own failures, whatever they are called, are INTERNAL to the caller. */
static enum grpc_code
internal(enum assay_status st)
{
    return st == ASSAY_OK ? GRPC_OK : GRPC_INTERNAL;
}

static enum grpc_code
input_code(enum assay_status st)
{
    switch (st) {
    case ASSAY_OK:
        return GRPC_OK;
    case ASSAY_ERR_UNTRUSTED:
        return GRPC_PERMISSION_DENIED;
    case ASSAY_ERR_NOMEM:
    case ASSAY_ERR_IO:
        return GRPC_INTERNAL;
    default:
        return GRPC_INVALID_ARGUMENT;
    }
}

static enum grpc_code
begin(struct update *u)
{
    struct guard *g = u->g;
    enum guard_phase phase;

    (void)pthread_mutex_lock(&g->pointer);
    phase = g->phase;
    if (phase == GUARD_ACTIVE)
        u->base = guard_pin_again(g->state);
    (void)pthread_mutex_unlock(&g->pointer);
    if (phase != GUARD_ACTIVE && phase != GUARD_EMPTY)
        return guard_fail(u->err, GRPC_FAILED_PRECONDITION,
                          "coordinator is in recovery mode");
    u->next = guard_state_new();
    return u->next ? GRPC_OK : internal(assay_nomem(u->err, "state"));
}

static enum grpc_code
hash(struct update *u)
{
    enum assay_status st =
        digest_sha256(u->in->manifest, u->transition.manifest.bytes, u->err);

    if (st != ASSAY_OK)
        return internal(st);
    if (u->base)
        u->transition.previous = u->base->head.transition;
    return internal(transition_hash(&u->transition, &u->hash, u->err));
}

/* Before the manifest is decoded, which for one of 4 MiB is work that no
 * stranger should be able to order: authority rests on its bytes alone. */
static enum grpc_code
authorise(struct update *u)
{
    struct authority_request request = { u->in->caller, u->in->signature,
                                         u->hash };

    if (!u->base)
        return GRPC_OK; /* trust on first use (CI section 12.2) */
    return input_code(
        authority_check_update(&u->base->manifest, &request, u->err));
}

static enum grpc_code
decode(struct update *u)
{
    enum assay_status st;

    assert(u->next); /* the first check made it */
    st = manifest_decode(u->in->manifest, &u->next->arena, &u->next->manifest,
                         u->err);
    return input_code(assay_context(u->err, st, "manifest"));
}

static enum grpc_code
keep_seedshare_owners(struct update *u)
{
    if (u->base &&
        !manifest_same_seedshare_owners(&u->base->manifest, &u->next->manifest))
        return guard_fail(u->err, GRPC_PERMISSION_DENIED,
                          "SeedshareOwnerPubKeys: an update must not change "
                          "the seedshare owners or their order");
    return GRPC_OK;
}

static enum grpc_code
compare_previous(struct update *u)
{
    struct span previous = u->in->previous;
    char got[2 * SHA256_SIZE + 1], want[2 * SHA256_SIZE + 1];

    if (previous.len == 0)
        return GRPC_OK;
    if (previous.len != SHA256_SIZE) {
        (void)assay_fail(u->err, ASSAY_ERR_MALFORMED,
                         "previous transition hash: got %zu bytes, want %d",
                         previous.len, SHA256_SIZE);
        return GRPC_INVALID_ARGUMENT;
    }
    if (span_equal(previous,
                   span_of(u->transition.previous.bytes, SHA256_SIZE)))
        return GRPC_OK;
    hex_encode(previous, got);
    hex_encode(span_of(u->transition.previous.bytes, SHA256_SIZE), want);
    (void)assay_fail(u->err, ASSAY_ERR_CONFLICT,
                     "the manifest has changed since last read: previous "
                     "transition is %s, not %s",
                     want, got);
    return GRPC_FAILED_PRECONDITION;
}

static enum grpc_code
validate(struct update *u)
{
    enum assay_status st = manifest_validate(&u->next->manifest, u->err);

    if (st == ASSAY_OK)
        st = manifest_check(&u->next->manifest, u->err);
    return input_code(assay_context(u->err, st, "manifest"));
}

/* Which document of the request is the policy with this hash? */
static bool
find_policy(const struct update *u, const uint8_t *hashes,
            const struct manifest_policy *entry, size_t *index)
{
    for (size_t i = 0; i < u->in->policy_count; i++) {
        if (memcmp(hashes + i * SHA256_SIZE, entry->hash, SHA256_SIZE) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

/* Fills wanted[i] with the document of the manifest's policy i. */
static enum grpc_code
match_policies(struct update *u, struct span *wanted)
{
    const struct manifest *m = &u->next->manifest;
    uint8_t *hashes =
        arena_array(u->arena, u->in->policy_count + 1, SHA256_SIZE);
    enum assay_status st;
    size_t index;

    if (!hashes)
        return internal(assay_nomem(u->err, "policies"));
    for (size_t i = 0; i < u->in->policy_count; i++) {
        st =
            digest_sha256(u->in->policies[i], hashes + i * SHA256_SIZE, u->err);
        if (st != ASSAY_OK)
            return GRPC_INTERNAL;
    }
    for (size_t i = 0; i < m->policy_count; i++) {
        char hex[2 * SHA256_SIZE + 1];

        if (find_policy(u, hashes, &m->policies[i], &index)) {
            wanted[i] = u->in->policies[index];
            continue;
        }
        hex_encode(span_of(m->policies[i].hash, SHA256_SIZE), hex);
        (void)assay_fail(u->err, ASSAY_ERR_NOT_FOUND,
                         "Policies: the request lacks the document of %s", hex);
        return GRPC_INTERNAL;
    }
    for (size_t i = 0; i < u->in->policy_count; i++)
        u->out->superfluous +=
            !manifest_policy_find(m, hashes + i * SHA256_SIZE);
    return GRPC_OK;
}

static enum grpc_code
make_share(struct update *u, const struct manifest_seedshare_owner *owner,
           struct guard_share *share)
{
    struct buffer cipher;
    enum assay_status st;

    buffer_init(&cipher, 4096, NULL);
    st = seed_share_encrypt(u->next->seed, span_str(owner->rsa_hex), &cipher,
                            u->err);
    if (st == ASSAY_OK) {
        share->public_key = arena_strdup(u->arena, span_str(owner->rsa_hex));
        if (!share->public_key ||
            !arena_dup(u->arena, buffer_span(&cipher), &share->encrypted_seed))
            st = assay_nomem(u->err, "seed share");
    }
    buffer_free(&cipher);
    return input_code(assay_context(u->err, st, "SeedshareOwnerPubKeys"));
}

static enum grpc_code
make_shares(struct update *u)
{
    const struct manifest *m = &u->next->manifest;
    struct guard_share *shares =
        arena_array(u->arena, m->seedshare_owner_count + 1, sizeof(*shares));

    if (!shares ||
        !arena_dup(u->arena, seed_engine_salt(u->next->seed), &u->out->salt))
        return internal(assay_nomem(u->err, "seed shares"));
    for (size_t i = 0; i < m->seedshare_owner_count; i++) {
        enum grpc_code code =
            make_share(u, &m->seedshare_owners[i], &shares[i]);

        if (code != GRPC_OK)
            return code;
    }
    u->out->shares = shares;
    u->out->share_count = m->seedshare_owner_count;
    return GRPC_OK;
}

static enum grpc_code
choose_seed(struct update *u)
{
    struct seed_engine *engine = NULL;
    enum assay_status st;

    if (u->base) {
        guard_state_share_seed(u->next, u->base);
        return GRPC_OK;
    }
    st = seed_engine_generate(u->g->config.random, NULL, &engine, u->err);
    if (st == ASSAY_OK)
        st = guard_state_take_seed(u->next, engine, u->err);
    return st == ASSAY_OK ? make_shares(u) : internal(st);
}

/* Everything that can fail without the store does so here. */
static enum grpc_code
prepare(struct update *u)
{
    enum grpc_code code = choose_seed(u);
    enum assay_status st;

    if (code != GRPC_OK)
        return code;
    u->next->generation = u->base ? u->base->generation + 1 : 1;
    st = guard_state_complete(u->g, u->next, u->err);
    if (st == ASSAY_ERR_UNTRUSTED) /* a manifest we may not appraise with */
        return GRPC_INVALID_ARGUMENT;
    if (st != ASSAY_OK)
        return input_code(st);
    return internal(
        history_sign_head(&u->hash, seed_engine_transaction_key(u->next->seed),
                          &u->next->head, u->err));
}

static enum grpc_code
store_objects(struct update *u, const struct span *policies)
{
    const struct store *store = u->g->config.store;
    struct history_hash hash;

    for (size_t i = 0; i < u->next->manifest.policy_count; i++) {
        if (history_put_policy(store, policies[i], &hash, u->err) != ASSAY_OK)
            return GRPC_INTERNAL;
    }
    if (history_put_manifest(store, u->in->manifest, &hash, u->err) != ASSAY_OK)
        return GRPC_INTERNAL;
    if (!u->base) {
        enum assay_status st = history_begin_first(store, u->err);

        if (st == ASSAY_ERR_CONFLICT)
            return GRPC_FAILED_PRECONDITION;
        if (st != ASSAY_OK)
            return GRPC_INTERNAL;
    }
    return internal(
        history_put_transition(store, &u->transition, &hash, u->err));
}

/* Is base still what the caller's update builds on? */
static bool
base_is_current(const struct update *u)
{
    if (u->base)
        return guard_is_current(u->g, u->base);
    return guard_phase(u->g) == GUARD_EMPTY;
}

static enum grpc_code
commit_locked(struct update *u)
{
    enum assay_status st;

    if (!base_is_current(u))
        return guard_fail(u->err, GRPC_FAILED_PRECONDITION,
                          "the manifest has changed since last read: another "
                          "update was first");
    st = history_swap_head(u->g->config.store, u->base ? &u->base->head : NULL,
                           &u->next->head, u->err);
    /* The head is durable, ours or another's. Where the note cannot be
     * settled, the next start does it. */
    if (!u->base && (st == ASSAY_OK || st == ASSAY_ERR_CONFLICT))
        history_settle_first(u->g->config.store);
    if (st == ASSAY_OK) {
        u->out->state = guard_pin_again(u->next);
        guard_publish(u->g, u->next);
        u->next = NULL;
        return GRPC_OK;
    }
    /* A failed write may still have happened: believe only the store. */
    (void)guard_reconcile_locked(u->g, NULL);
    return st == ASSAY_ERR_CONFLICT ? GRPC_FAILED_PRECONDITION : GRPC_INTERNAL;
}

static enum grpc_code
commit(struct update *u)
{
    enum grpc_code code;

    (void)pthread_mutex_lock(&u->g->commit);
    code = commit_locked(u);
    (void)pthread_mutex_unlock(&u->g->commit);
    return code;
}

static enum grpc_code
run_update(struct update *u)
{
    static enum grpc_code (*const checks[])(struct update *) = {
        begin,
        hash,
        authorise,
        decode,
        keep_seedshare_owners,
        compare_previous,
        validate,
    };
    struct span *policies;
    enum grpc_code code;

    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        code = checks[i](u);
        if (code != GRPC_OK)
            return code;
    }
    policies = arena_array(u->arena, u->next->manifest.policy_count + 1,
                           sizeof(*policies));
    if (!policies)
        return internal(assay_nomem(u->err, "policies"));
    code = match_policies(u, policies);
    if (code == GRPC_OK)
        code = prepare(u);
    if (code == GRPC_OK)
        code = store_objects(u, policies);
    return code == GRPC_OK ? commit(u) : code;
}

enum grpc_code
guard_set_manifest(struct guard *g, const struct guard_update *update,
                   struct arena *arena, struct guard_set *out,
                   struct assay_error *err)
{
    struct guard_set result = { 0 };
    struct update u = {
        .g = g, .in = update, .arena = arena, .out = &result, .err = err
    };
    enum grpc_code code = run_update(&u);

    guard_unpin(u.base);
    guard_unpin(u.next); /* only where it did not become the state */
    if (code != GRPC_OK)
        return code;
    *out = result;
    return GRPC_OK;
}
