/* What a relying party expects of a field, as data.
 *
 * Nothing is unchecked by accident: all zero is "must be stated", which
 * fails. */
#ifndef ASSAY_EVIDENCE_EXPECT_H
#define ASSAY_EVIDENCE_EXPECT_H

#include "evidence/verdict.h"

enum expect_kind {
    EXPECT_MISSING = 0, /* nobody said: the check fails */
    EXPECT_EQUAL,       /* must equal the bytes given */
    EXPECT_ONE_OF,      /* ... or one of several values, back to back */
    EXPECT_ANY,         /* waived on purpose: the check is skipped */
};

struct expect {
    enum expect_kind kind;
    struct span bytes; /* EQUAL: when shorter than the field, zeros follow */
};

/* Appends the check of one field. */
void expectation_check(struct verdict *v, const char *name, const char *ref,
                       const struct expect *e, struct span field);

#endif
