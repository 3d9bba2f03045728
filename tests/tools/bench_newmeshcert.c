/* How many certificates a second, and what they cost the coordinator.
 *
 *   bench_newmeshcert COORDINATOR TSM THREADS COUNT [PID]
 *
 * Each certificate is a connection of its own with fresh evidence from the
 * (simulated) processor, as pods make them. Prints one line: rate, median and
 * 99th percentile, failures, and the resident memory of PID before and after.
 *
 * Exit code: 0 when all succeeded, 1 when some failed, 2 usage. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "atls/issuer.h"
#include "crypto/random.h"
#include "service/client.h"

enum { THREADS_MAX = 64, ARENA_BYTES = 4 * 1024 * 1024, DEADLINE_MS = 30000 };

struct bench {
    const char *target;
    struct snp_issue_config issue;
    struct atls_issuer issuer;
    size_t count;
    atomic_size_t next;
    atomic_size_t failed;
    double *ms; /* one per certificate */
};

static double
now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void
one(struct bench *b)
{
    const struct atls_params params = { .issuer = &b->issuer,
                                        .clock = &clock_system,
                                        .random = &random_system };
    const struct coordinator c = { .target = b->target,
                                   .params = &params,
                                   .deadline_ms = DEADLINE_MS };
    struct mesh_cert got = { 0 };
    struct assay_error err = { 0 };
    struct arena arena;

    arena_init(&arena, ARENA_BYTES, NULL);
    if (coordinator_new_mesh_cert(&c, &arena, &got, &err) != ASSAY_OK &&
        atomic_fetch_add(&b->failed, 1) == 0)
        (void)fprintf(stderr, "bench_newmeshcert: %s\n", err.text);
    mesh_cert_wipe(&got);
    arena_drop(&arena);
}

static void *
work(void *ctx)
{
    struct bench *b = ctx;
    size_t i;

    while ((i = atomic_fetch_add(&b->next, 1)) < b->count) {
        double began = now_ms();

        one(b);
        b->ms[i] = now_ms() - began;
    }
    return NULL;
}

static int
by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static long
resident_kib(const char *pid)
{
    char path[64], line[256];
    long kib = -1;
    FILE *f;

    (void)snprintf(path, sizeof(path), "/proc/%.20s/status", pid);
    f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f)) {
        if (sscanf(line, "VmRSS: %ld", &kib) == 1)
            break;
    }
    if (f)
        (void)fclose(f);
    return kib;
}

static double
run(struct bench *b, long threads)
{
    pthread_t ids[THREADS_MAX];
    long started = 0;
    double began = now_ms();

    while (started < threads &&
           pthread_create(&ids[started], NULL, work, b) == 0)
        started++;
    for (long i = 0; i < started; i++)
        (void)pthread_join(ids[i], NULL);
    return (now_ms() - began) / 1e3;
}

int
main(int argc, char **argv)
{
    long threads = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
    long count = argc > 4 ? strtol(argv[4], NULL, 10) : 0;
    const char *pid = argc > 5 ? argv[5] : "self";
    struct bench b = { .target = argc > 1 ? argv[1] : NULL };
    long before;
    double seconds;

    if (threads < 1 || threads > THREADS_MAX || count < 1) {
        (void)fprintf(stderr, "usage: bench_newmeshcert COORDINATOR TSM "
                              "THREADS COUNT [PID]\n");
        return 2;
    }
    b.count = (size_t)count;
    b.ms = calloc(b.count, sizeof(*b.ms));
    if (!b.ms)
        return 2;
    b.issue.collect.tsm_path = argv[2];
    b.issue.collect.random = &random_system;
    b.issue.vmpl = COLLECT_VMPL_DEFAULT;
    atls_snp_issuer_init(&b.issuer, &b.issue);
    before = resident_kib(pid);
    seconds = run(&b, threads);
    qsort(b.ms, b.count, sizeof(*b.ms), by_value);
    (void)printf("certificates=%ld per_second=%.0f p50_ms=%.1f p99_ms=%.1f "
                 "failed=%zu rss_before_kib=%ld rss_after_kib=%ld\n",
                 count, (double)count / seconds, b.ms[b.count / 2],
                 b.ms[b.count - 1 - b.count / 100], atomic_load(&b.failed),
                 before, resident_kib(pid));
    free(b.ms);
    return atomic_load(&b.failed) > 0;
}
