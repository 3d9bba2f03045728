#include "sim/options.h"

#include <stdbool.h>
#include <string.h>

enum {
    FOR_INIT = 1 << VERB_INIT,
    FOR_VENDOR = 1 << VERB_VENDOR,
    FOR_VM = 1 << VERB_VM,
    FOR_REPORT = 1 << VERB_REPORT,
    FOR_REVOKE = 1 << VERB_REVOKE,
    FOR_GUEST = FOR_VM | FOR_REPORT,
    FOR_ALL = FOR_INIT | FOR_VENDOR | FOR_GUEST | FOR_REVOKE,
};

static const struct option_row {
    const char *name;
    const char *value; /* what stands for it in the help; NULL: a flag */
    const char *help;
    unsigned verbs;
} rows[OPT_COUNT] = {
    [OPT_STATE] = { "--state", "DIR", "vendor's keys, shared by all verbs",
                    FOR_ALL },
    [OPT_PRODUCT] = { "--product", "P", "Milan (default), Genoa or Turin",
                      FOR_ALL },
    [OPT_NOW] = { "--now", "RFC3339", "date of what is issued, not today",
                  FOR_ALL },
    [OPT_LISTEN] = { "--listen", "IP:PORT", "serve the KDS here", FOR_VENDOR },
    [OPT_ADMIN] = { "--admin", "IP:PORT",
                    "GET POST DELETE /faults, GET DELETE /requests,\n"
                    "POST /revoke/<P>/<ask|asvk>",
                    FOR_VENDOR },
    [OPT_FAIL] = { "--fail", "RULE",
                   "/PREFIX=KIND[:COUNT], repeatable; KIND: 429 500\n"
                   "404 hang truncate wrong-chip garbage",
                   FOR_VENDOR },
    [OPT_RATE_LIMIT] = { "--rate-limit", "SECONDS",
                         "429 for a certificate within SECONDS of the last",
                         FOR_VENDOR },
    [OPT_VLEK_CSP] = { "--vlek-csp", "NAME", "issue VLEKs to this provider",
                       FOR_VENDOR },
    [OPT_MOUNT] = { "--mount", "DIR", "show configfs-tsm here, by FUSE",
                    FOR_VM },
    [OPT_SOCKET] = { "--socket", "PATH", "the same reports, without FUSE",
                     FOR_VM },
    [OPT_REPORT_DATA] = { "--report-data", "HEX", "up to 64 bytes",
                          FOR_REPORT },
    [OPT_VMPL] = { "--vmpl", "N", "level that asks (default: the floor)",
                   FOR_REPORT },
    [OPT_OUT] = { "--out", "F", "the report, 1184 bytes", FOR_REPORT },
    [OPT_LEAF] = { "--leaf", "F", "VCEK or VLEK, DER", FOR_REPORT },
    [OPT_CERTS] = { "--certs", "F", "leaf, ASK, ARK, PEM", FOR_REPORT },
    [OPT_CHAIN] = { "--chain", "F", "ASK, ARK, PEM, as the KDS serves them",
                    FOR_REPORT },
    [OPT_CRL] = { "--crl", "F", "revocation list, DER", FOR_REPORT },
    [OPT_TABLE] = { "--table", "F", "certificate table (auxblob)", FOR_REPORT },
    [OPT_CHIP] = { "--chip", "NAME", "chip whose id is the name's SHA-512",
                   FOR_GUEST },
    [OPT_CHIP_ID] = { "--chip-id", "HEX", "64 bytes; 8 on Turin", FOR_GUEST },
    [OPT_MASK_CHIP_ID] = { "--mask-chip-id", NULL, "CHIP_ID zero in reports",
                           FOR_GUEST },
    [OPT_MEASUREMENT] = { "--measurement", "HEX",
                          "launch digest, or that of one vCPU", FOR_GUEST },
    [OPT_VCPUS] = { "--vcpus", "N", "extend it by N-1 vCPUs (with --apeip)",
                    FOR_GUEST },
    [OPT_APEIP] = { "--apeip", "HEX", "their reset address", FOR_GUEST },
    [OPT_HOST_DATA] = { "--host-data", "HEX", "32 bytes", FOR_GUEST },
    [OPT_POLICY] = { "--policy", "HEX", "guest policy (30000)", FOR_GUEST },
    [OPT_GUEST_SVN] = { "--guest-svn", "N", "in the ID block (2)", FOR_GUEST },
    [OPT_ID_BLOCK] = { "--id-block", "KIND",
                       "anonymous (default), none, or FAMILY,IMAGE,SVN",
                       FOR_GUEST },
    [OPT_TCB] = { "--tcb", "[FMC,]BL,TEE,SNP,UCODE",
                  "current TCB; FMC on Turin", FOR_GUEST },
    [OPT_COMMITTED_TCB] = { "--committed-tcb", "TCB", "as --tcb unless given",
                            FOR_GUEST },
    [OPT_REPORTED_TCB] = { "--reported-tcb", "TCB", "selects the VCEK",
                           FOR_GUEST },
    [OPT_LAUNCH_TCB] = { "--launch-tcb", "TCB", "as --tcb unless given",
                         FOR_GUEST },
    [OPT_FIRMWARE] = { "--firmware", "A.B.C", "current version", FOR_GUEST },
    [OPT_COMMITTED_FIRMWARE] = { "--committed-firmware", "A.B.C",
                                 "as --firmware unless given", FOR_GUEST },
    [OPT_PLATFORM_INFO] = { "--platform-info", "HEX", "(25)", FOR_GUEST },
    [OPT_REPORT_VERSION] = { "--report-version", "N",
                             "2, 3 or 5 (3; 5 on Turin)", FOR_GUEST },
    [OPT_CPUID] = { "--cpuid", "HEX", "family, model, stepping: 19a002",
                    FOR_GUEST },
    [OPT_LAUNCH_MIT_VECTOR] = { "--launch-mit-vector", "HEX", "version 5 (b)",
                                FOR_GUEST },
    [OPT_CURRENT_MIT_VECTOR] = { "--current-mit-vector", "HEX", "version 5 (b)",
                                 FOR_GUEST },
    [OPT_VMPL_FLOOR] = { "--vmpl-floor", "N", "VMPL of the guest's kernel (0)",
                         FOR_GUEST },
    [OPT_VLEK] = { "--vlek", "CSP", "sign with this provider's VLEK",
                   FOR_GUEST },
    [OPT_ASK_GENERATION] = { "--ask-generation", "N",
                             "issuer of the leaf; 1 is the first (newest)",
                             FOR_GUEST },
    [OPT_AUXBLOB] = { "--auxblob", "KIND",
                      "certs (default), certs+crl, pem or none", FOR_GUEST },
    [OPT_FAULT] = { "--fault", "KIND",
                    "replay, other-key, other-cert or tampered", FOR_GUEST },
    [OPT_HELP] = { "--help", NULL, "this text", FOR_ALL },
};

