/* Keys and certificates as PEM files hold them. */
#ifndef ASSAY_CODEC_PEM_KEY_H
#define ASSAY_CODEC_PEM_KEY_H

#include "codec/pem.h"
#include "crypto/key.h"
#include "crypto/x509.h"

/* The one private key of a file: "PRIVATE KEY", "EC PRIVATE KEY" or "RSA
 * PRIVATE KEY". "EC PARAMETERS" in front of it is skipped, as openssl writes
 * it; any other block, or a second key, is refused. */
ASSAY_MUST_CHECK
enum assay_status pem_private_key_decode(struct span pem, struct key **out,
                                         struct assay_error *err);

/* One "PUBLIC KEY" block: SubjectPublicKeyInfo. */
ASSAY_MUST_CHECK
enum assay_status pem_public_key_decode(struct span pem, struct key **out,
                                        struct assay_error *err);

/* PKCS#8 "PRIVATE KEY"; the legacy form is "EC PRIVATE KEY" (SEC 1) or "RSA
 * PRIVATE KEY" (PKCS#1), as CI 9.1 has them. *out must be empty. */
ASSAY_MUST_CHECK
enum assay_status pem_private_key_encode(const struct key *key, bool legacy,
                                         struct secret *out,
                                         struct assay_error *err);

/* Appends "CERTIFICATE". */
ASSAY_MUST_CHECK
enum assay_status pem_cert_encode(struct span der, struct buffer *out,
                                  struct assay_error *err);

/* Up to max certificates from PEM text, or one from DER (which begins with
 * 0x30). Blocks of another label are refused. The caller frees *count certs;
 * on failure there are none to free.
 *
 * ASSAY_ERR_NOT_FOUND  no certificate in it
 * ASSAY_ERR_LIMIT      more than max */
ASSAY_MUST_CHECK
enum assay_status pem_certs_decode(struct span file, struct cert **out,
                                   size_t max, size_t *count,
                                   struct assay_error *err);

#endif
