/* ECDSA with r and s as hardware writes them: two numbers of the curve's size
 * instead of DER. */
#include <string.h>

#include "base/writer.h"
#include "crypto/der.h"
#include "crypto/key_internal.h"

enum {
    P256_SIZE = 32,
    /* SEQUENCE { INTEGER r, INTEGER s }, each with a sign byte */
    RAW_DER_MAX = 2 + 2 * (2 + 1 + P384_SIZE),
};

/* A DER INTEGER of a big-endian number. */
static void
write_number(struct writer *wr, struct span n)
{
    while (n.len > 1 && n.ptr[0] == 0)
        n = span_sub(n, 1, n.len - 1);
    wr_u8(wr, DER_INTEGER);
    wr_u8(wr, (uint8_t)(n.len + (n.ptr[0] >> 7)));
    if (n.ptr[0] >= 0x80)
        wr_u8(wr, 0);
    wr_span(wr, n);
}

static enum assay_status
verify(const struct key *key, struct span digest, struct span r, struct span s,
       struct assay_error *err)
{
    uint8_t numbers[RAW_DER_MAX], der[RAW_DER_MAX];
    struct writer wr = writer_over(numbers, sizeof(numbers));
    struct writer outer = writer_over(der, sizeof(der));

    write_number(&wr, r);
    write_number(&wr, s);
    wr_u8(&outer, DER_SEQUENCE);
    wr_u8(&outer, (uint8_t)wr.len);
    wr_span(&outer, wr_written(&wr));
    return key_verify_digest(key, digest, wr_written(&outer), err);
}

/* Right-aligns what a DER INTEGER holds. */
static bool
read_number(struct reader *rd, uint8_t *number, size_t size)
{
    struct span n = rd_der(rd, DER_INTEGER);

    while (n.len > size && n.ptr[0] == 0)
        n = span_sub(n, 1, n.len - 1);
    if (rd->failed || n.len == 0 || n.len > size)
        return false;
    memset(number, 0, size);
    memcpy(number + size - n.len, n.ptr, n.len);
    return true;
}

static enum assay_status
sign(const struct key *key, struct span digest, uint8_t *r, uint8_t *s,
     size_t size, struct assay_error *err)
{
    struct buffer der;
    struct reader outer, rd;
    enum assay_status st;

    buffer_init(&der, RAW_DER_MAX, NULL);
    st = key_sign_digest(key, digest, &der, err);
    if (st == ASSAY_OK) {
        outer = reader_over(buffer_span(&der));
        rd = reader_over(rd_der(&outer, DER_SEQUENCE));
        if (!read_number(&rd, r, size) || !read_number(&rd, s, size))
            st = assay_fail(err, ASSAY_ERR_MALFORMED, "%s: signature",
                            key_type_name(key->type));
    }
    buffer_free(&der);
    return st;
}

enum assay_status
key_verify_p384_raw(const struct key *key, const uint8_t digest[SHA384_SIZE],
                    const uint8_t r[48], const uint8_t s[48],
                    struct assay_error *err)
{
    enum assay_status st =
        key_check_type(key, key->type == KEY_P384, "ECDSA P-384", err);

    if (st != ASSAY_OK)
        return st;
    return verify(key, span_of(digest, SHA384_SIZE), span_of(r, P384_SIZE),
                  span_of(s, P384_SIZE), err);
}

enum assay_status
key_sign_p384_raw(const struct key *key, const uint8_t digest[SHA384_SIZE],
                  uint8_t r[48], uint8_t s[48], struct assay_error *err)
{
    enum assay_status st =
        key_check_type(key, key->type == KEY_P384, "ECDSA P-384", err);

    if (st != ASSAY_OK)
        return st;
    return sign(key, span_of(digest, SHA384_SIZE), r, s, P384_SIZE, err);
}

enum assay_status
key_verify_p256_raw(const struct key *key, struct span message,
                    const uint8_t rs[64], struct assay_error *err)
{
    uint8_t digest[SHA256_SIZE];
    enum assay_status st =
        key_check_type(key, key->type == KEY_P256, "ECDSA P-256", err);

    if (st == ASSAY_OK)
        st = digest_sha256(message, digest, err);
    if (st != ASSAY_OK)
        return st;
    return verify(key, span_of(digest, SHA256_SIZE), span_of(rs, P256_SIZE),
                  span_of(rs + P256_SIZE, P256_SIZE), err);
}

enum assay_status
key_sign_p256_raw(const struct key *key, struct span message, uint8_t rs[64],
                  struct assay_error *err)
{
    uint8_t digest[SHA256_SIZE];
    enum assay_status st =
        key_check_type(key, key->type == KEY_P256, "ECDSA P-256", err);

    if (st == ASSAY_OK)
        st = digest_sha256(message, digest, err);
    if (st != ASSAY_OK)
        return st;
    return sign(key, span_of(digest, SHA256_SIZE), rs, rs + P256_SIZE,
                P256_SIZE, err);
}
