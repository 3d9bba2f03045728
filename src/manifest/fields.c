#include "manifest/fields.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"

enum { FINDING_TEXT = 256, PATH_TEXT = 1024, PLACES_MAX = 8 };

struct place
place_root(struct manifest *m, const struct json *value)
{
    return (struct place){ .value = value, .m = m };
}

struct place
place_member(const struct place *up, const char *key)
{
    const struct json *v = json_get_fold(up->value, key);

    if (v && v->type == JSON_NULL)
        v = NULL;
    return (struct place){ .up = up, .name = key, .value = v, .m = up->m };
}

struct place
place_element(const struct place *up, size_t index)
{
    const struct json *v = &up->value->items[index];

    return (struct place){ .up = up, .index = index, .value = v, .m = up->m };
}

bool
place_present(const struct place *p)
{
    return p->value != NULL;
}

static void
render_path(const struct place *p, struct buffer *out)
{
    const struct place *chain[PLACES_MAX];
    size_t depth = 0;

    for (; p && p->up && depth < PLACES_MAX; p = p->up)
        chain[depth++] = p;
    while (depth-- > 0) {
        if (chain[depth]->name)
            buffer_addf(out, "%s%.80s", out->len > 0 ? "." : "",
                        chain[depth]->name);
        else
            buffer_addf(out, "[%zu]", chain[depth]->index);
    }
}

/* Of the value, or of the nearest one around it. */
static size_t
place_offset(const struct place *p)
{
    for (; p; p = p->up) {
        if (p->value)
            return p->value->offset;
    }
    return 0;
}

/* What a file says is shown as printable ASCII. */
static const char *
keep_text(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, span_str(text));

    for (char *c = copy; c && *c; c++) {
        if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
            *c = '?';
    }
    return copy;
}

static bool
grow(struct manifest_findings *f, struct arena *arena)
{
    size_t cap = f->cap > 0 ? 2 * f->cap : 16;
    struct manifest_finding *list;

    if (f->count < f->cap)
        return true;
    list = arena_array(arena, cap, sizeof(*list));
    if (!list)
        return false;
    if (f->count > 0)
        memcpy(list, f->list, f->count * sizeof(*list));
    f->list = list;
    f->cap = cap;
    return true;
}

static void
add_finding(struct manifest *m, struct manifest_finding found)
{
    struct manifest_findings *f = &m->findings;

    f->errors += found.severity == MANIFEST_ERROR;
    f->missing += found.severity == MANIFEST_MISSING;
    f->warnings += found.severity == MANIFEST_WARNING;
    if (f->count >= LIMIT_MANIFEST_FINDINGS)
        return;
    found.path = keep_text(m->arena, found.path);
    found.text = keep_text(m->arena, found.text);
    if (!found.path || !found.text || !grow(f, m->arena)) {
        f->nomem = true;
        return;
    }
    f->list[f->count++] = found;
}

void
note_at(struct manifest *m, enum manifest_severity severity, size_t offset,
        const char *path, const char *fmt, ...)
{
    char text[FINDING_TEXT];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    add_finding(m, (struct manifest_finding){ severity, path, text, offset });
}

void
note(const struct place *p, enum manifest_severity severity, const char *fmt,
     ...)
{
    char text[FINDING_TEXT];
    struct buffer path;
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    buffer_init(&path, PATH_TEXT, p->m->arena->alloc);
    render_path(p, &path);
    if (path.failed)
        p->m->findings.nomem = true;
    else
        add_finding(p->m,
                    (struct manifest_finding){ severity, buffer_str(&path),
                                               text, place_offset(p) });
    buffer_free(&path);
}

static bool
is_known(struct span key, const char *const *known)
{
    for (; *known; known++) {
        if (json_key_equal_fold(key, span_str(*known)))
            return true;
    }
    return false;
}

void
note_unknown(const struct place *p, const char *const *known)
{
    for (size_t i = 0; i < p->value->count; i++) {
        const struct json_member *member = &p->value->members[i];
        struct place at = { .up = p,
                            .name = (const char *)member->key.ptr,
                            .value = &member->value,
                            .m = p->m };

        if (!is_known(member->key, known))
            note(&at, MANIFEST_WARNING, "unknown key, it has no effect");
    }
}

