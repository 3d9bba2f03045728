/* The state directory of `assay dev`, and the services that run from it.
 *
 *   assay-dev            marks the directory as ours; locked while a verb works
 *   state.json           the plan, with addresses: see dev_plan.h
 *   run/SERVICE.pid      see dev_proc.h
 *   logs/SERVICE.log
 *   vendor/              state and trust anchors of the simulated vendor
 *   vm/POD/              the simulated processor of each pod
 *   coordinator/         the coordinator's history
 *   pods/POD/contrast/   what the initializer left for the pod
 *   owner/               manifest.json, workload-owner.pem, CA certificates
 *
 * Services are "vendor", "vm-POD", "coordinator" and "pod-POD". */
#ifndef ASSAY_CLI_DEV_DIR_H
#define ASSAY_CLI_DEV_DIR_H

#include "base/arena.h"
#include "base/error.h"

#include "cli/dev_plan.h"
#include "cli/dev_proc.h"

/* What every simulated guest of a deployment is: good enough for the manifest
 * that `up` writes. */
#define DEV_PRODUCT "Genoa"
#define DEV_TCB "9,0,23,72"

struct dev_dir {
    const char *path; /* absolute */
    struct arena *arena;
    const char *marker; /* environment entry of everything we start */
    int lock;
};

/* The directory meant by --dir (NULL: the default) as an absolute path in the
 * arena; NULL when the arena is full or $HOME is needed and unset. */
const char *dev_dir_choose(const char *option, struct arena *arena);

/* Creates or opens the directory and locks it.
 * ASSAY_ERR_NOT_FOUND  !create and there is none
 * ASSAY_ERR_CONFLICT   another `assay dev` works on it, or it has contents
 *                      and is not ours */
ASSAY_MUST_CHECK
enum assay_status dev_dir_open(const char *path, bool create,
                               struct arena *arena, struct dev_dir *out,
                               struct assay_error *err);
void dev_dir_close(struct dev_dir *dir);

/* Stops every service, unmounts, removes the directory. Returns how many
 * services were still running. Does not remove a directory that is not ours. */
unsigned dev_dir_remove(struct dev_dir *dir);

/* Path within the directory; NULL when the arena is full. */
char *dev_dir_path(const struct dev_dir *dir, const char *fmt, ...)
    ASSAY_PRINTF(2, 3);

/* The manifest that `up` sets, and the simulated vendor's root certificate. */
const char *dev_manifest_path(const struct dev_dir *dir);
const char *dev_anchor_path(const struct dev_dir *dir);

/* Starts a service. env is what it gets besides PATH, HOME, LANG, TMPDIR and
 * the sanitizers' options; may be NULL. */
struct dev_service {
    const char *name;
    const char **argv;
    const char **env;
    const char *cwd;
};
ASSAY_MUST_CHECK
enum assay_status dev_service_start(const struct dev_dir *dir,
                                    const struct dev_service *service,
                                    struct assay_error *err);

/* Runs one to its end; *code is its exit code, or 128 + a signal. */
ASSAY_MUST_CHECK
enum assay_status dev_service_run(const struct dev_dir *dir,
                                  const struct dev_service *service, int *code,
                                  struct assay_error *err);

/* The last line of its log, without control characters. */
void dev_service_last_words(const struct dev_dir *dir, const char *name,
                            char *text, size_t size);

/* False when it has ended or never ran. */
bool dev_service_alive(const struct dev_dir *dir, const char *name,
                       struct dev_proc *proc);

/* Waits until ready(ctx) is true.
 * ASSAY_ERR_IO  the service ended, it took longer, or a signal arrived; the
 *               sentence quotes the last line of its log */
typedef bool dev_ready_fn(const char *ctx);
ASSAY_MUST_CHECK
enum assay_status dev_service_wait(const struct dev_dir *dir, const char *name,
                                   dev_ready_fn *ready, const char *ctx,
                                   unsigned seconds, struct assay_error *err);

bool dev_ready_listens(const char *address); /* a TCP connect succeeds */
bool dev_ready_exists(const char *path);

/* Fills out with different "127.0.0.1:PORT" that nothing listened on a moment
 * ago. False when count is over DEV_ADDRESSES_MAX or there are none. */
enum { DEV_ADDRESSES_MAX = 2 * DEV_PODS_MAX };
bool dev_free_addresses(struct arena *arena, const char **out, size_t count);

/* Absolute path of a program of ours: beside this one, in the build tree, or
 * just its name for PATH. */
const char *dev_program(struct arena *arena, const char *name);

#endif
