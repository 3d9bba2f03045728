#include "rego/builtins/layout.h"

#include <stdio.h>
#include <string.h>

#include "rego/builtins/text.h"

static const char *const months[] = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December",
};
static const char *const weekdays[] = {
    "Sunday",   "Monday", "Tuesday",  "Wednesday",
    "Thursday", "Friday", "Saturday",
};

struct span
layout_named(struct span layout)
{
    static const char *const names[][2] = {
        { "ANSIC", "Mon Jan _2 15:04:05 2006" },
        { "UnixDate", "Mon Jan _2 15:04:05 MST 2006" },
        { "RubyDate", "Mon Jan 02 15:04:05 -0700 2006" },
        { "RFC822", "02 Jan 06 15:04 MST" },
        { "RFC822Z", "02 Jan 06 15:04 -0700" },
        { "RFC850", "Monday, 02-Jan-06 15:04:05 MST" },
        { "RFC1123", "Mon, 02 Jan 2006 15:04:05 MST" },
        { "RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700" },
        { "RFC3339", "2006-01-02T15:04:05Z07:00" },
        { "RFC3339Nano", "2006-01-02T15:04:05.999999999Z07:00" },
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (span_equal_str(layout, names[i][0]))
            return span_str(names[i][1]);
    return layout;
}

enum element {
    LITERAL,
    LONG_MONTH,
    SHORT_MONTH,
    NUM_MONTH,
    ZERO_MONTH,
    LONG_WEEKDAY,
    SHORT_WEEKDAY,
    NUM_DAY,
    BLANK_DAY,
    ZERO_DAY,
    BLANK_YEAR_DAY,
    ZERO_YEAR_DAY,
    HOUR24,
    NUM_HOUR,
    ZERO_HOUR,
    NUM_MINUTE,
    ZERO_MINUTE,
    NUM_SECOND,
    ZERO_SECOND,
    LONG_YEAR,
    YEAR,
    UPPER_PM,
    LOWER_PM,
    ZONE_NAME,
    OFFSET,   /* of the numeric zones: see struct piece */
    FRACTION, /* .000 or .999 */
};

struct piece {
    enum element element;
    size_t len;
    bool z;       /* OFFSET: Z for UTC */
    bool colon;   /* hh:mm */
    int parts;    /* 1 hours, 2 minutes too, 3 seconds too */
    int digits;   /* FRACTION */
    bool trimmed; /* FRACTION: without zeros at the end */
};

static const struct {
    const char *text;
    enum element element;
    bool z, colon;
    int parts;
} pieces[] = {
    /* longer ones first where one begins another */
    { "January", LONG_MONTH, false, false, 0 },
    { "Jan", SHORT_MONTH, false, false, 0 },
    { "Monday", LONG_WEEKDAY, false, false, 0 },
    { "Mon", SHORT_WEEKDAY, false, false, 0 },
    { "MST", ZONE_NAME, false, false, 0 },
    { "01", ZERO_MONTH, false, false, 0 },
    { "002", ZERO_YEAR_DAY, false, false, 0 },
    { "02", ZERO_DAY, false, false, 0 },
    { "03", ZERO_HOUR, false, false, 0 },
    { "04", ZERO_MINUTE, false, false, 0 },
    { "05", ZERO_SECOND, false, false, 0 },
    { "06", YEAR, false, false, 0 },
    { "15", HOUR24, false, false, 0 },
    { "1", NUM_MONTH, false, false, 0 },
    { "2006", LONG_YEAR, false, false, 0 },
    { "2", NUM_DAY, false, false, 0 },
    { "__2", BLANK_YEAR_DAY, false, false, 0 },
    { "_2", BLANK_DAY, false, false, 0 },
    { "3", NUM_HOUR, false, false, 0 },
    { "4", NUM_MINUTE, false, false, 0 },
    { "5", NUM_SECOND, false, false, 0 },
    { "PM", UPPER_PM, false, false, 0 },
    { "pm", LOWER_PM, false, false, 0 },
    { "-070000", OFFSET, false, false, 3 },
    { "-07:00:00", OFFSET, false, true, 3 },
    { "-0700", OFFSET, false, false, 2 },
    { "-07:00", OFFSET, false, true, 2 },
    { "-07", OFFSET, false, false, 1 },
    { "Z070000", OFFSET, true, false, 3 },
    { "Z07:00:00", OFFSET, true, true, 3 },
    { "Z0700", OFFSET, true, false, 2 },
    { "Z07:00", OFFSET, true, true, 2 },
    { "Z07", OFFSET, true, false, 1 },
};

static bool
is_digit_at(struct span s, size_t at)
{
    return at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9';
}

/* .000 and .999 of any length, with no other digit behind. */
static bool
fraction_at(struct span s, struct piece *p)
{
    size_t n = 1;

    if (s.len < 2 || (s.ptr[0] != '.' && s.ptr[0] != ',') ||
        (s.ptr[1] != '0' && s.ptr[1] != '9'))
        return false;
    while (n < s.len && s.ptr[n] == s.ptr[1])
        n++;
    if (is_digit_at(s, n))
        return false;
    *p = (struct piece){ .element = FRACTION,
                         .len = n,
                         .digits = (int)(n - 1),
                         .trimmed = s.ptr[1] == '9' };
    return true;
}

/* "_2006" is an underscore and a year; "Month" is no weekday. */
static bool
is_exception(struct span s, enum element e, size_t len)
{
    if (e == BLANK_DAY && text_begins(s, span_str("_2006")))
        return true;
    return (e == SHORT_MONTH || e == SHORT_WEEKDAY) && len < s.len &&
           s.ptr[len] >= 'a' && s.ptr[len] <= 'z';
}

static struct piece
piece_at(struct span s)
{
    struct piece p = { .element = LITERAL, .len = 1 };

    if (fraction_at(s, &p))
        return p;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct span text = span_str(pieces[i].text);

        if (!text_begins(s, text) ||
            is_exception(s, pieces[i].element, text.len))
            continue;
        return (struct piece){ .element = pieces[i].element,
                               .len = text.len,
                               .z = pieces[i].z,
                               .colon = pieces[i].colon,
                               .parts = pieces[i].parts };
    }
    return p;
}

