/* Inside of a chain: shared by building, judging and caching it. */
#ifndef ASSAY_EVIDENCE_SNP_CHAIN_RULES_H
#define ASSAY_EVIDENCE_SNP_CHAIN_RULES_H

#include <stdatomic.h>

#include "evidence/snp_chain.h"

enum chain_rule {
    RULE_ROOT_FORM,
    RULE_ROOT_TRUSTED,
    RULE_INTERMEDIATE_FORM,
    RULE_INTERMEDIATE_SIGNATURE,
    RULE_LEAF_FORM,
    RULE_LEAF_KIND,
    RULE_LEAF_ISSUER,
    RULE_LEAF_SIGNATURE,
    RULE_LEAF_EXTENSIONS,
    RULE_PRODUCT,
    CHAIN_RULES,
};

struct chain_finding {
    enum check_outcome outcome; /* FAIL until judged; SKIPPED when lacking */
    char want[96];
    char got[160];
};

struct snp_chain {
    atomic_uint refs;
    struct cert *leaf;
    struct cert *intermediate;
    struct cert *root;
    enum snp_cert_kind kind;      /* of the leaf */
    enum snp_cert_kind authority; /* of the intermediate it needs */
    enum snp_product product;     /* of the leaf */
    enum trust_kind trust;
    bool has_facts;
    struct snp_leaf_facts facts;
    struct chain_finding findings[CHAIN_RULES];
    struct assay_error missing; /* why the source did not have something */
    struct assay_error broken;  /* why a certificate did not parse */
};

/* Fills findings, facts and trust. Only ASSAY_ERR_NOMEM. */
ASSAY_MUST_CHECK
enum assay_status snp_chain_judge(struct snp_chain *chain,
                                  const struct snp_chain_want *want,
                                  struct assay_error *err);

#endif
