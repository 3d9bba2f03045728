#include "collect/collect.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "collect/sev_guest.h"
#include "collect/tsm.h"
#include "collect/tsm_socket.h"
#include "evidence/tdx_quote.h"

enum {
    SNP_REPORT_SIZE_WANTED = 1184,
    SNP_REPORT_DATA_AT = 0x50,
};

void
collect_pause(const struct collect_config *cfg, unsigned ms)
{
    struct timespec left = { ms / 1000, (long)(ms % 1000) * 1000000 };

    if (cfg->pause_ms) {
        cfg->pause_ms(cfg->pause_ctx, ms);
        return;
    }
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

static enum assay_status
check_report(const struct collected *got, struct span asked,
             struct assay_error *err)
{
    if (got->outblob.len != SNP_REPORT_SIZE_WANTED)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "snp report: got %zu bytes, want %d",
                          got->outblob.len, SNP_REPORT_SIZE_WANTED);
    if (!span_equal(span_sub(got->outblob, SNP_REPORT_DATA_AT, asked.len),
                    asked))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "snp report: REPORT_DATA is not what was asked for");
    return ASSAY_OK;
}

static enum assay_status
check_quote(const struct collected *got, struct span asked,
            struct assay_error *err)
{
    struct tdx_quote q;
    enum assay_status st = tdx_quote_decode(got->outblob, &q, err);

    if (st != ASSAY_OK)
        return assay_context(err, ASSAY_ERR_MALFORMED, "tdx");
    if (!span_equal(span_of(q.td.report_data, sizeof(q.td.report_data)), asked))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "tdx quote: REPORTDATA is not what was asked for");
    return ASSAY_OK;
}

/* Catches answers to somebody else's question here, where the reason can
 * still be told, rather than at the peer. */
static enum assay_status
check_answer(const struct collected *got, const uint8_t *report_data,
             struct assay_error *err)
{
    struct span asked = span_of(report_data, COLLECT_REPORT_DATA_SIZE);

    if (strcmp(got->provider, "sev_guest") == 0)
        return check_report(got, asked, err);
    if (strcmp(got->provider, "tdx_guest") == 0)
        return check_quote(got, asked, err);
    return ASSAY_OK;
}

static enum assay_status
ask_tsm(const struct collect_config *cfg, const char *path,
        const uint8_t *report_data, uint32_t vmpl, struct arena *arena,
        struct collected *out, struct assay_error *err)
{
    if (tsm_socket_present(path))
        return tsm_socket_report(path, report_data, vmpl, arena, out, err);
    if (tsm_present(path))
        return tsm_report(cfg, path, report_data, vmpl, arena, out, err);
    return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                      "no report interface at %s; is this a confidential VM "
                      "with the sev-guest or tdx-guest driver?",
                      path);
}

static enum assay_status
ask(const struct collect_config *cfg, const uint8_t *report_data, uint32_t vmpl,
    struct arena *arena, struct collected *out, struct assay_error *err)
{
    const char *tsm = cfg->tsm_path ? cfg->tsm_path : TSM_REPORT_PATH;
    const char *device =
        cfg->sev_guest_path ? cfg->sev_guest_path : SEV_GUEST_PATH;
    enum assay_status st =
        ask_tsm(cfg, tsm, report_data, vmpl, arena, out, err);

    /* A path that was asked for and does not answer must not quietly become
     * another source of evidence. */
    if (st != ASSAY_ERR_UNSUPPORTED || cfg->tsm_path ||
        !sev_guest_present(device))
        return st;
    return sev_guest_report(device, report_data, vmpl, arena, out, err);
}

enum assay_status
collect_report(const struct collect_config *cfg,
               const uint8_t report_data[COLLECT_REPORT_DATA_SIZE],
               uint32_t vmpl, struct arena *arena, struct collected *out,
               struct assay_error *err)
{
    struct collected got;
    enum assay_status st = ask(cfg, report_data, vmpl, arena, &got, err);

    if (st == ASSAY_OK)
        st = check_answer(&got, report_data, err);
    if (st == ASSAY_OK)
        *out = got;
    return st;
}
