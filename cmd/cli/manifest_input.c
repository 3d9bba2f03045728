#include "cli/manifest_input.h"

#include "base/limits.h"
#include "common/output.h"

int
manifest_input(const struct invocation *inv, const char *path,
               struct manifest *out)
{
    struct assay_error err = { 0 };
    struct span file;
    int code = read_input(inv, path, LIMIT_MANIFEST_BYTES, &file);
    enum assay_status st;

    if (code != EXIT_YES)
        return code;
    st = manifest_decode(file, inv->arena, out, &err);
    if (st == ASSAY_OK)
        st = manifest_validate(out, &err);
    if (st == ASSAY_OK)
        return EXIT_YES;
    (void)assay_context(&err, st, "%s", path);
    return talk_error(inv, &err);
}
