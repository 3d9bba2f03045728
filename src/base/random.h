/* Randomness as a parameter. The production source lives in crypto/; tests
 * inject a counting one. A source either fills all of out or fails. */
#ifndef ASSAY_BASE_RANDOM_H
#define ASSAY_BASE_RANDOM_H

#include "base/error.h"

struct random_source {
    bool (*fill)(void *ctx, uint8_t *out, size_t len);
    void *ctx;
};

ASSAY_MUST_CHECK
enum assay_status random_fill(const struct random_source *source, void *out,
                              size_t len, struct assay_error *err);

#endif
