#include "common/options.h"

#include <string.h>

#include "base/num.h"

enum { COLUMNS = 80, HELP_COLUMN = 28, WORD_MAX = 40, NEAR = 2 };

struct parse {
    const struct option *table;
    int argc;
    char **argv;
    int at; /* of the next argument */
    struct arena *arena;
    uint8_t *values;
    struct text_list *operands;
    bool *given; /* per row */
    struct assay_error *err;
};

static size_t
row_count(const struct option *table)
{
    size_t n = 0;

    while (table && table[n].name)
        n++;
    return n;
}

static const char *
next_name(const void *ctx, size_t i)
{
    const struct option *table = ctx;

    return i < row_count(table) ? table[i].name : NULL;
}

/* Edit distance of two short words: insert, delete, replace. */
static size_t
distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1];
    size_t la = strlen(a), lb = strlen(b);

    if (la > WORD_MAX || lb > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[lb];
}

const char *
text_nearest(const char *given, const char *(*next)(const void *ctx, size_t i),
             const void *ctx)
{
    size_t len = strlen(given), best = NEAR + 1;
    const char *nearest = NULL, *word;

    for (size_t i = 0; (word = next(ctx, i)) != NULL; i++) {
        size_t d = distance(given, word);

        if (len >= 3 && strncmp(word, given, len) == 0)
            d = 1; /* the beginning of a long name */
        if (d < best && d < strlen(word)) {
            best = d;
            nearest = word;
        }
    }
    return nearest;
}

static enum assay_status
unknown_option(struct parse *p, const char *arg, const char *name)
{
    const char *nearest = text_nearest(name, next_name, p->table);

    if (nearest)
        return assay_fail(p->err, ASSAY_ERR_MALFORMED,
                          "unknown option %s; did you mean --%s?", arg,
                          nearest);
    return assay_fail(p->err, ASSAY_ERR_MALFORMED, "unknown option %s", arg);
}

static enum assay_status
append(struct parse *p, struct text_list *list, const char *text)
{
    if (!list->items) { /* no list can be longer than argv */
        list->items = arena_array(p->arena, (size_t)p->argc, sizeof(char *));
        if (!list->items)
            return assay_nomem(p->err, "options");
    }
    list->items[list->count++] = text;
    return ASSAY_OK;
}

static bool
parse_decimal(const char *text, uint64_t *out)
{
    uint64_t n = 0;

    if (*text == '\0')
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || __builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, (uint64_t)(*text - '0'), &n))
            return false;
    }
    *out = n;
    return true;
}

static enum assay_status
set_number(const struct option *o, const char *text, uint64_t *out,
           struct assay_error *err)
{
    uint64_t most = o->most ? o->most : UINT64_MAX, n;

    if (!parse_decimal(text, &n) || n < o->least || n > most) {
        if (o->most)
            return assay_fail(
                err, ASSAY_ERR_MALFORMED,
                "--%s: got \"%s\", want a number from %llu to %llu", o->name,
                text, (unsigned long long)o->least,
                (unsigned long long)o->most);
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "--%s: got \"%s\", want a decimal number of at "
                          "least %llu",
                          o->name, text, (unsigned long long)o->least);
    }
    *out = n;
    return ASSAY_OK;
}

static enum assay_status
set_choice(const struct option *o, const char *text, unsigned *out,
           struct assay_error *err)
{
    const char *word = o->value;

    for (unsigned i = 0;; i++) {
        size_t len = strcspn(word, "|");

        if (strlen(text) == len && memcmp(word, text, len) == 0) {
            *out = i;
            return ASSAY_OK;
        }
        if (word[len] == '\0')
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "--%s: got \"%s\", want %s", o->name, text,
                              o->value);
        word += len + 1;
    }
}

static enum assay_status
set_value(struct parse *p, const struct option *o, const char *text)
{
    void *slot = p->values + o->at;

    switch (o->kind) {
    case OPTION_FLAG:
        *(bool *)slot = true;
        return ASSAY_OK;
    case OPTION_TEXT:
        *(const char **)slot = text;
        return ASSAY_OK;
    case OPTION_LIST:
        return append(p, slot, text);
    case OPTION_NUMBER:
        return set_number(o, text, slot, p->err);
    case OPTION_CHOICE:
        return set_choice(o, text, slot, p->err);
    }
    return ASSAY_ERR_UNSUPPORTED;
}

/* text is what followed '=' (or the letter), or NULL. */
static enum assay_status
take_option(struct parse *p, const struct option *o, const char *text)
{
    bool *given = &p->given[o - p->table];

    if (o->kind == OPTION_FLAG && text)
        return assay_fail(p->err, ASSAY_ERR_MALFORMED, "--%s takes no value",
                          o->name);
    if (*given && o->kind != OPTION_LIST)
        return assay_fail(p->err, ASSAY_ERR_MALFORMED, "--%s is given twice",
                          o->name);
    *given = true;
    if (o->kind == OPTION_FLAG)
        return set_value(p, o, NULL);
    if (!text) {
        if (p->at >= p->argc || strncmp(p->argv[p->at], "--", 2) == 0)
            return assay_fail(p->err, ASSAY_ERR_MALFORMED,
                              "--%s needs a value: %s", o->name, o->value);
        text = p->argv[p->at++];
    }
    return set_value(p, o, text);
}

