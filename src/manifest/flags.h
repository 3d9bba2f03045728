/* Inside manifest/: bits of POLICY and PLATFORM_INFO by their names in
 * manifests (contrast-interop section 6.5). */
#ifndef ASSAY_MANIFEST_FLAGS_H
#define ASSAY_MANIFEST_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

enum { POLICY_FLAGS = 9, PLATFORM_FLAGS = 7 };

/* With the only value that is permitted. */
struct policy_flag {
    const char *name;
    uint64_t bit;
    bool want;
};
extern const struct policy_flag policy_flags[POLICY_FLAGS];

/* A machine may have an allowing one only where the reference says so, and
 * must have the others where it asks. */
struct platform_flag {
    const char *name;
    uint64_t bit;
    bool allowing;
};
extern const struct platform_flag platform_flags[PLATFORM_FLAGS];

#endif
