/* TDX evidence on the wire: protobuf tdx.QuoteV4 (contrast-interop section
 * 2.2).
 *
 * Signatures cover the quote's bytes, so the conversion is exact or refused:
 * fields of wrong length, and sizes that do not add up, are malformed. What
 * came behind the quote (extra_bytes, a trailer of collateral) is the sender's
 * word alone and is ignored. */
#ifndef ASSAY_EVIDENCE_TDX_PROTO_H
#define ASSAY_EVIDENCE_TDX_PROTO_H

#include "base/arena.h"
#include "evidence/tdx_quote.h"

/* Decode to the bytes of the quote, which are put in the arena.
 *
 * ASSAY_ERR_MALFORMED    not protobuf of this message, or a field is wrong
 * ASSAY_ERR_UNSUPPORTED  anything but version 4, TDX, ECDSA P-256 and a PCK
 *                        chain
 * ASSAY_ERR_LIMIT        more than LIMIT_EVIDENCE_BYTES
 * ASSAY_ERR_NOMEM */
ASSAY_MUST_CHECK
enum assay_status tdx_evidence_decode(struct span bytes, struct arena *arena,
                                      struct span *quote,
                                      struct assay_error *err);

/* Appends the protobuf form of a quote to *out. Padding behind it is left
 * out.
 *
 * As tdx_quote_decode(), and ASSAY_ERR_UNSUPPORTED for a quote that the
 * message has no room for. */
ASSAY_MUST_CHECK
enum assay_status tdx_evidence_encode(struct span quote, struct buffer *out,
                                      struct assay_error *err);

#endif
