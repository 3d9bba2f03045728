/* sprintf: the format language of Go's fmt, over the values it is given.
 *
 * Integers are Go's int or *big.Int, fractions its float64, and everything
 * else is text: that decides which verbs fit, and what is written where one
 * does not ("%!d(string=hi)"). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "rego/builtins/call.h"
#include "rego/builtins/table.h"
#include "rego/builtins/text.h"
#include "rego/json.h"

enum kind { KIND_INT, KIND_BIG, KIND_FLOAT, KIND_TEXT };

struct operand {
    enum kind kind;
    struct value number; /* KIND_INT, KIND_BIG */
    double real;
    struct span text;
};

enum { SIZE_NONE = -1, SIZE_LIMIT = 1000000 };

struct spec {
    bool plus, minus, sharp, space, zero;
    int width, precision; /* SIZE_NONE when not given */
    uint32_t verb;
};

struct printer {
    struct rego_call *call;
    struct buffer *out;
    struct items args;
    size_t next;
    bool reordered;
};

/* --- Operands --- */

static bool
term_text(struct printer *p, struct value v, struct span *out)
{
    struct buffer b;
    bool ok;

    call_buffer_init(p->call, &b);
    value_write_text(&b, v);
    ok = !b.failed && arena_dup(p->call->arena, buffer_span(&b), out);
    buffer_free(&b);
    if (!ok)
        p->out->failed = true;
    return ok;
}

static struct operand
operand_of(struct printer *p, struct value v)
{
    struct operand o = { .kind = KIND_TEXT, .number = v };
    char *end;

    if (v.tag == VALUE_INT) {
        o.kind = KIND_INT;
    } else if (v.tag == VALUE_NUMBER && v.number->plain) {
        o.kind = KIND_BIG;
    } else if (v.tag == VALUE_NUMBER &&
               memchr(v.number->text.ptr, '.', v.number->text.len)) {
        o.real = strtod((const char *)v.number->text.ptr, &end);
        o.text = v.number->text;
        if (o.real < 1e308 * 10 && o.real > -1e308 * 10)
            o.kind = KIND_FLOAT;
    } else if (v.tag == VALUE_NUMBER) {
        o.text = v.number->text;
    } else {
        (void)term_text(p, v, &o.text);
    }
    return o;
}

/* --- Padding --- */

static void
repeat(struct buffer *b, char c, size_t n)
{
    while (n-- > 0 && !b->failed)
        buffer_add(b, span_of(&c, 1));
}

static void
pad(struct printer *p, const struct spec *s, struct span text, bool zeros)
{
    size_t runes = text_runes(text);
    size_t width = s->width > 0 ? (size_t)s->width : 0;
    size_t fill = width > runes ? width - runes : 0;
    struct span sign = span_of(NULL, 0);

    if (!s->minus && zeros) {
        if (text.len > 0 &&
            (text.ptr[0] == '+' || text.ptr[0] == '-' || text.ptr[0] == ' ')) {
            sign = span_sub(text, 0, 1);
            text = span_sub(text, 1, text.len);
        }
        buffer_add(p->out, sign);
        repeat(p->out, '0', fill);
        buffer_add(p->out, text);
        return;
    }
    if (!s->minus)
        repeat(p->out, ' ', fill);
    buffer_add(p->out, text);
    if (s->minus)
        repeat(p->out, ' ', fill);
}

/* --- Integers --- */

static void
put_digits(struct printer *p, const struct spec *s, struct span digits,
           bool negative, const char *prefix)
{
    size_t least = s->precision > 0 ? (size_t)s->precision : 0;
    struct buffer b;

    if (s->precision == 0 && span_equal_str(digits, "0")) {
        repeat(p->out, ' ', s->width > 0 ? (size_t)s->width : 0);
        return;
    }
    call_buffer_init(p->call, &b);
    if (negative)
        buffer_add_str(&b, "-");
    else if (s->plus)
        buffer_add_str(&b, "+");
    else if (s->space)
        buffer_add_str(&b, " ");
    /* Zero padding widens the number itself, in front of which the sign and
     * the prefix stay. */
    if (s->precision == SIZE_NONE && s->zero && !s->minus && s->width > 0) {
        least = (size_t)s->width;
        least -= b.len < least ? b.len : least;
    }
    buffer_add_str(&b, prefix);
    if (digits.len < least)
        repeat(&b, '0', least - digits.len);
    buffer_add(&b, digits);
    if (b.failed)
        p->out->failed = true;
    else
        pad(p, s, buffer_span(&b), false);
    buffer_free(&b);
}

