/* Two machines over one program: a backtracker that remembers where it has
 * been, for small texts, and one that follows all threads in step. Both take
 * time linear in the text and prefer the same match. */
#include <string.h>

#include "base/num.h"
#include "base/utf8.h"
#include "rego/regex_internal.h"

struct thread_list {
    uint32_t *dense;  /* instructions, best first */
    uint32_t *sparse; /* where in dense; only believed if dense agrees */
    size_t count;
    size_t *slots; /* of each thread in dense order */
};

struct job {
    uint32_t inst;
    uint32_t restore; /* slot to restore + 1, or 0 */
    size_t at;        /* position, or the value to restore */
};

struct regex_matcher {
    const struct allocator *alloc;
    uint8_t *memory; /* lists, stack, visited bits: laid out per search */
    size_t cap;
};

enum assay_status
regex_matcher_new(const struct allocator *alloc, struct regex_matcher **out,
                  struct assay_error *err)
{
    struct regex_matcher *m = mem_zalloc(alloc, sizeof(*m));

    if (!m)
        return assay_nomem(err, "regular expression");
    m->alloc = alloc;
    *out = m;
    return ASSAY_OK;
}

void
regex_matcher_free(struct regex_matcher *m)
{
    if (!m)
        return;
    mem_free(m->alloc, m->memory);
    mem_free(m->alloc, m);
}

static bool
reserve(struct regex_matcher *m, size_t size)
{
    uint8_t *bigger;

    if (size <= m->cap)
        return true;
    bigger = mem_resize(m->alloc, m->memory, size);
    if (!bigger)
        return false;
    m->memory = bigger;
    m->cap = size;
    return true;
}

/* --- Characters and assertions --- */

bool
regex_class_has(const struct regex_class *c, uint32_t rune)
{
    size_t low = 0, high = c->count;

    if (rune < 128)
        return c->ascii[rune / 64] >> (rune % 64) & 1;
    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (rune > c->ranges[mid].last)
            low = mid + 1;
        else if (rune < c->ranges[mid].first)
            high = mid;
        else
            return true;
    }
    return false;
}

/* Bytes of the rune at an offset before the end. */
static size_t
rune_at(struct span text, size_t at, uint32_t *rune)
{
    size_t n;

    *rune = text.ptr[at];
    if (*rune < 0x80)
        return 1;
    n = utf8_decode(span_sub(text, at, 4), rune);
    if (n > 0)
        return n;
    *rune = 0xfffd;
    return 1;
}

