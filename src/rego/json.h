/* JSON to values and back, and the language's own text form.
 *
 * Reading builds on codec/json: strict, UTF-8, bounded; the last of duplicate
 * keys wins, numbers keep their text. Writing is canonical: sets become
 * arrays, members are in byte order of their keys, keys that are no strings
 * become their JSON text. */
#ifndef ASSAY_REGO_JSON_H
#define ASSAY_REGO_JSON_H

#include "base/buffer.h"
#include "rego/value.h"

struct rego_json_options {
    const char *name;                  /* of the text in errors; "json" */
    size_t max_bytes;                  /* 0: LIMIT_JSON_BYTES */
    const struct value_intern *intern; /* for keys and strings; may be NULL */
};

ASSAY_MUST_CHECK
enum assay_status value_from_json(struct span text,
                                  const struct rego_json_options *opts,
                                  struct arena *arena, struct value *out,
                                  struct assay_error *err);

enum value_json_flags {
    VALUE_JSON_HTML = 1 << 0, /* < > & U+2028 U+2029 as \u escapes */
};

/* Appends compact JSON; buffer_check tells whether it fitted. */
void value_write_json(struct buffer *out, struct value v, unsigned flags);

/* The same over lines, each behind prefix, indent once per level. */
void value_write_json_pretty(struct buffer *out, struct value v,
                             const char *prefix, const char *indent,
                             unsigned flags);

/* As print and sprintf show it: a string at the top is bare, nested ones are
 * quoted, sets are {1, 2} and set(). */
void value_write_text(struct buffer *out, struct value v);
/* The same with a string at the top quoted too: a term of the language. */
void value_write_term(struct buffer *out, struct value v);
/* In double quotes, with the escapes of Go: what cannot be printed as \x00,
 * \u00a0 or \U000e0001. */
void value_write_quoted(struct buffer *out, struct span text);

#endif
