/* Writes into a buffer of fixed capacity, front to back.
 *
 * Mirrors struct reader: a write that does not fit fails the writer for good
 * and nothing after it is written. Check once, with wr_done. */
#ifndef ASSAY_BASE_WRITER_H
#define ASSAY_BASE_WRITER_H

#include "base/span.h"

struct writer {
    uint8_t *ptr; /* the caller's memory */
    size_t cap;   /* bytes */
    size_t len;   /* written so far */
    bool failed;
};

struct writer writer_over(void *ptr, size_t cap);

void wr_u8(struct writer *wr, uint8_t value);
void wr_u16le(struct writer *wr, uint16_t value);
void wr_u32le(struct writer *wr, uint32_t value);
void wr_u64le(struct writer *wr, uint64_t value);
void wr_u16be(struct writer *wr, uint16_t value);
void wr_u32be(struct writer *wr, uint32_t value);
void wr_u64be(struct writer *wr, uint64_t value);
void wr_span(struct writer *wr, struct span bytes);
void wr_zeros_to(struct writer *wr, size_t offset);

/* A 16-bit big-endian length in front of what is written between the two
 * calls. _begin returns the mark that _end takes. */
size_t wr_len16_begin(struct writer *wr);
void wr_len16_end(struct writer *wr, size_t mark);

bool wr_ok(const struct writer *wr);
struct span wr_written(const struct writer *wr); /* empty once failed */

#endif
