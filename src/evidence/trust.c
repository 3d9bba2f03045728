#include "evidence/trust.h"

#include <string.h>

#include "base/limits.h"
#include "codec/pem.h"
#include "crypto/digest.h"
#include "crypto/x509.h"
#include "evidence/snp_certs.h"

/* SHA-256 of the SubjectPublicKeyInfo of AMD's root keys, computed from the
 * certificates that kdsintf.amd.com publishes. */
static const struct {
    enum snp_product product;
    uint8_t spki_sha256[32];
} vendor[] = {
    { SNP_PRODUCT_MILAN,
      { 0x9f, 0x05, 0x6b, 0xee, 0x44, 0x37, 0x7e, 0x29, 0x30, 0x8c, 0xb5,
        0xff, 0xa8, 0x95, 0xbd, 0xfb, 0x62, 0xd1, 0x88, 0x81, 0xfa, 0x6b,
        0xed, 0x8d, 0x6f, 0x07, 0x5b, 0x02, 0x04, 0x08, 0x9c, 0xb9 } },
    { SNP_PRODUCT_GENOA,
      { 0x42, 0x9a, 0x69, 0xc9, 0x42, 0x2a, 0xa2, 0x58, 0xee, 0x4d, 0x8d,
        0xb5, 0xfc, 0xda, 0x9c, 0x64, 0x70, 0xef, 0x15, 0xf8, 0xcd, 0x5a,
        0x9c, 0xeb, 0xd6, 0xcb, 0xc7, 0xd9, 0x0b, 0x86, 0x38, 0x31 } },
    { SNP_PRODUCT_TURIN,
      { 0x4f, 0x12, 0x54, 0x10, 0x56, 0x3a, 0x2a, 0xb9, 0xa5, 0x03, 0x56,
        0xf9, 0x24, 0x3f, 0x6f, 0xe0, 0xb6, 0xf7, 0x3d, 0xe9, 0x86, 0x03,
        0xf5, 0x3f, 0x90, 0x33, 0x9c, 0x70, 0xe9, 0xd7, 0xad, 0x08 } },
};

/* The same of Intel's root key, from the certificate that
 * certificates.trustedservices.intel.com publishes. Its pre-production root
 * has the identical name: only the key tells them apart. */
static const uint8_t intel_spki_sha256[32] = {
    0xa0, 0xaf, 0x03, 0x12, 0x89, 0xf5, 0xd5, 0xd4, 0x13, 0x2f, 0x91,
    0x86, 0x06, 0x8a, 0x7f, 0xc1, 0x36, 0x28, 0x63, 0x3b, 0xa2, 0x35,
    0x77, 0x74, 0x72, 0xe2, 0x9b, 0x6b, 0x6c, 0x67, 0xa4, 0x9e,
};

enum { VENDOR_PINS = sizeof(vendor) / sizeof(vendor[0]) };

static bool
is_vendor(enum snp_product product, const uint8_t spki_sha256[32])
{
    for (size_t i = 0; i < VENDOR_PINS; i++) {
        if (vendor[i].product == product &&
            memcmp(vendor[i].spki_sha256, spki_sha256, 32) == 0)
            return true;
    }
    return false;
}

enum trust_kind
trust_find(const struct trust_anchors *t, enum snp_product product,
           const uint8_t spki_sha256[32])
{
    if (product == SNP_PRODUCT_UNKNOWN)
        return TRUST_NONE;
    if (is_vendor(product, spki_sha256))
        return TRUST_VENDOR;
    for (size_t i = 0; t && i < t->count; i++) {
        if (t->extra[i].product == product &&
            memcmp(t->extra[i].spki_sha256, spki_sha256, 32) == 0)
            return TRUST_EXTRA;
    }
    return TRUST_NONE;
}

enum trust_kind
trust_find_intel(const struct trust_anchors *t, const uint8_t spki_sha256[32])
{
    const struct trust_anchor *a;

    if (memcmp(intel_spki_sha256, spki_sha256, 32) == 0)
        return TRUST_VENDOR;
    for (size_t i = 0; (a = trust_intel_at(t, i)); i++) {
        if (memcmp(a->spki_sha256, spki_sha256, 32) == 0)
            return TRUST_EXTRA;
    }
    return TRUST_NONE;
}

