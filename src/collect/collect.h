/* Asking the processor for a report: the one entry point.
 *
 * The kernel's configfs-tsm is asked first, /dev/sev-guest when there is none
 * (sev-snp.md section 5). Both paths are options, because the simulator
 * stands below the kernel's interface and this code cannot tell it apart.
 *
 * What comes back is bytes of the untrusted host and the firmware: decode and
 * verify before believing any of it. */
#ifndef ASSAY_COLLECT_COLLECT_H
#define ASSAY_COLLECT_COLLECT_H

#include "base/arena.h"
#include "base/error.h"
#include "base/random.h"

enum {
    COLLECT_REPORT_DATA_SIZE = 64,
    COLLECT_PROVIDER_SIZE = 32, /* "sev_guest", "tdx_guest", ... with a NUL */
};

/* The level the kernel itself runs at: what privlevel_floor says. */
#define COLLECT_VMPL_DEFAULT UINT32_MAX

struct collect_config {
    /* A configfs-tsm report directory, or a unix socket that speaks the
     * simulator's protocol (tsm_socket.h). NULL: the kernel's directory. */
    const char *tsm_path;
    /* NULL: /dev/sev-guest. "": no device is tried. */
    const char *sev_guest_path;
    const struct random_source *random; /* names of entries */
    /* Pauses between attempts; NULL sleeps. */
    void (*pause_ms)(void *ctx, unsigned ms);
    void *pause_ctx;
};

struct collected {
    struct span outblob; /* the report, in the arena */
    struct span auxblob; /* certificate table of the host, may be empty */
    char provider[COLLECT_PROVIDER_SIZE];
};

/* Gets one fresh report over report_data. Blocks: milliseconds usually, up to
 * a minute when the host throttles.
 *
 *   vmpl   0 to 3, or COLLECT_VMPL_DEFAULT
 *   arena  owns what *out points to
 *
 * ASSAY_ERR_UNSUPPORTED  no interface on this machine, or a level the kernel
 *                        refuses; asking again will not help
 * ASSAY_ERR_IO           the interface failed after the retries it deserves
 * ASSAY_ERR_LIMIT        a blob above its ceiling
 * ASSAY_ERR_MALFORMED    an answer that is not what was asked for */
ASSAY_MUST_CHECK
enum assay_status
collect_report(const struct collect_config *cfg,
               const uint8_t report_data[COLLECT_REPORT_DATA_SIZE],
               uint32_t vmpl, struct arena *arena, struct collected *out,
               struct assay_error *err);

/* Sleeps as cfg says. */
void collect_pause(const struct collect_config *cfg, unsigned ms);

#endif
