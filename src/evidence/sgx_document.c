#include "evidence/sgx_document.h"

#include <string.h>

#include "base/clock.h"
#include "base/hex.h"

/* --- envelope ------------------------------------------------------------ */

/* Where the object that begins at `at` ends, in text that is valid JSON. */
static size_t
object_end(struct span text, size_t at)
{
    size_t depth = 0;
    bool quoted = false;

    for (; at < text.len; at++) {
        uint8_t c = text.ptr[at];

        if (quoted) {
            at += c == '\\';
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{') {
            depth++;
        } else if (c == '}' && --depth == 0) {
            return at + 1;
        }
    }
    return text.len;
}

static struct span
without_nul(struct span text)
{
    if (text.len > 0 && text.ptr[text.len - 1] == '\0')
        text.len--;
    return text;
}

enum assay_status
sgx_document_decode(struct span text, const char *name, struct arena *arena,
                    struct sgx_document *out, struct assay_error *err)
{
    const struct json_options options = {
        .name = name,
        .duplicates = JSON_DUPLICATES_ANY_CASE,
        .max_bytes = LIMIT_SGX_DOCUMENT_BYTES,
        .max_values = LIMIT_SGX_DOCUMENT_VALUES,
    };
    struct sgx_document doc = { 0 };
    struct json root;
    const struct json *body, *signature;
    enum assay_status st;

    text = without_nul(text);
    st = json_parse(text, &options, arena, &root, err);
    if (st != ASSAY_OK)
        return st;
    body = json_get(&root, name);
    signature = json_get(&root, "signature");
    if (!body || body->type != JSON_OBJECT)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "%s: got %s, want an object", name,
                          json_type_name(body));
    if (!signature || signature->type != JSON_STRING ||
        !hex_decode(signature->text, doc.signature, sizeof(doc.signature)))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "%s: signature: want 128 hex digits", name);
    doc.body = *body;
    doc.signed_bytes = span_sub(text, body->offset,
                                object_end(text, body->offset) - body->offset);
    *out = doc;
    return ASSAY_OK;
}

const struct sgx_isv_level *
sgx_isv_level_find(const struct sgx_isv_levels *levels, uint16_t svn)
{
    for (size_t i = 0; i < levels->count; i++) {
        if (levels->list[i].isv_svn <= svn)
            return &levels->list[i];
    }
    return NULL;
}

/* --- members ------------------------------------------------------------- */

void
sgx_fields_fail(struct sgx_fields *f, enum assay_status st, const char *what,
                const struct json *got, const char *want)
{
    struct span text = { 0 };

    if (f->st != ASSAY_OK)
        return;
    if (got && (got->type == JSON_STRING || got->type == JSON_NUMBER))
        text = span_sub(got->text, 0, 64);
    if (text.len > 0)
        f->st = assay_fail(f->err, st, "%s: got %.*s, want %s", what,
                           (int)text.len, (const char *)text.ptr, want);
    else
        f->st = assay_fail(f->err, st, "%s: got %s, want %s", what,
                           json_type_name(got), want);
}

void
sgx_field_hex(struct sgx_fields *f, const struct json *obj, const char *key,
              uint8_t *out, size_t size)
{
    const struct json *v = json_get(obj, key);

    if (!v || v->type != JSON_STRING || !hex_decode(v->text, out, size))
        sgx_fields_fail(f, ASSAY_ERR_MALFORMED, key, v,
                        "hex digits of the field's length");
}

uint32_t
sgx_field_uint(struct sgx_fields *f, const struct json *obj, const char *key,
               uint32_t max)
{
    const struct json *v = json_get(obj, key);
    uint64_t value = 0;

    if (!json_u64(v, &value) || value > max) {
        sgx_fields_fail(f, ASSAY_ERR_MALFORMED, key, v,
                        "an integer in the field's range");
        return 0;
    }
    return (uint32_t)value;
}

int64_t
sgx_field_date(struct sgx_fields *f, const struct json *obj, const char *key)
{
    const struct json *v = json_get(obj, key);
    int64_t instant = 0;

    if (!v || v->type != JSON_STRING || v->text.len != RFC3339_SIZE - 1 ||
        v->text.ptr[v->text.len - 1] != 'Z' ||
        rfc3339_parse(v->text, &instant, NULL) != ASSAY_OK)
        sgx_fields_fail(f, ASSAY_ERR_MALFORMED, key, v,
                        "a date like 2026-01-31T23:59:59Z");
    return instant;
}

