/* HTTP/1.1 requests: bytes in, one request out. RFC 9112, the strict subset a
 * small server needs: CRLF line ends, no folding, no Transfer-Encoding, at
 * most one Content-Length. */
#ifndef ASSAY_NET_HTTP1_H
#define ASSAY_NET_HTTP1_H

#include "base/error.h"

/* All spans point into the input. */
struct http1_request {
    struct span method;       /* "GET" */
    struct span path;         /* "/vcek/v1/Milan/00", not decoded */
    struct span query;        /* after the "?", without it; empty when absent */
    struct span content_type; /* empty when absent */
    struct span headers;      /* the raw header lines, see http1_header */
    struct span body;
    bool keep_alive;
};

/* Reads one request from the front of in.
 *
 *   used         0 when more bytes are needed (out is then untouched), else
 *                the bytes the request took
 *   http_status  written on failure: what to answer before hanging up, 400,
 *                413, 431, 501 or 505
 *
 * ASSAY_ERR_MALFORMED, _LIMIT, _UNSUPPORTED */
ASSAY_MUST_CHECK
enum assay_status http1_request_parse(struct span in, size_t head_max,
                                      size_t body_max,
                                      struct http1_request *out, size_t *used,
                                      int *http_status,
                                      struct assay_error *err);

/* Value of the first header of that name (any case), or an empty span. */
struct span http1_header(const struct http1_request *request, const char *name);

#endif
