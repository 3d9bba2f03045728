/* The rules of form of a report: one table, used twice. snp_report_decode()
 * stops at the first broken rule, snp_form_check() lists all of them. */
#ifndef ASSAY_EVIDENCE_SNP_FORM_H
#define ASSAY_EVIDENCE_SNP_FORM_H

#include "evidence/snp_report.h"
#include "evidence/verdict.h"

/* First broken rule, as status and sentence; ASSAY_OK when there is none. */
ASSAY_MUST_CHECK
enum assay_status snp_form_verify(const struct snp_report *r,
                                  struct assay_error *err);

/* One check per rule. Returns true when all hold. */
bool snp_form_check(const struct snp_report *r, struct verdict *v);

#endif
