/* RFC 6902 patches. */
#include <string.h>

#include "rego/builtins/call.h"
#include "rego/builtins/paths.h"
#include "rego/builtins/table.h"

enum edit { EDIT_ADD, EDIT_REMOVE, EDIT_REPLACE };

struct patcher {
    struct arena *arena;
    const char *why;
};

static enum patch_result
refuse(struct patcher *p, const char *why)
{
    p->why = why;
    return PATCH_REFUSED;
}

/* An index of decimal digits without leading zero, or a number; with append,
 * "-" and the length are fine too. */
static bool
array_index(struct value key, size_t count, bool append, size_t *out)
{
    struct span text;
    size_t i = 0;

    if (key.tag == VALUE_INT) {
        i = key.integer < 0 ? SIZE_MAX : (size_t)key.integer;
    } else if (key.tag == VALUE_STRING) {
        text = value_text(key);
        if (append && span_equal_str(text, "-")) {
            *out = count;
            return true;
        }
        if (text.len == 0 || text.len > 9 ||
            (text.len > 1 && text.ptr[0] == '0'))
            return false;
        for (size_t k = 0; k < text.len; k++) {
            if (text.ptr[k] < '0' || text.ptr[k] > '9')
                return false;
            i = 10 * i + (size_t)(text.ptr[k] - '0');
        }
    } else {
        return false;
    }
    *out = i;
    return i < count || (append && i == count);
}

static enum patch_result
made(bool ok)
{
    return ok ? PATCH_OK : PATCH_NOMEM;
}

static enum patch_result
edit_array(struct patcher *p, struct value doc, enum edit edit,
           struct value key, struct value v, struct value *out)
{
    struct value_list list = value_list_in(p->arena);
    struct items items = value_items(doc);
    size_t at;

    if (!array_index(key, items.count, edit == EDIT_ADD, &at))
        return refuse(p, "invalid array index");
    for (size_t i = 0; i <= items.count; i++) {
        if (i == at && edit != EDIT_REMOVE)
            value_list_add(&list, v);
        if (i < items.count && (i != at || edit == EDIT_ADD))
            value_list_add(&list, items.at[i]);
    }
    return made(value_list_array(&list, out));
}

static enum patch_result
edit_object(struct patcher *p, struct value doc, enum edit edit,
            struct value key, struct value v, struct value *out)
{
    struct value_map map = value_map_in(p->arena);
    const struct value_object *o = doc.object;
    size_t at = value_object_find(o, key);

    if (at == SIZE_MAX && edit != EDIT_ADD)
        return refuse(p, "no such member");
    for (size_t i = 0; i < o->head.count; i++)
        if (i != at)
            value_map_add(&map, o->pairs[i].key, o->pairs[i].value);
    if (edit != EDIT_REMOVE)
        value_map_add(&map, key, v);
    return made(value_map_object(&map, NULL, out));
}

static enum patch_result
edit_set(struct patcher *p, struct value doc, enum edit edit, struct value key,
         struct value v, struct value *out)
{
    struct value_list list = value_list_in(p->arena);
    struct items items = value_items(doc);
    size_t at = value_set_find(doc.set, key);

    if (at == SIZE_MAX && edit != EDIT_ADD)
        return refuse(p, "no such element");
    if (edit == EDIT_ADD && !value_equal(key, v))
        return refuse(p, "an element of a set is its own key");
    for (size_t i = 0; i < items.count; i++)
        if (i != at)
            value_list_add(&list, items.at[i]);
    if (edit != EDIT_REMOVE)
        value_list_add(&list, v);
    return made(value_list_set(&list, out));
}

static enum patch_result
edit_here(struct patcher *p, struct value doc, enum edit edit, struct value key,
          struct value v, struct value *out)
{
    switch ((enum value_tag)doc.tag) {
    case VALUE_ARRAY:
        return edit_array(p, doc, edit, key, v, out);
    case VALUE_OBJECT:
        return edit_object(p, doc, edit, key, v, out);
    case VALUE_SET:
        return edit_set(p, doc, edit, key, v, out);
    default:
        return refuse(p, "path leads through a scalar");
    }
}

static bool
step_into(struct value doc, struct value key, struct value *out)
{
    size_t i;

    if (doc.tag == VALUE_ARRAY) {
        if (!array_index(key, value_count(doc), false, &i))
            return false;
        *out = doc.array->items[i];
        return true;
    }
    *out = value_lookup(doc, key);
    return out->tag != VALUE_UNDEFINED;
}

/* Replaces what is under key, for a set element by another. */
static enum patch_result
put_back(struct patcher *p, struct value doc, struct value key, struct value v,
         struct value *out)
{
    struct value without;
    enum patch_result r;

    if (doc.tag != VALUE_SET)
        return edit_here(p, doc, EDIT_REPLACE, key, v, out);
    r = edit_set(p, doc, EDIT_REMOVE, key, v, &without);
    return r == PATCH_OK ? edit_set(p, without, EDIT_ADD, v, v, out) : r;
}

/* Recursion goes no deeper than the document, which the path must follow. */
static enum patch_result
edit_at(struct patcher *p, struct value doc, struct items path, enum edit edit,
        struct value v, struct value *out)
{
    struct value inner;
    enum patch_result r;

    if (path.count == 0) {
        *out = v;
        return edit == EDIT_REMOVE ? PATCH_GONE : PATCH_OK;
    }
    if (path.count == 1)
        return edit_here(p, doc, edit, path.at[0], v, out);
    if (!step_into(doc, path.at[0], &inner))
        return refuse(p, "path does not exist");
    r = edit_at(p, inner, (struct items){ path.at + 1, path.count - 1 }, edit,
                v, &inner);
    return r == PATCH_OK ? put_back(p, doc, path.at[0], inner, out) : r;
}

