#include <string.h>

#include "base/limits.h"
#include "base/num.h"
#include "base/utf8.h"
#include "rego/regex_internal.h"

struct compiler {
    struct regex *re;
    size_t cap;
    size_t class_cap;
    bool too_big;
    bool nomem;
};

static void *
grow(struct compiler *c, void *items, size_t count, size_t *cap, size_t size)
{
    size_t want = *cap == 0 ? 32 : 2 * *cap;
    void *bigger = arena_array(&c->re->arena, want, size);

    if (!bigger)
        return NULL;
    if (count > 0)
        memcpy(bigger, items, count * size);
    *cap = want;
    return bigger;
}

/* Appends an instruction that goes on with the one behind it. */
static size_t
emit(struct compiler *c, enum regex_op op, uint32_t arg)
{
    struct regex *re = c->re;

    if (re->count >= LIMIT_REGEX_INSTRUCTIONS)
        c->too_big = true;
    if (c->too_big || c->nomem)
        return 0;
    if (re->count == c->cap) {
        struct regex_inst *insts =
            grow(c, re->insts, re->count, &c->cap, sizeof(*insts));

        if (!insts) {
            c->nomem = true;
            return 0;
        }
        re->insts = insts;
    }
    re->insts[re->count] =
        (struct regex_inst){ (uint8_t)op, (uint32_t)re->count + 1, arg };
    return re->count++;
}

static uint32_t
class_index(struct compiler *c, const struct regex_class *set)
{
    struct regex *re = c->re;

    for (size_t i = re->class_count; i-- > 0;) /* copies of a repetition */
        if (re->classes[i] == set)
            return (uint32_t)i;
    if (re->class_count == c->class_cap) {
        const struct regex_class **classes =
            grow(c, re->classes, re->class_count, &c->class_cap,
                 sizeof(const struct regex_class *));

        if (!classes) {
            c->nomem = true;
            return 0;
        }
        re->classes = classes;
    }
    re->classes[re->class_count] = set;
    return (uint32_t)re->class_count++;
}

static bool
can_be_empty(const struct regex_node *n)
{
    const struct regex_node *c = n->first;

    switch (n->kind) {
    case NODE_RUNE:
    case NODE_CLASS:
    case NODE_ANY:
        return false;
    case NODE_REPEAT:
        return n->min == 0 || can_be_empty(c);
    case NODE_ALTERNATE:
        for (; c; c = c->next)
            if (can_be_empty(c))
                return true;
        return false;
    case NODE_CAPTURE:
    case NODE_CONCAT:
        for (; c; c = c->next)
            if (!can_be_empty(c))
                return false;
        return true;
    default:
        return true;
    }
}

static void compile(struct compiler *c, const struct regex_node *n);

/* A split that prefers going on, or its other way when lazy; the way out is
 * patched to where the code goes on later. */
static size_t
emit_split(struct compiler *c)
{
    return emit(c, OP_SPLIT, 0);
}

static void
patch_split(struct compiler *c, size_t at, size_t inside, size_t outside,
            bool lazy)
{
    if (c->too_big || c->nomem)
        return;
    c->re->insts[at].next = (uint32_t)(lazy ? outside : inside);
    c->re->insts[at].arg = (uint32_t)(lazy ? inside : outside);
}

static void
patch_jump(struct compiler *c, size_t at, size_t to)
{
    if (!c->too_big && !c->nomem)
        c->re->insts[at].next = (uint32_t)to;
}

static void
compile_plus(struct compiler *c, const struct regex_node *n, bool lazy)
{
    size_t begin = c->re->count, split;

    compile(c, n);
    split = emit_split(c);
    patch_split(c, split, begin, split + 1, lazy);
}

static void
compile_star(struct compiler *c, const struct regex_node *n, bool lazy)
{
    size_t split = emit_split(c), jump;

    if (can_be_empty(n)) { /* as (n+)?, so that an empty pass can match */
        compile_plus(c, n, lazy);
    } else {
        compile(c, n);
        jump = emit(c, OP_JUMP, 0);
        patch_jump(c, jump, split);
    }
    patch_split(c, split, split + 1, c->re->count, lazy);
}

/* n{min,max}: min copies, then what may follow nested, (n(n)?)?; all ways out
 * lead behind the last. */
static void
compile_repeat(struct compiler *c, const struct regex_node *rep)
{
    const struct regex_node *n = rep->first;
    size_t last = SIZE_MAX; /* chain of splits, through arg */

    if (rep->max == REGEX_UNBOUNDED) {
        for (int i = 1; i < rep->min; i++)
            compile(c, n);
        if (rep->min == 0)
            compile_star(c, n, rep->lazy);
        else
            compile_plus(c, n, rep->lazy);
        return;
    }
    for (int i = 0; i < rep->min; i++)
        compile(c, n);
    for (int i = rep->min; i < rep->max && !c->too_big; i++) {
        size_t split = emit_split(c);

        patch_split(c, split, 0, last == SIZE_MAX ? split : last, false);
        last = split;
        compile(c, n);
    }
    while (last != SIZE_MAX && !c->too_big && !c->nomem) {
        size_t before = c->re->insts[last].arg;

        patch_split(c, last, last + 1, c->re->count, rep->lazy);
        last = before == last ? SIZE_MAX : before;
    }
}

