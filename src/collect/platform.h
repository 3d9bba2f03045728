/* Which trusted execution environment this guest runs in. */
#ifndef ASSAY_COLLECT_PLATFORM_H
#define ASSAY_COLLECT_PLATFORM_H

#include "collect/collect.h"

enum platform_tee {
    PLATFORM_NONE = 0,
    PLATFORM_SNP, /* AMD SEV-SNP */
    PLATFORM_TDX, /* Intel TDX */
};

/* Lower-case name: "none", "snp", "tdx". */
const char *platform_tee_name(enum platform_tee tee);

struct platform {
    enum platform_tee tee;
    char how[320]; /* what the answer rests on, or what to do next */
};

/* Asks, in this order: the provider of configfs-tsm (or of the simulator's
 * socket), the guest devices, then the processor's flags. Only the first two
 * can give a report; flags alone yield PLATFORM_NONE and a `how` that says
 * which module is missing (contrast-interop.md section 2.4).
 *
 *   cpuinfo_path  NULL: /proc/cpuinfo
 *
 * Never fails: what cannot be found out is PLATFORM_NONE with the reason. */
void platform_detect(const struct collect_config *cfg, const char *cpuinfo_path,
                     struct platform *out);

/* CPUID function 1, EAX without the bits that are no part of family, model
 * and stepping; 0 where the processor cannot say. */
uint32_t platform_cpuid_fms(void);

#endif
