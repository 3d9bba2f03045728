/* Documents of a YAML text, one after the other: the precautions that every
 * reader of YAML here takes before it looks at nodes. */
#ifndef ASSAY_CODEC_YAML_PARSE_H
#define ASSAY_CODEC_YAML_PARSE_H

#include "base/error.h"

struct fy_node;

/* root is NULL for an empty document; borrowed for the call. Anything but
 * ASSAY_OK ends the reading with that status. */
typedef enum assay_status yaml_document_visitor(void *ctx, struct fy_node *root,
                                                struct assay_error *err);

/* Aliases are left unresolved: it is the visitor that must not follow them.
 *
 * ASSAY_ERR_MALFORMED  not YAML, or a directive other than %YAML
 * ASSAY_ERR_NOMEM      and what the visitor returns */
ASSAY_MUST_CHECK
enum assay_status yaml_documents(struct span text, const char *name,
                                 yaml_document_visitor *visit, void *ctx,
                                 struct assay_error *err);

#endif
