#include "net/http1.h"

#include <string.h>
#include <strings.h>

enum { METHOD_MAX = 16 };

static bool
is_token(struct span s)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                     (c >= 'A' && c <= 'Z');

        if (!alnum && (c == 0 || !strchr(marks, c)))
            return false;
    }
    return s.len > 0;
}

static bool
is_visible(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= 0x20 || s.ptr[i] >= 0x7f)
            return false;
    return true;
}

static bool
is_field_value(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((s.ptr[i] < 0x20 && s.ptr[i] != '\t') || s.ptr[i] == 0x7f)
            return false;
    return true;
}

static bool
equal_nocase(struct span s, const char *text)
{
    return s.len == strlen(text) &&
           strncasecmp((const char *)s.ptr, text, s.len) == 0;
}

static struct span
trim(struct span s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = span_sub(s, 1, s.len - 1);
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* Cuts s at the first byte c; *rest is what lies behind it. */
static bool
cut(struct span s, uint8_t c, struct span *first, struct span *rest)
{
    const uint8_t *at = s.len ? memchr(s.ptr, c, s.len) : NULL;
    size_t n;

    if (!at)
        return false;
    n = (size_t)(at - s.ptr);
    *first = span_sub(s, 0, n);
    *rest = span_sub(s, n + 1, s.len - n - 1);
    return true;
}

/* One line without its CRLF. A bare LF is not a line end: what two parsers
 * read differently is how requests are smuggled (RFC 9112 section 2.2). */
static bool
take_line(struct span *rest, struct span *line)
{
    struct span s, behind;

    if (!cut(*rest, '\n', &s, &behind) || s.len == 0 ||
        s.ptr[s.len - 1] != '\r')
        return false;
    s.len--;
    *line = s;
    *rest = behind;
    return true;
}

/* Length of the head with its empty line; 0 when that has not come yet. */
static size_t
head_length(struct span in)
{
    static const char end[] = "\r\n\r\n";
    const uint8_t *at = in.len ? memmem(in.ptr, in.len, end, 4) : NULL;

    return at ? (size_t)(at - in.ptr) + 4 : 0;
}

static enum assay_status
malformed(struct assay_error *err, int *http_status, const char *what)
{
    *http_status = 400;
    return assay_fail(err, ASSAY_ERR_MALFORMED, "http request: %s", what);
}

static enum assay_status
parse_request_line(struct span line, struct http1_request *r, int *http_status,
                   struct assay_error *err)
{
    struct span rest, target, version;

    if (!cut(line, ' ', &r->method, &rest) ||
        !cut(rest, ' ', &target, &version) || !is_token(r->method) ||
        r->method.len > METHOD_MAX)
        return malformed(err, http_status,
                         "first line, want METHOD TARGET VERSION");
    if (target.len == 0 || target.ptr[0] != '/' || !is_visible(target))
        return malformed(err, http_status,
                         "target, want a path that begins with /");
    r->path = target;
    (void)cut(target, '?', &r->path, &r->query);
    r->keep_alive = span_equal_str(version, "HTTP/1.1");
    if (r->keep_alive || span_equal_str(version, "HTTP/1.0"))
        return ASSAY_OK;
    if (!span_equal_str(span_sub(version, 0, 5), "HTTP/"))
        return malformed(err, http_status, "version, want HTTP/1.1");
    *http_status = 505;
    return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                      "http request: version, want HTTP/1.1");
}

struct framing {
    bool has_length;
    size_t length;
};

/* Digits only: no sign, no list, nothing a proxy might read otherwise. */
static bool
parse_length(struct span value, size_t *length)
{
    size_t n = 0;

    if (value.len == 0 || value.len > 9)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return false;
        n = n * 10 + (size_t)(value.ptr[i] - '0');
    }
    *length = n;
    return true;
}

static enum assay_status
take_field(struct span name, struct span value, struct http1_request *r,
           struct framing *framing, int *http_status, struct assay_error *err)
{
    if (equal_nocase(name, "content-length")) {
        if (framing->has_length || !parse_length(value, &framing->length))
            return malformed(err, http_status,
                             "Content-Length, want one number");
        framing->has_length = true;
    } else if (equal_nocase(name, "transfer-encoding")) {
        *http_status = 501;
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "http request: Transfer-Encoding, want "
                          "Content-Length");
    } else if (equal_nocase(name, "content-type")) {
        r->content_type = value;
    } else if (equal_nocase(name, "connection")) {
        if (equal_nocase(value, "close"))
            r->keep_alive = false;
        else if (equal_nocase(value, "keep-alive"))
            r->keep_alive = true;
    }
    return ASSAY_OK;
}

static enum assay_status
parse_fields(struct http1_request *r, struct framing *framing, int *http_status,
             struct assay_error *err)
{
    struct span rest = r->headers, line, name, value;
    enum assay_status st = ASSAY_OK;

    while (st == ASSAY_OK && rest.len > 0) {
        if (!take_line(&rest, &line) || !cut(line, ':', &name, &value) ||
            !is_token(name) || !is_field_value(value))
            return malformed(err, http_status, "header, want \"Name: value\"");
        st = take_field(name, trim(value), r, framing, http_status, err);
    }
    return st;
}

static enum assay_status
too_large(struct assay_error *err, int *http_status, bool head, size_t most)
{
    *http_status = head ? 431 : 413;
    return assay_fail(err, ASSAY_ERR_LIMIT,
                      "http request: %s larger than %zu bytes",
                      head ? "head" : "body", most);
}

enum assay_status
http1_request_parse(struct span in, size_t head_max, size_t body_max,
                    struct http1_request *out, size_t *used, int *http_status,
                    struct assay_error *err)
{
    size_t head = head_length(span_sub(in, 0, head_max));
    struct http1_request r = { 0 };
    struct framing framing = { 0 };
    struct span rest, line;
    enum assay_status st;

    if (head == 0 && in.len >= head_max)
        return too_large(err, http_status, true, head_max);
    if (head == 0) {
        *used = 0;
        return ASSAY_OK;
    }
    rest = span_sub(in, 0, head - 2); /* without the empty line */
    if (!take_line(&rest, &line))
        return malformed(err, http_status, "line end, want CR LF");
    st = parse_request_line(line, &r, http_status, err);
    r.headers = rest;
    if (st == ASSAY_OK)
        st = parse_fields(&r, &framing, http_status, err);
    if (st != ASSAY_OK)
        return st;
    if (framing.length > body_max)
        return too_large(err, http_status, false, body_max);
    if (in.len - head < framing.length) {
        *used = 0;
        return ASSAY_OK;
    }
    r.body = span_sub(in, head, framing.length);
    *out = r;
    *used = head + framing.length;
    return ASSAY_OK;
}

struct span
http1_header(const struct http1_request *request, const char *name)
{
    struct span rest = request->headers, line, field, value;

    while (take_line(&rest, &line))
        if (cut(line, ':', &field, &value) && equal_nocase(field, name))
            return trim(value);
    return (struct span){ 0 };
}
