#include "cli/commands.h"

/* One a line. */
/* clang-format off */
static const struct command *const commands[] = {
    &set_command,
    &verify_command,
    &evidence_verify_command,
    &evidence_show_command,
    &evidence_collect_command,
    &manifest_lint_command,
    &manifest_diff_command,
    &manifest_hash_command,
    &manifest_new_command,
    &collateral_fetch_command,
    &collateral_show_command,
    &collateral_bundle_command,
    &dev_up_command,
    &dev_status_command,
    &dev_logs_command,
    &dev_down_command,
    NULL,
};
/* clang-format on */

static const struct command_group groups[] = {
    { "evidence", "judge, show or make attestation evidence" },
    { "manifest", "check, compare, hash or make a manifest" },
    { "collateral", "fetch, show or bundle the vendor's certificates" },
    { "dev", "a whole deployment on this machine" },
    { 0 },
};

static const struct program program = {
    .name = "assay",
    .summary = "attestation of confidential Kubernetes workloads",
    .commands = commands,
    .groups = groups,
    .example = "assay verify -m manifest.json -c coordinator.example:1313",
};

int
main(int argc, char **argv)
{
    return program_main(&program, argc, argv);
}
