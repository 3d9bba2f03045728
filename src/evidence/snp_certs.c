#include "evidence/snp_certs.h"

#include <stdio.h>
#include <string.h>

#include "crypto/x509.h"
#include "evidence/amd_name.h"

const char *
snp_cert_kind_name(enum snp_cert_kind kind)
{
    static const char *const names[] = {
        [SNP_CERT_OTHER] = "other", [SNP_CERT_ARK] = "ARK",
        [SNP_CERT_ASK] = "ASK",     [SNP_CERT_ASVK] = "ASVK",
        [SNP_CERT_VCEK] = "VCEK",   [SNP_CERT_VLEK] = "VLEK",
    };

    return names[kind];
}

/* The product whose exact name follows the prefix, and nothing behind it. */
static enum snp_product
product_behind(const char *cn, const char *prefix)
{
    size_t len = strlen(prefix);

    if (strncmp(cn, prefix, len) != 0)
        return SNP_PRODUCT_UNKNOWN;
    for (int p = SNP_PRODUCT_MILAN; p < SNP_PRODUCT_COUNT; p++) {
        if (strcmp(cn + len, snp_product_name((enum snp_product)p)) == 0)
            return (enum snp_product)p;
    }
    return SNP_PRODUCT_UNKNOWN;
}

bool
snp_cert_name(enum snp_cert_kind kind, enum snp_product product,
              char cn[SNP_CERT_NAME_SIZE])
{
    const char *line = snp_product_name(product);

    cn[0] = '\0';
    switch (kind) {
    case SNP_CERT_ARK:
        snprintf(cn, SNP_CERT_NAME_SIZE, "ARK-%s", line);
        break;
    case SNP_CERT_ASK:
        snprintf(cn, SNP_CERT_NAME_SIZE, "SEV-%s", line);
        break;
    case SNP_CERT_ASVK:
        snprintf(cn, SNP_CERT_NAME_SIZE, "SEV-VLEK-%s", line);
        break;
    case SNP_CERT_VCEK:
        snprintf(cn, SNP_CERT_NAME_SIZE, "SEV-VCEK");
        break;
    case SNP_CERT_VLEK:
        snprintf(cn, SNP_CERT_NAME_SIZE, "SEV-VLEK");
        break;
    case SNP_CERT_OTHER:
        break;
    }
    return cn[0] != '\0';
}

/* The issuer's line, whichever of the two intermediates it is: whether it is
 * the right one is judged with the chain. */
static enum snp_product
issuer_product(const struct cert *cert)
{
    char cn[AMD_CN_MAX];
    enum snp_product p;

    if (!amd_name_cn(cert_issuer(cert), cn))
        return SNP_PRODUCT_UNKNOWN;
    p = product_behind(cn, "SEV-");
    return p != SNP_PRODUCT_UNKNOWN ? p : product_behind(cn, "SEV-VLEK-");
}

enum snp_cert_kind
snp_cert_classify(const struct cert *cert, enum snp_product *product)
{
    static const struct {
        const char *prefix;
        enum snp_cert_kind kind;
    } authorities[] = {
        { "ARK-", SNP_CERT_ARK },
        { "SEV-VLEK-", SNP_CERT_ASVK },
        { "SEV-", SNP_CERT_ASK },
    };
    char cn[AMD_CN_MAX];

    *product = SNP_PRODUCT_UNKNOWN;
    if (!amd_name_cn(cert_subject(cert), cn))
        return SNP_CERT_OTHER;
    for (size_t i = 0; i < sizeof(authorities) / sizeof(authorities[0]); i++) {
        *product = product_behind(cn, authorities[i].prefix);
        if (*product != SNP_PRODUCT_UNKNOWN)
            return authorities[i].kind;
    }
    *product = issuer_product(cert);
    if (strcmp(cn, "SEV-VCEK") == 0)
        return SNP_CERT_VCEK;
    if (strcmp(cn, "SEV-VLEK") == 0)
        return SNP_CERT_VLEK;
    *product = SNP_PRODUCT_UNKNOWN;
    return SNP_CERT_OTHER;
}
