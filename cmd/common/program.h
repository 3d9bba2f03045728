/* A program is a table of commands; this is the one main() of them all.
 *
 * A program with verbs names each ("manifest lint"; two words form a group);
 * a program without has one command whose name is "". --help, --version,
 * usage errors and exit codes are the same everywhere. */
#ifndef ASSAY_CMD_PROGRAM_H
#define ASSAY_CMD_PROGRAM_H

#include "common/options.h"

/* Exit codes: scripts must be able to tell "no" from "could not". */
enum exit_code {
    EXIT_YES = 0,
    EXIT_NO = 1,      /* refused, with the reason; malformed evidence too */
    EXIT_USAGE = 2,   /* wrong options, or a file that cannot be read */
    EXIT_UNKNOWN = 3, /* could not find out */
};

enum { OPERANDS_ANY = 0x7fffffff };

struct invocation;

struct command {
    const char *name;     /* "manifest lint", or "" */
    const char *summary;  /* one line, lower case, no full stop */
    const char *operands; /* of the usage line: "OLD NEW"; NULL for none */
    size_t operands_min, operands_max;
    const struct option *options;       /* see options.h; NULL for none */
    size_t values_size;                 /* of the struct the options fill */
    const char *details;                /* paragraphs for --help, or NULL */
    const char *example;                /* a command line that works */
    int (*run)(struct invocation *inv); /* returns enum exit_code */
};

/* One line of the program's own help for a group of commands. */
struct command_group {
    const char *name;    /* the first word */
    const char *summary; /* of all of them */
};

struct program {
    const char *name;
    const char *summary;
    const struct command *const *commands; /* ended by NULL */
    const struct command_group *groups;    /* ended by a NULL name, or NULL */
    const char *example;
};

/* What a command's run() gets. */
struct invocation {
    const struct program *program;
    const struct command *command;
    const void *values; /* the filled struct */
    struct text_list operands;
    struct arena *arena; /* lives until the program ends */
};

/* main() is `return program_main(&program, argc, argv);` */
int program_main(const struct program *program, int argc, char **argv);

#endif
