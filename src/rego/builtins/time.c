/* Instants are nanoseconds since 1970 as 64 bits; the calendar is Gregorian,
 * zones come from the system's database. */
#include <string.h>

#include "rego/builtins/call.h"
#include "rego/builtins/layout.h"
#include "rego/builtins/table.h"
#include "rego/builtins/text.h"

#define SECOND INT64_C(1000000000)

enum builtin_outcome
bi_time_now_ns(struct rego_call *call, const struct value *args, size_t n,
               struct value *out)
{
    (void)args, (void)n;
    return call_int(call->env->now_ns, out);
}

/* --- Operands: ns, [ns, zone] or [ns, zone, layout] --- */

struct instant {
    int64_t seconds, nanoseconds;
    struct span zone;
    struct span layout;
};

static enum builtin_outcome
refuse_number(struct rego_call *call)
{
    return call_fail(call, "timestamp too big");
}

static bool
read_part(struct rego_call *call, const struct value *items, size_t i,
          size_t operand, struct span *out, enum builtin_outcome *bad)
{
    if (items[i].tag == VALUE_STRING) {
        *out = value_text(items[i]);
        return true;
    }
    *bad = call_type_error(call, "operand %zu must be string but got %s",
                           operand + 1, value_type_name(items[i]));
    return false;
}

static bool
read_instant(struct rego_call *call, const struct value *args, size_t i,
             struct instant *t, enum builtin_outcome *bad)
{
    struct items items = { &args[i], 1 };
    struct value ns;
    int64_t total;

    *t = (struct instant){ 0 };
    if (args[i].tag == VALUE_ARRAY) {
        items = value_items(args[i]);
        if (items.count == 0) {
            *bad = call_type_error(call,
                                   "operand %zu must be either number (ns) or "
                                   "[number (ns), string (tz)] but got empty "
                                   "array",
                                   i + 1);
            return false;
        }
    }
    ns = items.at[0];
    if (!value_is_number(ns)) {
        *bad = call_type_error(
            call,
            "operand %zu must be either number (ns) or [number (ns), "
            "string (tz)] but got %s",
            i + 1, value_type_name(ns));
        return false;
    }
    if (ns.tag != VALUE_INT && !ns.number->fits) {
        *bad = refuse_number(call);
        return false;
    }
    total = ns.tag == VALUE_INT ? ns.integer : ns.number->small;
    t->seconds = total / SECOND - (total % SECOND < 0);
    t->nanoseconds = total - t->seconds * SECOND;
    if (items.count > 1 && !read_part(call, items.at, 1, i, &t->zone, bad))
        return false;
    return items.count < 3 || read_part(call, items.at, 2, i, &t->layout, bad);
}

static bool
find_zone(struct rego_call *call, struct span zone, int64_t seconds,
          struct zone_time *out, enum builtin_outcome *bad)
{
    enum assay_status st = zone_at(zone, seconds, out);

    if (st == ASSAY_OK)
        return true;
    *bad = st == ASSAY_ERR_NOMEM
               ? call_nomem(call)
               : call_fail(call, "unknown time zone %.*s",
                           zone.len > 100 ? 100 : (int)zone.len,
                           (const char *)zone.ptr);
    return false;
}

static bool
read_local(struct rego_call *call, const struct value *args, size_t i,
           struct instant *t, struct layout_time *local,
           enum builtin_outcome *bad)
{
    if (!read_instant(call, args, i, t, bad) ||
        !find_zone(call, t->zone, t->seconds, &local->zone, bad))
        return false;
    local->local = calendar_of(t->seconds + local->zone.offset);
    local->nanoseconds = t->nanoseconds;
    return true;
}

/* seconds and nanoseconds as one number, or the error. */
static enum builtin_outcome
answer(struct rego_call *call, int64_t seconds, int64_t nanoseconds,
       struct value *out)
{
    int64_t ns;

