/* assay-coordinator: options, wiring, start and end. */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/limits.h"
#include "common/output.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "daemon.h"

enum {
    GRACE_MS = 20000, /* CI section 15 */
    WATCH_MS = 5000,  /* between looks at the store's head */
    /* Handshakes, calls and the watch share the pool. Those that wait for the
     * vendor's service keep a thread each; so that there is always one for who
     * does not, all ceilings together stay below the pool's size. */
    POOL_THREADS = 16,
    COLLATERAL_WAITERS = 8,
    READ_THREADS = 2,  /* each may hold three times the longest history */
    WRITE_THREADS = 1, /* SetManifest and Recover: never behind the readers */
    MESH_THREADS = 3,  /* short work: a signature or two */
};

static const struct option options[] = {
    { .name = "state",
      .help = "where the history of manifests is kept",
      OPT_TEXT(struct values, state, "DIR"),
      .required = true },
    { .name = "listen-user",
      .help = "user API: set, verify, recover",
      OPT_TEXT(struct values, listen_user, "HOST:PORT"),
      .fallback = ":1313" },
    { .name = "listen-mesh",
      .help = "mesh API: certificates for pods",
      OPT_TEXT(struct values, listen_mesh, "HOST:PORT"),
      .fallback = ":7777" },
    { .name = "listen-metrics",
      .help = "probes and metrics, plain HTTP",
      OPT_TEXT(struct values, listen_metrics, "HOST:PORT"),
      .fallback = ":9102" },
    { .name = "metrics",
      .help = "serve /metrics ($CONTRAST_METRICS)",
      OPT_FLAG(struct values, metrics) },
    { .name = "tsm",
      .help = "configfs-tsm directory or socket to get evidence from",
      OPT_TEXT(struct values, tsm, "PATH") },
    { .name = "strict",
      .help = "warnings about a pod's evidence refuse it",
      OPT_FLAG(struct values, strict) },
    { .name = "allow-insecure-platform",
      .help = "serve manifests that ask for no hardware; INSECURE",
      OPT_FLAG(struct values, allow_insecure) },
    { .name = "log-level",
      .help = "debug, info, warn or error ($CONTRAST_LOG_LEVEL)",
      OPT_TEXT(struct values, log_level, "LEVEL") },
    TRUST_OPTION_ROWS(struct values, trust),
    { 0 },
};

/* --- jobs ---------------------------------------------------------------- */

static void
job_work(void *ctx)
{
    struct job *job = ctx;

    job->code = job->run(job);
}

static void
job_refuse(struct job *job, const char *why)
{
    grpc_call_reply(job->call, GRPC_RESOURCE_EXHAUSTED, why, span_str(NULL));
    free(job);
}

static void job_done(void *ctx);

static void
lane_advance(struct lane *lane)
{
    while (lane->first && lane->running < lane->threads) {
        struct job *job = lane->first;

        lane->first = job->next;
        lane->waiting--;
        if (grpc_call_cancelled(job->call)) {
            job_refuse(job, "cancelled"); /* nobody hears it */
        } else if (loop_work(job->d->loop, job_work, job_done, job, NULL) ==
                   ASSAY_OK) {
            lane->running++;
        } else {
            job_refuse(job, "out of memory");
        }
    }
}

static bool
lane_is_full(const struct lane *lane, const struct net_address *peer)
{
    unsigned same = 0;

    if (lane->waiting < LIMIT_CALLS_WAITING / 2)
        return false;
    for (const struct job *j = lane->first; j; j = j->next)
        same += net_address_same_ip(grpc_call_peer(j->call), peer);
    return lane->waiting >= LIMIT_CALLS_WAITING ||
           same >= LIMIT_CALLS_WAITING / 2;
}

static void
job_done(void *ctx)
{
    struct job *job = ctx;
    struct lane *lane = job->lane;

    grpc_call_reply(job->call, job->code,
                    job->code == GRPC_OK ? NULL : job->err.text,
                    buffer_span(&job->response));
    secret_buffer_free(&job->response);
    free(job);
    lane->running--;
    lane_advance(lane);
}

