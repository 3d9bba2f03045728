/* JSON: a value that was read is written and read again as the same value,
 * and the second text is the same as the first. */
#include "fuzz.h"

#include <string.h>

#include "rego/json.h"

static bool
read_value(struct arena *a, struct span text, struct value *out)
{
    struct assay_error err;

    return value_from_json(text, NULL, a, out, &err) == ASSAY_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer first, second;
    struct value v, again;
    struct arena a;

    arena_init(&a, 64 * 1024 * 1024, NULL);
    buffer_init(&first, 64 * 1024 * 1024, NULL);
    buffer_init(&second, 64 * 1024 * 1024, NULL);
    if (read_value(&a, span_of(data, size), &v)) {
        value_write_json(&first, v, VALUE_JSON_HTML);
        assert(!first.failed);
        assert(read_value(&a, buffer_span(&first), &again));
        assert(value_equal(v, again) && value_compare(v, again) == 0);
        assert(value_hash(v) == value_hash(again));
        value_write_json(&second, again, VALUE_JSON_HTML);
        assert(span_equal(buffer_span(&first), buffer_span(&second)));
        fuzz_success();
    }
    buffer_free(&first);
    buffer_free(&second);
    arena_drop(&a);
    return 0;
}
