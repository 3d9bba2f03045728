#include "net/tls_pipe.h"

#include <openssl/err.h>
#include <string.h>

#include "base/num.h"

/* Any number unused by OpenSSL will do; BIO_get_new_index would hand out a
 * bounded supply. */
enum { PIPE_BIO_TYPE = BIO_TYPE_SOURCE_SINK | 0x7d };

static int
pipe_read(BIO *bio, char *out, int len)
{
    struct tls_pipe *pipe = BIO_get_data(bio);
    size_t n = len < 0 ? 0 : (size_t)len;

    BIO_clear_retry_flags(bio);
    if (n > pipe->in.len)
        n = pipe->in.len;
    if (n == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(out, pipe->in.ptr, n);
    pipe->in = span_sub(pipe->in, n, pipe->in.len - n);
    return (int)n;
}

static int
pipe_write(BIO *bio, const char *bytes, int len)
{
    struct tls_pipe *pipe = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    buffer_add(&pipe->out, span_of(bytes, len < 0 ? 0 : (size_t)len));
    return pipe->out.failed ? -1 : len;
}

static long
pipe_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
    (void)bio, (void)num, (void)ptr;
    return cmd == BIO_CTRL_FLUSH;
}

BIO_METHOD *
tls_pipe_method_new(void)
{
    BIO_METHOD *method = BIO_meth_new(PIPE_BIO_TYPE, "assay pipe");

    if (method && BIO_meth_set_read(method, pipe_read) &&
        BIO_meth_set_write(method, pipe_write) &&
        BIO_meth_set_ctrl(method, pipe_ctrl))
        return method;
    BIO_meth_free(method);
    return NULL;
}

bool
tls_pipe_attach(struct tls_pipe *pipe, BIO_METHOD *method, SSL *ssl)
{
    BIO *bio = method ? BIO_new(method) : NULL;

    if (!bio)
        return false;
    BIO_set_data(bio, pipe);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio); /* takes one reference for both directions */
    return true;
}

/* Alerts by which a peer says no to our certificate, and not to how we speak
 * TLS (RFC 8446 section 6.2). */
static bool
alert_is_verdict(int alert)
{
    switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
        return true;
    default:
        return false;
    }
}

enum assay_status
tls_fail(SSL *ssl, int rc, const char *what, struct assay_error *err)
{
    int kind = SSL_get_error(ssl, rc);
    unsigned long code = ERR_peek_last_error();
    int reason = ERR_GET_REASON(code);
    const char *text = ERR_reason_error_string(code);

    ERR_clear_error();
    if (kind == SSL_ERROR_ZERO_RETURN)
        return assay_fail(err, ASSAY_ERR_IO, "%s: peer closed the connection",
                          what);
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET &&
        reason < SSL_AD_REASON_OFFSET + 256)
        return assay_fail(
            err,
            alert_is_verdict(reason - SSL_AD_REASON_OFFSET)
                ? ASSAY_ERR_UNTRUSTED
                : ASSAY_ERR_IO,
            "%s: peer refused with alert \"%s\"", what,
            SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET));
    return assay_fail(err, ASSAY_ERR_IO, "%s: %s", what,
                      text ? text : "failed");
}
