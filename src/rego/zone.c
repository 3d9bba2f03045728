#include "rego/zone.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/reader.h"
#include "rego/calendar.h"

/* Of an instant: twice what 64 bits of nanoseconds reach. */
#define SECONDS_MAX INT64_C(20000000000)

enum {
    ZONE_FILE_MAX = 64 * 1024, /* the largest real one has 4 KiB */
    DAY = 86400,
};

/* --- The footer: a POSIX TZ rule for all times behind the table --- */

struct change {
    int month, week, day; /* Mm.w.d; month 0: day of the year, below */
    int year_day;         /* 0 to 365 */
    bool leap_counts;     /* n counts 29 February, Jn does not */
    int64_t time;         /* seconds of the day */
};

struct rule {
    struct zone_time standard, summer;
    bool has_summer;
    struct change begin, end;
};

static bool
take(struct span *s, char c)
{
    if (s->len == 0 || s->ptr[0] != (uint8_t)c)
        return false;
    *s = span_sub(*s, 1, s->len);
    return true;
}

static bool
take_int(struct span *s, int *out)
{
    int n = 0;
    size_t i = 0;

    for (; i < s->len && i < 4 && s->ptr[i] >= '0' && s->ptr[i] <= '9'; i++)
        n = 10 * n + (s->ptr[i] - '0');
    *s = span_sub(*s, i, s->len);
    *out = n;
    return i > 0;
}

static bool
take_name(struct span *s, char name[16])
{
    bool quoted = take(s, '<');
    size_t n = 0;

    while (n < s->len && n < 15) {
        uint8_t c = s->ptr[n];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');

        if (!letter && !(quoted && c != '>'))
            break;
        name[n++] = (char)c;
    }
    name[n] = 0;
    *s = span_sub(*s, n, s->len);
    return n > 0 && (!quoted || take(s, '>'));
}

/* [+-]hh[:mm[:ss]] in seconds */
static bool
take_time(struct span *s, int64_t *out)
{
    bool negative = take(s, '-');
    int64_t total = 0, unit = 3600;
    int n;

    if (!negative)
        (void)take(s, '+');
    for (int i = 0; i < 3; i++, unit /= 60) {
        if (i > 0 && !take(s, ':'))
            break;
        if (!take_int(s, &n))
            return false;
        total += n * unit;
    }
    *out = negative ? -total : total;
    return true;
}

static bool
take_change(struct span *s, struct change *c)
{
    *c = (struct change){ .time = 7200 };
    if (!take(s, ','))
        return false;
    if (take(s, 'M')) {
        if (!take_int(s, &c->month) || !take(s, '.') ||
            !take_int(s, &c->week) || !take(s, '.') || !take_int(s, &c->day) ||
            c->month < 1 || c->month > 12 || c->week < 1 || c->week > 5 ||
            c->day > 6)
            return false;
    } else {
        c->leap_counts = !take(s, 'J');
        if (!take_int(s, &c->year_day) || c->year_day > 366)
            return false;
        c->year_day -= !c->leap_counts;
    }
    return !take(s, '/') || take_time(s, &c->time);
}

static bool
parse_rule(struct span s, struct rule *r)
{
    int64_t west;

    *r = (struct rule){ 0 };
    if (!take_name(&s, r->standard.name) || !take_time(&s, &west))
        return false;
    r->standard.offset = (int32_t)-west;
    if (s.len == 0)
        return true;
    r->has_summer = true;
    if (!take_name(&s, r->summer.name))
        return false;
    r->summer.offset = r->standard.offset + 3600;
    if (s.len > 0 && s.ptr[0] != ',') {
        if (!take_time(&s, &west))
            return false;
        r->summer.offset = (int32_t)-west;
    }
    return take_change(&s, &r->begin) && take_change(&s, &r->end) && s.len == 0;
}

/* --- Calendar --- */

/* Local seconds of a change in a year. */
static int64_t
change_in(const struct change *c, int64_t year)
{
    int64_t day = calendar_days(year, 1, 1);
    int length, weekday;

    if (c->month == 0) {
        day += c->year_day;
        if (!c->leap_counts && calendar_is_leap(year) && c->year_day >= 59)
            day++;
        return day * DAY + c->time;
    }
    day = calendar_days(year, c->month, 1);
    length = calendar_month_days(year, c->month);
    weekday = calendar_weekday(day);
    day += (c->day - weekday + 7) % 7 + 7 * (c->week - 1);
    if (day >= calendar_days(year, c->month, 1) + length)
        day -= 7;
    return day * DAY + c->time;
}

static void
apply_rule(const struct rule *r, int64_t seconds, struct zone_time *out)
{
    int64_t year, begin, end;
    bool summer;

    *out = r->standard;
    if (!r->has_summer)
        return;
    year = calendar_of(seconds + r->standard.offset).year;
    begin = change_in(&r->begin, year) - r->standard.offset;
    end = change_in(&r->end, year) - r->summer.offset;
    if (begin < end)
        summer = seconds >= begin && seconds < end;
    else
        summer = seconds >= begin || seconds < end;
    if (summer)
        *out = r->summer;
}

/* --- TZif --- */

struct counts {
    uint32_t ut, std, leap, time, type, chars;
    uint8_t version;
};

static bool
read_header(struct reader *rd, struct counts *c)
{
    struct span magic = rd_span(rd, 4);

    c->version = rd_u8(rd);
    (void)rd_span(rd, 15);
    c->ut = rd_u32be(rd);
    c->std = rd_u32be(rd);
    c->leap = rd_u32be(rd);
    c->time = rd_u32be(rd);
    c->type = rd_u32be(rd);
    c->chars = rd_u32be(rd);
    return !rd->failed && span_equal_str(magic, "TZif") &&
           c->time < ZONE_FILE_MAX && c->type > 0 && c->type < 256 &&
           c->chars < ZONE_FILE_MAX && c->leap < ZONE_FILE_MAX &&
           c->ut <= c->type && c->std <= c->type;
}

