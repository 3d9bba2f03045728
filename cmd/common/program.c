#include "common/program.h"

#include <stdio.h>
#include <string.h>

#include "common/output.h"

enum {
    ARENA_BYTES = 64 * 1024 * 1024,
    HELP_BYTES = 64 * 1024,
    NAME_COLUMN = 24
};

/* The part of a two-word name in front of the blank. */
static bool
in_group(const struct command *c, const char *group)
{
    size_t len = strlen(group);

    return strncmp(c->name, group, len) == 0 && c->name[len] == ' ';
}

static const struct command_group *
find_group(const struct program *p, const char *name)
{
    for (const struct command_group *g = p->groups; g && g->name; g++) {
        if (strcmp(g->name, name) == 0)
            return g;
    }
    return NULL;
}

static bool
has_verbs(const struct program *p)
{
    return p->commands[0] && p->commands[0]->name[0] != '\0';
}

/* The command that argv names, and how many words that took. */
static const struct command *
find_command(const struct program *p, int argc, char **argv, int *words)
{
    for (const struct command *const *c = p->commands; *c; c++) {
        const char *blank = strchr((*c)->name, ' ');
        size_t first = blank ? (size_t)(blank - (*c)->name) : 0;

        *words = blank ? 2 : has_verbs(p);
        if (argc < *words)
            continue;
        if (!has_verbs(p) || (!blank && strcmp((*c)->name, argv[0]) == 0))
            return *c;
        if (blank && strlen(argv[0]) == first &&
            memcmp((*c)->name, argv[0], first) == 0 &&
            strcmp(blank + 1, argv[1]) == 0)
            return *c;
    }
    return NULL;
}

static void
line(struct buffer *out, const char *name, const char *summary)
{
    size_t used = strlen(name) + 2;

    buffer_addf(out, "  %s", name);
    if (used + 2 > NAME_COLUMN) {
        buffer_add_str(out, "\n");
        used = 0;
    }
    buffer_addf(out, "%*s", (int)(NAME_COLUMN - used), "");
    text_wrap(out, summary, NAME_COLUMN, NAME_COLUMN);
}

/* "manifest lint|diff|hash" */
static void
group_line(const struct program *p, const struct command_group *g,
           struct buffer *out)
{
    struct buffer name;
    const char *between = " ";

    buffer_init(&name, 1024, NULL);
    buffer_add_str(&name, g->name);
    for (const struct command *const *c = p->commands; *c; c++) {
        if (!in_group(*c, g->name))
            continue;
        buffer_addf(&name, "%s%s", between, (*c)->name + strlen(g->name) + 1);
        between = "|";
    }
    line(out, buffer_str(&name), g->summary);
    buffer_free(&name);
}

static void
describe_program(const struct program *p, struct buffer *out)
{
    const struct command_group *shown = NULL;

    buffer_addf(out, "%s - %s\n\nUsage: %s COMMAND [OPTIONS] ...\n\n", p->name,
                p->summary, p->name);
    for (const struct command *const *c = p->commands; *c; c++) {
        char first[32];
        size_t len = strcspn((*c)->name, " ");
        const struct command_group *g;

        (void)snprintf(first, sizeof(first), "%.*s", (int)len, (*c)->name);
        g = find_group(p, first);
        if (!g)
            line(out, (*c)->name, (*c)->summary);
        else if (g != shown)
            group_line(p, g, out);
        shown = g;
    }
    buffer_addf(out,
                "\n'%s COMMAND --help' tells more. Exit codes: 0 yes, 1 no, "
                "2 usage, 3 could not\nfind out.\n",
                p->name);
    if (p->example)
        buffer_addf(out, "\nExample:\n  %s\n", p->example);
}

static void
describe_group(const struct program *p, const struct command_group *g,
               struct buffer *out)
{
    const char *example = NULL; /* of the first that has one */

    buffer_addf(out, "%s %s - %s\n\n", p->name, g->name, g->summary);
    for (const struct command *const *c = p->commands; *c; c++) {
        if (!in_group(*c, g->name))
            continue;
        line(out, (*c)->name, (*c)->summary);
        example = example ? example : (*c)->example;
    }
    buffer_addf(out, "\n'%s %s COMMAND --help' tells more.\n", p->name,
                g->name);
    if (example)
        buffer_addf(out, "\nExample:\n  %s\n", example);
}

static void
describe_command(const struct program *p, const struct command *c,
                 struct buffer *out)
{
    buffer_addf(out, "%s%s%s - ", p->name, c->name[0] ? " " : "", c->name);
    text_wrap(out, c->summary, out->len, 4);
    buffer_addf(out, "\nUsage: %s%s%s [OPTIONS]%s%s\n\n", p->name,
                c->name[0] ? " " : "", c->name, c->operands ? " " : "",
                c->operands ? c->operands : "");
    options_describe(c->options, out);
    if (c->details) {
        buffer_add_str(out, "\n");
        text_wrap(out, c->details, 0, 0);
    }
    if (c->example)
        buffer_addf(out, "\nExample:\n  %s\n", c->example);
}

