/* What builtins share: answering, failing, and taking operands apart.
 *
 * Operand errors read "operand N must be TYPE but got TYPE", where N counts
 * from 1 and several types are "one of {a, b}" in an order that tests know. */
#ifndef ASSAY_REGO_BUILTINS_CALL_H
#define ASSAY_REGO_BUILTINS_CALL_H

#include "base/buffer.h"
#include "rego/builtin.h"
#include "rego/number.h"

/* eval_builtin_error and eval_type_error; the builtin's name goes in front. */
enum builtin_outcome call_fail(struct rego_call *call, const char *fmt, ...)
    ASSAY_PRINTF(2, 3);
enum builtin_outcome call_type_error(struct rego_call *call, const char *fmt,
                                     ...) ASSAY_PRINTF(2, 3);

enum builtin_outcome call_abort(struct rego_call *call,
                                enum assay_status status);
enum builtin_outcome call_nomem(struct rego_call *call);

/* False when the budget is spent or the evaluation cancelled: give up with
 * call_abort(call, ASSAY_ERR_LIMIT). */
ASSAY_MUST_CHECK
bool call_charge(struct rego_call *call, uint64_t steps);

/* --- Answers --- */

/* BUILTIN_OK if made, else the abort for a spent arena. */
enum builtin_outcome call_made(struct rego_call *call, bool made);
enum builtin_outcome call_text(struct rego_call *call, struct span text,
                               struct value *out);
/* The buffer's text, which is freed. */
enum builtin_outcome call_buffer(struct rego_call *call, struct buffer *text,
                                 struct value *out);
/* What arithmetic answered. */
enum builtin_outcome call_number(struct rego_call *call,
                                 enum number_result result);
/* A buffer bounded by what is left of the arena. */
void call_buffer_init(struct rego_call *call, struct buffer *b);
enum builtin_outcome call_bool(bool b, struct value *out);
enum builtin_outcome call_int(int64_t i, struct value *out);

/* --- Operands --- */

/* True when operand i (from 0) is one of the types; else the type error is
 * recorded and *outcome written. */
ASSAY_MUST_CHECK
bool arg_is(struct rego_call *call, const struct value *args, size_t i,
            unsigned types, enum builtin_outcome *outcome);

/* The same for several types, written as the error lists them: "set, array". */
ASSAY_MUST_CHECK
bool arg_in(struct rego_call *call, const struct value *args, size_t i,
            const char *types, enum builtin_outcome *outcome);

/* Operand i as an integer that is written plainly and fits 64 bits. */
ASSAY_MUST_CHECK
bool arg_integer(struct rego_call *call, const struct value *args, size_t i,
                 int64_t *out, enum builtin_outcome *outcome);

/* All elements of operand i, an array or set, have one of the types. */
ASSAY_MUST_CHECK
bool arg_elements(struct rego_call *call, const struct value *args, size_t i,
                  unsigned types, enum builtin_outcome *outcome);

/* Any integer: of any size, with "integer but got TYPE" for other types. */
ASSAY_MUST_CHECK
bool arg_any_integer(struct rego_call *call, const struct value *args, size_t i,
                     enum builtin_outcome *outcome);

/* Each operand against the types of the builtin's row. */
ASSAY_MUST_CHECK
bool args_check(struct rego_call *call, const struct value *args, size_t n,
                enum builtin_outcome *outcome);

/* Code points of a text; a byte that is not UTF-8 counts for one. */
size_t text_runes(struct span text);

/* Elements of an array or set. */
struct items {
    const struct value *at;
    size_t count;
};
struct items value_items(struct value collection);

#endif