    /* The last second before the range, counted from its end. */
    if (seconds < 0 && nanoseconds > 0) {
        seconds++;
        nanoseconds -= SECOND;
    }
    if (__builtin_mul_overflow(seconds, SECOND, &ns) ||
        __builtin_add_overflow(ns, nanoseconds, &ns))
        return call_fail(call, "time outside of valid range");
    return call_int(ns, out);
}

static enum builtin_outcome
numbers(struct rego_call *call, const int64_t *n, size_t count,
        struct value *out)
{
    struct value_list list = value_list_in(call->arena);

    for (size_t i = 0; i < count; i++)
        value_list_add(&list, value_int(n[i]));
    return call_made(call, value_list_array(&list, out));
}

/* --- Parts --- */

enum builtin_outcome
bi_time_date(struct rego_call *call, const struct value *args, size_t n,
             struct value *out)
{
    enum builtin_outcome bad;
    struct layout_time l;
    struct instant t;
    int64_t parts[3];

    (void)n;
    if (!read_local(call, args, 0, &t, &l, &bad))
        return bad;
    parts[0] = l.local.year;
    parts[1] = l.local.month;
    parts[2] = l.local.day;
    return numbers(call, parts, 3, out);
}

enum builtin_outcome
bi_time_clock(struct rego_call *call, const struct value *args, size_t n,
              struct value *out)
{
    enum builtin_outcome bad;
    struct layout_time l;
    struct instant t;
    int64_t parts[3];

    (void)n;
    if (!read_local(call, args, 0, &t, &l, &bad))
        return bad;
    parts[0] = l.local.hour;
    parts[1] = l.local.minute;
    parts[2] = l.local.second;
    return numbers(call, parts, 3, out);
}

static enum builtin_outcome
write_layout(struct rego_call *call, struct span layout,
             const struct layout_time *l, struct value *out)
{
    struct buffer b;

    call_buffer_init(call, &b);
    layout_format(&b, layout, l);
    return call_buffer(call, &b, out);
}

enum builtin_outcome
bi_time_weekday(struct rego_call *call, const struct value *args, size_t n,
                struct value *out)
{
    enum builtin_outcome bad;
    struct layout_time l;
    struct instant t;

    (void)n;
    if (!read_local(call, args, 0, &t, &l, &bad))
        return bad;
    return write_layout(call, span_str("Monday"), &l, out);
}

enum builtin_outcome
bi_time_format(struct rego_call *call, const struct value *args, size_t n,
               struct value *out)
{
    enum builtin_outcome bad;
    struct layout_time l;
    struct instant t;

    (void)n;
    if (!read_local(call, args, 0, &t, &l, &bad))
        return bad;
    if (t.layout.len == 0)
        t.layout = span_str("RFC3339Nano");
    return write_layout(call, layout_named(t.layout), &l, out);
}

/* --- Arithmetic --- */

static bool
arg_count(struct rego_call *call, const struct value *args, size_t i,
          int64_t *out, enum builtin_outcome *bad)
{
    if (!arg_integer(call, args, i, out, bad))
        return false;
    if (*out > 100000000 || *out < -100000000) {
        *bad = call_fail(call, "time outside of valid range");
        return false;
    }
    return true;
}

enum builtin_outcome
bi_time_add_date(struct rego_call *call, const struct value *args, size_t n,
                 struct value *out)
{
    int64_t years, months, days, month, seconds;
    enum builtin_outcome bad;
    struct layout_time l;
    struct instant t;
    struct calendar *c = &l.local;

    (void)n;
    if (!read_local(call, args, 0, &t, &l, &bad) ||
        !arg_count(call, args, 1, &years, &bad) ||
        !arg_count(call, args, 2, &months, &bad) ||
        !arg_count(call, args, 3, &days, &bad))
        return bad;
    month = c->month - 1 + months;
    c->year += years + month / 12 - (month % 12 < 0);
    month = (month % 12 + 12) % 12;
    seconds = calendar_days(c->year, (int)month + 1, c->day + days) * 86400 +
              c->hour * INT64_C(3600) + c->minute * INT64_C(60) + c->second;
    if (seconds > INT64_MAX / SECOND + 100000 ||
        seconds < INT64_MIN / SECOND - 100000)
        return call_fail(call, "time outside of valid range");
    if (zone_instant(t.zone, seconds, &seconds) != ASSAY_OK)
        return call_fail(call, "unknown time zone");
    return answer(call, seconds, t.nanoseconds, out);
}

