/* The user API's server: whoever calls is attested to by nothing but the key
 * of its certificate; authority is decided call by call. */
#include <inttypes.h>
#include <stdio.h>

#include "base/hex.h"
#include "base/limits.h"
#include "daemon.h"
#include "service/userapi.h"

static struct userapi_call
call_of(const struct job *job)
{
    return (struct userapi_call){ grpc_call_request(job->call), job->caller };
}

static enum grpc_code
run_set(struct job *job)
{
    struct userapi_call call = call_of(job);
    struct userapi_set_note note;
    char hash[2 * SHA256_SIZE + 1], generation[24], superfluous[24];
    enum grpc_code code = userapi_set_manifest(
        job->d->guard, &call, &job->response, &note, &job->err);

    if (code != GRPC_OK)
        return code;
    hex_encode(span_of(note.transition.bytes, SHA256_SIZE), hash);
    (void)snprintf(generation, sizeof(generation), "%" PRIu64, note.generation);
    (void)snprintf(superfluous, sizeof(superfluous), "%zu", note.superfluous);
    log_event(&job->d->log, LOG_INFO, "manifest set", "generation", generation,
              "transition", hash, "superfluous_policies",
              note.superfluous > 0 ? superfluous : NULL, NULL);
    return GRPC_OK;
}

static enum grpc_code
run_get(struct job *job)
{
    return userapi_get_manifests(job->d->guard, &job->d->store, &job->response,
                                 &job->err);
}

static enum grpc_code
run_recover(struct job *job)
{
    struct userapi_call call = call_of(job);
    enum grpc_code code = userapi_recover(job->d->guard, &call, &job->err);

    if (code == GRPC_OK)
        log_event(&job->d->log, LOG_INFO, "recovered by a seedshare owner",
                  NULL);
    return code;
}

static void
handle_set(void *ctx, struct grpc_call *call)
{
    struct daemon *d = ctx;

    job_start(d, &d->write_lane, call, run_set);
}

static void
handle_get(void *ctx, struct grpc_call *call)
{
    struct daemon *d = ctx;

    job_start(d, &d->read_lane, call, run_get);
}

static void
handle_recover(void *ctx, struct grpc_call *call)
{
    struct daemon *d = ctx;

    job_start(d, &d->write_lane, call, run_recover);
}

/* Both generations' names (CI section 3.1). */
#define METHODS(package)                                                       \
    { "/" package ".UserAPI/SetManifest", handle_set,                          \
      LIMIT_SET_REQUEST_BYTES },                                               \
        { "/" package ".UserAPI/GetManifests", handle_get,                     \
          LIMIT_SMALL_REQUEST_BYTES },                                         \
    {                                                                          \
        "/" package ".UserAPI/Recover", handle_recover,                        \
            LIMIT_SMALL_REQUEST_BYTES                                          \
    }

static const struct grpc_method methods[] = {
    METHODS("edgelesssys.contrast.userapi"),
    METHODS("userapi"),
};

enum { METHOD_COUNT = sizeof(methods) / sizeof(methods[0]) };

static void
refused(void *ctx, const struct net_address *peer,
        const struct assay_error *why)
{
    struct daemon *d = ctx;
    char text[NET_ADDRESS_TEXT_SIZE];

    net_address_format(peer, text);
    log_peer_event(&d->log, LOG_INFO, "user connection refused", "peer", text,
                   "reason", why->text, NULL);
}

enum assay_status
user_start(struct daemon *d, struct assay_error *err)
{
    struct grpc_server_config config = {
        .listen = d->values->listen_user,
        .tls = &d->user_hooks,
        .methods = methods,
        .method_count = METHOD_COUNT,
        .handler_ctx = d,
        .observer = { daemon_call_started, daemon_call_handled, refused, d },
    };

    for (size_t i = 0; i < METHOD_COUNT; i++)
        metrics_add_method(&d->metrics, methods[i].path);
    d->user_endpoint = (struct atls_endpoint){
        .context = d->tls,
        .params = { .issuer = &d->issuer,
                    .clock = d->guard_config.clock,
                    .random = d->guard_config.random },
    };
    atls_hooks_init(&d->user_hooks, &d->user_endpoint);
    config.limits = daemon_limits(d);
    return grpc_server_new(d->loop, &config, &d->user, err);
}