static bool
has_type(const struct place *p, enum json_type type, const char *want)
{
    if (!place_present(p))
        return false;
    if (p->value->type == type)
        return true;
    note(p, MANIFEST_ERROR, "got %s, want %s", json_type_name(p->value), want);
    return false;
}

bool
read_object(const struct place *p)
{
    return has_type(p, JSON_OBJECT, "an object");
}

bool
read_array(const struct place *p, size_t limit, size_t *count)
{
    if (!has_type(p, JSON_ARRAY, "an array"))
        return false;
    if (p->value->count > limit)
        note(p, MANIFEST_ERROR, "got %zu entries, at most %zu", p->value->count,
             limit);
    *count = p->value->count < limit ? p->value->count : limit;
    return true;
}

bool
read_text(const struct place *p, struct span *out)
{
    if (!has_type(p, JSON_STRING, "a string"))
        return false;
    *out = p->value->text;
    return true;
}

bool
read_u64(const struct place *p, uint64_t most, uint64_t *out)
{
    uint64_t n;

    if (!has_type(p, JSON_NUMBER, "a number"))
        return false;
    if (!json_u64(p->value, &n) || n > most) {
        note(p, MANIFEST_ERROR, "got %.40s, want an integer from 0 to %llu",
             (const char *)p->value->text.ptr, (unsigned long long)most);
        return false;
    }
    *out = n;
    return true;
}

bool
read_bool(const struct place *p, bool *out)
{
    if (!has_type(p, JSON_BOOL, "true or false"))
        return false;
    *out = p->value->boolean;
    return true;
}

static bool
hex_fault(const struct place *p, struct span text, size_t len)
{
    if (text.len == 2 * len)
        note(p, MANIFEST_ERROR, "not hexadecimal");
    else
        note(p, MANIFEST_ERROR, "got %zu characters, want %zu (%zu bytes hex)",
             text.len, 2 * len, len);
    return false;
}

bool
read_hex(const struct place *p, uint8_t *out, size_t len)
{
    struct span text;

    if (!read_text(p, &text))
        return false;
    return hex_decode(text, out, len) || hex_fault(p, text, len);
}

bool
read_hex_any(const struct place *p, struct span *out)
{
    struct span text;
    uint8_t *bytes;

    if (!read_text(p, &text))
        return false;
    bytes = arena_alloc(p->m->arena, text.len / 2 + 1);
    if (!bytes) {
        p->m->findings.nomem = true;
        return false;
    }
    if (text.len == 0 || !hex_decode(text, bytes, text.len / 2)) {
        note(p, MANIFEST_ERROR, "not hexadecimal bytes");
        return false;
    }
    *out = span_of(bytes, text.len / 2);
    return true;
}

bool
need_hex(const struct place *p, enum manifest_severity severity, uint8_t *out,
         size_t len)
{
    if (!place_present(p) || json_is_string(p->value, "")) {
        note(p, severity, "missing: fill in %zu bytes hex", len);
        return false;
    }
    return read_hex(p, out, len);
}

void
read_hex_list(const struct place *p, size_t limit, size_t item_len,
              struct span *out)
{
    size_t count = 0, used = 0;
    uint8_t *items;

    if (!read_array(p, limit, &count) || count == 0)
        return;
    items = arena_array(p->m->arena, count, item_len);
    if (!items) {
        p->m->findings.nomem = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct place at = place_element(p, i);

        if (!place_present(&at) || at.value->type == JSON_NULL)
            note(&at, MANIFEST_ERROR, "got null, want a string");
        else if (read_hex(&at, items + used, item_len))
            used += item_len;
    }
    *out = span_of(items, used);
}

const char *
read_text_or_empty(const struct place *p)
{
    struct span text = { 0 };

    return read_text(p, &text) ? (const char *)text.ptr : "";
}

/* How many elements to make room for: those of a list, or one for the object
 * that older manifests have in its place. */
bool
read_list_size(const struct place *p, size_t *count)
{
    if (!place_present(p))
        return false;
    *count = 1;
    return p->value->type == JSON_OBJECT ||
           read_array(p, LIMIT_REFERENCE_VALUES, count);
}
