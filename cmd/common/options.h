/* One table per command says what its options are; parsing and --help read
 * the same table, so they cannot disagree.
 *
 * Understood: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, options before
 * and after operands, "--" to end them, "-" as an operand. Refused: unknown
 * names (with the nearest known one), a single-valued option given twice, a
 * flag with a value, a missing or badly formed value, too few operands. */
#ifndef ASSAY_CMD_OPTIONS_H
#define ASSAY_CMD_OPTIONS_H

#include <stddef.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

struct text_list {
    const char **items; /* borrowed from argv */
    size_t count;
};

enum option_kind {
    OPTION_FLAG,   /* bool */
    OPTION_TEXT,   /* const char *; NULL when not given */
    OPTION_LIST,   /* struct text_list; may be given many times */
    OPTION_NUMBER, /* uint64_t, decimal */
    OPTION_CHOICE, /* unsigned: which word of "a|b|c" */
};

/* A row. The value is written at offset `at` of the command's own struct. */
struct option {
    const char *name; /* without dashes; NULL ends the table */
    const char *help; /* lower case, no full stop; wrapped to fit */
    size_t at;
    const char *value;    /* as in help: "FILE"; of a choice: "text|json" */
    const char *fallback; /* what counts when not given, or NULL */
    uint64_t least, most; /* of a number; most 0 is no upper bound */
    enum option_kind kind;
    char letter; /* 'm' for -m, or 0 */
    bool required;
};

/* The offset of a member, which must have the type its kind writes. */
#define OPTION_AT(type, member, want)                                          \
    (offsetof(type, member) +                                                  \
     0 * sizeof(char[_Generic(((type *)0)->member, want : 1, default           \
                              : -1)]))
#define OPT_FLAG(type, member)                                                 \
    .kind = OPTION_FLAG, .at = OPTION_AT(type, member, bool)
#define OPT_TEXT(type, member, shown)                                          \
    .kind = OPTION_TEXT, .at = OPTION_AT(type, member, const char *),          \
    .value = (shown)
#define OPT_LIST(type, member, shown)                                          \
    .kind = OPTION_LIST, .at = OPTION_AT(type, member, struct text_list),      \
    .value = (shown)
#define OPT_NUMBER(type, member, shown)                                        \
    .kind = OPTION_NUMBER, .at = OPTION_AT(type, member, uint64_t),            \
    .value = (shown)
#define OPT_CHOICE(type, member, words)                                        \
    .kind = OPTION_CHOICE, .at = OPTION_AT(type, member, unsigned),            \
    .value = (words)

/* Rows that several commands have. */
#define OPT_ROW_OUTPUT(type, member)                                           \
    {                                                                          \
        .name = "output", .help = "form of the result",                        \
        OPT_CHOICE(type, member, "text|json"), .fallback = "text"              \
    }

/* Fills values (zeroed storage of the command's struct) and operands.
 *
 *   table     ended by a row without a name; NULL is an empty one
 *   argv      without program and verb
 *   arena     holds the lists; texts are borrowed from argv
 *
 * ASSAY_ERR_MALFORMED  a sentence for the user; ASSAY_ERR_NOMEM */
ASSAY_MUST_CHECK
enum assay_status options_parse(const struct option *table, int argc,
                                char **argv, struct arena *arena, void *values,
                                struct text_list *operands,
                                struct assay_error *err);

/* True when argv asks for --name (or -letter) before any "--". */
bool options_asks(int argc, char **argv, const char *name, char letter);

/* The table as help lines, wrapped to 80 columns. */
void options_describe(const struct option *table, struct buffer *out);

/* Appends text, wrapped at 80 columns and continued at column indent; the
 * line is already filled up to column `at`. Ends with a line break. */
void text_wrap(struct buffer *out, const char *text, size_t at, size_t indent);

/* The word nearest to given, or NULL when none is near. next(ctx, i) yields
 * words until NULL. */
const char *text_nearest(const char *given,
                         const char *(*next)(const void *ctx, size_t i),
                         const void *ctx);

#endif
