/* Reading a pattern: what the two files of the parser share. Failures stick:
 * the first is kept, and everything later does nothing. */
#ifndef ASSAY_REGO_REGEX_PARSER_H
#define ASSAY_REGO_REGEX_PARSER_H

#include "rego/regex_internal.h"

enum regex_flags {
    REGEX_FOLD = 1 << 0,    /* i */
    REGEX_LINES = 1 << 1,   /* m */
    REGEX_NEWLINE = 1 << 2, /* s: . takes \n */
    REGEX_LAZY = 1 << 3,    /* U: swaps greedy and lazy */
};

enum { REGEX_RUNE_MAX = 0x10ffff };

struct regex_parser {
    struct arena *arena;
    struct span text;
    size_t at;
    unsigned flags;
    unsigned depth;
    struct regex_tree *tree;
    struct assay_error *err;
    enum assay_status status; /* of the first failure */
};

struct regex_ranges {
    struct unicode_range *at;
    size_t count, cap;
};

/* --- The text: regex_class.c --- */

void rx_fail(struct regex_parser *p, const char *what, size_t from);
void rx_fail_nomem(struct regex_parser *p);
bool rx_more(const struct regex_parser *p);
bool rx_looking_at(const struct regex_parser *p, const char *s);
bool rx_take(struct regex_parser *p, const char *s);
uint32_t rx_take_rune(struct regex_parser *p);
uint32_t rx_take_escape(struct regex_parser *p);
bool rx_is_alnum(uint32_t c);

/* --- Nodes and classes: NULL on failure --- */

struct regex_node *rx_new_node(struct regex_parser *p,
                               enum regex_node_kind kind);
void rx_add_range(struct regex_parser *p, struct regex_ranges *r,
                  uint32_t first, uint32_t last);
void rx_add_folded(struct regex_parser *p, struct regex_ranges *r,
                   uint32_t first, uint32_t last);
struct regex_node *rx_class_node(struct regex_parser *p,
                                 struct regex_ranges *r);

/* At a class: [..] behind its bracket; \d and \pL, false when there is
 * something else. */
struct regex_node *rx_take_class(struct regex_parser *p);
bool rx_take_perl_class(struct regex_parser *p, struct regex_ranges *to);
bool rx_take_unicode_class(struct regex_parser *p, struct regex_ranges *to);

#endif
