/* Seeds, keys and shares: bytes that leave no trace.
 *
 * A secret lives in pages of its own, which are kept out of core dumps and of
 * children, and is overwritten before they go back to the kernel. The struct
 * itself holds no secret and may be moved by assignment, if the old copy is
 * then forgotten. */
#ifndef ASSAY_CRYPTO_SECRET_H
#define ASSAY_CRYPTO_SECRET_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/random.h"

struct secret {
    uint8_t *ptr; /* NULL when empty */
    size_t len;   /* bytes */
    size_t mapped;
};

/* Zero bytes, len of them (at least 1). *s must be empty ({ 0 }); it is
 * written only when ASSAY_OK is returned. End it with secret_wipe. */
ASSAY_MUST_CHECK
enum assay_status secret_alloc(struct secret *s, size_t len,
                               struct assay_error *err);

/* The same, copied from bytes or filled from source. */
ASSAY_MUST_CHECK
enum assay_status secret_copy(struct secret *s, struct span bytes,
                              struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status secret_random(struct secret *s, size_t len,
                                const struct random_source *source,
                                struct assay_error *err);

struct span secret_span(const struct secret *s); /* borrowed until the wipe */

/* Overwrites, releases and empties. Fine on an empty secret. */
void secret_wipe(struct secret *s);

/* Overwrites memory that is not a struct secret, where no compiler removes
 * it: stack copies, decoded messages. ptr may be NULL when len is 0. */
void secret_cleanse(void *ptr, size_t len);

/* buffer_free for a buffer that held a secret. Growing moves a buffer and
 * leaves the old bytes behind: reserve by appending once. */
void secret_buffer_free(struct buffer *b);

/* Constant time in len. */
bool secret_equal(const void *a, const void *b, size_t len);

#endif
