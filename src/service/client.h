/* The other end of the coordinator: its calls, from the CLI and from pods.
 *
 * Each function makes one connection and one call and blocks. Whether the
 * coordinator is believed is decided by the validator in params, during the
 * handshake; with none, nobody knows who answers. */
#ifndef ASSAY_SERVICE_CLIENT_H
#define ASSAY_SERVICE_CLIENT_H

#include "atls/atls.h"
#include "base/arena.h"
#include "crypto/secret.h"

struct coordinator {
    const char *target; /* HOST:PORT */
    const struct atls_params *params;
    uint64_t deadline_ms;
    /* Optional: the handshake succeeded; the peer is borrowed. */
    void (*established)(void *ctx, const struct atls_peer *peer);
    void *ctx;
};

/* Statuses of all calls:
 *
 * ASSAY_ERR_IO          no answer: not reachable, a broken connection
 * ASSAY_ERR_UNTRUSTED   the coordinator was refused by us, or we by it
 * ASSAY_ERR_CONFLICT    the coordinator is in another state than the call needs
 *                       (FAILED_PRECONDITION): no manifest, recovery, a race
 * ASSAY_ERR_MALFORMED   the request was found wrong, or the answer is
 * ASSAY_ERR_UNSUPPORTED the coordinator does not know the call
 */

/* MeshAPI.NewMeshCert. PEM, in the arena. */
struct mesh_cert {
    struct span mesh_ca;
    struct span cert_chain; /* leaf, then intermediate */
    struct span root_ca;
    struct secret workload_secret; /* empty when the policy has none */
};
ASSAY_MUST_CHECK
enum assay_status coordinator_new_mesh_cert(const struct coordinator *c,
                                            struct arena *arena,
                                            struct mesh_cert *out,
                                            struct assay_error *err);
void mesh_cert_wipe(struct mesh_cert *cert);

struct manifest_update {
    struct span manifest; /* the file's bytes */
    const struct span *policies;
    size_t policy_count;
    struct span previous_transition; /* 32 bytes, or empty: not compared */
    struct span signature;           /* DER, or empty */
};

struct seed_share {
    const char *public_key; /* hex of PKCS#1 DER, as in the manifest */
    struct span encrypted_seed;
};

struct manifest_accepted {
    struct span root_ca; /* PEM */
    struct span mesh_ca;
    struct seed_share *shares; /* only from the first SetManifest ... */
    size_t share_count;
    struct span salt; /* ... empty otherwise */
};
ASSAY_MUST_CHECK
enum assay_status coordinator_set_manifest(const struct coordinator *c,
                                           const struct manifest_update *update,
                                           struct arena *arena,
                                           struct manifest_accepted *out,
                                           struct assay_error *err);

struct manifest_history {
    struct span *manifests; /* oldest first */
    size_t manifest_count;
    struct span *policies;
    size_t policy_count;
    struct span root_ca; /* PEM */
    struct span mesh_ca;
    struct span transition_hash; /* 32 bytes; empty from an old coordinator */
    struct span signature;
};
ASSAY_MUST_CHECK
enum assay_status coordinator_get_manifests(const struct coordinator *c,
                                            struct arena *arena,
                                            struct manifest_history *out,
                                            struct assay_error *err);

#endif
