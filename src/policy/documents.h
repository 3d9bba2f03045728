/* The policy documents of a deployment: what each pod is allowed to do, as
 * bytes whose SHA-256 is the pod's identity in the manifest.
 *
 * They travel as annotations of pods in Kubernetes YAML: initdata TOML, gzip,
 * base64 (current and mid generation), or Rego text in base64 (older). A file
 * ending in .toml or .rego is taken as a document itself. */
#ifndef ASSAY_POLICY_DOCUMENTS_H
#define ASSAY_POLICY_DOCUMENTS_H

#include "base/arena.h"
#include "base/error.h"
#include "crypto/digest.h"

struct policy_document {
    uint8_t hash[SHA256_SIZE]; /* of bytes */
    struct span bytes;         /* exactly as in the pod */
    const char *source;        /* file it was found in first */
};

/* Each document once, in the order found. */
struct policy_documents {
    struct policy_document *list;
    size_t count, cap;
    struct arena *arena; /* borrowed; holds everything */
};

/* Appends what a file or, recursively, a folder holds; in a folder only files
 * ending in .yaml or .yml are read, in order of their names.
 *
 * ASSAY_ERR_NOT_FOUND, ASSAY_ERR_IO  path cannot be read
 * ASSAY_ERR_MALFORMED                a file or annotation does not decode
 * ASSAY_ERR_LIMIT                    too many, too large, too deep */
ASSAY_MUST_CHECK
enum assay_status policy_documents_add(struct policy_documents *docs,
                                       const char *path,
                                       struct assay_error *err);

/* Appends what the annotations in a text of YAML hold; errors as above. */
ASSAY_MUST_CHECK
enum assay_status policy_documents_add_yaml(struct policy_documents *docs,
                                            struct span text,
                                            const char *source,
                                            struct assay_error *err);

/* Appends one document, as a copy. */
ASSAY_MUST_CHECK
enum assay_status policy_documents_add_bytes(struct policy_documents *docs,
                                             struct span bytes,
                                             const char *source,
                                             struct assay_error *err);

const struct policy_document *
policy_documents_find(const struct policy_documents *docs,
                      const uint8_t hash[SHA256_SIZE]);

#endif
