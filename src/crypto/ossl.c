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

enum assay_status
ossl_done(enum assay_status st)
{
    ERR_clear_error();
    return st;
}
