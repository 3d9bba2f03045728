/* Reads a span front to back and never past its end.
 *
 * The first short read fails the reader for good: it and every later read
 * yield zero or an empty span. A fixed layout is therefore read straight
 * through and checked once. Check *before* a value that was read decides
 * anything: a branch, a loop bound, an allocation. */
#ifndef ASSAY_BASE_READER_H
#define ASSAY_BASE_READER_H

#include "base/span.h"

struct reader {
    struct span rest; /* not yet read */
    size_t offset;    /* of rest in the input; of the fault, once failed */
    bool failed;
};

struct reader reader_over(struct span input);

uint8_t rd_u8(struct reader *rd);
uint16_t rd_u16le(struct reader *rd);
uint32_t rd_u32le(struct reader *rd);
uint64_t rd_u64le(struct reader *rd);
uint16_t rd_u16be(struct reader *rd);
uint32_t rd_u32be(struct reader *rd);
uint64_t rd_u64be(struct reader *rd);

struct span rd_span(struct reader *rd, size_t n);     /* borrows, no copy */
void rd_copy(struct reader *rd, void *out, size_t n); /* zeros when short */

/* Moves to an absolute offset of the input; fails when it lies behind us or
 * beyond the end. */
void rd_skip_to(struct reader *rd, size_t offset);

/* The same, and every byte passed over must be zero: fails at the first that
 * is not, with offset naming it. */
void rd_zeros_to(struct reader *rd, size_t offset);

bool rd_ok(const struct reader *rd);   /* nothing failed so far */
bool rd_done(const struct reader *rd); /* nothing failed, nothing left over */

#endif
