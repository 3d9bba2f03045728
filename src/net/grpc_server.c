#include "net/grpc_server.h"

#include <assert.h>
#include <uv.h>

#include "base/limits.h"
#include "net/grpc_session.h"
#include "net/listener.h"

/* Bytes we let queue in one connection before waiting for the kernel. */
enum { PUMP_MARK = 32 * 1024 };

struct server_conn {
    struct grpc_server *server;
    struct server_conn *prev, *next;
    struct conn *conn;
    struct grpc_session *session; /* NULL before the handshake is through */
    uint64_t accepted_us;
    uint64_t stuck_since_us; /* output waits since; 0: it does not */
    bool ending;             /* the session said its last */
    bool cut;                /* its socket is closed */
};

struct grpc_server {
    struct grpc_server_config config;
    struct loop *loop;
    struct listener *listener;
    struct net_address address;
    struct server_conn *conns;
    size_t conn_count;
    size_t bodies_used;
    size_t answers_used;
    bool stopping;
    bool freed; /* goes with the last connection */
    struct loop_timer *stop_timer;
    void (*stopped)(void *ctx);
    void *stopped_ctx;
};

void
grpc_limits_default(struct grpc_limits *limits)
{
    *limits = (struct grpc_limits){
        .connections_max = LIMIT_GRPC_CONNECTIONS,
        .connections_per_peer = LIMIT_GRPC_CONNECTIONS_PER_PEER,
        .streams_max = LIMIT_GRPC_STREAMS,
        .header_list_max = LIMIT_GRPC_HEADER_BYTES,
        .message_max = LIMIT_GRPC_MESSAGE_BYTES,
        .bodies_max = LIMIT_GRPC_BODIES_BYTES,
        .answers_max = LIMIT_GRPC_ANSWERS_BYTES,
        .output_max = LIMIT_GRPC_OUTPUT_BYTES,
        .flood_burst = LIMIT_GRPC_FLOOD_BURST,
        .flood_per_second = LIMIT_GRPC_FLOOD_PER_SECOND,
        .handshake_ms = LIMIT_HANDSHAKE_MS,
        .request_ms = LIMIT_GRPC_REQUEST_MS,
        .response_ms = LIMIT_GRPC_RESPONSE_MS,
        .idle_ms = LIMIT_GRPC_IDLE_MS,
        .ping_interval_ms = LIMIT_GRPC_PING_MS,
        .ping_ack_ms = LIMIT_GRPC_PING_ACK_MS,
    };
}

static uint64_t
server_now_us(void *owner)
{
    (void)owner;
    return uv_hrtime() / 1000;
}

static uint64_t
after(uint64_t from_us, uint64_t delay_ms)
{
    return delay_ms && delay_ms < UINT64_MAX / 2000 ? from_us + delay_ms * 1000
                                                    : UINT64_MAX;
}

/* -- One connection -- */

static uint64_t
due_us(const struct server_conn *sc)
{
    const struct grpc_limits *limits = &sc->server->config.limits;
    uint64_t due = sc->session ? grpc_session_next_us(sc->session)
                               : after(sc->accepted_us, limits->handshake_ms);
    uint64_t stuck = sc->stuck_since_us
                         ? after(sc->stuck_since_us, limits->response_ms)
                         : UINT64_MAX;

    return stuck < due ? stuck : due;
}

static void
rearm(struct server_conn *sc)
{
    uint64_t now = server_now_us(NULL), due = due_us(sc), delay_ms;

    if (sc->ending)
        return; /* conn_shutdown has its own limit */
    if (due == UINT64_MAX) {
        conn_wake_at(sc->conn, UINT64_MAX);
        return;
    }
    delay_ms = due > now ? (due - now + 999) / 1000 : 0;
    uv_update_time(loop_uv(sc->server->loop));
    conn_wake_at(sc->conn, loop_now_ms(sc->server->loop) + delay_ms);
}

static void
cut(struct server_conn *sc, const struct assay_error *why)
{
    sc->ending = sc->cut = true;
    conn_abort(sc->conn, why);
}

static void
end_conn(struct server_conn *sc, const struct assay_error *why)
{
    sc->ending = true;
    conn_shutdown(sc->conn, why);
}

