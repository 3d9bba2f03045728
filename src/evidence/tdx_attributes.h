/* The words of a TD report, bit by bit. Intel TDX Module Base Architecture
 * Specification, "TD Attributes" and "XFAM". */
#ifndef ASSAY_EVIDENCE_TDX_ATTRIBUTES_H
#define ASSAY_EVIDENCE_TDX_ATTRIBUTES_H

#include "base/buffer.h"

#define TDX_ATTR_DEBUG (UINT64_C(1) << 0)
#define TDX_ATTR_TUD UINT64_C(0xff) /* any: the host can look inside */
#define TDX_ATTR_SEPT_VE_DISABLE (UINT64_C(1) << 28)
#define TDX_ATTR_MIGRATABLE (UINT64_C(1) << 29)
#define TDX_ATTR_PKS (UINT64_C(1) << 30)
#define TDX_ATTR_KL (UINT64_C(1) << 31)
#define TDX_ATTR_PERFMON (UINT64_C(1) << 63)

/* Bits that have no meaning and must be 0. */
uint64_t tdx_attributes_reserved(uint64_t attributes);

#define TDX_XFAM_FIXED1 UINT64_C(0x3) /* x87 and SSE are always on */
#define TDX_XFAM_CET UINT64_C(0x1800) /* CET_U and CET_S */
/* Bits that are 1 and may not be, or are 0 and must be 1. */
uint64_t tdx_xfam_invalid(uint64_t xfam);

/* Appends the names of the bits that are set, "DEBUG SEPT_VE_DISABLE bit40",
 * or "none". */
void tdx_attributes_describe(uint64_t attributes, struct buffer *out);
void tdx_xfam_describe(uint64_t xfam, struct buffer *out);

/* The word of 8 bytes as they are in a report. */
uint64_t tdx_word(const uint8_t bytes[8]);

#endif
