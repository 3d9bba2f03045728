#include "crypto/der.h"

#include <string.h>

#include <openssl/asn1.h>
#include <openssl/objects.h>

#include "crypto/ossl.h"

enum {
    TAG_NUMBER = 0x1f, /* also marks tags of several bytes: none are in use */
    TAG_CONSTRUCTED = 0x20,
    TAG_CLASS = 0xc0,
    DER_DEPTH_MAX = 24, /* a certificate nests about 8 deep */
};

/* Leaves nothing to read, so that a loop over elements ends. */
static struct span
fail(struct reader *rd)
{
    rd->failed = true;
    rd->rest = span_of(NULL, 0);
    return rd->rest;
}

/* X.690 10.1: definite, and in the fewest bytes. Four bytes of length are
 * more than any limit of ours. */
static size_t
read_length(struct reader *rd)
{
    uint8_t first = rd_u8(rd);
    size_t len = 0;

    if (first < 0x80)
        return first;
    if (first == 0x80 || first > 0x84) {
        (void)fail(rd);
        return 0;
    }
    for (uint8_t i = first; i > 0x80; i--) {
        len = len << 8 | rd_u8(rd);
        if (len == 0) /* a leading zero */
            (void)fail(rd);
    }
    if (len < 0x80)
        (void)fail(rd);
    return rd->failed ? 0 : len;
}

struct span
rd_der_any(struct reader *rd, uint8_t *tag, struct span *whole)
{
    struct span start = rd->rest;
    size_t at = rd->offset;
    struct span content;

    *tag = rd_u8(rd);
    if ((*tag & TAG_NUMBER) == TAG_NUMBER)
        return fail(rd);
    content = rd_span(rd, read_length(rd));
    if (whole)
        *whole =
            rd->failed ? span_of(NULL, 0) : span_sub(start, 0, rd->offset - at);
    return rd->failed ? fail(rd) : content;
}

struct span
rd_der(struct reader *rd, uint8_t tag)
{
    uint8_t got;
    struct span content = rd_der_any(rd, &got, NULL);

    return got == tag ? content : fail(rd);
}

uint8_t
rd_der_peek(const struct reader *rd)
{
    return rd->rest.len > 0 ? rd->rest.ptr[0] : 0;
}

static bool
integer_is_minimal(struct span v)
{
    if (v.len < 2)
        return v.len == 1;
    return !(v.ptr[0] == 0x00 && v.ptr[1] < 0x80) &&
           !(v.ptr[0] == 0xff && v.ptr[1] >= 0x80);
}

uint64_t
rd_der_uint(struct reader *rd)
{
    struct span v = rd_der(rd, DER_INTEGER);
    uint64_t value = 0;

    if (rd->failed || !integer_is_minimal(v) || v.ptr[0] >= 0x80 || v.len > 9 ||
        (v.len == 9 && v.ptr[0] != 0)) {
        (void)fail(rd);
        return 0;
    }
    for (size_t i = 0; i < v.len; i++)
        value = value << 8 | v.ptr[i];
    return value;
}

bool
rd_der_bool(struct reader *rd)
{
    struct span v = rd_der(rd, DER_BOOLEAN);

    if (v.len != 1 || (v.ptr[0] != 0x00 && v.ptr[0] != 0xff)) {
        (void)fail(rd);
        return false;
    }
    return v.ptr[0] == 0xff;
}

static bool
bit_string_is_strict(struct span v)
{
    if (v.len == 0 || v.ptr[0] > 7 || (v.len == 1 && v.ptr[0] != 0))
        return false;
    return v.len == 1 || (v.ptr[v.len - 1] & ((1u << v.ptr[0]) - 1)) == 0;
}

static bool
oid_is_strict(struct span v)
{
    bool first = true; /* of an arc, which must not begin with a zero digit */

    for (size_t i = 0; i < v.len; i++) {
        if (first && v.ptr[i] == 0x80)
            return false;
        first = v.ptr[i] < 0x80;
    }
    return v.len > 0 && first;
}