/* Moves output from session to connection as long as the kernel keeps up. */
static enum assay_status
push_output(struct server_conn *sc, struct assay_error *err)
{
    enum assay_status st = ASSAY_OK;
    struct buffer out;

    buffer_init(&out, LIMIT_GRPC_OUTPUT_BYTES, sc->server->config.alloc);
    out.wipe = true;
    while (st == ASSAY_OK && conn_is_open(sc->conn) &&
           conn_queued(sc->conn) < PUMP_MARK) {
        buffer_clear(&out);
        st = grpc_session_output(sc->session, &out, PUMP_MARK, err);
        if (out.len == 0)
            break;
        conn_send(sc->conn, buffer_span(&out));
    }
    buffer_free(&out);
    if (conn_queued(sc->conn) == 0)
        sc->stuck_since_us = 0;
    else if (sc->stuck_since_us == 0)
        sc->stuck_since_us = server_now_us(NULL);
    return st;
}

/* After anything happened: output, end or next deadline. failed: what the
 * session said of its input, ASSAY_OK if it was content. */
static void
pump(struct server_conn *sc, enum assay_status failed, struct assay_error *why)
{
    static const struct assay_error finished = { ASSAY_OK, "finished" };
    struct assay_error err;
    enum assay_status st;

    if (sc->ending)
        return;
    st = push_output(sc, &err);
    if (failed != ASSAY_OK)
        end_conn(sc, why);
    else if (st != ASSAY_OK)
        end_conn(sc, &err);
    else if (grpc_session_finished(sc->session))
        end_conn(sc, &finished);
    else
        rearm(sc);
}

static void
on_output_ready(void *owner)
{
    struct server_conn *sc = owner;

    pump(sc, ASSAY_OK, NULL);
}

/* The connection whose session has the smallest of some time. */
static struct server_conn *
find_oldest(const struct grpc_server *server,
            uint64_t (*time_us)(const struct grpc_session *s))
{
    struct server_conn *oldest = NULL;
    uint64_t best = UINT64_MAX;

    for (struct server_conn *sc = server->conns; sc; sc = sc->next) {
        uint64_t us =
            sc->session && !sc->ending ? time_us(sc->session) : UINT64_MAX;

        if (us < best) {
            best = us;
            oldest = sc;
        }
    }
    return oldest;
}

/* Whose request has been on its way for longest gives its room up: who means
 * to block others sends slowly. */
static bool
free_body(void *owner)
{
    const struct server_conn *self = owner;
    struct server_conn *sc =
        find_oldest(self->server, grpc_session_oldest_body_us);

    if (!sc)
        return false;
    grpc_session_refuse_oldest_body(sc->session);
    if (sc != self)
        conn_wake_at(sc->conn, 0);
    return true;
}

/* The slowest reader is cut off, as its answer cannot be taken back. */
static bool
free_answer(void *owner)
{
    static const struct assay_error why = {
        ASSAY_ERR_LIMIT, "peer takes its answers too slowly: others need room"
    };
    const struct server_conn *self = owner;
    struct server_conn *sc =
        find_oldest(self->server, grpc_session_oldest_answer_us);

    if (!sc || sc == self)
        return false;
    grpc_session_free(sc->session);
    sc->session = NULL;
    cut(sc, &why);
    return true;
}

static void
on_open(void *ctx)
{
    struct server_conn *sc = ctx;
    struct grpc_server *server = sc->server;
    const struct grpc_session_config config = {
        .methods = server->config.methods,
        .method_count = server->config.method_count,
        .handler_ctx = server->config.handler_ctx,
        .limits = &server->config.limits,
        .observer = &server->config.observer,
        .bodies_used = &server->bodies_used,
        .answers_used = &server->answers_used,
        .now_us = server_now_us,
        .output_ready = on_output_ready,
        .free_body = free_body,
        .free_answer = free_answer,
        .owner = sc,
        .loop = server->loop,
        .connection = sc->conn,
        .alloc = server->config.alloc,
    };
    struct assay_error err;

    if (grpc_session_new(&config, sc->accepted_us, &sc->session, &err) !=
        ASSAY_OK) {
        conn_abort(sc->conn, &err);
        return;
    }
    if (server->stopping)
        grpc_session_drain(sc->session);
    pump(sc, ASSAY_OK, NULL);
}

static void
on_received(void *ctx, struct span bytes)
{
    struct server_conn *sc = ctx;
    struct assay_error err;
    enum assay_status st;

    if (sc->ending)
        return;
    st = grpc_session_feed(sc->session, bytes, &err);
    pump(sc, st, &err);
}

