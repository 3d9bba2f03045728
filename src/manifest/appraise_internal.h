/* Inside manifest/: what the appraisal of each kind of evidence shares. */
#ifndef ASSAY_MANIFEST_APPRAISE_INTERNAL_H
#define ASSAY_MANIFEST_APPRAISE_INTERNAL_H

#include "evidence/snp_launch.h"
#include "manifest/appraise.h"

#define APPRAISE_REF_SELECTION "contrast-interop 7.1"

struct manifest_appraiser {
    const struct manifest *m;
    struct manifest_appraiser_config config;
    struct snp_launch **launches; /* one per m->snp */
};

/* Looks the identity up and says so in the verdict. host_data is NULL when the
 * evidence carries none. */
const struct manifest_policy *
appraise_identify(const struct manifest_appraiser *a, const uint8_t *host_data,
                  struct verdict *v);

/* The reference values of one kind. */
struct appraise_references {
    const char *kind; /* "snp" */
    size_t count;
    const char *(*name)(const void *ctx, size_t i); /* for people */
    /* Appends the checks against value i. */
    enum assay_status (*judge)(const void *ctx, size_t i, struct verdict *v,
                               struct assay_error *err);
    const void *ctx;
};

/* One reference value after the other, each on a copy of the verdict so far,
 * until one accepts; *v becomes the verdict of the closest one. count is at
 * least 1. */
ASSAY_MUST_CHECK
enum assay_status appraise_try(const struct appraise_references *r,
                               struct verdict *v, size_t *reference,
                               struct assay_error *err);

ASSAY_MUST_CHECK
enum assay_status appraise_snp(const struct manifest_appraiser *a,
                               const struct manifest_request *request,
                               struct arena *arena, struct verdict *v,
                               struct manifest_identity *who,
                               struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status appraise_tdx(const struct manifest_appraiser *a,
                               const struct manifest_request *request,
                               struct arena *arena, struct verdict *v,
                               struct manifest_identity *who,
                               struct assay_error *err);

#endif
