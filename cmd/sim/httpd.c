#include "sim/httpd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "sim/server.h"

enum { HANG_SECONDS = 600 };

struct httpd {
    struct server *server;
    unsigned port;
    httpd_handler *handler;
    void *ctx;
};

/* --- reading a request --- */

static const char *
find_text(struct span in, const char *text)
{
    return in.len == 0 ? NULL : memmem(in.ptr, in.len, text, strlen(text));
}

/* Content-Length of a head, 0 without one, SIZE_MAX when it is too large. */
static size_t
content_length(struct span head)
{
    static const char name[] = "\r\ncontent-length:";

    for (size_t i = 0; i + sizeof(name) <= head.len; i++) {
        const char *at = (const char *)head.ptr + i;

        if (strncasecmp(at, name, sizeof(name) - 1) == 0) {
            unsigned long value = strtoul(at + sizeof(name) - 1, NULL, 10);

            return value <= HTTPD_REQUEST_MAX ? value : SIZE_MAX;
        }
    }
    return 0;
}

static bool
receive_some(int fd, struct buffer *in)
{
    uint8_t chunk[2048];
    ssize_t n = recv(fd, chunk, sizeof(chunk), 0);

    if (n <= 0)
        return false;
    buffer_add(in, span_of(chunk, (size_t)n));
    return !in->failed;
}

static bool
parse_request_line(struct span head, struct httpd_request *out)
{
    const char *line = (const char *)head.ptr;
    const char *end = find_text(head, "\r\n");
    const char *space = memchr(line, ' ', (size_t)(end - line));
    const char *second;

    if (!space)
        return false;
    second = memchr(space + 1, ' ', (size_t)(end - space - 1));
    if (!second || end - second != sizeof(" HTTP/1.1") - 1 ||
        memcmp(second, " HTTP/1.", sizeof(" HTTP/1.") - 1) != 0)
        return false;
    out->method = span_of(line, (size_t)(space - line));
    out->target = span_of(space + 1, (size_t)(second - space - 1));
    return true;
}

/* Borrows from in. False: no request worth an answer. */
static bool
receive_request(int fd, struct buffer *in, struct httpd_request *out)
{
    const char *end;
    size_t head_len, body_len;

    while (!(end = find_text(buffer_span(in), "\r\n\r\n")))
        if (!receive_some(fd, in))
            return false;
    head_len = (size_t)(end - (const char *)in->ptr) + 4;
    body_len = content_length(span_of(in->ptr, head_len));
    if (body_len == SIZE_MAX)
        return false;
    while (in->len - head_len < body_len)
        if (!receive_some(fd, in))
            return false;
    out->body = span_of(in->ptr + head_len, body_len);
    return parse_request_line(span_of(in->ptr, head_len), out);
}

/* --- sending an answer --- */

static const char *
reason_phrase(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 429:
        return "Too Many Requests";
    default:
        return "Internal Server Error";
    }
}

static void
send_all(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        bytes = span_sub(bytes, (size_t)n, bytes.len);
    }
}

static void
wait_for_client_to_leave(int fd)
{
    struct timeval patience = { .tv_sec = HANG_SECONDS };
    uint8_t ignored[256];

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    while (recv(fd, ignored, sizeof(ignored), 0) > 0)
        ;
}

static void
send_response(int fd, const struct httpd_response *r)
{
    struct span body = buffer_span(&r->body);
    char head[512];
    int n;

    if (r->delivery == HTTPD_NOTHING) {
        wait_for_client_to_leave(fd);
        return;
    }
    n = snprintf(head, sizeof(head),
                 "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n"
                 "Content-Length: %zu\r\n%sConnection: close\r\n\r\n",
                 r->status, reason_phrase(r->status), r->content_type, body.len,
                 r->extra_header ? r->extra_header : "");
    send_all(fd, span_of(head, (size_t)n));
    if (r->delivery == HTTPD_HALF)
        body.len /= 2;
    send_all(fd, body);
}

static void
serve(void *ctx, int fd)
{
    struct httpd *httpd = ctx;
    struct httpd_request request = { 0 };
    struct httpd_response response = { .status = 200,
                                       .content_type = "text/plain" };
    struct buffer in;

    buffer_init(&in, HTTPD_REQUEST_MAX, NULL);
    buffer_init(&response.body, HTTPD_BODY_MAX, NULL);
    if (receive_request(fd, &in, &request))
        httpd->handler(httpd->ctx, &request, &response);
    else
        response.status = 400;
    if (response.body.failed) {
        response.status = 500;
        buffer_clear(&response.body);
    }
    send_response(fd, &response);
    buffer_free(&response.body);
    buffer_free(&in);
}

/* --- the listener --- */

static int
open_listener(const struct addrinfo *where)
{
    int one = 1;
    int fd = socket(where->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, where->ai_addr, where->ai_addrlen) == 0 &&
        listen(fd, SERVER_CONNECTIONS_MAX) == 0)
        return fd;
    close(fd);
    return -1;
}

static unsigned
bound_port(int fd)
{
    struct sockaddr_storage address = { 0 };
    socklen_t len = sizeof(address);
    char port[NI_MAXSERV];

    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0 ||
        getnameinfo((struct sockaddr *)&address, len, NULL, 0, port,
                    sizeof(port), NI_NUMERICSERV) != 0)
        return 0;
    return (unsigned)strtoul(port, NULL, 10);
}

static enum assay_status
listen_on(const char *address, int *out, struct assay_error *err)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_PASSIVE | AI_NUMERICHOST |
                                                AI_NUMERICSERV };
    const char *colon = strrchr(address, ':');
    struct addrinfo *where = NULL;
    char host[64];
    int fd;
    size_t len = colon ? (size_t)(colon - address) : 0;

    if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
        address++;
        len -= 2;
    }
    if (!colon || len >= sizeof(host))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "address \"%s\": want IP:PORT", address);
    memcpy(host, address, len);
    host[len] = '\0';
    if (getaddrinfo(host, colon + 1, &hints, &where) != 0)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "address %s:%s: want a numeric IP:PORT", host,
                          colon + 1);
    fd = open_listener(where);
    freeaddrinfo(where);
    if (fd < 0)
        return assay_fail(err, ASSAY_ERR_IO, "cannot listen on %s:%s: %s", host,
                          colon + 1, strerror(errno));
    *out = fd;
    return ASSAY_OK;
}

enum assay_status
httpd_new(const char *address, httpd_handler *handler, void *ctx,
          struct httpd **out, struct assay_error *err)
{
    struct httpd *httpd = mem_zalloc(NULL, sizeof(*httpd));
    enum assay_status st;
    int listener = -1;

    if (!httpd)
        return assay_nomem(err, "HTTP server");
    httpd->handler = handler;
    httpd->ctx = ctx;
    st = listen_on(address, &listener, err);
    if (st == ASSAY_OK) {
        httpd->port = bound_port(listener);
        st = server_new(listener, serve, httpd, &httpd->server, err);
    }
    if (st != ASSAY_OK) {
        mem_free(NULL, httpd);
        return st;
    }
    *out = httpd;
    return ASSAY_OK;
}

unsigned
httpd_port(const struct httpd *httpd)
{
    return httpd->port;
}

void
httpd_free(struct httpd *httpd)
{
    if (!httpd)
        return;
    server_free(httpd->server);
    mem_free(NULL, httpd);
}
