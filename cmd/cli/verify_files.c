#include "cli/verify_files.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "codec/json.h"
#include "crypto/digest.h"

enum {
    HEX_SIZE = 2 * SHA256_SIZE + 1,
    /* base64 of the whole history, and room for names */
    EXPORT_BYTES = 2 * LIMIT_USER_RESPONSE_BYTES,
    SEEN_BYTES = 4 * 1024 * 1024,
};

enum assay_status
verify_steps_make(const struct manifest_history *history,
                  struct verify_step *steps, struct assay_error *err)
{
    struct history_hash previous = { { 0 } };
    enum assay_status st = ASSAY_OK;

    for (size_t i = 0; st == ASSAY_OK && i < history->manifest_count; i++) {
        struct transition t = { .previous = previous };

        st = digest_sha256(history->manifests[i], t.manifest.bytes, err);
        if (st == ASSAY_OK)
            st = transition_hash(&t, &steps[i].transition, err);
        steps[i].manifest = t.manifest;
        previous = steps[i].transition;
    }
    return st;
}

static enum assay_status
path_in(char path[PATH_MAX], const char *dir, const char *name,
        struct assay_error *err)
{
    int len = snprintf(path, PATH_MAX, "%s/%s", dir, name);

    if (len < 0 || len >= PATH_MAX)
        return assay_fail(err, ASSAY_ERR_LIMIT, "path too long: %s", dir);
    return ASSAY_OK;
}

static enum assay_status
write_in(const char *dir, const char *name, struct span bytes,
         struct assay_error *err)
{
    char path[PATH_MAX];
    enum assay_status st = path_in(path, dir, name, err);

    return st == ASSAY_OK ? file_write_atomic(path, bytes, 0644, err) : st;
}

static void
hash_hex(const struct history_hash *h, char hex[HEX_SIZE])
{
    hex_encode(span_of(h->bytes, sizeof(h->bytes)), hex);
}

/* -- seen.json: { "<transition>": "<time>", ... } -- */

static void
recall(const char *path, struct verify_step *steps, size_t count,
       struct arena *arena)
{
    struct buffer file;
    struct json seen;

    buffer_init(&file, SEEN_BYTES, NULL);
    if (file_read(path, &file, NULL) == ASSAY_OK &&
        json_parse(buffer_span(&file), NULL, arena, &seen, NULL) == ASSAY_OK) {
        for (size_t i = 0; i < count; i++) {
            const struct json *when;
            char hex[HEX_SIZE];

            hash_hex(&steps[i].transition, hex);
            when = json_get(&seen, hex);
            if (when && when->type == JSON_STRING &&
                rfc3339_parse(when->text, &steps[i].seen, NULL) != ASSAY_OK)
                steps[i].seen = 0;
        }
    }
    buffer_free(&file);
}

enum assay_status
verify_steps_seen(const char *dir, int64_t now, struct verify_step *steps,
                  size_t count, struct arena *arena, struct assay_error *err)
{
    char path[PATH_MAX], hex[HEX_SIZE], when[RFC3339_SIZE];
    struct json_writer w;
    struct buffer out;
    enum assay_status st = path_in(path, dir, "seen.json", err);

    if (st != ASSAY_OK)
        return st;
    recall(path, steps, count, arena);
    buffer_init(&out, SEEN_BYTES, NULL);
    w = json_writer_over(&out, 2);
    jw_object(&w);
    for (size_t i = 0; i < count; i++) {
        if (steps[i].seen == 0)
            steps[i].seen = now;
        hash_hex(&steps[i].transition, hex);
        rfc3339_format(steps[i].seen, when);
        jw_put_str(&w, hex, when);
    }
    jw_end(&w);
    buffer_add_str(&out, "\n");
    st = buffer_check(&out, path, err);
    if (st == ASSAY_OK)
        st = file_write_atomic(path, buffer_span(&out), 0644, err);
    buffer_free(&out);
    return st;
}

/* -- history.yml -- */

static void
export_object(struct buffer *out, const char *kind, const char *key,
              struct span value)
{
    struct json_writer w = json_writer_over(out, 0);

    buffer_addf(out,
                "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n"
                "  name: contrast-store-%s-%s\n  labels:\n"
                "    app.kubernetes.io/managed-by: contrast.edgeless.systems\n"
                "binaryData:\n  \"%s\": ",
                kind, key, key);
    jw_base64(&w, value); /* a JSON string is a YAML string */
    buffer_add_str(out, "\n");
}

static enum assay_status
export_hashed(struct buffer *out, const char *kind, struct span value,
              struct assay_error *err)
{
    struct history_hash h;
    char hex[HEX_SIZE];
    enum assay_status st = digest_sha256(value, h.bytes, err);

