/* PEM (RFC 7468): labelled base64 blocks in text.
 *
 * Text before, between and behind blocks is skipped, as the RFC allows, unless
 * it begins with five dashes; inside a block nothing is: every line base64,
 * none empty, no headers, padding exact, labels equal. Lines may end in LF or
 * CRLF and have any length. */
#ifndef ASSAY_CODEC_PEM_H
#define ASSAY_CODEC_PEM_H

#include "base/buffer.h"
#include "base/writer.h"

struct pem_block {
    struct span label;  /* "CERTIFICATE"; borrowed from the text */
    struct span base64; /* the lines between; borrowed */
};

/* Takes the next block off *rest. *out and *rest are written on ASSAY_OK only.
 *
 * ASSAY_ERR_NOT_FOUND  no further block begins
 * ASSAY_ERR_MALFORMED  a block begins and is not as above */
ASSAY_MUST_CHECK
enum assay_status pem_next(struct span *rest, struct pem_block *out,
                           struct assay_error *err);

bool pem_is(const struct pem_block *block, const char *label);

/* Appends the block's bytes. Not for secrets. */
ASSAY_MUST_CHECK
enum assay_status pem_decode(const struct pem_block *block, struct buffer *out,
                             struct assay_error *err);

/* Appends one block with lines of 64 characters and a final newline. */
ASSAY_MUST_CHECK
enum assay_status pem_encode(const char *label, struct span bytes,
                             struct buffer *out, struct assay_error *err);

/* The same in memory the caller supplies and wipes, for secrets.
 *
 *   scratch  pem_scratch_size(block) bytes; *bytes lies in it
 *   wr       has room for pem_encoded_size(); fails otherwise */
size_t pem_scratch_size(const struct pem_block *block);
ASSAY_MUST_CHECK
enum assay_status pem_decode_into(const struct pem_block *block,
                                  uint8_t *scratch, struct span *bytes,
                                  struct assay_error *err);
size_t pem_encoded_size(const char *label, size_t n);
void pem_write(struct writer *wr, const char *label, struct span bytes);

#endif
