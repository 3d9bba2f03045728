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

    if (sgx_pck_decode(span_of(data, size), &pck, NULL) != ASSAY_OK)
        return 0;
    buffer_init(&back, 4096, NULL);
    sgx_pck_encode(&pck, &back);
    assert(!back.failed);
    assert(sgx_pck_decode(buffer_span(&back), &again, NULL) == ASSAY_OK);
    assert(memcmp(pck.comp_svn, again.comp_svn, SGX_COMPONENTS) == 0);
    assert(memcmp(pck.fmspc, again.fmspc, SGX_FMSPC_SIZE) == 0);
    assert(pck.pce_svn == again.pce_svn && pck.sgx_type == again.sgx_type);
    assert(pck.has_configuration == again.has_configuration);
    assert(pck.smt_enabled == again.smt_enabled);
    buffer_free(&back);
    fuzz_success();
    return 0;
}