void
job_start(struct daemon *d, struct lane *lane, struct grpc_call *call,
          enum grpc_code (*run)(struct job *job))
{
    const struct atls_peer *peer = atls_peer_get(grpc_call_ssl(call));
    struct job *job = calloc(1, sizeof(*job));

    metrics_received(&d->metrics, grpc_call_path(call));
    if (!job || lane_is_full(lane, grpc_call_peer(call))) {
        grpc_call_reply(call, GRPC_RESOURCE_EXHAUSTED,
                        job ? "too many calls wait: try again"
                            : "out of memory",
                        span_str(NULL));
        free(job);
        return;
    }
    *job = (struct job){ .d = d,
                         .lane = lane,
                         .call = call,
                         .run = run,
                         .caller = peer->key,
                         .conn = peer->result };
    buffer_init(&job->response, LIMIT_HISTORY_RESPONSE_BYTES, NULL);
    job->response.wipe = true;
    if (lane->first)
        lane->last->next = job;
    else
        lane->first = job;
    lane->last = job;
    lane->waiting++;
    lane_advance(lane);
}

struct grpc_limits
daemon_limits(const struct daemon *d)
{
    struct grpc_limits limits;

    grpc_limits_default(&limits);
    if (limits.connections_max > d->connections_max)
        limits.connections_max = d->connections_max;
    return limits;
}

void
daemon_call_started(void *ctx, const char *path)
{
    struct daemon *d = ctx;

    metrics_started(&d->metrics, path);
}

void
daemon_call_handled(void *ctx, const char *path, enum grpc_code code,
                    uint64_t duration_us)
{
    struct daemon *d = ctx;

    metrics_handled(&d->metrics, path, code, duration_us);
}

/* --- the store's head ---------------------------------------------------- */

static void
watch_work(void *ctx)
{
    struct daemon *d = ctx;
    struct assay_error err;
    enum assay_status st = guard_reconcile(d->guard, &err);

    if (st == ASSAY_ERR_CONFLICT)
        log_event(&d->log, LOG_ERROR, "recovery needed", "reason", err.text,
                  NULL);
    else if (st != ASSAY_OK)
        log_event(&d->log, LOG_WARN, "store cannot be read", "reason", err.text,
                  NULL);
}

static void
watch_done(void *ctx)
{
    struct daemon *d = ctx;

    d->watching = false;
}

static void
watch_fire(void *ctx)
{
    struct daemon *d = ctx;

    if (d->watching)
        return;
    d->watching =
        loop_work(d->loop, watch_work, watch_done, d, NULL) == ASSAY_OK;
}

/* --- the end ------------------------------------------------------------- */

static void
server_stopped(void *ctx)
{
    struct daemon *d = ctx;

    if (--d->stopping == 0)
        loop_stop(d->loop);
}

/* The second signal ends the patience. */
static void
on_signal(void *ctx, int signum)
{
    struct daemon *d = ctx;
    bool again = d->stopping > 0;

    (void)signum;
    log_event(&d->log, LOG_INFO, again ? "stopping at once" : "stopping", NULL);
    if (!again)
        d->stopping = 2;
    grpc_server_stop(d->user, again ? 0 : GRACE_MS, server_stopped, d);
    grpc_server_stop(d->mesh, again ? 0 : GRACE_MS, server_stopped, d);
}

static void
daemon_close(struct daemon *d)
{
    loop_timer_free(d->watch);
    http1_server_free(d->probes);
    grpc_server_free(d->mesh);
    grpc_server_free(d->user);
    if (d->loop)
        loop_free(d->loop); /* waits for the jobs */
    atls_context_free(d->tls);
    guard_free(d->guard);
    store_file_close(d->file);
    trust_close(&d->trust);
}

/* --- the start ----------------------------------------------------------- */

