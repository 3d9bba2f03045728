/* OpenSSL's way of failing, turned into ours. Internal to crypto/.
 *
 * OpenSSL reports through a queue per thread, which TLS code reads to learn
 * what happened to a connection: whoever leaves something in it blames the
 * next stranger. Every function of crypto/ that calls OpenSSL ends with one
 * of these two. */
#ifndef ASSAY_CRYPTO_OSSL_H
#define ASSAY_CRYPTO_OSSL_H

#include "base/error.h"

/* Records "what: OpenSSL's reason" under st, or out of memory when that was
 * the reason, and empties the queue. */
enum assay_status ossl_fail(struct assay_error *err, enum assay_status st,
                            const char *what);

/* The same where OpenSSL is asked for a verdict: st only when it named a
 * reason. Where memory runs out it often names none, or an "internal error",
 * and that must not be taken for an answer. */
enum assay_status ossl_fail_named(struct assay_error *err, enum assay_status st,
                                  const char *what);

/* True when library lib itself named a reason, its own and not one of those
 * all libraries share. Empties the queue. */
bool ossl_was_named_by(int lib);

/* Empties the queue (successful calls leave things in it too) and gives st. */
enum assay_status ossl_done(enum assay_status st);

#endif
