/* Paths into values, as JSON filters and patches name them. */
#ifndef ASSAY_REGO_BUILTINS_PATHS_H
#define ASSAY_REGO_BUILTINS_PATHS_H

#include "rego/value.h"

/* A string "a/b~1c" as the array ["a", "b/c"]; an array as it is. A pointer
 * (RFC 6901) loses one leading slash, and "" is the whole document; other
 * paths lose all leading slashes. False when the arena is spent. */
ASSAY_MUST_CHECK
bool path_steps(struct arena *a, struct value path, bool is_pointer,
                struct value *out);

enum patch_result {
    PATCH_OK,
    PATCH_NOMEM,
    PATCH_REFUSED, /* malformed, or it does not apply */
    PATCH_TYPE,    /* a path is neither string nor array */
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
