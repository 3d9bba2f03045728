/* AMD products that do SEV-SNP, as lines: one root key each.
 *
 * AMD 57230 names the lines in its URLs; the CPUID ranges are those of AMD's
 * processor programming references. Bergamo and Siena belong to Genoa's. */
#ifndef ASSAY_EVIDENCE_SNP_PRODUCT_H
#define ASSAY_EVIDENCE_SNP_PRODUCT_H

#include "base/span.h"

/* Numbers as in protobuf SevProduct.name (contrast-interop section 2.1). */
enum snp_product {
    SNP_PRODUCT_UNKNOWN = 0,
    SNP_PRODUCT_MILAN = 1,
    SNP_PRODUCT_GENOA = 2,
    SNP_PRODUCT_TURIN = 3,
};

enum { SNP_PRODUCT_COUNT = 4 }; /* including unknown */

/* Combined family and model (base plus extended). */
enum snp_product snp_product_from_cpuid(uint8_t family, uint8_t model);

/* "Milan", "Genoa", "Turin", as in AMD's URLs; "unknown". */
const char *snp_product_name(enum snp_product product);

/* The name people use: "Bergamo or Siena" within the Genoa line. */
const char *snp_cpu_name(uint8_t family, uint8_t model);

/* Case-insensitive; takes also Bergamo and Siena, and a stepping behind "-"
 * as in "Milan-B0". */
enum snp_product snp_product_parse(struct span name);

/* CPUID Fn0000_0001 EAX of combined family, model and stepping, and back. */
uint32_t snp_cpuid_eax(uint8_t family, uint8_t model, uint8_t stepping);
void snp_cpuid_split(uint32_t eax, uint8_t *family, uint8_t *model,
                     uint8_t *stepping);

#endif
