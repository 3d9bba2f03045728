/* What `assay dev` runs: the pods of an example, and where they listen.
 *
 * Read from the example's assay-dev.json, completed with addresses by `up`,
 * and kept as state.json in the state directory for the other verbs. */
#ifndef ASSAY_CLI_DEV_PLAN_H
#define ASSAY_CLI_DEV_PLAN_H

#include "base/arena.h"
#include "base/error.h"

enum {
    DEV_PODS_MAX = 16,
    DEV_STRINGS_MAX = 32, /* words of a command, names of a certificate */
    DEV_PLAN_MAX_BYTES = 64 * 1024,
};

struct dev_strings {
    const char **items; /* NULL-terminated */
    size_t count;
};

struct dev_pod {
    const char *name;   /* letters, digits and '-' */
    const char *policy; /* file of the policy document, within app_dir */
    const char *secret; /* ID of the workload secret; NULL: none */
    struct dev_strings sans;
    struct dev_strings command; /* empty for the coordinator */
    bool coordinator;           /* exactly one pod is */
    const char *address;        /* "127.0.0.1:PORT", once up */
    const char *identity;       /* SHA-256 of the policy document, in hex */
};

struct dev_plan {
    const char *app_dir; /* absolute */
    struct dev_pod *pods;
    size_t pod_count;
    bool sandbox;         /* pods run under bubblewrap */
    const char *user_api; /* of the coordinator, "127.0.0.1:PORT" */
    const char *mesh_api;
    const char *probes;
    const char *vendor; /* the simulated vendor's "127.0.0.1:PORT" */
};

/* Reads path; everything lives in the arena. The sentence names the file, the
 * place in it, got and want. Refuses a plan without exactly one coordinator,
 * with a name twice, or with a name or path that leads out of its place. */
ASSAY_MUST_CHECK
enum assay_status dev_plan_read(const char *path, struct arena *arena,
                                struct dev_plan *out, struct assay_error *err);

/* Writes a plan so that dev_plan_read gives it back. */
ASSAY_MUST_CHECK
enum assay_status dev_plan_write(const char *path, const struct dev_plan *plan,
                                 struct assay_error *err);

const struct dev_pod *dev_plan_coordinator(const struct dev_plan *plan);

/* Printf into the arena; NULL when it is full. */
char *dev_text(struct arena *arena, const char *fmt, ...) ASSAY_PRINTF(2, 3);

#endif
