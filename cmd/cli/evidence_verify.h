/* `assay evidence verify`: the options, and what the kinds of evidence share.
 * Each kind is a file: evidence_verify_snp.c, evidence_verify_intel.c. */
#ifndef ASSAY_CLI_EVIDENCE_VERIFY_H
#define ASSAY_CLI_EVIDENCE_VERIFY_H

#include "base/clock.h"
#include "common/program.h"
#include "common/trust.h"
#include "evidence/verdict.h"

enum verify_tee { VERIFY_SNP, VERIFY_TDX, VERIFY_SGX }; /* --tee */

struct verify_values {
    unsigned tee;
    struct text_list certs;
    struct text_list crls;
    struct text_list collateral;
    struct trust_options trust;
    uint64_t timeout_s;
    const char *at;
    const char *product;
    const char *report_data;
    struct text_list measurements;
    const char *host_data;
    struct text_list chip_ids;
    const char *vmpl;
    bool allow_debug;
    bool allow_migrate_ma;
    bool allow_masked_chip;
    struct text_list rtmrs;
    struct text_list accept_statuses;
    struct text_list accept_advisories;
    const char *min_tcb_date;
    uint64_t min_eval_number;
    uint64_t grace_days;
    struct text_list require;
    bool strict;
    bool explain;
    unsigned output;
};

/* Judge the operand; they return exit codes. */
int verify_snp(struct invocation *inv);
int verify_intel(struct invocation *inv);

/* Hex of at most max bytes; exactly max when exact. In the arena. */
int verify_hex_option(const struct invocation *inv, struct arena *arena,
                      const char *name, const char *text, size_t max,
                      bool exact, struct span *out);
/* A list of values of one size, back to back. */
int verify_hex_list(const struct invocation *inv, struct arena *arena,
                    const char *name, const struct text_list *list, size_t size,
                    struct span *out);
/* --at, or the system's clock. *out must not be moved. */
struct verify_time {
    const struct clock *clock;
    int64_t instant; /* --at */
    struct clock at;
};
int verify_time_init(const struct invocation *inv, struct verify_time *out);

/* What to try next. */
struct verify_advice {
    const char *when_unknown;
    const char *when_refused; /* NULL: nothing in particular */
};

/* Prints the verdict in the form that was asked for; returns its exit code. */
int verify_show(const struct invocation *inv, const struct verdict *verdict,
                const struct verify_advice *advice);

#endif
