#include "net/kds_http.h"

#include "net/http_client.h"

static enum assay_status
get(void *ctx, const char *url, uint64_t timeout_ms, struct kds_reply *reply,
    struct buffer *body, struct assay_error *err)
{
    struct http_get request = { .url = url,
                                .ca_file = ctx,
                                .connect_timeout_ms = timeout_ms,
                                .total_timeout_ms = timeout_ms,
                                .want_header = reply->want_header,
                                .header = reply->header };
    struct http_reply got;
    enum assay_status st = http_get(&request, &got, body, err);

    if (st == ASSAY_OK) {
        reply->status = got.status;
        reply->retry_after_s = got.retry_after_s;
    }
    return st;
}

struct kds_transport
kds_http_transport(const char *ca_file)
{
    return (struct kds_transport){ get, (void *)(uintptr_t)ca_file };
}
