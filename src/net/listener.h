/* A listening TCP socket. Internal to net/. */
#ifndef ASSAY_NET_LISTENER_H
#define ASSAY_NET_LISTENER_H

#include "net/conn.h"

struct listener;

/* on_pending: a connection waits; take it with conn_accept. False: there was
 * no memory for that; it is asked again a little later. */
ASSAY_MUST_CHECK
enum assay_status
listener_new(struct loop *loop, const char *listen,
             bool (*on_pending)(void *ctx, struct uv_stream_s *stream),
             void *ctx, struct listener **out, struct assay_error *err);
struct net_address listener_address(const struct listener *listener);
void listener_free(struct listener *listener); /* NULL is fine */

#endif
