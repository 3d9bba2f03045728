/* What a pod does with the answer to NewMeshCert: checks that it fits, and
 * writes the files that the application reads. Layout and modes: Contrast's,
 * so that applications need not know who issued them. */
#ifndef ASSAY_SERVICE_WORKLOAD_H
#define ASSAY_SERVICE_WORKLOAD_H

#include "service/client.h"

/* Is this a chain for our key, and does it hang together? The leaf has the key
 * we asked for, is signed by the intermediate, which is signed by the root and
 * has the mesh CA's key; all are valid at now.
 *
 *   root_key_sha256  SHA-256 of the root's SubjectPublicKeyInfo that is
 *                    expected, or NULL. The key is pinned, not the certificate,
 *                    whose bytes change with every update of the manifest
 *
 * ASSAY_ERR_MALFORMED, ASSAY_ERR_UNTRUSTED */
ASSAY_MUST_CHECK
enum assay_status workload_cert_check(const struct mesh_cert *got,
                                      const struct key *own, int64_t now,
                                      const uint8_t *root_key_sha256,
                                      struct assay_error *err);

/* Creates dir/tls-config and dir/secrets and replaces, each atomically,
 *
 *   tls-config/mesh-ca.pem             0444
 *   tls-config/certChain.pem           0444
 *   tls-config/key.pem                 0400, PKCS#8
 *   tls-config/coordinator-root-ca.pem 0444
 *   secrets/workload-secret-seed       0400, hex; only if there is a secret */
ASSAY_MUST_CHECK
enum assay_status workload_files_write(const char *dir,
                                       const struct mesh_cert *got,
                                       const struct key *own,
                                       struct assay_error *err);

#endif
