/* PEM: what decodes, encodes and decodes to the same bytes again. */
#include "fuzz.h"

#include <string.h>

#include "base/limits.h"
#include "codec/pem.h"

static void
check_block(const struct pem_block *block)
{
    struct buffer bytes, text, again;
    struct pem_block second;
    struct span rest;

    buffer_init(&bytes, LIMIT_CRL_BYTES, NULL);
    buffer_init(&text, 4 * LIMIT_CRL_BYTES, NULL);
    buffer_init(&again, LIMIT_CRL_BYTES, NULL);
    if (pem_decode(block, &bytes, NULL) == ASSAY_OK) {
        assert(pem_encode("X", buffer_span(&bytes), &text, NULL) == ASSAY_OK);
        rest = buffer_span(&text);
        assert(pem_next(&rest, &second, NULL) == ASSAY_OK);
        assert(pem_decode(&second, &again, NULL) == ASSAY_OK);
        assert(span_equal(buffer_span(&bytes), buffer_span(&again)));
        assert(rest.len == 0);
        fuzz_success();
    }
    buffer_free(&bytes);
    buffer_free(&text);
    buffer_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_of(data, size);
    struct pem_block block;

    while (pem_next(&rest, &block, NULL) == ASSAY_OK) {
        assert(block.base64.ptr >= data);
        assert(block.base64.ptr + block.base64.len <= data + size);
        check_block(&block);
    }
    return 0;
}
