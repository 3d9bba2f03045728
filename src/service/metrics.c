#include "service/metrics.h"

#include <assert.h>
#include <string.h>

static const struct {
    uint64_t us;
    const char *text; /* in seconds, as upstream spells it */
} bounds[METRICS_BUCKETS] = {
    { 100, "0.0001" }, { 500, "0.0005" },  { 1000, "0.001" }, { 5000, "0.005" },
    { 10000, "0.01" }, { 50000, "0.05" },  { 100000, "0.1" }, { 500000, "0.5" },
    { 1000000, "1" },  { 2500000, "2.5" }, { 5000000, "5" },
};

void
metrics_add_method(struct metrics *m, const char *path)
{
    assert(m->method_count < METRICS_METHODS_MAX);
    m->methods[m->method_count++] = (struct metrics_method){ .path = path };
}

static struct metrics_method *
find(struct metrics *m, const char *path)
{
    for (size_t i = 0; i < m->method_count; i++) {
        if (strcmp(m->methods[i].path, path) == 0)
            return &m->methods[i];
    }
    return NULL;
}

void
metrics_started(struct metrics *m, const char *path)
{
    struct metrics_method *method = find(m, path);

    if (method)
        method->started++;
}

void
metrics_received(struct metrics *m, const char *path)
{
    struct metrics_method *method = find(m, path);

    if (method)
        method->received++;
}

void
metrics_handled(struct metrics *m, const char *path, enum grpc_code code,
                uint64_t duration_us)
{
    struct metrics_method *method = find(m, path);
    size_t i = 0;

    if (!method || (unsigned)code >= GRPC_CODE_COUNT)
        return;
    method->handled[code]++;
    method->sent += code == GRPC_OK;
    method->count++;
    method->sum_us += duration_us;
    while (i < METRICS_BUCKETS && duration_us > bounds[i].us)
        i++;
    if (i < METRICS_BUCKETS)
        method->bucket[i]++;
}

static void
head(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* name{grpc_type="unary",grpc_service="...",grpc_method="..." without the
 * closing brace, so that more labels can follow. */
static void
labels(struct buffer *out, const char *name, const struct metrics_method *m)
{
    const char *service = m->path + 1;
    const char *slash = strchr(service, '/');

    buffer_addf(out,
                "%s{grpc_type=\"unary\",grpc_service=\"%.*s\","
                "grpc_method=\"%s\"",
                name, (int)(slash - service), service, slash + 1);
}

static void
render_counter(const struct metrics *m, const char *name, const char *help,
               size_t offset, struct buffer *out)
{
    head(out, name, "counter", help);
    for (size_t i = 0; i < m->method_count; i++) {
        uint64_t value;

        memcpy(&value, (const char *)&m->methods[i] + offset, sizeof(value));
        labels(out, name, &m->methods[i]);
        buffer_addf(out, "} %llu\n", (unsigned long long)value);
    }
}

/* OK is always there, so that a rate can be taken of it from the start. */
static void
render_handled(const struct metrics *m, struct buffer *out)
{
    static const char name[] = "contrast_grpc_server_handled_total";

    head(out, name, "counter", "Calls completed, by code.");
    for (size_t i = 0; i < m->method_count; i++) {
        for (int code = 0; code < GRPC_CODE_COUNT; code++) {
            uint64_t value = m->methods[i].handled[code];

            if (value == 0 && code != GRPC_OK)
                continue;
            labels(out, name, &m->methods[i]);
            buffer_addf(out, ",grpc_code=\"%s\"} %llu\n",
                        grpc_code_camel((enum grpc_code)code),
                        (unsigned long long)value);
        }
    }
}

static void
render_bucket(const struct metrics_method *m, const char *bound, uint64_t value,
              struct buffer *out)
{
    labels(out, "contrast_grpc_server_handling_seconds_bucket", m);
    buffer_addf(out, ",le=\"%s\"} %llu\n", bound, (unsigned long long)value);
}

static void
render_histogram(const struct metrics_method *m, struct buffer *out)
{
    uint64_t below = 0;

    for (size_t i = 0; i < METRICS_BUCKETS; i++) {
        below += m->bucket[i];
        render_bucket(m, bounds[i].text, below, out);
    }
    render_bucket(m, "+Inf", m->count, out);
    labels(out, "contrast_grpc_server_handling_seconds_sum", m);
    buffer_addf(out, "} %llu.%06llu\n",
                (unsigned long long)(m->sum_us / 1000000),
                (unsigned long long)(m->sum_us % 1000000));
    labels(out, "contrast_grpc_server_handling_seconds_count", m);
    buffer_addf(out, "} %llu\n", (unsigned long long)m->count);
}

void
metrics_render(const struct metrics *m, struct buffer *out)
{
    render_counter(m, "contrast_grpc_server_started_total", "Calls started.",
                   offsetof(struct metrics_method, started), out);
    render_counter(m, "contrast_grpc_server_msg_received_total",
                   "Request messages received.",
                   offsetof(struct metrics_method, received), out);
    render_counter(m, "contrast_grpc_server_msg_sent_total",
                   "Response messages sent.",
                   offsetof(struct metrics_method, sent), out);
    render_handled(m, out);
    head(out, "contrast_grpc_server_handling_seconds", "histogram",
         "Time from a call's first byte to its answer.");
    for (size_t i = 0; i < m->method_count; i++)
        render_histogram(&m->methods[i], out);
    head(out, "contrast_coordinator_manifest_generation", "gauge",
         "Manifests set so far; 0 when none is active.");
    buffer_addf(out, "contrast_coordinator_manifest_generation %llu\n",
                (unsigned long long)m->generation);
    head(out, "contrast_meshapi_attestation_failures_total", "counter",
         "Mesh API clients whose evidence was refused.");
    buffer_addf(out, "contrast_meshapi_attestation_failures_total %llu\n",
                (unsigned long long)m->attestation_failures);
}
