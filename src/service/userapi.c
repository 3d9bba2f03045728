#include "service/userapi.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "codec/wire.h"
#include "crypto/secret.h"
#include "userapi.pb-c.h"

/* --- SetManifest --------------------------------------------------------- */

static enum assay_status
pack_set(const struct guard_set *set, struct arena *arena,
         struct buffer *response, struct assay_error *err)
{
    Userapi__SetManifestResponse m = USERAPI__SET_MANIFEST_RESPONSE__INIT;
    Userapi__SeedShareDocument doc = USERAPI__SEED_SHARE_DOCUMENT__INIT;

    m.rootca = wire_bytes(ca_root_pem(set->state->ca));
    m.meshca = wire_bytes(ca_mesh_pem(set->state->ca));
    if (set->salt.len > 0) {
        Userapi__SeedShare *shares =
            arena_array(arena, set->share_count + 1, sizeof(*shares));
        Userapi__SeedShare **list =
            arena_array(arena, set->share_count + 1, sizeof(*list));

        if (!shares || !list)
            return assay_nomem(err, "response");
        for (size_t i = 0; i < set->share_count; i++) {
            userapi__seed_share__init(&shares[i]);
            shares[i].publickey =
                arena_strdup(arena, span_str(set->shares[i].public_key));
            shares[i].encryptedseed = wire_bytes(set->shares[i].encrypted_seed);
            if (!shares[i].publickey)
                return assay_nomem(err, "response");
            list[i] = &shares[i];
        }
        doc.seedshares = list;
        doc.n_seedshares = set->share_count;
        doc.salt = wire_bytes(set->salt);
        m.seedsharesdoc = &doc;
    }
    return wire_pack(&m.base, response, err);
}

static enum grpc_code
set_manifest(struct guard *g, const struct userapi_call *call,
             struct arena *arena, struct buffer *response,
             struct userapi_set_note *note, struct assay_error *err)
{
    const Userapi__SetManifestRequest *m = (const void *)wire_unpack(
        &userapi__set_manifest_request__descriptor, call->request, arena, err);
    struct guard_update update = { .caller = call->caller };
    struct guard_set set;
    struct span *policies;
    enum grpc_code code;

    if (!m)
        return GRPC_INVALID_ARGUMENT;
    if (m->n_policies > LIMIT_POLICIES) {
        (void)assay_fail(err, ASSAY_ERR_LIMIT,
                         "Policies: %zu documents, want at most %d",
                         m->n_policies, LIMIT_POLICIES);
        return GRPC_INVALID_ARGUMENT;
    }
    policies = arena_array(arena, m->n_policies + 1, sizeof(*policies));
    if (!policies) {
        (void)assay_nomem(err, "request");
        return GRPC_INTERNAL;
    }
    for (size_t i = 0; i < m->n_policies; i++)
        policies[i] = wire_span(m->policies[i]);
    update.manifest = wire_span(m->manifest);
    update.policies = policies;
    update.policy_count = m->n_policies;
    update.previous = wire_span(m->previoustransitionhash);
    update.signature = wire_span(m->signature);
    code = guard_set_manifest(g, &update, arena, &set, err);
    if (code != GRPC_OK)
        return code;
    *note = (struct userapi_set_note){ set.state->head.transition,
                                       set.state->generation, set.superfluous };
    if (pack_set(&set, arena, response, err) != ASSAY_OK)
        code = GRPC_INTERNAL;
    guard_unpin(set.state);
    return code;
}

enum grpc_code
userapi_set_manifest(struct guard *g, const struct userapi_call *call,
                     struct buffer *response, struct userapi_set_note *note,
                     struct assay_error *err)
{
    struct arena arena;
    enum grpc_code code;

    arena_init(&arena, LIMIT_REQUEST_ARENA_BYTES, NULL);
    code = set_manifest(g, call, &arena, response, note, err);
    arena_drop(&arena);
    return code;
}

