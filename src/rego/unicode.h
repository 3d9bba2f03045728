/* Unicode character data, as far as Rego needs it: case mapping, white space,
 * printability, and the classes of regular expressions. The tables are made
 * by scripts/unicode-tables.go. */
#ifndef ASSAY_REGO_UNICODE_H
#define ASSAY_REGO_UNICODE_H

#include "base/span.h"

struct unicode_range {
    uint32_t first, last;
};

struct unicode_class {
    const char *name; /* general category or script: "Lu", "L", "Greek" */
    const struct unicode_range *ranges;
    size_t count;
};

/* The next class with this name: one for "Lu" or "Greek", several for "L",
 * which is all of Lu, Ll, ...; NULL behind the last. *at starts at 0. */
const struct unicode_class *unicode_class_next(struct span name, size_t *at);

uint32_t unicode_lower(uint32_t rune); /* simple mappings */
uint32_t unicode_upper(uint32_t rune);

/* The next of the runes that are equal to this one without regard to case, in
 * a circle: k, K, U+212A, k. Itself when there is no other. */
uint32_t unicode_fold_next(uint32_t rune);

/* The first rune from this one on that has another in its circle; above
 * U+10FFFF when there is none. */
uint32_t unicode_fold_from(uint32_t rune);

bool unicode_is_space(uint32_t rune);
bool unicode_is_print(uint32_t rune); /* letters, marks, numbers, punctuation,
                                         symbols, and the ASCII space */

#endif
