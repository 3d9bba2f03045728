/* The issuer of a confidential VM: evidence from the processor below the
 * kernel's interface, with the vendor's certificates as far as they are at
 * hand. */
#ifndef ASSAY_ATLS_ISSUER_H
#define ASSAY_ATLS_ISSUER_H

#include "atls/atls.h"
#include "collect/snp_issue.h"

/* config is borrowed; it may be used from several threads at once. */
void atls_snp_issuer_init(struct atls_issuer *issuer,
                          struct snp_issue_config *config);

#endif
