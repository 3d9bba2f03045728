#include "evidence/oid.h"

#include <string.h>

static const char *const texts[] = {
    [EVIDENCE_OID_SNP] = OID_EVIDENCE_SNP,
    [EVIDENCE_OID_TDX] = OID_EVIDENCE_TDX,
    [EVIDENCE_OID_INSECURE] = OID_EVIDENCE_INSECURE,
    [EVIDENCE_OID_INSECURE_OLDER] = OID_EVIDENCE_INSECURE_OLDER,
};

enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };

const char *
evidence_oid_text(enum evidence_oid oid)
{
    return (size_t)oid < TEXTS ? texts[oid] : NULL;
}

enum evidence_oid
evidence_oid_from_text(const char *dotted)
{
    for (size_t i = 1; i < TEXTS; i++) {
        if (strcmp(texts[i], dotted) == 0)
            return (enum evidence_oid)i;
    }
    return EVIDENCE_OID_NONE;
}
