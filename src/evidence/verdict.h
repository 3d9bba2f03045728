/* Verdicts are data: a list of checks, and what follows from them.
 *
 * Every rule that was looked at is one struct check; a rule that could not be
 * looked at is there too, as "skipped" with the reason. Text table, JSON, log
 * line and error message are renderings of this one list.
 *
 * A verdict starts as refused and becomes something else in one place,
 * verdict_conclude(), after the last check. */
#ifndef ASSAY_EVIDENCE_VERDICT_H
#define ASSAY_EVIDENCE_VERDICT_H

#include "base/arena.h"
#include "base/buffer.h"
#include "evidence/claims.h"
#include "evidence/sgx_tcb.h"

enum check_outcome {
    CHECK_FAIL = 0, /* looked at, and wrong */
    CHECK_PASS,
    CHECK_WARN,    /* accepted, and the reader should know */
    CHECK_SKIPPED, /* not looked at: reason says why */
};

struct check {
    const char *name;     /* stable, snake_case: "report_signature" */
    const char *ref;      /* public document and section */
    const char *expected; /* "" when there is nothing to show */
    const char *actual;   /* "" likewise */
    const char *reason;   /* a sentence for people; "" for a plain pass */
    enum check_outcome outcome;
    /* A skipped check that is not optional leaves the verdict unknown. */
    bool optional;
    /* Skipped since nobody asked for it, or it does not apply: summaries name
     * it only. */
    bool waived;
};

enum verdict_result {
    VERDICT_REFUSED = 0,
    VERDICT_ACCEPTED,
    VERDICT_UNKNOWN, /* nothing failed, and something needed was not there */
};

/* All strings are static or owned by the arena, which must outlive it. */
struct verdict {
    enum verdict_result result;
    const char *tee; /* "snp", "tdx", "sgx", "insecure" */
    bool insecure;   /* rests on an anchor that is not the vendor's */
    bool strict;     /* warnings are failures */
    bool nomem;      /* a check was lost: never accepted */
    struct check *checks;
    size_t count;
    size_t cap;
    struct claims claims;
    const struct tcb_result *tcb; /* Intel: in the arena; else NULL */
    struct arena *arena;          /* borrowed */
};

void verdict_init(struct verdict *v, struct arena *arena, const char *tee,
                  bool strict);

/* Appends a copy of the check. NULL strings become "". A warning of a strict
 * verdict is stored as a failure. Running out of memory is remembered. */
void verdict_add(struct verdict *v, struct check check);

/* Shorthands; expected, actual and reason may be NULL. */
void verdict_pass(struct verdict *v, const char *name, const char *ref,
                  const char *expected, const char *actual);
void verdict_fail(struct verdict *v, const char *name, const char *ref,
                  const char *expected, const char *actual, const char *reason);
void verdict_warn(struct verdict *v, const char *name, const char *ref,
                  const char *expected, const char *actual, const char *reason);
/* Skipped, and the verdict rests on the others. */
void verdict_skip(struct verdict *v, const char *name, const char *ref,
                  const char *reason);
/* The same, because no expectation was stated or the rule does not apply. */
void verdict_waive(struct verdict *v, const char *name, const char *ref,
                   const char *reason);
/* Skipped because something needed is missing: the verdict is unknown unless
 * another check fails. */
void verdict_lack(struct verdict *v, const char *name, const char *ref,
                  const char *reason);

/* Texts in the verdict's arena; "" (and nomem set) when memory is out. */
const char *verdict_text(struct verdict *v, const char *fmt, ...)
    ASSAY_PRINTF(2, 3);
const char *verdict_hex(struct verdict *v, struct span bytes);

/* A second verdict that starts with the checks of the first, so that one
 * verified report can be appraised against several reference values. Both use
 * the same arena. */
void verdict_fork(const struct verdict *from, struct verdict *to);

/* Failed checks, and the first of them (NULL when none). */
size_t verdict_failures(const struct verdict *v);
const struct check *verdict_first_failure(const struct verdict *v);
const struct check *verdict_find(const struct verdict *v, const char *name);

/* Sets v->result from the checks and returns it: refused when one failed, no
 * check exists or memory ran out; unknown when a needed one was skipped. */
enum verdict_result verdict_conclude(struct verdict *v);

/* "accepted", "refused", "unknown"; "pass", "fail", "warn", "skipped" */
const char *verdict_result_name(enum verdict_result result);
const char *check_outcome_name(enum check_outcome outcome);

/* ASSAY_OK when accepted; else the first failure, or first lack, as a
 * sentence: ASSAY_ERR_UNTRUSTED when refused, ASSAY_ERR_IO when unknown. */
ASSAY_MUST_CHECK
enum assay_status verdict_status(const struct verdict *v,
                                 struct assay_error *err);

struct verdict_style {
    bool explain; /* every check with field, want and got */
    bool colour;  /* a terminal reads it: colours and check marks */
    size_t width; /* columns; 0 means 80 */
};

/* Renderings append to *out, whose failure is sticky: check it once. */
void verdict_render_text(const struct verdict *v,
                         const struct verdict_style *style, struct buffer *out);
void verdict_render_json(const struct verdict *v, struct buffer *out);
/* "refused: report_signature: got ..., want ..." without a newline */
void verdict_render_line(const struct verdict *v, struct buffer *out);

#endif
