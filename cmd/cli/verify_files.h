/* What `assay verify` leaves in the workspace, and the memory it keeps of when
 * it first saw each step of the history. */
#ifndef ASSAY_CLI_VERIFY_FILES_H
#define ASSAY_CLI_VERIFY_FILES_H

#include "service/client.h"
#include "service/history.h"

/* One step of the history. */
struct verify_step {
    struct history_hash manifest;
    struct history_hash transition;
    int64_t seen; /* when this workspace first saw it */
};

/* Hashes the manifests into the chain of transitions they must form. steps has
 * room for each. */
ASSAY_MUST_CHECK
enum assay_status verify_steps_make(const struct manifest_history *history,
                                    struct verify_step *steps,
                                    struct assay_error *err);

/* Fills in when each step was seen, now for the new ones, from and to
 * dir/seen.json. A file that cannot be read is made anew. */
ASSAY_MUST_CHECK
enum assay_status verify_steps_seen(const char *dir, int64_t now,
                                    struct verify_step *steps, size_t count,
                                    struct arena *arena,
                                    struct assay_error *err);

/* Writes, into dir,
 *
 *   coordinator-root-ca.pem, mesh-ca.pem
 *   manifest.N.json         each manifest, 0 is the oldest
 *   initdata.HEX.toml       each policy document; policy.HEX.rego when it is
 *                           Rego text
 *   latest-transition       hex
 *   history.yml             all of it as the ConfigMaps of Contrast's store,
 *                           so that a lost store can be made again */
ASSAY_MUST_CHECK
enum assay_status verify_files_write(const char *dir,
                                     const struct manifest_history *history,
                                     const struct verify_step *steps,
                                     struct assay_error *err);

#endif
