/* A listener with one thread per connection, and an orderly end. */
#ifndef ASSAY_SIM_SERVER_H
#define ASSAY_SIM_SERVER_H

#include "base/alloc.h"
#include "base/error.h"

enum {
    SERVER_CONNECTIONS_MAX = 64, /* more are closed at once */
    SERVER_TIMEOUT_SECONDS = 30, /* of a read or write; serve may change it */
};

/* Serves one connection; the descriptor is closed for it afterwards. */
typedef void server_function(void *ctx, int fd);

struct server;

/* Takes the listening socket, on failure too. */
ASSAY_MUST_CHECK
enum assay_status server_new(int listener, server_function *serve, void *ctx,
                             struct server **out, struct assay_error *err);

/* Ends every connection, waits for their threads, and frees. */
void server_free(struct server *server);

#endif
