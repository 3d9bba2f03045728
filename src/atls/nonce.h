/* How aTLS v1 carries its nonces inside an ordinary TLS handshake.
 *
 * Client to server: an ALPN protocol "atls:v1:nonce:<64 hex digits>" offered
 * beside "h2", and, for servers of the older generation, the same nonce in
 * base64 as the SNI host name. Server to client: the only name in the
 * CertificateRequest's list of certificate authorities, a distinguished name
 * whose one attribute, commonName, is the nonce in base64.
 *
 * Stricter than other implementations: a nonce is exactly 32 bytes, and a
 * hello that carries two different ones is refused.
 *
 * Sources: RFC 7301 section 3.1 (ALPN), RFC 6066 section 3 (SNI), RFC 8446
 * section 4.2.4 (certificate authorities); the nonce formats are Contrast's. */
#ifndef ASSAY_ATLS_NONCE_H
#define ASSAY_ATLS_NONCE_H

#include "base/error.h"

enum {
    ATLS_NONCE_SIZE = 32,
    ATLS_NONCE_B64_SIZE = 45,        /* 44 characters and a NUL */
    ATLS_ALPN_SIZE = 1 + 78 + 1 + 2, /* both protocols, length-prefixed */
    ATLS_CA_NAME_SIZE = 57,          /* DER of the distinguished name */
};

/* The client's ALPN offer in wire form: the nonce string, then "h2". */
void atls_alpn_encode(const uint8_t nonce[ATLS_NONCE_SIZE],
                      uint8_t alpn[ATLS_ALPN_SIZE]);

/* The client's SNI host name, also the server's commonName value. */
void atls_nonce_b64(const uint8_t nonce[ATLS_NONCE_SIZE],
                    char text[ATLS_NONCE_B64_SIZE]);

/* Finds the client's nonce in a ClientHello.
 *
 *   alpn_ext, sni_ext  the bodies of the extensions of types 16 and 0 exactly
 *                      as received; empty when the extension is absent
 *
 * ASSAY_ERR_MALFORMED    an extension breaks its format, or a nonce is not
 *                        32 bytes
 * ASSAY_ERR_UNSUPPORTED  an "atls..." protocol of a version we lack, or no
 *                        nonce at all */
ASSAY_MUST_CHECK
enum assay_status atls_hello_nonce(struct span alpn_ext, struct span sni_ext,
                                   uint8_t nonce[ATLS_NONCE_SIZE],
                                   struct assay_error *err);

/* The DER of the distinguished name that carries the server's nonce. */
void atls_ca_name_encode(const uint8_t nonce[ATLS_NONCE_SIZE],
                         uint8_t der[ATLS_CA_NAME_SIZE]);

/* The nonce in such a name, from a PrintableString or UTF8String. */
ASSAY_MUST_CHECK
enum assay_status atls_ca_name_decode(struct span der,
                                      uint8_t nonce[ATLS_NONCE_SIZE],
                                      struct assay_error *err);

#endif
