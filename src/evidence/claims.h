/* What a piece of evidence says: every field as name and value.
 *
 * The same list is the "claims" object of JSON output, the table of `evidence
 * show`, and the claim extensions of a mesh certificate (contrast-interop
 * section 10.4). Saying is not proving: only a verdict makes a claim true. */
#ifndef ASSAY_EVIDENCE_CLAIMS_H
#define ASSAY_EVIDENCE_CLAIMS_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

enum claim_kind {
    CLAIM_NUMBER,
    CLAIM_BOOL,
    CLAIM_BYTES, /* shown as lower-case hex */
    CLAIM_TEXT,
};

struct claim {
    const char *name; /* static, snake_case: "reported_tcb" */
    enum claim_kind kind;
    uint64_t number;   /* CLAIM_NUMBER, CLAIM_BOOL (0 or 1) */
    struct span bytes; /* CLAIM_BYTES, CLAIM_TEXT */
    /* Last arc below the evidence OID in a certificate; 0: not copied there. */
    unsigned arc;
};

/* Owned by the arena given when they were made. */
struct claims {
    struct claim *list;
    size_t count;
    size_t cap;
};

/* Append one claim; false when the arena is spent. name stays the caller's;
 * bytes are borrowed, not copied. */
ASSAY_MUST_CHECK
bool claims_add(struct claims *c, struct arena *arena, struct claim claim);

const struct claim *claims_find(const struct claims *c, const char *name);

/* The claim copied into arc N of a certificate, or NULL. */
const struct claim *claims_find_arc(const struct claims *c, unsigned arc);

/* Value as text: decimal, true/false, lower-case hex, or the text. */
void claim_render(const struct claim *claim, struct buffer *out);

/* The claim as a member of the object that is being written. */
struct json_writer;
void claim_render_json(const struct claim *claim, struct json_writer *w);

#endif