/* --- GetManifests -------------------------------------------------------- */

/* The history as it is collected: hashes first, then the objects. */
struct collection {
    const struct store *store;
    struct arena arena;
    struct history_hash *manifests; /* oldest last, as the walk goes */
    size_t manifest_count;
    size_t manifest_cap;
    bool nomem;
    ProtobufCBinaryData *policies;
    struct history_hash *policy_hashes; /* sorted */
    size_t policy_count;
};

static bool
collect_transition(void *ctx, const struct history_hash *hash,
                   const struct transition *t)
{
    struct collection *c = ctx;

    (void)hash;
    if (c->manifest_count == c->manifest_cap) {
        c->nomem = true;
        return false;
    }
    c->manifests[c->manifest_count++] = t->manifest;
    return true;
}

static enum assay_status
collect_hashes(struct collection *c, const struct guard_state *state,
               struct assay_error *err)
{
    enum assay_status st;

    c->manifest_cap = (size_t)state->generation;
    c->manifests =
        arena_array(&c->arena, c->manifest_cap, sizeof(*c->manifests));
    if (!c->manifests)
        return assay_nomem(err, "history");
    st = history_walk(c->store, &state->head.transition, collect_transition, c,
                      err);
    if (st == ASSAY_OK && c->nomem)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "history: longer than its %llu generations",
                          (unsigned long long)state->generation);
    return st;
}

/* Reads one object into the collection's arena. */
static enum assay_status
collect_object(struct collection *c, bool is_policy,
               const struct history_hash *hash, ProtobufCBinaryData *out,
               struct assay_error *err)
{
    struct buffer bytes;
    struct span copy = { 0 };
    enum assay_status st;

    buffer_init(&bytes, LIMIT_STORE_VALUE_BYTES, NULL);
    st = is_policy ? history_get_policy(c->store, hash, &bytes, err)
                   : history_get_manifest(c->store, hash, &bytes, err);
    if (st == ASSAY_OK && !arena_dup(&c->arena, buffer_span(&bytes), &copy))
        st = assay_nomem(err, "history");
    if (st == ASSAY_OK)
        *out = wire_bytes(copy);
    buffer_free(&bytes);
    return st;
}

/* Adds hash to a sorted list where it is not there yet. */
static bool
insert_hash(struct collection *c, const struct history_hash *hash)
{
    size_t low = 0, high = c->policy_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order =
            memcmp(c->policy_hashes[mid].bytes, hash->bytes, SHA256_SIZE);

        if (order == 0)
            return true;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (c->policy_count == LIMIT_HISTORY_POLICIES)
        return false;
    memmove(c->policy_hashes + low + 1, c->policy_hashes + low,
            (c->policy_count - low) * sizeof(*hash));
    c->policy_hashes[low] = *hash;
    c->policy_count++;
    return true;
}

static enum assay_status
collect_policy_hashes(struct collection *c, ProtobufCBinaryData bytes,
                      struct assay_error *err)
{
    struct arena arena;
    struct manifest m;
    enum assay_status st;

    arena_init(&arena, MANIFEST_ARENA_BYTES, NULL);
    st = manifest_decode(wire_span(bytes), &arena, &m, err);
    for (size_t i = 0; st == ASSAY_OK && i < m.policy_count; i++) {
        struct history_hash hash;

        memcpy(hash.bytes, m.policies[i].hash, SHA256_SIZE);
        if (!insert_hash(c, &hash))
            st = assay_fail(err, ASSAY_ERR_LIMIT,
                            "history: more than %d different policies",
                            LIMIT_HISTORY_POLICIES);
    }
    arena_drop(&arena);
    return st;
}

static enum assay_status
collect_policies(struct collection *c, const ProtobufCBinaryData *manifests,
                 struct assay_error *err)
{
    enum assay_status st = ASSAY_OK;

