/* gRPC client for unary calls: a blocking call, and a channel for those that
 * run a loop themselves. */
#ifndef ASSAY_NET_GRPC_CLIENT_H
#define ASSAY_NET_GRPC_CLIENT_H

#include "net/grpc.h"
#include "net/loop.h"
#include "net/tls.h"

struct grpc_client_config {
    const char *target;            /* HOST:PORT; also the :authority */
    const struct tls_hooks *tls;   /* borrowed; NULL: plain TCP */
    size_t response_max;           /* bytes; 0: LIMIT_GRPC_MESSAGE_BYTES */
    const struct allocator *alloc; /* may be NULL */
};

/* How a call ended. status ASSAY_OK: the server answered, and code tells what;
 * response counts only with GRPC_OK. Otherwise no answer came, and error says
 * how far we got: "connect 127.0.0.1:1313: connection refused", "TLS
 * handshake: ...", or the sentence of the explain hook with its status. */
struct grpc_outcome {
    enum assay_status status;
    struct assay_error error;
    enum grpc_code code;
    const char *message;  /* printable, never NULL; borrowed */
    struct span response; /* borrowed */
};

/* A channel is one connection, made at once and never remade; many calls may
 * be open on it. */
struct grpc_channel;

/* Starts to connect. What goes wrong from here on is told to the calls. */
ASSAY_MUST_CHECK
enum assay_status grpc_channel_new(struct loop *loop,
                                   const struct grpc_client_config *config,
                                   struct grpc_channel **out,
                                   struct assay_error *err);

/* request is copied. done runs once, on the loop, from a later turn than this
 * call or from grpc_channel_free; the outcome is borrowed for its duration.
 * The channel may be freed inside it. deadline_ms covers connecting too and is
 * sent as grpc-timeout; 0 means none. */
ASSAY_MUST_CHECK
enum assay_status
grpc_channel_call(struct grpc_channel *channel, const char *path,
                  struct span request, uint64_t deadline_ms,
                  void (*done)(void *ctx, const struct grpc_outcome *outcome),
                  void *ctx, struct assay_error *err);

/* Open calls end with ASSAY_ERR_IO. NULL is fine. */
void grpc_channel_free(struct grpc_channel *channel);

/* One connection, one call, on a private loop; blocks at most deadline_ms.
 *
 *   response  appended to, within its own limit, with GRPC_OK only
 *   code      written when ASSAY_OK is returned: the server answered
 *   err       with ASSAY_OK and a code that is not GRPC_OK, err->text holds
 *             the server's message */
ASSAY_MUST_CHECK
enum assay_status grpc_client_call(const struct grpc_client_config *config,
                                   const char *path, struct span request,
                                   uint64_t deadline_ms,
                                   struct buffer *response,
                                   enum grpc_code *code,
                                   struct assay_error *err);

#endif