static void
put_integer(struct printer *p, const struct spec *s, struct value v,
            unsigned base)
{
    const char *prefix = "";
    struct span digits;
    bool negative;

    if (number_format(p->call->arena, v, base, &digits) != NUMBER_OK) {
        p->out->failed = true;
        return;
    }
    negative = digits.ptr[0] == '-';
    digits = span_sub(digits, negative, digits.len);
    if (s->verb == 'X') {
        char *upper = arena_strdup(p->call->arena, digits);

        for (size_t i = 0; upper && i < digits.len; i++)
            if (upper[i] >= 'a')
                upper[i] = (char)(upper[i] - 32);
        digits = upper ? span_of(upper, digits.len) : digits;
    }
    if (s->verb == 'O')
        prefix = "0o";
    else if (s->sharp && base == 2)
        prefix = "0b";
    else if (s->sharp && base == 8 && digits.ptr[0] != '0')
        prefix = "0";
    else if (s->sharp && base == 16)
        prefix = s->verb == 'X' ? "0X" : "0x";
    put_digits(p, s, digits, negative, prefix);
}

static void
put_rune(struct printer *p, const struct spec *s, int64_t i)
{
    uint8_t bytes[4];
    uint32_t rune = i >= 0 && i <= 0x10ffff && (i < 0xd800 || i > 0xdfff)
                        ? (uint32_t)i
                        : 0xfffd;

    pad(p, s, span_of(bytes, utf8_encode(rune, bytes)), s->zero);
}

static void
put_quoted_rune(struct printer *p, const struct spec *s, int64_t i)
{
    uint8_t bytes[4];
    uint32_t rune = i >= 0 && i <= 0x10ffff ? (uint32_t)i : 0xfffd;
    struct buffer b;
    struct span inner;

    call_buffer_init(p->call, &b);
    value_write_quoted(&b, span_of(bytes, utf8_encode(rune, bytes)));
    if (!b.failed) {
        b.ptr[0] = b.ptr[b.len - 1] = '\'';
        inner = buffer_span(&b);
        if (rune == '"')
            inner = span_str("'\"'");
        else if (rune == '\'')
            inner = span_str("'\\''");
        pad(p, s, inner, s->zero);
    }
    buffer_free(&b);
}

static void
put_unicode(struct printer *p, const struct spec *s, int64_t i)
{
    char text[64];
    uint8_t bytes[4];
    int n = snprintf(text, sizeof(text), "U+%04" PRIX64, (uint64_t)i);

    if (s->sharp && i >= 0 && i <= 0x10ffff) {
        size_t len = utf8_encode((uint32_t)i, bytes);

        n += snprintf(text + n, sizeof(text) - (size_t)n, " '%.*s'", (int)len,
                      (const char *)bytes);
    }
    pad(p, s, span_of(text, (size_t)n), s->zero);
}

/* --- Fractions --- */

/* The fewest digits that read back equal, in %e form, split. */
static int
shortest_digits(double d, char digits[24], int *exponent)
{
    char text[40];
    int n = 0;

    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision, d);
        if (strtod(text, NULL) == d)
            break;
    }
    *exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
    for (const char *at = text; *at != 'e'; at++)
        if (*at >= '0' && *at <= '9')
            digits[n++] = *at;
    digits[n] = 0;
    return n;
}

static size_t
shortest_real(double d, char verb, int threshold, char *out, size_t size)
{
    char digits[24];
    bool negative = d < 0 || (d == 0 && 1 / d < 0);
    int exponent, n = shortest_digits(negative ? -d : d, digits, &exponent);
    bool scientific = verb == 'e' || verb == 'E' ||
                      ((verb == 'g' || verb == 'G') &&
                       (exponent < -4 || exponent >= threshold));
    int fraction;

    if (scientific)
        return (size_t)snprintf(out, size, "%s%c%s%s%c%c%02d",
                                negative ? "-" : "", digits[0],
                                n > 1 ? "." : "", digits + 1,
                                verb == 'e' || verb == 'g' ? 'e' : 'E',
                                exponent < 0 ? '-' : '+', abs(exponent));
    fraction = n - 1 - exponent > 0 ? n - 1 - exponent : 0;
    return (size_t)snprintf(out, size, "%.*f", fraction, d);
}

static void
put_real(struct printer *p, const struct spec *s, double d)
{
    char format[16], text[512];
    char verb = s->verb == 'v' ? 'g' : (char)s->verb;
    size_t n = 0;
    struct buffer b;

    if (verb == 'F')
        verb = 'f';
    if (s->plus)
        text[n++] = '+';
    else if (s->space)
        text[n++] = ' ';
    if (d < 0 || (d == 0 && 1 / d < 0))
        n = 0;
    if (s->precision == SIZE_NONE && (verb == 'g' || verb == 'G')) {
        n += shortest_real(d, verb, 6, text + n, sizeof(text) - n);
        pad(p, s, span_of(text, n), s->zero);
        return;
    }
    snprintf(format, sizeof(format), "%%.*%c", verb);
    call_buffer_init(p->call, &b);
    buffer_add(&b, span_of(text, n));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    buffer_addf(&b, format, s->precision == SIZE_NONE ? 6 : s->precision, d);
#pragma GCC diagnostic pop
    if (!b.failed)
        pad(p, s, buffer_span(&b), s->zero);
    buffer_free(&b);
}

