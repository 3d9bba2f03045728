#include "atls/atls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "atls/cert.h"
#include "atls/nonce.h"
#include "base/limits.h"
#include "base/num.h"
#include "crypto/x509.h"

struct atls_context {
    SSL_CTX *ctx;
    enum atls_role role;
    int slot; /* of struct connection in an SSL's ex_data */
};

/* Everything of one connection; lives in the SSL's ex_data. */
struct connection {
    enum atls_role role;
    struct atls_params params;
    struct key *key;                     /* own, shared or made here */
    uint8_t our_nonce[ATLS_NONCE_SIZE];  /* the peer answers this one */
    uint8_t peer_nonce[ATLS_NONCE_SIZE]; /* we answer this one */
    struct cert *peer_cert;
    struct atls_peer peer;
    struct assay_error error; /* why we ended the handshake */
};

static void
connection_free(struct connection *c)
{
    const struct atls_validator *validator = c->params.validator;

    if (c->peer.result && validator->release)
        validator->release(validator->ctx, c->peer.result);
    cert_free(c->peer_cert);
    key_free(c->key);
    mem_free(NULL, c);
}

/* Runs inside SSL_free. */
static void
on_ssl_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int slot, long argl,
            void *argp)
{
    struct connection *c = ptr;
    struct atls_params params;

    (void)parent;
    (void)ad;
    (void)slot;
    (void)argl;
    (void)argp;
    if (!c)
        return;
    params = c->params;
    connection_free(c); /* while the validator is still there */
    if (params.done)
        params.done(params.ctx);
}

static struct connection *
connection_of(const SSL *ssl)
{
    const struct atls_context *context =
        SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    return SSL_get_ex_data(ssl, context->slot);
}

/* -- Answering the peer's nonce -- */

static enum assay_status
use_certificate(SSL *ssl, struct connection *c, struct assay_error *err)
{
    struct buffer der;
    enum assay_status st;
    int len = 0;

    buffer_init(&der, LIMIT_ATLS_CERT_BYTES, NULL);
    st = atls_cert_build(&c->params, c->key, c->peer_nonce, &der, err);
    if (st == ASSAY_OK && !size_to_int(der.len, &len))
        st = assay_fail(err, ASSAY_ERR_LIMIT, "certificate too large");
    if (st == ASSAY_OK && (SSL_use_certificate_ASN1(ssl, der.ptr, len) != 1 ||
                           SSL_use_PrivateKey(ssl, key_evp(c->key)) != 1))
        st = assay_fail(err, ASSAY_ERR_IO, "TLS: own certificate not taken");
    buffer_free(&der);
    return st;
}

/* The client learns the server's nonce only now, from the names in the
 * CertificateRequest: exactly one. */
static enum assay_status
read_ca_nonce(SSL *ssl, struct connection *c, struct assay_error *err)
{
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(ssl);
    int count = names ? sk_X509_NAME_num(names) : 0;
    unsigned char *der = NULL;
    enum assay_status st;
    int len;

    if (count != 1)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "aTLS: %d names in the CertificateRequest, want 1",
                          count);
    len = i2d_X509_NAME(sk_X509_NAME_value(names, 0), &der);
    if (len <= 0)
        return assay_nomem(err, "aTLS: server nonce");
    st = atls_ca_name_decode(span_of(der, (size_t)len), c->peer_nonce, err);
    OPENSSL_free(der);
    return st;
}

/* OpenSSL asks for our certificate: 1 to go on, 0 to end the handshake. */
static int
on_certificate_wanted(SSL *ssl, void *arg)
{
    struct connection *c = connection_of(ssl);
    enum assay_status st = ASSAY_OK;

    (void)arg;
    if (c->role == ATLS_CLIENT)
        st = read_ca_nonce(ssl, c, &c->error);
    if (st == ASSAY_OK)
        st = use_certificate(ssl, c, &c->error);
    return st == ASSAY_OK;
}

/* -- Judging the peer's certificate -- */

