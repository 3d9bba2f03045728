/* Object identifiers of evidence in certificates (contrast-interop section 0),
 * and of AMD's certificate extensions (AMD 57230). Dotted text, as
 * crypto/x509.h spells them. */
#ifndef ASSAY_EVIDENCE_OID_H
#define ASSAY_EVIDENCE_OID_H

#include "base/span.h"

enum evidence_oid {
    EVIDENCE_OID_NONE = 0,
    EVIDENCE_OID_SNP,
    EVIDENCE_OID_TDX,
    EVIDENCE_OID_INSECURE,       /* current */
    EVIDENCE_OID_INSECURE_OLDER, /* older */
};

#define OID_EVIDENCE_SNP "1.3.9901.2.1"
#define OID_EVIDENCE_TDX "1.3.9901.2.2"
#define OID_EVIDENCE_INSECURE_OLDER "1.3.9901.2.3"
#define OID_EVIDENCE_INSECURE "1.3.9901.2.99"
#define OID_WORKLOAD_SECRET_ID "1.3.9901.3.1"

/* The dotted text, or NULL for EVIDENCE_OID_NONE; and back. */
const char *evidence_oid_text(enum evidence_oid oid);
enum evidence_oid evidence_oid_from_text(const char *dotted);

#define OID_AMD "1.3.6.1.4.1.3704.1"
#define OID_AMD_STRUCT_VERSION OID_AMD ".1"
#define OID_AMD_PRODUCT_NAME OID_AMD ".2"
#define OID_AMD_SPL OID_AMD ".3" /* .3.1 to .3.9 */
#define OID_AMD_HWID OID_AMD ".4"
#define OID_AMD_CSP_ID OID_AMD ".5"

#endif
