/* The mesh API: a certificate and a secret for a pod whose evidence was
 * accepted (CI section 3.2). Bytes in, bytes out: whoever calls has judged the
 * evidence; nothing here knows of connections. */
#ifndef ASSAY_SERVICE_MESHAPI_H
#define ASSAY_SERVICE_MESHAPI_H

#include "service/guard.h"

struct meshapi_caller {
    const struct key *key; /* proven by TLS */
    enum evidence_oid oid;
    struct span evidence;  /* bound to key and nonce */
    const uint8_t *nonce;  /* 32 bytes we chose for this caller */
    const char *source_ip; /* text, for the SANs; NULL: none */
};

/* What was issued, for the log. */
struct meshapi_note {
    const struct manifest_policy *policy; /* of state's manifest */
    bool insecure; /* rests on something other than the vendor's roots */
};

/* NewMeshCert. request may hold fields of older generations; they are
 * ignored. GRPC_OK: appended to *response, which holds the workload secret:
 * secret_buffer_free() it.
 *
 * The evidence is judged here once more, from its bytes and against this state:
 * what signs believes nothing that the process which speaks TLS concluded.
 * Only that nonce is fresh is the caller's word.
 *
 *   note  written with GRPC_OK
 *
 * GRPC_PERMISSION_DENIED   the evidence is refused
 * GRPC_INVALID_ARGUMENT    not protobuf
 * GRPC_UNKNOWN             anything else */
ASSAY_MUST_CHECK
enum grpc_code meshapi_new_mesh_cert(const struct guard_state *state,
                                     const struct meshapi_caller *caller,
                                     const struct guard_config *config,
                                     struct span request,
                                     struct buffer *response,
                                     struct meshapi_note *note,
                                     struct assay_error *err);

#endif
