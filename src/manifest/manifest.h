/* The manifest: which pods belong to a deployment, on which machines they may
 * run, and who may change that (contrast-interop section 6).
 *
 * Three generations of the file are read: older, mid and current. The file is
 * authoritative byte for byte: its SHA-256 is its name, and nothing here ever
 * writes a manifest that was read.
 *
 * Reading takes two steps. manifest_decode() fills the model as far as the
 * file allows and notes what has the wrong shape; manifest_validate() notes
 * what has the wrong meaning. Only manifest_check() says whether the model may
 * be relied on. Our own keys, which Contrast ignores or refuses:
 * doc/manifest.md. */
#ifndef ASSAY_MANIFEST_MANIFEST_H
#define ASSAY_MANIFEST_MANIFEST_H

#include "base/arena.h"
#include "base/error.h"
#include "crypto/digest.h"
#include "evidence/snp_tcb.h"

enum manifest_severity {
    MANIFEST_ERROR,   /* must not be used */
    MANIFEST_MISSING, /* a reference value its user has to fill in: must not be
                         used as it is */
    MANIFEST_WARNING, /* may be used; the owner should know */
};

struct manifest_finding {
    enum manifest_severity severity;
    const char *path; /* "ReferenceValues.snp[0].MinimumTCB.TEEVersion" */
    const char *text; /* what, got, want; printable */
    size_t offset;    /* in the file, for json_where() */
};

struct manifest_findings {
    struct manifest_finding *list; /* LIMIT_MANIFEST_FINDINGS at most */
    size_t count, cap;
    size_t errors, missing, warnings; /* all, listed or not */
    bool nomem;                       /* one could not be noted */
};

enum manifest_generation {
    MANIFEST_OLDER, /* SAN lists as policies, one reference value, Rtrms */
    MANIFEST_MID,   /* WorkloadOwnerKeyDigests */
    MANIFEST_CURRENT,
};

enum manifest_role { MANIFEST_ROLE_NONE = 0, MANIFEST_ROLE_COORDINATOR };

struct manifest_policy {
    uint8_t hash[SHA256_SIZE]; /* the identity: HOSTDATA of such a pod */
    const struct span *sans;   /* each with a NUL behind it */
    size_t san_count;
    struct span workload_secret_id; /* empty: no secret */
    enum manifest_role role;
    size_t offset;
};

struct manifest_snp {
    const char *platform; /* "" when absent */
    /* UNKNOWN: any, which only the single form of the oldest manifests means */
    enum snp_product product;
    bool has_measurement;
    uint8_t measurement[48];
    bool has_ap_eip; /* measurement is that of one vCPU: section 7.3 */
    uint32_t ap_eip;
    bool has_minimum_tcb; /* all of its components */
    struct snp_tcb_parts minimum_tcb;
    uint64_t guest_policy; /* POLICY word */
    bool has_platform_info;
    uint64_t platform_required, platform_forbidden; /* PLATFORM_INFO bits */
    uint64_t mitigations;
    struct span chip_ids; /* 64 bytes each, back to back; empty: any chip */
    bool allow_milan_without_chip_ids;
    uint64_t cpus; /* informative */
    size_t offset;
};

/* Section 6.4; what is said of statuses, advisories and dates is ours
 * (doc/manifest.md). */
struct manifest_tdx {
    const char *platform; /* "" when absent */
    uint8_t mr_td[48], mr_seam[48], rtmrs[4][48];
    uint8_t xfam[8];
    bool has_td_attributes; /* older and mid generation */
    uint8_t td_attributes[8];
    bool has_minimum_svns; /* older generation */
    uint16_t minimum_qe_svn, minimum_pce_svn;
    uint8_t minimum_tee_tcb_svn[16];
    struct span piids; /* 16 bytes each, back to back; empty: any */
    uint64_t min_tcb_evaluation_data_number;
    bool memory_integrity, smt_disabled, static_platform;
    unsigned accepted_statuses; /* bit (1u << enum tcb_status); 0: UpToDate */
    const char **advisory_ids;  /* with any other it is refused */
    size_t advisory_count;      /* 0: any that an accepted status has */
    int64_t min_tcb_date;       /* seconds since 1970; 0: any */
    int64_t grace_s;            /* 0: none */
    size_t offset;
};

