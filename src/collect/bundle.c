#include "collect/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "codec/json.h"
#include "crypto/digest.h"

#define FORMAT_NAME "assay-collateral-bundle"
enum { FORMAT_VERSION = 1 };

/* The decoded text, its values and the items: under three times the text. */
enum { PARSE_BUDGET = 4 * LIMIT_BUNDLE_BYTES };

static enum assay_status
fail_item(struct assay_error *err, size_t i, const char *what)
{
    return assay_fail(err, ASSAY_ERR_MALFORMED,
                      "collateral bundle: items[%zu]: %s", i, what);
}

static const struct json *
get_string(const struct json *obj, const char *key)
{
    const struct json *v = json_get(obj, key);

    return v && v->type == JSON_STRING ? v : NULL;
}

static bool
digest_matches(const struct json *want, struct span bytes)
{
    uint8_t digest[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];

    if (digest_sha256(bytes, digest, NULL) != ASSAY_OK)
        return false;
    hex_encode(span_of(digest, sizeof(digest)), hex);
    return json_is_string(want, hex);
}

static enum assay_status
decode_bytes(const struct json *v, struct arena *arena, struct span *out,
             struct assay_error *err)
{
    size_t len = base64_decoded_max(v->text.len);
    uint8_t *bytes = arena_alloc(arena, len + 1);

    if (!bytes)
        return assay_nomem(err, "collateral bundle");
    if (!base64_decode(v->text, bytes, &len))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "collateral bundle: bytes are not base64");
    *out = span_of(bytes, len);
    return ASSAY_OK;
}

/* Kind and product are there for people; the path decides, and they must say
 * the same. */
static bool
names_agree(const struct json *v, const struct kds_path *path)
{
    return json_is_string(json_get(v, "kind"),
                          collateral_kind_name(path->kind)) &&
           json_is_string(json_get(v, "product"), kds_path_line(path));
}

static enum assay_status
decode_item(const struct json *v, size_t i, struct arena *arena,
            struct collateral_item *out, struct assay_error *err)
{
    enum { MEMBERS = 7 };
    const struct json *path = get_string(v, "path");
    const struct json *source = get_string(v, "source");
    const struct json *fetched_at = get_string(v, "fetched_at");
    const struct json *sha256 = get_string(v, "sha256");
    const struct json *bytes = get_string(v, "bytes");
    enum assay_status st;

    if (v->type != JSON_OBJECT || v->count != MEMBERS || !path || !source ||
        !fetched_at || !sha256 || !bytes)
        return fail_item(err, i,
                         "want the strings kind, product, path, source, "
                         "fetched_at, sha256, bytes, and nothing else");
    st = kds_path_parse(path->text, &out->path, err);
    if (st != ASSAY_OK)
        return assay_context(err, st, "collateral bundle: items[%zu]", i);
    if (!names_agree(v, &out->path))
        return fail_item(err, i, "kind and product are not those of the path");
    st = rfc3339_parse(fetched_at->text, &out->fetched_at, err);
    if (st != ASSAY_OK)
        return assay_context(err, st, "collateral bundle: items[%zu]", i);
    st = decode_bytes(bytes, arena, &out->bytes, err);
    if (st != ASSAY_OK)
        return st;
    if (!digest_matches(sha256, out->bytes))
        return fail_item(err, i, "sha256 is not that of the bytes");
    if (strlen((const char *)source->text.ptr) != source->text.len)
        return fail_item(err, i, "source has a zero byte");
    out->source = (const char *)source->text.ptr; /* JSON ends it with a NUL */
    return ASSAY_OK;
}

static int
compare_items(const void *a, const void *b)
{
    const struct collateral_item *x = a, *y = b;

    return strcmp(x->path.text, y->path.text);
}

static enum assay_status
decode_items(const struct json *array, struct arena *arena,
             struct collateral_item **out, struct assay_error *err)
{
    struct collateral_item *items;

    if (array->count > LIMIT_BUNDLE_ITEMS)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "collateral bundle: %zu items, at most %d",
                          array->count, LIMIT_BUNDLE_ITEMS);
    items = arena_array(arena, array->count + 1, sizeof(*items));
    if (!items)
        return assay_nomem(err, "collateral bundle");
    for (size_t i = 0; i < array->count; i++) {
        enum assay_status st =
            decode_item(&array->items[i], i, arena, &items[i], err);

        if (st != ASSAY_OK)
            return st;
    }
    qsort(items, array->count, sizeof(*items), compare_items);
    for (size_t i = 1; i < array->count; i++)
        if (compare_items(&items[i - 1], &items[i]) == 0)
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "collateral bundle: two items for %s",
                              items[i].path.text);
    *out = items;
    return ASSAY_OK;
}

enum assay_status
collateral_decode(struct span text, struct arena *arena,
                  const struct collateral_item **items, size_t *count,
                  struct assay_error *err)
{
    const struct json_options opts = { .name = "collateral bundle",
                                       .max_bytes = LIMIT_BUNDLE_BYTES,
                                       .max_depth = 4 };
    const struct json *array;
    struct json root;
    struct collateral_item *got = NULL; /* gcc cannot see it set */
    uint64_t version;
    enum assay_status st = json_parse(text, &opts, arena, &root, err);

