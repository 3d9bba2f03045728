#include "cli/evidence_verify.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "cli/commands.h"
#include "common/output.h"

static const struct option options[] = {
    { .name = "tee",
      .help = "kind of the evidence",
      OPT_CHOICE(struct verify_values, tee, "snp|tdx|sgx"),
      .fallback = "snp" },
    { .name = "cert",
      .help = "SNP: certificates, or a table of them",
      OPT_LIST(struct verify_values, certs, "FILE") },
    { .name = "crl",
      .help = "SNP: revocation list, DER or PEM",
      OPT_LIST(struct verify_values, crls, "FILE") },
    { .name = "collateral",
      .help = "TDX, SGX: folder, bundle or document",
      OPT_LIST(struct verify_values, collateral, "PATH") },
    TRUST_OPTION_ROWS(struct verify_values, trust),
    { .name = "timeout",
      .help = "longest wait for each answer",
      OPT_NUMBER(struct verify_values, timeout_s, "SECONDS"),
      .fallback = "20",
      .least = 1,
      .most = 3600 },
    { .name = "at",
      .help = "judge as at this time (RFC 3339) instead of now",
      OPT_TEXT(struct verify_values, at, "TIME") },
    { .name = "product",
      .help = "SNP: Milan, Genoa or Turin",
      OPT_TEXT(struct verify_values, product, "NAME") },
    { .name = "report-data",
      .help = "expected REPORT_DATA",
      OPT_TEXT(struct verify_values, report_data, "HEX") },
    { .name = "measurement",
      .help = "expected digest, MRTD, MRENCLAVE",
      OPT_LIST(struct verify_values, measurements, "HEX") },
    { .name = "host-data",
      .help = "expected HOST_DATA or MRCONFIGID",
      OPT_TEXT(struct verify_values, host_data, "HEX") },
    { .name = "chip-id",
      .help = "allowed chip or PIID",
      OPT_LIST(struct verify_values, chip_ids, "HEX") },
    { .name = "vmpl",
      .help = "SNP: expected VMPL, 0 to 3",
      OPT_TEXT(struct verify_values, vmpl, "N") },
    { .name = "allow-debug",
      .help = "accept guests the host can look into",
      OPT_FLAG(struct verify_values, allow_debug) },
    { .name = "allow-migrate-ma",
      .help = "SNP: accept guests with a migration agent",
      OPT_FLAG(struct verify_values, allow_migrate_ma) },
    { .name = "allow-masked-chip",
      .help = "SNP: accept a report without CHIP_ID",
      OPT_FLAG(struct verify_values, allow_masked_chip) },
    { .name = "rtmr",
      .help = "TDX: expected RTMR",
      OPT_LIST(struct verify_values, rtmrs, "N=HEX") },
    { .name = "accept-status",
      .help = "TCB status besides UpToDate",
      OPT_LIST(struct verify_values, accept_statuses, "NAME") },
    { .name = "accept-advisory",
      .help = "refuse advisories other than these",
      OPT_LIST(struct verify_values, accept_advisories, "ID") },
    { .name = "min-tcb-date",
      .help = "refuse TCB levels older than this",
      OPT_TEXT(struct verify_values, min_tcb_date, "DATE") },
    { .name = "min-eval-number",
      .help = "least TCB evaluation data number",
      OPT_NUMBER(struct verify_values, min_eval_number, "N"),
      .fallback = "0",
      .most = UINT32_MAX },
    { .name = "grace-days",
      .help = "accept what is out of date for so long",
      OPT_NUMBER(struct verify_values, grace_days, "N"),
      .fallback = "0",
      .most = 3650 },
    { .name = "require",
      .help = "platform: memory-integrity, no-smt, ...",
      OPT_LIST(struct verify_values, require, "FLAG") },
    { .name = "strict",
      .help = "refuse on a warning or without a revocation list",
      OPT_FLAG(struct verify_values, strict) },
    { .name = "explain",
      .help = "show every check",
      OPT_FLAG(struct verify_values, explain) },
    OPT_ROW_OUTPUT(struct verify_values, output),
    { 0 },
};

