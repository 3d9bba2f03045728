#include "codec/gzip.h"

#define ZLIB_CONST /* input is not written to */
#include <zlib.h>

#include "base/num.h"

enum { GZIP_ONLY = 16 + MAX_WBITS, CHUNK = 16384 };

static enum assay_status
inflate_all(z_stream *z, struct buffer *out, struct assay_error *err)
{
    uint8_t chunk[CHUNK];
    int rc = Z_OK;

    while (rc == Z_OK && !out->failed) {
        z->next_out = chunk;
        z->avail_out = sizeof(chunk);
        rc = inflate(z, Z_NO_FLUSH);
        buffer_add(out, span_of(chunk, sizeof(chunk) - z->avail_out));
    }
    if (out->failed)
        return buffer_check(out, "gzip content", err);
    if (rc == Z_MEM_ERROR)
        return assay_nomem(err, "gzip");
    if (rc != Z_STREAM_END)
        return assay_fail(err, ASSAY_ERR_MALFORMED, "gzip: %s",
                          z->msg ? z->msg : "cut short");
    if (z->avail_in != 0)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "gzip: %u bytes behind the end", z->avail_in);
    return ASSAY_OK;
}

enum assay_status
gzip_decode(struct span packed, struct buffer *out, struct assay_error *err)
{
    z_stream z = { 0 };
    enum assay_status st;
    int len;

    if (!size_to_int(packed.len, &len))
        return assay_fail(err, ASSAY_ERR_LIMIT, "gzip: %zu bytes", packed.len);
    if (inflateInit2(&z, GZIP_ONLY) != Z_OK)
        return assay_nomem(err, "gzip");
    z.next_in = packed.ptr;
    z.avail_in = (unsigned)len;
    st = inflate_all(&z, out, err);
    (void)inflateEnd(&z);
    return st;
}
