/* JSON: what parses is written, parses again, and is then written the same. */
#include "fuzz.h"

#include <string.h>

#include "codec/json.h"

enum { BUDGET = 16 * 1024 * 1024 };

static void
write_again(const struct json *value, struct buffer *out)
{
    struct json_writer w = json_writer_over(out, 0);

    jw_value(&w, value);
    assert(!out->failed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct buffer first, second;
    struct json value;

    arena_init(&arena, BUDGET, NULL);
    buffer_init(&first, BUDGET, NULL);
    buffer_init(&second, BUDGET, NULL);
    if (json_parse(span_of(data, size), NULL, &arena, &value, NULL) ==
        ASSAY_OK) {
        write_again(&value, &first);
        assert(json_parse(buffer_span(&first), NULL, &arena, &value, NULL) ==
               ASSAY_OK);
        write_again(&value, &second);
        assert(span_equal(buffer_span(&first), buffer_span(&second)));
        fuzz_success();
    }
    buffer_free(&second);
    buffer_free(&first);
    arena_drop(&arena);
    return 0;
}
