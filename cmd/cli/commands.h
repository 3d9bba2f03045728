/* The verbs of `assay`, one per line; each lives in the file of its name. */
#ifndef ASSAY_CLI_COMMANDS_H
#define ASSAY_CLI_COMMANDS_H

#include "common/program.h"

extern const struct command collateral_bundle_command;
extern const struct command collateral_fetch_command;
extern const struct command collateral_show_command;
extern const struct command dev_up_command;
extern const struct command dev_status_command;
extern const struct command dev_logs_command;
extern const struct command dev_down_command;
extern const struct command evidence_show_command;
extern const struct command evidence_verify_command;
extern const struct command evidence_collect_command;
extern const struct command manifest_diff_command;
extern const struct command manifest_hash_command;
extern const struct command manifest_lint_command;
extern const struct command set_command;
extern const struct command verify_command;
extern const struct command manifest_new_command;

#endif
