#include "net/conn.h"

#include <assert.h>
#include <openssl/err.h>
#include <string.h>
#include <uv.h>

#include "base/buffer.h"
#include "net/conn_impl.h"

enum {
    LINGER_MS = 1000,
    /* What one SSL_read can return at most: a TLS record. */
    RECORD_MAX = 16 * 1024,
};

static void read_some(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

void
conn_ref(struct conn *conn)
{
    conn->refs++;
}

void
conn_unref(struct conn *conn)
{
    if (--conn->refs > 0)
        return;
    SSL_free(conn->ssl); /* before the pipe that its BIO points to */
    buffer_free(&conn->pipe.out);
    buffer_free(&conn->handshake_in);
    buffer_free(&conn->sending);
    mem_free(conn->config.alloc, conn->dial);
    mem_free(conn->config.alloc, conn);
}

void
conn_handle_closed(struct conn *conn)
{
    const struct conn_events *events = conn->config.events;

    if (--conn->handles > 0)
        return;
    if (!conn->orphan)
        events->closed(conn->config.ctx, &conn->why);
    conn_unref(conn);
}

static void
handle_closed(uv_handle_t *handle)
{
    conn_handle_closed(handle->data);
}

void
conn_abort(struct conn *conn, const struct assay_error *why)
{
    if (conn->state == CONN_CLOSING)
        return;
    if (conn->state != CONN_LINGER)
        conn->why = *why;
    if (conn->state == CONN_RESOLVING && conn->dial)
        (void)uv_cancel((uv_req_t *)&conn->dial->resolve);
    if (conn->working)
        (void)uv_cancel((uv_req_t *)&conn->work);
    else
        conn->pipe.in = (struct span){ 0 };
    conn->state = CONN_CLOSING;
    if (!uv_is_closing((uv_handle_t *)&conn->tcp))
        uv_close((uv_handle_t *)&conn->tcp, handle_closed);
    uv_close((uv_handle_t *)&conn->timer, handle_closed);
}

static void
abort_uv(struct conn *conn, const char *what, int rc)
{
    struct assay_error why;

    (void)assay_fail(&why, ASSAY_ERR_IO, "%s: %s", what, uv_strerror(rc));
    conn_abort(conn, &why);
}

/* -- Output -- */

size_t
conn_queued(const struct conn *conn)
{
    return conn->pipe.out.len + (conn->sending.len - conn->sent);
}

static void flush(struct conn *conn);

/* All is sent: half-close, then wait for the peer to do the same, so that its
 * kernel does not answer our last bytes with a reset. */
static void
half_close(struct conn *conn)
{
    uv_stream_t *stream = (uv_stream_t *)&conn->tcp;

    if (conn->half_closed || conn_queued(conn) > 0)
        return;
    conn->half_closed = true;
    if (uv_shutdown(&conn->shutdown, stream, NULL) != 0)
        conn_abort(conn, &conn->why);
}

static void
written(uv_write_t *write, int status)
{
    struct conn *conn = write->data;

    conn->writing = false;
    conn->sent = 0;
    buffer_free(&conn->sending);
    if (conn->state == CONN_CLOSING)
        return;
    if (status != 0) {
        abort_uv(conn, "connection lost", status);
        return;
    }
    flush(conn);
    if (conn->state == CONN_OPEN && !conn->writing &&
        conn->config.events->flushed)
        conn->config.events->flushed(conn->config.ctx);
}

static void
write_rest(struct conn *conn)
{
    uv_buf_t buf;
    int rc;

    conn->sending = conn->pipe.out;
    buffer_init(&conn->pipe.out, conn->config.output_max, conn->config.alloc);
    buf = uv_buf_init((char *)conn->sending.ptr + conn->sent,
                      (unsigned)(conn->sending.len - conn->sent));
    rc = uv_write(&conn->write, (uv_stream_t *)&conn->tcp, &buf, 1, written);
    if (rc != 0)
        abort_uv(conn, "connection lost", rc);
    else
        conn->writing = true;
}

/* Hands the kernel what it takes now; the rest waits in `sending`. */
static void
flush(struct conn *conn)
{
    struct buffer *out = &conn->pipe.out;
    uv_buf_t buf;
    int n;

    if (conn->working || conn->writing || conn->state == CONN_CLOSING)
        return;
    if (out->len > 0) {
        buf = uv_buf_init((char *)out->ptr, (unsigned)out->len);
        n = uv_try_write((uv_stream_t *)&conn->tcp, &buf, 1);
        if (n < 0 && n != UV_EAGAIN) {
            abort_uv(conn, "connection lost", n);
            return;
        }
        conn->sent = n < 0 ? 0 : (size_t)n;
        if (conn->sent < out->len) {
            write_rest(conn);
            return;
        }
        conn->sent = 0;
        buffer_free(out);
    }
    if (conn->state == CONN_LINGER)
        half_close(conn);
}

void
conn_send(struct conn *conn, struct span bytes)
{
    struct assay_error why;
    int rc;

    if (conn->state != CONN_OPEN || bytes.len == 0)
        return;
    if (!conn->ssl) {
        buffer_add(&conn->pipe.out, bytes);
    } else {
        ERR_clear_error();
        rc = bytes.len > INT_MAX
                 ? -1
                 : SSL_write(conn->ssl, bytes.ptr, (int)bytes.len);
        if (rc <= 0 && !conn->pipe.out.failed) {
            (void)tls_fail(conn->ssl, rc, "TLS write", &why);
            conn_abort(conn, &why);
            return;
        }
    }
    if (conn->pipe.out.failed) {
        if (buffer_check(&conn->pipe.out, "output queue", &why) != ASSAY_OK)
            conn_abort(conn, &why);
        return;
    }
    flush(conn);
}

static void
timer_fired(uv_timer_t *timer)
{
    struct conn *conn = timer->data;

    if (conn->state == CONN_LINGER)
        conn_abort(conn, &conn->why);
    else
        conn->config.events->woken(conn->config.ctx);
}

void
conn_wake_at(struct conn *conn, uint64_t when_ms)
{
    uint64_t now = loop_now_ms(conn->config.loop);

    if (conn->state == CONN_CLOSING || conn->state == CONN_LINGER)
        return; /* lingering has its own end */
    if (when_ms == UINT64_MAX)
        (void)uv_timer_stop(&conn->timer);
    else
        (void)uv_timer_start(&conn->timer, timer_fired,
                             when_ms > now ? when_ms - now : 0, 0);
}

static void
linger(struct conn *conn, const struct assay_error *why)
{
    conn->why = *why;
    conn->state = CONN_LINGER;
    (void)uv_timer_start(&conn->timer, timer_fired, LINGER_MS, 0);
    (void)uv_read_stop((uv_stream_t *)&conn->tcp);
    if (uv_read_start((uv_stream_t *)&conn->tcp, conn_read_buffer, read_some) !=
        0) {
        conn_abort(conn, why);
        return;
    }
    flush(conn);
}

/* Queues the close_notify. */
static void
say_goodbye(struct conn *conn)
{
    if (!conn->ssl)
        return;
    ERR_clear_error();
    (void)SSL_shutdown(conn->ssl);
    ERR_clear_error();
    flush(conn);
}

void
conn_shutdown(struct conn *conn, const struct assay_error *why)
{
    if (conn->state == CONN_OPEN)
        say_goodbye(conn);
    if (conn->state == CONN_OPEN) {
        linger(conn, why);
    } else if (conn->state != CONN_LINGER) {
        conn_abort(conn, why);
    }
}

void
conn_free(struct conn *conn)
{
    static const struct assay_error dropped = { ASSAY_ERR_IO, "dropped" };

    if (!conn)
        return;
    conn->orphan = true;
    if (conn->state == CONN_OPEN)
        say_goodbye(conn);
    conn_abort(conn, &dropped);
    conn_unref(conn);
}

/* -- Input -- */

void
conn_read_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct conn *conn = handle->data;
    char *scratch = loop_scratch(conn->config.loop);

    (void)suggested;
    *buf = uv_buf_init(scratch, scratch ? LOOP_SCRATCH_SIZE : 0);
}

