/* assay dev status and logs: what a deployment on this machine is doing. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/commands.h"
#include "cli/dev_options.h"
#include "codec/json.h"
#include "codec/pem.h"
#include "common/output.h"
#include "crypto/x509.h"

enum {
    LOG_MAX_BYTES = 64 * 1024 * 1024,
    STATUS_MAX_BYTES = 1024 * 1024,
    CHAIN_MAX_BYTES = 128 * 1024,
};

/* ---- status ---- */

struct status_values {
    const char *dir;
    unsigned output;
};

static const struct option status_options[] = {
    OPT_ROW_DEV_DIR(struct status_values, dir),
    OPT_ROW_OUTPUT(struct status_values, output),
    { 0 },
};

struct pod_status {
    const char *state;          /* "running", "attesting", "ended" */
    const char *verdict;        /* of the coordinator on it */
    char expires[RFC3339_SIZE]; /* "-" without a certificate */
};

/* When the first certificate of a chain ends. */
static bool
leaf_expiry(const char *path, char out[RFC3339_SIZE])
{
    struct buffer text, der;
    struct pem_block block;
    struct cert *leaf = NULL;
    struct span rest;
    bool found = false;

    buffer_init(&text, CHAIN_MAX_BYTES, NULL);
    buffer_init(&der, LIMIT_CERT_BYTES, NULL);
    if (file_read(path, &text, NULL) == ASSAY_OK) {
        rest = buffer_span(&text);
        found = pem_next(&rest, &block, NULL) == ASSAY_OK &&
                pem_decode(&block, &der, NULL) == ASSAY_OK &&
                cert_parse(buffer_span(&der), &leaf, NULL) == ASSAY_OK;
    }
    if (found)
        rfc3339_format(cert_not_after(leaf), out);
    cert_free(leaf);
    buffer_free(&der);
    buffer_free(&text);
    return found;
}

static void
examine(const struct dev_dir *dir, const struct dev_pod *pod,
        struct pod_status *out)
{
    const char *chain = dev_dir_path(
        dir, "pods/%s/contrast/tls-config/certChain.pem", pod->name);
    const char *service = pod->coordinator
                              ? "coordinator"
                              : dev_text(dir->arena, "pod-%s", pod->name);
    struct dev_proc proc;
    bool alive = service && dev_service_alive(dir, service, &proc);
    bool certified = chain && leaf_expiry(chain, out->expires);

    if (!certified)
        (void)snprintf(out->expires, sizeof(out->expires), "-");
    if (!alive)
        out->state = "ended";
    else
        out->state = certified || pod->coordinator ? "running" : "attesting";
    out->verdict = certified ? "accepted" : "-";
}

static void
render_text(const struct dev_dir *dir, const struct dev_plan *plan,
            struct buffer *out)
{
    struct pod_status s;

    buffer_addf(out, "%-14s %-10s %-16s %-21s %-9s %s\n", "POD", "STATE",
                "IDENTITY", "CERTIFICATE UNTIL", "VERDICT", "ADDRESS");
    for (size_t i = 0; i < plan->pod_count; i++) {
        const struct dev_pod *pod = &plan->pods[i];

        examine(dir, pod, &s);
        buffer_addf(out, "%-14s %-10s %-16.16s %-21s %-9s %s\n", pod->name,
                    s.state, pod->identity, s.expires, s.verdict, pod->address);
    }
    buffer_addf(
        out, "\nINSECURE: simulated processors, vendor at http://%s%s\n",
        plan->vendor, plan->sandbox ? "" : "; pods run without a sandbox");
}

static void
render_json(const struct dev_dir *dir, const struct dev_plan *plan,
            struct buffer *out)
{
    struct json_writer w = json_writer_over(out, 2);
    struct pod_status s;

    jw_object(&w);
    jw_put_str(&w, "dir", dir->path);
    jw_put_bool(&w, "insecure", true);
    jw_put_bool(&w, "sandbox", plan->sandbox);
    jw_put_str(&w, "user_api", plan->user_api);
    jw_put_str(&w, "mesh_api", plan->mesh_api);
    jw_put_str(&w, "probes", plan->probes);
    jw_put_str(&w, "vendor", plan->vendor);
    jw_key(&w, "pods");
    jw_array(&w);
    for (size_t i = 0; i < plan->pod_count; i++) {
        const struct dev_pod *pod = &plan->pods[i];

        examine(dir, pod, &s);
        jw_object(&w);
        jw_put_str(&w, "name", pod->name);
        jw_put_str(&w, "state", s.state);
        jw_put_str(&w, "identity", pod->identity);
        jw_put_str(&w, "expires", s.expires);
        jw_put_str(&w, "verdict", s.verdict);
        jw_put_str(&w, "address", pod->address);
        jw_end(&w);
    }
    jw_end(&w);
    jw_end(&w);
    buffer_add_str(out, "\n");
}

