/* Numbers: two texts with a blank between. Addition and subtraction of
 * integers undo each other, and the order agrees with the difference's sign. */
#include "fuzz.h"

#include <string.h>

#include "rego/number.h"

static void
check(struct arena *a, struct value x, struct value y)
{
    struct value sum, back, difference;
    int order = number_compare(x, y);

    assert((order > 0) - (order < 0) ==
           (number_compare(y, x) < 0) - (number_compare(y, x) > 0));
    assert((order == 0) == value_equal(x, y));
    assert(order != 0 || value_hash(x) == value_hash(y));
    if (number_arith(a, NUMBER_SUB, x, y, &difference) != NUMBER_OK)
        return;
    if (!number_is_integer(x) || !number_is_integer(y))
        return;
    back = value_int(0);
    assert(number_compare(difference, back) == (order > 0) - (order < 0));
    assert(number_arith(a, NUMBER_ADD, difference, y, &sum) == NUMBER_OK);
    assert(value_equal(sum, x));
    fuzz_success();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *blank = size > 0 ? memchr(data, ' ', size) : NULL;
    struct span all = span_of(data, size);
    struct value x, y;
    struct arena a;
    size_t at;
    bool ok = false, ok_too = false;

    if (!blank || size > 2000)
        return 0;
    at = (size_t)(blank - data);
    arena_init(&a, 64 * 1024 * 1024, NULL);
    assert(number_parse(&a, span_sub(all, 0, at), &ok, &x));
    assert(number_parse(&a, span_sub(all, at + 1, size), &ok_too, &y));
    if (ok && ok_too)
        check(&a, x, y);
    arena_drop(&a);
    return 0;
}
