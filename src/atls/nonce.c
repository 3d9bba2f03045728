#include "atls/nonce.h"

#include <string.h>

#include "base/hex.h"
#include "base/reader.h"
#include "base/writer.h"

static const char nonce_prefix[] = "atls:v1:nonce:";

enum {
    PREFIX_LEN = sizeof(nonce_prefix) - 1,
    NONCE_HEX_LEN = 2 * ATLS_NONCE_SIZE,
    NONCE_B64_LEN = ATLS_NONCE_B64_SIZE - 1,
    SNI_HOST_NAME = 0, /* RFC 6066 section 3, NameType */
};

void
atls_alpn_encode(const uint8_t nonce[ATLS_NONCE_SIZE],
                 uint8_t alpn[ATLS_ALPN_SIZE])
{
    struct writer wr = writer_over(alpn, ATLS_ALPN_SIZE);
    char hex[NONCE_HEX_LEN + 1];

    hex_encode(span_of(nonce, ATLS_NONCE_SIZE), hex);
    wr_u8(&wr, PREFIX_LEN + NONCE_HEX_LEN);
    wr_span(&wr, span_str(nonce_prefix));
    wr_span(&wr, span_str(hex));
    wr_u8(&wr, 2);
    wr_span(&wr, span_str("h2"));
}

void
atls_nonce_b64(const uint8_t nonce[ATLS_NONCE_SIZE],
               char text[ATLS_NONCE_B64_SIZE])
{
    base64_encode(span_of(nonce, ATLS_NONCE_SIZE), text);
}

static bool
nonce_from_b64(struct span text, uint8_t nonce[ATLS_NONCE_SIZE])
{
    uint8_t bytes[ATLS_NONCE_SIZE + 1];
    size_t len = sizeof(bytes);

    if (text.len != NONCE_B64_LEN || !base64_decode(text, bytes, &len) ||
        len != ATLS_NONCE_SIZE)
        return false;
    memcpy(nonce, bytes, ATLS_NONCE_SIZE);
    return true;
}

static bool
has_prefix(struct span s, const char *prefix)
{
    return span_equal_str(span_sub(s, 0, strlen(prefix)), prefix);
}

static enum assay_status
nonce_from_protocol(struct span protocol, uint8_t nonce[ATLS_NONCE_SIZE],
                    struct assay_error *err)
{
    struct span hex = span_sub(protocol, PREFIX_LEN, protocol.len);

    if (!has_prefix(protocol, nonce_prefix))
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "aTLS: unsupported version in the ALPN offer, "
                          "want %s<hex>",
                          nonce_prefix);
    if (!hex_decode(hex, nonce, ATLS_NONCE_SIZE))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "aTLS: ALPN nonce: got %zu characters, want %d hex "
                          "digits",
                          hex.len, NONCE_HEX_LEN);
    return ASSAY_OK;
}

/* Walks the whole list, so that what follows the nonce is well formed too.
 * *found counts the protocols that start with "atls". */
static enum assay_status
nonce_from_alpn(struct span ext, uint8_t nonce[ATLS_NONCE_SIZE], size_t *found,
                struct assay_error *err)
{
    struct reader rd = reader_over(ext);
    struct reader list = reader_over(rd_span(&rd, rd_u16be(&rd)));

    *found = 0;
    while (rd_ok(&list) && list.rest.len > 0) {
        struct span protocol = rd_span(&list, rd_u8(&list));
        enum assay_status st;

        if (!has_prefix(protocol, "atls"))
            continue;
        if (++*found > 1)
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "aTLS: two nonces in one ALPN offer");
        st = nonce_from_protocol(protocol, nonce, err);
        if (st != ASSAY_OK)
            return st;
    }
    if (!rd_done(&rd) || !rd_done(&list))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "aTLS: the ALPN extension breaks its format");
    return ASSAY_OK;
}

/* The host name of a server_name extension; empty when it names none. */
static enum assay_status
sni_host_name(struct span ext, struct span *name, struct assay_error *err)
{
    struct reader rd = reader_over(ext);
    struct reader list = reader_over(rd_span(&rd, rd_u16be(&rd)));
    uint8_t type = rd_u8(&list);
    struct span host = rd_span(&list, rd_u16be(&list));

    if (!rd_done(&rd) || !rd_done(&list) || type != SNI_HOST_NAME)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "aTLS: the SNI extension breaks its format");
    *name = host;
    return ASSAY_OK;
}

