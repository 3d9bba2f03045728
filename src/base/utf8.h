/* UTF-8 (RFC 3629): one scalar value at a time, strictly. */
#ifndef ASSAY_BASE_UTF8_H
#define ASSAY_BASE_UTF8_H

#include "base/span.h"

/* Bytes of the scalar value at the front of s, 1 to 4, with *rune written;
 * 0 when s is empty or starts with anything else: a stray or missing
 * continuation, an overlong form, a surrogate, beyond U+10FFFF. */
size_t utf8_decode(struct span s, uint32_t *rune);

/* Bytes written, 1 to 4. rune must be a scalar value. */
size_t utf8_encode(uint32_t rune, uint8_t out[4]);

bool utf8_valid(struct span s);

#endif
