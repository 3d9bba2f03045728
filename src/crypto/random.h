/* The production source of randomness: OpenSSL's generator, seeded by the
 * kernel. Thread-safe. */
#ifndef ASSAY_CRYPTO_RANDOM_H
#define ASSAY_CRYPTO_RANDOM_H

#include "base/random.h"

extern const struct random_source random_system;

#endif
