/* The user API: bytes of a request in, bytes of a response out (CI section
 * 3.1). Both package names of the wire lead here.
 *
 * Each call returns the gRPC code; with GRPC_OK the response was appended to
 * *response, else the sentence for the client is in *err. Calls block. */
#ifndef ASSAY_SERVICE_USERAPI_H
#define ASSAY_SERVICE_USERAPI_H

#include "service/guard.h"

struct userapi_call {
    struct span request;      /* untrusted protobuf */
    const struct key *caller; /* of the client's certificate, or NULL */
};

/* What the log should know of an accepted manifest. */
struct userapi_set_note {
    struct history_hash transition;
    uint64_t generation;
    size_t superfluous; /* policy documents that nothing names */
};

ASSAY_MUST_CHECK
enum grpc_code userapi_set_manifest(struct guard *g,
                                    const struct userapi_call *call,
                                    struct buffer *response,
                                    struct userapi_set_note *note,
                                    struct assay_error *err);

/* Reads the whole history from the store. */
ASSAY_MUST_CHECK
enum grpc_code userapi_get_manifests(struct guard *g, const struct store *s,
                                     struct buffer *response,
                                     struct assay_error *err);

ASSAY_MUST_CHECK
enum grpc_code userapi_recover(struct guard *g, const struct userapi_call *call,
                               struct assay_error *err);

#endif
