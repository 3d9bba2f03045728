/* The coordinator's log: one event per line on stderr, key=value. Any thread
 * may write. */
#ifndef ASSAY_COORDINATOR_LOG_H
#define ASSAY_COORDINATOR_LOG_H

#include <pthread.h>

#include "base/logfmt.h"

struct log {
    enum log_level level; /* what is below is dropped */
    pthread_mutex_t lock;
    struct log_limit peers;
};

void log_init(struct log *log, enum log_level level);

/* One line. After msg follow pairs of key and value, both const char *, and a
 * NULL; a NULL value is left out. */
void log_event(struct log *log, enum log_level level, const char *msg, ...)
    __attribute__((sentinel));

/* The same for what a peer can cause: at most so many lines a second, and the
 * next one says how many were dropped. */
void log_peer_event(struct log *log, enum log_level level, const char *msg, ...)
    __attribute__((sentinel));

#endif
