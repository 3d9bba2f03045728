/* Background processes that a later command finds again.
 *
 * A process is known by its number and by when it started: a number alone may
 * belong to a stranger by the time we want to stop it. Each leads a session
 * of its own, so that stopping it stops what it started. */
#ifndef ASSAY_CLI_DEV_PROC_H
#define ASSAY_CLI_DEV_PROC_H

#include <sys/types.h>

#include "base/error.h"

struct dev_proc {
    pid_t pid;
    uint64_t started; /* clock ticks between boot and its start */
};

/* argv[0] is a path, or is looked up in PATH; environ is the child's whole
 * environment; log receives stdout and stderr, appended. */
struct dev_spawn {
    char *const *argv;
    char *const *environ;
    const char *log;
    const char *cwd; /* NULL: ours */
};

/* Starts a process with nothing on stdin and all signals at their defaults.
 * ASSAY_ERR_NOT_FOUND when there is no such program, ASSAY_ERR_IO. */
ASSAY_MUST_CHECK
enum assay_status dev_proc_spawn(const struct dev_spawn *spec,
                                 struct dev_proc *out, struct assay_error *err);

/* Waits for one we started; its exit code, or 128 + the signal. */
int dev_proc_wait(const struct dev_proc *proc);

/* False for one that ended, even when nobody has collected it yet. */
bool dev_proc_alive(const struct dev_proc *proc);

/* Asks it and its children to end, and after grace_ms makes them. */
void dev_proc_stop(const struct dev_proc *proc, unsigned grace_ms);

/* Kills whatever carries the environment entry marker ("NAME=value"): what was
 * orphaned, or forked away. Returns how many. */
unsigned dev_proc_sweep(const char *marker);

/* One line "PID STARTED" in a file. */
ASSAY_MUST_CHECK
enum assay_status dev_proc_save(const char *path, const struct dev_proc *proc,
                                struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status dev_proc_load(const char *path, struct dev_proc *out,
                                struct assay_error *err);

/* Makes SIGINT, SIGTERM and SIGHUP wait for dev_pause, so that an interrupted
 * `up` can take down what it started. */
void dev_signals_hold(void);

/* Sleeps. True when one of those signals arrived instead. */
bool dev_pause(unsigned ms);

#endif
