/* A vendor of our own with AMD's certificate shapes, each part of which a test
 * can spoil: what a verifier must refuse is made here, correctly signed. */
#ifndef ASSAY_TESTS_AMD_FIXTURE_H
#define ASSAY_TESTS_AMD_FIXTURE_H

#include "../unit.h"

#include "crypto/x509_build.h"
#include "evidence/collateral.h"
#include "evidence/snp_certs.h"
#include "evidence/trust.h"

/* 2026-06-01, inside every certificate's validity by default. */
#define FIXTURE_NOW INT64_C(1780272000)

struct amd_keys {
    struct key *ark;   /* RSA 4096 */
    struct key *ask;   /* RSA 4096 */
    struct key *other; /* RSA 4096, signs nothing by default */
    struct key *leaf;  /* P-384 */
};

void amd_keys_load(struct amd_keys *k);
void amd_keys_free(struct amd_keys *k);

/* A certificate authority; zeros are AMD's ways. */
struct amd_ca_spec {
    enum snp_cert_kind kind; /* ARK, ASK or ASVK */
    enum snp_product product;
    const struct key *key;
    const struct key *signer;
    const char *cn; /* NULL: as kind and product say */
    uint64_t serial;
    bool not_a_ca;
    int path_len; /* 0: as kind says */
    bool no_cert_sign;
    enum signature_alg alg; /* 0: RSA-PSS */
    int64_t not_after;      /* 0: far away */
};
void amd_ca(const struct amd_ca_spec *spec, struct buffer *der);

enum { LEAF_SPLS = 10 };

/* A leaf. spl and hwid are used as they are; make one with amd_leaf_init. */
struct amd_leaf_spec {
    enum snp_cert_kind kind; /* VCEK or VLEK */
    enum snp_product product;
    const struct key *key;
    const struct key *signer;
    const char *subject_cn; /* NULL: as kind says */
    const char *issuer_cn;  /* NULL: as kind and product say */
    const char *product_name;
    unsigned struct_version;
    uint8_t spl[LEAF_SPLS];
    bool has_spl[LEAF_SPLS];
    struct span hwid; /* extnValue content; empty: no extension */
    struct span csp_id;
    struct span spl3_raw; /* replaces snpSPL's DER when not empty */
    bool unknown_critical;
    int64_t not_before;
    int64_t not_after;
};

/* AMD's form for a product at a TCB (raw word). chip must outlive spec. */
void amd_leaf_init(struct amd_leaf_spec *spec, const struct amd_keys *keys,
                   enum snp_cert_kind kind, enum snp_product product,
                   uint64_t tcb, const uint8_t chip[64]);
void amd_leaf(const struct amd_leaf_spec *spec, struct buffer *der);

struct amd_crl_spec {
    enum snp_product product; /* of the issuing ARK */
    const struct key *signer;
    int64_t this_update;
    int64_t next_update;
    uint64_t revoked; /* serial; 0: none */
};
void amd_crl(const struct amd_crl_spec *spec, struct buffer *der);

/* A report as firmware would write it, not yet signed. */
void amd_report_init(struct snp_report *r, enum snp_product product,
                     uint32_t version);
/* Signs and encodes. */
void amd_report_sign(struct snp_report *r, const struct key *key,
                     uint8_t raw[SNP_REPORT_SIZE]);

/* All of it for one product and kind of signer, good unless changed. */
struct amd_machine {
    struct amd_keys keys;
    struct snp_report report;
    uint8_t raw[SNP_REPORT_SIZE];
    struct amd_leaf_spec leaf_spec;
    struct buffer ark, authority, leaf, crl;
    struct trust_anchors anchors;
    struct snp_collateral collateral;
};

void amd_machine_init(struct amd_machine *m, enum snp_product product,
                      bool vlek, uint32_t version);
void amd_machine_free(struct amd_machine *m);
/* After a change to report or leaf_spec: makes leaf and report anew. */
void amd_machine_remake(struct amd_machine *m);
/* The certificates in the order leaf, authority, root; no CRL. */
void amd_machine_collect(struct amd_machine *m);

#endif
