#include "cli/commands.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "codec/json.h"
#include "codec/pem.h"
#include "collect/collect.h"
#include "collect/issue.h"
#include "common/output.h"
#include "common/trust.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "evidence/snp_certs.h"

enum { FORMAT_RAW, FORMAT_PROTOBUF, NONCE_MAX = 1024 };

struct values {
    const char *tsm;
    const char *report_data;
    const char *nonce;
    unsigned vmpl;
    unsigned format;
    const char *out;
    const char *certs;
    struct trust_options trust;
    unsigned output;
};

static const struct option options[] = {
    { .name = "tsm",
      .help = "configfs-tsm directory, or the simulator's socket, instead of "
              "the kernel's",
      OPT_TEXT(struct values, tsm, "PATH") },
    { .name = "report-data",
      .help = "what the report is to carry: up to 64 bytes, zeros behind",
      OPT_TEXT(struct values, report_data, "HEX") },
    { .name = "nonce",
      .help = "the report carries SHA-512 of this instead",
      OPT_TEXT(struct values, nonce, "HEX") },
    { .name = "vmpl",
      .help = "privilege level; \"own\" is the kernel's",
      OPT_CHOICE(struct values, vmpl, "own|0|1|2|3"),
      .fallback = "own" },
    { .name = "format",
      .help = "the report alone, or with its certificates as on the wire",
      OPT_CHOICE(struct values, format, "raw|protobuf"),
      .fallback = "raw" },
    { .name = "out",
      .help = "write the evidence here and not to standard output",
      OPT_TEXT(struct values, out, "FILE") },
    { .name = "certs",
      .help = "write the host's certificates here, as PEM",
      OPT_TEXT(struct values, certs, "FILE") },
    TRUST_SOURCE_ROWS(struct values, trust),
    OPT_ROW_OUTPUT(struct values, output),
    { 0 },
};

static bool
decode_hex(const struct invocation *inv, const char *option, const char *text,
           size_t most, uint8_t *out, size_t *len)
{
    *len = strlen(text) / 2;
    if (*len > 0 && *len <= most &&
        hex_decode(span_str(text), out, strlen(text) / 2) &&
        strlen(text) % 2 == 0)
        return true;
    talk(inv, "--%s: want hex digits of 1 to %zu bytes", option, most);
    return false;
}

/* Without a wish the data are random: a report that answers nobody still
 * differs from every other. */
static int
make_report_data(const struct invocation *inv, const struct values *v,
                 uint8_t out[COLLECT_REPORT_DATA_SIZE])
{
    uint8_t nonce[NONCE_MAX];
    struct assay_error err = { 0 };
    struct span part;
    size_t len;

    if (v->report_data && v->nonce) {
        talk(inv, "--report-data and --nonce exclude each other");
        return EXIT_USAGE;
    }
    memset(out, 0, COLLECT_REPORT_DATA_SIZE);
    if (v->report_data)
        return decode_hex(inv, "report-data", v->report_data,
                          COLLECT_REPORT_DATA_SIZE, out, &len)
                   ? EXIT_YES
                   : EXIT_USAGE;
    if (!v->nonce) {
        if (random_fill(&random_system, out, COLLECT_REPORT_DATA_SIZE, &err) !=
            ASSAY_OK)
            return talk_error(inv, &err);
        return EXIT_YES;
    }
    if (!decode_hex(inv, "nonce", v->nonce, NONCE_MAX, nonce, &len))
        return EXIT_USAGE;
    part = span_of(nonce, len);
    if (digest_compute(DIGEST_SHA512, &part, 1, out, &err) != ASSAY_OK)
        return talk_error(inv, &err);
    return EXIT_YES;
}

static bool
add_pem(struct span der, const char *label, struct buffer *pem)
{
    return pem_encode(label, der, pem, NULL) == ASSAY_OK;
}

static int
write_certs(const struct invocation *inv, const char *path, struct span table)
{
    struct snp_collateral c = { 0 };
    struct assay_error err = { 0 };
    struct buffer pem;
    bool ok = true;
    enum assay_status st;

    if (table.len > 0 &&
        snp_collateral_add_table(&c, table, inv->arena, &err) != ASSAY_OK) {
        talk(inv, "the host's certificate table: %s", err.text);
        return EXIT_NO;
    }
    if (c.cert_count + c.crl_count == 0) {
        talk(inv, "the host gave no certificates; `assay collateral fetch "
                  "--report` asks the vendor");
        return EXIT_UNKNOWN;
    }
    buffer_init(&pem, 2 * LIMIT_BUNDLE_BYTES, NULL);
    for (size_t i = 0; i < c.cert_count; i++)
        ok = ok && add_pem(c.certs[i], "CERTIFICATE", &pem);
    for (size_t i = 0; i < c.crl_count; i++)
        ok = ok && add_pem(c.crls[i], "X509 CRL", &pem);
    st = ok ? file_write_atomic(path, buffer_span(&pem), 0644, &err)
            : assay_nomem(&err, path);
    buffer_free(&pem);
    return st == ASSAY_OK ? EXIT_YES : talk_error(inv, &err);
}