static int
show(const struct program *p, const struct command_group *g,
     const struct command *c, FILE *to)
{
    struct buffer text;

    buffer_init(&text, HELP_BYTES, NULL);
    if (c)
        describe_command(p, c, &text);
    else if (g)
        describe_group(p, g, &text);
    else
        describe_program(p, &text);
    (void)fputs(buffer_str(&text), to);
    buffer_free(&text);
    return to == stdout ? EXIT_YES : EXIT_USAGE;
}

struct second_words {
    const struct program *program;
    const char *group; /* NULL: first words */
};

static const char *
next_word(const void *ctx, size_t i)
{
    const struct second_words *w = ctx;

    for (const struct command *const *c = w->program->commands; *c; c++) {
        if (w->group && !in_group(*c, w->group))
            continue;
        if (i-- == 0)
            return w->group ? (*c)->name + strlen(w->group) + 1 : (*c)->name;
    }
    return NULL;
}

static const char *
next_group(const void *ctx, size_t i)
{
    const struct program *p = ctx;

    /* Only names are read, and the table ends with a NULL one. */
    return p->groups ? p->groups[i].name : NULL;
}

static int
no_such_command(const struct program *p, const struct command_group *g,
                int argc, char **argv)
{
    const char *word = g ? argv[1] : argv[0];
    struct second_words words = { p, g ? g->name : NULL };
    const char *nearest;

    if (argc < (g ? 2 : 1))
        return show(p, g, NULL, stderr);
    nearest = text_nearest(word, next_word, &words);
    if (!nearest && !g)
        nearest = text_nearest(word, next_group, p);
    (void)fprintf(stderr, "%s%s%s: unknown command %s", p->name, g ? " " : "",
                  g ? g->name : "", word);
    if (nearest)
        (void)fprintf(stderr, "; did you mean %s?", nearest);
    (void)fprintf(stderr, "\nTry '%s%s%s --help'.\n", p->name, g ? " " : "",
                  g ? g->name : "");
    return EXIT_USAGE;
}

static int
usage_error(const struct invocation *inv, const char *text)
{
    const char *blank = inv->command->name[0] ? " " : "";

    talk(inv, "%s", text);
    (void)fprintf(stderr, "Try '%s%s%s --help'.\n", inv->program->name, blank,
                  inv->command->name);
    return EXIT_USAGE;
}

static int
check_operands(const struct invocation *inv)
{
    const struct command *c = inv->command;
    char text[160];

    if (inv->operands.count < c->operands_min) {
        (void)snprintf(text, sizeof(text), "missing operand, want: %s",
                       c->operands);
        return usage_error(inv, text);
    }
    if (inv->operands.count > c->operands_max) {
        (void)snprintf(text, sizeof(text), "unexpected operand: %s",
                       inv->operands.items[c->operands_max]);
        return usage_error(inv, text);
    }
    return EXIT_YES;
}

static int
run_command(const struct program *p, const struct command *c, int argc,
            char **argv)
{
    struct arena arena;
    struct invocation inv = { .program = p, .command = c, .arena = &arena };
    struct assay_error err = { 0 };
    void *values;
    int code = EXIT_UNKNOWN;

    arena_init(&arena, ARENA_BYTES, NULL);
    values = arena_alloc(&arena, c->values_size + 1);
    inv.values = values;
    if (!values)
        talk(&inv, "out of memory");
    else if (options_parse(c->options, argc, argv, &arena, values,
                           &inv.operands, &err) != ASSAY_OK)
        code = usage_error(&inv, err.text);
    else if ((code = check_operands(&inv)) == EXIT_YES)
        code = c->run(&inv);
    arena_drop(&arena);
    return code;
}

/* A result that did not reach its reader is none. */
static int
close_stdout(const struct program *p, int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    (void)fprintf(stderr, "%s: cannot write to standard output\n", p->name);
    return EXIT_UNKNOWN;
}

static int
dispatch(const struct program *p, int argc, char **argv)
{
    int words = 0;
    const struct command *c = find_command(p, argc, argv, &words);
    const struct command_group *g =
        !c && argc > 0 ? find_group(p, argv[0]) : NULL;

    if (options_asks(argc, argv, "version", 0)) {
        (void)printf("%s %s\n", p->name, ASSAY_VERSION);
        return EXIT_YES;
    }
    if (options_asks(argc, argv, "help", 'h') ||
        (!c && argc > 0 && strcmp(argv[0], "help") == 0)) {
        if (c || g || argc < 1 || argv[0][0] == '-' ||
            strcmp(argv[0], "help") == 0)
            return show(p, g, c, stdout);
    }
    if (!c)
        return no_such_command(p, g, argc, argv);
    return run_command(p, c, argc - words, argv + words);
}

int
program_main(const struct program *p, int argc, char **argv)
{
    int skip = argc > 0;

    return close_stdout(p, dispatch(p, argc - skip, argv + skip));
}
