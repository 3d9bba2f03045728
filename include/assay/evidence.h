/* libassay: is this attestation evidence genuine, and is it what I want?
 *
 * Bytes, a time and trust anchors in; a verdict with its reasons out. Nothing
 * is fetched, printed or kept on disk. Build with `pkg-config libassay`.
 *
 *     struct assay_evidence_verifier *v = assay_evidence_verifier_new();
 *     struct assay_evidence_request r = { .size = sizeof(r) };
 *     r.evidence = (struct assay_evidence_bytes){ report, report_len };
 *     r.collateral = files;    // VCEK, ASK, ARK, CRL
 *     r.collateral_count = 3;
 *     r.report_data = (struct assay_evidence_bytes){ nonce, 64 };
 *     r.waive = ASSAY_EVIDENCE_ANY_HOST_DATA;
 *     ...
 *     struct assay_evidence_verdict *verdict;
 *     if (assay_evidence_verify_snp(v, &r, &verdict) == ASSAY_EVIDENCE_OK)
 *         puts(assay_evidence_verdict_line(verdict));
 *
 * A verifier may be used by several threads at once, and remembers chains
 * that verified; use one for many reports. A verdict belongs to one thread.
 *
 * ABI: structs that the caller fills begin with their size and only grow at
 * the end; what an older caller does not have is zero. Zero is always the
 * strict choice. Numbers of enums never change. */
#ifndef ASSAY_EVIDENCE_H
#define ASSAY_EVIDENCE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Borrowed by the call that gets it. */
struct assay_evidence_bytes {
    const void *ptr;
    size_t len;
};

enum assay_evidence_status {
    ASSAY_EVIDENCE_OK = 0,          /* there is a verdict */
    ASSAY_EVIDENCE_NO_MEMORY = 1,   /* there is none */
    ASSAY_EVIDENCE_BAD_REQUEST = 2, /* a value of the request is not usable */
};

enum assay_evidence_result {
    ASSAY_EVIDENCE_REFUSED = 0,
    ASSAY_EVIDENCE_ACCEPTED = 1,
    ASSAY_EVIDENCE_UNKNOWN = 2, /* something needed was not given */
};

enum assay_evidence_outcome {
    ASSAY_EVIDENCE_CHECK_FAIL = 0,
    ASSAY_EVIDENCE_CHECK_PASS = 1,
    ASSAY_EVIDENCE_CHECK_WARN = 2,
    ASSAY_EVIDENCE_CHECK_SKIPPED = 3,
};

/* "0.1.0" */
const char *assay_evidence_version(void);

/* --- verifier ------------------------------------------------------------ */

struct assay_evidence_verifier;

/* Trusts the processor vendor's root keys. NULL when memory is out. */
struct assay_evidence_verifier *assay_evidence_verifier_new(void);
void assay_evidence_verifier_free(struct assay_evidence_verifier *v);

/* Also trusts these root certificates (PEM or DER). Verdicts that rest on one
 * that is not the vendor's are marked insecure. Before the first use only;
 * not from several threads. On failure why (may be NULL) says what is wrong
 * in at most why_size bytes. */
enum assay_evidence_status
assay_evidence_verifier_add_anchor(struct assay_evidence_verifier *v,
                                   struct assay_evidence_bytes certificates,
                                   char *why, size_t why_size);

/* --- request ------------------------------------------------------------- */

/* Expectations that are waived on purpose. */
#define ASSAY_EVIDENCE_ANY_REPORT_DATA 0x1u
#define ASSAY_EVIDENCE_ANY_MEASUREMENT 0x2u
#define ASSAY_EVIDENCE_ANY_HOST_DATA 0x4u
#define ASSAY_EVIDENCE_ANY_VMPL 0x8u

/* What is refused unless it is allowed. */
#define ASSAY_EVIDENCE_ALLOW_DEBUG 0x1u
#define ASSAY_EVIDENCE_ALLOW_MIGRATE_MA 0x2u
#define ASSAY_EVIDENCE_ALLOW_MASKED_CHIP 0x4u
/* Without a revocation list: skip the check instead of "unknown". */
#define ASSAY_EVIDENCE_ALLOW_NO_CRL 0x8u
/* Milan reports of chips that are not in chip_ids: no warning. */
#define ASSAY_EVIDENCE_ALLOW_ANY_MILAN 0x10u

struct assay_evidence_request {
    size_t size; /* sizeof(struct assay_evidence_request) */

    /* Raw report of 1184 bytes, its base64, or protobuf evidence. */
    struct assay_evidence_bytes evidence;
    /* Certificates and CRLs in any order, each DER, PEM (one or many) or a
     * certificate table as /dev/sev-guest and configfs-tsm give it. */
    const struct assay_evidence_bytes *collateral;
    size_t collateral_count;
    int64_t now;         /* seconds since 1970, UTC; 0: the system's clock */
    const char *product; /* "Milan", "Genoa", "Turin"; NULL: any */

