/* Between the parser, the compiler and the machines of regular expressions. */
#ifndef ASSAY_REGO_REGEX_INTERNAL_H
#define ASSAY_REGO_REGEX_INTERNAL_H

#include "rego/regex.h"
#include "rego/unicode.h"

enum regex_assertion {
    ASSERT_TEXT_BEGIN,
    ASSERT_TEXT_END,
    ASSERT_LINE_BEGIN,
    ASSERT_LINE_END,
    ASSERT_WORD,
    ASSERT_NOT_WORD,
};

enum regex_node_kind {
    NODE_EMPTY,
    NODE_RUNE,
    NODE_CLASS,
    NODE_ANY,
    NODE_ASSERT,
    NODE_CAPTURE,
    NODE_REPEAT,
    NODE_CONCAT,
    NODE_ALTERNATE,
};

/* Sorted, apart from each other; ascii answers for runes below 128. */
struct regex_class {
    const struct unicode_range *ranges;
    size_t count;
    uint64_t ascii[2];
};

enum { REGEX_UNBOUNDED = -1, REGEX_REPEAT_MAX = 1000 };

struct regex_node {
    enum regex_node_kind kind;
    bool lazy;
    enum regex_assertion assertion;
    uint32_t rune;
    const struct regex_class *set;
    uint32_t capture;
    int min, max;             /* NODE_REPEAT */
    struct regex_node *first; /* child, or first of several */
    struct regex_node *next;  /* sibling */
};

struct regex_names {
    struct span name; /* empty for a group without */
    struct regex_names *next;
};

struct regex_tree {
    struct regex_node *root;
    size_t captures;
    struct regex_names *names; /* one for each capture, last first */
};

enum assay_status regex_parse(struct arena *a, struct span pattern,
                              struct regex_tree *out, struct assay_error *err);

enum regex_op {
    OP_RUNE,   /* arg: the rune */
    OP_CLASS,  /* arg: index of the class */
    OP_ANY,    /* any rune */
    OP_ASSERT, /* arg: enum regex_assertion */
    OP_SAVE,   /* arg: slot */
    OP_SPLIT,  /* next first, then arg */
    OP_JUMP,   /* to next */
    OP_MATCH,
};

struct regex_inst {
    uint8_t op;
    uint32_t next;
    uint32_t arg;
};

struct regex {
    struct arena arena; /* holds everything below, and this too */
    const struct allocator *alloc;
    struct regex_inst *insts;
    size_t count;
    const struct regex_class **classes;
    size_t class_count;
    size_t groups;
    struct regex_names *names;
    struct span prefix; /* every match begins with these bytes */
    bool whole_prefix;  /* ... and is nothing else */
    bool anchored;      /* matches at the beginning of the text only */
};

bool regex_class_has(const struct regex_class *c, uint32_t rune);

#endif