static bool
get_at(struct value doc, struct items path, struct value *out)
{
    for (size_t i = 0; i < path.count; i++)
        if (!step_into(doc, path.at[i], &doc))
            return false;
    *out = doc;
    return true;
}

/* --- Operations --- */

struct operation {
    struct span op;
    struct items path, from;
    const struct value *value; /* NULL when absent */
};

static enum patch_result
read_path(struct patcher *p, const struct value *path, const char *missing,
          struct items *out)
{
    struct value steps;

    if (!path)
        return refuse(p, missing);
    if (path->tag != VALUE_STRING && path->tag != VALUE_ARRAY) {
        p->why = "must be one of {set, array} containing string paths or "
                 "array of path segments";
        return PATCH_TYPE;
    }
    if (!path_steps(p->arena, *path, true, &steps))
        return PATCH_NOMEM;
    *out = value_items(steps);
    return PATCH_OK;
}

static enum patch_result
read_operation(struct patcher *p, struct value v, struct operation *o)
{
    const struct value *op;
    enum patch_result r;
    bool needs_from;

    *o = (struct operation){ 0 };
    if (v.tag != VALUE_OBJECT)
        return refuse(p, "must be an array of JSON-Patch objects, but at "
                         "least one element is not an object");
    op = value_object_get_str(v.object, "op");
    if (!op || op->tag != VALUE_STRING)
        return refuse(p, "missing required attribute 'op'");
    o->op = value_text(*op);
    r = read_path(p, value_object_get_str(v.object, "path"),
                  "missing required attribute 'path'", &o->path);
    needs_from = span_equal_str(o->op, "move") || span_equal_str(o->op, "copy");
    if (r == PATCH_OK && needs_from)
        r = read_path(p, value_object_get_str(v.object, "from"),
                      "missing required attribute 'from'", &o->from);
    o->value = value_object_get_str(v.object, "value");
    return r;
}

static bool
begins_with(struct items path, struct items prefix)
{
    if (path.count <= prefix.count)
        return false;
    for (size_t i = 0; i < prefix.count; i++)
        if (!value_equal(path.at[i], prefix.at[i]))
            return false;
    return true;
}

static enum patch_result
move_or_copy(struct patcher *p, struct value *doc, const struct operation *o,
             bool move)
{
    struct value v, rest = *doc;
    enum patch_result r = PATCH_OK;

    if (!get_at(*doc, o->from, &v))
        return refuse(p, "from does not exist");
    if (move && begins_with(o->path, o->from))
        return refuse(p, "cannot move into itself");
    if (move && o->from.count > 0)
        r = edit_at(p, *doc, o->from, EDIT_REMOVE, v, &rest);
    return r == PATCH_OK ? edit_at(p, rest, o->path, EDIT_ADD, v, doc) : r;
}

static enum patch_result
apply(struct patcher *p, struct value *doc, const struct operation *o)
{
    struct value v = o->value ? *o->value : value_undefined();

    if (span_equal_str(o->op, "remove"))
        return edit_at(p, *doc, o->path, EDIT_REMOVE, v, doc);
    if (span_equal_str(o->op, "move") || span_equal_str(o->op, "copy"))
        return move_or_copy(p, doc, o, o->op.ptr[0] == 'm');
    if (!o->value)
        return refuse(p, "missing required attribute 'value'");
    if (span_equal_str(o->op, "add"))
        return edit_at(p, *doc, o->path, EDIT_ADD, v, doc);
    if (span_equal_str(o->op, "replace")) {
        if (!get_at(*doc, o->path, &(struct value){ 0 }))
            return refuse(p, "path does not exist");
        if (o->path.count == 0) {
            *doc = v;
            return PATCH_OK;
        }
        return edit_at(p, *doc, o->path, EDIT_REPLACE, v, doc);
    }
    if (span_equal_str(o->op, "test")) {
        struct value got;

        return get_at(*doc, o->path, &got) && value_equal(got, v)
                   ? PATCH_OK
                   : refuse(p, "test failed");
    }
    return refuse(p, "unrecognized op");
}

enum patch_result
value_patch(struct arena *a, struct value doc, struct value patch,
            struct value *out, const char **why)
{
    struct patcher p = { .arena = a };
    struct items items = value_items(patch);
    enum patch_result r = PATCH_OK;
    struct operation o;

    if (patch.tag != VALUE_ARRAY)
        r = refuse(&p, "must be an array of JSON-Patch objects");
    for (size_t i = 0; i < items.count && r == PATCH_OK; i++) {
        r = read_operation(&p, items.at[i], &o);
        if (r == PATCH_OK)
            r = apply(&p, &doc, &o);
    }
    *why = p.why;
    if (r == PATCH_OK)
        *out = doc;
    return r;
}

enum builtin_outcome
bi_json_patch(struct rego_call *call, const struct value *args, size_t n,
              struct value *out)
{
    enum builtin_outcome bad;
    const char *why;

    (void)n;
    if (!arg_is(call, args, 1, TYPE_ARRAY, &bad))
        return bad;
    switch (value_patch(call->arena, args[0], args[1], out, &why)) {
    case PATCH_OK:
        return BUILTIN_OK;
    case PATCH_GONE:
        return BUILTIN_UNDEFINED;
    case PATCH_NOMEM:
        return call_nomem(call);
    case PATCH_TYPE:
        return call_type_error(call, "operand 2 %s", why);
    default:
        return call_fail(call, "%s", why);
    }
}
