/* Attested TLS, version 1: TLS in which each side may show evidence that its
 * certificate's key lives inside a measured, confidential virtual machine.
 *
 * Each peer sends a nonce; the other answers with a self-signed certificate
 * whose one extension is evidence over SHA-512(SPKI || nonce). This module is
 * the handshake: nonces, certificates, and when to ask whom. What evidence is
 * and whether it is good enough is behind two interfaces, the issuer and the
 * validator.
 *
 * Both ends run on OpenSSL's handshake and block in it while evidence is made
 * or judged, so the handshake belongs on a thread that may wait.
 *
 * Evidence is bound to a key and a nonce, not to this TLS session: whoever
 * steals the key of one acceptable VM can relay. */
#ifndef ASSAY_ATLS_ATLS_H
#define ASSAY_ATLS_ATLS_H

#include <openssl/types.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/random.h"
#include "crypto/key.h"
#include "evidence/oid.h"

enum { ATLS_REPORT_DATA_SIZE = 64 };

/* Makes evidence over report_data and says of which kind it is. Called from
 * several threads at once. */
struct atls_issuer {
    enum assay_status (*issue)(void *ctx,
                               const uint8_t report_data[ATLS_REPORT_DATA_SIZE],
                               enum evidence_oid *oid, struct buffer *evidence,
                               struct assay_error *err);
    void *ctx;
};

/* Judges evidence. Called from several threads at once, at most once per
 * evidence extension of a certificate. ASSAY_ERR_UNSUPPORTED means "no opinion
 * on this kind", anything else than ASSAY_OK refuses. What it leaves in
 * *result belongs to the connection and is given back through release. */
struct atls_validator {
    enum assay_status (*validate)(
        void *ctx, enum evidence_oid oid, struct span evidence,
        const uint8_t report_data[ATLS_REPORT_DATA_SIZE], void **result,
        struct assay_error *err);
    void (*release)(void *ctx, void *result); /* may be NULL */
    void *ctx;
};

enum atls_role {
    ATLS_CLIENT,
    ATLS_SERVER,
};

/* One connection. Pointers are borrowed until the connection is freed; then
 * done(ctx) runs, so that ctx may own what they point to. */
struct atls_params {
    const struct atls_issuer *issuer; /* NULL: a certificate without evidence */
    /* NULL: the peer's evidence is not looked at, and a client's certificate
     * is welcome but not needed. */
    const struct atls_validator *validator;
    const struct key *key; /* NULL: a P-256 key made for this connection */
    const struct clock *clock;
    const struct random_source *random;
    void (*done)(void *ctx); /* may be NULL */
    void *ctx;
};

/* The TLS settings that all connections of a role share: TLS 1.2 or 1.3, no
 * resumption, no renegotiation. Immutable, may be used by several threads. */
struct atls_context;

ASSAY_MUST_CHECK
enum assay_status atls_context_new(enum atls_role role,
                                   struct atls_context **out,
                                   struct assay_error *err);
void atls_context_free(struct atls_context *context);

/* A connection ready for its handshake, for net/tls.h. Freed by SSL_free. On
 * failure done has not run. */
ASSAY_MUST_CHECK
enum assay_status atls_ssl_new(struct atls_context *context,
                               const struct atls_params *params, SSL **out,
                               struct assay_error *err);

/* Who is at the other end. Borrowed from the connection. */
struct atls_peer {
    const struct key *key; /* proven by the handshake; NULL: no certificate */
    enum evidence_oid oid; /* of the evidence that was accepted, or NONE */
    struct span evidence;  /* likewise */
    const uint8_t *nonce;  /* ours, which it answers; 32 bytes */
    void *result;          /* the validator's, or NULL */
};

/* Complete once the handshake is. Safe from any thread from then on. */
const struct atls_peer *atls_peer_get(const SSL *ssl);

/* Replaces *err by our own sentence, when it was we who ended the handshake.
 * ASSAY_ERR_UNTRUSTED stands for refused evidence. */
void atls_explain(const SSL *ssl, struct assay_error *err);

#endif
