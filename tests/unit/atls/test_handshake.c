/* Both ends of the handshake in one process, joined by memory. The issuer and
 * validator here are the simplest that can tell right from wrong: evidence is
 * the report data itself, or a lie. */
#include "unit.h"

#include <openssl/ssl.h>

#include "atls/atls.h"
#include "atls/nonce.h"
#include "crypto/random.h"

enum { NOW = 1795437296 };

static int64_t
fixed_now(void *ctx)
{
    return *(const int64_t *)ctx;
}

static int64_t now_server = NOW, now_client = NOW;
static const struct clock clock_server = { fixed_now, NULL, &now_server };
static const struct clock clock_client = { fixed_now, NULL, &now_client };

static enum assay_status
issue_truth(void *ctx, const uint8_t report_data[ATLS_REPORT_DATA_SIZE],
            enum evidence_oid *oid, struct buffer *evidence,
            struct assay_error *err)
{
    *oid = ctx ? EVIDENCE_OID_TDX : EVIDENCE_OID_SNP;
    (void)err;
    buffer_add(evidence, span_of(report_data, ATLS_REPORT_DATA_SIZE));
    return ASSAY_OK;
}

static enum assay_status
issue_lie(void *ctx, const uint8_t report_data[ATLS_REPORT_DATA_SIZE],
          enum evidence_oid *oid, struct buffer *evidence,
          struct assay_error *err)
{
    *oid = EVIDENCE_OID_SNP;
    (void)ctx;
    (void)report_data;
    (void)err;
    buffer_add_str(evidence, "recorded earlier");
    return ASSAY_OK;
}

static enum assay_status
issue_nothing(void *ctx, const uint8_t report_data[ATLS_REPORT_DATA_SIZE],
              enum evidence_oid *oid, struct buffer *evidence,
              struct assay_error *err)
{
    (void)ctx;
    (void)oid;
    (void)report_data;
    (void)evidence;
    return assay_fail(err, ASSAY_ERR_IO, "no processor");
}

static enum assay_status
validate_equal(void *ctx, enum evidence_oid oid, struct span evidence,
               const uint8_t report_data[ATLS_REPORT_DATA_SIZE], void **result,
               struct assay_error *err)
{
    if (oid != EVIDENCE_OID_SNP)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED, "not SNP");
    if (!span_equal(evidence, span_of(report_data, ATLS_REPORT_DATA_SIZE)))
        return assay_fail(err, ASSAY_ERR_UNTRUSTED, "report data differs");
    ++*(int *)ctx;
    *result = ctx;
    return ASSAY_OK;
}

static void
release_count(void *ctx, void *result)
{
    assert_ptr_equal(ctx, result);
    --*(int *)ctx;
}

static void
count_done(void *ctx)
{
    ++*(int *)ctx;
}

static int is_tdx;
static const struct atls_issuer truth = { issue_truth, NULL };
static const struct atls_issuer lie = { issue_lie, NULL };
static const struct atls_issuer broken = { issue_nothing, NULL };
static const struct atls_issuer tdx = { issue_truth, &is_tdx };

/* One end, and what is checked about it. */
struct end {
    struct atls_context *context;
    struct atls_params params;
    struct atls_validator validator;
    SSL *ssl;
    int open_results; /* validated and not yet released */
    int done;
};

static void
end_open(struct end *e, enum atls_role role, const struct atls_issuer *issuer,
         bool validates)
{
    struct assay_error err = { 0 };

    *e = (struct end){ .validator = { validate_equal, release_count,
                                      &e->open_results } };
    assert_ok(atls_context_new(role, &e->context, &err), &err);
    e->params = (struct atls_params){
        .issuer = issuer,
        .validator = validates ? &e->validator : NULL,
        .clock = role == ATLS_SERVER ? &clock_server : &clock_client,
        .random = &random_system,
        .done = count_done,
        .ctx = &e->done,
    };
    assert_ok(atls_ssl_new(e->context, &e->params, &e->ssl, &err), &err);
}

static void
end_close(struct end *e)
{
    SSL_free(e->ssl);
    assert_int_equal(e->open_results, 0);
    assert_int_equal(e->done, 1);
    atls_context_free(e->context);
}

static void
join(SSL *a, SSL *b)
{
    BIO *one = NULL, *two = NULL;

    assert_int_equal(BIO_new_bio_pair(&one, 0, &two, 0), 1);
    SSL_set_bio(a, one, one);
    SSL_set_bio(b, two, two);
}