static bool
is_word(struct span text, size_t at)
{
    uint8_t c = at < text.len ? text.ptr[at] : 0;

    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
holds(enum regex_assertion assertion, struct span text, size_t at)
{
    bool boundary;

    switch (assertion) {
    case ASSERT_TEXT_BEGIN:
        return at == 0;
    case ASSERT_TEXT_END:
        return at == text.len;
    case ASSERT_LINE_BEGIN:
        return at == 0 || text.ptr[at - 1] == '\n';
    case ASSERT_LINE_END:
        return at == text.len || text.ptr[at] == '\n';
    default:
        boundary = (at > 0 && is_word(text, at - 1)) != is_word(text, at);
        return boundary == (assertion == ASSERT_WORD);
    }
}

static bool
takes(const struct regex *re, const struct regex_inst *inst, uint32_t rune)
{
    switch (inst->op) {
    case OP_RUNE:
        return rune == inst->arg;
    case OP_CLASS:
        return regex_class_has(re->classes[inst->arg], rune);
    default:
        return true; /* OP_ANY */
    }
}

/* --- The backtracker --- */

enum { VISITED_BITS_MAX = 32 * 1024 };

struct search {
    struct regex_matcher *m;
    const struct regex *re;
    struct span text;
    size_t *slots; /* offsets of groups, or SIZE_MAX */
    size_t slot_count;
    /* The backtracker's: */
    uint64_t *visited; /* (position - base) x instructions */
    size_t base;
    struct job *stack;
    size_t depth;
};

static bool
visit(struct search *s, uint32_t inst, size_t at)
{
    size_t bit = (at - s->base) * s->re->count + inst;
    uint64_t mask = UINT64_C(1) << (bit % 64);

    if (s->visited[bit / 64] & mask)
        return false;
    s->visited[bit / 64] |= mask;
    return true;
}

static void
push(struct search *s, uint32_t inst, uint32_t restore, size_t at)
{
    s->stack[s->depth++] = (struct job){ inst, restore, at };
}

/* Follows one thread until it dies or matches. Every (instruction, position)
 * is entered once, and pushes at most one job. */
static bool
follow(struct search *s, uint32_t pc, size_t at)
{
    const struct regex_inst *inst;
    uint32_t rune;
    size_t n;

    for (;; pc = inst->next) {
        if (!visit(s, pc, at))
            return false;
        inst = &s->re->insts[pc];
        switch ((enum regex_op)inst->op) {
        case OP_MATCH:
            if (s->slot_count > 1)
                s->slots[1] = at;
            return true;
        case OP_SPLIT:
            push(s, inst->arg, 0, at);
            break;
        case OP_SAVE:
            if (inst->arg < s->slot_count) {
                push(s, 0, inst->arg + 1, s->slots[inst->arg]);
                s->slots[inst->arg] = at;
            }
            break;
        case OP_ASSERT:
            if (!holds((enum regex_assertion)inst->arg, s->text, at))
                return false;
            break;
        case OP_JUMP:
            break;
        default:
            if (at == s->text.len)
                return false;
            n = rune_at(s->text, at, &rune);
            if (!takes(s->re, inst, rune))
                return false;
            at += n;
        }
    }
}

static bool
backtrack_from(struct search *s, size_t at)
{
    s->depth = 0;
    push(s, 0, 0, at);
    while (s->depth > 0) {
        struct job job = s->stack[--s->depth];

        if (job.restore > 0)
            s->slots[job.restore - 1] = job.at;
        else if (follow(s, job.inst, job.at))
            return true;
    }
    return false;
}

/* The next offset at which a match might begin, or SIZE_MAX. */
static size_t
candidate(const struct regex *re, struct span text, size_t at)
{
    const uint8_t *hit;

    if (re->anchored)
        return at == 0 ? 0 : SIZE_MAX;
    if (re->prefix.len == 0 || at > text.len)
        return at <= text.len ? at : SIZE_MAX;
    hit = memmem(text.ptr + at, text.len - at, re->prefix.ptr, re->prefix.len);
    return hit ? (size_t)(hit - text.ptr) : SIZE_MAX;
}

static size_t
step_over(struct span text, size_t at)
{
    uint32_t rune;

    return at < text.len ? at + rune_at(text, at, &rune) : at + 1;
}

static bool
backtrack(struct search *s, size_t from)
{
    for (size_t at = candidate(s->re, s->text, from); at != SIZE_MAX;
         at = candidate(s->re, s->text, step_over(s->text, at))) {
        if (s->slot_count > 0)
            s->slots[0] = at;
        if (backtrack_from(s, at))
            return true;
    }
    return false;
}

/* --- Threads in step --- */

static bool
is_listed(const struct thread_list *l, uint32_t inst)
{
    uint32_t at = l->sparse[inst];

    return at < l->count && l->dense[at] == inst;
}

/* Adds the threads that start at pc without taking a character. Recursion by
 * the stack, which restores the slots on the way back. */
static void
add_threads(struct search *s, struct thread_list *l, uint32_t pc, size_t at)
{
    s->depth = 0;
    push(s, pc, 0, at);
    while (s->depth > 0) {
        struct job job = s->stack[--s->depth];
        const struct regex_inst *inst;

        if (job.restore > 0) {
            s->slots[job.restore - 1] = job.at;
            continue;
        }
        for (pc = job.inst; !is_listed(l, pc); pc = inst->next) {
            bool stays = false;

            inst = &s->re->insts[pc];
            l->sparse[pc] = (uint32_t)l->count;
            l->dense[l->count] = pc;
            if (s->slot_count > 0)
                memcpy(l->slots + l->count * s->slot_count, s->slots,
                       s->slot_count * sizeof(*s->slots));
            l->count++;
            switch ((enum regex_op)inst->op) {
            case OP_SPLIT:
                push(s, inst->arg, 0, at);
                break;
            case OP_SAVE:
                if (inst->arg < s->slot_count) {
                    push(s, 0, inst->arg + 1, s->slots[inst->arg]);
                    s->slots[inst->arg] = at;
                }
                break;
            case OP_ASSERT:
                stays = !holds((enum regex_assertion)inst->arg, s->text, at);
                break;
            case OP_JUMP:
                break;
            default:
                stays = true;
            }
            if (stays)
                break;
        }
    }
}

/* One character for all threads, best first. True when one matched: the
 * worse ones are dropped, and its slots are in best. */
static bool
step_threads(struct search *s, const struct thread_list *now,
             struct thread_list *then, size_t at, size_t *best)
{
    uint32_t rune = 0;
    size_t n = at < s->text.len ? rune_at(s->text, at, &rune) : 0;

    then->count = 0;
    for (size_t i = 0; i < now->count; i++) {
        const struct regex_inst *inst = &s->re->insts[now->dense[i]];
        const size_t *slots = now->slots + i * s->slot_count;

        if (inst->op == OP_MATCH) {
            if (s->slot_count > 0)
                memcpy(best, slots, s->slot_count * sizeof(*best));
            if (s->slot_count > 1)
                best[1] = at;
            return true;
        }
        if (inst->op > OP_ANY || n == 0 || !takes(s->re, inst, rune))
            continue;
        if (s->slot_count > 0)
            memcpy(s->slots, slots, s->slot_count * sizeof(*slots));
        add_threads(s, then, inst->next, at + n);
    }
    return false;
}

static bool
run_threads(struct search *s, struct thread_list lists[2], size_t from,
            size_t *best)
{
    struct thread_list *now = &lists[0], *then = &lists[1], *swap;
    bool found = false;

    for (size_t at = from; at <= s->text.len; at = step_over(s->text, at)) {
        if (now->count == 0) {
            if (found)
                break;
            at = candidate(s->re, s->text, at);
            if (at == SIZE_MAX)
                break;
        }
        if (!found) {
            for (size_t i = 0; i < s->slot_count; i++)
                s->slots[i] = SIZE_MAX;
            if (s->slot_count > 0)
                s->slots[0] = at;
            add_threads(s, now, 0, at);
        }
        if (step_threads(s, now, then, at, best)) {
            found = true;
            if (s->slot_count == 0)
                return true;
        }
        swap = now;
        now = then;
        then = swap;
    }
    return found;
}

/* --- Entry --- */

/* Takes size bytes off *memory, which was measured before. */
static void *
carve(uint8_t **memory, size_t size)
{
    void *ptr = *memory;

    *memory += (size + 15) & ~(size_t)15;
    return ptr;
}

static void
report(const size_t *slots, struct regex_range *groups, size_t count)
{
    for (size_t i = 0; i < count; i++)
        groups[i] = (struct regex_range){ slots[2 * i], slots[2 * i + 1] };
}

enum assay_status
regex_search_parallel(struct regex_matcher *m, const struct regex *re,
                      struct span text, size_t from, struct regex_range *groups,
                      size_t count, bool *found)
{
    size_t n = re->count, k = 2 * count, threads, total;
    struct search s = { .m = m, .re = re, .text = text, .slot_count = k };
    struct thread_list lists[2] = { 0 };
    uint8_t *memory;
    size_t *best;

    if (!size_mul(n, k * sizeof(size_t), &threads) ||
        !size_mul(n, 4 * sizeof(uint32_t) + 2 * sizeof(struct job), &total) ||
        !size_add(total, 2 * threads, &total) ||
        !size_add(total, 4 * k * sizeof(size_t) + 256, &total) ||
        !reserve(m, total))
        return ASSAY_ERR_NOMEM;
    memory = m->memory;
    s.stack = carve(&memory, (2 * n + 2) * sizeof(*s.stack));
    s.slots = carve(&memory, k * sizeof(size_t));
    best = carve(&memory, k * sizeof(size_t));
    for (int i = 0; i < 2; i++) {
        lists[i].dense = carve(&memory, n * sizeof(uint32_t));
        lists[i].sparse = carve(&memory, n * sizeof(uint32_t));
        lists[i].slots = carve(&memory, threads);
        memset(lists[i].sparse, 0, n * sizeof(uint32_t));
    }
    *found = run_threads(&s, lists, from, best);
    if (*found)
        report(best, groups, count);
    return ASSAY_OK;
}

enum assay_status
regex_search(struct regex_matcher *m, const struct regex *re, struct span text,
             size_t from, struct regex_range *groups, size_t count, bool *found)
{
    size_t left = text.len - from, bits, k = 2 * count;
    struct search s = {
        .m = m, .re = re, .text = text, .base = from, .slot_count = k
    };
    uint8_t *memory;

    if (re->whole_prefix && count <= 1) {
        size_t at = candidate(re, text, from);

        *found = at != SIZE_MAX;
        if (*found && count == 1)
            groups[0] = (struct regex_range){ at, at + re->prefix.len };
        return ASSAY_OK;
    }
    if (left >= VISITED_BITS_MAX || re->count >= VISITED_BITS_MAX ||
        (left + 1) * re->count > VISITED_BITS_MAX)
        return regex_search_parallel(m, re, text, from, groups, count, found);
    bits = (left + 1) * re->count;
    if (!reserve(m, bits / 8 + k * sizeof(size_t) +
                        (bits + 2) * sizeof(struct job) + 64))
        return ASSAY_ERR_NOMEM;
    memory = m->memory;
    s.visited = carve(&memory, (bits + 63) / 64 * 8);
    s.slots = carve(&memory, k * sizeof(size_t));
    s.stack = carve(&memory, (bits + 2) * sizeof(struct job));
    memset(s.visited, 0, (bits + 63) / 64 * 8);
    for (size_t i = 0; i < k; i++)
        s.slots[i] = SIZE_MAX;
    *found = backtrack(&s, from);
    if (*found)
        report(s.slots, groups, count);
    return ASSAY_OK;
}
