#include "rego/value.h"

#include <string.h>

#include "rego/number.h"

static const char *const type_names[] = {
    [VALUE_UNDEFINED] = "undefined",
    [VALUE_NULL] = "null",
    [VALUE_BOOL] = "boolean",
    [VALUE_INT] = "number",
    [VALUE_NUMBER] = "number",
    [VALUE_STRING] = "string",
    [VALUE_ARRAY] = "array",
    [VALUE_OBJECT] = "object",
    [VALUE_SET] = "set",
};

const char *
value_type_name(struct value v)
{
    return type_names[v.tag];
}

/* --- Order --- */

/* Both kinds of number stand at one place in the order. */
static int
type_rank(struct value v)
{
    return v.tag == VALUE_NUMBER ? VALUE_INT : (int)v.tag;
}

static int
compare_ints(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int
compare_sizes(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int
compare_text(const struct value_string *a, const struct value_string *b)
{
    size_t n = a->head.count < b->head.count ? a->head.count : b->head.count;
    int c;

    if (a == b)
        return 0;
    c = memcmp(a->text, b->text, n);
    return c != 0 ? c : compare_sizes(a->head.count, b->head.count);
}

static int
compare_items(const struct value *a, size_t na, const struct value *b,
              size_t nb)
{
    size_t n = na < nb ? na : nb;

    for (size_t i = 0; i < n; i++) {
        int c = value_compare(a[i], b[i]);

        if (c != 0)
            return c;
    }
    return compare_sizes(na, nb);
}

static int
compare_objects(const struct value_object *a, const struct value_object *b)
{
    size_t n = a->head.count < b->head.count ? a->head.count : b->head.count;

    for (size_t i = 0; i < n; i++) {
        int c = value_compare(a->pairs[i].key, b->pairs[i].key);

        if (c == 0)
            c = value_compare(a->pairs[i].value, b->pairs[i].value);
        if (c != 0)
            return c;
    }
    return compare_sizes(a->head.count, b->head.count);
}

int
value_compare(struct value a, struct value b)
{
    if (type_rank(a) != type_rank(b))
        return type_rank(a) - type_rank(b);
    switch ((enum value_tag)a.tag) {
    case VALUE_BOOL:
        return compare_ints(a.integer, b.integer);
    case VALUE_INT:
    case VALUE_NUMBER:
        return number_compare(a, b);
    case VALUE_STRING:
        return compare_text(a.string, b.string);
    case VALUE_ARRAY:
        if (a.array == b.array)
            return 0;
        return compare_items(a.array->items, a.array->head.count,
                             b.array->items, b.array->head.count);
    case VALUE_OBJECT:
        return a.object == b.object ? 0 : compare_objects(a.object, b.object);
    case VALUE_SET:
        if (a.set == b.set)
            return 0;
        return compare_items(a.set->items, a.set->head.count, b.set->items,
                             b.set->head.count);
    default:
        return 0;
    }
}

/* --- Hash --- */

#define FNV_BASIS UINT32_C(2166136261)
#define FNV_PRIME UINT32_C(16777619)

static uint32_t
mix(uint32_t h, uint32_t word)
{
    h = (h ^ word) * 0x9e3779b1u;
    return h ^ (h >> 15);
}

static uint32_t
never_zero(uint32_t h)
{
    return h == 0 ? 1 : h;
}

uint32_t
value_hash_text(struct span text)
{
    uint32_t h = FNV_BASIS;
    size_t i = 0;

    for (; i + 4 <= text.len; i += 4) {
        uint32_t word;

        memcpy(&word, text.ptr + i, 4);
        h = mix(h, word);
    }
    for (; i < text.len; i++)
        h = (h ^ text.ptr[i]) * FNV_PRIME;
    return never_zero(mix(h, (uint32_t)text.len));
}

static uint32_t
hash_items(uint32_t h, const struct value *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        h = mix(h, value_hash(items[i]));
    return h;
}

static uint32_t
hash_object(const struct value_object *o)
{
    uint32_t h = mix(FNV_BASIS, VALUE_OBJECT);

    for (size_t i = 0; i < o->head.count; i++) {
        h = mix(h, value_hash(o->pairs[i].key));
        h = mix(h, value_hash(o->pairs[i].value));
    }
    return h;
}

static uint32_t
work_out_hash(struct value v)
{
    switch ((enum value_tag)v.tag) {
    case VALUE_STRING:
        return value_hash_text(value_text(v));
    case VALUE_ARRAY:
        return hash_items(mix(FNV_BASIS, VALUE_ARRAY), v.array->items,
                          v.array->head.count);
    case VALUE_SET:
        return hash_items(mix(FNV_BASIS, VALUE_SET), v.set->items,
                          v.set->head.count);
    case VALUE_OBJECT:
        return hash_object(v.object);
    default:
        return number_hash(v);
    }
}

uint32_t
value_hash(struct value v)
{
    struct value_head *head;
    uint32_t h;

    if (v.tag == VALUE_INT)
        return number_hash(v);
    if (v.tag < VALUE_INT)
        return mix(FNV_BASIS, (uint32_t)v.integer + 16 * v.tag) | 1;
    head = &v.string->head; /* the front of every object */
    h = atomic_load_explicit(&head->hash, memory_order_relaxed);
    if (h == 0) {
        h = never_zero(work_out_hash(v));
        atomic_store_explicit(&head->hash, h, memory_order_relaxed);
    }
    return h;
}

static bool
hashes_differ(const struct value_head *a, const struct value_head *b)
{
    uint32_t x = atomic_load_explicit(&a->hash, memory_order_relaxed);
    uint32_t y = atomic_load_explicit(&b->hash, memory_order_relaxed);

    return x != 0 && y != 0 && x != y;
}

bool
value_equal(struct value a, struct value b)
{
    if (a.tag != b.tag)
        return value_is_number(a) && value_is_number(b) &&
               number_compare(a, b) == 0;
    if (a.tag <= VALUE_INT)
        return a.tag < VALUE_BOOL || a.integer == b.integer;
    if (a.tag == VALUE_NUMBER)
        return number_compare(a, b) == 0;
    if (a.string == b.string)
        return true;
    if (a.string->head.count != b.string->head.count ||
        hashes_differ(&a.string->head, &b.string->head))
        return false;
    if (a.tag == VALUE_STRING)
        return memcmp(a.string->text, b.string->text, a.string->head.count) ==
               0;
    return value_compare(a, b) == 0;
}

/* --- Looking inside --- */

static bool
same_string(const struct value_string *a, const struct value_string *b)
{
    return a == b || compare_text(a, b) == 0;
}

static bool
same_key(struct value a, struct value b)
{
    if (a.tag == VALUE_STRING && b.tag == VALUE_STRING)
        return same_string(a.string, b.string);
    return value_equal(a, b);
}

/* Sorted keys lie stride values apart. */
static size_t
find_sorted(const struct value *keys, size_t stride, size_t count,
            struct value key)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = value_compare(keys[mid * stride], key);

        if (c == 0)
            return mid;
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return SIZE_MAX;
}

static size_t
find_indexed(const uint32_t *index, uint32_t mask, const struct value *keys,
             size_t stride, struct value key)
{
    uint32_t at = value_hash(key) & mask;

    /* The index is at most half full: an empty slot ends every run. */
    for (; index[at] != 0; at = (at + 1) & mask) {
        size_t i = index[at] - 1;

        if (same_key(keys[i * stride], key))
            return i;
    }
    return SIZE_MAX;
}

enum { PAIR_STRIDE = sizeof(struct value_pair) / sizeof(struct value) };

size_t
value_object_find(const struct value_object *o, struct value key)
{
    if (o->head.count == 0)
        return SIZE_MAX;
    if (o->index)
        return find_indexed(o->index, o->mask, &o->pairs[0].key, PAIR_STRIDE,
                            key);
    return find_sorted(&o->pairs[0].key, PAIR_STRIDE, o->head.count, key);
}

size_t
value_set_find(const struct value_set *s, struct value item)
{
    if (s->index)
        return find_indexed(s->index, s->mask, s->items, 1, item);
    return find_sorted(s->items, 1, s->head.count, item);
}

const struct value *
value_object_get(const struct value_object *o, struct value key)
{
    size_t i = value_object_find(o, key);

    return i == SIZE_MAX ? NULL : &o->pairs[i].value;
}

const struct value *
value_object_get_str(const struct value_object *o, const char *key)
{
    struct span want = span_str(key);

    for (size_t i = 0; i < o->head.count; i++) {
        struct value k = o->pairs[i].key;

        if (k.tag == VALUE_STRING && span_equal(value_text(k), want))
            return &o->pairs[i].value;
    }
    return NULL;
}

static struct value
array_at(const struct value_array *a, struct value key)
{
    if (key.tag != VALUE_INT || key.integer < 0 ||
        (uint64_t)key.integer >= a->head.count)
        return value_undefined();
    return a->items[key.integer];
}

struct value
value_lookup(struct value collection, struct value key)
{
    const struct value *found;

    switch ((enum value_tag)collection.tag) {
    case VALUE_ARRAY:
        return array_at(collection.array, key);
    case VALUE_OBJECT:
        found = value_object_get(collection.object, key);
        return found ? *found : value_undefined();
    case VALUE_SET: {
        size_t i = value_set_find(collection.set, key);

        return i == SIZE_MAX ? value_undefined() : collection.set->items[i];
    }
    default:
        return value_undefined();
    }
}
