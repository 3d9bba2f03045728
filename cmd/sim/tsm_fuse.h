/* Shows a struct tsm as a directory, through FUSE. */
#ifndef ASSAY_SIM_TSM_FUSE_H
#define ASSAY_SIM_TSM_FUSE_H

#include "sim/tsm.h"

struct tsm_mount;

/* Mounts over an existing directory; a dead mount left there is removed first.
 * Users other than the caller may use it when root mounts. From here on SIGINT,
 * SIGTERM and SIGHUP end tsm_mount_run instead of the process. */
ASSAY_MUST_CHECK
enum assay_status tsm_mount_new(struct tsm *tsm, const char *dir,
                                struct tsm_mount **out,
                                struct assay_error *err);

/* Serves until such a signal or an unmount. One request at a time:
 * the order of a close and the read behind it is then kept, as in a kernel. */
ASSAY_MUST_CHECK
enum assay_status tsm_mount_run(struct tsm_mount *mount,
                                struct assay_error *err);

void tsm_mount_free(struct tsm_mount *mount); /* unmounts */

#endif
