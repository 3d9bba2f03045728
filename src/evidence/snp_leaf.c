/* AMD's extensions of a leaf certificate: AMD 57230, "VCEK and VLEK
 * certificate extensions". */
#include <stdio.h>
#include <string.h>

#include "crypto/der.h"
#include "crypto/x509.h"
#include "evidence/oid.h"
#include "evidence/snp_certs.h"

enum {
    SPL_BL = 1,
    SPL_TEE,
    SPL_SNP,
    SPL_4,
    SPL_5,
    SPL_6,
    SPL_7,
    SPL_UCODE,
    SPL_FMC
};

/* Which SPL extension is which byte of TCB_VERSION; byte order of AMD 56860. */
static const uint8_t bytes_version0[8] = {
    SPL_BL, SPL_TEE, SPL_4, SPL_5, SPL_6, SPL_7, SPL_SNP, SPL_UCODE
};
static const uint8_t bytes_version1[8] = {
    SPL_FMC, SPL_BL, SPL_TEE, SPL_SNP, SPL_5, SPL_6, SPL_7, SPL_UCODE
};

static const char *const spl_names[] = {
    "",      "blSPL", "teeSPL", "snpSPL",   "spl_4",
    "spl_5", "spl_6", "spl_7",  "ucodeSPL", "fmcSPL",
};

static enum assay_status
refuse(struct assay_error *err, const char *what, const char *why)
{
    return assay_fail(err, ASSAY_ERR_UNTRUSTED, "%s: %s", what, why);
}

/* A DER INTEGER in 0..255, minimal, with nothing behind it. */
static bool
small_integer(struct span value, uint8_t *out)
{
    struct reader rd = reader_over(value);
    uint64_t number = rd_der_uint(&rd);

    if (!rd_done(&rd) || number > 255)
        return false;
    *out = (uint8_t)number;
    return true;
}

static bool
ia5_text(struct span value, char *out, size_t size)
{
    struct reader rd = reader_over(value);
    struct span text = rd_der(&rd, DER_IA5_STRING);

    if (!rd_done(&rd) || text.len == 0 || text.len >= size)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e)
            return false;
    }
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

static enum assay_status
read_version(const struct cert *cert, struct snp_leaf_facts *f,
             struct assay_error *err)
{
    uint8_t want = f->product == SNP_PRODUCT_TURIN ? 1 : 0;
    struct cert_extension x;
    uint8_t version;

    if (!cert_extension_get(cert, OID_AMD_STRUCT_VERSION, &x))
        return refuse(err, "structVersion", "missing");
    if (!small_integer(x.value, &version))
        return refuse(err, "structVersion", "not an INTEGER of 0 to 255");
    if (version != want)
        return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                          "structVersion: got %u, want %u for %s", version,
                          want, snp_product_name(f->product));
    f->struct_version = version;
    return ASSAY_OK;
}

/* "Milan-B0", "Genoa": a hint at most, and it must agree. Exact spelling: a
 * certificate that says "genoa" is not one of AMD's. */
static enum assay_status
read_product_name(const struct cert *cert, struct snp_leaf_facts *f,
                  struct assay_error *err)
{
    const char *line = snp_product_name(f->product);
    struct cert_extension x;
    size_t len;

    if (!cert_extension_get(cert, OID_AMD_PRODUCT_NAME, &x))
        return refuse(err, "productName", "missing");
    if (!ia5_text(x.value, f->product_name, sizeof(f->product_name)))
        return refuse(err, "productName", "not an IA5String");
    len = strcspn(f->product_name, "-");
    if (len != strlen(line) || strncmp(f->product_name, line, len) != 0)
        return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                          "productName: got \"%s\", want %s", f->product_name,
                          line);
    return ASSAY_OK;
}

static enum assay_status
read_spl(const struct cert *cert, unsigned n, bool needed,
         struct snp_leaf_facts *f, struct assay_error *err)
{
    struct cert_extension x;
    char oid[sizeof(OID_AMD_SPL) + 4];

