/* json.filter and json.remove: trees of paths laid over values.
 *
 * A path is "a/b" (~1 is /, ~0 is ~; leading slashes are ignored) or an array
 * of keys. The paths become one object, nested by key, where null ends a
 * path; a shorter path wins over those it begins. */
#include <string.h>

#include "base/limits.h"
#include "rego/builtins/call.h"
#include "rego/builtins/paths.h"
#include "rego/builtins/table.h"
#include "rego/builtins/text.h"

/* One key of a path, unescaped. */
static bool
add_step(struct value_list *steps, struct span part)
{
    uint8_t *copy = arena_alloc(steps->arena, part.len + 1);
    size_t used = 0;

    if (!copy)
        return false;
    for (size_t i = 0; i < part.len; i++) {
        uint8_t c = part.ptr[i];

        if (c == '~' && i + 1 < part.len &&
            (part.ptr[i + 1] == '0' || part.ptr[i + 1] == '1'))
            c = part.ptr[++i] == '0' ? '~' : '/';
        copy[used++] = c;
    }
    value_list_add_text(steps, span_of(copy, used));
    return true;
}

/* All parts between slashes, the one behind the last too. */
static bool
split_pointer(struct value_list *steps, struct span text)
{
    for (;;) {
        size_t at = text_find(text, span_str("/"), 0);

        if (!add_step(steps, span_sub(text, 0, at)))
            return false;
        if (at == SIZE_MAX)
            return true;
        text = span_sub(text, at + 1, text.len);
    }
}

bool
path_steps(struct arena *a, struct value path, bool is_pointer,
           struct value *out)
{
    struct value_list steps = value_list_in(a);
    struct span text;

    if (path.tag == VALUE_ARRAY) {
        *out = path;
        return true;
    }
    text = value_text(path);
    if (is_pointer) {
        if (text.len > 0 &&
            !split_pointer(&steps, text.ptr[0] == '/'
                                       ? span_sub(text, 1, text.len)
                                       : text))
            return false;
        return value_list_array(&steps, out);
    }
    while (text.len > 0 && text.ptr[0] == '/')
        text = span_sub(text, 1, text.len);
    return (text.len == 0 || split_pointer(&steps, text)) &&
           value_list_array(&steps, out);
}

/* --- The tree of paths --- */

struct node {
    struct value key;
    struct node *first, *next;
    bool ends; /* a path ends here: what is below does not matter */
};

static struct node *
child(struct arena *a, struct node *parent, struct value key, bool make)
{
    struct node *n = parent->first;

    while (n && !value_equal(n->key, key))
        n = n->next;
    if (n || !make)
        return n;
    n = arena_alloc(a, sizeof(*n));
    if (!n)
        return NULL;
    *n = (struct node){ .key = key, .next = parent->first };
    parent->first = n;
    return n;
}

static bool
add_path(struct arena *a, struct node *root, struct value steps)
{
    struct items items = value_items(steps);
    struct node *at = root;

    for (size_t i = 0; i < items.count && !at->ends; i++) {
        at = child(a, at, items.at[i], true);
        if (!at)
            return false;
    }
    at->ends = true;
    return true;
}

static bool
read_paths(struct rego_call *call, const struct value *args, struct node *root,
           enum builtin_outcome *bad)
{
    struct items paths;

    if (!arg_in(call, args, 1, "set, array", bad))
        return false;
    paths = value_items(args[1]);
    for (size_t i = 0; i < paths.count; i++) {
        struct value steps;

        if (!(builtin_type_of(paths.at[i]) & (TYPE_STRING | TYPE_ARRAY))) {
            *bad = call_type_error(
                call,
                "operand 2 must be one of {set, array} containing string "
                "paths or array of path segments but got %s",
                value_type_name(paths.at[i]));
            return false;
        }
        if (!call_charge(call, 1 + value_count(paths.at[i]) / 4) ||
            !path_steps(call->arena, paths.at[i], false, &steps) ||
            (value_count(steps) > 0 && !add_path(call->arena, root, steps))) {
            *bad = call_nomem(call);
            return false;
        }
    }
    return true;
}

/* Array elements are named by their index as text. */
static const struct node *
index_child(const struct node *n, size_t index)
{
    for (n = n->first; n; n = n->next) {
        char text[24];
        struct span digits;

        digits = number_text(value_int((int64_t)index), text);
        if (n->key.tag == VALUE_STRING &&
            span_equal(value_text(n->key), digits))
            return n;
    }
    return NULL;
}

