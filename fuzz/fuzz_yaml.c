/* YAML turned into JSON is JSON by our own reader, which takes no key of an
 * object twice; and what cannot be turned leaves an error that says why. */
#include "fuzz.h"

#include "base/limits.h"
#include "codec/json.h"
#include "codec/yaml.h"

enum { MOST = 1024 * 1024 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct json_options opts = {
        /* "1" and 1 are two keys of YAML and one of JSON. */
        .duplicates = JSON_DUPLICATES_LAST_WINS,
    };
    struct assay_error err = { 0 };
    struct buffer out;
    struct arena arena;
    struct json v;

    buffer_init(&out, MOST, NULL);
    arena_init(&arena, (size_t)256 * MOST, NULL);
    if (yaml_to_json(span_of(data, size), "fuzz", &out, &err) != ASSAY_OK) {
        assert(err.text[0] != '\0');
    } else {
        assert(json_parse(buffer_span(&out), &opts, &arena, &v, NULL) ==
               ASSAY_OK);
        fuzz_success();
    }
    arena_drop(&arena);
    buffer_free(&out);
    return 0;
}
