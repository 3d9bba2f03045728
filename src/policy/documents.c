#include "policy/documents.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "codec/gzip.h"
#include "codec/yaml.h"

static const char initdata_annotation[] =
    "io.katacontainers.config.hypervisor.cc_init_data";
static const char policy_annotation[] = "io.katacontainers.config.agent.policy";

const struct policy_document *
policy_documents_find(const struct policy_documents *docs,
                      const uint8_t hash[SHA256_SIZE])
{
    for (size_t i = 0; i < docs->count; i++) {
        if (memcmp(docs->list[i].hash, hash, SHA256_SIZE) == 0)
            return &docs->list[i];
    }
    return NULL;
}

static bool
make_room(struct policy_documents *docs)
{
    size_t cap = docs->cap ? docs->cap * 2 : 16;
    struct policy_document *list;

    if (docs->count < docs->cap)
        return true;
    list = arena_array(docs->arena, cap, sizeof(*list));
    if (!list)
        return false;
    if (docs->count > 0)
        memcpy(list, docs->list, docs->count * sizeof(*list));
    docs->list = list;
    docs->cap = cap;
    return true;
}

enum assay_status
policy_documents_add_bytes(struct policy_documents *docs, struct span bytes,
                           const char *source, struct assay_error *err)
{
    struct policy_document doc = { 0 };
    enum assay_status st = digest_sha256(bytes, doc.hash, err);

    if (st != ASSAY_OK || policy_documents_find(docs, doc.hash))
        return st; /* replicas share a document */
    if (docs->count == LIMIT_POLICIES)
        return assay_fail(err, ASSAY_ERR_LIMIT, "more than %d policies",
                          LIMIT_POLICIES);
    doc.source = arena_strdup(docs->arena, span_str(source));
    if (!doc.source || !arena_dup(docs->arena, bytes, &doc.bytes) ||
        !make_room(docs))
        return assay_nomem(err, "policies");
    docs->list[docs->count++] = doc;
    return ASSAY_OK;
}

/* One file while it is searched. */
struct scan {
    struct policy_documents *docs;
    const char *path;
};

/* The bytes behind an annotation's base64 text, in a fresh buffer. */
static enum assay_status
base64_take(struct span text, struct buffer *out, struct assay_error *err)
{
    size_t len = base64_decoded_max(text.len);
    uint8_t *bytes = mem_alloc(NULL, len + 1);

    if (!bytes)
        return assay_nomem(err, "annotation");
    if (base64_decode(text, bytes, &len))
        buffer_add(out, span_of(bytes, len));
    else
        len = SIZE_MAX;
    mem_free(NULL, bytes);
    if (len == SIZE_MAX)
        return assay_fail(err, ASSAY_ERR_MALFORMED, "not base64");
    return buffer_check(out, "annotation", err);
}

static enum assay_status
take_rego(void *ctx, struct span text, struct assay_error *err)
{
    const struct scan *scan = ctx;
    struct buffer doc;
    enum assay_status st;

    buffer_init(&doc, LIMIT_POLICY_BYTES, NULL);
    st = base64_take(text, &doc, err);
    if (st == ASSAY_OK)
        st = policy_documents_add_bytes(scan->docs, buffer_span(&doc),
                                        scan->path, err);
    buffer_free(&doc);
    return assay_context(err, st, "%s: %s", scan->path, policy_annotation);
}

static enum assay_status
take_initdata(void *ctx, struct span text, struct assay_error *err)
{
    const struct scan *scan = ctx;
    struct buffer packed, doc;
    enum assay_status st;

    buffer_init(&packed, LIMIT_POLICY_BYTES, NULL);
    buffer_init(&doc, LIMIT_POLICY_BYTES, NULL);
    st = base64_take(text, &packed, err);
    if (st == ASSAY_OK)
        st = gzip_decode(buffer_span(&packed), &doc, err);
    if (st == ASSAY_OK)
        st = policy_documents_add_bytes(scan->docs, buffer_span(&doc),
                                        scan->path, err);
    buffer_free(&packed);
    buffer_free(&doc);
    return assay_context(err, st, "%s: %s", scan->path, initdata_annotation);
}

