/* Rego numbers: exact decimals as written, integers of any size, and the
 * floating point that the language's reference computes with.
 *
 * A number is a decimal text; 1, 1.0 and 1e0 are equal, but each prints as it
 * was written. Integers that fit 64 bits and are written plainly are
 * VALUE_INT; everything else is a struct value_number that keeps its text and
 * its canonical form, sign x 0.DIGITS x 10^exponent, so that comparing 1e99999
 * with 1 expands nothing.
 *
 * Integer + - * are exact. All else goes through binary floating point with a
 * mantissa of 64 bits, nearest even, as the specification (6.2) describes. */
#ifndef ASSAY_REGO_NUMBER_H
#define ASSAY_REGO_NUMBER_H

#include "rego/value.h"

struct value_number {
    struct value_head head;
    bool negative;
    bool integer;       /* its value has no fraction */
    bool plain;         /* written as digits only */
    bool fits;          /* an integer that fits int64_t: */
    int64_t small;      /* ... which is this */
    int64_t exponent;   /* of 10, over 0.DIGITS; 0 for zero */
    struct span digits; /* no zeros at either end; empty for zero */
    struct span text;   /* as written; a NUL behind it */
};

/* From text by JSON's grammar (-? int frac? exp?). False in *ok when it is
 * not; returns false only when memory runs out. */
ASSAY_MUST_CHECK
bool number_parse(struct arena *a, struct span text, bool *ok,
                  struct value *out);

int number_compare(struct value a, struct value b);
uint32_t number_hash(struct value v);

/* The text of a number; scratch has room for the digits of an int64_t. */
struct span number_text(struct value v, char scratch[24]);

bool number_is_integer(struct value v);   /* by value: 1.0 is */
bool number_is_plain_i64(struct value v); /* as written: 1.0 is not */
double number_to_double(struct value v);  /* nearest; may be infinite */
ASSAY_MUST_CHECK
bool number_from_double(struct arena *a, double d, struct value *out);

enum number_op { NUMBER_ADD, NUMBER_SUB, NUMBER_MUL, NUMBER_DIV, NUMBER_REM };

enum number_result {
    NUMBER_OK,
    NUMBER_NOMEM,
    NUMBER_TOO_BIG, /* over LIMIT_REGO_NUMBER_DIGITS */
    NUMBER_DIV_ZERO,
    NUMBER_REM_ZERO,
    NUMBER_REM_FRACTION /* % of something with a fraction */
};

ASSAY_MUST_CHECK
enum number_result number_arith(struct arena *a, enum number_op op,
                                struct value x, struct value y,
                                struct value *out);

/* The same in floating point even for integers. */
ASSAY_MUST_CHECK
enum number_result number_arith_float(struct arena *a, enum number_op op,
                                      struct value x, struct value y,
                                      struct value *out);

enum number_round { NUMBER_ABS, NUMBER_ROUND, NUMBER_CEIL, NUMBER_FLOOR };

ASSAY_MUST_CHECK
enum number_result number_rounded(struct arena *a, enum number_round how,
                                  struct value x, struct value *out);

enum number_bits { NUMBER_AND, NUMBER_OR, NUMBER_XOR, NUMBER_LSH, NUMBER_RSH };

/* Two's complement of any width. Both must be integers by value; the count of
 * a shift must be 0 or more and fit. */
ASSAY_MUST_CHECK
enum number_result number_bitwise(struct arena *a, enum number_bits op,
                                  struct value x, struct value y,
                                  struct value *out);

/* Text of the integer part, truncated towards zero, in base 2, 8, 10 or 16. */
ASSAY_MUST_CHECK
enum number_result number_format(struct arena *a, struct value x, unsigned base,
                                 struct span *text);

#endif
