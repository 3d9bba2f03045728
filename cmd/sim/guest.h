/* From the texts of the command line to a processor and its guest. */
#ifndef ASSAY_SIM_GUEST_H
#define ASSAY_SIM_GUEST_H

#include "sim/options.h"
#include "sim/processor.h"

/* Borrows from options. ASSAY_ERR_MALFORMED names option and fault. */
ASSAY_MUST_CHECK
enum assay_status guest_settings(const struct options *options,
                                 struct processor_settings *out,
                                 struct assay_error *err);

/* --product, or Milan. */
ASSAY_MUST_CHECK
enum assay_status guest_product(const struct options *options,
                                const struct product **out,
                                struct assay_error *err);

/* --now, or the clock. */
ASSAY_MUST_CHECK
enum assay_status guest_now(const struct options *options, int64_t *out,
                            struct assay_error *err);

/* A decimal option, 0 to max; fallback when it was not given. */
ASSAY_MUST_CHECK
enum assay_status guest_number(const struct options *options,
                               enum option option, unsigned long max,
                               unsigned long fallback, unsigned long *out,
                               struct assay_error *err);

/* Up to len bytes of hex, zeros behind them. Zeros alone when not given. */
ASSAY_MUST_CHECK
enum assay_status guest_hex_padded(const char *name, const char *text,
                                   uint8_t *out, size_t len,
                                   struct assay_error *err);

#endif