/* --- Text --- */

static void
put_hex(struct printer *p, const struct spec *s, struct span text)
{
    const char *digits =
        s->verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    struct buffer b;

    if (s->precision >= 0 && (size_t)s->precision < text.len)
        text.len = (size_t)s->precision;
    call_buffer_init(p->call, &b);
    for (size_t i = 0; i < text.len; i++) {
        if (i > 0 && s->space)
            buffer_add_str(&b, " ");
        if (s->sharp && (i == 0 || s->space))
            buffer_add_str(&b, s->verb == 'X' ? "0X" : "0x");
        buffer_addf(&b, "%c%c", digits[text.ptr[i] >> 4],
                    digits[text.ptr[i] & 15]);
    }
    if (b.failed)
        p->out->failed = true;
    else
        pad(p, s, buffer_span(&b), s->zero);
    buffer_free(&b);
}

static void
put_quoted(struct printer *p, const struct spec *s, struct span text)
{
    struct buffer b;

    call_buffer_init(p->call, &b);
    if (s->sharp && text_find(text, span_str("`"), 0) == SIZE_MAX) {
        buffer_add_str(&b, "`");
        buffer_add(&b, text);
        buffer_add_str(&b, "`");
    } else {
        value_write_quoted(&b, text);
    }
    if (b.failed)
        p->out->failed = true;
    else
        pad(p, s, buffer_span(&b), s->zero);
    buffer_free(&b);
}

/* --- Verbs --- */

static const char *
type_of(const struct operand *o)
{
    static const char *const names[] = { "int64", "big.Int", "float64",
                                         "string" };

    return names[o->kind];
}

static void put(struct printer *p, const struct spec *s, struct operand *o);

static void
put_misfit(struct printer *p, const struct spec *s, struct operand *o)
{
    struct spec plain = *s;
    uint8_t bytes[4];

    plain.verb = 'v';

    buffer_add_str(p->out, "%!");
    buffer_add(p->out, span_of(bytes, utf8_encode(s->verb, bytes)));
    buffer_addf(p->out, "(%s=", type_of(o));
    put(p, &plain, o);
    buffer_add_str(p->out, ")");
}

static unsigned
base_of(uint32_t verb)
{
    switch (verb) {
    case 'd':
    case 'v':
        return 10;
    case 'b':
        return 2;
    case 'o':
    case 'O':
        return 8;
    case 'x':
    case 'X':
        return 16;
    default:
        return 0;
    }
}

static void
put_any_integer(struct printer *p, const struct spec *s, struct operand *o)
{
    unsigned base = base_of(s->verb);

    if (base == 0 && s->verb == 's' && o->kind == KIND_BIG)
        base = 10;
    if (base != 0)
        put_integer(p, s, o->number, base);
    else if (o->kind == KIND_INT && s->verb == 'c')
        put_rune(p, s, o->number.integer);
    else if (o->kind == KIND_INT && s->verb == 'q')
        put_quoted_rune(p, s, o->number.integer);
    else if (o->kind == KIND_INT && s->verb == 'U')
        put_unicode(p, s, o->number.integer);
    else
        put_misfit(p, s, o);
}

static void
put_text(struct printer *p, const struct spec *s, struct operand *o)
{
    struct span text = o->text;

    if (s->verb == 'x' || s->verb == 'X') {
        put_hex(p, s, text);
        return;
    }
    if (s->verb != 's' && s->verb != 'v' && s->verb != 'q') {
        put_misfit(p, s, o);
        return;
    }
    if (s->precision >= 0)
        text.len = text_skip(text, 0, (size_t)s->precision);
    if (s->verb == 'q')
        put_quoted(p, s, text);
    else
        pad(p, s, text, s->zero);
}

static void
put(struct printer *p, const struct spec *s, struct operand *o)
{
    if (o->kind == KIND_INT || o->kind == KIND_BIG)
        put_any_integer(p, s, o);
    else if (o->kind == KIND_TEXT)
        put_text(p, s, o);
    else if (s->verb < 128 && strchr("veEfFgG", (int)s->verb))
        put_real(p, s, o->real);
    else
        put_misfit(p, s, o);
}

/* --- The format --- */

