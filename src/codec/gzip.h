/* gzip (RFC 1952), unpacked with a ceiling. */
#ifndef ASSAY_CODEC_GZIP_H
#define ASSAY_CODEC_GZIP_H

#include "base/buffer.h"

/* Appends the content of exactly one gzip member, with its checksum verified.
 *
 * ASSAY_ERR_MALFORMED  not gzip, cut short, a wrong checksum, bytes behind it
 * ASSAY_ERR_LIMIT      more than the limit of *out */
ASSAY_MUST_CHECK
enum assay_status gzip_decode(struct span packed, struct buffer *out,
                              struct assay_error *err);

#endif
