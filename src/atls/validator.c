#include "atls/validator.h"

#include "base/limits.h"

static enum assay_status
appraise(void *ctx, enum evidence_oid oid, struct span evidence,
         const uint8_t report_data[ATLS_REPORT_DATA_SIZE], void **result,
         struct assay_error *err)
{
    const struct atls_appraiser *a = ctx;
    struct manifest_request request = { .oid = oid,
                                        .evidence = evidence,
                                        .report_data = report_data,
                                        .clock = a->clock };
    struct atls_appraisal *got = mem_zalloc(NULL, sizeof(*got));
    enum assay_status st;

    if (!got)
        return assay_nomem(err, "appraisal");
    arena_init(&got->arena, LIMIT_APPRAISAL_BYTES, NULL);
    st = manifest_appraise(a->appraiser, &request, &got->arena, &got->verdict,
                           &got->identity, err);
    if (a->observe && got->verdict.tee) /* there is one */
        a->observe(a->ctx, &got->verdict);
    if (st == ASSAY_OK) {
        *result = got;
        return ASSAY_OK;
    }
    arena_drop(&got->arena);
    mem_free(NULL, got);
    return st;
}

static void
release(void *ctx, void *result)
{
    struct atls_appraisal *got = result;

    (void)ctx;
    arena_drop(&got->arena);
    mem_free(NULL, got);
}

void
atls_validator_init(struct atls_validator *validator,
                    struct atls_appraiser *appraiser)
{
    *validator = (struct atls_validator){ appraise, release, appraiser };
}

const struct atls_appraisal *
atls_peer_appraisal(const struct atls_peer *peer)
{
    return peer->result;
}