/* --- Writing --- */

static void
format_offset(struct buffer *out, const struct piece *p, int32_t offset)
{
    int seconds = offset < 0 ? -offset : offset;

    if (p->z && offset == 0) {
        buffer_add_str(out, "Z");
        return;
    }
    buffer_addf(out, "%c%02d", offset < 0 ? '-' : '+', seconds / 3600);
    if (p->parts >= 2)
        buffer_addf(out, "%s%02d", p->colon ? ":" : "", seconds / 60 % 60);
    if (p->parts >= 3)
        buffer_addf(out, "%s%02d", p->colon ? ":" : "", seconds % 60);
}

static void
format_fraction(struct buffer *out, struct span layout, const struct piece *p,
                int64_t nanoseconds)
{
    char text[16];
    size_t n = p->digits < 9 ? (size_t)p->digits : 9;

    snprintf(text, sizeof(text), "%09d", (int)nanoseconds);
    while (p->trimmed && n > 0 && text[n - 1] == '0')
        n--;
    if (n == 0 && p->trimmed)
        return;
    buffer_add(out, span_sub(layout, 0, 1));
    buffer_add(out, span_of(text, n));
    for (int i = 9; i < p->digits && !p->trimmed; i++)
        buffer_add_str(out, "0");
}

static void
format_zone_name(struct buffer *out, const struct zone_time *z)
{
    int minutes = (z->offset < 0 ? -z->offset : z->offset) / 60;

    if (z->name[0] != 0)
        buffer_add_str(out, z->name);
    else
        buffer_addf(out, minutes % 60 ? "%c%02d%02d" : "%c%02d",
                    z->offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

static void
format_piece(struct buffer *out, struct span layout, const struct piece *p,
             const struct layout_time *t)
{
    const struct calendar *c = &t->local;
    int hour = c->hour % 12 == 0 ? 12 : c->hour % 12;

    switch (p->element) {
    case LITERAL:
        buffer_add(out, span_sub(layout, 0, 1));
        return;
    case LONG_MONTH:
        buffer_add_str(out, months[c->month - 1]);
        return;
    case SHORT_MONTH:
        buffer_addf(out, "%.3s", months[c->month - 1]);
        return;
    case NUM_MONTH:
    case ZERO_MONTH:
        buffer_addf(out, p->element == NUM_MONTH ? "%d" : "%02d", c->month);
        return;
    case LONG_WEEKDAY:
        buffer_add_str(out, weekdays[c->weekday]);
        return;
    case SHORT_WEEKDAY:
        buffer_addf(out, "%.3s", weekdays[c->weekday]);
        return;
    case NUM_DAY:
        buffer_addf(out, "%d", c->day);
        return;
    case BLANK_DAY:
    case ZERO_DAY:
        buffer_addf(out, p->element == BLANK_DAY ? "%2d" : "%02d", c->day);
        return;
    case BLANK_YEAR_DAY:
    case ZERO_YEAR_DAY:
        buffer_addf(out, p->element == BLANK_YEAR_DAY ? "%3d" : "%03d",
                    c->year_day);
        return;
    case HOUR24:
        buffer_addf(out, "%02d", c->hour);
        return;
    case NUM_HOUR:
    case ZERO_HOUR:
        buffer_addf(out, p->element == NUM_HOUR ? "%d" : "%02d", hour);
        return;
    case NUM_MINUTE:
    case ZERO_MINUTE:
        buffer_addf(out, p->element == NUM_MINUTE ? "%d" : "%02d", c->minute);
        return;
    case NUM_SECOND:
    case ZERO_SECOND:
        buffer_addf(out, p->element == NUM_SECOND ? "%d" : "%02d", c->second);
        return;
    case LONG_YEAR:
        buffer_addf(out, "%04d", (int)c->year);
        return;
    case YEAR:
        buffer_addf(out, "%02d", (int)(c->year % 100));
        return;
    case UPPER_PM:
        buffer_add_str(out, c->hour >= 12 ? "PM" : "AM");
        return;
    case LOWER_PM:
        buffer_add_str(out, c->hour >= 12 ? "pm" : "am");
        return;
    case ZONE_NAME:
        format_zone_name(out, &t->zone);
        return;
    case OFFSET:
        format_offset(out, p, t->zone.offset);
        return;
    case FRACTION:
        format_fraction(out, layout, p, t->nanoseconds);
        return;
    }
}

void
layout_format(struct buffer *out, struct span layout,
              const struct layout_time *t)
{
    while (layout.len > 0 && !out->failed) {
        struct piece p = piece_at(layout);

        format_piece(out, layout, &p, t);
        layout = span_sub(layout, p.len, layout.len);
    }
}

/* --- Reading --- */

struct parsed {
    struct calendar c; /* month, day: -1 when not given */
    int64_t nanoseconds;
    int32_t offset;
    bool pm, has_pm;
    int year_day; /* -1 when not given */
};

/* least to most digits. */
static bool
take_digits(struct span *s, int least, int most, int *out)
{
    int n = 0;

    *out = 0;
    while (n < most && is_digit_at(*s, (size_t)n)) {
        *out = 10 * *out + (s->ptr[n] - '0');
        n++;
    }
    if (n < least)
        return false;
    *s = span_sub(*s, (size_t)n, s->len);
    return true;
}

static bool
begins_with_name(struct span s, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (i >= s.len || (s.ptr[i] | 0x20) != (name[i] | 0x20))
            return false;
    return true;
}

/* Letters of any case; only the first three when short. */
static bool
take_word(struct span *s, const char *const *words, int count, bool whole,
          int *out)
{
    for (int i = 0; i < count; i++) {
        size_t len = whole ? strlen(words[i]) : 3;

        if (!begins_with_name(*s, words[i], len))
            continue;
        *s = span_sub(*s, len, s->len);
        *out = i;
        return true;
    }
    return false;
}

static bool
take_offset(struct span *s, const struct piece *p, int32_t *out)
{
    int sign, hours, minutes = 0, seconds = 0;

    if (p->z && s->len > 0 && s->ptr[0] == 'Z') {
        *s = span_sub(*s, 1, s->len);
        *out = 0;
        return true;
    }
    if (s->len == 0 || (s->ptr[0] != '+' && s->ptr[0] != '-'))
        return false;
    sign = s->ptr[0] == '-' ? -1 : 1;
    *s = span_sub(*s, 1, s->len);
    if (!take_digits(s, 2, 2, &hours))
        return false;
    for (int i = 2; i <= p->parts; i++) {
        if (p->colon && (s->len == 0 || s->ptr[0] != ':'))
            return false;
        *s = span_sub(*s, p->colon, s->len);
        if (!take_digits(s, 2, 2, i == 2 ? &minutes : &seconds))
            return false;
    }
    *out = sign * (hours * 3600 + minutes * 60 + seconds);
    return hours <= 24 && minutes < 60 && seconds < 60;
}

/* UTC, three or four capitals, or GMT with an offset: names say nothing about
 * offsets, except UTC. */
static bool
take_zone_name(struct span *s, int32_t *offset)
{
    size_t n = 0;
    int hours = 0;

    while (n < s->len && n < 5 && s->ptr[n] >= 'A' && s->ptr[n] <= 'Z')
        n++;
    if (n < 3)
        return false;
    *offset = 0;
    if (n == 3 && text_begins(*s, span_str("GMT")) && s->len > 3 &&
        (s->ptr[3] == '+' || s->ptr[3] == '-')) {
        bool west = s->ptr[3] == '-';

        *s = span_sub(*s, 4, s->len);
        if (!take_digits(s, 1, 2, &hours))
            return false;
        *offset = (west ? -hours : hours) * 3600;
        return true;
    }
    *s = span_sub(*s, n, s->len);
    return true;
}

static bool
take_fraction(struct span *s, int digits, int64_t *nanoseconds)
{
    int64_t value = 0;
    int n = 0;

    if (s->len == 0 || (s->ptr[0] != '.' && s->ptr[0] != ','))
        return digits == 0;
    while (is_digit_at(*s, 1 + (size_t)n)) {
        if (n < 9)
            value = 10 * value + (s->ptr[1 + n] - '0');
        n++;
    }
    if (n == 0 || (digits > 0 && n != digits))
        return false;
    for (int i = n; i < 9; i++)
        value *= 10;
    *nanoseconds = value;
    *s = span_sub(*s, 1 + (size_t)n, s->len);
    return true;
}

/* Seconds may bring a fraction that the layout does not mention. */
static bool
take_seconds(struct span *s, struct span layout, const struct piece *p,
             struct parsed *t)
{
    struct piece next = piece_at(span_sub(layout, p->len, layout.len));

    if (!take_digits(s, p->element == NUM_SECOND ? 1 : 2, 2, &t->c.second) ||
        t->c.second > 59)
        return false;
    if (s->len < 2 || (s->ptr[0] != '.' && s->ptr[0] != ',') ||
        !is_digit_at(*s, 1) ||
        (layout.len > p->len && next.element == FRACTION))
        return true;
    return take_fraction(s, 0, &t->nanoseconds);
}

static bool
take_year(struct span *s, bool whole, struct parsed *t)
{
    int year;

    if (!take_digits(s, whole ? 4 : 2, whole ? 4 : 2, &year))
        return false;
    t->c.year = whole ? year : year + (year >= 69 ? 1900 : 2000);
    return true;
}

static bool
take_pm(struct span *s, bool upper, struct parsed *t)
{
    bool pm = text_begins(*s, span_str(upper ? "PM" : "pm"));

    if (!pm && !text_begins(*s, span_str(upper ? "AM" : "am")))
        return false;
    t->pm = pm;
    t->has_pm = true;
    *s = span_sub(*s, 2, s->len);
    return true;
}

static bool
skip_blank(struct span *s)
{
    if (s->len > 0 && s->ptr[0] == ' ')
        *s = span_sub(*s, 1, s->len);
    return true;
}

static bool
take_month(struct span *s, const struct piece *p, struct parsed *t)
{
    bool word = p->element == LONG_MONTH || p->element == SHORT_MONTH;

    if (!word)
        return take_digits(s, p->element == NUM_MONTH ? 1 : 2, 2,
                           &t->c.month) &&
               t->c.month >= 1 && t->c.month <= 12;
    if (!take_word(s, months, 12, p->element == LONG_MONTH, &t->c.month))
        return false;
    t->c.month++;
    return true;
}

static bool
take_piece(struct span *s, struct span layout, const struct piece *p,
           struct parsed *t)
{
    int ignored;

    switch (p->element) {
    case LITERAL:
        if (s->len == 0 || s->ptr[0] != layout.ptr[0])
            return false;
        *s = span_sub(*s, 1, s->len);
        return true;
    case LONG_MONTH:
    case SHORT_MONTH:
    case NUM_MONTH:
    case ZERO_MONTH:
        return take_month(s, p, t);
    case LONG_WEEKDAY:
    case SHORT_WEEKDAY:
        return take_word(s, weekdays, 7, p->element == LONG_WEEKDAY, &ignored);
    case BLANK_DAY:
    case NUM_DAY:
        return skip_blank(s) && take_digits(s, 1, 2, &t->c.day);
    case ZERO_DAY:
        return take_digits(s, 2, 2, &t->c.day);
    case BLANK_YEAR_DAY:
        return skip_blank(s) && skip_blank(s) &&
               take_digits(s, 1, 3, &t->year_day);
    case ZERO_YEAR_DAY:
        return take_digits(s, 3, 3, &t->year_day);
    case HOUR24:
        return take_digits(s, 1, 2, &t->c.hour) && t->c.hour < 24;
    case NUM_HOUR:
    case ZERO_HOUR:
        return take_digits(s, p->element == NUM_HOUR ? 1 : 2, 2, &t->c.hour) &&
               t->c.hour <= 12;
    case NUM_MINUTE:
    case ZERO_MINUTE:
        return take_digits(s, p->element == NUM_MINUTE ? 1 : 2, 2,
                           &t->c.minute) &&
               t->c.minute < 60;
    case NUM_SECOND:
    case ZERO_SECOND:
        return take_seconds(s, layout, p, t);
    case LONG_YEAR:
    case YEAR:
        return take_year(s, p->element == LONG_YEAR, t);
    case UPPER_PM:
    case LOWER_PM:
        return take_pm(s, p->element == UPPER_PM, t);
    case ZONE_NAME:
        return take_zone_name(s, &t->offset);
    case OFFSET:
        return take_offset(s, p, &t->offset);
    case FRACTION:
        return take_fraction(s, p->trimmed ? 0 : p->digits, &t->nanoseconds);
    }
    return false;
}

/* A day that the month does not have is refused. */
static bool
settle(struct parsed *t)
{
    if (t->has_pm && t->pm && t->c.hour < 12)
        t->c.hour += 12;
    else if (t->has_pm && !t->pm && t->c.hour == 12)
        t->c.hour = 0;
    if (t->year_day >= 0) {
        if (t->year_day < 1 || t->year_day > 365 + calendar_is_leap(t->c.year))
            return false;
        t->c.month = 1;
        t->c.day = t->year_day;
        return true;
    }
    if (t->c.month < 0)
        t->c.month = 1;
    if (t->c.day < 0)
        t->c.day = 1;
    return t->c.day >= 1 &&
           t->c.day <= calendar_month_days(t->c.year, t->c.month);
}

bool
layout_parse(struct span layout, struct span text, int64_t *seconds,
             int64_t *nanoseconds, struct span *rest)
{
    struct parsed t = { .c = { .month = -1, .day = -1 }, .year_day = -1 };

    while (layout.len > 0) {
        struct piece p = piece_at(layout);

        *rest = text;
        if (!take_piece(&text, layout, &p, &t))
            return false;
        layout = span_sub(layout, p.len, layout.len);
    }
    *rest = text;
    if (text.len > 0 || !settle(&t))
        return false;
    *seconds = calendar_seconds(&t.c) - t.offset;
    *nanoseconds = t.nanoseconds;
    return true;
}
