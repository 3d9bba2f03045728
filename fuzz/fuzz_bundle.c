/* Collateral bundles: what decodes, encodes to bytes that decode to the same
 * items, and encode to the same bytes again. */
#include "fuzz.h"

#include <string.h>

#include "collect/bundle.h"

enum { BUDGET = 16 * 1024 * 1024 };

static void
encode(const struct collateral_item *items, size_t count, struct buffer *out)
{
    buffer_init(out, LIMIT_BUNDLE_BYTES, NULL);
    assert(collateral_encode(items, count, out, NULL) == ASSAY_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct collateral_item *items, *again;
    size_t count, count_again;
    struct arena arena;
    struct buffer one, two;

    arena_init(&arena, BUDGET, NULL);
    if (collateral_decode(span_of(data, size), &arena, &items, &count, NULL) ==
        ASSAY_OK) {
        encode(items, count, &one);
        assert(collateral_decode(buffer_span(&one), &arena, &again,
                                 &count_again, NULL) == ASSAY_OK);
        assert(count_again == count);
        encode(again, count_again, &two);
        assert(span_equal(buffer_span(&one), buffer_span(&two)));
        for (size_t i = 0; i < count; i++)
            assert(strcmp(items[i].path.text, again[i].path.text) == 0 &&
                   span_equal(items[i].bytes, again[i].bytes));
        buffer_free(&one);
        buffer_free(&two);
        fuzz_success();
    }
    arena_drop(&arena);
    return 0;
}