static void
on_flushed(void *ctx)
{
    struct server_conn *sc = ctx;

    sc->stuck_since_us = 0;
    pump(sc, ASSAY_OK, NULL);
}

static void
on_woken(void *ctx)
{
    struct server_conn *sc = ctx;
    const struct grpc_limits *limits = &sc->server->config.limits;
    uint64_t now = server_now_us(NULL);
    struct assay_error err;
    enum assay_status st;

    if (now < due_us(sc)) { /* woken for output, or the clocks differ */
        if (sc->session)
            pump(sc, ASSAY_OK, NULL);
        else
            rearm(sc);
    } else if (!sc->session) {
        (void)assay_fail(&err, ASSAY_ERR_LIMIT, "%s not done after %llu ms",
                         conn_phase(sc->conn),
                         (unsigned long long)limits->handshake_ms);
        conn_abort(sc->conn, &err);
    } else if (sc->stuck_since_us &&
               now >= after(sc->stuck_since_us, limits->response_ms)) {
        (void)assay_fail(&err, ASSAY_ERR_LIMIT,
                         "peer took no output for %llu ms",
                         (unsigned long long)limits->response_ms);
        conn_abort(sc->conn, &err);
    } else {
        st = grpc_session_tick(sc->session, &err);
        pump(sc, st, &err);
    }
}

static void
observe_refused(struct grpc_server *server, const struct net_address *peer,
                const struct assay_error *why)
{
    const struct grpc_observer *observer = &server->config.observer;

    if (observer->refused)
        observer->refused(observer->ctx, peer, why);
}

static void
server_settle(struct grpc_server *server)
{
    void (*stopped)(void *ctx) = server->stopped;

    if (server->conn_count > 0)
        return;
    if (server->freed) {
        mem_free(server->config.alloc, server);
    } else if (server->stopping && stopped) {
        server->stopped = NULL;
        loop_timer_stop(server->stop_timer);
        stopped(server->stopped_ctx);
    }
}

static void
on_closed(void *ctx, const struct assay_error *why)
{
    struct server_conn *sc = ctx;
    struct grpc_server *server = sc->server;

    if (!sc->session || why->status == ASSAY_ERR_LIMIT)
        observe_refused(server, conn_peer(sc->conn), why);
    grpc_session_free(sc->session);
    conn_free(sc->conn);
    if (sc->prev)
        sc->prev->next = sc->next;
    else
        server->conns = sc->next;
    if (sc->next)
        sc->next->prev = sc->prev;
    server->conn_count--;
    mem_free(server->config.alloc, sc);
    server_settle(server);
}

/* -- Accepting -- */

/* Who gives way to a newcomer: who is ending anyway, else the oldest
 * unfinished handshake, else who has had no call for longest. Connections that
 * only wait would otherwise keep everybody else out. peer NULL: of any
 * address. */
static struct server_conn *
find_idle(const struct grpc_server *server, const struct server_conn *newcomer,
          const struct net_address *peer)
{
    struct server_conn *waiting = NULL, *idle = NULL;
    uint64_t since_us = UINT64_MAX;

    for (struct server_conn *sc = server->conns; sc; sc = sc->next) {
        uint64_t us;

        if (sc == newcomer || sc->cut ||
            (peer && !net_address_same_ip(conn_peer(sc->conn), peer)))
            continue;
        if (sc->ending)
            return sc;
        if (!sc->session) {
            waiting = sc; /* the newest come first in the list */
            continue;
        }
        us = grpc_session_idle_since_us(sc->session);
        if (us < since_us) {
            since_us = us;
            idle = sc;
        }
    }
    return waiting ? waiting : idle;
}

static enum assay_status
make_room(const struct server_conn *newcomer, struct assay_error *err)
{
    static const struct assay_error why = { ASSAY_ERR_LIMIT,
                                            "gave way to a newer connection" };
    const struct grpc_server *server = newcomer->server;
    const struct grpc_limits *limits = &server->config.limits;
    const struct net_address *peer = conn_peer(newcomer->conn);
    struct server_conn *victim;
    size_t all = 0, same = 0;

    for (const struct server_conn *sc = server->conns; sc; sc = sc->next) {
        all += !sc->cut;
        same += !sc->cut && net_address_same_ip(conn_peer(sc->conn), peer);
    }
    if (all <= limits->connections_max && same <= limits->connections_per_peer)
        return ASSAY_OK;
    victim = find_idle(server, newcomer,
                       same > limits->connections_per_peer ? peer : NULL);
    if (!victim)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "connections: %zu open already, %zu of them from "
                          "this address, all at work",
                          all - 1, same - 1);
    cut(victim, &why);
    return ASSAY_OK;
}

