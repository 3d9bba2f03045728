/* The seed engine (CI 8): every long-lived secret of a deployment, derived
 * from one seed and one salt.
 *
 * An engine is immutable and may be used by several threads at once. */
#ifndef ASSAY_SERVICE_SEED_H
#define ASSAY_SERVICE_SEED_H

#include "crypto/key.h"

enum {
    SEED_SIZE = 64, /* of a new seed, and the most that is accepted */
    SEED_SIZE_MIN = 32,
    SEED_SALT_SIZE = 32,
};

struct seed_engine;

/* seed and salt are copied; alloc (NULL: the C library's) must outlive the
 * engine.
 *
 * ASSAY_ERR_MALFORMED  seed or salt has another length */
ASSAY_MUST_CHECK
enum assay_status seed_engine_new(struct span seed, struct span salt,
                                  const struct allocator *alloc,
                                  struct seed_engine **out,
                                  struct assay_error *err);

/* The same from a new random seed and salt. */
ASSAY_MUST_CHECK
enum assay_status seed_engine_generate(const struct random_source *random,
                                       const struct allocator *alloc,
                                       struct seed_engine **out,
                                       struct assay_error *err);
void seed_engine_free(struct seed_engine *engine);

/* Borrowed from the engine. */
struct span seed_engine_seed(const struct seed_engine *engine); /* secret! */
struct span seed_engine_salt(const struct seed_engine *engine);
const struct key *seed_engine_root_ca_key(const struct seed_engine *engine);
const struct key *seed_engine_transaction_key(const struct seed_engine *engine);

/* The secret of a WorkloadSecretID, as long as the seed.
 *
 * ASSAY_ERR_MALFORMED  id is empty */
ASSAY_MUST_CHECK
enum assay_status seed_engine_workload_secret(const struct seed_engine *engine,
                                              struct span id,
                                              struct secret *out,
                                              struct assay_error *err);

/* CI 8.1: HKDF of secret, as long as it, 32 to 64 bytes. */
ASSAY_MUST_CHECK
enum assay_status seed_derive(struct span secret, struct span salt,
                              struct span info, struct secret *out,
                              struct assay_error *err);

/* --- shares (CI 9.2) ----------------------------------------------------- */

/* Appends the whole seed, encrypted for one owner, whose RSA key is given as
 * manifests list it: the hex of its PKCS#1 DER.
 *
 * ASSAY_ERR_MALFORMED  not hex, or not an RSA public key of 2048 bits or more
 */
ASSAY_MUST_CHECK
enum assay_status seed_share_encrypt(const struct seed_engine *engine,
                                     struct span owner_key_hex,
                                     struct buffer *out,
                                     struct assay_error *err);

/* The owner's side. */
ASSAY_MUST_CHECK
enum assay_status seed_share_decrypt(const struct key *owner,
                                     struct span encrypted, struct secret *seed,
                                     struct assay_error *err);

#endif
