/* What unpacks has the length its trailer says (RFC 1952 section 2.3.1), fits
 * under the ceiling it was given and no longer unpacks with its end cut off. */
#include "fuzz.h"

#include <string.h>

#include "base/limits.h"
#include "base/reader.h"
#include "codec/gzip.h"

enum { MEMBER_MIN = 18, TRAILER = 8 };

static enum assay_status
unpack(struct span packed, size_t limit, size_t *len)
{
    struct buffer out;
    enum assay_status st;

    buffer_init(&out, limit, NULL);
    st = gzip_decode(packed, &out, NULL);
    assert(out.len <= limit);
    *len = out.len;
    buffer_free(&out);
    return st;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span packed = span_of(data, size);
    struct reader trailer;
    size_t len, cut;

    if (unpack(packed, LIMIT_POLICY_BYTES, &len) != ASSAY_OK)
        return 0;
    assert(size >= MEMBER_MIN);
    trailer = reader_over(span_sub(packed, size - 4, 4));
    assert(rd_u32le(&trailer) == len);
    assert(unpack(span_sub(packed, 0, size - 1), LIMIT_POLICY_BYTES, &cut) ==
           ASSAY_ERR_MALFORMED);
    assert(unpack(span_sub(packed, 0, size - TRAILER), LIMIT_POLICY_BYTES,
                  &cut) == ASSAY_ERR_MALFORMED);
    if (len > 0)
        assert(unpack(packed, len - 1, &cut) == ASSAY_ERR_LIMIT);
    fuzz_success();
    return 0;
}
