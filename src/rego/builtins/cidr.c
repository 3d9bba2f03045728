/* Address blocks (CIDR). Addresses are numbers of 128 bits; those of IPv4 are
 * mapped into IPv6 (::ffff:0:0/96), where blocks of both meet in one order. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "rego/builtins/call.h"
#include "rego/builtins/table.h"
#include "rego/builtins/text.h"

__extension__ typedef unsigned __int128 address;

struct block {
    address first, last;
    bool v4;
    bool bare;     /* written without a length: */
    address given; /* ... as this */
};

#define V4_BASE ((address)0xffff << 32)

static bool
parse_address(struct span text, address *out, bool *v4)
{
    char copy[64];
    uint8_t bytes[16];

    if (text.len == 0 || text.len >= sizeof(copy) ||
        memchr(text.ptr, 0, text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = 0;
    *out = 0;
    *v4 = inet_pton(AF_INET, copy, bytes) == 1;
    if (!*v4 && inet_pton(AF_INET6, copy, bytes) != 1)
        return false;
    for (size_t i = 0; i < (*v4 ? 4 : 16); i++)
        *out = *out << 8 | bytes[i];
    if (*v4)
        *out |= V4_BASE;
    return true;
}

static address
mask_of(unsigned host_bits)
{
    return host_bits >= 128 ? ~(address)0 : ((address)1 << host_bits) - 1;
}

static bool
parse_length(struct span text, unsigned most, unsigned *out)
{
    unsigned n = 0;

    if (text.len == 0 || text.len > 8)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        n = 10 * n + (unsigned)(text.ptr[i] - '0');
    }
    *out = n;
    return n <= most;
}

static bool
parse_block(struct span text, struct block *out)
{
    size_t slash = text_find(text, span_str("/"), 0);
    unsigned length, bits;
    address a, hosts;
    bool v4;

    if (slash == SIZE_MAX || !parse_address(span_sub(text, 0, slash), &a, &v4))
        return false;
    bits = v4 ? 32 : 128;
    if (!parse_length(span_sub(text, slash + 1, text.len), bits, &length))
        return false;
    hosts = mask_of(bits - length);
    *out = (struct block){ a & ~hosts, a | hosts, v4, false, 0 };
    /* An IPv4 address written as IPv6 is one of IPv4 to the reference. */
    if (!v4 && (out->first >> 32) == 0xffff && length >= 96)
        out->v4 = true;
    return true;
}

static bool
arg_block(struct rego_call *call, struct value arg, struct block *out,
          enum builtin_outcome *bad)
{
    struct span text = value_text(arg);

    if (parse_block(text, out))
        return true;
    *bad =
        call_fail(call, "invalid CIDR address: %.*s",
                  text.len > 200 ? 200 : (int)text.len, (const char *)text.ptr);
    return false;
}

/* An address or a block. */
static bool
arg_address_or_block(struct rego_call *call, struct value arg,
                     struct block *out, enum builtin_outcome *bad)
{
    if (parse_address(value_text(arg), &out->first, &out->v4)) {
        out->v4 = out->v4 || (out->first >> 32) == 0xffff;
        out->last = out->first;
        return true;
    }
    if (parse_block(value_text(arg), out))
        return true;
    *bad = call_fail(call,
                     "not a valid textual representation of an IP address or "
                     "CIDR: %.200s",
                     arg.string->text);
    return false;
}

static bool
contains(const struct block *outer, const struct block *inner)
{
    return outer->v4 == inner->v4 && outer->first <= inner->first &&
           outer->last >= inner->last;
}

enum builtin_outcome
bi_net_cidr_contains(struct rego_call *call, const struct value *args, size_t n,
                     struct value *out)
{
    enum builtin_outcome bad;
    struct block a, b;

    (void)n;
    if (!arg_is(call, args, 0, TYPE_STRING, &bad) ||
        !arg_block(call, args[0], &a, &bad) ||
        !arg_is(call, args, 1, TYPE_STRING, &bad) ||
        !arg_address_or_block(call, args[1], &b, &bad))
        return bad;
    return call_bool(contains(&a, &b), out);
}

enum builtin_outcome
bi_net_cidr_overlap(struct rego_call *call, const struct value *args, size_t n,
                    struct value *out)
{
    return bi_net_cidr_contains(call, args, n, out);
}

enum builtin_outcome
bi_net_cidr_intersects(struct rego_call *call, const struct value *args,
                       size_t n, struct value *out)
{
    enum builtin_outcome bad;
    struct block a, b;

    (void)n;
    if (!arg_is(call, args, 0, TYPE_STRING, &bad) ||
        !arg_block(call, args[0], &a, &bad) ||
        !arg_is(call, args, 1, TYPE_STRING, &bad) ||
        !arg_block(call, args[1], &b, &bad))
        return bad;
    return call_bool(a.v4 == b.v4 && a.first <= b.last && b.first <= a.last,
                     out);
}

enum builtin_outcome
bi_net_cidr_is_valid(struct rego_call *call, const struct value *args, size_t n,
                     struct value *out)
{
    struct block b;

    (void)call, (void)n;
    return call_bool(args[0].tag == VALUE_STRING &&
                         parse_block(value_text(args[0]), &b),
                     out);
}

/* --- Text (RFC 5952) --- */

static size_t
format_v6(address a, char *text, size_t size)
{
    unsigned words[8];
    int best = -1, length = 1; /* runs of one are not shortened */
    size_t used = 0;

    for (int i = 0; i < 8; i++)
        words[i] = (unsigned)(a >> (112 - 16 * i)) & 0xffff;
    for (int i = 0; i < 8; i++) {
        int k = i;

        while (k < 8 && words[k] == 0)
            k++;
        if (k - i > length) {
            best = i;
            length = k - i;
        }
    }
    for (int i = 0; i < 8; i++) {
        if (i == best) {
            used += (size_t)snprintf(text + used, size - used, "::");
            i += length - 1;
            continue;
        }
        used +=
            (size_t)snprintf(text + used, size - used, "%s%x",
                             i > 0 && i != best + length ? ":" : "", words[i]);
    }
    return used;
}

static size_t
format_address(address a, bool v4, char *text, size_t size)
{
    unsigned u = (unsigned)a;

    if (!v4)
        return format_v6(a, text, size);
    return (size_t)snprintf(text, size, "%u.%u.%u.%u", u >> 24, u >> 16 & 255,
                            u >> 8 & 255, u & 255);
}

enum builtin_outcome
bi_net_cidr_expand(struct rego_call *call, const struct value *args, size_t n,
                   struct value *out)
{
    struct value_list list = value_list_in(call->arena);
    enum builtin_outcome bad;
    struct block b;

    if (!args_check(call, args, n, &bad) || !arg_block(call, args[0], &b, &bad))
        return bad;
    if (b.last - b.first >= LIMIT_REGO_RANGE)
        return call_fail(call, "more than %d addresses", LIMIT_REGO_RANGE);
    if (!call_charge(call, (uint64_t)(b.last - b.first)))
        return call_abort(call, ASSAY_ERR_LIMIT);
    for (address a = b.first;; a++) {
        char text[64];

        value_list_add_text(&list,
                            span_of(text, format_address(a, b.v4, text, 64)));
        if (a == b.last || list.failed)
            break;
    }
    return call_made(call, value_list_set(&list, out));
}

/* --- Merging --- */

/* A bare IPv4 address stands for the block of its class. */
static bool
block_or_class(struct span text, struct block *out)
{
    unsigned top, hosts;

    if (parse_block(text, out))
        return true;
    if (!parse_address(text, &out->first, &out->v4))
        return false;
    out->v4 = out->v4 || (out->first >> 32) == 0xffff;
    if (!out->v4)
        return false;
    top = (unsigned)(out->first >> 24) & 255;
    hosts = top < 128 ? 24 : top < 192 ? 16 : 8;
    out->bare = true;
    out->given = out->first;
    out->last = out->first | mask_of(hosts);
    out->first &= ~mask_of(hosts);
    return true;
}

static int
compare_blocks(const void *a, const void *b)
{
    const struct block *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

static size_t
join(struct block *blocks, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        struct block *last = kept > 0 ? &blocks[kept - 1] : NULL;

        if (last && (blocks[i].first <= last->last ||
                     blocks[i].first - 1 == last->last)) {
            if (blocks[i].last > last->last)
                last->last = blocks[i].last;
            last->v4 = last->v4 && blocks[i].v4;
            last->bare = false;
        } else {
            blocks[kept++] = blocks[i];
        }
    }
    return kept;
}

static unsigned
host_bits(address mask)
{
    unsigned bits = 0;

    for (; mask != 0; mask >>= 1)
        bits++;
    return bits;
}

static void
add_block(struct value_list *list, address a, bool v4, unsigned bits)
{
    char text[72];
    size_t n = format_address(a, v4, text, 64);

    n += (size_t)snprintf(text + n, sizeof(text) - n, "/%u",
                          (v4 ? 32 : 128) - bits);
    value_list_add_text(list, span_of(text, n));
}

/* The largest blocks that fill the range, in order. A bare address that was
 * merged with nothing is shown as it was given. */
static void
add_cover(struct value_list *list, struct block b)
{
    if (b.bare) {
        add_block(list, b.given, b.v4, host_bits(b.last - b.first));
        return;
    }
    for (;;) {
        unsigned most = b.v4 ? 32 : 128, bits = 0;

        while (bits < most && (b.first & mask_of(bits + 1)) == 0 &&
               b.last - b.first >= mask_of(bits + 1))
            bits++;
        add_block(list, b.first, b.v4, bits);
        if (b.last - b.first == mask_of(bits) || list->failed)
            return;
        b.first += mask_of(bits) + 1;
    }
}

enum builtin_outcome
bi_net_cidr_merge(struct rego_call *call, const struct value *args, size_t n,
                  struct value *out)
{
    struct value_list list = value_list_in(call->arena);
    struct items items = value_items(args[0]);
    struct block *blocks;
    address ignored;
    size_t count;
    bool v4;

    (void)n;
    if (args[0].tag != VALUE_ARRAY && args[0].tag != VALUE_SET)
        return call_fail(call, "operand must be an array");
    blocks = arena_array(call->arena, items.count + 1, sizeof(*blocks));
    if (!blocks)
        return call_nomem(call);
    for (size_t i = 0; i < items.count; i++) {
        if (items.at[i].tag != VALUE_STRING)
            return call_fail(call, "element must be string");
        if (block_or_class(value_text(items.at[i]), &blocks[i]))
            continue;
        if (parse_address(value_text(items.at[i]), &ignored, &v4))
            return call_fail(call, "IPv6 invalid: needs prefix length");
        return call_fail(call, "invalid CIDR address: %.200s",
                         items.at[i].string->text);
    }
    if (items.count > 1)
        qsort(blocks, items.count, sizeof(*blocks), compare_blocks);
    count = join(blocks, items.count);
    for (size_t i = 0; i < count; i++)
        add_cover(&list, blocks[i]);
    return call_made(call, value_list_set(&list, out));
}

/* --- All pairs --- */

struct labelled {
    struct value label; /* index, key, element or the text itself */
    struct block block;
};

struct labelled_list {
    struct labelled *at;
    size_t count;
};

static bool
add_labelled(struct rego_call *call, struct labelled_list *l, size_t operand,
             struct value label, struct value v, bool outer,
             enum builtin_outcome *bad)
{
    struct labelled *entry = &l->at[l->count];
    struct value text = v;

    if (v.tag == VALUE_ARRAY && value_count(v) > 0)
        text = v.array->items[0];
    if (text.tag != VALUE_STRING) {
        *bad = call_fail(
            call, "operand %zu: element must be string or non-empty array",
            operand);
        return false;
    }
    entry->label = label;
    l->count++;
    return outer ? arg_block(call, text, &entry->block, bad)
                 : arg_address_or_block(call, text, &entry->block, bad);
}

static bool
read_labelled(struct rego_call *call, const struct value *args, size_t i,
              struct labelled_list *l, enum builtin_outcome *bad)
{
    struct value v = args[i];
    struct items items = value_items(v);
    bool outer = i == 0;

    l->count = 0;
    l->at = arena_array(call->arena, value_count(v) + 1, sizeof(*l->at));
    if (!l->at) {
        *bad = call_nomem(call);
        return false;
    }
    if (v.tag == VALUE_STRING)
        return add_labelled(call, l, i + 1, v, v, outer, bad);
    for (size_t k = 0; k < items.count; k++)
        if (!add_labelled(call, l, i + 1,
                          v.tag == VALUE_SET ? items.at[k]
                                             : value_int((int64_t)k),
                          items.at[k], outer, bad))
            return false;
    if (v.tag == VALUE_OBJECT)
        for (size_t k = 0; k < v.object->head.count; k++)
            if (!add_labelled(call, l, i + 1, v.object->pairs[k].key,
                              v.object->pairs[k].value, outer, bad))
                return false;
    return true;
}

enum builtin_outcome
bi_net_cidr_contains_matches(struct rego_call *call, const struct value *args,
                             size_t n, struct value *out)
{
    struct value_list list = value_list_in(call->arena);
    struct labelled_list outer, inner;
    enum builtin_outcome bad;

    (void)n;
    if (!read_labelled(call, args, 0, &outer, &bad) ||
        !read_labelled(call, args, 1, &inner, &bad))
        return bad;
    if (!call_charge(call, outer.count * inner.count))
        return call_abort(call, ASSAY_ERR_LIMIT);
    for (size_t i = 0; i < outer.count; i++)
        for (size_t k = 0; k < inner.count; k++) {
            struct value_list pair = value_list_in(call->arena);
            struct value v;

            if (!contains(&outer.at[i].block, &inner.at[k].block))
                continue;
            value_list_add(&pair, outer.at[i].label);
            value_list_add(&pair, inner.at[k].label);
            if (!value_list_array(&pair, &v))
                return call_nomem(call);
            value_list_add(&list, v);
        }
    return call_made(call, value_list_set(&list, out));
}
