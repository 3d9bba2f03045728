#include "unit.h"

#include <stdio.h>

#include "atls/nonce.h"

/* 00 01 02 ... 1f: the nonce of the check values in the interop sheet. */
static void
counting_nonce(uint8_t nonce[ATLS_NONCE_SIZE])
{
    for (int i = 0; i < ATLS_NONCE_SIZE; i++)
        nonce[i] = (uint8_t)i;
}

static const char counting_hex[] =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
static const char counting_b64[] =
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/* Assembles extension bodies by hand, apart from the encoder under test. */
struct ext {
    uint8_t bytes[512];
    size_t len;
};

static struct span
ext_span(const struct ext *e)
{
    return span_of(e->bytes, e->len);
}

static void
ext_add(struct ext *e, const void *bytes, size_t len)
{
    assert_true(sizeof(e->bytes) - e->len >= len);
    memcpy(e->bytes + e->len, bytes, len);
    e->len += len;
}

static struct ext
alpn_of(const char *const *protocols, size_t count)
{
    struct ext e = { .len = 2 };

    for (size_t i = 0; i < count; i++) {
        uint8_t len = (uint8_t)strlen(protocols[i]);

        ext_add(&e, &len, 1);
        ext_add(&e, protocols[i], len);
    }
    e.bytes[0] = (uint8_t)((e.len - 2) >> 8);
    e.bytes[1] = (uint8_t)(e.len - 2);
    return e;
}

static struct ext
sni_of(const char *host)
{
    struct ext e = { { 0 }, 0 };
    uint8_t n = (uint8_t)strlen(host);
    const uint8_t head[] = { 0, (uint8_t)(n + 3), 0, 0, n };

    ext_add(&e, head, sizeof(head));
    ext_add(&e, host, n);
    return e;
}

static void
the_offer_is_the_nonce_then_h2(void **state)
{
    uint8_t nonce[ATLS_NONCE_SIZE], alpn[ATLS_ALPN_SIZE];
    char want[ATLS_ALPN_SIZE + 1];

    (void)state;
    counting_nonce(nonce);
    atls_alpn_encode(nonce, alpn);
    (void)snprintf(want, sizeof(want),
                   "\x4e"
                   "atls:v1:nonce:%s\x02h2",
                   counting_hex);
    assert_memory_equal(alpn, want, ATLS_ALPN_SIZE);
}

static void
a_nonce_is_found_in_alpn_in_sni_and_in_both(void **state)
{
    char protocol[100];
    const char *offers[] = { "http/1.1", protocol, "h2" };
    struct ext alpn, sni = sni_of(counting_b64), none = { { 0 }, 0 };
    struct ext other = sni_of("coordinator.example.com");
    const struct ext *rows[][2] = {
        { &alpn, &none },
        { &alpn, &sni },
        { &none, &sni },
        { &alpn, &other },
    };
    uint8_t got[ATLS_NONCE_SIZE];

    (void)state;
    (void)snprintf(protocol, sizeof(protocol), "atls:v1:nonce:%s",
                   counting_hex);
    alpn = alpn_of(offers, COUNT(offers));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct assay_error err = { 0 };

        memset(got, 0xee, sizeof(got));
        assert_ok(atls_hello_nonce(ext_span(rows[i][0]), ext_span(rows[i][1]),
                                   got, &err),
                  &err);
        assert_hex(span_of(got, sizeof(got)), counting_hex);
    }
}

