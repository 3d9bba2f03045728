#include "service/meshapi.h"

#include "base/limits.h"
#include "meshapi.pb-c.h"
#include "service/ca_claims.h"
#include "codec/wire.h"

/* The entry's names, and the caller's address behind them (CI section 10.3).*/
static enum assay_status
list_names(const struct meshapi_caller *caller, struct arena *arena,
           struct ca_leaf *leaf, struct assay_error *err)
{
    const struct manifest_policy *policy = caller->policy;
    size_t n = policy->san_count;
    struct span *names = arena_array(arena, n + 1, sizeof(*names));

    if (!names)
        return assay_nomem(err, "names");
    for (size_t i = 0; i < n; i++)
        names[i] = policy->sans[i];
    if (caller->source_ip)
        names[n++] = span_str(caller->source_ip);
    leaf->names = names;
    leaf->name_count = n;
    return ASSAY_OK;
}

static enum assay_status
issue(const struct guard_state *state, const struct meshapi_caller *caller,
      const struct guard_config *config, struct arena *arena,
      struct buffer *chain, struct assay_error *err)
{
    struct ca_leaf leaf = { .key = caller->key };
    struct cert_extension *claims = NULL;
    enum assay_status st = list_names(caller, arena, &leaf, err);

    if (st == ASSAY_OK && caller->claims)
        st = ca_claims_encode(caller->claims, evidence_oid_text(caller->oid),
                              arena, &claims, &leaf.claim_count, err);
    if (st != ASSAY_OK)
        return st;
    leaf.claims = claims;
    leaf.workload_secret_id = caller->policy->workload_secret_id;
    return ca_issue(state->ca, &leaf, clock_now(config->clock), config->random,
                    chain, err);
}

static enum assay_status
respond(const struct guard_state *state, const struct meshapi_caller *caller,
        struct span chain, struct buffer *response, struct assay_error *err)
{
    Meshapi__NewMeshCertResponse m = MESHAPI__NEW_MESH_CERT_RESPONSE__INIT;
    struct span id = caller->policy->workload_secret_id;
    struct secret secret = { 0 };
    enum assay_status st = ASSAY_OK;

    if (id.len > 0)
        st = seed_engine_workload_secret(state->seed, id, &secret, err);
    if (st == ASSAY_OK) {
        m.meshcacert = wire_bytes(ca_mesh_pem(state->ca));
        m.certchain = wire_bytes(chain);
        m.rootcacert = wire_bytes(ca_root_pem(state->ca));
        m.workloadsecret = wire_bytes(secret_span(&secret));
        st = wire_pack(&m.base, response, err);
    }
    secret_wipe(&secret);
    return st;
}

static enum grpc_code
new_mesh_cert(const struct guard_state *state,
              const struct meshapi_caller *caller,
              const struct guard_config *config, struct span request,
              struct arena *arena, struct buffer *response,
              struct assay_error *err)
{
    struct buffer chain;
    enum assay_status st;

    if (!wire_unpack(&meshapi__new_mesh_cert_request__descriptor, request,
                     arena, err))
        return GRPC_INVALID_ARGUMENT;
    buffer_init(&chain, LIMIT_CERT_BYTES, NULL);
    st = issue(state, caller, config, arena, &chain, err);
    if (st == ASSAY_OK)
        st = respond(state, caller, buffer_span(&chain), response, err);
    buffer_free(&chain);
    return st == ASSAY_OK ? GRPC_OK : GRPC_UNKNOWN;
}

enum grpc_code
meshapi_new_mesh_cert(const struct guard_state *state,
                      const struct meshapi_caller *caller,
                      const struct guard_config *config, struct span request,
                      struct buffer *response, struct assay_error *err)
{
    struct arena arena;
    enum grpc_code code;

    if (!caller->policy || !caller->key) {
        (void)assay_fail(err, ASSAY_ERR_UNTRUSTED,
                         "the caller's identity is no policy of the manifest");
        return GRPC_PERMISSION_DENIED;
    }
    arena_init(&arena, LIMIT_SMALL_REQUEST_BYTES * 64, NULL);
    code = new_mesh_cert(state, caller, config, request, &arena, response, err);
    arena_drop(&arena);
    return code;
}
