/* Time as a parameter: production reads the system, tests say what it is.
 *
 * Instants are seconds since 1970-01-01 UTC; durations for deadlines are
 * milliseconds of a clock that never goes back. */
#ifndef ASSAY_BASE_CLOCK_H
#define ASSAY_BASE_CLOCK_H

#include "base/error.h"

struct clock {
    int64_t (*now)(void *ctx); /* seconds since 1970, UTC */
    uint64_t (*monotonic_ms)(void *ctx);
    void *ctx;
};

extern const struct clock clock_system;

/* A clock that stands at *instant, whatever that comes to be. Its monotonic
 * time stands at 0. *instant is borrowed. */
struct clock clock_at(int64_t *instant);

int64_t clock_now(const struct clock *c);
uint64_t clock_monotonic_ms(const struct clock *c);

enum { RFC3339_SIZE = 21 }; /* "2026-11-23T12:00:00Z" and a NUL */

/* Years 0000 to 9999; outside that range the text is "(out of range)". */
void rfc3339_format(int64_t instant, char text[RFC3339_SIZE]);

/* RFC 3339 section 5.6 with "T" and "Z" or a numeric offset, fractions of a
 * second accepted and dropped; a bare date means its first second, UTC. */
ASSAY_MUST_CHECK
enum assay_status rfc3339_parse(struct span text, int64_t *instant,
                                struct assay_error *err);

/* Days since 1970-01-01 of a proleptic Gregorian date. */
int64_t civil_days(int64_t year, int month, int day);

#endif