    /* Must be stated or waived. Shorter than the field: zeros follow. */
    struct assay_evidence_bytes report_data;  /* at most 64 bytes */
    struct assay_evidence_bytes host_data;    /* at most 32 bytes */
    struct assay_evidence_bytes measurements; /* 48 bytes each, any of them */
    struct assay_evidence_bytes chip_ids;     /* 64 bytes each; empty: any */
    uint32_t vmpl;
    uint32_t waive;  /* ASSAY_EVIDENCE_ANY_... */
    uint32_t allow;  /* ASSAY_EVIDENCE_ALLOW_... */
    uint32_t strict; /* not 0: warnings and a missing CRL refuse */
};

/* --- request: Intel ------------------------------------------------------ */

/* More expectations that may be waived. */
#define ASSAY_EVIDENCE_ANY_RTMRS 0x10u
#define ASSAY_EVIDENCE_ANY_MRSEAM 0x20u

enum assay_evidence_tee {
    ASSAY_EVIDENCE_TDX = 0,
    ASSAY_EVIDENCE_SGX = 1,
};

struct assay_evidence_quote_request {
    size_t size;  /* sizeof(struct assay_evidence_quote_request) */
    uint32_t tee; /* enum assay_evidence_tee */

    uint32_t waive; /* ASSAY_EVIDENCE_ANY_...; VMPL is SNP's */
    /* Raw quote, or protobuf evidence. */
    struct assay_evidence_bytes evidence;
    /* TCB info and QE identity as Intel sends them, revocation lists, issuer
     * chains in PEM, or whole sets as other verifiers write them
     * (doc/tdx.md); the first that has a piece wins. */
    const struct assay_evidence_bytes *collateral;
    size_t collateral_count;
    int64_t now; /* seconds since 1970, UTC; 0: the system's clock */

    /* Must be stated or waived. */
    struct assay_evidence_bytes report_data;  /* at most 64 bytes */
    struct assay_evidence_bytes mr_config_id; /* TDX: at most 48 bytes */
    /* MRTD, 48 bytes each, or MRENCLAVE, 32 bytes each: any of them. */
    struct assay_evidence_bytes measurements;
    struct assay_evidence_bytes mr_seam;  /* TDX: 48 bytes each, any of them */
    struct assay_evidence_bytes rtmrs[4]; /* TDX: 48 bytes each */

    /* Besides UpToDate, by Intel's names: "SWHardeningNeeded,OutOfDate". */
    const char *accept_statuses;
    struct assay_evidence_bytes piids; /* 16 bytes each; empty: any */
    uint32_t min_evaluation_number;
    uint32_t allow;  /* ASSAY_EVIDENCE_ALLOW_DEBUG */
    uint32_t strict; /* not 0: warnings refuse */
};

/* --- verdict ------------------------------------------------------------- */

struct assay_evidence_verdict;

/* *out is written when ASSAY_EVIDENCE_OK is returned: whatever the evidence is
 * worth, malformed evidence included, is in the verdict. */
enum assay_evidence_status
assay_evidence_verify_snp(struct assay_evidence_verifier *v,
                          const struct assay_evidence_request *request,
                          struct assay_evidence_verdict **out);
/* The same for quotes of TDX and SGX. */
enum assay_evidence_status
assay_evidence_verify_quote(struct assay_evidence_verifier *v,
                            const struct assay_evidence_quote_request *request,
                            struct assay_evidence_verdict **out);
void assay_evidence_verdict_free(struct assay_evidence_verdict *verdict);

/* Texts are UTF-8, end in NUL and live as long as the verdict. */
enum assay_evidence_result
assay_evidence_verdict_result(const struct assay_evidence_verdict *verdict);
/* Not 0: rests on an anchor that is not the vendor's. */
int
assay_evidence_verdict_insecure(const struct assay_evidence_verdict *verdict);
/* One line: "accepted", or "refused: CHECK: got ..., want ...". */
const char *
assay_evidence_verdict_line(const struct assay_evidence_verdict *verdict);
/* The JSON of `assay evidence verify --output json`. */
const char *
assay_evidence_verdict_json(const struct assay_evidence_verdict *verdict);

struct assay_evidence_check {
    const char *name;
    const char *ref; /* public document and section */
    const char *expected;
    const char *actual;
    const char *reason;
    enum assay_evidence_outcome outcome;
};
size_t assay_evidence_verdict_check_count(
    const struct assay_evidence_verdict *verdict);
/* Zeros when index is out of range. */
struct assay_evidence_check
assay_evidence_verdict_check(const struct assay_evidence_verdict *verdict,
                             size_t index);

/* A field of the report as text (decimal, true/false, lower-case hex), by its
 * name in the JSON; NULL when there is none. Only true when accepted. */
const char *
assay_evidence_verdict_claim(const struct assay_evidence_verdict *verdict,
                             const char *name);

#ifdef __cplusplus
}
#endif

#endif
