#include "service/client.h"

#include "atls/hooks.h"
#include "base/limits.h"
#include "meshapi.pb-c.h"
#include "net/grpc_client.h"
#include "userapi.pb-c.h"

static enum assay_status
status_of(enum grpc_code code)
{
    switch (code) {
    case GRPC_OK:
        return ASSAY_OK;
    case GRPC_INVALID_ARGUMENT:
        return ASSAY_ERR_MALFORMED;
    case GRPC_PERMISSION_DENIED:
    case GRPC_UNAUTHENTICATED:
        return ASSAY_ERR_UNTRUSTED;
    case GRPC_FAILED_PRECONDITION:
    case GRPC_ABORTED:
        return ASSAY_ERR_CONFLICT;
    case GRPC_UNIMPLEMENTED:
        return ASSAY_ERR_UNSUPPORTED;
    default:
        return ASSAY_ERR_IO;
    }
}

static enum assay_status
call(const struct coordinator *c, const char *path, struct span request,
     struct buffer *response, struct assay_error *err)
{
    struct atls_endpoint endpoint = { .params = *c->params,
                                      .established = c->established,
                                      .ctx = c->ctx };
    struct tls_hooks hooks;
    struct grpc_client_config config = { .target = c->target,
                                         .tls = &hooks,
                                         .response_max = response->limit };
    enum grpc_code code = GRPC_UNKNOWN;
    enum assay_status st =
        atls_context_new(ATLS_CLIENT, &endpoint.context, err);

    if (st != ASSAY_OK)
        return st;
    atls_hooks_init(&hooks, &endpoint);
    st = grpc_client_call(&config, path, request, c->deadline_ms, response,
                          &code, err);
    atls_context_free(endpoint.context);
    if (st == ASSAY_OK && code != GRPC_OK) {
        struct assay_error said = *err;

        st = assay_fail(err, status_of(code), "coordinator %s: %s: %s",
                        c->target, grpc_code_name(code), said.text);
    }
    return st;
}

static enum assay_status
bad_answer(const char *what, struct assay_error *err)
{
    return assay_fail(err, ASSAY_ERR_MALFORMED,
                      "the coordinator's answer to %s does not parse", what);
}

static struct span
bytes_of(ProtobufCBinaryData field)
{
    return span_of(field.data, field.len);
}

static bool
dup_bytes(struct arena *arena, ProtobufCBinaryData field, struct span *out)
{
    return arena_dup(arena, bytes_of(field), out);
}

/* -- NewMeshCert -- */

static enum assay_status
mesh_cert_read(const Meshapi__NewMeshCertResponse *r, struct arena *arena,
               struct mesh_cert *out, struct assay_error *err)
{
    if (r->meshcacert.len == 0 || r->certchain.len == 0 ||
        r->rootcacert.len == 0)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "NewMeshCert: the answer lacks a certificate");
    if (!dup_bytes(arena, r->meshcacert, &out->mesh_ca) ||
        !dup_bytes(arena, r->certchain, &out->cert_chain) ||
        !dup_bytes(arena, r->rootcacert, &out->root_ca))
        return assay_nomem(err, "NewMeshCert");
    if (r->workloadsecret.len == 0)
        return ASSAY_OK;
    return secret_copy(&out->workload_secret, bytes_of(r->workloadsecret), err);
}

enum assay_status
coordinator_new_mesh_cert(const struct coordinator *c, struct arena *arena,
                          struct mesh_cert *out, struct assay_error *err)
{
    Meshapi__NewMeshCertResponse *r = NULL;
    struct mesh_cert got = { 0 };
    struct buffer response;
    enum assay_status st;

    buffer_init(&response, LIMIT_MESH_RESPONSE_BYTES, NULL);
    st = call(c, "/meshapi.MeshAPI/NewMeshCert", span_of(NULL, 0), &response,
              err);
    if (st == ASSAY_OK) {
        r = meshapi__new_mesh_cert_response__unpack(NULL, response.len,
                                                    response.ptr);
        st = r ? mesh_cert_read(r, arena, &got, err)
               : bad_answer("NewMeshCert", err);
    }
    if (r) {
        secret_cleanse(r->workloadsecret.data, r->workloadsecret.len);
        meshapi__new_mesh_cert_response__free_unpacked(r, NULL);
    }
    secret_buffer_free(&response);
    if (st == ASSAY_OK)
        *out = got;
    else
        mesh_cert_wipe(&got);
    return st;
}

void
mesh_cert_wipe(struct mesh_cert *cert)
{
    secret_wipe(&cert->workload_secret);
    *cert = (struct mesh_cert){ 0 };
}

/* -- SetManifest -- */

/* protobuf-c takes what it sends as writable, and does not write. */
static ProtobufCBinaryData
field_of(struct span s)
{
    union {
        const uint8_t *in;
        uint8_t *out;
    } ptr = { s.ptr };

    return (ProtobufCBinaryData){ s.len, ptr.out };
}

static enum assay_status
update_encode(const struct manifest_update *update, struct arena *arena,
              struct span *out, struct assay_error *err)
{
    Userapi__SetManifestRequest m = USERAPI__SET_MANIFEST_REQUEST__INIT;
    uint8_t *packed;

