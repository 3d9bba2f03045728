/* The command line: which verb, and the text given for each option. What the
 * texts mean is decided by those who use them (guest.h, main.c). */
#ifndef ASSAY_SIM_OPTIONS_H
#define ASSAY_SIM_OPTIONS_H

#include <stdio.h>

#include "base/error.h"

enum verb { VERB_INIT, VERB_VENDOR, VERB_VM, VERB_REPORT, VERB_REVOKE };

enum option {
    OPT_STATE,
    OPT_PRODUCT,
    OPT_NOW,
    OPT_LISTEN,
    OPT_ADMIN,
    OPT_FAIL,
    OPT_RATE_LIMIT,
    OPT_VLEK_CSP,
    OPT_MOUNT,
    OPT_SOCKET,
    OPT_REPORT_DATA,
    OPT_VMPL,
    OPT_OUT,
    OPT_LEAF,
    OPT_CERTS,
    OPT_CHAIN,
    OPT_CRL,
    OPT_TABLE,
    OPT_CHIP,
    OPT_CHIP_ID,
    OPT_MASK_CHIP_ID,
    OPT_MEASUREMENT,
    OPT_VCPUS,
    OPT_APEIP,
    OPT_HOST_DATA,
    OPT_POLICY,
    OPT_GUEST_SVN,
    OPT_ID_BLOCK,
    OPT_TCB,
    OPT_COMMITTED_TCB,
    OPT_REPORTED_TCB,
    OPT_LAUNCH_TCB,
    OPT_FIRMWARE,
    OPT_COMMITTED_FIRMWARE,
    OPT_PLATFORM_INFO,
    OPT_REPORT_VERSION,
    OPT_CPUID,
    OPT_LAUNCH_MIT_VECTOR,
    OPT_CURRENT_MIT_VECTOR,
    OPT_VMPL_FLOOR,
    OPT_VLEK,
    OPT_ASK_GENERATION,
    OPT_AUXBLOB,
    OPT_FAULT,
    OPT_HELP,
    OPT_COUNT
};

enum { OPTION_REPEATS_MAX = 64, OPERANDS_MAX = 2 };

struct options {
    enum verb verb;
    const char *value[OPT_COUNT]; /* the last one given; "" for a flag */
    const char *fail[OPTION_REPEATS_MAX]; /* every --fail, in order */
    size_t fail_count;
    const char *product[OPTION_REPEATS_MAX]; /* every --product */
    size_t product_count;
    const char *operand[OPERANDS_MAX]; /* what is no option */
    size_t operand_count;
};

/* ASSAY_ERR_MALFORMED for what the verb does not know. --help alone is fine,
 * for a verb or, without one, in *out as OPT_HELP with VERB_INIT. */
ASSAY_MUST_CHECK
enum assay_status options_parse(int argc, char **argv, struct options *out,
                                struct assay_error *err);

void options_help(FILE *to);                 /* the program's */
void options_verb_help(enum verb, FILE *to); /* a verb's */

#endif
