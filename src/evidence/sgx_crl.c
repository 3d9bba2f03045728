#include "evidence/sgx_crl.h"

#include "base/hex.h"
#include "base/limits.h"
#include "codec/pem.h"
#include "crypto/der.h"

static enum assay_status
crl_from_pem(struct span text, struct buffer *der, struct assay_error *err)
{
    struct pem_block block;
    enum assay_status st = pem_next(&text, &block, err);

    if (st != ASSAY_OK)
        return st;
    if (!pem_is(&block, "X509 CRL"))
        return assay_fail(err, ASSAY_ERR_MALFORMED, "PEM of something else");
    return pem_decode(&block, der, err);
}

static enum assay_status
crl_from_hex(struct span text, struct buffer *der, struct assay_error *err)
{
    while (text.len > 0 &&
           (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\0'))
        text.len--;
    for (size_t i = 0; i + 2 <= text.len; i += 2) {
        uint8_t byte;

        if (!hex_decode(span_sub(text, i, 2), &byte, 1))
            break;
        buffer_add(der, span_of(&byte, 1));
    }
    if (der->len == 0 || 2 * der->len != text.len)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "neither DER nor PEM nor hex");
    return buffer_check(der, "CRL", err);
}

enum assay_status
sgx_crl_read(struct span bytes, struct crl **out, struct assay_error *err)
{
    static const char pem_mark[] = "-----BEGIN";
    struct buffer der;
    enum assay_status st = ASSAY_OK;

    if (bytes.len > 0 && bytes.ptr[0] == DER_SEQUENCE)
        return crl_parse(bytes, out, err);
    buffer_init(&der, LIMIT_CRL_BYTES, NULL);
    if (span_equal_str(span_sub(bytes, 0, sizeof(pem_mark) - 1), pem_mark))
        st = crl_from_pem(bytes, &der, err);
    else
        st = crl_from_hex(bytes, &der, err);
    if (st == ASSAY_OK)
        st = crl_parse(buffer_span(&der), out, err);
    buffer_free(&der);
    return st;
}
