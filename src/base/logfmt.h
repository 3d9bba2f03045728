/* One event, one line: "time=... level=info msg=... key=value".
 *
 * Only the line is made here; programs write it. Values that are not plain
 * words are quoted, and every byte a peer could use to forge a line or drive a
 * terminal is escaped: control bytes, quotes, backslashes and whatever is not
 * ASCII become \xNN. */
#ifndef ASSAY_BASE_LOGFMT_H
#define ASSAY_BASE_LOGFMT_H

#include "base/clock.h"
#include "base/span.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

enum { LOG_LINE_SIZE = 1024 }; /* a longer line is cut and ends in "..." */

struct log_line {
    char text[LOG_LINE_SIZE];
    size_t len;
    bool cut;
};

/* "debug", "info", "warn" or "error"; false for anything else. */
bool log_level_parse(const char *text, enum log_level *level);
const char *log_level_name(enum log_level level);

/* Begins a line at an instant. msg is ours: a constant. */
void log_line_begin(struct log_line *line, int64_t now, enum log_level level,
                    const char *msg);
/* Keys are ours: constants. */
void log_line_str(struct log_line *line, const char *key, const char *value);
void log_line_span(struct log_line *line, const char *key, struct span value);
void log_line_u64(struct log_line *line, const char *key, uint64_t value);
/* Ends it with a newline; the text to write. */
struct span log_line_end(struct log_line *line);

/* Lines that peers can cause are let through at a bounded rate; the rest is
 * counted, so that the next line can say how many were dropped. One thread. */
struct log_limit {
    uint64_t window_ms; /* start of the current second, monotonic */
    unsigned per_second;
    unsigned used;
    uint64_t dropped; /* since the last line that got through */
};

/* True when a line may be written now; *dropped then tells how many were not
 * since the last one. */
bool log_limit_take(struct log_limit *limit, uint64_t now_ms,
                    uint64_t *dropped);

#endif
