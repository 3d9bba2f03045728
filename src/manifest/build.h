/* A new manifest, in the current form (contrast-interop section 6): two blanks
 * of indent, a final newline, owner lists sorted. */
#ifndef ASSAY_MANIFEST_BUILD_H
#define ASSAY_MANIFEST_BUILD_H

#include "base/buffer.h"
#include "codec/json.h"
#include "manifest/manifest.h"

/* How workload owners are listed: keys (current), digests (mid), or both, so
 * that coordinators of both generations accept updates. */
enum manifest_owner_form {
    MANIFEST_OWNER_KEYS,
    MANIFEST_OWNER_DIGESTS,
    MANIFEST_OWNER_BOTH,
};

/* What goes in. All borrowed; owner lists are sorted in place. */
struct manifest_spec {
    const struct manifest_policy *policies;
    size_t policy_count;
    /* Reference values in the model; one without has_minimum_tcb is written
     * with nulls, for its user to fill in. */
    const struct manifest_snp *snp;
    size_t snp_count;
    /* Reference values as JSON somebody else wrote, copied as they are. */
    const struct json *const *snp_json;
    size_t snp_json_count;
    const struct json *const *tdx_json;
    size_t tdx_json_count;
    bool insecure; /* no hardware at all */
    struct manifest_workload_owner *workload_owners;
    size_t workload_owner_count;
    enum manifest_owner_form owner_form;
    struct manifest_seedshare_owner *seedshare_owners; /* rsa_der */
    size_t seedshare_owner_count;
};

/* Appends the file. Whether it is a good one, manifest_load() tells. */
void manifest_build(struct manifest_spec *spec, struct buffer *out);

/* Bits by their names in manifests ("ECCEnabled"); false for others. */
bool manifest_platform_flag(const char *name, uint64_t *bit, bool *allowing);

#endif
