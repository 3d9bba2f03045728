/* Arithmetic on numbers a peer chose: overflow is an answer, not an event. */
#ifndef ASSAY_BASE_NUM_H
#define ASSAY_BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool
size_add(size_t a, size_t b, size_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

static inline bool
size_mul(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

static inline bool
u64_to_size(uint64_t value, size_t *out)
{
    *out = (size_t)value;
    return *out == value;
}

static inline bool
size_to_int(size_t value, int *out)
{
    if (value > (size_t)0x7fffffff)
        return false;
    *out = (int)value;
    return true;
}

#endif
