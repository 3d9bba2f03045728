#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t
system_now(void *ctx)
{
    struct timespec ts;

    (void)ctx;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec;
}

static uint64_t
system_monotonic_ms(void *ctx)
{
    struct timespec ts;

    (void)ctx;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

const struct clock clock_system = { system_now, system_monotonic_ms, NULL };

static int64_t
standing_now(void *ctx)
{
    return *(const int64_t *)ctx;
}

static uint64_t
standing_monotonic_ms(void *ctx)
{
    (void)ctx;
    return 0;
}

struct clock
clock_at(int64_t *instant)
{
    return (struct clock){ standing_now, standing_monotonic_ms, instant };
}

int64_t
clock_now(const struct clock *c)
{
    return c->now(c->ctx);
}

uint64_t
clock_monotonic_ms(const struct clock *c)
{
    return c->monotonic_ms(c->ctx);
}

/* Counts days in years that begin in March, so that the leap day comes last
 * and the days before each month follow one linear formula. */
int64_t
civil_days(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year =
        (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

void
rfc3339_format(int64_t instant, char text[RFC3339_SIZE])
{
    time_t t = (time_t)instant;
    struct tm tm;

    if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099)
        (void)snprintf(text, RFC3339_SIZE, "(out of range)");
    else
        (void)snprintf(text, RFC3339_SIZE, "%04u-%02u-%02uT%02u:%02u:%02uZ",
                       (unsigned)(tm.tm_year + 1900) % 10000,
                       (unsigned)(tm.tm_mon + 1) % 100,
                       (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
                       (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

struct cursor {
    struct span rest;
    bool failed;
};

static int
take_digits(struct cursor *c, size_t n)
{
    int value = 0;

    for (size_t i = 0; i < n; i++) {
        if (c->rest.len <= i || c->rest.ptr[i] < '0' || c->rest.ptr[i] > '9') {
            c->failed = true;
            return 0;
        }
        value = value * 10 + (c->rest.ptr[i] - '0');
    }
    c->rest = span_sub(c->rest, n, c->rest.len - n);
    return value;
}

static bool
take_char(struct cursor *c, const char *any_of)
{
    if (c->rest.len == 0 || c->rest.ptr[0] == 0 ||
        !strchr(any_of, c->rest.ptr[0]))
        return false;
    c->rest = span_sub(c->rest, 1, c->rest.len - 1);
    return true;
}

static void
need_char(struct cursor *c, const char *any_of)
{
    if (!take_char(c, any_of))
        c->failed = true;
}

static int
month_days(int year, int month)
{
    static const int days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static int64_t
take_date(struct cursor *c)
{
    int year = take_digits(c, 4), month, day;

    need_char(c, "-");
    month = take_digits(c, 2);
    need_char(c, "-");
    day = take_digits(c, 2);
    if (c->failed || month < 1 || month > 12 || day < 1 ||
        day > month_days(year, month)) {
        c->failed = true;
        return 0;
    }
    return civil_days(year, month, day) * 86400;
}

static int64_t
take_time(struct cursor *c)
{
    int hour = take_digits(c, 2), minute, second;

    need_char(c, ":");
    minute = take_digits(c, 2);
    need_char(c, ":");
    second = take_digits(c, 2);
    if (hour > 23 || minute > 59 || second > 59)
        c->failed = true;
    if (take_char(c, ".")) {
        (void)take_digits(c, 1);
        while (take_char(c, "0123456789"))
            ;
    }
    return hour * 3600 + minute * 60 + second;
}

static int64_t
take_offset(struct cursor *c)
{
    int sign = 1, hour, minute;

    if (take_char(c, "Zz"))
        return 0;
    if (take_char(c, "-"))
        sign = -1;
    else
        need_char(c, "+");
    hour = take_digits(c, 2);
    need_char(c, ":");
    minute = take_digits(c, 2);
    if (hour > 23 || minute > 59)
        c->failed = true;
    return (int64_t)sign * (hour * 3600 + minute * 60);
}

enum assay_status
rfc3339_parse(struct span text, int64_t *instant, struct assay_error *err)
{
    struct cursor c = { .rest = text };
    int64_t value = take_date(&c);

    if (!c.failed && c.rest.len > 0) {
        need_char(&c, "Tt");
        value += take_time(&c);
        value -= take_offset(&c);
    }
    if (c.failed || c.rest.len > 0)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "time \"%.*s\": want RFC 3339, as in "
                          "2026-11-23T12:00:00Z",
                          (int)(text.len < 40 ? text.len : 40),
                          (const char *)text.ptr);
    *instant = value;
    return ASSAY_OK;
}