enum assay_status
atls_hello_nonce(struct span alpn_ext, struct span sni_ext,
                 uint8_t nonce[ATLS_NONCE_SIZE], struct assay_error *err)
{
    uint8_t from_alpn[ATLS_NONCE_SIZE], from_sni[ATLS_NONCE_SIZE];
    struct span host = { 0 };
    size_t in_alpn = 0;
    bool in_sni;
    enum assay_status st = ASSAY_OK;

    if (alpn_ext.len > 0)
        st = nonce_from_alpn(alpn_ext, from_alpn, &in_alpn, err);
    if (st == ASSAY_OK && sni_ext.len > 0)
        st = sni_host_name(sni_ext, &host, err);
    if (st != ASSAY_OK)
        return st;
    in_sni = nonce_from_b64(host, from_sni);
    if (!in_alpn && !in_sni)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "aTLS: no nonce in the ALPN offer, and the SNI is "
                          "not one (want base64 of %d bytes): not an aTLS "
                          "client",
                          ATLS_NONCE_SIZE);
    /* public values: memcmp is fine */
    if (in_alpn && in_sni && memcmp(from_alpn, from_sni, ATLS_NONCE_SIZE) != 0)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "aTLS: ALPN and SNI carry different nonces");
    memcpy(nonce, in_alpn ? from_alpn : from_sni, ATLS_NONCE_SIZE);
    return ASSAY_OK;
}

/* X.501 Name with one RDN of one attribute. All lengths are below 128, so
 * every DER length is one byte. */
enum {
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_OID = 0x06,
    DER_PRINTABLE_STRING = 0x13,
    DER_UTF8_STRING = 0x0c,
};
static const uint8_t oid_common_name[] = { 0x55, 0x04, 0x03 };

void
atls_ca_name_encode(const uint8_t nonce[ATLS_NONCE_SIZE],
                    uint8_t der[ATLS_CA_NAME_SIZE])
{
    struct writer wr = writer_over(der, ATLS_CA_NAME_SIZE);
    char text[ATLS_NONCE_B64_SIZE];

    atls_nonce_b64(nonce, text);
    wr_u8(&wr, DER_SEQUENCE);
    wr_u8(&wr, ATLS_CA_NAME_SIZE - 2);
    wr_u8(&wr, DER_SET);
    wr_u8(&wr, ATLS_CA_NAME_SIZE - 4);
    wr_u8(&wr, DER_SEQUENCE);
    wr_u8(&wr, ATLS_CA_NAME_SIZE - 6);
    wr_u8(&wr, DER_OID);
    wr_u8(&wr, sizeof(oid_common_name));
    wr_span(&wr, span_of(oid_common_name, sizeof(oid_common_name)));
    wr_u8(&wr, DER_PRINTABLE_STRING);
    wr_u8(&wr, NONCE_B64_LEN);
    wr_span(&wr, span_str(text));
}

/* A short-form TLV with the wanted tag, as a reader over its content. */
static struct reader
der_open(struct reader *rd, uint8_t want_tag)
{
    uint8_t tag = rd_u8(rd), len = rd_u8(rd);
    struct reader inner;

    if (tag != want_tag || len > 127)
        rd->failed = true;
    inner = reader_over(rd_span(rd, len));
    inner.failed = rd->failed;
    return inner;
}

enum assay_status
atls_ca_name_decode(struct span der, uint8_t nonce[ATLS_NONCE_SIZE],
                    struct assay_error *err)
{
    struct reader rd = reader_over(der);
    struct reader name = der_open(&rd, DER_SEQUENCE);
    struct reader rdn = der_open(&name, DER_SET);
    struct reader attribute = der_open(&rdn, DER_SEQUENCE);
    struct reader oid = der_open(&attribute, DER_OID);
    uint8_t tag = rd_u8(&attribute);
    struct span value = rd_span(&attribute, rd_u8(&attribute));

    if (!rd_done(&rd) || !rd_done(&name) || !rd_done(&rdn) ||
        !rd_done(&attribute) ||
        !span_equal(oid.rest,
                    span_of(oid_common_name, sizeof(oid_common_name))) ||
        (tag != DER_PRINTABLE_STRING && tag != DER_UTF8_STRING))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "aTLS: the name in the CertificateRequest is not "
                          "one commonName");
    if (!nonce_from_b64(value, nonce))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "aTLS: server nonce: got %zu characters, want "
                          "base64 of %d bytes",
                          value.len, ATLS_NONCE_SIZE);
    return ASSAY_OK;
}
