/* Base64: what decodes, encodes back to exactly the same text. Our reader is
 * strict so that one value has one spelling. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len = base64_decoded_max(size);
    uint8_t *bytes = malloc(len ? len : 1);
    char *text = NULL;

    assert(bytes);
    if (base64_decode(span_of(data, size), bytes, &len)) {
        assert(base64_encoded_len(len) == size);
        text = malloc(size + 1);
        assert(text);
        base64_encode(span_of(bytes, len), text);
        assert(memcmp(text, data, size) == 0);
        fuzz_success();
    }
    free(text);
    free(bytes);
    return 0;
}
