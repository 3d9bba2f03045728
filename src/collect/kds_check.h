/* Is this what its path says? So that a wrong answer of a service, a damaged
 * file or an expired certificate is no hit. Says nothing about genuineness. */
#ifndef ASSAY_COLLECT_KDS_CHECK_H
#define ASSAY_COLLECT_KDS_CHECK_H

#include "collect/kds_path.h"

/* The certificate's chip, TCB and product, the chain's members, the list's
 * issuer must be those of the path; certificates must be valid at `now`.
 * ASSAY_ERR_MALFORMED with the difference. */
ASSAY_MUST_CHECK
enum assay_status kds_check(const struct kds_path *path, struct span bytes,
                            int64_t now, struct assay_error *err);

/* The path of a certificate or CRL found in a file. A CRL is taken for the
 * VCEK's endpoint: both are signed by the same root. ASSAY_ERR_UNSUPPORTED for
 * what has no path of its own: VLEKs, ASKs, ARKs. */
ASSAY_MUST_CHECK
enum assay_status kds_path_of_vcek(struct span der, struct kds_path *out,
                                   struct assay_error *err);
ASSAY_MUST_CHECK
enum assay_status kds_path_of_crl(struct span der, struct kds_path *out,
                                  struct assay_error *err);

/* First and last second at which all of it is valid; a list's are thisUpdate
 * and nextUpdate (INT64_MAX when it has none). */
struct kds_validity {
    int64_t from;
    int64_t until;
};
ASSAY_MUST_CHECK
enum assay_status kds_validity(const struct kds_path *path, struct span bytes,
                               struct kds_validity *out,
                               struct assay_error *err);

#endif
