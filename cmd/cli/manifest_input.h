/* What the manifest verbs share: reading a manifest the user named. */
#ifndef ASSAY_CLI_MANIFEST_INPUT_H
#define ASSAY_CLI_MANIFEST_INPUT_H

#include "common/program.h"
#include "manifest/manifest.h"

/* Reads and decodes, with findings; says so when that fails. Returns EXIT_YES,
 * EXIT_USAGE (unreadable) or EXIT_NO (not a manifest at all). */
int manifest_input(const struct invocation *inv, const char *path,
                   struct manifest *out);

#endif
