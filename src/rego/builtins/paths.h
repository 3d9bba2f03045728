/* Paths into values, as JSON filters and patches name them. */
#ifndef ASSAY_REGO_BUILTINS_PATHS_H
#define ASSAY_REGO_BUILTINS_PATHS_H

#include "rego/value.h"

/* A string "a/b~1c" as the array ["a", "b/c"], leading slashes ignored; an
 * array as it is. False when the arena is spent. */
ASSAY_MUST_CHECK
bool path_steps(struct arena *a, struct value path, struct value *out);

enum patch_result {
    PATCH_OK,
    PATCH_NOMEM,
    PATCH_REFUSED, /* malformed, or it does not apply */
    PATCH_GONE,    /* the whole document was removed: no result */
};

/* RFC 6902 over objects, arrays and sets (an element of a set is its own
 * key). *why is a constant sentence when it is refused; patch may be anything.
 * Nothing of doc changes: the result shares what stays. */
ASSAY_MUST_CHECK
enum patch_result value_patch(struct arena *a, struct value doc,
                              struct value patch, struct value *out,
                              const char **why);

#endif
