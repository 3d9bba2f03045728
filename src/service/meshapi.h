/* The mesh API: a certificate and a secret for a pod whose evidence was
 * accepted (CI section 3.2). Bytes in, bytes out: whoever calls has judged the
 * evidence; nothing here knows of connections. */
#ifndef ASSAY_SERVICE_MESHAPI_H
#define ASSAY_SERVICE_MESHAPI_H

#include "service/guard.h"

struct meshapi_caller {
    const struct key *key;                /* proven by TLS and evidence */
    const struct manifest_policy *policy; /* of state's manifest */
    const struct claims *claims;          /* of the accepted evidence */
    enum evidence_oid oid;
    const char *source_ip; /* text, for the SANs; NULL: none */
};

/* NewMeshCert. request may hold fields of older generations; they are
 * ignored. GRPC_OK: appended to *response, which holds the workload secret:
 * secret_buffer_free() it.
 *
 * GRPC_PERMISSION_DENIED   no policy: the identity is not in the manifest
 * GRPC_INVALID_ARGUMENT    not protobuf
 * GRPC_UNKNOWN             anything else */
ASSAY_MUST_CHECK
enum grpc_code meshapi_new_mesh_cert(const struct guard_state *state,
                                     const struct meshapi_caller *caller,
                                     const struct guard_config *config,
                                     struct span request,
                                     struct buffer *response,
                                     struct assay_error *err);

#endif
