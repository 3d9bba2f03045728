/* Layouts that show the reference time, Mon Jan 2 15:04:05 MST 2006, as it
 * should be written. */
#ifndef ASSAY_REGO_BUILTINS_LAYOUT_H
#define ASSAY_REGO_BUILTINS_LAYOUT_H

#include "base/buffer.h"
#include "rego/calendar.h"
#include "rego/zone.h"

/* A layout by name ("RFC3339", "ANSIC", ...), or the text itself. */
struct span layout_named(struct span layout);

struct layout_time {
    struct calendar local;
    int64_t nanoseconds;
    struct zone_time zone;
};

void layout_format(struct buffer *out, struct span layout,
                   const struct layout_time *t);

/* Reads text; *seconds since 1970 and *nanoseconds (0 to 999,999,999) are
 * written on true. On false *rest is what did not fit. */
bool layout_parse(struct span layout, struct span text, int64_t *seconds,
                  int64_t *nanoseconds, struct span *rest);

#endif