int
verify_hex_option(const struct invocation *inv, struct arena *arena,
                  const char *name, const char *text, size_t max, bool exact,
                  struct span *out)
{
    size_t len = strlen(text) / 2;
    uint8_t *bytes = arena_alloc(arena, len + 1);

    if (!bytes || len > max || len == 0 || (exact && len != max) ||
        !hex_decode(span_str(text), bytes, len)) {
        talk(inv, "--%s: got \"%s\", want %s%zu bytes in hex", name, text,
             exact ? "" : "up to ", max);
        return EXIT_USAGE;
    }
    *out = span_of(bytes, len);
    return EXIT_YES;
}

int
verify_hex_list(const struct invocation *inv, struct arena *arena,
                const char *name, const struct text_list *list, size_t size,
                struct span *out)
{
    uint8_t *all = arena_alloc(arena, list->count * size + 1);

    if (!all) {
        talk(inv, "out of memory");
        return EXIT_UNKNOWN;
    }
    for (size_t i = 0; i < list->count; i++) {
        struct span one;
        int code = verify_hex_option(inv, arena, name, list->items[i], size,
                                     true, &one);

        if (code != EXIT_YES)
            return code;
        memcpy(all + i * size, one.ptr, size);
    }
    *out = span_of(all, list->count * size);
    return EXIT_YES;
}

int
verify_time_init(const struct invocation *inv, struct verify_time *out)
{
    const struct verify_values *v = inv->values;
    struct assay_error err = { 0 };

    *out = (struct verify_time){ .clock = &clock_system };
    if (!v->at)
        return EXIT_YES;
    out->at = clock_at(&out->instant);
    out->clock = &out->at;
    if (rfc3339_parse(span_str(v->at), &out->instant, &err) == ASSAY_OK)
        return EXIT_YES;
    talk(inv, "--at: %s", err.text);
    return EXIT_USAGE;
}

/* --- output -------------------------------------------------------------- */

static size_t
terminal_width(void)
{
    struct winsize size = { 0 };

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
        return size.ws_col;
    return 0;
}

static void
add_advice(const struct verify_values *v, enum verdict_result result,
           const struct verify_advice *advice, struct buffer *out)
{
    if (result == VERDICT_UNKNOWN)
        buffer_addf(out, "\n%s\n", advice->when_unknown);
    if (result == VERDICT_REFUSED && advice->when_refused)
        buffer_addf(out, "\n%s\n", advice->when_refused);
    if (result == VERDICT_REFUSED && !v->explain)
        buffer_addf(out, "%sadd --explain to see every check\n",
                    advice->when_refused ? "" : "\n");
}

int
verify_show(const struct invocation *inv, const struct verdict *verdict,
            const struct verify_advice *advice)
{
    static const int codes[] = { [VERDICT_REFUSED] = EXIT_NO,
                                 [VERDICT_ACCEPTED] = EXIT_YES,
                                 [VERDICT_UNKNOWN] = EXIT_UNKNOWN };
    const struct verify_values *v = inv->values;
    struct verdict_style style = { .explain = v->explain,
                                   .colour = output_is_terminal(STDOUT_FILENO),
                                   .width = terminal_width() };
    struct buffer out;

    buffer_init(&out, 1024 * 1024, NULL);
    if (v->output == OUTPUT_JSON) {
        verdict_render_json(verdict, &out);
    } else {
        verdict_render_text(verdict, &style, &out);
        add_advice(v, verdict->result, advice, &out);
    }
    return print_buffer(inv, &out, codes[verdict->result]);
}

static int
run(struct invocation *inv)
{
    const struct verify_values *v = inv->values;

    return v->tee == VERIFY_SNP ? verify_snp(inv) : verify_intel(inv);
}

const struct command evidence_verify_command = {
    .name = "evidence verify",
    .summary = "say whether evidence is genuine and as expected",
    .operands = "EVIDENCE",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .values_size = sizeof(struct verify_values),
    .details = "EVIDENCE: raw, protobuf, base64, an Azure HCL blob, or a "
               "certificate with evidence. Exit: 0 accepted, 1 refused, 3 "
               "unknown (collateral could not be had).",
    .example = "assay evidence verify --cert vcek.der --cert chain.pem "
               "--offline report.bin",
    .run = run,
};
