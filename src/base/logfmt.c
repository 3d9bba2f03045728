#include "base/logfmt.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

static const char *const level_names[] = { "debug", "info", "warn", "error" };

bool
log_level_parse(const char *text, enum log_level *level)
{
    for (int i = LOG_DEBUG; i <= LOG_ERROR; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

const char *
log_level_name(enum log_level level)
{
    return level_names[level];
}

/* Room is kept for "..." with a closing quote, and the newline. */
enum { TAIL = 5 };

static void
add(struct log_line *line, const char *text, size_t len)
{
    if (line->cut || len > LOG_LINE_SIZE - TAIL - line->len) {
        line->cut = true;
        return;
    }
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

static void add_format(struct log_line *line, const char *fmt, ...)
    ASSAY_PRINTF(2, 3);

static void
add_format(struct log_line *line, const char *fmt, ...)
{
    char text[64];
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (len > 0)
        add(line, text,
            (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

static bool
is_plain(uint8_t c)
{
    return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
}

static void
add_escaped(struct log_line *line, struct span value)
{
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.ptr[i];

        if (is_plain(c) || c == ' ' || c == '=')
            add(line, (const char *)&value.ptr[i], 1);
        else if (c == '"' || c == '\\')
            add_format(line, "\\%c", c);
        else
            add_format(line, "\\x%02x", c);
    }
}

static bool
needs_quotes(struct span value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (!is_plain(value.ptr[i]))
            return true;
    }
    return value.len == 0;
}

void
log_line_begin(struct log_line *line, int64_t now, enum log_level level,
               const char *msg)
{
    char when[RFC3339_SIZE];

    line->len = 0;
    line->cut = false;
    rfc3339_format(now, when);
    add_format(line, "time=%s level=%s", when, log_level_name(level));
    log_line_str(line, "msg", msg);
}

void
log_line_str(struct log_line *line, const char *key, const char *value)
{
    log_line_span(line, key, span_str(value));
}

void
log_line_span(struct log_line *line, const char *key, struct span value)
{
    bool quoted = needs_quotes(value);

    add(line, " ", 1);
    add(line, key, strlen(key));
    add(line, quoted ? "=\"" : "=", quoted ? 2 : 1);
    add_escaped(line, value);
    if (quoted && !line->cut)
        add(line, "\"", 1);
}

void
log_line_u64(struct log_line *line, const char *key, uint64_t value)
{
    add(line, " ", 1);
    add(line, key, strlen(key));
    add_format(line, "=%llu", (unsigned long long)value);
}

struct span
log_line_end(struct log_line *line)
{
    if (line->cut) {
        memcpy(line->text + line->len, "...", 3);
        line->len += 3;
    }
    line->text[line->len++] = '\n';
    return span_of(line->text, line->len);
}

bool
log_limit_take(struct log_limit *limit, uint64_t now_ms, uint64_t *dropped)
{
    if (now_ms - limit->window_ms >= 1000) {
        limit->window_ms = now_ms;
        limit->used = 0;
    }
    if (limit->used >= limit->per_second) {
        limit->dropped++;
        return false;
    }
    limit->used++;
    *dropped = limit->dropped;
    limit->dropped = 0;
    return true;
}
