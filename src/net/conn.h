/* One TCP connection, in or out, plain or under TLS. Internal to net/.
 *
 * Events come on the loop's thread. After conn_abort and conn_shutdown only
 * `closed` still comes, and it comes exactly once, from a later turn of the
 * loop; conn_free before that silences it. Handshake steps run on the thread
 * pool; meanwhile nothing is read, so a peer cannot make us hold more than
 * LOOP_SCRATCH_SIZE bytes per connection before it is authenticated. */
#ifndef ASSAY_NET_CONN_H
#define ASSAY_NET_CONN_H

#include "net/loop.h"
#include "net/tls.h"

struct conn;
struct uv_stream_s;

struct conn_events {
    void (*open)(void *ctx); /* bytes may flow; TLS chose "h2" if asked to */
    void (*received)(void *ctx, struct span bytes);
    void (*flushed)(void *ctx); /* the queue went empty; may be NULL */
    void (*woken)(void *ctx);   /* see conn_wake_at */
    void (*closed)(void *ctx, const struct assay_error *why);
};

struct conn_config {
    struct loop *loop;
    const struct tls_hooks *tls; /* borrowed; NULL: plain TCP */
    bool need_h2;                /* TLS must have chosen ALPN "h2" */
    size_t output_max;           /* bytes queued before we give up */
    const struct conn_events *events;
    void *ctx;
    const struct allocator *alloc;
};

/* Takes the next connection off a listening stream. */
ASSAY_MUST_CHECK
enum assay_status conn_accept(const struct conn_config *config,
                              struct uv_stream_s *listener, struct conn **out,
                              struct assay_error *err);

/* Begins to resolve and connect, trying the name's addresses in turn. Copies
 * the endpoint. */
ASSAY_MUST_CHECK
enum assay_status conn_dial(const struct conn_config *config,
                            const struct net_endpoint *to, struct conn **out,
                            struct assay_error *err);

/* For accepted connections, after whatever checks of conn_peer: begins the
 * handshake, or reading. Failure comes as `closed`. */
void conn_start(struct conn *conn);

/* Queues bytes; legal from `open` on, ignored once closing. */
void conn_send(struct conn *conn, struct span bytes);
size_t conn_queued(const struct conn *conn); /* bytes not yet with the kernel */

/* The `woken` event at that loop_now_ms, replacing an earlier one; UINT64_MAX
 * for never. */
void conn_wake_at(struct conn *conn, uint64_t when_ms);

/* Sends what is queued and a close_notify, then closes; lingers at most a
 * second for a peer that does not. why is copied for the closed event. */
void conn_shutdown(struct conn *conn, const struct assay_error *why);
/* Closes at once. */
void conn_abort(struct conn *conn, const struct assay_error *why);

/* The owner lets go: no more events; closes at once if still open. */
void conn_free(struct conn *conn);
/* Keeps peer and SSL alive beyond conn_free. */
void conn_ref(struct conn *conn);
void conn_unref(struct conn *conn);

const struct net_address *conn_peer(const struct conn *conn);
SSL *conn_ssl(const struct conn *conn); /* NULL on plain TCP */
bool conn_is_open(const struct conn *conn);
/* "resolving name", "connecting", "TLS handshake", "open", "closing" */
const char *conn_phase(const struct conn *conn);

#endif
