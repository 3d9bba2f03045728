/* Borrowed bytes: a pointer and a length that travel together. */
#ifndef ASSAY_BASE_SPAN_H
#define ASSAY_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const uint8_t *ptr; /* may be NULL when len is 0 */
    size_t len;         /* bytes */
};

/* A span over memory the caller keeps. */
struct span span_of(const void *ptr, size_t len);

/* A span over a NUL-terminated string, without its NUL. NULL gives empty. */
struct span span_str(const char *text);

/* Same length and same bytes. Not constant-time: public data only; secrets
 * are compared with secret_equal (crypto/secret.h). */
bool span_equal(struct span a, struct span b);
bool span_equal_str(struct span a, const char *text);

/* True when every byte is zero; true for an empty span. */
bool span_is_zero(struct span s);

/* The part of s from at (clamped to the end), at most len bytes. */
struct span span_sub(struct span s, size_t at, size_t len);

#endif
