#include "common/trust.h"

#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "collect/kds_cache.h"
#include "common/output.h"
#include "crypto/random.h"
#include "net/kds_http.h"

static int
add_anchors(const struct invocation *inv, const struct text_list *files,
            struct trust *t)
{
    for (size_t i = 0; i < files->count; i++) {
        struct assay_error err = { 0 };
        struct span file;
        int code =
            read_input(inv, files->items[i], LIMIT_KEY_FILE_BYTES, &file);

        if (code != EXIT_YES)
            return code;
        if (trust_anchors_add(&t->anchors, file, &err) != ASSAY_OK) {
            talk(inv, "--trust-anchor %s: %s", files->items[i], err.text);
            return EXIT_USAGE;
        }
    }
    return EXIT_YES;
}

static int
open_kds(const struct invocation *inv, const struct trust_options *opts,
         void (*event)(void *ctx, const struct kds_event *event),
         void *event_ctx, struct trust *t)
{
    char fallback[PATH_MAX];
    const char *dir = opts->cache_dir;
    struct assay_error err = { 0 };

    if (opts->offline)
        return EXIT_YES;
    if (!dir && kds_cache_default(getenv("XDG_CACHE_HOME"), getenv("HOME"),
                                  fallback, sizeof(fallback)))
        dir = fallback;
    if (kds_new(&(struct kds_config){ .base_url = opts->kds_url,
                                      .pcs_url = opts->pcs_url,
                                      .proxy_url = opts->collateral_proxy,
                                      .cache_dir = dir,
                                      .transport = kds_http_transport(NULL),
                                      .clock = &clock_system,
                                      .random = &random_system,
                                      .event = event,
                                      .event_ctx = event_ctx,
                                      .total_ms = opts->kds_total_ms,
                                      .waiters_max = opts->kds_waiters },
                &t->kds, &err) != ASSAY_OK)
        return talk_error(inv, &err);
    t->kds_source = kds_source(t->kds);
    t->source = &t->kds_source;
    return EXIT_YES;
}

/* Each bundle is put in front of what there is: the first one named is asked
 * first, so they are added from the last. */
static int
add_bundles(const struct invocation *inv, const struct text_list *files,
            struct trust *t)
{
    if (files->count > TRUST_BUNDLES_MAX) {
        talk(inv, "--bundle: got %zu files, at most %d", files->count,
             TRUST_BUNDLES_MAX);
        return EXIT_USAGE;
    }
    for (size_t i = files->count; i > 0; i--) {
        struct collateral_layers *layers = &t->layers[t->bundle_count];
        struct collateral_bundle **bundle = &t->bundles[t->bundle_count];
        struct assay_error err = { 0 };

        if (collateral_bundle_open(files->items[i - 1], bundle, &err) !=
            ASSAY_OK) {
            talk(inv, "--bundle: %s", err.text);
            return EXIT_USAGE;
        }
        t->bundle_count++;
        layers->bundle = collateral_bundle_source(*bundle);
        if (t->source)
            layers->service = *t->source;
        t->outermost =
            t->source ? collateral_layers_source(layers) : layers->bundle;
        t->source = &t->outermost;
    }
    return EXIT_YES;
}

int
trust_open(const struct invocation *inv, const struct trust_options *opts,
           void (*event)(void *ctx, const struct kds_event *event),
           void *event_ctx, struct trust *out)
{
    struct assay_error err = { 0 };
    int code;

    *out = (struct trust){ 0 };
    if (snp_chain_cache_new(SNP_CHAIN_CACHE_DEFAULT, &out->cache, &err) !=
            ASSAY_OK ||
        tdx_cache_new(TDX_CACHE_DEFAULT, &out->tdx_cache, &err) != ASSAY_OK)
        return talk_error(inv, &err);
    code = add_anchors(inv, &opts->anchors, out);
    if (code == EXIT_YES)
        code = open_kds(inv, opts, event, event_ctx, out);
    if (code == EXIT_YES)
        code = add_bundles(inv, &opts->bundles, out);
    return code;
}

void
trust_close(struct trust *t)
{
    for (size_t i = 0; i < t->bundle_count; i++)
        collateral_bundle_free(t->bundles[i]);
    kds_free(t->kds);
    snp_chain_cache_free(t->cache);
    tdx_cache_free(t->tdx_cache);
    trust_anchors_wipe(&t->anchors);
    *t = (struct trust){ 0 };
}

void
trust_talk_event(void *ctx, const struct kds_event *event)
{
    const struct invocation *inv = ctx;

    if (event->outcome == KDS_RETRY)
        talk(inv, "%s: %s; next attempt in %.1f s", event->what, event->reason,
             (double)event->wait_ms / 1000);
    else if (event->outcome == KDS_STALE)
        talk(inv, "%s: %s; using an older copy", event->what, event->reason);
    else if (event->outcome == KDS_NOTE)
        talk(inv, "%s: %s", event->what, event->reason);
}
