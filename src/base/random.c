#include "base/random.h"

enum assay_status
random_fill(const struct random_source *source, void *out, size_t len,
            struct assay_error *err)
{
    if (!source->fill(source->ctx, out, len))
        return assay_fail(err, ASSAY_ERR_IO, "random source failed");
    return ASSAY_OK;
}