static void
a_hello_without_exactly_one_good_nonce_is_refused(void **state)
{
    static const struct {
        const char *rule;
        const char *protocols[2];
        const char *host; /* NULL: no extension */
        enum assay_status want;
    } rows[] = {
        { "no nonce", { "h2", NULL }, NULL, ASSAY_ERR_UNSUPPORTED },
        { "plain host name",
          { "h2", NULL },
          "example.com",
          ASSAY_ERR_UNSUPPORTED },
        { "short base64 host name of legal characters",
          { "h2", NULL },
          "abcdefgh",
          ASSAY_ERR_UNSUPPORTED },
        { "version 2",
          { "atls:v2:nonce:00", NULL },
          NULL,
          ASSAY_ERR_UNSUPPORTED },
        { "31 bytes",
          { "atls:v1:nonce:000102030405060708090a0b0c0d0e0f10111213141516"
            "1718191a1b1c1d1e",
            NULL },
          NULL,
          ASSAY_ERR_MALFORMED },
        { "empty nonce",
          { "atls:v1:nonce:", NULL },
          NULL,
          ASSAY_ERR_MALFORMED },
        { "not hex",
          { "atls:v1:nonce:zz0102030405060708090a0b0c0d0e0f10111213141516"
            "1718191a1b1c1d1e1f",
            NULL },
          NULL,
          ASSAY_ERR_MALFORMED },
        { "two nonces",
          { "atls:v1:nonce:000102030405060708090a0b0c0d0e0f10111213141516"
            "1718191a1b1c1d1e1f",
            "atls:v1:nonce:000102030405060708090a0b0c0d0e0f10111213141516"
            "1718191a1b1c1d1e1f" },
          NULL,
          ASSAY_ERR_MALFORMED },
        { "ALPN and SNI disagree",
          { "atls:v1:nonce:ff0102030405060708090a0b0c0d0e0f10111213141516"
            "1718191a1b1c1d1e1f",
            NULL },
          counting_b64,
          ASSAY_ERR_MALFORMED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ext alpn =
            alpn_of(rows[i].protocols, rows[i].protocols[1] ? 2 : 1);
        struct ext sni = { { 0 }, 0 };
        uint8_t got[ATLS_NONCE_SIZE];
        enum assay_status st;

        if (rows[i].host)
            sni = sni_of(rows[i].host);
        st = atls_hello_nonce(ext_span(&alpn), ext_span(&sni), got, NULL);
        if (st != rows[i].want)
            fail_msg("%s: got %s, want %s", rows[i].rule, assay_status_name(st),
                     assay_status_name(rows[i].want));
    }
}

static void
every_truncation_of_an_extension_is_refused(void **state)
{
    struct ext alpn, sni = sni_of(counting_b64);
    char protocol[100];
    const char *offers[] = { protocol, "h2" };
    uint8_t got[ATLS_NONCE_SIZE];

    (void)state;
    (void)snprintf(protocol, sizeof(protocol), "atls:v1:nonce:%s",
                   counting_hex);
    alpn = alpn_of(offers, 2);
    for (size_t n = 1; n < alpn.len; n++)
        assert_status(atls_hello_nonce(span_of(alpn.bytes, n), span_of(NULL, 0),
                                       got, NULL),
                      ASSAY_ERR_MALFORMED);
    for (size_t n = 1; n < sni.len; n++)
        assert_status(atls_hello_nonce(span_of(NULL, 0), span_of(sni.bytes, n),
                                       got, NULL),
                      ASSAY_ERR_MALFORMED);
}

/* The byte layout the interop sheet gives for a 32-byte nonce. */
static void
the_ca_name_has_the_documented_layout(void **state)
{
    uint8_t nonce[ATLS_NONCE_SIZE], der[ATLS_CA_NAME_SIZE];
    uint8_t want[ATLS_CA_NAME_SIZE];

    (void)state;
    counting_nonce(nonce);
    atls_ca_name_encode(nonce, der);
    assert_true(hex_decode(span_str("3037313530330603550403132c"), want, 13));
    memcpy(want + 13, counting_b64, 44);
    assert_memory_equal(der, want, sizeof(want));
}

static void
a_ca_name_is_read_back_and_broken_ones_are_refused(void **state)
{
    static const struct {
        const char *rule;
        size_t at;
        uint8_t value;
    } broken[] = {
        { "not a sequence", 0, 0x31 },    { "outer length", 1, 0x36 },
        { "not a set", 2, 0x30 },         { "set length", 3, 0x34 },
        { "not a sequence", 4, 0x31 },    { "not an OID", 6, 0x05 },
        { "organizationName", 10, 0x0a }, { "IA5String", 11, 0x16 },
        { "value length", 12, 0x2b },     { "not base64", 20, '!' },
        { "long-form length", 1, 0x81 },
    };
    uint8_t nonce[ATLS_NONCE_SIZE], got[ATLS_NONCE_SIZE];
    uint8_t der[ATLS_CA_NAME_SIZE];
    struct assay_error err = { 0 };

    (void)state;
    counting_nonce(nonce);
    atls_ca_name_encode(nonce, der);
    assert_ok(atls_ca_name_decode(span_of(der, sizeof(der)), got, &err), &err);
    assert_memory_equal(got, nonce, sizeof(nonce));
    der[11] = 0x0c; /* UTF8String */
    assert_ok(atls_ca_name_decode(span_of(der, sizeof(der)), got, &err), &err);
    for (size_t i = 0; i < COUNT(broken); i++) {
        atls_ca_name_encode(nonce, der);
        der[broken[i].at] = broken[i].value;
        if (atls_ca_name_decode(span_of(der, sizeof(der)), got, NULL) !=
            ASSAY_ERR_MALFORMED)
            fail_msg("accepted: %s", broken[i].rule);
    }
    atls_ca_name_encode(nonce, der);
    for (size_t n = 0; n < sizeof(der); n++)
        assert_status(atls_ca_name_decode(span_of(der, n), got, NULL),
                      ASSAY_ERR_MALFORMED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_offer_is_the_nonce_then_h2),
        cmocka_unit_test(a_nonce_is_found_in_alpn_in_sni_and_in_both),
        cmocka_unit_test(a_hello_without_exactly_one_good_nonce_is_refused),
        cmocka_unit_test(every_truncation_of_an_extension_is_refused),
        cmocka_unit_test(the_ca_name_has_the_documented_layout),
        cmocka_unit_test(a_ca_name_is_read_back_and_broken_ones_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
