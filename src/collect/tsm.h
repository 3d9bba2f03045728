/* Reports through configfs-tsm (Linux Documentation/ABI/testing/configfs-tsm;
 * sev-snp.md section 5.2).
 *
 * Every request makes its own entry, so that nobody else writes to it, and
 * removes it on every path out. A write to inblob is handed over at close and
 * its error is lost: only the generation number proves that it was taken. */
#ifndef ASSAY_COLLECT_TSM_H
#define ASSAY_COLLECT_TSM_H

#include "collect/collect.h"

#define TSM_REPORT_PATH "/sys/kernel/config/tsm/report"

/* True when path is there and is a directory. */
bool tsm_present(const char *path);

/* One report; statuses as for collect_report. path is the directory that
 * holds the entries. */
ASSAY_MUST_CHECK
enum assay_status
tsm_report(const struct collect_config *cfg, const char *path,
           const uint8_t report_data[COLLECT_REPORT_DATA_SIZE], uint32_t vmpl,
           struct arena *arena, struct collected *out, struct assay_error *err);

/* Who would answer: makes an entry, reads its provider, removes it. */
ASSAY_MUST_CHECK
enum assay_status tsm_provider(const struct collect_config *cfg,
                               const char *path,
                               char provider[COLLECT_PROVIDER_SIZE],
                               struct assay_error *err);

#endif
