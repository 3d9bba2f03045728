#include "collect/kds_path.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "collect/pcs_path.h"
#include "evidence/snp_tcb.h"

enum {
    CHIP_ID_SIZE = 64,
    TURIN_HWID_SIZE = 8, /* the other 56 bytes of CHIP_ID are zero */
};

static const struct {
    enum collateral_kind kind;
    const char *name;
    const char *format; /* of AMD's paths but the VCEK's; else NULL */
} kinds[] = {
    { COLLATERAL_VCEK, "vcek", NULL },
    { COLLATERAL_VCEK_CHAIN, "vcek-chain", "/vcek/v1/%s/cert_chain" },
    { COLLATERAL_VLEK_CHAIN, "vlek-chain", "/vlek/v1/%s/cert_chain" },
    { COLLATERAL_VCEK_CRL, "vcek-crl", "/vcek/v1/%s/crl" },
    { COLLATERAL_VLEK_CRL, "vlek-crl", "/vlek/v1/%s/crl" },
    { COLLATERAL_TDX_TCB_INFO, "tdx-tcb-info", NULL },
    { COLLATERAL_SGX_TCB_INFO, "sgx-tcb-info", NULL },
    { COLLATERAL_TDX_QE_IDENTITY, "tdx-qe-identity", NULL },
    { COLLATERAL_SGX_QE_IDENTITY, "sgx-qe-identity", NULL },
    { COLLATERAL_PCK_CRL, "pck-crl", NULL },
    { COLLATERAL_SGX_ROOT_CRL, "sgx-root-crl", NULL },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

const char *
collateral_kind_name(enum collateral_kind kind)
{
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    return "unknown";
}

bool
collateral_is_crl(enum collateral_kind kind)
{
    return kind == COLLATERAL_VCEK_CRL || kind == COLLATERAL_VLEK_CRL;
}

bool
collateral_is_intel(enum collateral_kind kind)
{
    return kind >= COLLATERAL_TDX_TCB_INFO && kind <= COLLATERAL_SGX_ROOT_CRL;
}

bool
collateral_is_renewed(enum collateral_kind kind)
{
    return collateral_is_crl(kind) || collateral_is_intel(kind);
}

const char *
kds_path_line(const struct kds_path *path)
{
    return collateral_is_intel(path->kind) ? "Intel"
                                           : snp_product_name(path->product);
}

static size_t
hwid_size(enum snp_product product)
{
    return product == SNP_PRODUCT_TURIN ? TURIN_HWID_SIZE : CHIP_ID_SIZE;
}

/* Levels are decimal and padded to two digits, as AMD's examples have them. */
static void
format_vcek(enum snp_product product, struct span hwid, uint64_t tcb,
            struct kds_path *out)
{
    struct snp_tcb_parts parts = snp_tcb_split(product, tcb);
    char digits[2 * CHIP_ID_SIZE + 1], fmc[16] = "";

    hex_encode(hwid, digits);
    if (product == SNP_PRODUCT_TURIN)
        (void)snprintf(fmc, sizeof(fmc), "fmcSPL=%02u&", parts.fmc);
    (void)snprintf(out->text, sizeof(out->text),
                   "/vcek/v1/%s/%s?%sblSPL=%02u&teeSPL=%02u&snpSPL=%02u&"
                   "ucodeSPL=%02u",
                   snp_product_name(product), digits, fmc, parts.bl, parts.tee,
                   parts.snp, parts.ucode);
}

enum assay_status
kds_path_vcek(enum snp_product product, const uint8_t chip_id[CHIP_ID_SIZE],
              uint64_t tcb, struct kds_path *out, struct assay_error *err)
{
    struct kds_path path = { COLLATERAL_VCEK, product, "" };
    struct span hwid = span_of(chip_id, hwid_size(product));

    if (product <= SNP_PRODUCT_UNKNOWN || (int)product >= SNP_PRODUCT_COUNT)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "VCEK: product unknown; name it with --product");
    if (span_is_zero(span_of(chip_id, CHIP_ID_SIZE)))
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "VCEK: CHIP_ID is masked, so the certificate must "
                          "come with the evidence");
    if (!span_is_zero(span_of(chip_id + hwid.len, CHIP_ID_SIZE - hwid.len)))
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "VCEK: CHIP_ID has more than %zu bytes, which no %s "
                          "has",
                          hwid.len, snp_product_name(product));
    format_vcek(product, hwid, tcb, &path);
    *out = path;
    return ASSAY_OK;
}

