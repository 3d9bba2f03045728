/* What the tests of net/ share: a throw-away certificate and its TLS hooks. */
#ifndef ASSAY_TESTS_NET_TEST_H
#define ASSAY_TESTS_NET_TEST_H

#include "unit.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "net/tls.h"

struct test_tls {
    SSL_CTX *ctx;
    bool server;
    const char *refuse; /* the sentence of a failing verify callback */
    struct tls_hooks hooks;
};

static inline EVP_PKEY *
test_key_and_cert(X509 **cert)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_NAME *name;

    assert_non_null(key);
    assert_non_null(x);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    (void)X509_set_version(x, 2);
    (void)X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    (void)X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    name = X509_get_subject_name(x);
    (void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                     (const unsigned char *)"test", -1, -1, 0);
    (void)X509_set_issuer_name(x, name);
    (void)X509_set_pubkey(x, key);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    *cert = x;
    return key;
}

static inline int
test_select_h2(SSL *ssl, const unsigned char **out, unsigned char *out_len,
               const unsigned char *in, unsigned in_len, void *arg)
{
    static const unsigned char h2[] = "\x02h2";
    unsigned char *selected;

    (void)ssl, (void)arg;
    if (SSL_select_next_proto(&selected, out_len, h2, 3, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = selected;
    return SSL_TLSEXT_ERR_OK;
}

static inline SSL *
test_ssl_new(void *ctx, const struct net_address *peer, struct assay_error *err)
{
    struct test_tls *t = ctx;
    SSL *ssl = SSL_new(t->ctx);

    (void)peer, (void)err;
    if (t->server)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    return ssl;
}

static inline void
test_explain(void *ctx, SSL *ssl, struct assay_error *err)
{
    struct test_tls *t = ctx;

    (void)ssl;
    if (t->refuse)
        (void)assay_fail(err, ASSAY_ERR_UNTRUSTED, "%s", t->refuse);
}

static inline int
test_verify(X509_STORE_CTX *store, void *arg)
{
    struct test_tls *t = arg;

    if (!t->refuse)
        return 1;
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

static inline void
test_tls_init(struct test_tls *t, bool server)
{
    X509 *cert;
    EVP_PKEY *key = test_key_and_cert(&cert);

    *t = (struct test_tls){ .server = server };
    t->ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    assert_non_null(t->ctx);
    assert_int_equal(SSL_CTX_use_certificate(t->ctx, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(t->ctx, key), 1);
    SSL_CTX_set_verify(t->ctx,
                       SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(t->ctx, test_verify, t);
    if (server)
        SSL_CTX_set_alpn_select_cb(t->ctx, test_select_h2, NULL);
    else
        (void)SSL_CTX_set_alpn_protos(t->ctx, (const unsigned char *)"\x02h2",
                                      3);
    X509_free(cert);
    EVP_PKEY_free(key);
    t->hooks = (struct tls_hooks){ .ssl_new = test_ssl_new,
                                   .explain = test_explain,
                                   .ctx = t };
}

static inline void
test_tls_free(struct test_tls *t)
{
    SSL_CTX_free(t->ctx);
}

#endif