/* Deals with what SSL_read says instead of bytes. */
static void
read_stopped(struct conn *conn, int rc)
{
    struct assay_error why;

    if (SSL_get_error(conn->ssl, rc) == SSL_ERROR_WANT_READ) {
        flush(conn); /* an alert, or the answer to a key update */
        return;
    }
    (void)tls_fail(conn->ssl, rc, "TLS", &why);
    flush(conn);
    conn_abort(conn, &why);
}

static void
decrypt(struct conn *conn)
{
    uint8_t record[RECORD_MAX];
    size_t most = 0;
    int rc = 1;

    while (rc > 0 && conn->state == CONN_OPEN) {
        ERR_clear_error();
        rc = SSL_read(conn->ssl, record, sizeof(record));
        if (rc <= 0) {
            read_stopped(conn, rc);
            break;
        }
        if ((size_t)rc > most)
            most = (size_t)rc;
        conn->config.events->received(conn->config.ctx,
                                      span_of(record, (size_t)rc));
    }
    explicit_bzero(record, most); /* a request may carry a seed */
}

static void handshake_step(struct conn *conn);

static void
take_input(struct conn *conn, struct span bytes)
{
    switch (conn->state) {
    case CONN_HANDSHAKE:
        buffer_add(&conn->handshake_in, bytes);
        handshake_step(conn);
        break;
    case CONN_OPEN:
        if (conn->ssl) {
            conn->pipe.in = bytes;
            decrypt(conn);
            conn->pipe.in = (struct span){ 0 };
        } else {
            conn->config.events->received(conn->config.ctx, bytes);
        }
        break;
    default: /* lingering: whatever comes is dropped */
        break;
    }
}

