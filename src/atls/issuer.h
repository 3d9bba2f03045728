/* The issuer of a confidential VM: evidence from the processor below the
 * kernel's interface, with the vendor's certificates as far as they are at
 * hand. */
#ifndef ASSAY_ATLS_ISSUER_H
#define ASSAY_ATLS_ISSUER_H

#include "atls/atls.h"
#include "collect/issue.h"

/* config is borrowed; it may be used from several threads at once. */
void atls_vm_issuer_init(struct atls_issuer *issuer,
                         struct issue_config *config);

#endif
