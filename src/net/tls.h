/* How a connection gets its TLS. Whoever knows about certificates (atls/)
 * fills in the hooks; net/ moves the bytes. */
#ifndef ASSAY_NET_TLS_H
#define ASSAY_NET_TLS_H

#include <openssl/types.h>

#include "net/address.h"

/* Of one SSL only one thread at a time calls anything:
 *
 *   ssl_new, established   the loop's thread
 *   SSL_do_handshake       a pool thread, and with it every callback set on
 *                          the SSL: they may block (fetching and verifying
 *                          evidence), and run concurrently for different
 *                          connections, so what they share must be locked
 *   explain                a pool thread, right after a failed handshake
 *   SSL_free               the loop's thread
 *
 * net/ sets the BIOs, SSL_MODE_RELEASE_BUFFERS, SSL_OP_NO_RENEGOTIATION,
 * SSL_OP_NO_TICKET and SSL_OP_CLEANSE_PLAINTEXT; everything else is the
 * factory's. For gRPC the handshake must have chosen the ALPN protocol "h2". */
struct tls_hooks {
    /* A new SSL in accept state (SSL_set_accept_state) for servers, connect
     * state for clients. net/ takes it. NULL with err refuses the connection:
     * a server closes it before any TLS byte. Must not block. */
    SSL *(*ssl_new)(void *ctx, const struct net_address *peer,
                    struct assay_error *err);
    /* Optional. err holds the library's words for the failure ("TLS
     * handshake: ..."); replace status and text where more is known, as in
     * ASSAY_ERR_UNTRUSTED and the verifier's own sentence. */
    void (*explain)(void *ctx, SSL *ssl, struct assay_error *err);
    /* Optional. The handshake succeeded; the place to look at the peer. The
     * SSL is only lent. Not ASSAY_OK closes the connection with err. */
    enum assay_status (*established)(void *ctx, SSL *ssl,
                                     struct assay_error *err);
    void *ctx;
};

#endif
