/* Evidence of the insecure platform: no processor vouches for anything.
 *
 * Exists so that everything can be tried without confidential hardware. Off
 * unless a program's option and the manifest both allow it; every verdict on
 * it is insecure. Formats: contrast-interop section 2.3. */
#ifndef ASSAY_EVIDENCE_INSECURE_H
#define ASSAY_EVIDENCE_INSECURE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "evidence/verdict.h"

struct insecure_evidence {
    uint8_t report_data[64];
    bool has_host_data; /* not in the older form */
    uint8_t host_data[32];
};

/* JSON {"reportData","hostData"} in base64, or the older bare 64 bytes. */
ASSAY_MUST_CHECK
enum assay_status insecure_evidence_decode(struct span bytes,
                                           struct arena *arena,
                                           struct insecure_evidence *out,
                                           struct assay_error *err);

void insecure_evidence_encode(const struct insecure_evidence *e,
                              struct buffer *out);

/* Checks report data, and host data when expected is not NULL; the verdict is
 * marked insecure. Does not conclude. */
void insecure_appraise(const struct insecure_evidence *e,
                       const uint8_t report_data[64], const uint8_t *host_data,
                       struct verdict *v);

#endif
