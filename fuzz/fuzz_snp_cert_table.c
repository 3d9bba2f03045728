/* Certificate table: every entry lies inside the input, and what was read
 * comes back from a table of our own. */
#include "fuzz.h"

#include "base/limits.h"
#include "evidence/snp_certs.h"

static void
inside(struct span part, const uint8_t *data, size_t size)
{
    assert(part.len == 0 || (part.ptr >= data && part.len <= size &&
                             (size_t)(part.ptr - data) <= size - part.len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct snp_cert_table t, back;
    struct buffer out;

    if (snp_cert_table_decode(span_of(data, size), &t, NULL) != ASSAY_OK)
        return 0;
    inside(t.vcek, data, size);
    inside(t.vlek, data, size);
    inside(t.ask, data, size);
    inside(t.ark, data, size);
    inside(t.crl, data, size);
    buffer_init(&out, LIMIT_CERT_TABLE_BYTES, NULL);
    /* Entries may overlap, so that together they do not fit any more. */
    if (snp_cert_table_encode(&t, &out, NULL) == ASSAY_OK) {
        assert(snp_cert_table_decode(buffer_span(&out), &back, NULL) ==
               ASSAY_OK);
        assert(span_equal(t.vcek, back.vcek) && span_equal(t.vlek, back.vlek));
        assert(span_equal(t.ask, back.ask) && span_equal(t.ark, back.ark));
        assert(span_equal(t.crl, back.crl));
        fuzz_success();
    }
    buffer_free(&out);
    return 0;
}
