/* Reports through /dev/sev-guest (Linux Documentation/virt/coco/sev-guest;
 * sev-snp.md sections 5.1 and 5.3).
 *
 * The guest's message counter is shared and a failed exchange can disable the
 * key until reboot, so requests are serialised with a lock on the device. */
#ifndef ASSAY_COLLECT_SEV_GUEST_H
#define ASSAY_COLLECT_SEV_GUEST_H

#include "collect/collect.h"

#define SEV_GUEST_PATH "/dev/sev-guest"

/* _IOWR('S', n, 32 bytes) */
#define SEV_GUEST_IOCTL_REPORT 0xC0205300ul
#define SEV_GUEST_IOCTL_EXT_REPORT 0xC0205302ul

/* The kernel's side of the ioctl: a parameter, so that a test can be the
 * kernel. Returns 0, or an errno. */
struct sev_guest_kernel {
    int (*ioctl)(void *ctx, unsigned long request, void *arg);
    void *ctx;
};

/* True when path is there and is a character device. */
bool sev_guest_present(const char *path);

/* Opens path, takes the lock and asks; statuses as for collect_report. */
ASSAY_MUST_CHECK
enum assay_status
sev_guest_report(const char *path,
                 const uint8_t report_data[COLLECT_REPORT_DATA_SIZE],
                 uint32_t vmpl, struct arena *arena, struct collected *out,
                 struct assay_error *err);

/* The exchange itself: an extended request with the certificate table; the
 * plain one when the host's table cannot be had. COLLECT_VMPL_DEFAULT is 0. */
ASSAY_MUST_CHECK
enum assay_status
sev_guest_exchange(const struct sev_guest_kernel *kernel,
                   const uint8_t report_data[COLLECT_REPORT_DATA_SIZE],
                   uint32_t vmpl, struct arena *arena, struct collected *out,
                   struct assay_error *err);

/* What a firmware status means, "unknown firmware status" for the others. */
const char *sev_guest_fw_error_name(uint32_t fw_error);

#endif