    if (st != ASSAY_OK)
        return st;
    hash_hex(&h, hex);
    export_object(out, kind, hex, value);
    return ASSAY_OK;
}

static enum assay_status
export_transition(struct buffer *out, const struct verify_step *steps, size_t i,
                  struct assay_error *err)
{
    struct history_hash bytes[2] = { steps[i].manifest };

    if (i > 0)
        bytes[1] = steps[i - 1].transition;
    return export_hashed(out, "transitions", span_of(bytes, sizeof(bytes)),
                         err);
}

static void
export_latest(struct buffer *out, const struct manifest_history *history)
{
    struct buffer latest;

    if (history->transition_hash.len == 0)
        return; /* an old coordinator does not tell */
    buffer_init(&latest, 4096, NULL);
    buffer_add(&latest, history->transition_hash);
    buffer_add(&latest, history->signature);
    export_object(out, "transitions", "latest", buffer_span(&latest));
    out->failed = out->failed || latest.failed;
    buffer_free(&latest);
}

static enum assay_status
export_all(const struct manifest_history *history,
           const struct verify_step *steps, struct buffer *out,
           struct assay_error *err)
{
    enum assay_status st = ASSAY_OK;

    for (size_t i = 0; st == ASSAY_OK && i < history->manifest_count; i++) {
        st = export_hashed(out, "manifests", history->manifests[i], err);
        if (st == ASSAY_OK)
            st = export_transition(out, steps, i, err);
    }
    for (size_t i = 0; st == ASSAY_OK && i < history->policy_count; i++)
        st = export_hashed(out, "policies", history->policies[i], err);
    export_latest(out, history);
    return st == ASSAY_OK ? buffer_check(out, "history.yml", err) : st;
}

/* -- all files -- */

static enum assay_status
write_manifests(const char *dir, const struct manifest_history *history,
                struct assay_error *err)
{
    enum assay_status st = ASSAY_OK;

    for (size_t i = 0; st == ASSAY_OK && i < history->manifest_count; i++) {
        char name[48];

        (void)snprintf(name, sizeof(name), "manifest.%zu.json", i);
        st = write_in(dir, name, history->manifests[i], err);
    }
    return st;
}

/* Initdata is TOML and says its version; Rego text begins with a package. */
static bool
is_rego(struct span document)
{
    for (size_t i = 0; i + 8 <= document.len; i++) {
        if (i > 0 && document.ptr[i - 1] != '\n')
            continue;
        if (memcmp(document.ptr + i, "package ", 8) == 0)
            return true;
        if (memcmp(document.ptr + i, "version", 7) == 0)
            return false;
    }
    return false;
}

static enum assay_status
write_policies(const char *dir, const struct manifest_history *history,
               struct assay_error *err)
{
    enum assay_status st = ASSAY_OK;

    for (size_t i = 0; st == ASSAY_OK && i < history->policy_count; i++) {
        bool rego = is_rego(history->policies[i]);
        struct history_hash h;
        char hex[HEX_SIZE], name[HEX_SIZE + 24];

        st = digest_sha256(history->policies[i], h.bytes, err);
        if (st != ASSAY_OK)
            break;
        hash_hex(&h, hex);
        (void)snprintf(name, sizeof(name), "%s.%s.%s",
                       rego ? "policy" : "initdata", hex,
                       rego ? "rego" : "toml");
        st = write_in(dir, name, history->policies[i], err);
    }
    return st;
}

static enum assay_status
write_latest(const char *dir, const struct verify_step *steps, size_t count,
             struct assay_error *err)
{
    char hex[HEX_SIZE];

    if (count == 0)
        return ASSAY_OK;
    hash_hex(&steps[count - 1].transition, hex);
    return write_in(dir, "latest-transition", span_str(hex), err);
}

enum assay_status
verify_files_write(const char *dir, const struct manifest_history *history,
                   const struct verify_step *steps, struct assay_error *err)
{
    struct buffer all;
    enum assay_status st =
        write_in(dir, "coordinator-root-ca.pem", history->root_ca, err);

    if (st == ASSAY_OK)
        st = write_in(dir, "mesh-ca.pem", history->mesh_ca, err);
    if (st == ASSAY_OK)
        st = write_manifests(dir, history, err);
    if (st == ASSAY_OK)
        st = write_policies(dir, history, err);
    if (st == ASSAY_OK)
        st = write_latest(dir, steps, history->manifest_count, err);
    if (st != ASSAY_OK)
        return st;
    buffer_init(&all, EXPORT_BYTES, NULL);
    st = export_all(history, steps, &all, err);
    if (st == ASSAY_OK)
        st = write_in(dir, "history.yml", buffer_span(&all), err);
    buffer_free(&all);
    return st;
}
