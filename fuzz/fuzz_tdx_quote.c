/* Quotes: what decodes encodes back to the same bytes, whatever follows them,
 * and every claim can be made of it. */
#include "fuzz.h"

#include <string.h>

#include "evidence/tdx_verify.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdx_quote q;
    struct claims claims;
    struct buffer back;
    struct arena arena;

    if (tdx_quote_decode(span_of(data, size), &q, NULL) != ASSAY_OK)
        return 0;
    buffer_init(&back, size + 1, NULL);
    tdx_quote_encode(&q, &back);
    assert(!back.failed && back.len + q.trailing.len == size);
    assert(memcmp(back.ptr, data, back.len) == 0);
    assert(q.signed_part.len < back.len);
    buffer_free(&back);
    arena_init(&arena, 4 << 20, NULL);
    assert(size > 1 << 20 ||
           tdx_quote_claims(&q, NULL, &arena, &claims, NULL) == ASSAY_OK);
    arena_drop(&arena);
    fuzz_success();
    return 0;
}
