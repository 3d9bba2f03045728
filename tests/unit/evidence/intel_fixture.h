/* A vendor of our own with the shapes of Intel's PKI and documents, each part
 * of which a test can spoil: what a verifier must refuse is made here,
 * correctly signed. */
#ifndef ASSAY_TESTS_INTEL_FIXTURE_H
#define ASSAY_TESTS_INTEL_FIXTURE_H

#include "../unit.h"

#include "crypto/x509_build.h"
#include "evidence/sgx_pck.h"
#include "evidence/tdx_collateral.h"
#include "evidence/trust.h"

/* 2026-06-01, inside every validity by default. */
#define INTEL_NOW INT64_C(1780272000)

enum intel_key {
    INTEL_ROOT,
    INTEL_CA,
    INTEL_LEAF,
    INTEL_SIGNER,
    INTEL_ATTESTATION,
    INTEL_OTHER, /* signs nothing by default */
    INTEL_KEYS,
};

/* A certificate; zeros are Intel's ways. */
struct intel_cert_spec {
    const char *cn;
    const char *issuer_cn;
    enum intel_key key;
    enum intel_key signer;
    uint8_t serial;
    bool is_ca;
    bool no_key_usage;
    bool unknown_critical;
    struct span sgx_extension; /* empty: none */
    int64_t not_before;        /* 0: long ago */
    int64_t not_after;         /* 0: far away */
};

/* A platform with everything Intel says about it, good unless changed. Change
 * what is to be spoiled, then remake. */
struct intel_machine {
    struct key *keys[INTEL_KEYS];
    struct sgx_pck pck;
    struct tdx_quote quote; /* spans and signatures are filled in by remake */
    struct intel_cert_spec root_spec, ca_spec, leaf_spec, signer_spec;
    uint8_t revoked_by_root; /* serials; 0: none */
    uint8_t revoked_by_ca;
    int64_t crl_next_update;
    const char *tcb_info_body; /* texts; NULL: the default */
    const char *qe_identity_body;
    bool keep_qe_report; /* do not bind the attestation key anew */

    struct buffer root, ca, leaf, signer; /* DER */
    struct buffer chain;                  /* PEM: leaf, CA, root */
    struct buffer signer_chain;           /* PEM: signer, root */
    struct buffer ca_chain;               /* PEM: CA, root */
    struct buffer root_crl, pck_crl;      /* DER */
    struct buffer tcb_info, qe_identity;  /* with envelope */
    struct buffer raw;                    /* the quote */
    struct trust_anchors anchors;
    struct tdx_collateral collateral;
};

/* version 3 is SGX; 4 and 5 TDX, 5 with a body of 1.5. */
void intel_machine_init(struct intel_machine *m, uint16_t version);
void intel_machine_free(struct intel_machine *m);
void intel_machine_remake(struct intel_machine *m);

/* The default bodies, for tests that change a few words of them. */
const char *intel_tcb_info_body(bool is_tdx);
const char *intel_qe_identity_body(bool is_tdx);

/* text with the first occurrence of `from` replaced; free() it. */
char *intel_replace(const char *text, const char *from, const char *to);

/* { name: body, "signature": ... } */
void intel_document(const char *name, const char *body, const struct key *key,
                    struct buffer *out);

#endif