static void
read_some(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct conn *conn = stream->data;
    struct assay_error why;

    if (n > 0) {
        take_input(conn, span_of(buf->base, (size_t)n));
    } else if (n == UV_EOF) {
        (void)assay_fail(&why, ASSAY_ERR_IO, "%speer closed the connection",
                         conn->state == CONN_HANDSHAKE ? "TLS handshake: "
                                                       : "");
        conn_abort(conn, &why);
    } else if (n < 0) {
        abort_uv(conn, "connection lost", (int)n);
    }
}

static void
start_reading(struct conn *conn)
{
    int rc =
        uv_read_start((uv_stream_t *)&conn->tcp, conn_read_buffer, read_some);

    if (rc != 0)
        abort_uv(conn, "read", rc);
}

/* -- Handshake -- */

static enum assay_status
check_h2(const struct conn *conn, struct assay_error *err)
{
    const unsigned char *alpn = NULL;
    unsigned len = 0;

    if (!conn->config.need_h2)
        return ASSAY_OK;
    SSL_get0_alpn_selected(conn->ssl, &alpn, &len);
    if (span_equal_str(span_of(alpn, len), "h2"))
        return ASSAY_OK;
    return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                      "TLS handshake: the peers agreed on ALPN \"%.*s\", want "
                      "\"h2\"",
                      (int)len, alpn ? (const char *)alpn : "");
}

static void
become_open(struct conn *conn)
{
    const struct tls_hooks *tls = conn->config.tls;
    enum assay_status st;
    struct assay_error why = { 0 };

    if (tls) {
        st = check_h2(conn, &why);
        if (st == ASSAY_OK && tls->established)
            st = tls->established(tls->ctx, conn->ssl, &why);
        if (st != ASSAY_OK) {
            conn_abort(conn, &why);
            return;
        }
    }
    conn->state = CONN_OPEN;
    conn->config.events->open(conn->config.ctx);
    if (conn->state == CONN_OPEN && conn->ssl) {
        decrypt(conn); /* what arrived behind the handshake */
        buffer_free(&conn->handshake_in);
        conn->pipe.in = (struct span){ 0 };
    }
    if (conn->state == CONN_OPEN)
        start_reading(conn);
}

/* On a pool thread. Errors must be taken here: OpenSSL keeps them per thread.
 */
static void
handshake_work(uv_work_t *work)
{
    struct conn *conn = work->data;
    const struct tls_hooks *tls = conn->config.tls;
    int rc;

    ERR_clear_error();
    rc = SSL_do_handshake(conn->ssl);
    if (rc == 1) {
        conn->step = STEP_DONE;
    } else if (SSL_get_error(conn->ssl, rc) == SSL_ERROR_WANT_READ) {
        conn->step = STEP_MORE;
    } else {
        conn->step = STEP_FAILED;
        (void)tls_fail(conn->ssl, rc, "TLS handshake", &conn->step_err);
        if (tls->explain)
            tls->explain(tls->ctx, conn->ssl, &conn->step_err);
    }
    ERR_clear_error();
}

static void
handshake_step_done(uv_work_t *work, int status)
{
    struct conn *conn = work->data;

    (void)status; /* cancelled only when closing */
    conn->working = false;
    if (conn->state == CONN_CLOSING) {
        conn_unref(conn);
        return;
    }
    flush(conn);
    if (conn->state != CONN_CLOSING) {
        if (conn->step == STEP_FAILED) {
            linger(conn, &conn->step_err);
        } else if (conn->step == STEP_DONE) {
            become_open(conn);
        } else {
            buffer_free(&conn->handshake_in);
            start_reading(conn);
        }
    }
    conn_unref(conn);
}

