/* What conn.c and conn_dial.c share, and nobody else may see. */
#ifndef ASSAY_NET_CONN_IMPL_H
#define ASSAY_NET_CONN_IMPL_H

#include <uv.h>

#include "net/conn.h"
#include "net/tls_pipe.h"

enum conn_state {
    CONN_RESOLVING,
    CONN_CONNECTING,
    CONN_ACCEPTED,
    CONN_HANDSHAKE,
    CONN_OPEN,
    CONN_LINGER,  /* sends the rest, drops what comes */
    CONN_CLOSING, /* handles are being closed */
};

enum { DIAL_ADDRESSES = 8 }; /* of one name; the rest is not tried */

struct conn_dial {
    uv_getaddrinfo_t resolve;
    uv_connect_t connect;
    struct net_endpoint to;
    struct net_address found[DIAL_ADDRESSES];
    size_t count;
    size_t next; /* the one to try */
};

struct conn {
    struct conn_config config;
    enum conn_state state;
    unsigned refs;    /* owner, handles, work on the pool, calls */
    unsigned handles; /* not yet closed: tcp, timer */
    bool orphan;      /* the owner has let go */
    bool working;     /* a pool thread has ssl and pipe */
    bool writing;     /* the kernel has `sending` */
    bool half_closed;
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_work_t work;
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct conn_dial *dial; /* NULL once connected, and for accepted ones */
    struct net_address peer;
    SSL *ssl;
    struct tls_pipe pipe;
    struct buffer handshake_in; /* what pipe.in points into on the pool */
    struct buffer sending;
    size_t sent; /* of sending, before uv_write took the rest */
    enum { STEP_MORE, STEP_DONE, STEP_FAILED } step; /* the pool's result */
    struct assay_error step_err;
    struct assay_error why; /* for the closed event */
};

struct conn *conn_new(const struct conn_config *config);
void conn_read_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf);
/* One of the two handles is closed. */
void conn_handle_closed(struct conn *conn);

#endif
