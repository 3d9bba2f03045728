#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#ifdef __clang_analyzer__ /* see error.h */
#undef assay_fail
#undef assay_context
#undef assay_nomem
#endif

enum assay_status
assay_fail(struct assay_error *err, enum assay_status status, const char *fmt,
           ...)
{
    va_list args;

    if (!err)
        return status;
    err->status = status;
    va_start(args, fmt);
    (void)vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    return status;
}

enum assay_status
assay_context(struct assay_error *err, enum assay_status st, const char *fmt,
              ...)
{
    char old[sizeof(err->text)];
    va_list args;
    int used;

    if (!err || st == ASSAY_OK)
        return st;
    memcpy(old, err->text, sizeof(old));
    va_start(args, fmt);
    used = vsnprintf(err->text, sizeof(err->text), fmt, args);
    va_end(args);
    if (used < 0 || (size_t)used >= sizeof(err->text))
        return st;
    (void)snprintf(err->text + used, sizeof(err->text) - (size_t)used, ": %s",
                   old);
    return st;
}

enum assay_status
assay_nomem(struct assay_error *err, const char *what)
{
    return assay_fail(err, ASSAY_ERR_NOMEM, "%s: out of memory", what);
}

const char *
assay_status_name(enum assay_status status)
{
    static const char *const names[] = {
        [ASSAY_OK] = "ok",
        [ASSAY_ERR_MALFORMED] = "malformed",
        [ASSAY_ERR_LIMIT] = "limit",
        [ASSAY_ERR_UNSUPPORTED] = "unsupported",
        [ASSAY_ERR_UNTRUSTED] = "untrusted",
        [ASSAY_ERR_NOMEM] = "nomem",
        [ASSAY_ERR_IO] = "io",
        [ASSAY_ERR_CONFLICT] = "conflict",
        [ASSAY_ERR_NOT_FOUND] = "not_found",
    };

    if ((size_t)status >= sizeof(names) / sizeof(names[0]))
        return "unknown";
    return names[status];
}
