/* The mesh API's server: every connection is judged by the manifest that was
 * active when it came in (CI section 12.1), and served only while that
 * manifest still is. */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "crypto/secret.h"
#include "daemon.h"
#include "service/meshapi.h"

/* Owned by the connection's SSL. */
struct mesh_conn {
    struct daemon *d;
    const struct guard_state *state; /* pinned */
    struct net_address peer;
    struct atls_appraiser appraiser;
    struct atls_validator inner; /* over appraiser */
    struct atls_validator validator;
    struct atls_appraisal *appraisal; /* of the evidence that was accepted */
};

static const char *
trust_word(bool insecure)
{
    return insecure ? "INSECURE" : "vendor";
}

/* --- the handshake ------------------------------------------------------- */

static void
log_verdict(void *ctx, const struct verdict *v)
{
    const struct mesh_conn *conn = ctx;
    bool accepted = v->result == VERDICT_ACCEPTED;
    char peer[NET_ADDRESS_TEXT_SIZE];
    struct buffer line;

    buffer_init(&line, LOG_LINE_SIZE, NULL);
    verdict_render_line(v, &line);
    net_address_format(&conn->peer, peer);
    log_peer_event(&conn->d->log, accepted ? LOG_DEBUG : LOG_WARN,
                   "evidence judged", "peer", peer, "verdict",
                   verdict_result_name(v->result), "trust",
                   trust_word(v->insecure), "detail", buffer_str(&line), NULL);
    buffer_free(&line);
}

/* The connection itself is the result, so that a call finds its state. */
static enum assay_status
conn_validate(void *ctx, enum evidence_oid oid, struct span evidence,
              const uint8_t report_data[ATLS_REPORT_DATA_SIZE], void **result,
              struct assay_error *err)
{
    struct mesh_conn *conn = ctx;
    void *appraisal = NULL;
    enum assay_status st = conn->inner.validate(conn->inner.ctx, oid, evidence,
                                                report_data, &appraisal, err);

    if (st != ASSAY_OK)
        return st;
    conn->appraisal = appraisal;
    *result = conn;
    return ASSAY_OK;
}

static void
conn_release(void *ctx, void *result)
{
    struct mesh_conn *conn = result;

    (void)ctx;
    conn->inner.release(conn->inner.ctx, conn->appraisal);
    conn->appraisal = NULL;
}

static void
conn_done(void *ctx)
{
    struct mesh_conn *conn = ctx;

    guard_unpin(conn->state);
    free(conn);
}

static struct mesh_conn *
conn_new(struct daemon *d, const struct guard_state *state,
         const struct net_address *peer)
{
    struct mesh_conn *conn = calloc(1, sizeof(*conn));

    if (!conn)
        return NULL;
    conn->d = d;
    conn->state = state;
    conn->peer = *peer;
    conn->appraiser = (struct atls_appraiser){ .appraiser = state->appraiser,
                                               .clock = d->guard_config.clock,
                                               .observe = log_verdict,
                                               .ctx = conn };
    atls_validator_init(&conn->inner, &conn->appraiser);
    conn->validator =
        (struct atls_validator){ conn_validate, conn_release, conn };
    return conn;
}

/* Without a usable state the connection is closed before TLS begins, and the
 * pod tries again (CI section 3.2). */
static SSL *
conn_ssl_new(void *ctx, const struct net_address *peer, struct assay_error *err)
{
    struct daemon *d = ctx;
    const struct guard_state *state = guard_pin(d->guard);
    struct mesh_conn *conn;
    struct atls_params params = { .issuer = &d->issuer,
                                  .clock = d->guard_config.clock,
                                  .random = d->guard_config.random,
                                  .done = conn_done };
    SSL *ssl = NULL;

    if (!state) {
        (void)assay_fail(err, ASSAY_ERR_NOT_FOUND, "no manifest is active");
        return NULL;
    }
    conn = conn_new(d, state, peer);
    if (!conn) {
        guard_unpin(state);
        (void)assay_nomem(err, "connection");
        return NULL;
    }
    params.ctx = conn;
    params.validator = &conn->validator;
    if (atls_ssl_new(d->tls, &params, &ssl, err) != ASSAY_OK) {
        conn_done(conn);
        return NULL;
    }
    return ssl;
}

/* --- calls --------------------------------------------------------------- */

