/* Distinguished names of AMD's certificates (AMD 57230): six attributes in a
 * fixed order, of which only the commonName differs. */
#ifndef ASSAY_EVIDENCE_AMD_NAME_H
#define ASSAY_EVIDENCE_AMD_NAME_H

#include "base/span.h"

enum { AMD_CN_MAX = 64 };

/* The commonName of a Name that is AMD's in every other attribute; false for
 * any other Name. */
bool amd_name_cn(struct span name_der, char cn[AMD_CN_MAX]);

#endif
