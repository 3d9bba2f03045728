/* JSON (RFC 8259): read strictly, written plainly.
 *
 * The reader keeps numbers as written, so nothing is ever rounded: integers
 * are asked for as int64_t or uint64_t and refused where they do not fit,
 * anything else stays text. Keys keep their order. Strings are valid UTF-8
 * without escapes; they may hold U+0000, so their length counts.
 *
 * Values live in the arena and borrow nothing from the text. */
#ifndef ASSAY_CODEC_JSON_H
#define ASSAY_CODEC_JSON_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/limits.h"

enum json_type {
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_member;

struct json {
    enum json_type type;
    bool boolean;     /* JSON_BOOL */
    size_t offset;    /* of its first byte in the text: see json_where */
    struct span text; /* JSON_STRING: decoded, a NUL behind it;
                         JSON_NUMBER: as written */
    size_t count;     /* JSON_ARRAY, JSON_OBJECT */
    const struct json *items;          /* JSON_ARRAY */
    const struct json_member *members; /* JSON_OBJECT, in order */
};

struct json_member {
    struct span key; /* as a string's text */
    struct json value;
};

enum json_duplicates {
    JSON_DUPLICATES_REFUSED,  /* the same key twice in one object */
    JSON_DUPLICATES_ANY_CASE, /* also keys that differ in case only */
    JSON_DUPLICATES_LAST_WINS /* all are kept, json_get finds the last */
};

/* Zeros are the defaults. */
struct json_options {
    const char *name; /* of the text in errors; "json" */
    enum json_duplicates duplicates;
    size_t max_bytes;  /* LIMIT_JSON_BYTES */
    size_t max_depth;  /* LIMIT_JSON_DEPTH, which is also the most */
    size_t max_values; /* LIMIT_JSON_VALUES */
    size_t *fault;     /* where to put the offset of the fault, or NULL */
};

/* Parses exactly one value with nothing but white space around it.
 *
 *   text   untrusted
 *   opts   NULL is the defaults
 *   arena  holds the value; its budget bounds the memory
 *   out    written only when ASSAY_OK is returned
 *
 * The sentence is "NAME:LINE:COLUMN: PATH: what, got, want".
 * ASSAY_ERR_MALFORMED  not JSON, not UTF-8, trailing bytes, a duplicate key
 * ASSAY_ERR_LIMIT      longer, deeper or more values than the options allow
 * ASSAY_ERR_NOMEM */
ASSAY_MUST_CHECK
enum assay_status json_parse(struct span text, const struct json_options *opts,
                             struct arena *arena, struct json *out,
                             struct assay_error *err);

/* The member's value, or NULL when obj is NULL, no object, or lacks the key.
 * _fold ignores case as Go's encoding/json does (CI section 6.1). */
const struct json *json_get(const struct json *obj, const char *key);
const struct json *json_get_fold(const struct json *obj, const char *key);

/* Equality of keys without regard to case: ASCII, and the two other letters
 * that fold to ASCII (U+017F to s, U+212A to k). */
bool json_key_equal_fold(struct span a, struct span b);

/* True, and *out written, only for a number written as an integer (no
 * fraction, no exponent) that fits. NULL is no number. */
bool json_u64(const struct json *v, uint64_t *out);
bool json_i64(const struct json *v, int64_t *out);

bool json_is_string(const struct json *v, const char *text);
const char *json_type_name(const struct json *v); /* "an object", "nothing" */

/* For carets: line and column count from 1, columns are bytes; the line's
 * text is without its line end. */
struct json_position {
    size_t line, column;
    struct span text; /* borrowed from the text */
};
struct json_position json_where(struct span text, size_t offset);

/* The writer appends to a buffer, whose sticky failure is the only one
 * (buffer_check); nesting deeper than LIMIT_JSON_DEPTH sets it too. The caller
 * keeps to JSON's grammar: a key outside an object, a value without a key in
 * one, or an end too many is an assertion. */
struct json_writer {
    struct buffer *out;
    unsigned indent; /* blanks per level; 0 writes one line */
    unsigned depth;
    uint64_t filled;  /* bit d: level d already holds something */
    uint64_t objects; /* bit d: level d is an object */
    bool after_key;
};

struct json_writer json_writer_over(struct buffer *out, unsigned indent);

void jw_object(struct json_writer *w);
void jw_array(struct json_writer *w);
void jw_end(struct json_writer *w); /* closes the innermost one */
void jw_key(struct json_writer *w, const char *key);
void jw_key_span(struct json_writer *w, struct span key);

/* Strings: bytes that are not UTF-8 become U+FFFD; controls are escaped, C1
 * ones too, so that output cannot drive a terminal. */
void jw_string(struct json_writer *w, struct span text);
void jw_str(struct json_writer *w, const char *text); /* NULL writes null */
void jw_u64(struct json_writer *w, uint64_t value);
void jw_i64(struct json_writer *w, int64_t value);
void jw_bool(struct json_writer *w, bool value);
void jw_null(struct json_writer *w);
void jw_hex(struct json_writer *w, struct span bytes); /* lower case */
void jw_base64(struct json_writer *w, struct span bytes);
void jw_value(struct json_writer *w, const struct json *v); /* parsed before */

/* Key and value at once. */
void jw_put_str(struct json_writer *w, const char *key, const char *text);
void jw_put_string(struct json_writer *w, const char *key, struct span text);
void jw_put_u64(struct json_writer *w, const char *key, uint64_t value);
void jw_put_i64(struct json_writer *w, const char *key, int64_t value);
void jw_put_bool(struct json_writer *w, const char *key, bool value);
void jw_put_hex(struct json_writer *w, const char *key, struct span bytes);
void jw_put_base64(struct json_writer *w, const char *key, struct span bytes);

#endif
