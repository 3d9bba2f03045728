/* Load on a coordinator's mesh API: each request is a whole mutual aTLS
 * handshake with fresh evidence, and one NewMeshCert.
 *
 *   bench-mesh HOST:PORT TSM-SOCKET THREADS COUNT
 *
 * Prints "requests failed seconds per_second p50_ms p99_ms". The evidence
 * comes from a simulated processor on the same machine, so its signature is
 * part of what is measured. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "atls/issuer.h"
#include "crypto/random.h"
#include "service/client.h"

struct bench {
    struct atls_issuer issuer;
    const char *target;
    size_t count;
    atomic_size_t next, failed;
    double *latency_ms; /* one per request */
};

static double
now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static bool
request(const struct bench *b)
{
    const struct atls_params params = { .issuer = &b->issuer,
                                        .clock = &clock_system,
                                        .random = &random_system };
    const struct coordinator c = { .target = b->target,
                                   .params = &params,
                                   .deadline_ms = 30000 };
    struct mesh_cert got = { 0 };
    struct assay_error err = { 0 };
    struct arena arena;
    enum assay_status st;

    arena_init(&arena, 1 << 20, NULL);
    st = coordinator_new_mesh_cert(&c, &arena, &got, &err);
    if (st != ASSAY_OK)
        (void)fprintf(stderr, "bench-mesh: %s\n", err.text);
    mesh_cert_wipe(&got);
    arena_drop(&arena);
    return st == ASSAY_OK;
}

static void *
work(void *arg)
{
    struct bench *b = arg;
    size_t i;

    while ((i = atomic_fetch_add(&b->next, 1)) < b->count) {
        double start = now_ms();

        if (!request(b))
            atomic_fetch_add(&b->failed, 1);
        b->latency_ms[i] = now_ms() - start;
    }
    return NULL;
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
run(struct bench *b, size_t threads)
{
    pthread_t *ids = calloc(threads, sizeof(*ids));
    double start = now_ms(), seconds;

    if (!ids)
        exit(3);
    for (size_t i = 0; i < threads; i++) {
        if (pthread_create(&ids[i], NULL, work, b) != 0)
            exit(3);
    }
    for (size_t i = 0; i < threads; i++)
        (void)pthread_join(ids[i], NULL);
    seconds = (now_ms() - start) / 1e3;
    qsort(b->latency_ms, b->count, sizeof(*b->latency_ms), compare);
    (void)printf("%zu %zu %.2f %.1f %.2f %.2f\n", b->count,
                 atomic_load(&b->failed), seconds, (double)b->count / seconds,
                 b->latency_ms[b->count / 2],
                 b->latency_ms[b->count * 99 / 100]);
    free(ids);
}

int
main(int argc, char **argv)
{
    struct issue_config issue = { .vmpl = COLLECT_VMPL_DEFAULT };
    struct bench b = { 0 };
    size_t threads;

    if (argc != 5) {
        (void)fprintf(stderr,
                      "usage: bench-mesh HOST:PORT TSM-SOCKET THREADS COUNT\n");
        return 2;
    }
    issue.collect = (struct collect_config){ .tsm_path = argv[2],
                                             .random = &random_system };
    atls_vm_issuer_init(&b.issuer, &issue);
    b.target = argv[1];
    threads = strtoul(argv[3], NULL, 10);
    b.count = strtoul(argv[4], NULL, 10);
    if (threads == 0 || threads > 64 || b.count == 0 || b.count > 10000000)
        return 2;
    b.latency_ms = calloc(b.count, sizeof(*b.latency_ms));
    if (!b.latency_ms)
        return 3;
    run(&b, threads);
    free(b.latency_ms);
    return atomic_load(&b.failed) > 0;
}