static size_t
body_size(const struct counts *c, size_t width)
{
    return c->time * width + c->time + c->type * 6u + c->chars +
           c->leap * (width + 4) + c->std + c->ut;
}

static bool
read_type(struct span types, struct span chars, size_t i, struct zone_time *out,
          bool *is_summer)
{
    struct reader rd = reader_over(span_sub(types, 6 * i, 6));
    uint32_t offset = rd_u32be(&rd);
    size_t at;

    *is_summer = rd_u8(&rd) != 0;
    at = rd_u8(&rd);
    if (rd.failed || at >= chars.len)
        return false;
    out->offset = (int32_t)offset;
    snprintf(out->name, sizeof(out->name), "%.*s", (int)(chars.len - at),
             (const char *)chars.ptr + at);
    return out->offset > -26 * 3600 && out->offset < 27 * 3600;
}

/* The type in force, by the last transition at or before the instant. */
static bool
look_up(struct span times, struct span indexes, const struct counts *c,
        int64_t seconds, size_t *type)
{
    size_t low = 0, high = c->time;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        struct reader rd = reader_over(span_sub(times, 8 * mid, 8));
        int64_t at = (int64_t)rd_u64be(&rd);

        if (at <= seconds)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == 0)
        return false;
    *type = indexes.ptr[low - 1];
    return true;
}

/* Before the first transition: the first standard time. */
static enum assay_status
first_standard(struct span types, struct span chars, size_t count,
               struct zone_time *out)
{
    bool summer = true;

    for (size_t i = 0; i < count && summer; i++)
        if (!read_type(types, chars, i, out, &summer))
            return ASSAY_ERR_MALFORMED;
    return ASSAY_OK;
}

static bool
is_behind_table(struct span times, const struct counts *c, int64_t seconds)
{
    struct reader rd;

    if (c->time == 0)
        return true;
    rd = reader_over(span_sub(times, 8 * (size_t)(c->time - 1), 8));
    return seconds >= (int64_t)rd_u64be(&rd);
}

enum assay_status
zone_decode_at(struct span file, int64_t seconds, struct zone_time *out)
{
    struct reader rd = reader_over(file);
    struct counts c;
    struct span times, indexes, types, chars, footer;
    struct rule rule;
    size_t type;
    bool summer;

    if (seconds > SECONDS_MAX || seconds < -SECONDS_MAX)
        return ASSAY_ERR_LIMIT;
    if (!read_header(&rd, &c) || c.version < '2')
        return ASSAY_ERR_MALFORMED;
    (void)rd_span(&rd, body_size(&c, 4));
    if (!read_header(&rd, &c))
        return ASSAY_ERR_MALFORMED;
    times = rd_span(&rd, 8 * (size_t)c.time);
    indexes = rd_span(&rd, c.time);
    types = rd_span(&rd, 6 * (size_t)c.type);
    chars = rd_span(&rd, c.chars);
    (void)rd_span(&rd, c.leap * 12u + c.std + c.ut);
    footer = rd.rest;
    if (rd.failed)
        return ASSAY_ERR_MALFORMED;
    if (footer.len > 2 && footer.ptr[0] == '\n' &&
        is_behind_table(times, &c, seconds)) {
        footer = span_sub(footer, 1, footer.len - 2);
        if (!parse_rule(footer, &rule))
            return ASSAY_ERR_MALFORMED;
        apply_rule(&rule, seconds, out);
        return ASSAY_OK;
    }
    if (!look_up(times, indexes, &c, seconds, &type))
        return first_standard(types, chars, c.type, out);
    return type < c.type && read_type(types, chars, type, out, &summer)
               ? ASSAY_OK
               : ASSAY_ERR_MALFORMED;
}

/* --- By name --- */

/* Letters, digits and _+-/ without a dot: the name cannot leave its folder. */
static bool
is_zone_name(struct span name)
{
    if (name.len == 0 || name.len > 64 || name.ptr[0] == '/')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.ptr[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
              (c >= 'A' && c <= 'Z') || c == '_' || c == '+' || c == '-' ||
              c == '/'))
            return false;
    }
    return true;
}

enum assay_status
zone_at(struct span zone, int64_t seconds, struct zone_time *out)
{
    struct buffer file;
    struct assay_error err;
    char path[128];
    enum assay_status st;

    if (zone.len == 0 || span_equal_str(zone, "UTC") ||
        span_equal_str(zone, "Local")) {
        *out = (struct zone_time){ 0, "UTC" };
        return ASSAY_OK;
    }
    if (!is_zone_name(zone))
        return ASSAY_ERR_NOT_FOUND;
    snprintf(path, sizeof(path), "/usr/share/zoneinfo/%.*s", (int)zone.len,
             (const char *)zone.ptr);
    buffer_init(&file, ZONE_FILE_MAX, NULL);
    st = file_read(path, &file, &err);
    if (st == ASSAY_OK)
        st = zone_decode_at(buffer_span(&file), seconds, out);
    else if (st != ASSAY_ERR_NOMEM)
        st = ASSAY_ERR_NOT_FOUND;
    buffer_free(&file);
    return st;
}

/* As Go's time.Date: local time is first read as if it were UTC. */
enum assay_status
zone_instant(struct span zone, int64_t local, int64_t *seconds)
{
    struct zone_time first, then;
    enum assay_status st = zone_at(zone, local, &first);

    if (st == ASSAY_OK)
        st = zone_at(zone, local - first.offset, &then);
    if (st == ASSAY_OK)
        *seconds = local - then.offset;
    return st;
}
