/* Is this evidence one of the pods of this manifest, on one of the machines it
 * allows? (contrast-interop sections 7.1 and 7.2)
 *
 * An appraiser is made once per manifest: it holds what is costly to compute
 * (launch digests for each vCPU count). It is immutable and may be used from
 * several threads at once. */
#ifndef ASSAY_MANIFEST_APPRAISE_H
#define ASSAY_MANIFEST_APPRAISE_H

#include "evidence/collateral.h"
#include "evidence/oid.h"
#include "evidence/snp_chain.h"
#include "evidence/snp_verify.h"
#include "evidence/tdx_cache.h"
#include "evidence/verdict.h"
#include "manifest/manifest.h"

/* All of it is borrowed and must outlive the appraiser. Zeros: vendor's roots,
 * no look-ups, a revocation list is needed, no insecure platform. */
struct manifest_appraiser_config {
    const struct trust_anchors *anchors;    /* NULL: the vendor's pins alone */
    const struct collateral_source *source; /* NULL: offline */
    struct snp_chain_cache *cache;          /* NULL: chains verified anew */
    struct tdx_cache *tdx_cache;            /* likewise */
    enum snp_crl_need crl; /* of SNP; TDX never goes without its lists */
    bool strict;           /* warnings refuse */
    /* The program's own consent to evidence without hardware. It takes this
     * *and* a manifest that says so (section 2.3). */
    bool allow_insecure;
    /* Only policies with the role "coordinator" are accepted. */
    bool coordinator_only;
};

struct manifest_appraiser;

/* manifest must have passed manifest_check() and is borrowed.
 *
 * ASSAY_ERR_MALFORMED    it has findings that forbid its use
 * ASSAY_ERR_UNTRUSTED    coordinator_only, and it names none; or an insecure
 *                        manifest without allow_insecure
 * ASSAY_ERR_NOMEM */
ASSAY_MUST_CHECK
enum assay_status
manifest_appraiser_new(const struct manifest *manifest,
                       const struct manifest_appraiser_config *config,
                       struct manifest_appraiser **out,
                       struct assay_error *err);
void manifest_appraiser_free(struct manifest_appraiser *a);

struct manifest_request {
    enum evidence_oid oid;
    struct span evidence;       /* untrusted; the extension's content */
    const uint8_t *report_data; /* 64 bytes it must be bound to */
    const struct clock *clock;  /* read as each piece of collateral is judged */
};

struct manifest_identity {
    const struct manifest_policy *policy; /* borrowed from the manifest */
    size_t reference; /* index of the value that matched in ReferenceValues */
    bool insecure;    /* rests on something other than the vendor's roots */
};

/* Judges one piece of evidence. Every reference value is tried and any
 * success accepts; otherwise the verdict is that of the closest one: with the
 * fewest failed checks.
 *
 *   arena     holds the verdict's texts and claims
 *   verdict   complete, or not written at all: always complete when ASSAY_OK
 *             or ASSAY_ERR_UNTRUSTED returns, never with ASSAY_ERR_NOMEM
 *   identity  written only when ASSAY_OK is returned
 *
 * ASSAY_OK             accepted
 * ASSAY_ERR_UNTRUSTED  refused: the first failed check as a sentence
 * ASSAY_ERR_IO         something needed could not be had: unknown
 * ASSAY_ERR_NOMEM */
ASSAY_MUST_CHECK
enum assay_status manifest_appraise(const struct manifest_appraiser *a,
                                    const struct manifest_request *request,
                                    struct arena *arena,
                                    struct verdict *verdict,
                                    struct manifest_identity *identity,
                                    struct assay_error *err);

#endif
