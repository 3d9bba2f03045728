/* Failures on request: what the vendor's service does wrong, how often.
 *
 * A rule is "PATHPREFIX=KIND[:COUNT]": the next COUNT requests (default: all)
 * whose path begins with PATHPREFIX fail in the named way. Rules are tried in
 * the order they were added; a used-up rule is dropped. */
#ifndef ASSAY_SIM_FAULT_H
#define ASSAY_SIM_FAULT_H

#include "base/buffer.h"

enum fault_kind {
    FAULT_NONE,
    FAULT_RATE_LIMIT, /* "429": Too Many Requests, with Retry-After */
    FAULT_ERROR,      /* "500" */
    FAULT_NOT_FOUND,  /* "404" */
    FAULT_HANG,       /* "hang": reads the request and never answers */
    FAULT_TRUNCATE,   /* "truncate": half the announced body, then closes */
    FAULT_WRONG_CHIP, /* "wrong-chip": a good certificate, of another chip */
    FAULT_GARBAGE,    /* "garbage": 200 with a body that is no certificate */
};

enum { FAULT_RULES_MAX = 64, FAULT_PREFIX_MAX = 256 };

struct fault_rule {
    char prefix[FAULT_PREFIX_MAX];
    enum fault_kind kind;
    unsigned long left; /* 0: without end */
};

struct fault_plan {
    struct fault_rule rules[FAULT_RULES_MAX];
    size_t count;
};

/* ASSAY_ERR_MALFORMED for a rule that is none, ASSAY_ERR_LIMIT when full. */
ASSAY_MUST_CHECK
enum assay_status fault_add(struct fault_plan *plan, struct span rule,
                            struct assay_error *err);

/* The fault for this request, counted as used. */
enum fault_kind fault_take(struct fault_plan *plan, struct span path);

/* One rule per line, as fault_add reads them. */
void fault_list(const struct fault_plan *plan, struct buffer *out);

#endif
