/* Binary floating point with a mantissa of 64 bits, rounded to nearest even:
 * the arithmetic of the language for everything that is not an exact integer
 * (specification 6.2). No infinities, no NaN; exponents beyond
 * EXTENDED_EXPONENT_MAX are refused by the caller. */
#ifndef ASSAY_REGO_EXTENDED_H
#define ASSAY_REGO_EXTENDED_H

#include "rego/bigint.h"

struct extended {
    bool negative;
    uint64_t mantissa; /* its highest bit is set; 0 is zero */
    int64_t exponent;  /* value = mantissa x 2^exponent */
};

enum { EXTENDED_EXPONENT_MAX = 200000 };

/* digits x 10^exponent */
struct extended extended_from_decimal(struct big_ctx *ctx, bool negative,
                                      struct span digits, int64_t exponent);
struct extended extended_from_big(struct big x);

struct extended extended_add(struct extended x, struct extended y);
struct extended extended_mul(struct extended x, struct extended y);
struct extended extended_div(struct extended x, struct extended y); /* y != 0 */

bool extended_is_integer(struct extended x);
/* The integer part, truncated; *rest is what was cut off, compared with one
 * half: -1 below (and not zero), 0 equal, 1 above; 2 when nothing was. */
struct big extended_truncate(struct big_ctx *ctx, struct extended x, int *rest);

/* The shortest decimal that reads back equal: integers with zeros behind it,
 * others with an exponent when it is below -4 or above 5. */
struct span extended_text(struct big_ctx *ctx, struct extended x);

#endif
