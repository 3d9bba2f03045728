/* The manifest of a deployment on this machine. */
#ifndef ASSAY_CLI_DEV_MANIFEST_H
#define ASSAY_CLI_DEV_MANIFEST_H

#include "cli/dev_plan.h"

/* Writes the manifest that admits the plan's pods, and nothing else, to path:
 * guests with this measurement (hex), on simulated processors of this product
 * with at least this TCB ("BL,TEE,SNP,UCODE"). */
ASSAY_MUST_CHECK
enum assay_status dev_manifest_write(const char *path,
                                     const struct dev_plan *plan,
                                     const char *measurement,
                                     const char *product, const char *tcb,
                                     struct assay_error *err);

#endif
