#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "net/conn_impl.h"

static void try_next(struct conn *conn);

static void
fail_dial(struct conn *conn, const char *what, const char *where, int rc)
{
    struct assay_error why;

    (void)assay_fail(&why, ASSAY_ERR_IO, "%s %s: %s", what, where,
                     uv_strerror(rc));
    conn_abort(conn, &why);
}

static void
address_failed(struct conn *conn, int rc)
{
    char where[NET_ADDRESS_TEXT_SIZE];

    net_address_format(&conn->peer, where);
    fail_dial(conn, "connect", where, rc);
}

/* A socket that failed to connect cannot be used again. */
static void
socket_closed(uv_handle_t *handle)
{
    struct conn *conn = handle->data;

    if (conn->state == CONN_CLOSING) {
        conn_handle_closed(conn);
        return;
    }
    (void)uv_tcp_init(loop_uv(conn->config.loop), &conn->tcp);
    conn->tcp.data = conn;
    try_next(conn);
}

static void
connected(uv_connect_t *request, int status)
{
    struct conn *conn = request->data;

    if (conn->state == CONN_CLOSING)
        return;
    if (status == 0) {
        mem_free(conn->config.alloc, conn->dial);
        conn->dial = NULL;
        conn_start(conn);
    } else if (conn->dial->next < conn->dial->count) {
        uv_close((uv_handle_t *)&conn->tcp, socket_closed);
    } else {
        address_failed(conn, status);
    }
}

static void
try_next(struct conn *conn)
{
    struct conn_dial *dial = conn->dial;
    struct sockaddr_storage sa;
    int rc;

    conn->peer = dial->found[dial->next++];
    net_address_to_sockaddr(&conn->peer, &sa);
    rc = uv_tcp_connect(&dial->connect, &conn->tcp,
                        (const struct sockaddr *)&sa, connected);
    if (rc != 0)
        address_failed(conn, rc);
}

static void
take_addresses(struct conn_dial *dial, const struct addrinfo *list)
{
    for (; list && dial->count < DIAL_ADDRESSES; list = list->ai_next) {
        struct net_address *a = &dial->found[dial->count];

        if (net_address_from_sockaddr(list->ai_addr, a)) {
            a->port = dial->to.port;
            dial->count++;
        }
    }
}

static void
resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct conn *conn = request->data;

    if (conn->state != CONN_CLOSING) {
        take_addresses(conn->dial, list);
        if (status == 0 && conn->dial->count == 0)
            status = UV_EAI_NODATA;
        if (status != 0) {
            fail_dial(conn, "resolve", conn->dial->to.host, status);
        } else {
            conn->state = CONN_CONNECTING;
            try_next(conn);
        }
    }
    uv_freeaddrinfo(list);
    conn_unref(conn);
}

/* IP addresses need no resolver, and so no thread of the pool. */
static bool
is_numeric(const struct net_endpoint *to, struct net_address *out)
{
    struct net_address a = { .port = to->port };

    if (inet_pton(AF_INET, to->host, a.ip) == 1)
        a.ip_len = 4;
    else if (inet_pton(AF_INET6, to->host, a.ip) == 1)
        a.ip_len = 16;
    else
        return false;
    *out = a;
    return true;
}

static void
start_dial(struct conn *conn)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct conn_dial *dial = conn->dial;
    int rc;

    if (is_numeric(&dial->to, &dial->found[0])) {
        dial->count = 1;
        conn->state = CONN_CONNECTING;
        try_next(conn);
        return;
    }
    rc = uv_getaddrinfo(loop_uv(conn->config.loop), &dial->resolve, resolved,
                        dial->to.host, NULL, &hints);
    if (rc != 0)
        fail_dial(conn, "resolve", dial->to.host, rc);
    else
        conn_ref(conn);
}

enum assay_status
conn_dial(const struct conn_config *config, const struct net_endpoint *to,
          struct conn **out, struct assay_error *err)
{
    struct conn_dial *dial;
    struct conn *conn;

    if (!to->host[0])
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "address \":%u\": no host to connect to", to->port);
    conn = conn_new(config);
    if (!conn)
        return assay_nomem(err, "connection");
    dial = mem_zalloc(config->alloc, sizeof(*dial));
    if (!dial) {
        conn_free(conn);
        return assay_nomem(err, "connection");
    }
    dial->to = *to;
    dial->resolve.data = dial->connect.data = conn;
    conn->dial = dial;
    conn->state = CONN_RESOLVING;
    start_dial(conn);
    *out = conn;
    return ASSAY_OK;
}
