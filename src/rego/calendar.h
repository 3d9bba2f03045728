/* The proleptic Gregorian calendar, without time zones. */
#ifndef ASSAY_REGO_CALENDAR_H
#define ASSAY_REGO_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

struct calendar {
    int64_t year;
    int month; /* 1 to 12 */
    int day;   /* 1 to 31 */
    int hour, minute, second;
    int weekday;  /* 0 is Sunday */
    int year_day; /* 1 to 366 */
};

bool calendar_is_leap(int64_t year);
int calendar_month_days(int64_t year, int month);

/* Days since 1 January 1970; month 1 to 12, day any. */
int64_t calendar_days(int64_t year, int month, int64_t day);
int calendar_weekday(int64_t days); /* since 1970; 0 is Sunday */

/* From seconds since 1970, and back. */
struct calendar calendar_of(int64_t seconds);
int64_t calendar_seconds(const struct calendar *c);

#endif
