#include "cli/connect.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "common/output.h"
#include "common/target.h"
#include "crypto/random.h"

enum {
    CALL_DEADLINE_MS = 30000,
    RETRY_PAUSE_US = 1000000,
    VERDICT_BYTES = 1024 * 1024,
};

const char *
workspace_path(const struct invocation *inv, const char *workspace,
               const char *named, const char *fallback)
{
    struct buffer path;
    const char *copy;

    if (named)
        return named;
    if (!workspace || workspace[0] == '\0')
        return fallback;
    buffer_init(&path, 4096, NULL);
    buffer_addf(&path, "%s/%s", workspace, fallback);
    copy = path.failed ? NULL : arena_strdup(inv->arena, buffer_span(&path));
    buffer_free(&path);
    return copy;
}

/* On the thread of the handshake, while the main one waits for it. */
static void
keep_verdict(void *ctx, const struct verdict *verdict)
{
    struct connection *c = ctx;
    const struct verdict_style style = { .explain = true,
                                         .colour = output_is_terminal(1) };

    buffer_clear(&c->verdict_text);
    buffer_clear(&c->verdict_json);
    buffer_clear(&c->verdict_line);
    verdict_render_text(verdict, &style, &c->verdict_text);
    verdict_render_json(verdict, &c->verdict_json);
    verdict_render_line(verdict, &c->verdict_line);
    c->insecure = verdict->insecure;
}

static int
load_manifest(struct connection *c)
{
    const struct connect_options *o = c->options;
    const char *path =
        workspace_path(c->inv, o->workspace, o->manifest, "manifest.json");
    struct manifest_appraiser_config config = {
        .anchors = &c->trust.anchors,
        .source = c->trust.source,
        .cache = c->trust.cache,
        .tdx_cache = c->trust.tdx_cache,
        .crl = o->trust.offline ? SNP_CRL_OPTIONAL : SNP_CRL_NEEDED,
        .strict = o->strict,
        .coordinator_only = true,
    };
    struct assay_error err = { 0 };
    struct span file;
    int code = path ? read_input(c->inv, path, LIMIT_MANIFEST_BYTES, &file)
                    : EXIT_UNKNOWN;

    if (code != EXIT_YES)
        return code;
    if (manifest_load(file, c->inv->arena, &c->manifest, &err) == ASSAY_OK &&
        manifest_appraiser_new(&c->manifest, &config, &c->appraiser, &err) ==
            ASSAY_OK)
        return EXIT_YES;
    talk(c->inv, "%s: %s", path, err.text);
    talk(c->inv, "all findings: assay manifest lint %s", path);
    return EXIT_USAGE;
}

static struct trust_options
trust_of(const struct connect_options *options)
{
    struct trust_options trust = options->trust;
    uint64_t timeout_ms = options->timeout_s * 1000;

    trust.kds_total_ms = timeout_ms < TRUST_HANDSHAKE_KDS_MS
                             ? timeout_ms
                             : TRUST_HANDSHAKE_KDS_MS;
    return trust;
}

int
connection_open(const struct invocation *inv,
                const struct connect_options *options, struct connection *c)
{
    const struct trust_options trust = trust_of(options);
    int code;

    *c = (struct connection){ .inv = inv, .options = options };
    buffer_init(&c->verdict_text, VERDICT_BYTES, NULL);
    buffer_init(&c->verdict_json, VERDICT_BYTES, NULL);
    buffer_init(&c->verdict_line, VERDICT_BYTES, NULL);
    code = target_check(inv, "--coordinator", options->coordinator);
    if (code == EXIT_YES)
        code = trust_open(inv, &trust, NULL, NULL, &c->trust);
    if (code == EXIT_YES)
        code = load_manifest(c);
    c->judge = (struct atls_appraiser){ .appraiser = c->appraiser,
                                        .clock = &clock_system,
                                        .observe = keep_verdict,
                                        .ctx = c };
    atls_validator_init(&c->validator, &c->judge);
    return code;
}

void
connection_close(struct connection *c)
{
    buffer_free(&c->verdict_text);
    buffer_free(&c->verdict_json);
    buffer_free(&c->verdict_line);
    manifest_appraiser_free(c->appraiser);
    trust_close(&c->trust);
}

/* Worth another attempt: nobody answered, and nobody was judged. */
static bool
unreachable(const struct connection *c, enum assay_status st)
{
    return st == ASSAY_ERR_IO && c->verdict_line.len == 0;
}

enum assay_status
connection_call(struct connection *c, const char *what,
                enum assay_status (*call)(void *ctx,
                                          const struct coordinator *coordinator,
                                          struct assay_error *err),
                void *ctx, struct assay_error *err)
{
    const struct atls_params params = { .validator = &c->validator,
                                        .key = c->key,
                                        .clock = &clock_system,
                                        .random = &random_system };
    const struct coordinator coordinator = {
        .target = c->options->coordinator,
        .params = &params,
        .deadline_ms = CALL_DEADLINE_MS,
    };
    uint64_t until =
        clock_monotonic_ms(&clock_system) + c->options->timeout_s * 1000;
    struct progress progress;
    enum assay_status st;

    progress_begin(&progress, what);
    for (;;) {
        st = call(ctx, &coordinator, err);
        if (!unreachable(c, st) || clock_monotonic_ms(&clock_system) >= until)
            break;
        (void)usleep(RETRY_PAUSE_US);
    }
    progress_end(&progress);
    return st;
}
