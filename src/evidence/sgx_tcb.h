/* How up to date an Intel platform is: statuses, and what a verified quote's
 * status rests on. Intel SGX and TDX PCS API v4, "TCB status". */
#ifndef ASSAY_EVIDENCE_SGX_TCB_H
#define ASSAY_EVIDENCE_SGX_TCB_H

#include "base/span.h"

/* From good to bad, for display. Which of two wins is not their order: see
 * tcb_converge(). */
enum tcb_status {
    TCB_NONE = 0, /* not determined, or the part does not exist */
    TCB_UP_TO_DATE,
    TCB_SW_HARDENING_NEEDED,
    TCB_CONFIGURATION_NEEDED,
    TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
    TCB_RELAUNCH_ADVISED,
    TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
    TCB_OUT_OF_DATE,
    TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
    TCB_REVOKED,
    TCB_NOT_SUPPORTED, /* no level matches */
    TCB_STATUSES,
};

/* Intel's spelling, "UpToDate"; NULL for TCB_NONE. And back, exactly. */
const char *tcb_status_name(enum tcb_status status);
enum tcb_status tcb_status_parse(struct span name);

/* The status of a platform together with that of a part below it, its TDX
 * module or QE: NONE, UP_TO_DATE, OUT_OF_DATE, REVOKED or NOT_SUPPORTED. Not a
 * maximum: ConfigurationNeeded and OutOfDate make
 * OutOfDateConfigurationNeeded. */
enum tcb_status tcb_converge(enum tcb_status status, enum tcb_status part);

/* Does it say that the platform wants another configuration? */
bool tcb_status_wants_configuration(enum tcb_status status);

/* What was found out about the TCB of one quote. Texts live where the verdict
 * lives. */
struct tcb_result {
    enum tcb_status status;   /* of the whole, after convergence */
    enum tcb_status platform; /* of the level that matched */
    enum tcb_status sgx;      /* of the one its SGX half matched */
    enum tcb_status module;   /* TDX module; NONE: it has no own levels */
    enum tcb_status qe;
    const char *const *advisory_ids; /* union of all parts, sorted */
    size_t advisory_count;
    int64_t tcb_date;    /* the oldest of platform and QE level; 0: none */
    int64_t newest_date; /* of the newest platform level */
    /* When a part that is out of date became so: the earliest tcbDate that is
     * newer than its level's; 0 when no part is. */
    int64_t changed_at;
    uint32_t evaluation_number;    /* of the TCB info */
    uint32_t qe_evaluation_number; /* of the QE identity; they may differ */
    uint8_t fmspc[6];
    /* When every document, list and certificate is valid. */
    int64_t valid_from;
    int64_t valid_until;
};

#endif
