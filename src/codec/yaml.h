/* YAML (1.1 and 1.2), as far as somebody else's files must be searched or
 * turned into JSON.
 *
 * Anchors and aliases are not followed, so a small file stays small. */
#ifndef ASSAY_CODEC_YAML_H
#define ASSAY_CODEC_YAML_H

#include "base/buffer.h"

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

/* Appends the text's one document as JSON.
 *
 * Plain scalars mean what YAML 1.1 says, as in the tools that people write
 * such files for: y, yes, on and their opposites are booleans, 0x1f and 0o17
 * and 017 integers; a number that no 64 bits hold is a double. Keys become
 * strings. An empty text is null.
 *
 * ASSAY_ERR_MALFORMED    not YAML, two documents, a key twice, .inf or .nan
 * ASSAY_ERR_UNSUPPORTED  an alias, a tag other than !!str, a composite key
 * ASSAY_ERR_LIMIT        deeper than LIMIT_YAML_DEPTH, or out's limit
 * ASSAY_ERR_NOMEM */
ASSAY_MUST_CHECK
enum assay_status yaml_to_json(struct span text, const char *name,
                               struct buffer *out, struct assay_error *err);

#endif
