/* A pod in process mode: the initializer, then the application, in a sandbox
 * of their own (bubblewrap) that holds what a guest would hold and no more:
 * the system's programs read-only, the application, the directory the
 * initializer fills, and a simulated processor where the kernel would offer
 * the real one. The network is the host's loopback. */
#ifndef ASSAY_CLI_DEV_POD_H
#define ASSAY_CLI_DEV_POD_H

#include "cli/dev_dir.h"

/* How a simulated processor is reached. */
struct dev_vm {
    const char *dir;   /* absolute; below the state directory */
    const char *tsm;   /* directory or socket inside dir, for --tsm */
    bool is_directory; /* a FUSE mount with the kernel's layout */
};

/* True when pods can be sandboxed here; else why says what is missing. */
bool dev_pod_sandbox_works(const struct dev_dir *dir, const char **why);

/* Starts the pod's service "pod-NAME". */
ASSAY_MUST_CHECK
enum assay_status dev_pod_start(const struct dev_dir *dir,
                                const struct dev_plan *plan,
                                const struct dev_pod *pod,
                                const struct dev_vm *vm,
                                struct assay_error *err);

#endif