static bool
primitive_is_strict(uint8_t tag, struct span v)
{
    switch (tag) {
    case DER_BOOLEAN:
        return v.len == 1 && (v.ptr[0] == 0x00 || v.ptr[0] == 0xff);
    case DER_INTEGER:
        return integer_is_minimal(v);
    case DER_BIT_STRING:
        return bit_string_is_strict(v);
    case DER_NULL:
        return v.len == 0;
    case DER_OID:
        return oid_is_strict(v);
    default:
        /* SEQUENCE and SET are never primitive. */
        return tag != (DER_SEQUENCE ^ TAG_CONSTRUCTED) &&
               tag != (DER_SET ^ TAG_CONSTRUCTED);
    }
}

/* Strings in pieces are BER; of the universal types only these two hold
 * others. */
static bool
may_be_constructed(uint8_t tag)
{
    return (tag & TAG_CLASS) != 0 || tag == DER_SEQUENCE || tag == DER_SET;
}

static bool
elements_are_strict(struct reader rd, int depth)
{
    while (rd.rest.len > 0) {
        uint8_t tag;
        struct span content = rd_der_any(&rd, &tag, NULL);

        if (rd.failed)
            return false;
        if ((tag & TAG_CONSTRUCTED) == 0) {
            if (!primitive_is_strict(tag, content))
                return false;
        } else if (depth == 0 || !may_be_constructed(tag) ||
                   !elements_are_strict(reader_over(content), depth - 1)) {
            return false;
        }
    }
    return true;
}

bool
der_is_strict(struct span bytes)
{
    struct reader rd = reader_over(bytes);
    uint8_t tag;

    (void)rd_der_any(&rd, &tag, NULL);
    return rd_done(&rd) &&
           elements_are_strict(reader_over(bytes), DER_DEPTH_MAX);
}

enum { HEADER_MAX = 2 + sizeof(size_t) };

static size_t
encode_header(uint8_t tag, size_t len, uint8_t head[HEADER_MAX])
{
    size_t n = 0, bytes = sizeof(size_t);

    head[n++] = tag;
    if (len < 0x80) {
        head[n++] = (uint8_t)len;
        return n;
    }
    while (len >> (8 * (bytes - 1)) == 0)
        bytes--;
    head[n++] = (uint8_t)(0x80 | bytes);
    while (bytes-- > 0)
        head[n++] = (uint8_t)(len >> (8 * bytes));
    return n;
}

void
der_add(struct buffer *b, uint8_t tag, struct span content)
{
    uint8_t head[HEADER_MAX];

    buffer_add(b, span_of(head, encode_header(tag, content.len, head)));
    buffer_add(b, content);
}

size_t
der_begin(const struct buffer *b)
{
    return b->len;
}

void
der_end(struct buffer *b, uint8_t tag, size_t mark)
{
    uint8_t head[HEADER_MAX];
    size_t content = b->len - mark;
    size_t n = encode_header(tag, content, head);

    buffer_add(b, span_of(head, n)); /* makes room; now move it in front */
    if (b->failed)
        return;
    memmove(b->ptr + mark + n, b->ptr + mark, content);
    memcpy(b->ptr + mark, head, n);
}

void
der_add_str(struct buffer *b, uint8_t tag, const char *text)
{
    der_add(b, tag, span_str(text));
}

void
der_add_number(struct buffer *b, struct span big_endian)
{
    static const uint8_t zero = 0;
    size_t mark = der_begin(b);

    while (big_endian.len > 0 && big_endian.ptr[0] == 0)
        big_endian = span_sub(big_endian, 1, big_endian.len);
    if (big_endian.len == 0 || big_endian.ptr[0] >= 0x80)
        buffer_add(b, span_of(&zero, 1)); /* zero itself, or the sign */
    buffer_add(b, big_endian);
    der_end(b, DER_INTEGER, mark);
}

void
der_add_uint(struct buffer *b, uint64_t value)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
    der_add_number(b, span_of(bytes, sizeof(bytes)));
}

void
der_add_bool(struct buffer *b, bool value)
{
    const uint8_t byte = value ? 0xff : 0x00;

    der_add(b, DER_BOOLEAN, span_of(&byte, 1));
}

void
der_add_oid(struct buffer *b, const char *dotted)
{
    ASN1_OBJECT *oid = OBJ_txt2obj(dotted, 1);

    if (oid)
        der_add(b, DER_OID, span_of(OBJ_get0_data(oid), OBJ_length(oid)));
    else
        b->failed = true;
    ASN1_OBJECT_free(oid);
    (void)ossl_done(ASSAY_OK);
}
