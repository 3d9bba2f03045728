/* SGX extension of PCK certificates: what decodes says the same once encoded
 * and decoded again. */
#include "fuzz.h"

#include <string.h>

#include "evidence/sgx_pck.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sgx_pck pck, again;
    struct buffer back;

    memset(&pck, 0, sizeof(pck));
    memset(&again, 0, sizeof(again));
    if (sgx_pck_decode(span_of(data, size), &pck, NULL) != ASSAY_OK)
        return 0;
    buffer_init(&back, 4096, NULL);
    sgx_pck_encode(&pck, &back);
    assert(!back.failed);
    assert(sgx_pck_decode(buffer_span(&back), &again, NULL) == ASSAY_OK);
    assert(memcmp(&pck, &again, sizeof(pck)) == 0);
    buffer_free(&back);
    fuzz_success();
    return 0;
}
