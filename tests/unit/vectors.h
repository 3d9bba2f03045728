/* Genuine evidence, which lives outside the project: the folder is named by
 * ASSAY_VECTORS, which meson sets. A test that needs a file of it says so and
 * is counted as skipped where there is none. */
#ifndef ASSAY_TESTS_VECTORS_H
#define ASSAY_TESTS_VECTORS_H

#include "unit.h"

#include <stdio.h>

#include "base/file.h"

/* Reads ASSAY_VECTORS/name into b, which the caller frees. */
static inline void
vector_read(const char *name, struct buffer *b)
{
    const char *folder = getenv("ASSAY_VECTORS");
    struct assay_error err;
    char path[4096];
    enum assay_status st;

    buffer_init(b, 16u << 20, NULL);
    (void)snprintf(path, sizeof(path), "%s/%s",
                   folder ? folder : "../shared/vectors", name);
    st = file_read(path, b, &err);
    if (st == ASSAY_OK)
        return;
    buffer_free(b);
    print_message("SKIPPED for want of a vector: %s (set ASSAY_VECTORS)\n",
                  path);
    skip();
}

#endif