static void
handshake_step(struct conn *conn)
{
    struct assay_error why;
    int rc;

    if (buffer_check(&conn->handshake_in, "TLS handshake", &why) != ASSAY_OK) {
        conn_abort(conn, &why);
        return;
    }
    conn->pipe.in = buffer_span(&conn->handshake_in);
    (void)uv_read_stop((uv_stream_t *)&conn->tcp);
    rc = uv_queue_work(loop_uv(conn->config.loop), &conn->work, handshake_work,
                       handshake_step_done);
    if (rc != 0) {
        abort_uv(conn, "TLS handshake", rc);
        return;
    }
    conn->working = true;
    conn_ref(conn);
}

static enum assay_status
start_tls(struct conn *conn, struct assay_error *err)
{
    const struct tls_hooks *tls = conn->config.tls;

    conn->ssl = tls->ssl_new(tls->ctx, &conn->peer, err);
    if (!conn->ssl)
        return err->status == ASSAY_OK ? ASSAY_ERR_IO : err->status;
    if (!tls_pipe_attach(&conn->pipe, loop_bio_method(conn->config.loop),
                         conn->ssl))
        return assay_nomem(err, "TLS");
    (void)SSL_set_mode(conn->ssl, SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_set_options(conn->ssl, SSL_OP_NO_RENEGOTIATION |
                                         SSL_OP_NO_TICKET |
                                         SSL_OP_CLEANSE_PLAINTEXT);
    (void)SSL_set_num_tickets(conn->ssl, 0);
    conn->state = CONN_HANDSHAKE;
    return ASSAY_OK;
}

void
conn_start(struct conn *conn)
{
    struct assay_error why = { 0 };

    (void)uv_tcp_nodelay(&conn->tcp, 1);
    if (!conn->config.tls) {
        become_open(conn);
    } else if (start_tls(conn, &why) != ASSAY_OK) {
        conn_abort(conn, &why);
    } else if (SSL_is_server(conn->ssl)) {
        start_reading(conn);
    } else {
        handshake_step(conn);
    }
}

/* -- Life -- */

struct conn *
conn_new(const struct conn_config *config)
{
    struct conn *conn = mem_zalloc(config->alloc, sizeof(*conn));
    uv_loop_t *uv = loop_uv(config->loop);

    if (!conn)
        return NULL;
    conn->config = *config;
    buffer_init(&conn->pipe.out, config->output_max, config->alloc);
    buffer_init(&conn->handshake_in, LOOP_SCRATCH_SIZE, config->alloc);
    buffer_init(&conn->sending, config->output_max, config->alloc);
    (void)uv_tcp_init(uv, &conn->tcp); /* neither can fail: no socket yet */
    (void)uv_timer_init(uv, &conn->timer);
    conn->tcp.data = conn->timer.data = conn->work.data = conn->write.data =
        conn;
    conn->handles = 2;
    conn->refs = 2; /* the owner's, and the handles' */
    return conn;
}

enum assay_status
conn_accept(const struct conn_config *config, struct uv_stream_s *listener,
            struct conn **out, struct assay_error *err)
{
    struct sockaddr_storage peer = { 0 };
    int rc, len = sizeof(peer);
    struct conn *conn = conn_new(config);

    if (!conn)
        return assay_nomem(err, "connection");
    conn->state = CONN_ACCEPTED;
    rc = uv_accept(listener, (uv_stream_t *)&conn->tcp);
    if (rc == 0)
        rc = uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&peer, &len);
    if (rc != 0) {
        conn_free(conn);
        return assay_fail(err, ASSAY_ERR_IO, "accept: %s", uv_strerror(rc));
    }
    (void)net_address_from_sockaddr((const struct sockaddr *)&peer,
                                    &conn->peer);
    *out = conn;
    return ASSAY_OK;
}

const struct net_address *
conn_peer(const struct conn *conn)
{
    return &conn->peer;
}

SSL *
conn_ssl(const struct conn *conn)
{
    return conn->ssl;
}

bool
conn_is_open(const struct conn *conn)
{
    return conn->state == CONN_OPEN;
}

const char *
conn_phase(const struct conn *conn)
{
    static const char *const names[] = {
        [CONN_RESOLVING] = "resolving name",
        [CONN_CONNECTING] = "connecting",
        [CONN_ACCEPTED] = "accepted",
        [CONN_HANDSHAKE] = "TLS handshake",
        [CONN_OPEN] = "open",
        [CONN_LINGER] = "closing",
        [CONN_CLOSING] = "closing",
    };

    return names[conn->state];
}
