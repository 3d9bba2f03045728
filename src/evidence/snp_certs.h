/* AMD's certificates: which is which, what their extensions say, and the table
 * in which the host hands them out.
 *
 * Kinds are decided by exact subject and issuer names plus the extensions
 * that go with them (AMD 57230); a substring proves nothing. */
#ifndef ASSAY_EVIDENCE_SNP_CERTS_H
#define ASSAY_EVIDENCE_SNP_CERTS_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "evidence/snp_product.h"

struct cert;

enum snp_cert_kind {
    SNP_CERT_OTHER = 0,
    SNP_CERT_ARK,
    SNP_CERT_ASK,
    SNP_CERT_ASVK,
    SNP_CERT_VCEK,
    SNP_CERT_VLEK,
};

const char *snp_cert_kind_name(enum snp_cert_kind kind); /* "VCEK" */

/* The commonName of a certificate of this kind; false for SNP_CERT_OTHER. */
enum { SNP_CERT_NAME_SIZE = 32 };
bool snp_cert_name(enum snp_cert_kind kind, enum snp_product product,
                   char cn[SNP_CERT_NAME_SIZE]);

/* Kind and product line of a certificate, by its names alone. The product of
 * a leaf is that of its issuer. */
enum snp_cert_kind snp_cert_classify(const struct cert *cert,
                                     enum snp_product *product);

/* AMD's extensions of a VCEK or VLEK. */
struct snp_leaf_facts {
    uint32_t struct_version; /* 0: Milan, Genoa; 1: Turin */
    enum snp_product product;
    char product_name[32];
    uint8_t spl[10]; /* .3.N at [N]; [0] unused */
    bool has_spl[10];
    uint64_t tcb;     /* the parts in the product's layout */
    uint8_t hwid[64]; /* VCEK; zero-padded */
    size_t hwid_len;  /* 64, or 8 on Turin; 0 for a VLEK */
    char csp_id[128]; /* VLEK; "" for a VCEK */
};

/* Reads and checks them: the set required by kind and struct version present
 * once each, INTEGERs minimal and in 0..255, product line that of the issuer,
 * struct version that of the product.
 *
 * ASSAY_ERR_UNTRUSTED with the rule and the extension in the sentence */
ASSAY_MUST_CHECK
enum assay_status snp_leaf_facts_read(const struct cert *cert,
                                      enum snp_cert_kind kind,
                                      enum snp_product product,
                                      struct snp_leaf_facts *out,
                                      struct assay_error *err);

/* The certificate table of the extended guest request and of auxblob
 * (AMD 56421, GHCB, SNP Extended Guest Request). Written by the host. */
struct snp_cert_table {
    struct span vcek, vlek, ask, ark, crl; /* empty when absent; borrowed */
};

/* ASSAY_ERR_MALFORMED  no terminator, an entry outside the table, or doubled
 * ASSAY_ERR_LIMIT      more than LIMIT_CERT_TABLE_BYTES */
ASSAY_MUST_CHECK
enum assay_status snp_cert_table_decode(struct span table,
                                        struct snp_cert_table *out,
                                        struct assay_error *err);

/* Entries that are not empty, in the order VCEK, VLEK, ASK, ARK, CRL. */
ASSAY_MUST_CHECK
enum assay_status snp_cert_table_encode(const struct snp_cert_table *table,
                                        struct buffer *out,
                                        struct assay_error *err);

struct snp_collateral;

/* Adds what a table holds, DER or PEM, with or without zero padding. */
ASSAY_MUST_CHECK
enum assay_status snp_collateral_add_table(struct snp_collateral *c,
                                           struct span table,
                                           struct arena *arena,
                                           struct assay_error *err);

#endif
