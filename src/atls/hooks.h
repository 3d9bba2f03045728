/* aTLS as the TLS of net/: the hooks of a client, and those of a server whose
 * connections all have the same parameters. */
#ifndef ASSAY_ATLS_HOOKS_H
#define ASSAY_ATLS_HOOKS_H

#include "atls/atls.h"
#include "net/tls.h"

/* Borrowed by the hooks; both must outlive every connection. */
struct atls_endpoint {
    struct atls_context *context;
    struct atls_params params;
    /* Optional: a handshake succeeded; the peer is lent. On the loop. */
    void (*established)(void *ctx, const struct atls_peer *peer);
    void *ctx;
};

/* ctx of the hooks is endpoint. */
void atls_hooks_init(struct tls_hooks *hooks, struct atls_endpoint *endpoint);

/* For hooks that choose parameters per connection themselves. */
void atls_hook_explain(void *ctx, SSL *ssl, struct assay_error *err);

#endif
