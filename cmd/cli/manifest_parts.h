/* From the options of `manifest new` to what a manifest is built from. */
#ifndef ASSAY_CLI_MANIFEST_PARTS_H
#define ASSAY_CLI_MANIFEST_PARTS_H

#include "common/program.h"
#include "manifest/build.h"

struct manifest_new_values {
    struct text_list policies;
    struct text_list reference_values;
    const char *product;
    const char *measurement;
    const char *ap_eip;
    const char *min_tcb;
    struct text_list platform_info;
    uint64_t mitigations;
    struct text_list chip_ids;
    bool allow_milan;
    bool insecure;
    struct text_list workload_owners;
    struct text_list seedshare_owners;
    unsigned owner_form; /* enum manifest_owner_form */
    const char *out;
    unsigned output;
};

/* Reads every file named. Everything in *spec lives in the invocation's arena.
 * Says what is wrong and returns EXIT_USAGE, or EXIT_YES. */
int manifest_new_collect(const struct invocation *inv,
                         const struct manifest_new_values *values,
                         struct manifest_spec *spec);

#endif