static bool
ends_with(const char *text, const char *tail)
{
    size_t n = strlen(text), m = strlen(tail);

    return n >= m && strcmp(text + n - m, tail) == 0;
}

static bool
is_yaml(const char *path)
{
    return ends_with(path, ".yaml") || ends_with(path, ".yml");
}

enum assay_status
policy_documents_add_yaml(struct policy_documents *docs, struct span text,
                          const char *source, struct assay_error *err)
{
    struct scan scan = { docs, source };
    enum assay_status st =
        yaml_find(text, source, initdata_annotation, take_initdata, &scan, err);

    if (st == ASSAY_OK)
        st = yaml_find(text, source, policy_annotation, take_rego, &scan, err);
    return st;
}

static enum assay_status
scan_file(struct policy_documents *docs, const char *path,
          struct assay_error *err)
{
    struct buffer file;
    enum assay_status st;

    buffer_init(&file, LIMIT_YAML_BYTES, NULL);
    st = file_read(path, &file, err);
    if (st == ASSAY_OK &&
        (ends_with(path, ".toml") || ends_with(path, ".rego")))
        st = policy_documents_add_bytes(docs, buffer_span(&file), path, err);
    else if (st == ASSAY_OK)
        st = policy_documents_add_yaml(docs, buffer_span(&file), path, err);
    buffer_free(&file);
    return st;
}

static enum assay_status scan_path(struct policy_documents *docs,
                                   const char *path, unsigned depth,
                                   struct assay_error *err);

static enum assay_status
scan_entry(struct policy_documents *docs, const char *dir, const char *name,
           unsigned depth, struct assay_error *err)
{
    char path[PATH_MAX];
    struct stat sb;
    int len = snprintf(path, sizeof(path), "%s/%s", dir, name);

    if (name[0] == '.')
        return ASSAY_OK;
    if (len < 0 || (size_t)len >= sizeof(path))
        return assay_fail(err, ASSAY_ERR_LIMIT, "path too long: %s", dir);
    if (stat(path, &sb) != 0)
        return assay_fail(err, ASSAY_ERR_IO, "%s: cannot be read", path);
    if (!S_ISDIR(sb.st_mode) && !(S_ISREG(sb.st_mode) && is_yaml(path)))
        return ASSAY_OK;
    return scan_path(docs, path, depth + 1, err);
}

static enum assay_status
scan_dir(struct policy_documents *docs, const char *dir, unsigned depth,
         struct assay_error *err)
{
    struct dirent **names = NULL;
    int count = scandir(dir, &names, NULL, alphasort);
    enum assay_status st = ASSAY_OK;

    if (count < 0)
        return assay_fail(err, ASSAY_ERR_IO, "%s: cannot be read", dir);
    for (int i = 0; i < count; i++) {
        if (st == ASSAY_OK)
            st = scan_entry(docs, dir, names[i]->d_name, depth, err);
        free(names[i]);
    }
    free(names);
    return st;
}

static enum assay_status
scan_path(struct policy_documents *docs, const char *path, unsigned depth,
          struct assay_error *err)
{
    struct stat sb;

    if (depth > LIMIT_FOLDER_DEPTH)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "%s: deeper than %d folders; a link in a circle?",
                          path, LIMIT_FOLDER_DEPTH);
    if (stat(path, &sb) == 0 && S_ISDIR(sb.st_mode))
        return scan_dir(docs, path, depth, err);
    return scan_file(docs, path, err);
}

enum assay_status
policy_documents_add(struct policy_documents *docs, const char *path,
                     struct assay_error *err)
{
    return scan_path(docs, path, 0, err);
}