    if (st != ASSAY_OK)
        return st;
    array = json_get(&root, "items");
    if (!json_is_string(json_get(&root, "format"), FORMAT_NAME))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "collateral bundle: format is not \"" FORMAT_NAME
                          "\"");
    if (!json_u64(json_get(&root, "version"), &version) ||
        version != FORMAT_VERSION)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "collateral bundle: unknown version, know %d",
                          FORMAT_VERSION);
    if (root.count != 3 || !array || array->type != JSON_ARRAY)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "collateral bundle: want format, version, the array "
                          "items, and nothing else");
    st = decode_items(array, arena, &got, err);
    if (st != ASSAY_OK)
        return st;
    *items = got;
    *count = array->count;
    return ASSAY_OK;
}

static void
write_item(struct json_writer *w, const struct collateral_item *item)
{
    uint8_t digest[SHA256_SIZE];
    char time[RFC3339_SIZE];

    rfc3339_format(item->fetched_at, time);
    jw_object(w);
    jw_put_str(w, "kind", collateral_kind_name(item->path.kind));
    jw_put_str(w, "product", kds_path_line(&item->path));
    jw_put_str(w, "path", item->path.text);
    jw_put_str(w, "source", item->source);
    jw_put_str(w, "fetched_at", time);
    if (digest_sha256(item->bytes, digest, NULL) != ASSAY_OK)
        w->out->failed = true;
    jw_put_hex(w, "sha256", span_of(digest, sizeof(digest)));
    jw_put_base64(w, "bytes", item->bytes);
    jw_end(w);
}

static void
write_bundle(const struct collateral_item *items, size_t count,
             struct buffer *out)
{
    struct json_writer w = json_writer_over(out, 2);

    jw_object(&w);
    jw_put_str(&w, "format", FORMAT_NAME);
    jw_put_u64(&w, "version", FORMAT_VERSION);
    jw_key(&w, "items");
    jw_array(&w);
    for (size_t i = 0; i < count; i++)
        write_item(&w, &items[i]);
    jw_end(&w);
    jw_end(&w);
    buffer_add_str(out, "\n");
}

enum assay_status
collateral_encode(const struct collateral_item *items, size_t count,
                  struct buffer *out, struct assay_error *err)
{
    struct collateral_item *sorted;
    enum assay_status st = ASSAY_OK;

    if (count > LIMIT_BUNDLE_ITEMS)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "collateral bundle: %zu items, at most %d", count,
                          LIMIT_BUNDLE_ITEMS);
    sorted = mem_alloc(out->alloc, (count + 1) * sizeof(*sorted));
    if (!sorted)
        return assay_nomem(err, "collateral bundle");
    if (count > 0)
        memcpy(sorted, items, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), compare_items);
    for (size_t i = 1; i < count && st == ASSAY_OK; i++)
        if (compare_items(&sorted[i - 1], &sorted[i]) == 0)
            st = assay_fail(err, ASSAY_ERR_CONFLICT,
                            "collateral bundle: two items for %s",
                            sorted[i].path.text);
    if (st == ASSAY_OK) {
        write_bundle(sorted, count, out);
        st = buffer_check(out, "collateral bundle", err);
    }
    mem_free(out->alloc, sorted);
    return st;
}

struct collateral_bundle {
    struct arena arena;
    const struct collateral_item *items;
    size_t count;
};

enum assay_status
collateral_bundle_parse(struct span text, struct collateral_bundle **out,
                        struct assay_error *err)
{
    struct collateral_bundle *b = mem_zalloc(NULL, sizeof(*b));
    enum assay_status st;

    if (!b)
        return assay_nomem(err, "collateral bundle");
    arena_init(&b->arena, PARSE_BUDGET, NULL);
    st = collateral_decode(text, &b->arena, &b->items, &b->count, err);
    if (st != ASSAY_OK) {
        collateral_bundle_free(b);
        return st;
    }
    *out = b;
    return ASSAY_OK;
}

enum assay_status
collateral_bundle_open(const char *path, struct collateral_bundle **out,
                       struct assay_error *err)
{
    struct buffer text;
    enum assay_status st;

    buffer_init(&text, LIMIT_BUNDLE_BYTES, NULL);
    st = file_read(path, &text, err);
    if (st == ASSAY_OK) {
        st = collateral_bundle_parse(buffer_span(&text), out, err);
        st = assay_context(err, st, "%s", path);
    }
    buffer_free(&text);
    return st;
}

void
collateral_bundle_free(struct collateral_bundle *bundle)
{
    if (!bundle)
        return;
    arena_drop(&bundle->arena);
    mem_free(NULL, bundle);
}

size_t
collateral_bundle_count(const struct collateral_bundle *bundle)
{
    return bundle->count;
}

const struct collateral_item *
collateral_bundle_at(const struct collateral_bundle *bundle, size_t i)
{
    return &bundle->items[i];
}

const struct collateral_item *
collateral_bundle_find(const struct collateral_bundle *bundle,
                       const struct kds_path *path)
{
    struct collateral_item key = { .path = *path };

    return bsearch(&key, bundle->items, bundle->count, sizeof(key),
                   compare_items);
}
