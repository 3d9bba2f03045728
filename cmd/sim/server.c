#include "sim/server.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct server {
    int listener;
    server_function *serve;
    void *ctx;
    pthread_t acceptor;
    pthread_mutex_t lock;
    pthread_cond_t idle; /* the last connection ended */
    bool stopping;
    int connections[SERVER_CONNECTIONS_MAX]; /* -1: free */
    size_t connection_count;
};

struct connection {
    struct server *server;
    size_t slot;
    int fd;
};

/* The slot taken, or SERVER_CONNECTIONS_MAX when there is none. */
static size_t
take_slot(struct server *server, int fd)
{
    size_t slot = 0;

    pthread_mutex_lock(&server->lock);
    while (slot < SERVER_CONNECTIONS_MAX && server->connections[slot] >= 0)
        slot++;
    if (server->stopping)
        slot = SERVER_CONNECTIONS_MAX;
    if (slot < SERVER_CONNECTIONS_MAX) {
        server->connections[slot] = fd;
        server->connection_count++;
    }
    pthread_mutex_unlock(&server->lock);
    return slot;
}

/* Closes under the lock, so that server_free never shuts down a descriptor that
 * has meanwhile become something else. */
static void
drop_slot(struct server *server, size_t slot)
{
    pthread_mutex_lock(&server->lock);
    close(server->connections[slot]);
    server->connections[slot] = -1;
    if (--server->connection_count == 0)
        pthread_cond_signal(&server->idle);
    pthread_mutex_unlock(&server->lock);
}

static void *
run_connection(void *ctx)
{
    struct connection c = *(struct connection *)ctx;

    mem_free(NULL, ctx);
    c.server->serve(c.server->ctx, c.fd);
    drop_slot(c.server, c.slot);
    return NULL;
}

static void
start_connection(struct server *server, int fd)
{
    struct timeval patience = { .tv_sec = SERVER_TIMEOUT_SECONDS };
    struct connection *c = mem_zalloc(NULL, sizeof(*c));
    size_t slot = take_slot(server, fd);
    pthread_t thread;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (slot == SERVER_CONNECTIONS_MAX) {
        close(fd);
        mem_free(NULL, c);
        return;
    }
    if (c) {
        *c = (struct connection){ server, slot, fd };
        if (pthread_create(&thread, NULL, run_connection, c) == 0) {
            pthread_detach(thread);
            return;
        }
    }
    mem_free(NULL, c);
    drop_slot(server, slot);
}

static void *
accept_loop(void *ctx)
{
    struct server *server = ctx;
    int fd;

    /* server_free shuts the listener down, which ends accept for good. */
    while ((fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        start_connection(server, fd);
    return NULL;
}

enum assay_status
server_new(int listener, server_function *serve, void *ctx, struct server **out,
           struct assay_error *err)
{
    struct server *server = mem_zalloc(NULL, sizeof(*server));

    if (!server) {
        close(listener);
        return assay_nomem(err, "server");
    }
    server->listener = listener;
    server->serve = serve;
    server->ctx = ctx;
    for (size_t i = 0; i < SERVER_CONNECTIONS_MAX; i++)
        server->connections[i] = -1;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->idle, NULL);
    if (pthread_create(&server->acceptor, NULL, accept_loop, server) != 0) {
        close(listener);
        mem_free(NULL, server);
        return assay_fail(err, ASSAY_ERR_IO, "cannot start a thread");
    }
    *out = server;
    return ASSAY_OK;
}

void
server_free(struct server *server)
{
    if (!server)
        return;
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    for (size_t i = 0; i < SERVER_CONNECTIONS_MAX; i++)
        if (server->connections[i] >= 0)
            shutdown(server->connections[i], SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->acceptor, NULL);
    pthread_mutex_lock(&server->lock);
    while (server->connection_count > 0)
        pthread_cond_wait(&server->idle, &server->lock);
    pthread_mutex_unlock(&server->lock);
    close(server->listener);
    pthread_cond_destroy(&server->idle);
    pthread_mutex_destroy(&server->lock);
    mem_free(NULL, server);
}
