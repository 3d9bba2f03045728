/* aTLS nonces: a hello that is accepted carries one nonce, which survives the
 * trip through every place a nonce is written to. The input is the length of
 * the ALPN extension in one byte, that extension, and the SNI extension. */
#include "fuzz.h"

#include <string.h>

#include "atls/nonce.h"
#include "base/reader.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader rd = reader_over(span_of(data, size));
    struct span alpn = rd_span(&rd, rd_u8(&rd));
    uint8_t nonce[ATLS_NONCE_SIZE], again[ATLS_NONCE_SIZE];
    uint8_t name[ATLS_CA_NAME_SIZE];

    if (atls_ca_name_decode(span_of(data, size), nonce, NULL) == ASSAY_OK)
        fuzz_success();
    if (!rd_ok(&rd) || atls_hello_nonce(alpn, rd.rest, nonce, NULL) != ASSAY_OK)
        return 0;
    atls_ca_name_encode(nonce, name);
    assert(atls_ca_name_decode(span_of(name, sizeof(name)), again, NULL) ==
           ASSAY_OK);
    assert(memcmp(nonce, again, sizeof(nonce)) == 0);
    fuzz_success();
    return 0;
}
