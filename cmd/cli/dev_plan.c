#include "cli/dev_plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "codec/json.h"

enum { NAME_MAX_LEN = 32 };

char *
dev_text(struct arena *arena, const char *fmt, ...)
{
    va_list args, again;
    char *text;
    int len;

    va_start(args, fmt);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, args);
    text = len < 0 ? NULL : arena_alloc(arena, (size_t)len + 1);
    if (text)
        (void)vsnprintf(text, (size_t)len + 1, fmt, again);
    va_end(again);
    va_end(args);
    return text;
}

const struct dev_pod *
dev_plan_coordinator(const struct dev_plan *plan)
{
    for (size_t i = 0; i < plan->pod_count; i++)
        if (plan->pods[i].coordinator)
            return &plan->pods[i];
    return NULL;
}

/* A string without NUL inside; NULL stays NULL where it is optional. */
static enum assay_status
text_member(const struct json *obj, const char *key, bool required,
            const char **out, struct assay_error *err)
{
    const struct json *v = json_get(obj, key);

    if (!v && !required)
        return ASSAY_OK;
    if (!v || v->type != JSON_STRING ||
        memchr(v->text.ptr, '\0', v->text.len) != NULL)
        return assay_fail(err, ASSAY_ERR_MALFORMED, "%s: got %s, want text",
                          key, json_type_name(v));
    *out = (const char *)v->text.ptr;
    return ASSAY_OK;
}

static enum assay_status
strings_member(const struct json *obj, const char *key, struct arena *arena,
               struct dev_strings *out, struct assay_error *err)
{
    const struct json *v = json_get(obj, key);
    struct dev_strings got = { 0 };

    if (v && (v->type != JSON_ARRAY || v->count > DEV_STRINGS_MAX))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "%s: got %s, want a list of at most %d texts", key,
                          json_type_name(v), DEV_STRINGS_MAX);
    got.count = v ? v->count : 0;
    got.items = arena_array(arena, got.count + 1, sizeof(*got.items));
    if (!got.items)
        return assay_nomem(err, key);
    for (size_t i = 0; i < got.count; i++) {
        if (v->items[i].type != JSON_STRING)
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "%s[%zu]: got %s, want text", key, i,
                              json_type_name(&v->items[i]));
        got.items[i] = (const char *)v->items[i].text.ptr;
    }
    *out = got;
    return ASSAY_OK;
}

/* A name becomes part of file names and of a host name. */
static bool
name_ok(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= NAME_MAX_LEN && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static bool
path_ok(const char *path)
{
    return path[0] != '/' && path[0] != '\0' && !strstr(path, "..");
}

static enum assay_status
pod_check(const struct dev_pod *pod, const char *role, struct assay_error *err)
{
    if (!name_ok(pod->name))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "name: got \"%.40s\", want 1 to %d of a-z 0-9 -",
                          pod->name, NAME_MAX_LEN);
    if (!path_ok(pod->policy))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "policy: got \"%.80s\", want a path inside the "
                          "example",
                          pod->policy);
    if (role && !pod->coordinator)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "role: got \"%.40s\", want \"coordinator\" or none",
                          role);
    if (!pod->coordinator && pod->command.count == 0)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "command: got nothing, want what the pod runs");
    return ASSAY_OK;
}

static enum assay_status
pod_decode(const struct json *v, struct arena *arena, struct dev_pod *out,
           struct assay_error *err)
{
    struct dev_pod pod = { 0 };
    const char *role = NULL;
    enum assay_status st = text_member(v, "name", true, &pod.name, err);

    if (st == ASSAY_OK)
        st = text_member(v, "policy", true, &pod.policy, err);
    if (st == ASSAY_OK)
        st = text_member(v, "secret", false, &pod.secret, err);
    if (st == ASSAY_OK)
        st = text_member(v, "role", false, &role, err);
    if (st == ASSAY_OK)
        st = text_member(v, "address", false, &pod.address, err);
    if (st == ASSAY_OK)
        st = text_member(v, "identity", false, &pod.identity, err);
    if (st == ASSAY_OK)
        st = strings_member(v, "sans", arena, &pod.sans, err);
    if (st == ASSAY_OK)
        st = strings_member(v, "command", arena, &pod.command, err);
    if (st != ASSAY_OK)
        return st;
    pod.coordinator = role && strcmp(role, "coordinator") == 0;
    st = pod_check(&pod, role, err);
    if (st == ASSAY_OK)
        *out = pod;
    return st;
}

static enum assay_status
pods_check(const struct dev_plan *plan, struct assay_error *err)
{
    size_t coordinators = 0;

    for (size_t i = 0; i < plan->pod_count; i++) {
        coordinators += plan->pods[i].coordinator;
        for (size_t j = 0; j < i; j++)
            if (strcmp(plan->pods[i].name, plan->pods[j].name) == 0)
                return assay_fail(err, ASSAY_ERR_MALFORMED,
                                  "pods: the name \"%s\" twice",
                                  plan->pods[i].name);
    }
    if (coordinators != 1)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "pods: got %zu with role coordinator, want 1",
                          coordinators);
    return ASSAY_OK;
}