static bool
on_pending(void *ctx, struct uv_stream_s *stream)
{
    static const struct conn_events events = { on_open, on_received, on_flushed,
                                               on_woken, on_closed };
    struct grpc_server *server = ctx;
    struct server_conn *sc = mem_zalloc(server->config.alloc, sizeof(*sc));
    struct conn_config config = { .loop = server->loop,
                                  .tls = server->config.tls,
                                  .need_h2 = true,
                                  .output_max =
                                      server->config.limits.output_max,
                                  .events = &events,
                                  .ctx = sc,
                                  .alloc = server->config.alloc };
    struct assay_error err;

    if (!sc || conn_accept(&config, stream, &sc->conn, &err) != ASSAY_OK) {
        mem_free(server->config.alloc, sc);
        return false;
    }
    sc->server = server;
    sc->accepted_us = server_now_us(NULL);
    sc->next = server->conns;
    if (server->conns)
        server->conns->prev = sc;
    server->conns = sc;
    server->conn_count++;
    if (make_room(sc, &err) != ASSAY_OK) {
        cut(sc, &err);
        return true;
    }
    rearm(sc);
    conn_start(sc->conn);
    return true;
}

/* -- The server -- */

enum assay_status
grpc_server_new(struct loop *loop, const struct grpc_server_config *config,
                struct grpc_server **out, struct assay_error *err)
{
    struct grpc_server *server = mem_zalloc(config->alloc, sizeof(*server));
    enum assay_status st;

    if (!server)
        return assay_nomem(err, "grpc server");
    server->config = *config;
    server->loop = loop;
    st = listener_new(loop, config->listen, on_pending, server,
                      &server->listener, err);
    if (st != ASSAY_OK) {
        mem_free(config->alloc, server);
        return st;
    }
    server->address = listener_address(server->listener);
    *out = server;
    return ASSAY_OK;
}

struct net_address
grpc_server_address(const struct grpc_server *server)
{
    return server->address;
}

size_t
grpc_server_connections(const struct grpc_server *server)
{
    return server->conn_count;
}

static void
stop_listening(struct grpc_server *server)
{
    listener_free(server->listener);
    server->listener = NULL;
}

static void
cut_all(struct grpc_server *server)
{
    static const struct assay_error why = { ASSAY_OK, "server stopped" };

    for (struct server_conn *sc = server->conns; sc; sc = sc->next)
        cut(sc, &why);
}

static void
stop_deadline(void *ctx)
{
    struct grpc_server *server = ctx;

    cut_all(server);
    server_settle(server);
}

/* What has not finished its handshake has been promised nothing. */
static void
drain_all(struct grpc_server *server)
{
    static const struct assay_error why = { ASSAY_OK, "server stopping" };

    for (struct server_conn *sc = server->conns; sc; sc = sc->next) {
        if (!sc->session) {
            cut(sc, &why);
        } else {
            grpc_session_drain(sc->session);
            conn_wake_at(sc->conn, 0);
        }
    }
}

void
grpc_server_stop(struct grpc_server *server, uint64_t deadline_ms,
                 void (*done)(void *ctx), void *ctx)
{
    if (!server->stop_timer &&
        loop_timer_new(server->loop, false, stop_deadline, server,
                       &server->stop_timer, NULL) != ASSAY_OK)
        deadline_ms = 0; /* no memory to wait with */
    if (!server->stopping) {
        server->stopping = true;
        server->stopped = done;
        server->stopped_ctx = ctx;
        stop_listening(server);
        drain_all(server);
    }
    if (!server->stop_timer)
        stop_deadline(server);
    else /* with nobody connected the next turn reports the end */
        loop_timer_start(server->stop_timer,
                         server->conn_count ? deadline_ms : 0, 0);
}

void
grpc_server_free(struct grpc_server *server)
{
    if (!server)
        return;
    server->freed = true;
    server->config.observer = (struct grpc_observer){ 0 };
    stop_listening(server);
    loop_timer_free(server->stop_timer);
    cut_all(server);
    server_settle(server);
}