static void
log_issued(const struct mesh_conn *conn, const struct meshapi_note *note)
{
    const struct manifest_policy *policy = note->policy;
    char peer[NET_ADDRESS_TEXT_SIZE], hash[2 * SHA256_SIZE + 1];

    net_address_format(&conn->peer, peer);
    hex_encode(span_of(policy->hash, SHA256_SIZE), hash);
    log_peer_event(&conn->d->log, LOG_INFO, "certificate issued", "peer", peer,
                   "policy", hash, "name",
                   policy->san_count > 0 ? (const char *)policy->sans[0].ptr
                                         : NULL,
                   "trust", trust_word(note->insecure), NULL);
}

static enum grpc_code
run_new_cert(struct job *job)
{
    struct mesh_conn *conn = job->conn;
    char source_ip[NET_ADDRESS_TEXT_SIZE];
    const struct atls_peer *peer = atls_peer_get(grpc_call_ssl(job->call));
    struct meshapi_caller caller = { .key = peer->key,
                                     .oid = peer->oid,
                                     .evidence = peer->evidence,
                                     .nonce = peer->nonce };
    struct meshapi_note note;
    enum grpc_code code;

    if (conn->peer.ip_len > 0) {
        net_address_format_ip(&conn->peer, source_ip);
        caller.source_ip = source_ip;
    }
    code = meshapi_new_mesh_cert(conn->state, &caller, &job->d->guard_config,
                                 grpc_call_request(job->call), &job->response,
                                 &note, &job->err);
    if (code == GRPC_OK)
        log_issued(conn, &note);
    return code;
}

static void
handle_new_cert(void *ctx, struct grpc_call *call)
{
    struct daemon *d = ctx;
    const struct atls_peer *peer = atls_peer_get(grpc_call_ssl(call));
    const struct mesh_conn *conn = peer->result;

    if (!conn) {
        metrics_received(&d->metrics, grpc_call_path(call));
        grpc_call_reply(call, GRPC_PERMISSION_DENIED,
                        "no evidence was accepted on this connection",
                        span_str(NULL));
        return;
    }
    if (!guard_is_current(d->guard, conn->state)) {
        metrics_received(&d->metrics, grpc_call_path(call));
        grpc_call_reply(call, GRPC_UNKNOWN,
                        "the manifest changed since this connection was "
                        "accepted: connect again",
                        span_str(NULL));
        return;
    }
    job_start(d, &d->mesh_lane, call, run_new_cert);
}

/* Peer recovery needs what only several coordinators have. */
static void
handle_recover(void *ctx, struct grpc_call *call)
{
    struct daemon *d = ctx;

    metrics_received(&d->metrics, grpc_call_path(call));
    grpc_call_reply(call, GRPC_UNIMPLEMENTED,
                    "this version does not recover from peers: a seedshare "
                    "owner calls UserAPI.Recover",
                    span_str(NULL));
}

#define METHODS(package)                                                       \
    { "/" package ".MeshAPI/NewMeshCert", handle_new_cert,                     \
      LIMIT_SMALL_REQUEST_BYTES },                                             \
    {                                                                          \
        "/" package ".MeshAPI/Recover", handle_recover,                        \
            LIMIT_SMALL_REQUEST_BYTES                                          \
    }

static const struct grpc_method methods[] = {
    METHODS("meshapi"),
    METHODS("edgelesssys.contrast.meshapi"),
};

enum { METHOD_COUNT = sizeof(methods) / sizeof(methods[0]) };

static void
refused(void *ctx, const struct net_address *peer,
        const struct assay_error *why)
{
    struct daemon *d = ctx;
    char text[NET_ADDRESS_TEXT_SIZE];

    if (why->status == ASSAY_ERR_UNTRUSTED)
        d->metrics.attestation_failures++;
    net_address_format(peer, text);
    log_peer_event(&d->log, LOG_INFO, "mesh connection refused", "peer", text,
                   "reason", why->text, NULL);
}

enum assay_status
mesh_start(struct daemon *d, struct assay_error *err)
{
    struct grpc_server_config config = {
        .listen = d->values->listen_mesh,
        .tls = &d->mesh_hooks,
        .methods = methods,
        .method_count = METHOD_COUNT,
        .handler_ctx = d,
        .observer = { daemon_call_started, daemon_call_handled, refused, d },
    };

    for (size_t i = 0; i < METHOD_COUNT; i++)
        metrics_add_method(&d->metrics, methods[i].path);
    d->mesh_hooks = (struct tls_hooks){ .ssl_new = conn_ssl_new,
                                        .explain = atls_hook_explain,
                                        .ctx = d };
    config.limits = daemon_limits(d);
    return grpc_server_new(d->loop, &config, &d->mesh, err);
}