static enum assay_status
pods_decode(const struct json *v, struct arena *arena, struct dev_plan *plan,
            struct assay_error *err)
{
    enum assay_status st = ASSAY_OK;

    if (!v || v->type != JSON_ARRAY || v->count > DEV_PODS_MAX)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "pods: got %s, want a list of at most %d",
                          json_type_name(v), DEV_PODS_MAX);
    plan->pods = arena_array(arena, v->count + 1, sizeof(*plan->pods));
    if (!plan->pods)
        return assay_nomem(err, "pods");
    plan->pod_count = v->count;
    for (size_t i = 0; i < v->count && st == ASSAY_OK; i++) {
        st = pod_decode(&v->items[i], arena, &plan->pods[i], err);
        st = assay_context(err, st, "pods[%zu]", i);
    }
    return st == ASSAY_OK ? pods_check(plan, err) : st;
}

static enum assay_status
plan_decode(struct span text, const char *name, struct arena *arena,
            struct dev_plan *plan, struct assay_error *err)
{
    const struct json_options opts = { .name = name };
    const struct json *sandbox;
    struct json v;
    enum assay_status st = json_parse(text, &opts, arena, &v, err);

    if (st != ASSAY_OK)
        return st;
    sandbox = json_get(&v, "sandbox");
    plan->sandbox = sandbox && sandbox->boolean;
    st = pods_decode(json_get(&v, "pods"), arena, plan, err);
    if (st == ASSAY_OK)
        st = text_member(&v, "app_dir", false, &plan->app_dir, err);
    if (st == ASSAY_OK)
        st = text_member(&v, "user_api", false, &plan->user_api, err);
    if (st == ASSAY_OK)
        st = text_member(&v, "mesh_api", false, &plan->mesh_api, err);
    if (st == ASSAY_OK)
        st = text_member(&v, "probes", false, &plan->probes, err);
    if (st == ASSAY_OK)
        st = text_member(&v, "vendor", false, &plan->vendor, err);
    return assay_context(err, st, "%s", name);
}

enum assay_status
dev_plan_read(const char *path, struct arena *arena, struct dev_plan *out,
              struct assay_error *err)
{
    struct dev_plan plan = { 0 };
    struct buffer text;
    enum assay_status st;

    buffer_init(&text, DEV_PLAN_MAX_BYTES, NULL);
    st = file_read(path, &text, err);
    if (st == ASSAY_OK)
        st = plan_decode(buffer_span(&text), path, arena, &plan, err);
    buffer_free(&text);
    if (st == ASSAY_OK)
        *out = plan;
    return st;
}

static void
put_optional(struct json_writer *w, const char *key, const char *text)
{
    if (text)
        jw_put_str(w, key, text);
}

static void
put_strings(struct json_writer *w, const char *key,
            const struct dev_strings *list)
{
    if (list->count == 0)
        return;
    jw_key(w, key);
    jw_array(w);
    for (size_t i = 0; i < list->count; i++)
        jw_str(w, list->items[i]);
    jw_end(w);
}

static void
pod_encode(struct json_writer *w, const struct dev_pod *pod)
{
    jw_object(w);
    jw_put_str(w, "name", pod->name);
    jw_put_str(w, "policy", pod->policy);
    put_optional(w, "secret", pod->secret);
    put_optional(w, "role", pod->coordinator ? "coordinator" : NULL);
    put_optional(w, "address", pod->address);
    put_optional(w, "identity", pod->identity);
    put_strings(w, "sans", &pod->sans);
    put_strings(w, "command", &pod->command);
    jw_end(w);
}

enum assay_status
dev_plan_write(const char *path, const struct dev_plan *plan,
               struct assay_error *err)
{
    struct buffer text;
    struct json_writer w;
    enum assay_status st;

    buffer_init(&text, DEV_PLAN_MAX_BYTES, NULL);
    w = json_writer_over(&text, 2);
    jw_object(&w);
    put_optional(&w, "app_dir", plan->app_dir);
    jw_put_bool(&w, "sandbox", plan->sandbox);
    put_optional(&w, "user_api", plan->user_api);
    put_optional(&w, "mesh_api", plan->mesh_api);
    put_optional(&w, "probes", plan->probes);
    put_optional(&w, "vendor", plan->vendor);
    jw_key(&w, "pods");
    jw_array(&w);
    for (size_t i = 0; i < plan->pod_count; i++)
        pod_encode(&w, &plan->pods[i]);
    jw_end(&w);
    jw_end(&w);
    buffer_add_str(&text, "\n");
    st = buffer_check(&text, path, err);
    if (st == ASSAY_OK)
        st = file_write_atomic(path, buffer_span(&text), 0600, err);
    buffer_free(&text);
    return st;
}
