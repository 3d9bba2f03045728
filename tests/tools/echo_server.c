/* A plain gRPC server with short time-outs, for clients of other people and
 * for bytes no client sends. Prints its address; ends on SIGTERM. */
#include <stdio.h>

#include "net/grpc_server.h"

struct echo {
    struct loop *loop;
    struct grpc_server *server;
};

static void
handle_echo(void *ctx, struct grpc_call *call)
{
    (void)ctx;
    grpc_call_reply(call, GRPC_OK, NULL, grpc_call_request(call));
}

static void
handle_fail(void *ctx, struct grpc_call *call)
{
    (void)ctx;
    grpc_call_reply(call, GRPC_FAILED_PRECONDITION, "100% no\n",
                    (struct span){ 0 });
}

static void
stopped(void *ctx)
{
    struct echo *echo = ctx;

    loop_stop(echo->loop);
}

static void
on_signal(void *ctx, int signum)
{
    struct echo *echo = ctx;

    (void)signum;
    grpc_server_stop(echo->server, 1000, stopped, echo);
}

int
main(void)
{
    static const struct grpc_method methods[] = {
        { "/test.T/Echo", handle_echo, 64 * 1024 },
        { "/test.T/Fail", handle_fail, 64 * 1024 },
    };
    struct echo echo = { 0 };
    struct grpc_server_config config = { .listen = "127.0.0.1:0",
                                         .methods = methods,
                                         .method_count = 2 };
    struct net_address address;
    char text[NET_ADDRESS_TEXT_SIZE];
    struct assay_error err;

    grpc_limits_default(&config.limits);
    config.limits.handshake_ms = 300;
    config.limits.request_ms = 300;
    if (loop_new(&echo.loop, &err) != ASSAY_OK ||
        loop_on_signals(echo.loop, on_signal, &echo, &err) != ASSAY_OK ||
        grpc_server_new(echo.loop, &config, &echo.server, &err) != ASSAY_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 3;
    }
    address = grpc_server_address(echo.server);
    net_address_format(&address, text);
    (void)printf("%s\n", text);
    (void)fflush(stdout);
    loop_run(echo.loop);
    grpc_server_free(echo.server);
    loop_free(echo.loop);
    return 0;
}
