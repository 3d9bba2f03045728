/* What the firmware computes while it launches a guest.
 *
 * Apart from the library's verifier on purpose, like report.h. Sources: AMD
 * 56860 (PAGE_INFO, ID block), contrast-interop sections 7.3 and 7.4. */
#ifndef ASSAY_SIM_LAUNCH_H
#define ASSAY_SIM_LAUNCH_H

#include "sim/report.h"

enum { LAUNCH_VCPUS_MAX = 220 };

/* Adds the VMSA pages of vcpus - 1 application processors, which start at eip
 * and carry QEMU's CPU signature for the product, to the launch digest. */
ASSAY_MUST_CHECK
enum assay_status launch_add_vcpus(struct report_facts *facts, unsigned vcpus,
                                   uint32_t eip, struct assay_error *err);

/* Sets ID_KEY_DIGEST to that of the anonymous ID block over the launch: the
 * key under which the constant signature (2, 1) of the block is valid. */
ASSAY_MUST_CHECK
enum assay_status launch_set_id_key(struct report_facts *facts,
                                    struct assay_error *err);

#endif