/* Borrows from the next larger unit where a difference is negative. */
static void
borrow(int64_t *small, int64_t *large, int64_t size)
{
    if (*small < 0) {
        *small += size;
        --*large;
    }
}

enum builtin_outcome
bi_time_diff(struct rego_call *call, const struct value *args, size_t n,
             struct value *out)
{
    enum builtin_outcome bad;
    struct layout_time a, b;
    struct instant t, u;
    int64_t d[6];

    (void)n;
    if (!read_local(call, args, 0, &t, &a, &bad) ||
        !read_local(call, args, 1, &u, &b, &bad))
        return bad;
    /* Both in the first one's zone, the earlier first. */
    if (!find_zone(call, t.zone, u.seconds, &b.zone, &bad))
        return bad;
    b.local = calendar_of(u.seconds + b.zone.offset);
    if (t.seconds > u.seconds ||
        (t.seconds == u.seconds && t.nanoseconds > u.nanoseconds)) {
        struct layout_time swap = a;

        a = b;
        b = swap;
    }
    /* Whole seconds of both: the reference looks at no fractions. */
    d[0] = b.local.year - a.local.year;
    d[1] = b.local.month - a.local.month;
    d[2] = b.local.day - a.local.day;
    d[3] = b.local.hour - a.local.hour;
    d[4] = b.local.minute - a.local.minute;
    d[5] = b.local.second - a.local.second;
    borrow(&d[5], &d[4], 60);
    borrow(&d[4], &d[3], 60);
    borrow(&d[3], &d[2], 24);
    borrow(&d[2], &d[1], calendar_month_days(a.local.year, a.local.month));
    borrow(&d[1], &d[0], 12);
    return numbers(call, d, 6, out);
}

/* --- Reading --- */

static enum builtin_outcome
parse_layout(struct rego_call *call, struct span layout, struct span text,
             struct value *out)
{
    int64_t seconds, nanoseconds;
    struct span rest = { 0 };

    if (layout_parse(layout, text, &seconds, &nanoseconds, &rest))
        return answer(call, seconds, nanoseconds, out);
    return call_fail(
        call, "parsing time \"%.*s\" as \"%.*s\": cannot parse \"%.*s\"",
        text.len > 100 ? 100 : (int)text.len, (const char *)text.ptr,
        layout.len > 100 ? 100 : (int)layout.len, (const char *)layout.ptr,
        rest.len > 100 ? 100 : (int)rest.len, (const char *)rest.ptr);
}

enum builtin_outcome
bi_time_parse_ns(struct rego_call *call, const struct value *args, size_t n,
                 struct value *out)
{
    enum builtin_outcome bad;

    if (!args_check(call, args, n, &bad))
        return bad;
    return parse_layout(call, layout_named(value_text(args[0])),
                        value_text(args[1]), out);
}

enum builtin_outcome
bi_time_parse_rfc3339_ns(struct rego_call *call, const struct value *args,
                         size_t n, struct value *out)
{
    enum builtin_outcome bad;

    if (!args_check(call, args, n, &bad))
        return bad;
    return parse_layout(call, layout_named(span_str("RFC3339")),
                        value_text(args[0]), out);
}

/* --- Durations --- */

static const struct {
    const char *name;
    int64_t ns;
} duration_units[] = {
    { "ns", 1 },
    { "us", 1000 },
    { "\xc2\xb5s", 1000 }, /* micro sign */
    { "\xce\xbcs", 1000 }, /* Greek mu */
    { "ms", 1000000 },
    { "s", SECOND },
    { "m", 60 * SECOND },
    { "h", 3600 * SECOND },
    { "d", 24 * 3600 * SECOND },
    { "w", 7 * 24 * 3600 * SECOND },
    { "y", 365 * 24 * 3600 * SECOND },
};

