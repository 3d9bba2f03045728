/* What the verbs of `assay dev` share. */
#ifndef ASSAY_CLI_DEV_OPTIONS_H
#define ASSAY_CLI_DEV_OPTIONS_H

#include "cli/dev_dir.h"
#include "common/program.h"

#define OPT_ROW_DEV_DIR(type, member)                                          \
    {                                                                          \
        .name = "dir", .help = "where everything of it is kept",               \
        OPT_TEXT(type, member, "DIR")                                          \
    }

/* Opens the state directory of a deployment that is up, for a verb that needs
 * one, and reads its plan (unless plan is NULL). Otherwise says what is wrong
 * and returns the exit code. */
int dev_open(struct invocation *inv, const char *option, struct dev_dir *dir,
             struct dev_plan *plan);

#endif
