#include "service/meshapi.h"

#include "atls/cert.h"
#include "base/limits.h"
#include "codec/wire.h"
#include "meshapi.pb-c.h"
#include "service/ca_claims.h"

/* The entry's names, and the caller's address behind them (CI section 10.3).*/
static enum assay_status
list_names(const struct manifest_policy *policy, const char *source_ip,
           struct arena *arena, struct ca_leaf *leaf, struct assay_error *err)
{
    size_t n = policy->san_count;
    struct span *names = arena_array(arena, n + 1, sizeof(*names));

    if (!names)
        return assay_nomem(err, "names");
    for (size_t i = 0; i < n; i++)
        names[i] = policy->sans[i];
    if (source_ip)
        names[n++] = span_str(source_ip);
    leaf->names = names;
    leaf->name_count = n;
    return ASSAY_OK;
}

/* One certificate on its way. */
struct signing {
    const struct guard_state *state;
    const struct meshapi_caller *caller;
    const struct guard_config *config;
    struct arena appraisal; /* the verdict's */
    struct arena arena;
    struct verdict verdict;
    struct manifest_identity who;
    struct assay_error *err;
};

static enum assay_status
judge(struct signing *s)
{
    uint8_t report_data[ATLS_REPORT_DATA_SIZE];
    const struct manifest_request request = {
        .oid = s->caller->oid,
        .evidence = s->caller->evidence,
        .report_data = report_data,
        .clock = s->config->clock,
    };
    enum assay_status st = atls_report_data(
        key_spki(s->caller->key), s->caller->nonce, report_data, s->err);

    if (st != ASSAY_OK)
        return st;
    return manifest_appraise(s->state->appraiser, &request, &s->appraisal,
                             &s->verdict, &s->who, s->err);
}

static enum assay_status
issue(struct signing *s, struct buffer *chain)
{
    struct ca_leaf leaf = { .key = s->caller->key };
    struct cert_extension *claims = NULL;
    enum assay_status st = list_names(s->who.policy, s->caller->source_ip,
                                      &s->arena, &leaf, s->err);

    if (st == ASSAY_OK)
        st = ca_claims_encode(&s->verdict.claims,
                              evidence_oid_text(s->caller->oid), &s->arena,
                              &claims, &leaf.claim_count, s->err);
    if (st != ASSAY_OK)
        return st;
    leaf.claims = claims;
    leaf.workload_secret_id = s->who.policy->workload_secret_id;
    return ca_issue(s->state->ca, &leaf, clock_now(s->config->clock),
                    s->config->random, chain, s->err);
}

static enum assay_status
respond(struct signing *s, struct span chain, struct buffer *response)
{
    Meshapi__NewMeshCertResponse m = MESHAPI__NEW_MESH_CERT_RESPONSE__INIT;
    struct span id = s->who.policy->workload_secret_id;
    struct secret secret = { 0 };
    enum assay_status st = ASSAY_OK;

    if (id.len > 0)
        st = seed_engine_workload_secret(s->state->seed, id, &secret, s->err);
    if (st == ASSAY_OK) {
        m.meshcacert = wire_bytes(ca_mesh_pem(s->state->ca));
        m.certchain = wire_bytes(chain);
        m.rootcacert = wire_bytes(ca_root_pem(s->state->ca));
        m.workloadsecret = wire_bytes(secret_span(&secret));
        st = wire_pack(&m.base, response, s->err);
    }
    secret_wipe(&secret);
    return st;
}

static enum grpc_code
sign(struct signing *s, struct span request, struct buffer *response)
{
    struct buffer chain;
    enum assay_status st;

    if (!wire_unpack(&meshapi__new_mesh_cert_request__descriptor, request,
                     &s->arena, s->err))
        return GRPC_INVALID_ARGUMENT;
    st = judge(s);
    if (st == ASSAY_ERR_UNTRUSTED)
        return GRPC_PERMISSION_DENIED;
    buffer_init(&chain, LIMIT_CERT_BYTES, NULL);
    if (st == ASSAY_OK)
        st = issue(s, &chain);
    if (st == ASSAY_OK)
        st = respond(s, buffer_span(&chain), response);
    buffer_free(&chain);
    return st == ASSAY_OK ? GRPC_OK : GRPC_UNKNOWN;
}

enum grpc_code
meshapi_new_mesh_cert(const struct guard_state *state,
                      const struct meshapi_caller *caller,
                      const struct guard_config *config, struct span request,
                      struct buffer *response, struct meshapi_note *note,
                      struct assay_error *err)
{
    struct signing s = {
        .state = state, .caller = caller, .config = config, .err = err
    };
    enum grpc_code code;

    if (!caller->key || !caller->nonce) {
        (void)assay_fail(err, ASSAY_ERR_UNTRUSTED,
                         "the caller has shown no evidence");
        return GRPC_PERMISSION_DENIED;
    }
    arena_init(&s.appraisal, LIMIT_APPRAISAL_BYTES, NULL);
    arena_init(&s.arena, LIMIT_SMALL_REQUEST_BYTES * 64, NULL);
    code = sign(&s, request, response);
    if (code == GRPC_OK)
        *note = (struct meshapi_note){ s.who.policy, s.who.insecure };
    arena_drop(&s.arena);
    arena_drop(&s.appraisal);
    return code;
}