static const struct verb_row {
    const char *name;
    const char *operands;
    const char *help;
    const char *example;
} verbs[] = {
    [VERB_INIT] = { "init", "", "make the vendor's keys (each --product)",
                    "assay-sim init --state /tmp/amd" },
    [VERB_VENDOR] = { "vendor", "", "serve certificates as AMD's KDS does",
                      "assay-sim vendor --state /tmp/amd --listen "
                      "127.0.0.1:8080" },
    [VERB_VM] = { "vm", "", "be the secure processor of one guest",
                  "assay-sim vm --state /tmp/amd --mount /tmp/tsm --chip a "
                  "--tcb 4,0,24,219" },
    [VERB_REPORT] = { "report", "", "write one report and its certificates",
                      "assay-sim report --state /tmp/amd --out report.bin" },
    [VERB_REVOKE] = { "revoke", "ask|asvk",
                      "revoke an intermediate and make its successor",
                      "assay-sim revoke --state /tmp/amd --product Milan ask" },
};
enum { VERB_COUNT = sizeof(verbs) / sizeof(verbs[0]) };

void
options_help(FILE *to)
{
    fprintf(to, "Usage: assay-sim VERB [OPTIONS]\n\n"
                "Simulates AMD SEV-SNP: a vendor with its own root keys, and "
                "secure processors.\nINSECURE: for tests and demonstrations "
                "only.\n\nVerbs (assay-sim VERB --help):\n");
    for (int i = 0; i < VERB_COUNT; i++)
        fprintf(to, "  %-8s %s\n", verbs[i].name, verbs[i].help);
    fprintf(to, "\nExit: 0 done, 2 usage, 3 could not.\n\nExample:\n  %s\n",
            verbs[VERB_VM].example);
}