    m.manifest = field_of(update->manifest);
    m.previoustransitionhash = field_of(update->previous_transition);
    m.signature = field_of(update->signature);
    m.n_policies = update->policy_count;
    m.policies =
        arena_array(arena, update->policy_count + 1, sizeof(*m.policies));
    if (!m.policies)
        return assay_nomem(err, "SetManifest");
    for (size_t i = 0; i < update->policy_count; i++)
        m.policies[i] = field_of(update->policies[i]);
    packed = arena_alloc(
        arena, userapi__set_manifest_request__get_packed_size(&m) + 1);
    if (!packed)
        return assay_nomem(err, "SetManifest");
    *out = span_of(packed, userapi__set_manifest_request__pack(&m, packed));
    return ASSAY_OK;
}

static bool
shares_read(const Userapi__SeedShareDocument *doc, struct arena *arena,
            struct manifest_accepted *out)
{
    if (!doc)
        return true;
    out->shares =
        arena_array(arena, doc->n_seedshares + 1, sizeof(*out->shares));
    if (!out->shares || !dup_bytes(arena, doc->salt, &out->salt))
        return false;
    for (size_t i = 0; i < doc->n_seedshares; i++) {
        const Userapi__SeedShare *share = doc->seedshares[i];

        out->shares[i].public_key =
            arena_strdup(arena, span_str(share->publickey));
        if (!out->shares[i].public_key ||
            !dup_bytes(arena, share->encryptedseed,
                       &out->shares[i].encrypted_seed))
            return false;
        out->share_count++;
    }
    return true;
}

enum assay_status
coordinator_set_manifest(const struct coordinator *c,
                         const struct manifest_update *update,
                         struct arena *arena, struct manifest_accepted *out,
                         struct assay_error *err)
{
    Userapi__SetManifestResponse *r = NULL;
    struct manifest_accepted got = { 0 };
    struct buffer response;
    struct span request;
    enum assay_status st = update_encode(update, arena, &request, err);

    if (st != ASSAY_OK)
        return st;
    buffer_init(&response, LIMIT_USER_RESPONSE_BYTES, NULL);
    st = call(c, "/edgelesssys.contrast.userapi.UserAPI/SetManifest", request,
              &response, err);
    if (st == ASSAY_OK)
        r = userapi__set_manifest_response__unpack(NULL, response.len,
                                                   response.ptr);
    if (st == ASSAY_OK && !r)
        st = bad_answer("SetManifest", err);
    if (r && (!dup_bytes(arena, r->rootca, &got.root_ca) ||
              !dup_bytes(arena, r->meshca, &got.mesh_ca) ||
              !shares_read(r->seedsharesdoc, arena, &got)))
        st = assay_nomem(err, "SetManifest");
    if (r)
        userapi__set_manifest_response__free_unpacked(r, NULL);
    buffer_free(&response);
    if (st == ASSAY_OK)
        *out = got;
    return st;
}

/* -- GetManifests -- */

static bool
list_read(const ProtobufCBinaryData *fields, size_t count, struct arena *arena,
          struct span **out, size_t *out_count)
{
    struct span *list = arena_array(arena, count + 1, sizeof(*list));

    if (!list)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!dup_bytes(arena, fields[i], &list[i]))
            return false;
    }
    *out = list;
    *out_count = count;
    return true;
}

static bool
history_read(const Userapi__GetManifestsResponse *r, struct arena *arena,
             struct manifest_history *out)
{
    const Userapi__LatestTransition *latest = r->latesttransition;

    if (!list_read(r->manifests, r->n_manifests, arena, &out->manifests,
                   &out->manifest_count) ||
        !list_read(r->policies, r->n_policies, arena, &out->policies,
                   &out->policy_count) ||
        !dup_bytes(arena, r->rootca, &out->root_ca) ||
        !dup_bytes(arena, r->meshca, &out->mesh_ca))
        return false;
    return !latest ||
           (dup_bytes(arena, latest->transitionhash, &out->transition_hash) &&
            dup_bytes(arena, latest->signature, &out->signature));
}

enum assay_status
coordinator_get_manifests(const struct coordinator *c, struct arena *arena,
                          struct manifest_history *out, struct assay_error *err)
{
    Userapi__GetManifestsResponse *r = NULL;
    struct manifest_history got = { 0 };
    struct buffer response;
    enum assay_status st;

    buffer_init(&response, LIMIT_USER_RESPONSE_BYTES, NULL);
    st = call(c, "/edgelesssys.contrast.userapi.UserAPI/GetManifests",
              span_of(NULL, 0), &response, err);
    if (st == ASSAY_OK)
        r = userapi__get_manifests_response__unpack(NULL, response.len,
                                                    response.ptr);
    if (st == ASSAY_OK && !r)
        st = bad_answer("GetManifests", err);
    if (r && !history_read(r, arena, &got))
        st = assay_nomem(err, "GetManifests");
    if (r)
        userapi__get_manifests_response__free_unpacked(r, NULL);
    buffer_free(&response);
    if (st == ASSAY_OK)
        *out = got;
    return st;
}
