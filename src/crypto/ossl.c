#include "crypto/ossl.h"

#include <openssl/err.h>

enum assay_status
ossl_fail(struct assay_error *err, enum assay_status st, const char *what)
{
    const char *reason = NULL;
    unsigned long code;

    while ((code = ERR_get_error()) != 0) {
        if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE)
            st = ASSAY_ERR_NOMEM;
        if (!reason)
            reason = ERR_reason_error_string(code);
    }
    if (st == ASSAY_ERR_NOMEM)
        return assay_nomem(err, what);
    if (!reason)
        return assay_fail(err, st, "%s", what);
    return assay_fail(err, st, "%s: %s", what, reason);
}

static bool
is_named(unsigned long code)
{
    return !ERR_COMMON_ERROR(code) || ERR_GET_REASON(code) == ERR_R_UNSUPPORTED;
}

enum assay_status
ossl_fail_named(struct assay_error *err, enum assay_status st, const char *what)
{
    const char *reason = NULL;
    bool nomem = false;
    unsigned long code;

    while ((code = ERR_get_error()) != 0) {
        nomem = nomem || ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
        if (!reason && is_named(code))
            reason = ERR_reason_error_string(code);
    }
    if (nomem || !reason)
        return assay_nomem(err, what);
    return assay_fail(err, st, "%s: %s", what, reason);
}

bool
ossl_was_named_by(int lib)
{
    unsigned long code;
    bool found = false;

    while ((code = ERR_get_error()) != 0)
        found = found || (ERR_GET_LIB(code) == lib && !ERR_COMMON_ERROR(code));
    return found;
}

enum assay_status
ossl_done(enum assay_status st)
{
    ERR_clear_error();
    return st;
}
