#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/num.h"
#include "rego/number.h"
#include "rego/value.h"

bool
value_string_blank(struct arena *a, size_t len, struct value *out)
{
    struct value_string *s;
    size_t size;

    if (len > LIMIT_REGO_COUNT || !size_add(sizeof(*s) + 1, len, &size))
        return false;
    s = arena_alloc(a, size);
    if (!s)
        return false;
    s->head.count = (uint32_t)len;
    *out = (struct value){ .tag = VALUE_STRING, .string = s };
    return true;
}

bool
value_string(struct arena *a, struct span text, struct value *out)
{
    struct value v;

    if (!value_string_blank(a, text.len, &v))
        return false;
    if (text.len > 0)
        memcpy(v.string->text, text.ptr, text.len);
    *out = v;
    return true;
}

bool
value_str(struct arena *a, const char *text, struct value *out)
{
    return value_string(a, span_str(text), out);
}

static uint16_t
depth_of(struct value v)
{
    return v.tag >= VALUE_ARRAY ? v.array->head.depth : 0;
}

/* Writes the depth of a new composite; false when it is too deep or too
 * long. */
static bool
measure(struct value_head *head, const struct value *parts, size_t count)
{
    uint16_t depth = 0;

    for (size_t i = 0; i < count; i++) {
        uint16_t d = depth_of(parts[i]);

        depth = d > depth ? d : depth;
    }
    head->depth = (uint16_t)(depth + 1);
    return head->depth <= LIMIT_REGO_VALUE_DEPTH && count <= LIMIT_REGO_COUNT;
}

bool
value_array(struct arena *a, const struct value *items, size_t count,
            struct value *out)
{
    struct value_array *array = arena_alloc(a, sizeof(*array));

    if (!array || !measure(&array->head, items, count))
        return false;
    array->head.count = (uint32_t)count;
    array->items = items;
    *out = (struct value){ .tag = VALUE_ARRAY, .array = array };
    return true;
}

/* Keys and items: the table of positions + 1, at most half full. */
static bool
build_index(struct arena *a, const struct value *keys, size_t stride,
            size_t count, const uint32_t **index, uint32_t *mask)
{
    size_t slots = 2 * (size_t)VALUE_INDEX_MIN;
    uint32_t *table;

    if (count <= VALUE_INDEX_MIN)
        return true;
    while (slots < 2 * count)
        slots *= 2;
    table = arena_array(a, slots, sizeof(*table));
    if (!table)
        return false;
    *mask = (uint32_t)(slots - 1);
    for (size_t i = 0; i < count; i++) {
        uint32_t at = value_hash(keys[i * stride]) & *mask;

        while (table[at] != 0)
            at = (at + 1) & *mask;
        table[at] = (uint32_t)i + 1;
    }
    *index = table;
    return true;
}

static int
compare_cells(const void *a, const void *b)
{
    return value_compare(*(const struct value *)a, *(const struct value *)b);
}

static bool
is_rising(const struct value *items, size_t stride, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (value_compare(items[(i - 1) * stride], items[i * stride]) >= 0)
            return false;
    return true;
}

/* Of equal elements the first stays; returns how many are left. */
static size_t
sort_unique(struct value *items, size_t count)
{
    size_t kept = 1;

    if (count < 2 || is_rising(items, 1, count))
        return count;
    qsort(items, count, sizeof(*items), compare_cells);
    for (size_t i = 1; i < count; i++)
        if (!value_equal(items[i], items[kept - 1]))
            items[kept++] = items[i];
    return kept;
}

bool
value_set(struct arena *a, struct value *items, size_t count, struct value *out)
{
    struct value_set *set = arena_alloc(a, sizeof(*set));

    if (!set || !measure(&set->head, items, count))
        return false;
    count = sort_unique(items, count);
    set->head.count = (uint32_t)count;
    set->items = items;
    if (!build_index(a, items, 1, count, &set->index, &set->mask))
        return false;
    *out = (struct value){ .tag = VALUE_SET, .set = set };
    return true;
}

/* --- Objects --- */

static int
compare_pairs(const struct value_pair *a, const struct value_pair *b)
{
    return value_compare(a->key, b->key);
}

static void
insert_pair(struct value_pair *pairs, size_t count, struct value_pair p)
{
    size_t at = count;

    while (at > 0 && compare_pairs(&pairs[at - 1], &p) > 0) {
        pairs[at] = pairs[at - 1];
        at--;
    }
    pairs[at] = p;
}

enum { RUN = 8 };

static void
merge_runs(const struct value_pair *a, size_t na, const struct value_pair *b,
           size_t nb, struct value_pair *out)
{
    while (na > 0 && nb > 0) {
        if (compare_pairs(a, b) <= 0) {
            *out++ = *a++;
            na--;
        } else {
            *out++ = *b++;
            nb--;
        }
    }
    if (na > 0)
        memcpy(out, a, na * sizeof(*a));
    else if (nb > 0)
        memcpy(out, b, nb * sizeof(*b));
}

