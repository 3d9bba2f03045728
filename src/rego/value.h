/* Rego values: 16-byte cells over immutable objects in an arena.
 *
 * null, booleans and integers of 64 bits live in the cell; everything else is
 * a pointer to an object that never changes once built, so values may be
 * shared between threads and between arenas that outlive each other in the
 * right order. A zeroed cell is VALUE_UNDEFINED, which is no value: it marks
 * an empty register or slot, and appears inside no composite.
 *
 * Objects and sets are sorted vectors (the total order below), with a hash
 * index above VALUE_INDEX_MIN entries. Iterating by index from 0 is the order
 * of iteration in the language.
 *
 * Composites nest at most LIMIT_REGO_VALUE_DEPTH deep: building deeper ones
 * fails, so that walking a value may recurse.
 *
 * Functions that build return false when the arena is spent (or the nesting
 * too deep), and write *out on true only. */
#ifndef ASSAY_REGO_VALUE_H
#define ASSAY_REGO_VALUE_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/error.h"

enum value_tag {
    VALUE_UNDEFINED,
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_INT,    /* integer text that fits int64_t, without fraction */
    VALUE_NUMBER, /* every other number: see number.h */
    VALUE_STRING,
    VALUE_ARRAY,
    VALUE_OBJECT,
    VALUE_SET,
};

struct value_string;
struct value_number;
struct value_array;
struct value_object;
struct value_set;

struct value {
    uint32_t tag;   /* enum value_tag */
    uint32_t spare; /* 0 in every value built here; not compared */
    union {
        bool boolean;
        int64_t integer;
        struct value_string *string;
        struct value_number *number;
        struct value_array *array;
        struct value_object *object;
        struct value_set *set;
    };
};

enum { VALUE_INDEX_MIN = 16 };

/* Front of every object. The hash is worked out when first asked for; writing
 * it twice writes the same, so threads need no lock. */
struct value_head {
    _Atomic uint32_t hash; /* 0: not known yet */
    uint16_t depth;        /* 1 for scalars in an array, ... */
    uint16_t interned;     /* strings: unique in their table */
    uint32_t count;        /* bytes of a string, elements, pairs */
};

struct value_string {
    struct value_head head;
    char text[]; /* head.count bytes of UTF-8, and a NUL; may contain NULs */
};

struct value_array {
    struct value_head head;
    const struct value *items;
};

struct value_pair {
    struct value key;
    struct value value;
};

struct value_object {
    struct value_head head;
    const struct value_pair *pairs; /* sorted by key, keys differ */
    const uint32_t *index;          /* NULL for small ones */
    uint32_t mask;                  /* slots of index - 1 */
};

struct value_set {
    struct value_head head;
    const struct value *items; /* sorted, all different */
    const uint32_t *index;
    uint32_t mask;
};

/* --- Cells --- */

static inline struct value
value_undefined(void)
{
    return (struct value){ 0 };
}

static inline struct value
value_null(void)
{
    return (struct value){ .tag = VALUE_NULL };
}

static inline struct value
value_bool(bool b)
{
    /* The whole payload is set, so that equal cells have equal bits. */
    return (struct value){ .tag = VALUE_BOOL, .integer = b };
}

static inline struct value
value_int(int64_t i)
{
    return (struct value){ .tag = VALUE_INT, .integer = i };
}

static inline bool
value_is(struct value v, enum value_tag tag)
{
    return v.tag == (uint32_t)tag;
}

static inline bool
value_is_true(struct value v)
{
    return v.tag == VALUE_BOOL && v.integer != 0;
}

static inline bool
value_is_number(struct value v)
{
    return v.tag == VALUE_INT || v.tag == VALUE_NUMBER;
}

static inline struct span
value_text(struct value v) /* of a string */
{
    return span_of(v.string->text, v.string->head.count);
}

/* Elements or pairs of a composite, bytes of a string; 0 otherwise. */
static inline size_t
value_count(struct value v)
{
    return v.tag >= VALUE_STRING ? v.string->head.count : 0;
}

/* "null", "boolean", "number", "string", "array", "object", "set" */
const char *value_type_name(struct value v);

/* --- Order, equality, hash --- */

