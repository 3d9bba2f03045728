/* gRPC server for unary calls, over TLS or plain TCP.
 *
 * Everything happens on the loop's thread except what struct tls_hooks says
 * and what a handler itself gives to loop_work. A call for an unknown path is
 * answered UNIMPLEMENTED before its body is read. */
#ifndef ASSAY_NET_GRPC_SERVER_H
#define ASSAY_NET_GRPC_SERVER_H

#include "net/grpc.h"
#include "net/loop.h"
#include "net/tls.h"

struct grpc_server;
struct grpc_call;

/* A complete request arrived. The handler owns the call until it gives it
 * back with grpc_call_reply, exactly once, now or later. */
typedef void grpc_handler(void *ctx, struct grpc_call *call);

struct grpc_method {
    const char *path; /* "/meshapi.MeshAPI/NewMeshCert" */
    grpc_handler *handle;
    size_t request_max; /* bytes; 0 takes limits.message_max */
};

/* Why each default is what it is: base/limits.h. Times in milliseconds; 0
 * switches a time-out off. */
struct grpc_limits {
    /* At either ceiling a newcomer takes the place of the oldest unfinished
     * handshake, else of the connection that has had no call for longest;
     * only where all others are at work is it closed on accept. */
    size_t connections_max;
    size_t connections_per_peer; /* by IP address */
    uint32_t streams_max;        /* concurrent, per connection */
    size_t header_list_max;      /* bytes, RFC 9113 section 6.5.2 */
    size_t message_max;          /* bytes of one request */
    /* Bytes of all unanswered requests together, and of all answers that
     * their readers have not taken. What is slowest gives way. */
    size_t bodies_max;
    size_t answers_max;
    size_t output_max;         /* bytes queued to one connection */
    unsigned flood_burst;      /* frames that carry nothing, at once ... */
    unsigned flood_per_second; /* ... and sustained */
    uint64_t handshake_ms;     /* accept to first HTTP/2 SETTINGS */
    uint64_t request_ms;       /* first header byte to whole body */
    uint64_t response_ms;      /* reply to delivered */
    uint64_t idle_ms;          /* no call open */
    uint64_t ping_interval_ms;
    uint64_t ping_ack_ms;
};
void grpc_limits_default(struct grpc_limits *limits);

/* For metrics and logs; each may be NULL. path is always one of the methods'
 * own strings, or "" for an unknown one, so labels stay few. */
struct grpc_observer {
    void (*started)(void *ctx, const char *path);
    void (*handled)(void *ctx, const char *path, enum grpc_code code,
                    uint64_t duration_us);
    /* why->status is ASSAY_ERR_UNTRUSTED for a refused peer when the explain
     * hook said so. Also tells of connections over a limit (_LIMIT). */
    void (*refused)(void *ctx, const struct net_address *peer,
                    const struct assay_error *why);
    void *ctx;
};

struct grpc_server_config {
    const char *listen;                /* HOST:PORT; port 0 takes a free one */
    const struct tls_hooks *tls;       /* borrowed; NULL: plain TCP */
    const struct grpc_method *methods; /* borrowed */
    size_t method_count;
    void *handler_ctx;
    struct grpc_limits limits;
    struct grpc_observer observer;
    const struct allocator *alloc; /* may be NULL */
};

/* Resolves, binds and listens. ASSAY_ERR_IO says "listen ADDRESS: reason". */
ASSAY_MUST_CHECK
enum assay_status grpc_server_new(struct loop *loop,
                                  const struct grpc_server_config *config,
                                  struct grpc_server **out,
                                  struct assay_error *err);

/* The bound address, with the port that was chosen. */
struct net_address grpc_server_address(const struct grpc_server *server);
size_t grpc_server_connections(const struct grpc_server *server);

/* Graceful end: no new connections, GOAWAY on the present ones, their calls
 * are answered; after deadline_ms what is left is cut. Then done(ctx), once.
 * A second stop only moves the deadline. Does not free. */
void grpc_server_stop(struct grpc_server *server, uint64_t deadline_ms,
                      void (*done)(void *ctx), void *ctx);

/* Cuts whatever is left. Calls still with a handler stay valid; their replies
 * go nowhere. NULL is fine. */
void grpc_server_free(struct grpc_server *server);

/* -- A call, while the handler owns it. Borrowed until the reply. -- */

const char *grpc_call_path(const struct grpc_call *call);
struct span grpc_call_request(const struct grpc_call *call);
const struct net_address *grpc_call_peer(const struct grpc_call *call);
/* NULL on plain TCP. Stays valid until the reply, even when the peer is gone.
 * Only the loop's thread may call the SSL; another may at most read what
 * SSL_get_ex_data gives (atls_peer_get). */
SSL *grpc_call_ssl(const struct grpc_call *call);
struct loop *grpc_call_loop(const struct grpc_call *call);
/* The peer hung up, reset the stream, or its deadline passed. */
bool grpc_call_cancelled(const struct grpc_call *call);
/* Room for the handler's state. */
void grpc_call_set_data(struct grpc_call *call, void *data);
void *grpc_call_data(const struct grpc_call *call);

/* Answers and gives the call back; must run on the loop's thread. message and
 * response are copied; message may be NULL; response counts only with
 * GRPC_OK. When nobody listens any more the reply is dropped. */
void grpc_call_reply(struct grpc_call *call, enum grpc_code code,
                     const char *message, struct span response);

#endif
