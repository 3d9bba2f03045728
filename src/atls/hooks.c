#include "atls/hooks.h"

static SSL *
endpoint_ssl_new(void *ctx, const struct net_address *peer,
                 struct assay_error *err)
{
    const struct atls_endpoint *endpoint = ctx;
    SSL *ssl = NULL;

    (void)peer;
    if (atls_ssl_new(endpoint->context, &endpoint->params, &ssl, err) !=
        ASSAY_OK)
        return NULL;
    return ssl;
}

static enum assay_status
endpoint_established(void *ctx, SSL *ssl, struct assay_error *err)
{
    const struct atls_endpoint *endpoint = ctx;

    (void)err;
    if (endpoint->established)
        endpoint->established(endpoint->ctx, atls_peer_get(ssl));
    return ASSAY_OK;
}

void
atls_hook_explain(void *ctx, SSL *ssl, struct assay_error *err)
{
    (void)ctx;
    atls_explain(ssl, err);
}

void
atls_hooks_init(struct tls_hooks *hooks, struct atls_endpoint *endpoint)
{
    *hooks = (struct tls_hooks){ .ssl_new = endpoint_ssl_new,
                                 .explain = atls_hook_explain,
                                 .established = endpoint_established,
                                 .ctx = endpoint };
}