/* Help texts of two lines continue under their column. */
static void
print_row(const struct option_row *row, FILE *to)
{
    enum { COLUMN = 30 };
    const char *text = row->help;
    const char *end = strchr(text, '\n');
    int width = fprintf(to, "  %s%s%s", row->name, row->value ? " " : "",
                        row->value ? row->value : "");

    for (; end; text = end + 1, end = strchr(text, '\n'), width = 0)
        fprintf(to, "%*s%.*s\n", width < COLUMN - 1 ? COLUMN - width : 2, "",
                (int)(end - text), text);
    fprintf(to, "%*s%s\n", width < COLUMN - 1 ? COLUMN - width : 2, "", text);
}

void
options_verb_help(enum verb verb, FILE *to)
{
    fprintf(to, "Usage: assay-sim %s [OPTIONS]%s%s\n  %s (INSECURE).\n\n",
            verbs[verb].name, *verbs[verb].operands ? " " : "",
            verbs[verb].operands, verbs[verb].help);
    for (int i = 0; i < OPT_COUNT; i++)
        if (rows[i].verbs & 1u << verb)
            print_row(&rows[i], to);
    fprintf(to, "\nExample:\n  %s\n", verbs[verb].example);
}

static bool
find_verb(const char *name, enum verb *out)
{
    for (int i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            *out = (enum verb)i;
            return true;
        }
    }
    return false;
}

/* The option of this verb that arg names, with or without "=value". */
static enum option
find_option(const char *arg, enum verb verb, const char **inline_value)
{
    size_t len = strcspn(arg, "=");
    int i = 0;

    *inline_value = arg[len] == '=' ? arg + len + 1 : NULL;
    while (i < OPT_COUNT && (strlen(rows[i].name) != len ||
                             memcmp(rows[i].name, arg, len) != 0 ||
                             !(rows[i].verbs & 1u << verb)))
        i++;
    return (enum option)i;
}

static enum assay_status
record(struct options *o, enum option option, const char *value,
       struct assay_error *err)
{
    bool is_fail = option == OPT_FAIL, is_product = option == OPT_PRODUCT;

    o->value[option] = value;
    if ((is_fail && o->fail_count == OPTION_REPEATS_MAX) ||
        (is_product && o->product_count == OPTION_REPEATS_MAX))
        return assay_fail(err, ASSAY_ERR_LIMIT, "%s: more than %d times",
                          rows[option].name, OPTION_REPEATS_MAX);
    if (is_fail)
        o->fail[o->fail_count++] = value;
    if (is_product)
        o->product[o->product_count++] = value;
    return ASSAY_OK;
}

/* One argument, or two: returns how many were used, 0 with err set. */
static int
parse_argument(struct options *o, const char *arg, const char *next,
               struct assay_error *err)
{
    const char *value;
    enum option option = find_option(arg, o->verb, &value);
    const struct option_row *row;
    int used = 1;

    if (arg[0] != '-') {
        if (o->operand_count < OPERANDS_MAX) {
            o->operand[o->operand_count++] = arg;
            return 1;
        }
        (void)assay_fail(err, ASSAY_ERR_MALFORMED, "too much: %s", arg);
        return 0;
    }
    if (option == OPT_COUNT) {
        (void)assay_fail(err, ASSAY_ERR_MALFORMED,
                         "%s: no option of \"%s\"; see assay-sim %s --help",
                         arg, verbs[o->verb].name, verbs[o->verb].name);
        return 0;
    }
    row = &rows[option];
    if (row->value && !value) {
        value = next;
        used = 2;
    }
    if ((row->value != NULL) != (value != NULL)) {
        (void)assay_fail(err, ASSAY_ERR_MALFORMED, "%s: %s", row->name,
                         row->value ? "wants a value" : "takes no value");
        return 0;
    }
    return record(o, option, value ? value : "", err) == ASSAY_OK ? used : 0;
}

enum assay_status
options_parse(int argc, char **argv, struct options *out,
              struct assay_error *err)
{
    struct options o = { .verb = VERB_INIT };

    if (argc < 2)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "no verb; see assay-sim --help");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        *out = o;
        return ASSAY_OK;
    }
    if (!find_verb(argv[1], &o.verb))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "%s: no verb; see assay-sim --help", argv[1]);
    for (int i = 2, used; i < argc; i += used) {
        used =
            parse_argument(&o, argv[i], i + 1 < argc ? argv[i + 1] : NULL, err);
        if (used == 0)
            return ASSAY_ERR_MALFORMED;
    }
    *out = o;
    return ASSAY_OK;
}
