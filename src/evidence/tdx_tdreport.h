/* A TDREPORT: what the processor tells its own machine about a TD, and a
 * quoting enclave turns into a quote. Intel TDX Module ABI Specification,
 * "TDREPORT_STRUCT".
 *
 * Its MAC can be checked by that processor only: to everybody else it is
 * hearsay with two digests inside. */
#ifndef ASSAY_EVIDENCE_TDX_TDREPORT_H
#define ASSAY_EVIDENCE_TDX_TDREPORT_H

#include "evidence/claims.h"
#include "evidence/tdx_quote.h"

enum { TDREPORT_SIZE = 1024 };

struct tdreport {
    uint8_t version; /* 1 when service TDs are bound, else 0 */
    uint8_t cpu_svn[16];
    uint8_t tee_tcb_info_hash[48];
    uint8_t tee_info_hash[48];
    uint8_t mac[32];
    struct td_report td; /* what a quote would say */
    /* The two digests are those of the parts they are about. */
    bool tee_tcb_info_holds;
    bool tee_info_holds;
};

/* ASSAY_ERR_MALFORMED (length, type), ASSAY_ERR_NOMEM */
ASSAY_MUST_CHECK
enum assay_status tdreport_decode(struct span raw, struct tdreport *out,
                                  struct assay_error *err);

/* Every field; bytes are borrowed from r. */
ASSAY_MUST_CHECK
enum assay_status tdreport_claims(const struct tdreport *r, struct arena *arena,
                                  struct claims *out, struct assay_error *err);

#endif