static enum assay_status
take_long(struct parse *p, const char *arg)
{
    const char *name = arg + 2, *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    char word[WORD_MAX + 1] = "";

    for (const struct option *o = p->table; o && o->name; o++) {
        if (strlen(o->name) == len && memcmp(o->name, name, len) == 0)
            return take_option(p, o, equals ? equals + 1 : NULL);
    }
    memcpy(word, name, len < WORD_MAX ? len : WORD_MAX);
    return unknown_option(p, arg, word);
}

static enum assay_status
take_short(struct parse *p, const char *arg)
{
    for (const struct option *o = p->table; o && o->name; o++) {
        if (o->letter && o->letter == arg[1])
            return take_option(p, o, arg[2] ? arg + 2 : NULL);
    }
    return unknown_option(p, arg, arg + 1);
}

static enum assay_status
take_arguments(struct parse *p)
{
    enum assay_status st = ASSAY_OK;
    bool only_operands = false;

    while (st == ASSAY_OK && p->at < p->argc) {
        const char *arg = p->argv[p->at++];

        if (only_operands || arg[0] != '-' || arg[1] == '\0')
            st = append(p, p->operands, arg);
        else if (strcmp(arg, "--") == 0)
            only_operands = true;
        else if (arg[1] == '-')
            st = take_long(p, arg);
        else
            st = take_short(p, arg);
    }
    return st;
}

static enum assay_status
fill_the_rest(struct parse *p)
{
    enum assay_status st = ASSAY_OK;

    for (const struct option *o = p->table; o && o->name; o++) {
        if (p->given[o - p->table])
            continue;
        if (o->required)
            return assay_fail(p->err, ASSAY_ERR_MALFORMED,
                              "--%s %s is required", o->name, o->value);
        if (o->fallback)
            st = set_value(p, o, o->fallback);
        if (st != ASSAY_OK)
            return st;
    }
    return ASSAY_OK;
}

enum assay_status
options_parse(const struct option *table, int argc, char **argv,
              struct arena *arena, void *values, struct text_list *operands,
              struct assay_error *err)
{
    struct parse p = { .table = table,
                       .argc = argc,
                       .argv = argv,
                       .arena = arena,
                       .values = values,
                       .operands = operands,
                       .err = err };
    enum assay_status st;

    *operands = (struct text_list){ 0 };
    p.given = arena_array(arena, row_count(table) + 1, sizeof(bool));
    if (!p.given)
        return assay_nomem(err, "options");
    st = take_arguments(&p);
    return st == ASSAY_OK ? fill_the_rest(&p) : st;
}

bool
options_asks(int argc, char **argv, const char *name, char letter)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *arg = argv[i];

        if (arg[0] != '-')
            continue;
        if (arg[1] == '-' && strcmp(arg + 2, name) == 0)
            return true;
        if (letter && arg[1] == letter && arg[2] == '\0')
            return true;
    }
    return false;
}

static void
pad_to(struct buffer *out, size_t from, size_t column)
{
    for (; from < column; from++)
        buffer_add_str(out, " ");
}

void
text_wrap(struct buffer *out, const char *text, size_t at, size_t indent)
{
    bool line_is_empty = true;

    while (*text) {
        size_t len = strcspn(text, " \n");

        if (!line_is_empty && at + 1 + len > COLUMNS - 1) {
            buffer_add_str(out, "\n");
            pad_to(out, 0, indent);
            at = indent;
        } else if (!line_is_empty) {
            buffer_add_str(out, " ");
            at++;
        }
        buffer_add(out, span_of(text, len));
        at += len;
        line_is_empty = false;
        text += len;
        text += strspn(text, " \n");
    }
    buffer_add_str(out, "\n");
}

static void
describe_row(const struct option *o, struct buffer *out)
{
    size_t start = out->len, used;
    struct buffer help;

    if (o->letter)
        buffer_addf(out, "  -%c, --%s", o->letter, o->name);
    else
        buffer_addf(out, "      --%s", o->name);
    if (o->value)
        buffer_addf(out, " %s", o->value);
    used = out->len - start;
    if (used + 2 > HELP_COLUMN) {
        buffer_add_str(out, "\n");
        used = 0;
    }
    pad_to(out, used, HELP_COLUMN);
    buffer_init(&help, 1024, out->alloc);
    buffer_add_str(&help, o->help);
    if (o->kind == OPTION_LIST)
        buffer_add_str(&help, " (repeatable)");
    if (o->required)
        buffer_add_str(&help, " (required)");
    if (o->fallback)
        buffer_addf(&help, " (default: %s)", o->fallback);
    text_wrap(out, buffer_str(&help), HELP_COLUMN, HELP_COLUMN);
    buffer_free(&help);
}

void
options_describe(const struct option *table, struct buffer *out)
{
    static const struct option standard[] = {
        { .name = "help", .letter = 'h', .help = "show this text" },
        { .name = "version", .help = "show the version" },
    };

    for (const struct option *o = table; o && o->name; o++)
        describe_row(o, out);
    for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++)
        describe_row(&standard[i], out);
}
