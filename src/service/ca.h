/* The mesh's certificate authority (CI 10).
 *
 * One struct ca belongs to one state of the coordinator: it holds the three CA
 * certificates made for it and the key that signs leaves. It is immutable and
 * may be used by several threads at once. */
#ifndef ASSAY_SERVICE_CA_H
#define ASSAY_SERVICE_CA_H

#include "crypto/key.h"
#include "crypto/x509.h"

struct ca;

/* Issues root, intermediate and mesh CA certificate at now (seconds since
 * 1970). Both keys are P-384 with their private halves; mesh_key is shared.
 *
 *   alloc  NULL: the C library's; must outlive the ca */
ASSAY_MUST_CHECK
enum assay_status ca_new(const struct key *root_key, const struct key *mesh_key,
                         int64_t now, const struct random_source *random,
                         const struct allocator *alloc, struct ca **out,
                         struct assay_error *err);
void ca_free(struct ca *ca);

/* PEM, borrowed from ca. */
struct span ca_root_pem(const struct ca *ca);
struct span ca_intermediate_pem(const struct ca *ca);
struct span ca_mesh_pem(const struct ca *ca);
const struct key *ca_mesh_key(const struct ca *ca);

struct ca_leaf {
    const struct key *key; /* of the peer, attested; its public half */
    /* Text, sorted into iPAddress, URI and dNSName by CI 10.3. The first
     * dNSName becomes the CN; without one, the first name of another kind,
     * and without any, "workload". */
    const struct span *names;
    size_t name_count;
    /* Copied from the evidence, in this order: CI 10.4. */
    const struct cert_extension *claims;
    size_t claim_count;
    struct span workload_secret_id; /* empty: none */
};

enum { CA_NAMES_MAX = 64, CA_CLAIMS_MAX = 80 };

/* Appends the leaf, valid from an hour before now for one year, and behind it
 * the intermediate, both in PEM.
 *
 * ASSAY_ERR_MALFORMED    a name is empty or not printable ASCII
 * ASSAY_ERR_LIMIT        more names or claims than above
 * ASSAY_ERR_UNSUPPORTED  a key of another kind than ECDSA or RSA */
ASSAY_MUST_CHECK
enum assay_status ca_issue(const struct ca *ca, const struct ca_leaf *leaf,
                           int64_t now, const struct random_source *random,
                           struct buffer *chain_pem, struct assay_error *err);

#endif
