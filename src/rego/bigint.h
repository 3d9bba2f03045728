/* Integers of any size, for arithmetic that int64_t cannot hold.
 *
 * Schoolbook algorithms: operands have at most LIMIT_REGO_NUMBER_DIGITS
 * digits. Everything is allocated in one arena and freed with it. Failure is
 * sticky in struct big_ctx; results are then zero and mean nothing. */
#ifndef ASSAY_REGO_BIGINT_H
#define ASSAY_REGO_BIGINT_H

#include "base/arena.h"

struct big {
    bool negative;         /* never for zero */
    size_t count;          /* of limbs; the last is not 0 */
    const uint32_t *limbs; /* least significant first */
};

struct big_ctx {
    struct arena *arena;
    bool failed;
};

struct big big_from_u64(struct big_ctx *ctx, uint64_t u);
struct big big_from_i64(struct big_ctx *ctx, int64_t i);
struct big big_from_digits(struct big_ctx *ctx, struct span digits);
struct big big_pow(struct big_ctx *ctx, uint32_t base, size_t exponent);

struct big big_negate(struct big x);
struct big big_add(struct big_ctx *ctx, struct big x, struct big y);
struct big big_sub(struct big_ctx *ctx, struct big x, struct big y);
struct big big_mul(struct big_ctx *ctx, struct big x, struct big y);
/* Truncated: the remainder has the sign of x. y is not zero. */
struct big big_div(struct big_ctx *ctx, struct big x, struct big y,
                   struct big *rest);
struct big big_shl(struct big_ctx *ctx, struct big x, size_t bits);
struct big big_shr(struct big_ctx *ctx, struct big x, size_t bits); /* of |x| */

enum big_bits { BIG_AND, BIG_OR, BIG_XOR };
struct big big_bitwise(struct big_ctx *ctx, enum big_bits op, struct big x,
                       struct big y); /* in two's complement */

int big_compare_magnitude(struct big x, struct big y);
size_t big_bit_length(struct big x);
bool big_bit(struct big x, size_t i);
bool big_any_bit_below(struct big x, size_t i); /* of |x| */
uint64_t big_low_u64(struct big x);

/* Sign and digits; an empty span when ctx has failed. */
struct span big_text(struct big_ctx *ctx, struct big x, unsigned base);

#endif
