#include "log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <unistd.h>

enum { PEER_LINES_PER_SECOND = 20 };

void
log_init(struct log *log, enum log_level level)
{
    *log = (struct log){ .level = level,
                         .peers = { .per_second = PEER_LINES_PER_SECOND } };
    (void)pthread_mutex_init(&log->lock, NULL);
}

static void
write_line(enum log_level level, const char *msg, uint64_t dropped,
           va_list pairs)
{
    struct log_line line;
    struct span text;
    const char *key;

    log_line_begin(&line, clock_now(&clock_system), level, msg);
    while ((key = va_arg(pairs, const char *)) != NULL) {
        const char *value = va_arg(pairs, const char *);

        if (value)
            log_line_str(&line, key, value);
    }
    if (dropped > 0)
        log_line_u64(&line, "dropped_lines", dropped);
    text = log_line_end(&line);
    /* One write per line keeps lines of threads apart. Nobody can be told
     * when it fails. */
    if (write(STDERR_FILENO, text.ptr, text.len) < 0)
        return;
}

void
log_event(struct log *log, enum log_level level, const char *msg, ...)
{
    va_list pairs;

    if (level < log->level)
        return;
    va_start(pairs, msg);
    write_line(level, msg, 0, pairs);
    va_end(pairs);
}

void
log_peer_event(struct log *log, enum log_level level, const char *msg, ...)
{
    uint64_t dropped;
    bool pass;
    va_list pairs;

    if (level < log->level)
        return;
    (void)pthread_mutex_lock(&log->lock);
    pass = log_limit_take(&log->peers, clock_monotonic_ms(&clock_system),
                          &dropped);
    (void)pthread_mutex_unlock(&log->lock);
    if (!pass)
        return;
    va_start(pairs, msg);
    write_line(level, msg, dropped, pairs);
    va_end(pairs);
}