static void
render_json(const struct values *v, const struct collected *got,
            const uint8_t *report_data, struct span evidence,
            struct buffer *out)
{
    struct json_writer w = json_writer_over(out, 2);

    jw_object(&w);
    jw_put_str(&w, "provider", got->provider);
    jw_put_str(&w, "format", v->format == FORMAT_PROTOBUF ? "protobuf" : "raw");
    jw_put_hex(&w, "report_data",
               span_of(report_data, COLLECT_REPORT_DATA_SIZE));
    jw_put_u64(&w, "size", evidence.len);
    if (v->out)
        jw_put_str(&w, "file", v->out);
    else
        jw_put_base64(&w, "evidence", evidence);
    jw_end(&w);
    buffer_add_str(out, "\n");
}

static int
deliver(const struct invocation *inv, const struct values *v,
        const struct collected *got, const uint8_t *report_data,
        struct span evidence)
{
    struct assay_error err = { 0 };
    struct buffer out;

    if (v->out && file_write_atomic(v->out, evidence, 0644, &err) != ASSAY_OK)
        return talk_error(inv, &err);
    buffer_init(&out, 4 * LIMIT_EVIDENCE_BYTES, NULL);
    if (v->output == OUTPUT_JSON)
        render_json(v, got, report_data, evidence, &out);
    else if (!v->out)
        buffer_add(&out, evidence);
    return print_buffer(inv, &out, EXIT_YES);
}

/* What the host did not give along is asked for, as a coordinator and an
 * initializer do; what cannot be had now, the verifier has to ask for. */
static int
issue(const struct invocation *inv, const struct values *v,
      const struct collected *got, struct buffer *evidence)
{
    struct trust_options opts = v->trust;
    struct assay_error err = { 0 };
    struct progress progress;
    enum evidence_oid oid;
    enum assay_status st;
    struct trust trust;
    int code;

    opts.kds_total_ms = TRUST_HANDSHAKE_KDS_MS;
    code = trust_open(inv, &opts, NULL, NULL, &trust);
    if (code == EXIT_YES) {
        progress_begin(&progress, "asking for certificates");
        st = issue_encode(got, trust.source, &oid, evidence, &err);
        progress_end(&progress);
        code = st == ASSAY_OK ? EXIT_YES : talk_error(inv, &err);
    }
    trust_close(&trust);
    return code;
}

static int
finish(const struct invocation *inv, const struct values *v,
       const struct collected *got, const uint8_t *report_data)
{
    struct assay_error err = { 0 };
    struct buffer evidence;
    int code = EXIT_YES;

    buffer_init(&evidence, LIMIT_EVIDENCE_BYTES, NULL);
    if (v->format == FORMAT_PROTOBUF)
        code = issue(inv, v, got, &evidence);
    else
        buffer_add(&evidence, got->outblob);
    if (code == EXIT_YES &&
        buffer_check(&evidence, "evidence", &err) != ASSAY_OK)
        code = talk_error(inv, &err);
    if (code == EXIT_YES)
        code = deliver(inv, v, got, report_data, buffer_span(&evidence));
    buffer_free(&evidence);
    if (code == EXIT_YES && v->certs)
        code = write_certs(inv, v->certs, got->auxblob);
    return code;
}

static int
run(struct invocation *inv)
{
    const struct values *v = inv->values;
    struct collect_config cfg = { .tsm_path = v->tsm,
                                  .random = &random_system };
    uint32_t vmpl = v->vmpl == 0 ? COLLECT_VMPL_DEFAULT : v->vmpl - 1;
    uint8_t report_data[COLLECT_REPORT_DATA_SIZE];
    struct assay_error err = { 0 };
    struct progress progress;
    struct collected got;
    enum assay_status st;
    int code = make_report_data(inv, v, report_data);

    if (code != EXIT_YES)
        return code;
    if (!v->out && v->output == OUTPUT_TEXT &&
        output_is_terminal(STDOUT_FILENO)) {
        talk(inv, "evidence is binary; use --out FILE, or --output json");
        return EXIT_USAGE;
    }
    progress_begin(&progress, "asking the processor");
    st = collect_report(&cfg, report_data, vmpl, inv->arena, &got, &err);
    progress_end(&progress);
    if (st != ASSAY_OK) {
        talk(inv, "%s", err.text);
        return EXIT_UNKNOWN; /* a machine without a report is no refusal */
    }
    return finish(inv, v, &got, report_data);
}

const struct command evidence_collect_command = {
    .name = "evidence collect",
    .summary = "ask this machine's processor for a report",
    .options = options,
    .values_size = sizeof(struct values),
    .details = "Uses configfs-tsm, or else /dev/sev-guest; both need root. "
               "Exit code 3 when this machine has neither. Of the protobuf "
               "form, what the host did not give along is asked for at AMD.",
    .example = "assay evidence collect --report-data 00ff --out report.bin "
               "--certs chain.pem",
    .run = run,
};