static void
compile_alternate(struct compiler *c, const struct regex_node *n)
{
    const struct regex_node *alt = n->first;
    size_t jump = SIZE_MAX; /* chain of jumps to the end, through next */

    for (; alt->next; alt = alt->next) {
        size_t split = emit_split(c), out;

        compile(c, alt);
        out = emit(c, OP_JUMP, 0);
        patch_jump(c, out, jump == SIZE_MAX ? out : jump);
        jump = out;
        patch_split(c, split, split + 1, c->re->count, false);
    }
    compile(c, alt);
    while (jump != SIZE_MAX && !c->too_big && !c->nomem) {
        size_t next = c->re->insts[jump].next;

        patch_jump(c, jump, c->re->count);
        jump = next == jump ? SIZE_MAX : next;
    }
}

static void
compile(struct compiler *c, const struct regex_node *n)
{
    if (c->too_big || c->nomem)
        return;
    switch (n->kind) {
    case NODE_EMPTY:
        return;
    case NODE_RUNE:
        emit(c, OP_RUNE, n->rune);
        return;
    case NODE_CLASS:
        emit(c, OP_CLASS, class_index(c, n->set));
        return;
    case NODE_ANY:
        emit(c, OP_ANY, 0);
        return;
    case NODE_ASSERT:
        emit(c, OP_ASSERT, n->assertion);
        return;
    case NODE_CAPTURE:
        emit(c, OP_SAVE, 2 * n->capture);
        compile(c, n->first);
        emit(c, OP_SAVE, 2 * n->capture + 1);
        return;
    case NODE_REPEAT:
        compile_repeat(c, n);
        return;
    case NODE_ALTERNATE:
        compile_alternate(c, n);
        return;
    case NODE_CONCAT:
        for (n = n->first; n; n = n->next)
            compile(c, n);
        return;
    }
}

/* --- What every match begins with --- */

static size_t
skip_plain(const struct regex *re, size_t at)
{
    while (re->insts[at].op == OP_JUMP)
        at = re->insts[at].next;
    return at;
}

static void
find_prefix(struct compiler *c)
{
    struct regex *re = c->re;
    size_t at = skip_plain(re, 0), count = 0;
    uint8_t *bytes;

    re->anchored =
        re->insts[at].op == OP_ASSERT && re->insts[at].arg == ASSERT_TEXT_BEGIN;
    if (re->anchored)
        return;
    while (re->insts[at].op == OP_RUNE) {
        at = skip_plain(re, re->insts[at].next);
        count++;
    }
    re->whole_prefix = re->insts[at].op == OP_MATCH;
    bytes = count > 0 ? arena_alloc(&re->arena, 4 * count) : NULL;
    if (!bytes) {
        re->whole_prefix = false;
        return;
    }
    re->prefix.ptr = bytes;
    for (at = skip_plain(re, 0); count-- > 0;
         at = skip_plain(re, re->insts[at].next))
        re->prefix.len +=
            utf8_encode(re->insts[at].arg, bytes + re->prefix.len);
}

/* A lone surrogate can be written as \x{d800} but never occurs in a text. */
static bool
has_no_utf8(const struct regex *re)
{
    for (size_t i = 0; i < re->count; i++)
        if (re->insts[i].op == OP_RUNE && re->insts[i].arg >= 0xd800 &&
            re->insts[i].arg <= 0xdfff)
            return true;
    return false;
}

static enum assay_status
build(struct regex *re, struct span pattern, struct assay_error *err)
{
    struct compiler c = { .re = re };
    struct regex_tree tree;
    struct span copy;
    enum assay_status st;

    if (!arena_dup(&re->arena, pattern, &copy))
        return assay_nomem(err, "regular expression");
    st = regex_parse(&re->arena, copy, &tree, err);
    if (st != ASSAY_OK)
        return st;
    re->groups = tree.captures;
    re->names = tree.names;
    compile(&c, tree.root);
    emit(&c, OP_MATCH, 0);
    if (c.too_big)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "error parsing regexp: expression too large");
    if (c.nomem)
        return assay_nomem(err, "regular expression");
    if (!has_no_utf8(re))
        find_prefix(&c);
    return ASSAY_OK;
}

enum assay_status
regex_new(struct span pattern, const struct allocator *alloc,
          struct regex **out, struct assay_error *err)
{
    struct regex *re;
    enum assay_status st;

    if (pattern.len > LIMIT_REGEX_BYTES)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "error parsing regexp: expression too large");
    re = mem_zalloc(alloc, sizeof(*re));
    if (!re)
        return assay_nomem(err, "regular expression");
    re->alloc = alloc;
    arena_init(&re->arena, LIMIT_REGEX_ARENA_BYTES, alloc);
    st = build(re, pattern, err);
    if (st != ASSAY_OK) {
        regex_free(re);
        return st;
    }
    *out = re;
    return ASSAY_OK;
}

void
regex_free(struct regex *re)
{
    if (!re)
        return;
    arena_drop(&re->arena);
    mem_free(re->alloc, re);
}

size_t
regex_groups(const struct regex *re)
{
    return re->groups;
}

size_t
regex_size(const struct regex *re)
{
    return re->count;
}

struct span
regex_group_name(const struct regex *re, size_t i)
{
    const struct regex_names *n = re->names; /* of the last group */

    for (size_t k = re->groups; n && k > i; k--)
        n = n->next;
    return n ? n->name : (struct span){ 0 };
}