static int64_t
unit_ns(struct span name)
{
    for (size_t i = 0; i < sizeof(duration_units) / sizeof(duration_units[0]);
         i++)
        if (span_equal_str(name, duration_units[i].name))
            return duration_units[i].ns;
    return 0;
}

/* digits [. digits]; the fraction as numerator over a power of ten. */
struct amount {
    uint64_t whole, fraction;
    double scale;
};

static bool
take_amount(struct span *s, struct amount *a)
{
    size_t i = 0, digits = 0;

    *a = (struct amount){ .scale = 1 };
    for (; i < s->len && s->ptr[i] >= '0' && s->ptr[i] <= '9'; i++, digits++)
        if (__builtin_mul_overflow(a->whole, 10, &a->whole) ||
            __builtin_add_overflow(a->whole, s->ptr[i] - '0', &a->whole))
            return false;
    if (i < s->len && s->ptr[i] == '.')
        for (i++; i < s->len && s->ptr[i] >= '0' && s->ptr[i] <= '9';
             i++, digits++)
            if (a->scale < 1e18) {
                a->fraction = 10 * a->fraction + (uint64_t)(s->ptr[i] - '0');
                a->scale *= 10;
            }
    *s = span_sub(*s, i, s->len);
    return digits > 0;
}

static struct span
take_unit(struct span *s)
{
    size_t n = 0;
    struct span unit;

    while (n < s->len && s->ptr[n] != '.' &&
           (s->ptr[n] < '0' || s->ptr[n] > '9'))
        n++;
    unit = span_sub(*s, 0, n);
    *s = span_sub(*s, n, s->len);
    return unit;
}

static bool
add_amount(uint64_t *total, const struct amount *a, int64_t unit)
{
    uint64_t ns;

    if (__builtin_mul_overflow(a->whole, (uint64_t)unit, &ns) ||
        __builtin_add_overflow(
            ns, (uint64_t)((double)a->fraction * ((double)unit / a->scale)),
            &ns) ||
        __builtin_add_overflow(*total, ns, total))
        return false;
    return *total <= (uint64_t)INT64_MAX + 1;
}

static enum builtin_outcome
refuse_duration(struct rego_call *call, const char *why, struct span text)
{
    return call_fail(call, "time: %s \"%.*s\"", why,
                     text.len > 100 ? 100 : (int)text.len,
                     (const char *)text.ptr);
}

enum builtin_outcome
bi_time_parse_duration_ns(struct rego_call *call, const struct value *args,
                          size_t n, struct value *out)
{
    enum builtin_outcome bad;
    struct span text, s, unit;
    bool negative;
    uint64_t total = 0;

    if (!args_check(call, args, n, &bad))
        return bad;
    text = s = value_text(args[0]);
    negative = s.len > 0 && s.ptr[0] == '-';
    if (s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        s = span_sub(s, 1, s.len);
    if (span_equal_str(s, "0"))
        return call_int(0, out);
    if (s.len == 0)
        return refuse_duration(call, "invalid duration", text);
    while (s.len > 0) {
        struct amount a;

        if (!take_amount(&s, &a))
            return refuse_duration(call, "invalid duration", text);
        unit = take_unit(&s);
        if (unit.len == 0)
            return refuse_duration(call, "missing unit in duration", text);
        if (unit_ns(unit) == 0)
            return call_fail(call,
                             "time: unknown unit \"%.*s\" in duration "
                             "\"%.100s\"",
                             unit.len > 50 ? 50 : (int)unit.len,
                             (const char *)unit.ptr, args[0].string->text);
        if (!add_amount(&total, &a, unit_ns(unit)))
            return refuse_duration(call, "invalid duration", text);
    }
    if (total > (uint64_t)INT64_MAX && !negative)
        return refuse_duration(call, "invalid duration", text);
    return call_int(negative ? (int64_t)(0 - total) : (int64_t)total, out);
}
