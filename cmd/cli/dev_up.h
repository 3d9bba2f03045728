/* `assay dev up`: from an example to a running deployment. */
#ifndef ASSAY_CLI_DEV_UP_H
#define ASSAY_CLI_DEV_UP_H

#include "cli/dev_dir.h"
#include "common/program.h"

/* Starts everything in order, telling each step on stderr. What was started
 * keeps running when it fails: the caller removes the directory. */
ASSAY_MUST_CHECK
enum assay_status dev_up(const struct invocation *inv,
                         const struct dev_dir *dir, struct dev_plan *plan,
                         struct assay_error *err);

#endif