    snprintf(oid, sizeof(oid), OID_AMD_SPL ".%u", n);
    if (!cert_extension_get(cert, oid, &x)) {
        if (needed)
            return refuse(err, spl_names[n], "missing");
        return ASSAY_OK;
    }
    if (!small_integer(x.value, &f->spl[n]))
        return refuse(err, spl_names[n], "not an INTEGER of 0 to 255");
    /* A component outside the layout would be bound to nothing. */
    if (!needed && f->spl[n] != 0)
        return refuse(err, spl_names[n], "set, but not part of this TCB");
    f->has_spl[n] = true;
    return ASSAY_OK;
}

static enum assay_status
read_spls(const struct cert *cert, struct snp_leaf_facts *f,
          struct assay_error *err)
{
    const uint8_t *bytes =
        f->struct_version == 0 ? bytes_version0 : bytes_version1;
    bool needed[SPL_FMC + 1] = { false };
    enum assay_status st = ASSAY_OK;

    for (size_t i = 0; i < 8; i++)
        needed[bytes[i]] = true;
    for (unsigned n = SPL_BL; n <= SPL_FMC && st == ASSAY_OK; n++)
        st = read_spl(cert, n, needed[n], f, err);
    for (size_t i = 0; i < 8; i++)
        f->tcb |= (uint64_t)f->spl[bytes[i]] << (8 * i);
    return st;
}

/* Raw octets, or wrapped in another OCTET STRING. The total length decides,
 * never the first byte: a raw chip id may begin with 04. */
static enum assay_status
read_hwid(struct span value, struct snp_leaf_facts *f, struct assay_error *err)
{
    size_t want = f->product == SNP_PRODUCT_TURIN ? 8 : 64;

    if (value.len == want + 2) {
        struct reader rd = reader_over(value);

        value = rd_der(&rd, DER_OCTET_STRING);
        if (!rd_done(&rd))
            return refuse(err, "hwID", "neither raw nor an OCTET STRING");
    }
    if (value.len != want)
        return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                          "hwID: got %zu bytes, want %zu for %s", value.len,
                          want, snp_product_name(f->product));
    memcpy(f->hwid, value.ptr, want);
    f->hwid_len = want;
    return ASSAY_OK;
}

static enum assay_status
read_identity(const struct cert *cert, enum snp_cert_kind kind,
              struct snp_leaf_facts *f, struct assay_error *err)
{
    struct cert_extension hwid, csp;
    bool has_hwid = cert_extension_get(cert, OID_AMD_HWID, &hwid);
    bool has_csp = cert_extension_get(cert, OID_AMD_CSP_ID, &csp);

    if (kind == SNP_CERT_VCEK) {
        if (!has_hwid || has_csp)
            return refuse(err, "hwID", "a VCEK has hwID and no CSP_ID");
        return read_hwid(hwid.value, f, err);
    }
    if (has_hwid || !has_csp)
        return refuse(err, "CSP_ID", "a VLEK has CSP_ID and no hwID");
    if (!ia5_text(csp.value, f->csp_id, sizeof(f->csp_id)))
        return refuse(err, "CSP_ID", "not an IA5String");
    return ASSAY_OK;
}

enum assay_status
snp_leaf_facts_read(const struct cert *cert, enum snp_cert_kind kind,
                    enum snp_product product, struct snp_leaf_facts *out,
                    struct assay_error *err)
{
    struct snp_leaf_facts f = { .product = product };
    enum assay_status st;

    if (product == SNP_PRODUCT_UNKNOWN)
        return refuse(err, "issuer", "not an intermediate of a known product");
    st = read_version(cert, &f, err);
    if (st == ASSAY_OK)
        st = read_product_name(cert, &f, err);
    if (st == ASSAY_OK)
        st = read_spls(cert, &f, err);
    if (st == ASSAY_OK)
        st = read_identity(cert, kind, &f, err);
    if (st == ASSAY_OK)
        *out = f;
    return st;
}