/* 1 finished, 0 wants more, -1 failed */
static int
step(SSL *ssl)
{
    int rc = SSL_do_handshake(ssl);
    int why = SSL_get_error(ssl, rc);

    if (rc == 1)
        return 1;
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

/* Runs both to their end; true when both finished. A TLS 1.3 client finishes
 * before the server has judged it: what the server thinks arrives with the
 * first read. */
static bool
shake(struct end *server, struct end *client)
{
    int s = 0, c = 0;
    char byte;

    for (int i = 0; i < 20 && s >= 0 && c >= 0 && !(s == 1 && c == 1); i++) {
        if (c == 0)
            c = step(client->ssl);
        if (s == 0)
            s = step(server->ssl);
    }
    if (s != 1 || c != 1)
        return false;
    return SSL_read(client->ssl, &byte, 1) < 0 &&
           SSL_get_error(client->ssl, -1) == SSL_ERROR_WANT_READ;
}

static void
both_sides_attest_each_other(void **state)
{
    struct end server, client;
    const struct atls_peer *peer;
    const unsigned char *alpn;
    unsigned alpn_len;

    (void)state;
    end_open(&server, ATLS_SERVER, &truth, true);
    end_open(&client, ATLS_CLIENT, &truth, true);
    join(server.ssl, client.ssl);
    assert_true(shake(&server, &client));
    peer = atls_peer_get(server.ssl);
    assert_int_equal(peer->oid, EVIDENCE_OID_SNP);
    assert_int_equal(peer->evidence.len, ATLS_REPORT_DATA_SIZE);
    assert_ptr_equal(peer->result, &server.open_results);
    assert_int_equal(key_type(peer->key), KEY_P256);
    assert_int_equal(atls_peer_get(client.ssl)->oid, EVIDENCE_OID_SNP);
    SSL_get0_alpn_selected(client.ssl, &alpn, &alpn_len);
    assert_true(span_equal_str(span_of(alpn, alpn_len), "h2"));
    assert_string_equal(SSL_get_version(client.ssl), "TLSv1.3");
    end_close(&server);
    end_close(&client);
}

static void
tls_1_2_works_too(void **state)
{
    struct end server, client;

    (void)state;
    end_open(&server, ATLS_SERVER, &truth, true);
    end_open(&client, ATLS_CLIENT, &truth, true);
    assert_int_equal(SSL_set_max_proto_version(client.ssl, TLS1_2_VERSION), 1);
    join(server.ssl, client.ssl);
    assert_true(shake(&server, &client));
    assert_string_equal(SSL_get_version(client.ssl), "TLSv1.2");
    assert_int_equal(atls_peer_get(server.ssl)->oid, EVIDENCE_OID_SNP);
    end_close(&server);
    end_close(&client);
}

static void
a_client_without_evidence_is_known_by_its_key(void **state)
{
    struct end server, client;
    struct assay_error err = { 0 };
    struct key *owner = NULL;

    (void)state;
    assert_ok(key_generate(KEY_P384, &owner, &err), &err);
    end_open(&server, ATLS_SERVER, &truth, false);
    end_open(&client, ATLS_CLIENT, NULL, true);
    SSL_free(client.ssl);
    client.done = 0;
    client.params.key = owner;
    assert_ok(atls_ssl_new(client.context, &client.params, &client.ssl, &err),
              &err);
    join(server.ssl, client.ssl);
    assert_true(shake(&server, &client));
    assert_int_equal(atls_peer_get(server.ssl)->oid, EVIDENCE_OID_NONE);
    assert_true(key_equal_public(atls_peer_get(server.ssl)->key, owner));
    end_close(&server);
    end_close(&client);
    key_free(owner);
}

/* Each row makes one side unacceptable to the other. */
static void
refusals_end_the_handshake_with_the_reason(void **state)
{
    static const struct {
        const char *rule;
        const struct atls_issuer *server_issuer, *client_issuer;
        bool server_validates, client_validates;
        int64_t server_late; /* seconds the server's clock is ahead */
        bool server_tells;   /* who knows the reason */
        const char *want;
    } rows[] = {
        { "recorded client evidence", &truth, &lie, true, true, 0, true,
          "report data differs" },
        { "recorded server evidence", &lie, &truth, true, true, 0, false,
          "report data differs" },
        { "client without evidence", &truth, NULL, true, true, 0, true,
          "certificate carries no evidence" },
        { "server without evidence", NULL, &truth, true, true, 0, false,
          "certificate carries no evidence" },
        { "evidence of a kind nobody judges", &truth, &tdx, true, true, 0, true,
          "no validator for this kind of evidence" },
        { "client certificate too old", &truth, &truth, true, false,
          2 * 3600 + 1, true,
          "certificate valid 2026-11-23T10:34:56Z to 2026-11-23T14:34:56Z, "
          "now is 2026-11-23T14:34:57Z" },
        { "client certificate from the future", &truth, &truth, true, false,
          -2 * 3600 - 1, true,
          "certificate valid 2026-11-23T10:34:56Z to 2026-11-23T14:34:56Z, "
          "now is 2026-11-23T10:34:55Z" },
        { "server cannot make evidence", &broken, NULL, false, true, 0, true,
          "own evidence: no processor" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct end server, client;
        struct assay_error err = { 0 };

        now_server = NOW + rows[i].server_late;
        end_open(&server, ATLS_SERVER, rows[i].server_issuer,
                 rows[i].server_validates);
        end_open(&client, ATLS_CLIENT, rows[i].client_issuer,
                 rows[i].client_validates);
        join(server.ssl, client.ssl);
        if (shake(&server, &client))
            fail_msg("%s: accepted", rows[i].rule);
        atls_explain(rows[i].server_tells ? server.ssl : client.ssl, &err);
        if (strcmp(err.text, rows[i].want) != 0)
            fail_msg("%s: got \"%s\", want \"%s\"", rows[i].rule, err.text,
                     rows[i].want);
        end_close(&server);
        end_close(&client);
    }
    now_server = NOW;
}

/* A server that asks for no certificate, or names other authorities, is not an
 * aTLS server; a client that has evidence to bind must notice. */
static void
the_client_wants_exactly_one_ca_name(void **state)
{
    struct end server, client;
    struct assay_error err = { 0 };

    (void)state;
    end_open(&server, ATLS_SERVER, &truth, true);
    end_open(&client, ATLS_CLIENT, &truth, true);
    SSL_set0_CA_list(server.ssl, sk_X509_NAME_new_null());
    join(server.ssl, client.ssl);
    assert_false(shake(&server, &client));
    atls_explain(client.ssl, &err);
    assert_string_equal(err.text,
                        "aTLS: 0 names in the CertificateRequest, want 1");
    end_close(&server);
    end_close(&client);
}

static void
a_plain_tls_client_is_refused(void **state)
{
    struct end server;
    struct assay_error err = { 0 };
    SSL_CTX *plain = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(plain);

    (void)state;
    end_open(&server, ATLS_SERVER, &truth, false);
    SSL_set_connect_state(ssl);
    assert_int_equal(SSL_set_tlsext_host_name(ssl, "example.com"), 1);
    join(server.ssl, ssl);
    assert_int_equal(step(ssl), 0);
    assert_int_equal(step(server.ssl), -1);
    atls_explain(server.ssl, &err);
    assert_int_equal(err.status, ASSAY_ERR_UNSUPPORTED);
    SSL_free(ssl);
    SSL_CTX_free(plain);
    end_close(&server);
}

/* A hello with the nonce in the SNI alone, as the older generation sends. */
static void
an_sni_nonce_without_h2_in_front_works(void **state)
{
    static const unsigned char h2[] = { 2, 'h', '2' };
    struct end server, client;

    (void)state;
    end_open(&server, ATLS_SERVER, &truth, true);
    end_open(&client, ATLS_CLIENT, &truth, true);
    assert_int_equal(SSL_set_alpn_protos(client.ssl, h2, sizeof(h2)), 0);
    join(server.ssl, client.ssl);
    assert_true(shake(&server, &client));
    end_close(&server);
    end_close(&client);
}

static void
a_client_that_does_not_offer_h2_is_refused(void **state)
{
    static const unsigned char http1[] = { 8,   'h', 't', 't', 'p',
                                           '/', '1', '.', '1' };
    struct end server, client;

    (void)state;
    end_open(&server, ATLS_SERVER, &truth, true);
    end_open(&client, ATLS_CLIENT, &truth, true);
    assert_int_equal(SSL_set_alpn_protos(client.ssl, http1, sizeof(http1)), 0);
    join(server.ssl, client.ssl);
    assert_false(shake(&server, &client));
    end_close(&server);
    end_close(&client);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_attest_each_other),
        cmocka_unit_test(tls_1_2_works_too),
        cmocka_unit_test(a_client_without_evidence_is_known_by_its_key),
        cmocka_unit_test(refusals_end_the_handshake_with_the_reason),
        cmocka_unit_test(the_client_wants_exactly_one_ca_name),
        cmocka_unit_test(a_plain_tls_client_is_refused),
        cmocka_unit_test(an_sni_nonce_without_h2_in_front_works),
        cmocka_unit_test(a_client_that_does_not_offer_h2_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