const struct trust_anchor *
trust_intel_at(const struct trust_anchors *t, size_t i)
{
    for (size_t k = 0; t && k < t->count; k++) {
        if (t->extra[k].root == TRUST_ROOT_INTEL && i-- == 0)
            return &t->extra[k];
    }
    return NULL;
}

static enum assay_status
judge_root(const struct cert *cert, struct trust_anchor *a,
           struct assay_error *err)
{
    if (strcmp(cert_common_name(cert), "Intel SGX Root CA") == 0)
        a->root = TRUST_ROOT_INTEL;
    else if (snp_cert_classify(cert, &a->product) != SNP_CERT_ARK)
        return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                          "trust anchor: got a certificate named \"%s\", want "
                          "ARK-Milan, ARK-Genoa, ARK-Turin or Intel SGX Root "
                          "CA",
                          cert_common_name(cert));
    if (!span_equal(cert_subject(cert), cert_issuer(cert)))
        return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                          "trust anchor: %s is not self-issued",
                          cert_common_name(cert));
    return digest_sha256(cert_spki(cert), a->spki_sha256, err);
}

static enum assay_status
add_anchor(struct trust_anchors *t, struct span der, struct assay_error *err)
{
    struct trust_anchor a = { 0 };
    struct cert *cert = NULL;
    uint8_t *copy;
    enum assay_status st;

    if (t->count == TRUST_ANCHORS_MAX)
        return assay_fail(err, ASSAY_ERR_LIMIT, "trust anchors: more than %d",
                          TRUST_ANCHORS_MAX);
    st = cert_parse(der, &cert, err);
    if (st != ASSAY_OK)
        return assay_context(err, st, "trust anchor");
    st = judge_root(cert, &a, err);
    cert_free(cert);
    if (st != ASSAY_OK)
        return st;
    copy = mem_alloc(NULL, der.len);
    if (!copy)
        return assay_nomem(err, "trust anchor");
    memcpy(copy, der.ptr, der.len);
    a.owned = copy;
    a.der = span_of(copy, der.len);
    a.vendor = a.root == TRUST_ROOT_INTEL
                   ? memcmp(intel_spki_sha256, a.spki_sha256, 32) == 0
                   : is_vendor(a.product, a.spki_sha256);
    t->extra[t->count++] = a;
    return ASSAY_OK;
}

static enum assay_status
add_pem(struct trust_anchors *t, struct span text, struct assay_error *err)
{
    struct pem_block block;
    enum assay_status st;
    size_t before = t->count;

    while ((st = pem_next(&text, &block, err)) == ASSAY_OK) {
        struct buffer der;

        if (!pem_is(&block, "CERTIFICATE"))
            continue;
        buffer_init(&der, LIMIT_CERT_BYTES, NULL);
        st = pem_decode(&block, &der, err);
        if (st == ASSAY_OK)
            st = add_anchor(t, buffer_span(&der), err);
        buffer_free(&der);
        if (st != ASSAY_OK)
            return st;
    }
    if (st != ASSAY_ERR_NOT_FOUND)
        return st;
    if (t->count == before)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "trust anchor: no certificate, neither PEM nor DER");
    return ASSAY_OK;
}

enum assay_status
trust_anchors_add(struct trust_anchors *t, struct span file,
                  struct assay_error *err)
{
    enum { DER_SEQUENCE_TAG = 0x30 };

    if (file.len > 0 && file.ptr[0] == DER_SEQUENCE_TAG)
        return add_anchor(t, file, err);
    return add_pem(t, file, err);
}

void
trust_anchors_wipe(struct trust_anchors *t)
{
    for (size_t i = 0; i < t->count; i++)
        mem_free(NULL, t->extra[i].owned);
    *t = (struct trust_anchors){ 0 };
}