static enum assay_status
verify_peer(struct connection *c, X509 *x509, struct assay_error *err)
{
    unsigned char *der = NULL;
    int len = x509 ? i2d_X509(x509, &der) : -1;
    enum assay_status st;

    if (len <= 0)
        return assay_fail(err, ASSAY_ERR_MALFORMED, "aTLS: no certificate");
    cert_free(c->peer_cert);
    c->peer_cert = NULL;
    st = cert_parse(span_of(der, (size_t)len), &c->peer_cert, err);
    OPENSSL_free(der);
    if (st != ASSAY_OK)
        return st;
    return atls_cert_verify(c->peer_cert, c->params.validator, c->our_nonce,
                            clock_now(c->params.clock), &c->peer, err);
}

/* Chooses our alert: "internal error" tells the peer that it has not been
 * judged, and may try again; "bad certificate", that it has. */
static int
x509_error_of(enum assay_status st)
{
    return st == ASSAY_ERR_IO || st == ASSAY_ERR_NOMEM
               ? X509_V_ERR_UNSPECIFIED
               : X509_V_ERR_CERT_REJECTED;
}

/* Replaces OpenSSL's chain building: 1 accepts. */
static int
on_peer_certificate(X509_STORE_CTX *store, void *arg)
{
    SSL *ssl =
        X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct connection *c = connection_of(ssl);
    enum assay_status st =
        verify_peer(c, X509_STORE_CTX_get0_cert(store), &c->error);

    (void)arg;
    X509_STORE_CTX_set_error(store,
                             st == ASSAY_OK ? X509_V_OK : x509_error_of(st));
    return st == ASSAY_OK;
}

/* -- The server reads the client's nonce -- */

static struct span
hello_extension(SSL *ssl, unsigned type)
{
    const unsigned char *ptr = NULL;
    size_t len = 0;

    if (SSL_client_hello_get0_ext(ssl, type, &ptr, &len) != 1)
        return span_of(NULL, 0);
    return span_of(ptr, len);
}

/* Runs again for the second hello after a HelloRetryRequest, which repeats the
 * first one's extensions (RFC 8446 section 4.1.2). */
