/* Inside of tdx_appraise(). */
#ifndef ASSAY_EVIDENCE_TDX_APPRAISE_INTERNAL_H
#define ASSAY_EVIDENCE_TDX_APPRAISE_INTERNAL_H

#include "evidence/tdx_appraise.h"

struct appraisal {
    const struct tdx_verified *got;
    const struct tdx_reference *want;
    struct verdict *v;
};

/* The checks of want->tcb. */
void tdx_accept_check(struct appraisal *a);

#endif