/* "yes" only when every pod runs with a certificate. */
static int
overall(const struct dev_dir *dir, const struct dev_plan *plan)
{
    struct pod_status s;

    for (size_t i = 0; i < plan->pod_count; i++) {
        examine(dir, &plan->pods[i], &s);
        if (strcmp(s.state, "running") != 0)
            return EXIT_NO;
    }
    return EXIT_YES;
}

static int
run_status(struct invocation *inv)
{
    const struct status_values *v = inv->values;
    struct dev_plan plan;
    struct dev_dir dir;
    struct buffer out;
    int code = dev_open(inv, v->dir, &dir, &plan);

    if (code != EXIT_YES)
        return code;
    buffer_init(&out, STATUS_MAX_BYTES, NULL);
    if (v->output == OUTPUT_JSON)
        render_json(&dir, &plan, &out);
    else
        render_text(&dir, &plan, &out);
    code = print_buffer(inv, &out, overall(&dir, &plan));
    dev_dir_close(&dir);
    return code;
}

const struct command dev_status_command = {
    .name = "dev status",
    .summary = "show the pods of the deployment on this machine",
    .options = status_options,
    .values_size = sizeof(struct status_values),
    .details = "Exits with 0 when every pod runs, 1 when one does not or "
               "nothing is up.",
    .example = "assay dev status",
    .run = run_status,
};

/* ---- logs ---- */

struct logs_values {
    const char *dir;
};

static const struct option logs_options[] = {
    OPT_ROW_DEV_DIR(struct logs_values, dir),
    { 0 },
};

/* Lines of a log, each behind its service's name. */
static void
append_log(const struct dev_dir *dir, const char *service, struct buffer *out)
{
    const char *path = dev_dir_path(dir, "logs/%s.log", service);
    struct buffer text;
    struct span rest;

    buffer_init(&text, LOG_MAX_BYTES, NULL);
    if (!path || file_read(path, &text, NULL) != ASSAY_OK)
        buffer_clear(&text);
    rest = buffer_span(&text);
    while (rest.len > 0) {
        const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) : rest.len;

        buffer_addf(out, "%-14s | ", service);
        buffer_add_escaped(out, span_sub(rest, 0, len));
        buffer_add_str(out, "\n");
        len += end ? 1 : 0;
        rest = span_sub(rest, len, rest.len - len);
    }
    buffer_free(&text);
}

static int
run_logs(struct invocation *inv)
{
    const struct logs_values *v = inv->values;
    const char *wanted = inv->operands.count ? inv->operands.items[0] : NULL;
    struct dev_plan plan;
    struct dev_dir dir;
    struct buffer out;
    bool found = !wanted;
    int code = dev_open(inv, v->dir, &dir, &plan);

    if (code != EXIT_YES)
        return code;
    buffer_init(&out, LOG_MAX_BYTES, NULL);
    for (size_t i = 0; i < plan.pod_count; i++) {
        const struct dev_pod *pod = &plan.pods[i];
        const char *service = pod->coordinator
                                  ? "coordinator"
                                  : dev_text(inv->arena, "pod-%s", pod->name);

        if (!service || (wanted && strcmp(wanted, pod->name) != 0))
            continue;
        append_log(&dir, service, &out);
        found = true;
    }
    dev_dir_close(&dir);
    if (!found) {
        talk(inv, "%s: no such pod; see: assay dev status", wanted);
        buffer_free(&out);
        return EXIT_USAGE;
    }
    return print_buffer(inv, &out, EXIT_YES);
}

const struct command dev_logs_command = {
    .name = "dev logs",
    .summary = "print what the pods have written",
    .operands = "[POD]",
    .operands_max = 1,
    .options = logs_options,
    .values_size = sizeof(struct logs_values),
    .example = "assay dev logs coordinator",
    .run = run_logs,
};
