/* One gRPC connection without its socket: the first byte says how the rest is
 * cut into reads. Whatever comes in, the ceilings hold, every call that a
 * handler got can be answered, and nothing is left behind. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "net/grpc_session.h"

enum { STREAMS_MAX = 4, MESSAGE_MAX = 256, BODIES_MAX = 600 };

struct bench {
    struct grpc_session *session;
    struct grpc_call *kept[64];
    size_t kept_count;
    uint64_t now_us;
    size_t bodies_used;
    size_t answers_used;
    bool answered;
};

static void
handle_echo(void *ctx, struct grpc_call *call)
{
    struct bench *b = ctx;
    struct span request = grpc_call_request(call);

    assert(request.len <= MESSAGE_MAX);
    b->answered = true;
    grpc_call_reply(call, GRPC_OK, NULL, request);
}

/* Answered out of order, or after the session has gone. */
static void
handle_keep(void *ctx, struct grpc_call *call)
{
    struct bench *b = ctx;

    assert(b->kept_count < STREAMS_MAX);
    b->kept[b->kept_count++] = call;
    if (b->kept_count == STREAMS_MAX)
        grpc_call_reply(b->kept[--b->kept_count], GRPC_NOT_FOUND, "full",
                        (struct span){ 0 });
}

static uint64_t
now_us(void *owner)
{
    return ((struct bench *)owner)->now_us;
}

static void
push_output(void *owner)
{
    struct bench *b = owner;
    struct buffer out;

    buffer_init(&out, 1 << 20, NULL);
    if (grpc_session_output(b->session, &out, 1 << 19, NULL) != ASSAY_OK)
        abort();
    buffer_free(&out);
}

static void
run(struct bench *b, struct span in, size_t step)
{
    enum assay_status st = ASSAY_OK;

    while (in.len > 0 && st == ASSAY_OK) {
        struct span part = span_sub(in, 0, step);

        in = span_sub(in, part.len, in.len - part.len);
        b->now_us += 50;
        st = grpc_session_feed(b->session, part, NULL);
        push_output(b);
        assert(b->bodies_used <= BODIES_MAX);
        if (st == ASSAY_OK && b->now_us >= grpc_session_next_us(b->session)) {
            st = grpc_session_tick(b->session, NULL);
            push_output(b);
        }
        if (grpc_session_finished(b->session))
            break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct grpc_method methods[] = {
        { "/t.T/E", handle_echo, 0 },
        { "/t.T/K", handle_keep, 16 },
    };
    struct bench b = { .now_us = 1000000 };
    struct grpc_limits limits;
    const struct grpc_observer nobody = { 0 };
    const struct grpc_session_config config = {
        .methods = methods,
        .method_count = 2,
        .handler_ctx = &b,
        .limits = &limits,
        .observer = &nobody,
        .bodies_used = &b.bodies_used,
        .answers_used = &b.answers_used,
        .now_us = now_us,
        .output_ready = push_output,
        .owner = &b,
    };

    if (size < 1)
        return 0;
    grpc_limits_default(&limits);
    limits.streams_max = STREAMS_MAX;
    limits.message_max = MESSAGE_MAX;
    limits.bodies_max = BODIES_MAX;
    limits.flood_burst = 50;
    limits.request_ms = 40;
    limits.ping_interval_ms = 20;
    if (grpc_session_new(&config, b.now_us, &b.session, NULL) != ASSAY_OK)
        abort();
    run(&b, span_of(data + 1, size - 1), 1 + (size_t)data[0]);
    grpc_session_free(b.session);
    assert(b.bodies_used == 0 && b.answers_used == 0);
    while (b.kept_count > 0)
        grpc_call_reply(b.kept[--b.kept_count], GRPC_OK, NULL,
                        (struct span){ 0 });
    if (b.answered)
        fuzz_success();
    return 0;
}
