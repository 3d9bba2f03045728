/* One HTTP/2 connection without its socket: bytes in, events and bytes out.
 * RFC 9113, through nghttp2; our own part is the ceilings and the accounting
 * of frames that make us work for nothing. Internal to net/.
 *
 * Events come only from within h2_session_feed, _output, and _free. None of
 * them may free the session. */
#ifndef ASSAY_NET_H2_H
#define ASSAY_NET_H2_H

#include "base/buffer.h"

struct h2_session;
struct h2_stream;

/* RFC 9113 section 7. */
enum h2_error {
    H2_NO_ERROR = 0x0,
    H2_INTERNAL_ERROR = 0x2,
    H2_REFUSED_STREAM = 0x7,
    H2_CANCEL = 0x8,
    H2_ENHANCE_YOUR_CALM = 0xb,
};

struct h2_header {
    const char *name; /* lower case */
    struct span value;
};

struct h2_events {
    /* A server's peer opened a stream; the result is what later events call
     * `user`. NULL refuses it. Not used by clients. */
    void *(*begin)(void *ctx, struct h2_stream *stream);
    /* A field of the headers or trailers, pseudo-header fields included. */
    void (*header)(void *ctx, void *user, struct span name, struct span value);
    /* A whole header block is through; end: nothing follows it. */
    void (*headers)(void *ctx, void *user, bool end);
    void (*data)(void *ctx, void *user, struct span bytes);
    /* The peer has finished its side: after the last headers or data. */
    void (*end)(void *ctx, void *user);
    /* The stream is gone and must not be used again. Exactly once. */
    void (*closed)(void *ctx, void *user, uint32_t error);
};

struct h2_config {
    bool server;
    uint32_t streams_max;   /* the peer may open at once */
    size_t header_list_max; /* bytes, counted as RFC 9113 section 6.5.2 says */
    unsigned flood_burst;
    unsigned flood_per_second;
    const struct h2_events *events;
    void *ctx;
    const struct allocator *alloc; /* may be NULL */
};

ASSAY_MUST_CHECK
enum assay_status h2_session_new(const struct h2_config *config,
                                 struct h2_session **out,
                                 struct assay_error *err);
/* Streams still open get their closed event first. NULL is fine. */
void h2_session_free(struct h2_session *s);

/* Not ASSAY_OK: the connection is over; send what h2_session_output still
 * gives (a GOAWAY), then close. ASSAY_ERR_MALFORMED: not HTTP/2.
 * ASSAY_ERR_LIMIT: a flood. */
ASSAY_MUST_CHECK
enum assay_status h2_session_feed(struct h2_session *s, struct span bytes,
                                  uint64_t now_ms, struct assay_error *err);

/* Appends what is to be sent, until out holds `mark` bytes or nothing is left.
 */
ASSAY_MUST_CHECK
enum assay_status h2_session_output(struct h2_session *s, struct buffer *out,
                                    size_t mark, struct assay_error *err);

/* Neither side will say anything any more: after GOAWAY and the last stream,
 * or after a protocol error and its GOAWAY. */
bool h2_session_finished(const struct h2_session *s);
/* The peer's SETTINGS have arrived: it does speak HTTP/2. */
bool h2_session_greeted(const struct h2_session *s);

/* -- What to say. Takes effect with the next output. -- */

enum { H2_HEADERS_MAX = 12 }; /* in one block we send */

/* Headers, then body (taken: *body is left empty, also on failure) and, if
 * there is a body, the trailer, whose value is borrowed until closed. body and
 * trailer may be NULL. */
ASSAY_MUST_CHECK
enum assay_status h2_stream_respond(struct h2_stream *stream,
                                    const struct h2_header *headers, size_t n,
                                    struct buffer *body,
                                    const struct h2_header *trailer,
                                    struct assay_error *err);
/* Clients: opens a stream whose events carry user. Takes body, as above. */
ASSAY_MUST_CHECK
enum assay_status h2_session_request(struct h2_session *s,
                                     const struct h2_header *headers, size_t n,
                                     struct buffer *body, void *user,
                                     struct h2_stream **out,
                                     struct assay_error *err);
void h2_stream_reset(struct h2_stream *stream, uint32_t error);
/* The rest of the request is not wanted: once the response is out, the stream
 * is reset with NO_ERROR (RFC 9113 section 8.1). */
void h2_stream_stop_request(struct h2_stream *stream);
/* The peer got useful work done: it has earned some frames. */
void h2_session_credit(struct h2_session *s);
void h2_session_ping(struct h2_session *s);
/* RFC 9113 section 6.8: announces the end, lets what is under way finish. */
void h2_session_drain(struct h2_session *s);
/* GOAWAY at once. */
void h2_session_terminate(struct h2_session *s, uint32_t error);

#endif
