/* YAML (1.1 and 1.2), as far as somebody else's files must be searched.
 *
 * Anchors and aliases are not followed, so a small file stays small. */
#ifndef ASSAY_CODEC_YAML_H
#define ASSAY_CODEC_YAML_H

#include "base/error.h"

/* A scalar found; text is borrowed for the call. Anything but ASSAY_OK ends
 * the search with that status. */
typedef enum assay_status yaml_visitor(void *ctx, struct span text,
                                       struct assay_error *err);

/* Visits, in all documents of the text, the value of every mapping entry with
 * the plain key given, at any depth.
 *
 *   name  of the text, for errors
 *
 * ASSAY_ERR_MALFORMED  not YAML; a directive other than %YAML; or such an entry
 * has a value that is not a scalar of its own (a list, a mapping, an alias)
 * ASSAY_ERR_LIMIT      deeper than LIMIT_YAML_DEPTH
 * ASSAY_ERR_NOMEM */
ASSAY_MUST_CHECK
enum assay_status yaml_find(struct span text, const char *name, const char *key,
                            yaml_visitor *visit, void *ctx,
                            struct assay_error *err);

#endif