    c->policy_hashes = arena_array(&c->arena, LIMIT_HISTORY_POLICIES,
                                   sizeof(*c->policy_hashes));
    if (!c->policy_hashes)
        return assay_nomem(err, "history");
    for (size_t i = 0; st == ASSAY_OK && i < c->manifest_count; i++)
        st = collect_policy_hashes(c, manifests[i], err);
    if (st != ASSAY_OK)
        return st;
    c->policies =
        arena_array(&c->arena, c->policy_count + 1, sizeof(*c->policies));
    if (!c->policies)
        return assay_nomem(err, "history");
    for (size_t i = 0; st == ASSAY_OK && i < c->policy_count; i++)
        st =
            collect_object(c, true, &c->policy_hashes[i], &c->policies[i], err);
    return st;
}

static enum assay_status
get_manifests(struct collection *c, const struct guard_state *state,
              struct buffer *response, struct assay_error *err)
{
    Userapi__GetManifestsResponse m = USERAPI__GET_MANIFESTS_RESPONSE__INIT;
    Userapi__LatestTransition latest = USERAPI__LATEST_TRANSITION__INIT;
    enum assay_status st = collect_hashes(c, state, err);
    size_t n = c->manifest_count;

    if (st != ASSAY_OK)
        return st;
    m.manifests = arena_array(&c->arena, n + 1, sizeof(*m.manifests));
    if (!m.manifests)
        return assay_nomem(err, "history");
    for (size_t i = 0; st == ASSAY_OK && i < n; i++)
        st = collect_object(c, false, &c->manifests[n - 1 - i], &m.manifests[i],
                            err);
    if (st == ASSAY_OK)
        st = collect_policies(c, m.manifests, err);
    if (st != ASSAY_OK)
        return st;
    m.n_manifests = n;
    m.policies = c->policies;
    m.n_policies = c->policy_count;
    m.rootca = wire_bytes(ca_root_pem(state->ca));
    m.meshca = wire_bytes(ca_mesh_pem(state->ca));
    latest.transitionhash =
        wire_bytes(span_of(state->head.transition.bytes, SHA256_SIZE));
    latest.signature =
        wire_bytes(span_of(state->head.signature, state->head.signature_len));
    m.latesttransition = &latest;
    return wire_pack(&m.base, response, err);
}

enum grpc_code
userapi_get_manifests(struct guard *g, const struct store *s,
                      struct buffer *response, struct assay_error *err)
{
    struct collection c = { .store = s };
    const struct guard_state *state = guard_pin(g);
    enum assay_status st;

    if (!state) {
        bool empty = guard_phase(g) == GUARD_EMPTY;

        (void)assay_fail(err, ASSAY_ERR_NOT_FOUND, "%s",
                         empty ? "no manifest configured"
                               : "coordinator is in recovery mode");
        return GRPC_FAILED_PRECONDITION;
    }
    arena_init(&c.arena, LIMIT_HISTORY_RESPONSE_BYTES, NULL);
    st = get_manifests(&c, state, response, err);
    arena_drop(&c.arena);
    guard_unpin(state);
    return st == ASSAY_OK ? GRPC_OK : GRPC_INTERNAL;
}

/* --- Recover ------------------------------------------------------------- */

enum grpc_code
userapi_recover(struct guard *g, const struct userapi_call *call,
                struct assay_error *err)
{
    struct arena arena;
    Userapi__RecoverRequest *m;
    enum grpc_code code = GRPC_INVALID_ARGUMENT;

    arena_init(&arena, LIMIT_SMALL_REQUEST_BYTES * 16, NULL);
    m = (void *)wire_unpack(&userapi__recover_request__descriptor,
                            call->request, &arena, err);
    if (m) {
        const struct guard_recovery recovery = { wire_span(m->seed),
                                                 wire_span(m->salt),
                                                 call->caller };

        code = guard_recover(g, &recovery, err);
        secret_cleanse(m->seed.data, m->seed.len);
    }
    arena_drop(&arena);
    return code;
}
