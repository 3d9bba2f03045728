/* The coordinator's counters, and their text for Prometheus (CI section 15).
 *
 * One thread owns a struct metrics: the loop's. Labels come from a fixed list
 * of methods, so what a peer sends cannot make the list grow. */
#ifndef ASSAY_SERVICE_METRICS_H
#define ASSAY_SERVICE_METRICS_H

#include "net/grpc.h"

enum { METRICS_METHODS_MAX = 12, METRICS_BUCKETS = 11 };

struct metrics_method {
    const char *path; /* "/package.Service/Method"; static */
    uint64_t started;
    uint64_t received; /* complete requests */
    uint64_t sent;     /* responses with a message */
    uint64_t handled[GRPC_CODE_COUNT];
    uint64_t bucket[METRICS_BUCKETS]; /* not cumulative */
    uint64_t count;
    uint64_t sum_us;
};

struct metrics {
    struct metrics_method methods[METRICS_METHODS_MAX];
    size_t method_count;
    uint64_t attestation_failures; /* of the mesh API's clients */
    uint64_t generation;           /* of the manifest; 0: none */
};

/* Methods appear in the text from the start, with zeros. A path beyond
 * METRICS_METHODS_MAX is our mistake. */
void metrics_add_method(struct metrics *m, const char *path);

/* Unknown paths are ignored. */
void metrics_started(struct metrics *m, const char *path);
void metrics_received(struct metrics *m, const char *path);
void metrics_handled(struct metrics *m, const char *path, enum grpc_code code,
                     uint64_t duration_us);

/* Appends the text exposition format, version 0.0.4. */
void metrics_render(const struct metrics *m, struct buffer *out);

#endif