static int
on_client_hello(SSL *ssl, int *alert, void *arg)
{
    struct connection *c = connection_of(ssl);
    struct span alpn = hello_extension(
        ssl, TLSEXT_TYPE_application_layer_protocol_negotiation);
    struct span sni = hello_extension(ssl, TLSEXT_TYPE_server_name);

    (void)arg;
    if (atls_hello_nonce(alpn, sni, c->peer_nonce, &c->error) != ASSAY_OK) {
        *alert = SSL_AD_HANDSHAKE_FAILURE;
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
        const unsigned char *offer, unsigned offer_len, void *arg)
{
    static const unsigned char h2[] = { 2, 'h', '2' };
    unsigned char *chosen;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, h2, sizeof(h2), offer,
                              offer_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* -- Set-up -- */

static bool
configure(struct atls_context *context)
{
    SSL_CTX *ctx = context->ctx;

    SSL_CTX_set_app_data(ctx, context);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(ctx, LIMIT_ATLS_CERT_BYTES);
    SSL_CTX_set_cert_verify_callback(ctx, on_peer_certificate, NULL);
    SSL_CTX_set_cert_cb(ctx, on_certificate_wanted, NULL);
    if (context->role == ATLS_SERVER) {
        SSL_CTX_set_client_hello_cb(ctx, on_client_hello, NULL);
        SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
    }
    context->slot = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_ssl_free);
    return context->slot >= 0 && SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
           SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
}

enum assay_status
atls_context_new(enum atls_role role, struct atls_context **out,
                 struct assay_error *err)
{
    struct atls_context *context = mem_zalloc(NULL, sizeof(*context));

    if (!context)
        return assay_nomem(err, "aTLS context");
    context->role = role;
    context->ctx = SSL_CTX_new(TLS_method());
    if (!context->ctx || !configure(context)) {
        ERR_clear_error();
        atls_context_free(context);
        return assay_nomem(err, "aTLS context");
    }
    *out = context;
    return ASSAY_OK;
}

void
atls_context_free(struct atls_context *context)
{
    if (!context)
        return;
    SSL_CTX_free(context->ctx);
    mem_free(NULL, context);
}

static bool
offer_nonce(SSL *ssl, const uint8_t nonce[ATLS_NONCE_SIZE])
{
    uint8_t alpn[ATLS_ALPN_SIZE];
    char sni[ATLS_NONCE_B64_SIZE];

    atls_alpn_encode(nonce, alpn);
    atls_nonce_b64(nonce, sni);
    /* unlike its siblings, this one returns 0 for success */
    return SSL_set_alpn_protos(ssl, alpn, sizeof(alpn)) == 0 &&
           SSL_set_tlsext_host_name(ssl, sni) == 1;
}

static bool
request_certificate(SSL *ssl, const uint8_t nonce[ATLS_NONCE_SIZE])
{
    uint8_t der[ATLS_CA_NAME_SIZE];
    const unsigned char *ptr = der;
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    X509_NAME *name;

    atls_ca_name_encode(nonce, der);
    name = d2i_X509_NAME(NULL, &ptr, sizeof(der));
    if (!names || !name || !sk_X509_NAME_push(names, name)) {
        X509_NAME_free(name);
        sk_X509_NAME_free(names);
        return false;
    }
    SSL_set0_CA_list(ssl, names);
    return true;
}

static bool
prepare(SSL *ssl, const struct connection *c)
{
    int verify = SSL_VERIFY_PEER;

    if (c->role == ATLS_CLIENT) {
        SSL_set_connect_state(ssl);
        SSL_set_verify(ssl, verify, NULL);
        return offer_nonce(ssl, c->our_nonce);
    }
    if (c->params.validator)
        verify |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    else
        SSL_set_max_cert_list(ssl, LIMIT_ATLS_PLAIN_CERT_BYTES);
    SSL_set_accept_state(ssl);
    SSL_set_verify(ssl, verify, NULL);
    return request_certificate(ssl, c->our_nonce);
}

static enum assay_status
connection_new(enum atls_role role, const struct atls_params *params,
               struct connection **out, struct assay_error *err)
{
    struct connection *c = mem_zalloc(NULL, sizeof(*c));
    enum assay_status st;

    if (!c)
        return assay_nomem(err, "aTLS connection");
    c->role = role;
    c->params = *params;
    st = random_fill(params->random, c->our_nonce, sizeof(c->our_nonce), err);
    if (st == ASSAY_OK && params->key)
        c->key = key_dup(params->key);
    else if (st == ASSAY_OK)
        st = key_generate(KEY_P256, &c->key, err);
    if (st != ASSAY_OK) {
        connection_free(c);
        return st;
    }
    *out = c;
    return ASSAY_OK;
}

enum assay_status
atls_ssl_new(struct atls_context *context, const struct atls_params *params,
             SSL **out, struct assay_error *err)
{
    struct connection *c = NULL;
    SSL *ssl = NULL;
    enum assay_status st = connection_new(context->role, params, &c, err);

    if (st != ASSAY_OK)
        return st;
    ssl = SSL_new(context->ctx);
    if (!ssl || !prepare(ssl, c) ||
        SSL_set_ex_data(ssl, context->slot, c) != 1) {
        ERR_clear_error();
        SSL_free(ssl);
        connection_free(c);
        return assay_nomem(err, "aTLS connection");
    }
    *out = ssl;
    return ASSAY_OK;
}

const struct atls_peer *
atls_peer_get(const SSL *ssl)
{
    return &connection_of(ssl)->peer;
}

void
atls_explain(const SSL *ssl, struct assay_error *err)
{
    const struct connection *c = connection_of(ssl);

    if (c->error.status != ASSAY_OK)
        *err = c->error;
}
