/* Certificates and CRLs: what parses is DER to its last byte and says only
 * things that lie inside it; asking it anything is safe. */
#include "fuzz.h"

#include <string.h>

#include <openssl/err.h>

#include "crypto/crl.h"
#include "crypto/der.h"

static void
check_cert(const struct cert *cert, struct span input)
{
    assert(span_equal(cert_der(cert), input));
    assert(der_is_strict(input));
    assert(cert_serial(cert).len > 0);
    assert(strlen(cert_common_name(cert)) < input.len);
    for (size_t i = 0; i < cert_extension_count(cert); i++) {
        struct cert_extension ext = cert_extension_at(cert, i), found;

        assert(cert_extension_get(cert, ext.oid, &found));
        assert(found.value.ptr == ext.value.ptr); /* none twice */
    }
    if (cert_verify_signature(cert, cert_key(cert), NULL) == ASSAY_OK)
        assert(cert_signature(cert)->alg != SIGNATURE_OTHER);
}

static void
check_crl(const struct crl *crl, struct span input)
{
    assert(span_equal(crl_der(crl), input));
    assert(der_is_strict(input));
    for (size_t i = 0; i < crl_entry_count(crl); i++)
        assert(crl_is_revoked(crl, crl_entry_at(crl, i).serial));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    struct cert *cert = NULL;
    struct crl *crl = NULL;

    if (cert_parse(input, &cert, NULL) == ASSAY_OK) {
        check_cert(cert, input);
        fuzz_success();
    }
    if (crl_parse(input, &crl, NULL) == ASSAY_OK) {
        check_crl(crl, input);
        fuzz_success();
    }
    assert(ERR_peek_error() == 0);
    cert_free(cert);
    crl_free(crl);
    return 0;
}
