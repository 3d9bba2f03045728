/* The two ends of a TLS connection's bytes, and OpenSSL's failures in words.
 *
 * The SSL reads from a borrowed span and writes to a buffer that is freed
 * whenever it runs empty, so that an idle connection holds neither; OpenSSL's
 * own memory BIOs keep the largest size they ever had. */
#ifndef ASSAY_NET_TLS_PIPE_H
#define ASSAY_NET_TLS_PIPE_H

#include <openssl/ssl.h>

#include "base/buffer.h"

struct tls_pipe {
    struct span in;    /* not yet read by the SSL; borrowed */
    struct buffer out; /* written by the SSL, not yet sent */
};

/* NULL when memory is out. One per loop is enough. */
BIO_METHOD *tls_pipe_method_new(void);

/* Puts the pipe under the SSL; it must outlive the SSL. False when memory is
 * out. */
bool tls_pipe_attach(struct tls_pipe *pipe, BIO_METHOD *method, SSL *ssl);

/* Describes the failure that the last SSL call of this thread returned rc
 * for: "TLS handshake: ..." with what = "TLS handshake". Empties the thread's
 * error queue. Returns ASSAY_ERR_UNTRUSTED when the peer has refused our
 * certificate, else ASSAY_ERR_IO. */
enum assay_status tls_fail(SSL *ssl, int rc, const char *what,
                           struct assay_error *err);

#endif
