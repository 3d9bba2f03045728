/* Hex and base64 (RFC 4648), strict both ways. */
#ifndef ASSAY_BASE_HEX_H
#define ASSAY_BASE_HEX_H

#include "base/span.h"

/* Writes 2 * in.len lower-case digits and a NUL. */
void hex_encode(struct span in, char *text);

/* Exactly 2 * out_len digits of either case; out is written only on true. */
bool hex_decode(struct span text, uint8_t *out, size_t out_len);

/* Base64, standard alphabet, padded. */
size_t base64_encoded_len(size_t n);            /* without the NUL */
void base64_encode(struct span in, char *text); /* and a NUL */

/* Most bytes a text of n characters can decode to. */
size_t base64_decoded_max(size_t n);

/* Strict: padding required, no white space, unused bits zero. *out_len holds
 * the capacity of out on entry, the bytes written on true. */
bool base64_decode(struct span text, uint8_t *out, size_t *out_len);

#endif
