#include "net/listener.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* Connections the kernel may hold for us while the loop is busy. */
enum { BACKLOG = 1024, RETRY_MS = 100 };

struct listener {
    uv_tcp_t tcp;
    uv_timer_t retry;
    unsigned handles; /* not yet closed */
    struct net_address address;
    bool (*on_pending)(void *ctx, struct uv_stream_s *stream);
    void *ctx;
};

static void connection_pending(uv_stream_t *stream, int status);

static void
ask_again(uv_timer_t *timer)
{
    struct listener *l = timer->data;

    connection_pending((uv_stream_t *)&l->tcp, 0);
}

static void
connection_pending(uv_stream_t *stream, int status)
{
    struct listener *l = stream->data;

    /* libuv stops listening until what it holds has been accepted. */
    if (status == 0 && !l->on_pending(l->ctx, stream))
        (void)uv_timer_start(&l->retry, ask_again, RETRY_MS, 0);
}

static int
bind_and_listen(struct listener *l, const struct sockaddr *sa)
{
    struct sockaddr_storage bound;
    int len = sizeof(bound);
    int rc = uv_tcp_bind(&l->tcp, sa, 0);

    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&l->tcp, BACKLOG, connection_pending);
    if (rc == 0)
        rc = uv_tcp_getsockname(&l->tcp, (struct sockaddr *)&bound, &len);
    if (rc == 0)
        (void)net_address_from_sockaddr((const struct sockaddr *)&bound,
                                        &l->address);
    return rc;
}

/* Names are resolved here and now: a daemon does it once, before it serves.
 * No host means every address of both families where the kernel has both. */
static enum assay_status
resolve(const char *listen, struct sockaddr_storage *out,
        struct assay_error *err)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct net_endpoint endpoint;
    struct addrinfo *found = NULL;
    char port[8];
    int rc;
    enum assay_status st = net_endpoint_parse(listen, true, &endpoint, err);

    if (st != ASSAY_OK)
        return st;
    (void)snprintf(port, sizeof(port), "%u", endpoint.port);
    rc = getaddrinfo(endpoint.host[0] ? endpoint.host : "::", port, &hints,
                     &found);
    if (rc != 0 && !endpoint.host[0])
        rc = getaddrinfo("0.0.0.0", port, &hints, &found);
    if (rc != 0)
        return assay_fail(err, ASSAY_ERR_IO, "%s", gai_strerror(rc));
    memcpy(out, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return ASSAY_OK;
}

static void
listener_closed(uv_handle_t *handle)
{
    struct listener *l = handle->data;

    if (--l->handles == 0)
        free(l);
}

enum assay_status
listener_new(struct loop *loop, const char *listen,
             bool (*on_pending)(void *ctx, struct uv_stream_s *stream),
             void *ctx, struct listener **out, struct assay_error *err)
{
    struct sockaddr_storage address = { 0 };
    struct listener *l = NULL;
    enum assay_status st = resolve(listen, &address, err);
    int rc;

    if (st != ASSAY_OK)
        return assay_context(err, st, "listen %s", listen);
    l = calloc(1, sizeof(*l));
    if (!l)
        return assay_nomem(err, "listener");
    l->on_pending = on_pending;
    l->ctx = ctx;
    (void)uv_tcp_init(loop_uv(loop), &l->tcp); /* opens no socket: succeeds */
    (void)uv_timer_init(loop_uv(loop), &l->retry);
    l->tcp.data = l->retry.data = l;
    l->handles = 2;
    rc = bind_and_listen(l, (const struct sockaddr *)&address);
    if (rc != 0) {
        listener_free(l);
        return assay_fail(err, ASSAY_ERR_IO, "listen %s: %s", listen,
                          uv_strerror(rc));
    }
    *out = l;
    return ASSAY_OK;
}

struct net_address
listener_address(const struct listener *listener)
{
    return listener->address;
}

void
listener_free(struct listener *listener)
{
    if (!listener)
        return;
    uv_close((uv_handle_t *)&listener->tcp, listener_closed);
    uv_close((uv_handle_t *)&listener->retry, listener_closed);
}