static size_t
take_flags(struct span f, size_t at, struct spec *s)
{
    for (; at < f.len; at++) {
        switch (f.ptr[at]) {
        case '+':
            s->plus = true;
            break;
        case '-':
            s->minus = true;
            break;
        case '#':
            s->sharp = true;
            break;
        case ' ':
            s->space = true;
            break;
        case '0':
            s->zero = true;
            break;
        default:
            return at;
        }
    }
    return at;
}

static size_t
take_size(struct span f, size_t at, int *size)
{
    for (; at < f.len && f.ptr[at] >= '0' && f.ptr[at] <= '9'; at++) {
        *size = 10 * (*size < 0 ? 0 : *size) + (f.ptr[at] - '0');
        if (*size > SIZE_LIMIT)
            *size = SIZE_LIMIT;
    }
    return at;
}

/* A width or precision: digits, or * for the next operand. */
static size_t
take_number(struct printer *p, struct span f, size_t at, int *size)
{
    struct value v;

    if (at == f.len || f.ptr[at] != '*')
        return take_size(f, at, size);
    v = p->next < p->args.count ? p->args.at[p->next++] : value_undefined();
    if (v.tag == VALUE_INT && v.integer >= -SIZE_LIMIT &&
        v.integer <= SIZE_LIMIT)
        *size = (int)v.integer;
    else
        buffer_add_str(p->out, "%!(BADWIDTH)");
    return at + 1;
}

static void
put_operand(struct printer *p, const struct spec *s)
{
    struct operand o;
    uint8_t bytes[4];

    if (p->next >= p->args.count) {
        buffer_add_str(p->out, "%!");
        buffer_add(p->out, span_of(bytes, utf8_encode(s->verb, bytes)));
        buffer_add_str(p->out, "(MISSING)");
        return;
    }
    o = operand_of(p, p->args.at[p->next++]);
    put(p, s, &o);
}

/* [n] chooses the operand, counted from 1. */
static size_t
take_index(struct printer *p, struct span f, size_t at)
{
    int index = SIZE_NONE;
    size_t end;

    if (at == f.len || f.ptr[at] != '[')
        return at;
    end = take_size(f, at + 1, &index);
    if (end == f.len || f.ptr[end] != ']' || index < 1)
        return at;
    p->next = (size_t)index - 1;
    p->reordered = true;
    return end + 1;
}

/* Behind a %. */
static size_t
take_verb(struct printer *p, struct span f, size_t at)
{
    struct spec s = { .width = SIZE_NONE, .precision = SIZE_NONE };

    at = take_flags(f, at, &s);
    at = take_index(p, f, at);
    at = take_number(p, f, at, &s.width);
    if (s.width < SIZE_NONE) {
        s.minus = true;
        s.width = -s.width;
    }
    if (at < f.len && f.ptr[at] == '.') {
        s.precision = 0;
        at = take_index(p, f, at + 1);
        at = take_number(p, f, at, &s.precision);
    }
    at = take_index(p, f, at);
    if (at == f.len) {
        buffer_add_str(p->out, "%!(NOVERB)");
        return at;
    }
    at += text_rune(f, at, &s.verb);
    if (s.verb == '%')
        buffer_add_str(p->out, "%");
    else
        put_operand(p, &s);
    return at;
}

static void
put_extra(struct printer *p)
{
    const struct spec plain = { .width = SIZE_NONE,
                                .precision = SIZE_NONE,
                                .verb = 'v' };

    if (p->reordered || p->next >= p->args.count)
        return;
    buffer_add_str(p->out, "%!(EXTRA ");
    for (size_t first = p->next; p->next < p->args.count; p->next++) {
        struct operand o = operand_of(p, p->args.at[p->next]);

        buffer_addf(p->out, "%s%s%s=", p->next > first ? ", " : "",
                    o.kind == KIND_BIG ? "*" : "", type_of(&o));
        put(p, &plain, &o);
    }
    buffer_add_str(p->out, ")");
}

enum builtin_outcome
bi_sprintf(struct rego_call *call, const struct value *args, size_t n,
           struct value *out)
{
    struct printer p = { .call = call };
    enum builtin_outcome bad;
    struct buffer b;
    struct span f;

    if (!args_check(call, args, n, &bad))
        return bad;
    f = value_text(args[0]);
    p.args = value_items(args[1]);
    call_buffer_init(call, &b);
    p.out = &b;
    for (size_t at = 0; at < f.len && !b.failed;) {
        const uint8_t *hit = memchr(f.ptr + at, '%', f.len - at);
        size_t to = hit ? (size_t)(hit - f.ptr) : f.len;

        buffer_add(&b, span_sub(f, at, to - at));
        at = hit ? take_verb(&p, f, to + 1) : to;
    }
    put_extra(&p);
    return call_buffer(call, &b, out);
}
