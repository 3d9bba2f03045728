/* Rego's builtin functions: one table of rows, each a function of values.
 *
 * A builtin is a pure function of its operands and of what the call's
 * environment injects (time, seed, runtime): the same in, the same out. It
 * allocates in the call's arena only, and charges loops to its budget. */
#ifndef ASSAY_REGO_BUILTIN_H
#define ASSAY_REGO_BUILTIN_H

#include "rego/value.h"

struct regex_cache;

/* Types as sets of bits, for the checker and for operand errors. */
enum builtin_type {
    TYPE_NULL = 1 << 0,
    TYPE_BOOL = 1 << 1,
    TYPE_NUMBER = 1 << 2,
    TYPE_STRING = 1 << 3,
    TYPE_ARRAY = 1 << 4,
    TYPE_OBJECT = 1 << 5,
    TYPE_SET = 1 << 6,
    TYPE_ANY = 0x7f,
    TYPE_VOID = 0, /* result of print: it cannot be used as a value */
};
unsigned builtin_type_of(struct value v); /* one bit */

enum builtin_flags {
    /* Not a function of the operands alone: never folded at compile time.
     * Within one evaluation it still gives equal results for equal operands,
     * since time and seed stay the same. */
    BUILTIN_NONDETERMINISTIC = 1 << 0,
    BUILTIN_DEPRECATED = 1 << 1, /* an error in v1 and in strict mode */
    BUILTIN_RELATION = 1 << 2,   /* the result is an array of results: walk */
    BUILTIN_VOID = 1 << 3,       /* print */
    BUILTIN_VARIADIC = 1 << 4,   /* any number of operands: print */
    BUILTIN_NETWORK = 1 << 5,    /* compiled out: calling it is an error */
    /* Has no function here (fn is NULL): operators of unification, printing
     * and what depends on the program are the executor's. */
    BUILTIN_EXECUTOR = 1 << 6,
    BUILTIN_NO_MOCK = 1 << 7, /* may not be a target of `with` */
    BUILTIN_INFIX = 1 << 8,   /* has an operator; see infix */
};

enum builtin_outcome {
    BUILTIN_OK,        /* *out is written */
    BUILTIN_UNDEFINED, /* no result, no error */
    BUILTIN_ERROR,     /* code and message are set: undefined unless strict */
    BUILTIN_ABORT,     /* memory or budget spent, or cancelled: status is set;
                          the evaluation ends */
};

/* What an evaluation injects; the same for all its calls. */
struct builtin_env {
    int64_t now_ns;              /* when the evaluation began, since 1970 UTC */
    uint8_t seed[32];            /* all randomness is derived from it */
    struct value runtime;        /* opa.runtime(); undefined is {} */
    struct regex_cache *regexes; /* compiled patterns; NULL: none are kept */
    uint64_t steps_left;         /* budget, shared with the executor */
    const atomic_bool *cancel;   /* may be NULL */
};

struct builtin;

struct rego_call {
    struct arena *arena; /* results live here */
    struct builtin_env *env;
    const struct builtin *builtin; /* whose name is in messages */
    const char *code;              /* BUILTIN_ERROR: "eval_type_error", ... */
    const char *message;      /* BUILTIN_ERROR: "NAME: ..."; in the arena */
    enum assay_status status; /* BUILTIN_ABORT: NOMEM or LIMIT */
};

typedef enum builtin_outcome builtin_fn(struct rego_call *call,
                                        const struct value *args, size_t n,
                                        struct value *out);

enum { BUILTIN_MAX_ARGS = 4 };

struct builtin {
    const char *name; /* "array.concat" */
    uint8_t arity;
    uint8_t args[BUILTIN_MAX_ARGS]; /* sets of builtin_type */
    uint8_t result;                 /* the same */
    uint16_t flags;
    const char *infix; /* "+", or NULL */
    builtin_fn *fn;
};

/* NULL when there is none. */
const struct builtin *builtin_find(struct span name);

/* All of them, sorted by name. */
const struct builtin *builtin_at(size_t i); /* NULL behind the last */

/* Checks the arity (an assertion) and runs it. */
enum builtin_outcome builtin_call(struct rego_call *call,
                                  const struct builtin *b,
                                  const struct value *args, size_t n,
                                  struct value *out);

#endif
