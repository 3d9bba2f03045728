/* Results on stdout, talk on stderr, and a sign of life for what takes long. */
#ifndef ASSAY_CMD_OUTPUT_H
#define ASSAY_CMD_OUTPUT_H

#include <pthread.h>

#include "base/buffer.h"
#include "common/program.h"

enum output_format { OUTPUT_TEXT = 0, OUTPUT_JSON = 1 }; /* --output */

/* "assay manifest lint: text" and a line break on stderr. Controls in the
 * text, which may quote a peer, are shown as "\xNN". */
void talk(const struct invocation *inv, const char *fmt, ...)
    ASSAY_PRINTF(2, 3);

/* The same for an error that ends the command; returns its exit code:
 * ASSAY_ERR_IO, ..NOMEM and ..NOT_FOUND could not find out (3), the others
 * are a no (1). */
int talk_error(const struct invocation *inv, const struct assay_error *err);

/* Reads a file the user named ("-" is stdin) into the arena. On failure says
 * so and returns EXIT_USAGE; otherwise EXIT_YES. */
int read_input(const struct invocation *inv, const char *path, size_t limit,
               struct span *out);

/* Writes a rendering to stdout and frees it; one that failed is talked about.
 * Returns code, or EXIT_UNKNOWN when nothing could be written. */
int print_buffer(const struct invocation *inv, struct buffer *text, int code);

/* True when a person reads that stream: colours and spinners are fine. */
bool output_is_terminal(int fd);

/* "what ..." on stderr once it has taken 300 ms: a running count of seconds
 * on a terminal, one line elsewhere.
 *
 * Between begin and end another thread writes to stderr. */
struct progress {
    const char *what;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool running; /* the thread exists */
    bool done;
    bool terminal;
};
void progress_begin(struct progress *p, const char *what);
void progress_end(struct progress *p);

#endif