struct manifest_workload_owner {
    struct span spki_der;        /* empty when only the digest is known */
    uint8_t digest[SHA256_SIZE]; /* of the DER SubjectPublicKeyInfo */
    size_t offset;
};

struct manifest_seedshare_owner {
    struct span rsa_der; /* PKCS#1 RSAPublicKey */
    const char *rsa_hex; /* exactly as in the file: names the share */
    size_t offset;
};

struct manifest {
    struct span bytes;         /* the file, in the arena */
    uint8_t hash[SHA256_SIZE]; /* of bytes */
    enum manifest_generation generation;
    struct manifest_policy *policies; /* in the file's order, as all lists */
    size_t policy_count;
    struct manifest_snp *snp;
    size_t snp_count;
    struct manifest_tdx *tdx;
    size_t tdx_count;
    bool insecure; /* evidence without hardware is accepted, nothing else is */
    struct manifest_workload_owner *workload_owners;
    size_t workload_owner_count;
    struct manifest_seedshare_owner *seedshare_owners;
    size_t seedshare_owner_count;
    const char *minimum_api_version; /* "" when absent */
    struct manifest_findings findings;
    struct arena *arena; /* borrowed; holds everything above */
};

/* An arena budget that suffices for every file of LIMIT_MANIFEST_BYTES that
 * keeps to the other limits. */
enum { MANIFEST_ARENA_BYTES = 64 * 1024 * 1024 };

/* Reads a manifest. Wrong shapes inside it become findings; the rest is read.
 *
 *   bytes  untrusted, copied
 *   arena  owns all of *out and must outlive it
 *
 * ASSAY_ERR_MALFORMED  not a JSON object, or keys that differ at most in case
 *                      (section 6.1: upstream would take the last one)
 * ASSAY_ERR_LIMIT      too large, too deep or too many values
 * ASSAY_ERR_NOMEM */
ASSAY_MUST_CHECK
enum assay_status manifest_decode(struct span bytes, struct arena *arena,
                                  struct manifest *out,
                                  struct assay_error *err);

/* Appends what breaks a rule of section 6, all of it. Fails only for want of
 * memory. */
ASSAY_MUST_CHECK
enum assay_status manifest_validate(struct manifest *m,
                                    struct assay_error *err);

/* May it be used? ASSAY_ERR_MALFORMED with the first error or missing value
 * (and how many more there are) as the sentence. */
ASSAY_MUST_CHECK
enum assay_status manifest_check(const struct manifest *m,
                                 struct assay_error *err);

/* The three steps at once: decode, validate, check. *out is written, with its
 * findings, also when the last step refuses; out->arena is NULL otherwise. */
ASSAY_MUST_CHECK
enum assay_status manifest_load(struct span bytes, struct arena *arena,
                                struct manifest *out, struct assay_error *err);

const char *manifest_severity_name(enum manifest_severity s);
const char *manifest_generation_name(enum manifest_generation g);
const char *manifest_role_name(enum manifest_role role); /* "" for none */

/* The policy of an identity, or NULL. */
const struct manifest_policy *
manifest_policy_find(const struct manifest *m, const uint8_t hash[SHA256_SIZE]);

/* May the holder of this key (DER SubjectPublicKeyInfo) update the manifest?
 * ASSAY_ERR_UNTRUSTED if not, also when nobody is listed. */
ASSAY_MUST_CHECK
enum assay_status manifest_authorize_owner(const struct manifest *m,
                                           struct span spki_der,
                                           struct assay_error *err);

/* The same owners in the same order; an update must not change them
 * (section 3.1). */
bool manifest_same_seedshare_owners(const struct manifest *a,
                                    const struct manifest *b);

#endif
