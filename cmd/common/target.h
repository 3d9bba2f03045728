/* The address of a peer, as an option names it. */
#ifndef ASSAY_COMMON_TARGET_H
#define ASSAY_COMMON_TARGET_H

#include "common/program.h"

/* Whether text is HOST:PORT, before anything is done with it: a mistyped
 * address is wrong usage, not the peer's answer. Says what is wrong and
 * returns the exit code. */
ASSAY_MUST_CHECK
int target_check(const struct invocation *inv, const char *option,
                 const char *text);

#endif
