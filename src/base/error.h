/* Errors: a status to act on, a sentence to read.
 *
 * Statuses differ only where callers act differently. The sentence says what,
 * where, got and want: "snp report: version 9, know 2 to 5". */
#ifndef ASSAY_BASE_ERROR_H
#define ASSAY_BASE_ERROR_H

#include "base/span.h"

#define ASSAY_MUST_CHECK __attribute__((warn_unused_result))
#define ASSAY_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum assay_status {
    ASSAY_OK = 0,
    ASSAY_ERR_MALFORMED,   /* the bytes break their format: drop them */
    ASSAY_ERR_LIMIT,       /* well formed, but more than limits.h allows */
    ASSAY_ERR_UNSUPPORTED, /* well formed, but a version or algorithm we lack */
    ASSAY_ERR_UNTRUSTED, /* understood, and refused: signature, chain, policy */
    ASSAY_ERR_NOMEM,     /* allocation failed, or an arena's budget is spent */
    ASSAY_ERR_IO,        /* the world failed us: retrying may help */
    ASSAY_ERR_CONFLICT,  /* somebody else was first: read again, then decide */
    ASSAY_ERR_NOT_FOUND, /* the thing asked for does not exist */
};

/* A failure in words. Lives in the caller, so failing never allocates. */
struct assay_error {
    enum assay_status status;
    char text[240]; /* NUL-terminated; cut short rather than overflowed */
};

/* Records status and sentence and returns the status. err may be NULL. */
enum assay_status assay_fail(struct assay_error *err, enum assay_status status,
                             const char *fmt, ...) ASSAY_PRINTF(3, 4);

/* Puts "context: " in front of a recorded sentence and returns st; does
 * nothing for ASSAY_OK or a NULL err. */
enum assay_status assay_context(struct assay_error *err, enum assay_status st,
                                const char *fmt, ...) ASSAY_PRINTF(3, 4);

/* Records "out of memory" for what and returns ASSAY_ERR_NOMEM. */
enum assay_status assay_nomem(struct assay_error *err, const char *what);

#ifdef __clang_analyzer__
/* The analyzer sees one file at a time and would take a recorded failure for
 * a possible ASSAY_OK: show it what these return. */
#define assay_fail(err, status, ...)                                           \
    ((void)assay_fail(err, status, __VA_ARGS__), (status))
#define assay_context(err, st, ...)                                            \
    ((void)assay_context(err, st, __VA_ARGS__), (st))
#define assay_nomem(err, what) ((void)assay_nomem(err, what), ASSAY_ERR_NOMEM)
#endif

/* Stable lower-case word for a status: "malformed", "untrusted", ... */
const char *assay_status_name(enum assay_status status);

#endif