/* Below 0, 0, above 0 in the language's total order over all values. */
int value_compare(struct value a, struct value b);
bool value_equal(struct value a, struct value b);
uint32_t value_hash(struct value v); /* equal values, equal hashes; never 0 */
uint32_t value_hash_text(struct span text); /* of a string with this text */

/* --- Looking inside; NULL or false when there is no such thing --- */

/* The value under key. Keys are compared with value_equal. */
const struct value *value_object_get(const struct value_object *o,
                                     struct value key);
const struct value *value_object_get_str(const struct value_object *o,
                                         const char *key);
/* Position in pairs or items, SIZE_MAX when absent. */
size_t value_object_find(const struct value_object *o, struct value key);
size_t value_set_find(const struct value_set *s, struct value item);

static inline bool
value_set_has(const struct value_set *s, struct value item)
{
    return value_set_find(s, item) != SIZE_MAX;
}

/* One step of a reference: object by key, array by VALUE_INT, set by member
 * (which is the result); undefined for anything else. Never fails. */
struct value value_lookup(struct value collection, struct value key);

/* --- Building --- */

ASSAY_MUST_CHECK
bool value_string(struct arena *a, struct span text, struct value *out);
ASSAY_MUST_CHECK
bool value_str(struct arena *a, const char *text, struct value *out);

/* A string of len bytes that the caller fills before sharing it. */
ASSAY_MUST_CHECK
bool value_string_blank(struct arena *a, size_t len, struct value *out);

/* items is taken, not copied: it must live as long as the value. */
ASSAY_MUST_CHECK
bool value_array(struct arena *a, const struct value *items, size_t count,
                 struct value *out);

/* items is taken and sorted in place; duplicates collapse. */
ASSAY_MUST_CHECK
bool value_set(struct arena *a, struct value *items, size_t count,
               struct value *out);

/* pairs is taken and sorted in place. Of equal keys the last wins; *conflict
 * (may be NULL) tells whether two values for one key differed. */
ASSAY_MUST_CHECK
bool value_object(struct arena *a, struct value_pair *pairs, size_t count,
                  bool *conflict, struct value *out);

/* Grows in the arena: append, then finish. Failure is sticky and shows when
 * finishing. A list may be finished only once. */
struct value_list {
    struct arena *arena;
    struct value *items;
    size_t count;
    size_t cap;
    bool failed;
};

struct value_map {
    struct arena *arena;
    struct value_pair *pairs;
    size_t count;
    size_t cap;
    bool failed;
};

struct value_list value_list_in(struct arena *a);
void value_list_add(struct value_list *l, struct value v);
void value_list_add_str(struct value_list *l, const char *text);
void value_list_add_text(struct value_list *l, struct span text);
ASSAY_MUST_CHECK
bool value_list_array(struct value_list *l, struct value *out);
ASSAY_MUST_CHECK
bool value_list_set(struct value_list *l, struct value *out);

struct value_map value_map_in(struct arena *a);
void value_map_add(struct value_map *m, struct value key, struct value value);
void value_map_add_str(struct value_map *m, const char *key,
                       struct value value);
void value_map_put_text(struct value_map *m, const char *key, struct span text);
ASSAY_MUST_CHECK
bool value_map_object(struct value_map *m, bool *conflict, struct value *out);

/* A deep copy that borrows nothing from where v lives (e.g. to keep a result
 * longer than its evaluation). Interned strings are copied too. */
ASSAY_MUST_CHECK
bool value_copy(struct arena *a, struct value v, struct value *out);

/* --- Interning --- */

/* Asked for each object key (and each constant): a string that is already
 * kept somewhere longer-lived, or NULL to make a new one. hash is
 * value_hash_text(text). */
struct value_intern {
    struct value_string *(*find)(void *ctx, struct span text, uint32_t hash);
    void *ctx;
};

/* A table of strings in an arena; the same text gives the same pointer. */
struct value_strings {
    struct arena *arena;
    struct value_string **slots;
    size_t count;
    size_t cap; /* a power of two, or 0 */
};

struct value_strings value_strings_in(struct arena *a);
/* NULL when it is not there. Fits struct value_intern. */
struct value_string *value_strings_find(void *strings, struct span text,
                                        uint32_t hash);
ASSAY_MUST_CHECK
bool value_strings_add(struct value_strings *s, struct span text,
                       struct value *out);

#endif