/* Stable, so that "the last wins" has a meaning: insertion in short runs,
 * then merging between pairs and spare. The result is in *sorted. */
static void
sort_pairs(struct value_pair *pairs, struct value_pair *spare, size_t count,
           struct value_pair **sorted)
{
    for (size_t at = 0; at < count; at += RUN) {
        size_t n = count - at < RUN ? count - at : RUN;

        for (size_t i = 1; i < n; i++)
            insert_pair(pairs + at, i, pairs[at + i]);
    }
    for (size_t run = RUN; run < count; run *= 2) {
        struct value_pair *swap = pairs;

        for (size_t at = 0; at < count; at += 2 * run) {
            size_t na = count - at < run ? count - at : run;
            size_t left = count - at - na;

            merge_runs(pairs + at, na, pairs + at + na, left < run ? left : run,
                       spare + at);
        }
        pairs = spare;
        spare = swap;
    }
    *sorted = pairs;
}

/* Of equal keys the last stays. */
static size_t
unique_pairs(struct value_pair *pairs, size_t count, bool *conflict)
{
    size_t kept = count > 0 ? 1 : 0;

    for (size_t i = 1; i < count; i++) {
        if (!value_equal(pairs[i].key, pairs[kept - 1].key)) {
            pairs[kept++] = pairs[i];
            continue;
        }
        if (conflict && !value_equal(pairs[i].value, pairs[kept - 1].value))
            *conflict = true;
        pairs[kept - 1].value = pairs[i].value;
    }
    return kept;
}

static bool
prepare_pairs(struct arena *a, struct value_pair **pairs, size_t *count,
              bool *conflict)
{
    struct value_pair *spare = NULL;

    if (*count < 2 || is_rising(&(*pairs)[0].key,
                                sizeof(**pairs) / sizeof(struct value), *count))
        return true;
    if (*count > RUN) {
        spare = arena_array(a, *count, sizeof(*spare));
        if (!spare)
            return false;
    }
    sort_pairs(*pairs, spare, *count, pairs);
    *count = unique_pairs(*pairs, *count, conflict);
    return true;
}

bool
value_object(struct arena *a, struct value_pair *pairs, size_t count,
             bool *conflict, struct value *out)
{
    const size_t stride = sizeof(*pairs) / sizeof(struct value);
    struct value_object *object = arena_alloc(a, sizeof(*object));

    if (conflict)
        *conflict = false;
    if (!object || !prepare_pairs(a, &pairs, &count, conflict))
        return false;
    if (!measure(&object->head, count > 0 ? &pairs[0].key : NULL,
                 count * stride) ||
        count > LIMIT_REGO_COUNT)
        return false;
    object->head.count = (uint32_t)count;
    object->pairs = pairs;
    if (count > 0 && !build_index(a, &pairs[0].key, stride, count,
                                  &object->index, &object->mask))
        return false;
    *out = (struct value){ .tag = VALUE_OBJECT, .object = object };
    return true;
}

/* --- Builders --- */

/* Room for one more element of size; the old copy stays in the arena, whose
 * waste doubling bounds. */
static void *
grow(struct arena *a, void *items, size_t count, size_t *cap, size_t size)
{
    size_t want = *cap < 8 ? 8 : 2 * *cap;
    void *bigger;

    if (count < *cap)
        return items;
    bigger = arena_array(a, want, size);
    if (!bigger)
        return NULL;
    if (count > 0)
        memcpy(bigger, items, count * size);
    *cap = want;
    return bigger;
}

struct value_list
value_list_in(struct arena *a)
{
    return (struct value_list){ .arena = a };
}

void
value_list_add(struct value_list *l, struct value v)
{
    struct value *items;

    if (l->failed)
        return;
    items = grow(l->arena, l->items, l->count, &l->cap, sizeof(*items));
    if (!items) {
        l->failed = true;
        return;
    }
    l->items = items;
    l->items[l->count++] = v;
}

void
value_list_add_text(struct value_list *l, struct span text)
{
    struct value v;

    if (value_string(l->arena, text, &v))
        value_list_add(l, v);
    else
        l->failed = true;
}

void
value_list_add_str(struct value_list *l, const char *text)
{
    value_list_add_text(l, span_str(text));
}

bool
value_list_array(struct value_list *l, struct value *out)
{
    return !l->failed && value_array(l->arena, l->items, l->count, out);
}

bool
value_list_set(struct value_list *l, struct value *out)
{
    return !l->failed && value_set(l->arena, l->items, l->count, out);
}

struct value_map
value_map_in(struct arena *a)
{
    return (struct value_map){ .arena = a };
}

