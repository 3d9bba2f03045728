/* The coordinator as a process: what its files share. */
#ifndef ASSAY_COORDINATOR_DAEMON_H
#define ASSAY_COORDINATOR_DAEMON_H

#include "atls/hooks.h"
#include "atls/issuer.h"
#include "atls/validator.h"
#include "common/trust.h"
#include "log.h"
#include "net/grpc_server.h"
#include "net/http1_server.h"
#include "service/guard.h"
#include "service/metrics.h"
#include "store/store_file.h"

struct values {
    struct trust_options trust;
    const char *state;
    const char *listen_user;
    const char *listen_mesh;
    const char *listen_metrics;
    const char *tsm;
    const char *log_level;
    bool metrics;
    bool strict;
    bool allow_insecure;
};

struct job;

/* Calls of one service on their way to the thread pool, which handshakes use
 * as well: no service may take all of its threads. The loop's thread only. */
struct lane {
    unsigned threads; /* at most */
    unsigned running;
    unsigned waiting;
    struct job *first, *last; /* of those waiting */
};

/* Everything is made in this order and ended in the reverse. */
struct daemon {
    const struct invocation *inv;
    const struct values *values;
    struct log log;
    struct trust trust;
    struct store_file *file;
    struct store store;
    struct guard_config guard_config;
    struct guard *guard;
    struct metrics metrics; /* the loop's thread only */
    struct issue_config issue;
    struct atls_issuer issuer;
    struct atls_context *tls;
    struct atls_endpoint user_endpoint;
    struct tls_hooks user_hooks;
    struct tls_hooks mesh_hooks;
    struct loop *loop;
    struct grpc_server *user;
    struct grpc_server *mesh;
    struct http1_server *probes;
    struct loop_timer *watch;
    struct lane read_lane; /* of the user API */
    struct lane write_lane;
    struct lane mesh_lane;
    size_t connections_max; /* of each server */
    bool watching;          /* a look at the store is under way */
    unsigned stopping;      /* servers that have not stopped yet */
};

/* One call on its way through the thread pool. */
struct job {
    struct daemon *d;
    struct lane *lane;
    struct job *next; /* waiting in the lane */
    struct grpc_call *call;
    /* Thread pool: answers. Sets response, or err. */
    enum grpc_code (*run)(struct job *job);
    const struct key *caller; /* borrowed from the connection */
    struct mesh_conn *conn;   /* likewise; mesh API only */
    struct buffer response;   /* may hold secrets */
    struct assay_error err;
    enum grpc_code code;
};

/* Answers call from the thread pool, when its lane has a thread for it. */
void job_start(struct daemon *d, struct lane *lane, struct grpc_call *call,
               enum grpc_code (*run)(struct job *job));

/* The ceilings of one server. */
struct grpc_limits daemon_limits(const struct daemon *d);

/* user.c, mesh.c: the services. */
ASSAY_MUST_CHECK
enum assay_status user_start(struct daemon *d, struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status mesh_start(struct daemon *d, struct assay_error *err);

/* probes.c: metrics and health. */
ASSAY_MUST_CHECK
enum assay_status probes_start(struct daemon *d, struct assay_error *err);

/* For both servers' observers; ctx is the daemon. */
void daemon_call_started(void *ctx, const char *path);
void daemon_call_handled(void *ctx, const char *path, enum grpc_code code,
                         uint64_t duration_us);

#endif