/* Seed and keys live in our memory. */
static void
keep_memory_private(void)
{
    const struct rlimit none = { 0, 0 };

    (void)setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__ /* its leak check attaches to us */
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* Many threads that each allocate a little would leave an arena apiece. */
static void
keep_memory_small(void)
{
    (void)mallopt(M_ARENA_MAX, 2);
    (void)mallopt(M_MMAP_THRESHOLD, 256 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 256 * 1024);
}

static void
log_fetch(void *ctx, const struct kds_event *event)
{
    struct daemon *d = ctx;
    static const char *const messages[] = {
        [KDS_FETCHED] = "collateral fetched",
        [KDS_CACHED] = "collateral from the cache",
        [KDS_STALE] = "collateral could not be renewed, older copy used",
        [KDS_RETRY] = "collateral: trying again",
        [KDS_FAILED] = "collateral could not be had",
        [KDS_NOTE] = "collateral cache cannot be used",
    };
    bool good = event->outcome == KDS_FETCHED || event->outcome == KDS_CACHED;

    log_peer_event(&d->log, good ? LOG_DEBUG : LOG_WARN,
                   messages[event->outcome], "what", event->what, "reason",
                   event->reason[0] ? event->reason : NULL, NULL);
}

static int
open_trust(struct daemon *d)
{
    struct trust_options opts = d->values->trust;
    int code;

    opts.kds_total_ms = TRUST_HANDSHAKE_KDS_MS;
    opts.kds_waiters = COLLATERAL_WAITERS;
    code = trust_open(d->inv, &opts, log_fetch, d, &d->trust);
    if (code != EXIT_YES)
        return code;
    for (size_t i = 0; i < d->trust.anchors.count; i++) {
        if (!d->trust.anchors.extra[i].vendor)
            log_event(&d->log, LOG_WARN,
                      "INSECURE: a root that is not AMD's is believed", NULL);
    }
    return EXIT_YES;
}

static enum assay_status
open_guard(struct daemon *d, struct assay_error *err)
{
    const struct store_file_config config = { .dir = d->values->state };
    enum assay_status st = store_file_open(&config, &d->file, err);

    if (st != ASSAY_OK)
        return st;
    d->store = store_file_store(d->file);
    d->guard_config = (struct guard_config){
        .store = &d->store,
        .clock = &clock_system,
        .random = &random_system,
        .appraiser = { .anchors = &d->trust.anchors,
                       .source = d->trust.source,
                       .cache = d->trust.cache,
                       .tdx_cache = d->trust.tdx_cache,
                       .crl = d->values->trust.offline ? SNP_CRL_OPTIONAL
                                                       : SNP_CRL_NEEDED,
                       .strict = d->values->strict,
                       .allow_insecure = d->values->allow_insecure },
    };
    return guard_new(&d->guard_config, &d->guard, err);
}

static void
open_issuer(struct daemon *d)
{
    d->issue = (struct issue_config){
        .collect = { .tsm_path = d->values->tsm, .random = &random_system },
        .vmpl = COLLECT_VMPL_DEFAULT,
        .collateral = d->trust.source,
    };
    atls_vm_issuer_init(&d->issuer, &d->issue);
}

static enum assay_status
start_servers(struct daemon *d, struct assay_error *err)
{
    enum assay_status st = loop_new(&d->loop, err);

    if (st == ASSAY_OK)
        st = atls_context_new(ATLS_SERVER, &d->tls, err);
    if (st == ASSAY_OK)
        st = loop_on_signals(d->loop, on_signal, d, err);
    if (st == ASSAY_OK)
        st = loop_timer_new(d->loop, true, watch_fire, d, &d->watch, err);
    if (st == ASSAY_OK)
        st = user_start(d, err);
    if (st == ASSAY_OK)
        st = mesh_start(d, err);
    if (st == ASSAY_OK)
        st = probes_start(d, err);
    if (st == ASSAY_OK)
        loop_timer_start(d->watch, WATCH_MS, WATCH_MS);
    return st;
}

static void
log_start(struct daemon *d)
{
    char user[NET_ADDRESS_TEXT_SIZE], mesh[NET_ADDRESS_TEXT_SIZE],
        probes[NET_ADDRESS_TEXT_SIZE];
    struct net_address a = grpc_server_address(d->user);
    enum guard_phase phase = guard_phase(d->guard);

    net_address_format(&a, user);
    a = grpc_server_address(d->mesh);
    net_address_format(&a, mesh);
    a = http1_server_address(d->probes);
    net_address_format(&a, probes);
    log_event(&d->log, LOG_INFO, "serving", "user", user, "mesh", mesh,
              "probes", probes, "state", guard_phase_name(phase), NULL);
    if (phase == GUARD_NEEDS_RECOVERY)
        log_event(&d->log, LOG_WARN,
                  "there is a history but no seed: a seedshare owner has to "
                  "recover it",
                  NULL);
}

static int
serve(struct daemon *d)
{
    struct assay_error err = { 0 };
    enum assay_status st;
    int code = open_trust(d);

    if (code != EXIT_YES)
        return code;
    open_issuer(d);
    st = open_guard(d, &err);
    if (st == ASSAY_OK)
        st = start_servers(d, &err);
    if (st != ASSAY_OK) {
        log_event(&d->log, LOG_ERROR, "cannot start", "reason", err.text, NULL);
        return EXIT_UNKNOWN;
    }
    log_start(d);
    loop_run(d->loop);
    log_event(&d->log, LOG_INFO, "stopped", NULL);
    return EXIT_YES;
}

/* Two servers share the files that the process may have open. */
static size_t
connections_of(size_t files)
{
    return files > 2 * LIMIT_FILES_RESERVED ? (files - LIMIT_FILES_RESERVED) / 2
                                            : LIMIT_FILES_RESERVED / 2;
}

static int
run(struct invocation *inv)
{
    struct values values = *(const struct values *)inv->values;
    struct daemon d = { .inv = inv,
                        .values = &values,
                        .read_lane = { .threads = READ_THREADS },
                        .write_lane = { .threads = WRITE_THREADS },
                        .mesh_lane = { .threads = MESH_THREADS } };
    const char *level_text = values.log_level;
    enum log_level level = LOG_INFO;
    int code;

    if (!level_text)
        level_text = getenv("CONTRAST_LOG_LEVEL");
    if (level_text && !log_level_parse(level_text, &level)) {
        talk(inv, "--log-level: got \"%s\", want debug, info, warn or error",
             level_text);
        return EXIT_USAGE;
    }
    if (getenv("CONTRAST_METRICS"))
        values.metrics = true;
    keep_memory_private();
    keep_memory_small();
    loop_pool_threads(POOL_THREADS);
    d.connections_max = connections_of(loop_raise_file_limit());
    log_init(&d.log, level);
    (void)fprintf(stderr, "%s %s\nReport issues as CONTRIBUTING.md says.\n",
                  inv->program->name, ASSAY_VERSION);
    code = serve(&d);
    daemon_close(&d);
    return code;
}

static const struct command coordinator = {
    .name = "",
    .summary = "verify pods, and issue certificates to those a manifest names",
    .options = options,
    .values_size = sizeof(struct values),
    .details =
        "Answers SetManifest, GetManifests and Recover on the user API and "
        "NewMeshCert on the mesh API, over attested TLS. The history of "
        "manifests survives in --state; the seed does not: after a restart a "
        "seedshare owner recovers it. SIGTERM ends gracefully within 20 s.",
    .example = "assay-coordinator --state /var/lib/assay",
    .run = run,
};

static const struct command *const commands[] = { &coordinator, NULL };

static const struct program program = {
    .name = "assay-coordinator",
    .summary = "verify pods, and issue certificates to those a manifest names",
    .commands = commands,
    .example = "assay-coordinator --state /var/lib/assay",
};

int
main(int argc, char **argv)
{
    return program_main(&program, argc, argv);
}