void
value_map_add(struct value_map *m, struct value key, struct value value)
{
    struct value_pair *pairs;

    if (m->failed)
        return;
    pairs = grow(m->arena, m->pairs, m->count, &m->cap, sizeof(*pairs));
    if (!pairs) {
        m->failed = true;
        return;
    }
    m->pairs = pairs;
    m->pairs[m->count++] = (struct value_pair){ key, value };
}

void
value_map_add_str(struct value_map *m, const char *key, struct value value)
{
    struct value k;

    if (value_str(m->arena, key, &k))
        value_map_add(m, k, value);
    else
        m->failed = true;
}

void
value_map_put_text(struct value_map *m, const char *key, struct span text)
{
    struct value v;

    if (value_string(m->arena, text, &v))
        value_map_add_str(m, key, v);
    else
        m->failed = true;
}

bool
value_map_object(struct value_map *m, bool *conflict, struct value *out)
{
    return !m->failed &&
           value_object(m->arena, m->pairs, m->count, conflict, out);
}

/* --- Copies --- */

static bool
copy_items(struct arena *a, const struct value *in, size_t count,
           struct value **out)
{
    struct value *items = arena_array(a, count, sizeof(*items));

    if (!items)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!value_copy(a, in[i], &items[i]))
            return false;
    *out = items;
    return true;
}

static bool
copy_object(struct arena *a, const struct value_object *in, struct value *out)
{
    size_t count = in->head.count;
    struct value_pair *pairs = arena_array(a, count, sizeof(*pairs));

    if (!pairs)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!value_copy(a, in->pairs[i].key, &pairs[i].key) ||
            !value_copy(a, in->pairs[i].value, &pairs[i].value))
            return false;
    return value_object(a, pairs, count, NULL, out);
}

static bool
copy_number(struct arena *a, const struct value_number *in, struct value *out)
{
    bool ok;

    return number_parse(a, in->text, &ok, out);
}

bool
value_copy(struct arena *a, struct value v, struct value *out)
{
    struct value *items;

    switch ((enum value_tag)v.tag) {
    case VALUE_NUMBER:
        return copy_number(a, v.number, out);
    case VALUE_STRING:
        return value_string(a, value_text(v), out);
    case VALUE_ARRAY:
        return copy_items(a, v.array->items, v.array->head.count, &items) &&
               value_array(a, items, v.array->head.count, out);
    case VALUE_SET:
        return copy_items(a, v.set->items, v.set->head.count, &items) &&
               value_set(a, items, v.set->head.count, out);
    case VALUE_OBJECT:
        return copy_object(a, v.object, out);
    default:
        *out = v;
        return true;
    }
}

/* --- Interning --- */

struct value_strings
value_strings_in(struct arena *a)
{
    return (struct value_strings){ .arena = a };
}

/* The slot where text is, or the empty one where it would go. */
static struct value_string **
slot_for(struct value_string **slots, size_t cap, struct span text,
         uint32_t hash)
{
    for (size_t at = hash & (cap - 1);; at = (at + 1) & (cap - 1)) {
        struct value_string *s = slots[at];

        if (!s || (atomic_load_explicit(&s->head.hash, memory_order_relaxed) ==
                       hash &&
                   span_equal(span_of(s->text, s->head.count), text)))
            return &slots[at];
    }
}

struct value_string *
value_strings_find(void *strings, struct span text, uint32_t hash)
{
    const struct value_strings *s = strings;

    return s->cap == 0 ? NULL : *slot_for(s->slots, s->cap, text, hash);
}

static bool
grow_strings(struct value_strings *s)
{
    size_t cap = s->cap == 0 ? 64 : 2 * s->cap;
    struct value_string **slots;

    if (2 * (s->count + 1) <= s->cap)
        return true;
    slots = arena_array(s->arena, cap, sizeof(struct value_string *));
    if (!slots)
        return false;
    for (size_t i = 0; i < s->cap; i++) {
        struct value_string *old = s->slots[i];

        if (old)
            *slot_for(slots, cap, span_of(old->text, old->head.count),
                      atomic_load_explicit(&old->head.hash,
                                           memory_order_relaxed)) = old;
    }
    s->slots = slots;
    s->cap = cap;
    return true;
}

bool
value_strings_add(struct value_strings *s, struct span text, struct value *out)
{
    uint32_t hash = value_hash_text(text);
    struct value_string **slot;
    struct value made;

    if (!grow_strings(s))
        return false;
    slot = slot_for(s->slots, s->cap, text, hash);
    if (!*slot) {
        if (!value_string(s->arena, text, &made))
            return false;
        atomic_store_explicit(&made.string->head.hash, hash,
                              memory_order_relaxed);
        made.string->head.interned = 1;
        *slot = made.string;
        s->count++;
    }
    *out = (struct value){ .tag = VALUE_STRING, .string = *slot };
    return true;
}