enum assay_status
kds_path_of_report(const struct snp_report *report, enum snp_product product,
                   struct kds_path *out, struct assay_error *err)
{
    if (snp_report_signing_key(report) != SNP_SIGNER_VCEK)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "the report was not signed by a VCEK; a VLEK must "
                          "come with the evidence");
    return kds_path_vcek(product, report->chip_id, report->reported_tcb, out,
                         err);
}

enum assay_status
kds_path_of(enum collateral_kind kind, enum snp_product product,
            struct kds_path *out, struct assay_error *err)
{
    if (product <= SNP_PRODUCT_UNKNOWN || (int)product >= SNP_PRODUCT_COUNT)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "%s: product unknown; name it with --product",
                          collateral_kind_name(kind));
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].kind != kind || !kinds[i].format)
            continue;
        out->kind = kind;
        out->product = product;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(out->text, sizeof(out->text), kinds[i].format,
                       snp_product_name(product));
#pragma GCC diagnostic pop
        return ASSAY_OK;
    }
    return assay_fail(err, ASSAY_ERR_UNSUPPORTED, "%s has no path of its own",
                      collateral_kind_name(kind));
}

/* Takes word off the front of *rest. */
static bool
take(struct span *rest, const char *word)
{
    size_t len = strlen(word);

    if (!span_equal_str(span_sub(*rest, 0, len), word))
        return false;
    *rest = span_sub(*rest, len, rest->len - len);
    return true;
}

static bool
take_level(struct span *rest, const char *name, uint8_t *out)
{
    unsigned value = 0;
    size_t digits = 0;

    if (!take(rest, name))
        return false;
    while (digits < 3 && digits < rest->len && rest->ptr[digits] >= '0' &&
           rest->ptr[digits] <= '9')
        value = 10 * value + (unsigned)(rest->ptr[digits++] - '0');
    *rest = span_sub(*rest, digits, rest->len - digits);
    *out = (uint8_t)value;
    return digits > 0 && value <= UINT8_MAX;
}

static bool
parse_vcek(enum snp_product product, struct span rest, struct kds_path *out)
{
    uint8_t chip_id[CHIP_ID_SIZE] = { 0 };
    size_t size = hwid_size(product);
    struct snp_tcb_parts p = { 0 };
    bool ok = hex_decode(span_sub(rest, 0, 2 * size), chip_id, size);

    if (!ok)
        return false;
    rest = span_sub(rest, 2 * size, rest.len - 2 * size);
    ok = take(&rest, "?");
    if (product == SNP_PRODUCT_TURIN)
        ok = ok && take_level(&rest, "fmcSPL=", &p.fmc) && take(&rest, "&");
    ok = ok && take_level(&rest, "blSPL=", &p.bl) &&
         take_level(&rest, "&teeSPL=", &p.tee) &&
         take_level(&rest, "&snpSPL=", &p.snp) &&
         take_level(&rest, "&ucodeSPL=", &p.ucode);
    return ok && kds_path_vcek(product, chip_id, snp_tcb_join(product, p), out,
                               NULL) == ASSAY_OK;
}

static bool
parse_any(struct span text, struct kds_path *out)
{
    for (size_t i = 0; i < KINDS; i++) {
        for (int p = SNP_PRODUCT_UNKNOWN + 1; p < SNP_PRODUCT_COUNT; p++) {
            enum snp_product product = (enum snp_product)p;
            struct span rest = text;

            if (kds_path_of(kinds[i].kind, product, out, NULL) == ASSAY_OK) {
                if (span_equal_str(text, out->text))
                    return true;
            } else if (kinds[i].kind == COLLATERAL_VCEK &&
                       take(&rest, "/vcek/v1/") &&
                       take(&rest, snp_product_name(product)) &&
                       take(&rest, "/") && parse_vcek(product, rest, out)) {
                return true;
            }
        }
    }
    return false;
}

enum assay_status
kds_path_parse(struct span text, struct kds_path *out, struct assay_error *err)
{
    struct kds_path path = { 0 };

    /* What parses must also be spelled our way: one name for each thing. */
    if (text.len >= KDS_PATH_SIZE ||
        (!parse_any(text, &path) && !pcs_path_parse(text, &path)) ||
        !span_equal_str(text, path.text))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "\"%.*s\" is no path of a vendor's service",
                          (int)(text.len < 100 ? text.len : 100),
                          text.ptr ? (const char *)text.ptr : "");
    *out = path;
    return ASSAY_OK;
}
