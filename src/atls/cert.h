/* The certificates that carry evidence through a handshake: made and judged,
 * without a socket. */
#ifndef ASSAY_ATLS_CERT_H
#define ASSAY_ATLS_CERT_H

#include "atls/atls.h"
#include "atls/nonce.h"
#include "crypto/x509.h"

/* SHA-512 over the DER of the key's SubjectPublicKeyInfo, then the nonce that
 * the other side chose. */
ASSAY_MUST_CHECK
enum assay_status atls_report_data(struct span spki,
                                   const uint8_t nonce[ATLS_NONCE_SIZE],
                                   uint8_t out[ATLS_REPORT_DATA_SIZE],
                                   struct assay_error *err);

/* Appends the DER of a self-signed certificate for key, with evidence over the
 * peer's nonce when params has an issuer. */
ASSAY_MUST_CHECK
enum assay_status atls_cert_build(const struct atls_params *params,
                                  const struct key *key,
                                  const uint8_t nonce[ATLS_NONCE_SIZE],
                                  struct buffer *der, struct assay_error *err);

/* Judges a peer's certificate: its dates, its own signature, no critical
 * extension we do not know, its evidence. Without a validator nothing of this
 * is looked at: the caller wants the key alone, whose possession the handshake
 * proves. What *peer points to is borrowed from cert, and its nonce is nonce.
 *
 * ASSAY_ERR_UNTRUSTED, or ASSAY_ERR_IO when a validator could not find out. */
ASSAY_MUST_CHECK
enum assay_status atls_cert_verify(const struct cert *cert,
                                   const struct atls_validator *validator,
                                   const uint8_t nonce[ATLS_NONCE_SIZE],
                                   int64_t now, struct atls_peer *peer,
                                   struct assay_error *err);

#endif