enum tcb_status
sgx_field_status(struct sgx_fields *f, const struct json *obj, unsigned allowed)
{
    const struct json *v = json_get(obj, "tcbStatus");
    enum tcb_status status = TCB_NONE;

    if (v && v->type == JSON_STRING)
        status = tcb_status_parse(v->text);
    if (!(allowed >> status & 1)) {
        /* A status we cannot name may be worse than those we can. */
        sgx_fields_fail(f, ASSAY_ERR_UNSUPPORTED, "tcbStatus", v,
                        "a status that is known here");
        return TCB_NONE;
    }
    return status;
}

const struct json *
sgx_field_array(struct sgx_fields *f, const struct json *obj, const char *key,
                size_t max)
{
    const struct json *v = json_get(obj, key);

    if (!v || v->type != JSON_ARRAY || v->count == 0) {
        sgx_fields_fail(f, ASSAY_ERR_MALFORMED, key, v, "a non-empty array");
        return NULL;
    }
    if (v->count > max) {
        sgx_fields_fail(f, ASSAY_ERR_LIMIT, key, v, "fewer items");
        return NULL;
    }
    return f->st == ASSAY_OK ? v : NULL;
}

struct sgx_advisories
sgx_field_advisories(struct sgx_fields *f, const struct json *obj)
{
    const struct json *v = json_get(obj, "advisoryIDs");
    struct sgx_advisories none = { 0 };
    const char **ids;

    if (!v || f->st != ASSAY_OK)
        return none;
    if (v->type != JSON_ARRAY || v->count > LIMIT_SGX_ADVISORIES) {
        sgx_fields_fail(f, ASSAY_ERR_MALFORMED, "advisoryIDs", v,
                        "a list of names");
        return none;
    }
    ids = arena_array(f->arena, v->count + 1, sizeof(*ids));
    for (size_t i = 0; ids && i < v->count; i++) {
        if (v->items[i].type != JSON_STRING) {
            sgx_fields_fail(f, ASSAY_ERR_MALFORMED, "advisoryIDs", &v->items[i],
                            "a name");
            return none;
        }
        ids[i] = arena_strdup(f->arena, v->items[i].text);
        if (!ids[i])
            ids = NULL;
    }
    if (!ids && f->st == ASSAY_OK)
        f->st = assay_nomem(f->err, "advisoryIDs");
    return f->st == ASSAY_OK ? (struct sgx_advisories){ ids, v->count } : none;
}

/* --- levels of one SVN --------------------------------------------------- */

static void
read_isv_level(struct sgx_fields *f, const struct json *obj, uint32_t max_svn,
               struct sgx_isv_level *out)
{
    out->isv_svn =
        (uint16_t)sgx_field_uint(f, json_get(obj, "tcb"), "isvsvn", max_svn);
    out->status = sgx_field_status(
        f, obj,
        1u << TCB_UP_TO_DATE | 1u << TCB_OUT_OF_DATE | 1u << TCB_REVOKED);
    out->date = sgx_field_date(f, obj, "tcbDate");
    out->advisories = sgx_field_advisories(f, obj);
}

/* Keeps the list sorted, highest first; two levels of one SVN are refused. */
static void
insert_isv_level(struct sgx_fields *f, struct sgx_isv_levels *levels,
                 const struct sgx_isv_level *level)
{
    size_t at = levels->count;

    while (at > 0 && levels->list[at - 1].isv_svn < level->isv_svn)
        at--;
    if (at > 0 && levels->list[at - 1].isv_svn == level->isv_svn) {
        sgx_fields_fail(f, ASSAY_ERR_MALFORMED, "tcbLevels", NULL,
                        "no isvsvn twice");
        return;
    }
    memmove(&levels->list[at + 1], &levels->list[at],
            (levels->count - at) * sizeof(*level));
    levels->list[at] = *level;
    levels->count++;
}

struct sgx_isv_levels
sgx_field_isv_levels(struct sgx_fields *f, const struct json *obj,
                     uint32_t max_svn)
{
    const struct json *v =
        sgx_field_array(f, obj, "tcbLevels", LIMIT_SGX_TCB_LEVELS);
    struct sgx_isv_levels levels = { 0 };

    if (!v)
        return levels;
    levels.list = arena_array(f->arena, v->count, sizeof(*levels.list));
    if (!levels.list)
        f->st = assay_nomem(f->err, "tcbLevels");
    for (size_t i = 0; f->st == ASSAY_OK && i < v->count; i++) {
        struct sgx_isv_level level;

        read_isv_level(f, &v->items[i], max_svn, &level);
        if (f->st == ASSAY_OK)
            insert_isv_level(f, &levels, &level);
    }
    return levels;
}
