/* Time zones: how far local time is from UTC at an instant. Rules come from
 * the system's time zone database in TZif form (RFC 8536). */
#ifndef ASSAY_REGO_ZONE_H
#define ASSAY_REGO_ZONE_H

#include "base/error.h"

struct zone_time {
    int32_t offset; /* seconds east of UTC */
    char name[16];  /* abbreviation: "CET" */
};

/* What holds in a zone ("Europe/Berlin"; "" and "UTC" need no database) at an
 * instant in seconds since 1970.
 *
 * ASSAY_ERR_NOT_FOUND  no such zone, or no database
 * ASSAY_ERR_MALFORMED  its file is damaged
 * ASSAY_ERR_NOMEM */
ASSAY_MUST_CHECK
enum assay_status zone_at(struct span zone, int64_t seconds,
                          struct zone_time *out);

/* The instant when clocks in the zone show this local time (in seconds since
 * 1970 as if it were UTC); of two, or of none, what the reference chooses. */
ASSAY_MUST_CHECK
enum assay_status zone_instant(struct span zone, int64_t local,
                               int64_t *seconds);

/* From the bytes of a TZif file, for tests and fuzzing. */
ASSAY_MUST_CHECK
enum assay_status zone_decode_at(struct span file, int64_t seconds,
                                 struct zone_time *out);

#endif