static const struct node *
key_child(const struct node *n, struct value key)
{
    for (n = n->first; n; n = n->next)
        if (value_equal(n->key, key))
            return n;
    return NULL;
}

/* --- Removing --- */

static bool remove_from(struct rego_call *call, struct value v,
                        const struct node *n, struct value *out);

static bool
remove_members(struct rego_call *call, const struct value_object *o,
               const struct node *n, struct value *out)
{
    struct value_map map = value_map_in(call->arena);

    for (size_t i = 0; i < o->head.count; i++) {
        struct value_pair p = o->pairs[i];
        const struct node *c = key_child(n, p.key);

        if (c && c->ends)
            continue;
        if (c && !remove_from(call, p.value, c, &p.value))
            return false;
        value_map_add(&map, p.key, p.value);
    }
    return value_map_object(&map, NULL, out);
}

static bool
remove_items(struct rego_call *call, struct value v, const struct node *n,
             struct value *out)
{
    struct value_list list = value_list_in(call->arena);
    struct items items = value_items(v);

    for (size_t i = 0; i < items.count; i++) {
        struct value item = items.at[i];
        const struct node *c =
            v.tag == VALUE_SET ? key_child(n, item) : index_child(n, i);

        if (c && c->ends)
            continue;
        if (c && !remove_from(call, item, c, &item))
            return false;
        value_list_add(&list, item);
    }
    return v.tag == VALUE_SET ? value_list_set(&list, out)
                              : value_list_array(&list, out);
}

static bool
remove_from(struct rego_call *call, struct value v, const struct node *n,
            struct value *out)
{
    if (v.tag == VALUE_OBJECT)
        return remove_members(call, v.object, n, out);
    if (v.tag == VALUE_ARRAY || v.tag == VALUE_SET)
        return remove_items(call, v, n, out);
    *out = v;
    return true;
}

enum builtin_outcome
bi_json_remove(struct rego_call *call, const struct value *args, size_t n,
               struct value *out)
{
    struct node root = { 0 };
    enum builtin_outcome bad;

    (void)n;
    if (!arg_is(call, args, 0, TYPE_OBJECT, &bad) ||
        !read_paths(call, args, &root, &bad))
        return bad;
    return call_made(call, remove_from(call, args[0], &root, out));
}

/* --- Keeping --- */

static bool keep_of(struct rego_call *call, struct value v,
                    const struct node *n, struct value *out);

static bool
keep_members(struct rego_call *call, const struct value_object *o,
             const struct node *n, struct value *out)
{
    struct value_map map = value_map_in(call->arena);

    for (size_t i = 0; i < o->head.count; i++) {
        struct value_pair p = o->pairs[i];
        const struct node *c = key_child(n, p.key);

        if (!c)
            continue;
        if (!c->ends && !keep_of(call, p.value, c, &p.value))
            return false;
        value_map_add(&map, p.key, p.value);
    }
    return value_map_object(&map, NULL, out);
}

static bool
keep_items(struct rego_call *call, struct value v, const struct node *n,
           struct value *out)
{
    struct value_list list = value_list_in(call->arena);
    struct items items = value_items(v);

    for (size_t i = 0; i < items.count; i++) {
        struct value item = items.at[i];
        const struct node *c =
            v.tag == VALUE_SET ? key_child(n, item) : index_child(n, i);

        if (!c)
            continue;
        if (!c->ends && !keep_of(call, item, c, &item))
            return false;
        value_list_add(&list, item);
    }
    return v.tag == VALUE_SET ? value_list_set(&list, out)
                              : value_list_array(&list, out);
}

static bool
keep_of(struct rego_call *call, struct value v, const struct node *n,
        struct value *out)
{
    if (v.tag == VALUE_OBJECT)
        return keep_members(call, v.object, n, out);
    if (v.tag == VALUE_ARRAY || v.tag == VALUE_SET)
        return keep_items(call, v, n, out);
    *out = v;
    return true;
}

enum builtin_outcome
bi_json_filter(struct rego_call *call, const struct value *args, size_t n,
               struct value *out)
{
    struct node root = { 0 };
    enum builtin_outcome bad;

    (void)n;
    if (!arg_is(call, args, 0, TYPE_OBJECT, &bad) ||
        !read_paths(call, args, &root, &bad))
        return bad;
    return call_made(call, keep_of(call, args[0], &root, out));
}
