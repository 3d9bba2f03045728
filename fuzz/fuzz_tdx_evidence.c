/* Protobuf evidence of TDX: the quote that comes out is well formed as far as
 * its lengths go, goes back in and comes out the same. */
#include "fuzz.h"

#include "base/limits.h"
#include "evidence/tdx_proto.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span quote, back;
    struct tdx_quote q;
    struct arena arena;
    struct buffer out;

    arena_init(&arena, 1 << 22, NULL);
    buffer_init(&out, LIMIT_EVIDENCE_BYTES, NULL);
    if (tdx_evidence_decode(span_of(data, size), &arena, &quote, NULL) ==
            ASSAY_OK &&
        tdx_quote_decode(quote, &q, NULL) == ASSAY_OK) {
        assert(q.version == 4 && q.tee == QUOTE_TEE_TDX);
        assert(q.trailing.len == 0);
        assert(tdx_evidence_encode(quote, &out, NULL) == ASSAY_OK);
        assert(tdx_evidence_decode(buffer_span(&out), &arena, &back, NULL) ==
               ASSAY_OK);
        assert(span_equal(quote, back));
        fuzz_success();
    }
    buffer_free(&out);
    arena_drop(&arena);
    return 0;
}
