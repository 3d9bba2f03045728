/* What the files of the public interface share. */
#ifndef ASSAY_LIB_INTERNAL_H
#define ASSAY_LIB_INTERNAL_H

#include "assay/evidence.h"

#include "evidence/expect.h"
#include "evidence/snp_chain.h"
#include "evidence/tdx_cache.h"
#include "evidence/trust.h"

#define EXPORT __attribute__((visibility("default")))

enum {
    ARENA_BYTES = 8 * 1024 * 1024,
    JSON_BYTES = 1024 * 1024,
    CLAIM_BYTES_MAX = 2 * LIMIT_EVIDENCE_BYTES + 1, /* a chain, in hex */
};

struct assay_evidence_verifier {
    struct trust_anchors anchors;
    struct snp_chain_cache *cache;
    struct tdx_cache *tdx_cache;
};

struct assay_evidence_verdict {
    struct arena arena;
    struct verdict v;
    const char *line;
    const char *json;
    const char **claims; /* texts, in the order of v.claims */
};

static inline struct span
span_of_bytes(struct assay_evidence_bytes b)
{
    return span_of(b.ptr, b.len);
}

/* False when there are more bytes than max. */
bool request_expect(struct expect *e, struct assay_evidence_bytes bytes,
                    size_t max, bool waived);

/* NULL when memory is out. */
struct assay_evidence_verdict *verdict_new(const char *tee, bool strict);
/* Concludes and renders. */
enum assay_evidence_status verdict_finish(struct assay_evidence_verdict *out);

#endif
