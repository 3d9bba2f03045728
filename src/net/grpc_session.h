/* The server's side of one gRPC connection without its socket: bytes in,
 * handlers called, bytes out. Time is given from outside. Internal to net/.
 *
 * What the protocol documents demand and where we are stricter:
 *
 *   not POST                          HTTP 405
 *   content-type not application/grpc HTTP 415
 *   no "te: trailers", bad timeout    HTTP 400, INTERNAL
 *   unknown path, message encoding    UNIMPLEMENTED
 *   not exactly one message           UNIMPLEMENTED (statuscodes document)
 *   message too large                 RESOURCE_EXHAUSTED, by its prefix
 *   broken or compressed prefix       INTERNAL (compression document) */
#ifndef ASSAY_NET_GRPC_SESSION_H
#define ASSAY_NET_GRPC_SESSION_H

#include "net/conn.h"
#include "net/grpc_server.h"

struct grpc_session;

struct grpc_session_config {
    const struct grpc_method *methods; /* all pointers are borrowed */
    size_t method_count;
    void *handler_ctx;
    const struct grpc_limits *limits;
    const struct grpc_observer *observer;
    size_t *bodies_used; /* bytes held by all sessions of one server */
    size_t *answers_used;
    uint64_t (*now_us)(void *owner);   /* a clock that never goes back */
    void (*output_ready)(void *owner); /* a reply came from outside of feed */
    /* A ceiling is reached: end what is slowest, of whatever session. False
     * when there is nothing to end but what asks. May be NULL. */
    bool (*free_body)(void *owner);
    bool (*free_answer)(void *owner);
    void *owner;
    struct loop *loop;       /* for grpc_call_loop; may be NULL */
    struct conn *connection; /* kept alive by calls; may be NULL */
    const struct allocator *alloc;
};

/* The handshake deadline goes on from begun_us. */
ASSAY_MUST_CHECK
enum assay_status grpc_session_new(const struct grpc_session_config *config,
                                   uint64_t begun_us, struct grpc_session **out,
                                   struct assay_error *err);

/* Calls that a handler owns live on, cut off. Not from within feed. */
void grpc_session_free(struct grpc_session *s);

/* Not ASSAY_OK: send what output still gives, then close. */
ASSAY_MUST_CHECK
enum assay_status grpc_session_feed(struct grpc_session *s, struct span bytes,
                                    struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status grpc_session_output(struct grpc_session *s,
                                      struct buffer *out, size_t mark,
                                      struct assay_error *err);
bool grpc_session_finished(const struct grpc_session *s);

/* Does what is due. Not ASSAY_OK: as for feed. */
ASSAY_MUST_CHECK
enum assay_status grpc_session_tick(struct grpc_session *s,
                                    struct assay_error *err);
/* When to tick next, in microseconds of now_us; UINT64_MAX for never. */
uint64_t grpc_session_next_us(const struct grpc_session *s);

void grpc_session_drain(struct grpc_session *s);

/* What a server chooses by when it must end something; all in microseconds of
 * now_us, UINT64_MAX for "nothing of that kind". */
uint64_t grpc_session_idle_since_us(const struct grpc_session *s);
/* When the oldest request began whose body has not come completely. */
uint64_t grpc_session_oldest_body_us(const struct grpc_session *s);
/* When the oldest answer that has not been taken is given up. */
uint64_t grpc_session_oldest_answer_us(const struct grpc_session *s);
/* Answers the request of grpc_session_oldest_body_us and drops its body. */
void grpc_session_refuse_oldest_body(struct grpc_session *s);

#endif
