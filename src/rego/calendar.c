#include "rego/calendar.h"

enum { DAY = 86400 };

bool
calendar_is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int
calendar_month_days(int64_t year, int month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30,
                                    31, 31, 30, 31, 30, 31 };

    return days[month - 1] + (month == 2 && calendar_is_leap(year));
}

static int64_t
divide_down(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Years begin in March here, so that the leap day is the last. */
int64_t
calendar_days(int64_t year, int month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t m = month <= 2 ? month + 9 : month - 3;

    return 365 * y + divide_down(y, 4) - divide_down(y, 100) +
           divide_down(y, 400) + (153 * m + 2) / 5 + day - 719469;
}

int
calendar_weekday(int64_t days)
{
    int64_t d = (days + 4) % 7; /* 1 January 1970 was a Thursday */

    return (int)(d < 0 ? d + 7 : d);
}

struct calendar
calendar_of(int64_t seconds)
{
    int64_t days = divide_down(seconds, DAY);
    int rest = (int)(seconds - days * DAY);
    struct calendar c = { .hour = rest / 3600,
                          .minute = rest / 60 % 60,
                          .second = rest % 60,
                          .weekday = calendar_weekday(days) };

    /* Never too late by more than one, nor too early. */
    c.year = 1970 + divide_down(days * 400, 146097);
    while (calendar_days(c.year, 1, 1) > days)
        c.year--;
    while (calendar_days(c.year + 1, 1, 1) <= days)
        c.year++;
    c.year_day = (int)(days - calendar_days(c.year, 1, 1)) + 1;
    c.day = c.year_day;
    for (c.month = 1; c.day > calendar_month_days(c.year, c.month); c.month++)
        c.day -= calendar_month_days(c.year, c.month);
    return c;
}

int64_t
calendar_seconds(const struct calendar *c)
{
    return calendar_days(c->year, c->month, c->day) * DAY +
           c->hour * INT64_C(3600) + c->minute * INT64_C(60) + c->second;
}
