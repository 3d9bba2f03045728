#include "rego/unicode.h"

#include <string.h>

/* Runes first, first + step, ... last become the rune by away. */
struct unicode_shift {
    uint32_t first, last;
    uint32_t step;
    int32_t by;
};

#include "rego/unicode_tables.inc"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static bool
names(const struct unicode_class *c, struct span name)
{
    if (name.len == 1) /* a letter: its two-letter categories */
        return c->name[0] == (char)name.ptr[0] && strlen(c->name) == 2;
    return span_equal_str(name, c->name);
}

const struct unicode_class *
unicode_class_next(struct span name, size_t *at)
{
    while (*at < COUNT(classes)) {
        const struct unicode_class *c = &classes[(*at)++];

        if (names(c, name))
            return c;
    }
    return NULL;
}

static uint32_t
shift(const struct unicode_shift *table, size_t count, uint32_t rune)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct unicode_shift *s = &table[mid];

        if (rune > s->last)
            low = mid + 1;
        else if (rune < s->first)
            high = mid;
        else if ((rune - s->first) % s->step == 0)
            return (uint32_t)((int32_t)rune + s->by);
        else /* runs of step 2 may interleave with one neighbour */
            return rune;
    }
    return rune;
}

uint32_t
unicode_lower(uint32_t rune)
{
    if (rune < 0x80)
        return rune >= 'A' && rune <= 'Z' ? rune + 32 : rune;
    return shift(to_lower, COUNT(to_lower), rune);
}

uint32_t
unicode_upper(uint32_t rune)
{
    if (rune < 0x80)
        return rune >= 'a' && rune <= 'z' ? rune - 32 : rune;
    return shift(to_upper, COUNT(to_upper), rune);
}

static const struct unicode_range *
find_range(const struct unicode_range *table, size_t count, uint32_t rune,
           bool keys_only)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        uint32_t last = keys_only ? table[mid].first : table[mid].last;

        if (rune > last)
            low = mid + 1;
        else if (rune < table[mid].first)
            high = mid;
        else
            return &table[mid];
    }
    return NULL;
}

uint32_t
unicode_fold_next(uint32_t rune)
{
    const struct unicode_range *r =
        find_range(fold_exceptions, COUNT(fold_exceptions), rune, true);
    uint32_t lower;

    if (r)
        return r->last;
    lower = unicode_lower(rune);
    return lower != rune ? lower : unicode_upper(rune);
}

/* The first rune from this one on that a table moves. */
static uint32_t
shifted_from(const struct unicode_shift *table, size_t count, uint32_t rune)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (rune > table[mid].last)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == count)
        return 0x110000;
    if (rune <= table[low].first)
        return table[low].first;
    return rune + (rune - table[low].first) % table[low].step;
}

uint32_t
unicode_fold_from(uint32_t rune)
{
    uint32_t lower = shifted_from(to_lower, COUNT(to_lower), rune);
    uint32_t upper = shifted_from(to_upper, COUNT(to_upper), rune);
    uint32_t first = lower < upper ? lower : upper;

    /* Those that fold, yet have no other case. */
    for (size_t i = 0; i < COUNT(fold_exceptions); i++)
        if (fold_exceptions[i].first >= rune)
            return fold_exceptions[i].first < first ? fold_exceptions[i].first
                                                    : first;
    return first;
}

bool
unicode_is_space(uint32_t rune)
{
    return (rune >= '\t' && rune <= '\r') || rune == ' ' || rune == 0x85 ||
           rune == 0xa0 || rune == 0x1680 ||
           (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 ||
           rune == 0x2029 || rune == 0x202f || rune == 0x205f || rune == 0x3000;
}

bool
unicode_is_print(uint32_t rune)
{
    if (rune < 0x7f)
        return rune >= 0x20;
    return find_range(printable, COUNT(printable), rune, false) != NULL;
}
