/* DER (X.690), as far as certificates and their extensions need it.
 *
 * Reading builds on struct reader and fails as it does, stickily. Lengths
 * must be definite and minimal, tags below 31. Writing appends to a buffer,
 * whose failure is sticky too. */
#ifndef ASSAY_CRYPTO_DER_H
#define ASSAY_CRYPTO_DER_H

#include "base/buffer.h"
#include "base/reader.h"

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_UTF8_STRING = 0x0c,
    DER_PRINTABLE_STRING = 0x13,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT = 0x80,             /* | number: primitive */
    DER_CONTEXT_CONSTRUCTED = 0xa0, /* | number */
};

/* The content of the next element, whose tag byte must be tag. Borrowed. */
struct span rd_der(struct reader *rd, uint8_t tag);

/* The next element of any tag; *whole (may be NULL) spans its header too. */
struct span rd_der_any(struct reader *rd, uint8_t *tag, struct span *whole);

/* The tag of the next element; 0 at the end of the input. */
uint8_t rd_der_peek(const struct reader *rd);

/* A minimal, non-negative INTEGER below 2^64. */
uint64_t rd_der_uint(struct reader *rd);
bool rd_der_bool(struct reader *rd);

/* True when bytes are one DER element and nothing else, and the same holds
 * all the way down, to a bounded depth. */
bool der_is_strict(struct span bytes);

/* One element of a tag around content. */
void der_add(struct buffer *b, uint8_t tag, struct span content);
void der_add_str(struct buffer *b, uint8_t tag, const char *text);
void der_add_uint(struct buffer *b, uint64_t value);
/* A non-negative INTEGER from big-endian bytes, leading zeros allowed. */
void der_add_number(struct buffer *b, struct span big_endian);
void der_add_bool(struct buffer *b, bool value);

/* An element around everything that is added between the two calls. _begin
 * returns the mark that _end takes. */
size_t der_begin(const struct buffer *b);
void der_end(struct buffer *b, uint8_t tag, size_t mark);

/* From dotted decimal text; fails the buffer when it is not an OID. */
void der_add_oid(struct buffer *b, const char *dotted);

#endif
