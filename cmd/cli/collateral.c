#include "cli/collateral.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "cli/tdx_input.h"
#include "codec/json.h"
#include "collect/kds_cache.h"
#include "collect/kds_check.h"
#include "common/trust.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "evidence/evidence.h"
#include "evidence/snp_proto.h"
#include "evidence/snp_tcb.h"
#include "net/kds_http.h"

enum { WANTED_MAX = 64 /* things meant by one command line */ };

bool
collateral_list_init(struct collateral_list *list, struct arena *arena)
{
    *list = (struct collateral_list){ 0 };
    list->items = arena_array(arena, LIMIT_BUNDLE_ITEMS, sizeof(*list->items));
    list->outcomes =
        arena_array(arena, LIMIT_BUNDLE_ITEMS, sizeof(*list->outcomes));
    return list->items && list->outcomes;
}

bool
collateral_list_add(struct collateral_list *list,
                    const struct collateral_item *item,
                    enum kds_outcome outcome)
{
    size_t at = 0;

    while (at < list->count &&
           strcmp(list->items[at].path.text, item->path.text) != 0)
        at++;
    if (at == LIMIT_BUNDLE_ITEMS)
        return false;
    if (at < list->count && list->items[at].fetched_at >= item->fetched_at)
        return true;
    list->items[at] = *item;
    list->outcomes[at] = outcome;
    list->count += at == list->count;
    return true;
}

const char *
collateral_cache_dir(const struct invocation *inv,
                     const struct collateral_options *opts)
{
    char path[PATH_MAX];
    const char *dir = opts->cache_dir;

    if (!dir && kds_cache_default(getenv("XDG_CACHE_HOME"), getenv("HOME"),
                                  path, sizeof(path)))
        dir = arena_strdup(inv->arena, span_str(path));
    if (!dir)
        talk(inv, "no directory for the cache: set HOME, or use --cache-dir");
    return dir;
}

/* --- what is meant ------------------------------------------------------ */

struct wanted {
    struct kds_path paths[WANTED_MAX];
    size_t count;
};

static bool
want(const struct invocation *inv, struct wanted *w,
     const struct kds_path *path)
{
    for (size_t i = 0; i < w->count; i++)
        if (strcmp(w->paths[i].text, path->text) == 0)
            return true;
    if (w->count == WANTED_MAX) {
        talk(inv, "more than %d things at once", WANTED_MAX);
        return false;
    }
    w->paths[w->count++] = *path;
    return true;
}

static bool
want_chain_and_list(const struct invocation *inv, struct wanted *w,
                    enum snp_product product, bool vlek)
{
    struct assay_error err = { 0 };
    struct kds_path chain, list;

    if (kds_path_of(vlek ? COLLATERAL_VLEK_CHAIN : COLLATERAL_VCEK_CHAIN,
                    product, &chain, &err) != ASSAY_OK ||
        kds_path_of(vlek ? COLLATERAL_VLEK_CRL : COLLATERAL_VCEK_CRL, product,
                    &list, &err) != ASSAY_OK) {
        talk(inv, "%s", err.text);
        return false;
    }
    return want(inv, w, &chain) && want(inv, w, &list);
}

/* "4,0,24,219"; Turin has the FMC in front. */
static bool
parse_tcb(const char *text, enum snp_product product, uint64_t *tcb)
{
    struct snp_tcb_parts p = { 0 };
    uint8_t *const parts[] = { &p.fmc, &p.bl, &p.tee, &p.snp, &p.ucode };
    const char *at = text ? text : "";

    for (size_t i = product == SNP_PRODUCT_TURIN ? 0 : 1; i < 5; i++) {
        char *end;
        unsigned long value;

        if (*at < '0' || *at > '9')
            return false;
        value = strtoul(at, &end, 10);
        if (value > UINT8_MAX || *end != (i == 4 ? '\0' : ','))
            return false;
        *parts[i] = (uint8_t)value;
        at = end + 1;
    }
    *tcb = snp_tcb_join(product, p);
    return true;
}

static bool
want_chip(const struct invocation *inv, const struct collateral_options *opts,
          enum snp_product product, struct wanted *w)
{
    uint8_t chip_id[64] = { 0 };
    size_t digits = strlen(opts->chip_id);
    struct assay_error err = { 0 };
    struct kds_path path;
    uint64_t tcb;

    if ((digits != 128 && digits != 16) ||
        !hex_decode(span_str(opts->chip_id), chip_id, digits / 2)) {
        talk(inv,
             "--chip-id: got %zu characters, want 128 hex digits, or 16 "
             "for Turin",
             digits);
        return false;
    }
    if (!parse_tcb(opts->tcb, product, &tcb)) {
        talk(inv, "--tcb: got \"%s\", want %sbl,tee,snp,ucode for %s",
             opts->tcb ? opts->tcb : "",
             product == SNP_PRODUCT_TURIN ? "fmc," : "",
             snp_product_name(product));
        return false;
    }
    if (kds_path_vcek(product, chip_id, tcb, &path, &err) != ASSAY_OK) {
        talk(inv, "%s", err.text);
        return false;
    }
    return want(inv, w, &path);
}

static bool
want_products(const struct invocation *inv,
              const struct collateral_options *opts, struct wanted *w)
{
    enum snp_product product = SNP_PRODUCT_UNKNOWN;

    for (size_t i = 0; i < opts->products.count; i++) {
        product = snp_product_parse(span_str(opts->products.items[i]));
        if (product == SNP_PRODUCT_UNKNOWN) {
            talk(inv, "--product: got \"%s\", want Milan, Genoa or Turin",
                 opts->products.items[i]);
            return false;
        }
        if (!want_chain_and_list(inv, w, product, opts->vlek))
            return false;
    }
    if (!opts->chip_id && !opts->tcb)
        return true;
    if (opts->products.count != 1 || opts->reports.count != 0 ||
        !opts->chip_id) {
        talk(inv, "--chip-id and --tcb go together with one --product");
        return false;
    }
    return want_chip(inv, opts, product, w);
}

/* Raw report, or either form of evidence on the wire. */
static enum assay_status
read_report(const struct invocation *inv, struct span file,
            struct snp_report *report, enum snp_product *product,
            struct assay_error *err)
{
    struct snp_evidence *e;
    enum assay_status st;

    *product = SNP_PRODUCT_UNKNOWN;
    if (file.len != SNP_REPORT_SIZE) {
        e = arena_alloc(inv->arena, sizeof(*e));
        if (!e)
            return assay_nomem(err, "evidence");
        st = snp_evidence_decode(file, inv->arena, e, err);
        if (st != ASSAY_OK)
            return st;
        *product = e->product;
        file = span_of(e->report, sizeof(e->report));
    }
    st = snp_report_decode(file, report, err);
    if (st == ASSAY_OK && snp_report_product(report) != SNP_PRODUCT_UNKNOWN)
        *product = snp_report_product(report);
    return st;
}

static int
want_quote(const struct invocation *inv, const char *name, struct span quote,
           struct wanted *w)
{
    struct kds_path paths[PCS_PATHS];
    struct tdx_collateral_want platform;
    struct assay_error err = { 0 };

    if (tdx_input_want(quote, &platform, &err) != ASSAY_OK) {
        talk(inv, "%s: %s", name, err.text);
        return EXIT_NO;
    }
    pcs_paths_of(&platform, paths);
    for (size_t i = 0; i < PCS_PATHS; i++) {
        if (!want(inv, w, &paths[i]))
            return EXIT_USAGE;
    }
    return EXIT_YES;
}

static int
want_report(const struct invocation *inv, const struct collateral_options *opts,
            const char *name, struct wanted *w)
{
    struct assay_error err = { 0 };
    enum snp_product product;
    struct snp_report report;
    struct kds_path path;
    struct span file, quote;
    bool vlek;
    int code = read_input(inv, name, LIMIT_EVIDENCE_BYTES, &file);

    if (code != EXIT_YES)
        return code;
    if (tdx_input_quote(file, inv->arena, &quote, &err) == ASSAY_OK &&
        evidence_is_quote(quote))
        return want_quote(inv, name, quote, w);
    if (read_report(inv, file, &report, &product, &err) != ASSAY_OK) {
        talk(inv, "%s: %s", name, err.text);
        return EXIT_NO;
    }
    /* Version 2 does not say; a single --product does. */
    if (product == SNP_PRODUCT_UNKNOWN && opts->products.count == 1)
        product = snp_product_parse(span_str(opts->products.items[0]));
    vlek = snp_report_signing_key(&report) == SNP_SIGNER_VLEK;
    if (!want_chain_and_list(inv, w, product, vlek))
        return EXIT_USAGE;
    if (vlek)
        return EXIT_YES; /* its leaf comes with the evidence */
    if (kds_path_of_report(&report, product, &path, &err) == ASSAY_OK)
        return want(inv, w, &path) ? EXIT_YES : EXIT_USAGE;
    talk(inv, "%s: %s", name, err.text);
    return EXIT_UNKNOWN;
}

static int
work_out(const struct invocation *inv, const struct collateral_options *opts,
         struct wanted *w)
{
    for (size_t i = 0; i < opts->reports.count; i++) {
        int code = want_report(inv, opts, opts->reports.items[i], w);

        if (code != EXIT_YES)
            return code;
    }
    return want_products(inv, opts, w) ? EXIT_YES : EXIT_USAGE;
}

/* --- getting it --------------------------------------------------------- */

static enum assay_status
refuse_to_ask(void *ctx, const char *url, uint64_t timeout_ms,
              struct kds_reply *reply, struct buffer *body,
              struct assay_error *err)
{
    (void)ctx;
    (void)timeout_ms;
    (void)reply;
    (void)body;
    /* Not ASSAY_ERR_IO, after which it would be tried again. */
    return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                      "%s: not in the cache, and --offline asks nobody", url);
}

static enum assay_status
open_client(const struct invocation *inv, const struct collateral_options *opts,
            bool refresh, struct kds **out, struct assay_error *err)
{
    struct kds_config cfg = {
        .base_url = opts->kds_url,
        .proxy_url = opts->collateral_proxy,
        .pcs_url = opts->pcs_url,
        .cache_dir = collateral_cache_dir(inv, opts),
        .transport = kds_http_transport(NULL),
        .clock = &clock_system,
        .random = &random_system,
        .event = trust_talk_event,
        .event_ctx = (void *)(uintptr_t)inv,
        .total_ms = opts->timeout_s * 1000,
        .refresh = refresh,
    };

    if (opts->offline)
        cfg.transport = (struct kds_transport){ refuse_to_ask, NULL };
    return kds_new(&cfg, out, err);
}

static enum assay_status
get_one(const struct invocation *inv, struct kds *kds,
        const struct kds_path *path, struct collateral_list *list,
        struct assay_error *err)
{
    struct collateral_item item = { .path = *path };
    struct kds_answer answer;
    struct progress progress;
    struct buffer body;
    enum assay_status st;

    buffer_init(&body, LIMIT_CRL_BYTES, NULL);
    progress_begin(&progress, "asking for collateral");
    st = kds_get(kds, path, &answer, &body, err);
    progress_end(&progress);
    if (st == ASSAY_OK) {
        item.fetched_at = answer.fetched_at;
        item.source = arena_strdup(inv->arena, span_str(answer.source));
        if (!item.source ||
            !arena_dup(inv->arena, buffer_span(&body), &item.bytes) ||
            !collateral_list_add(list, &item, answer.outcome))
            st = assay_nomem(err, "collateral");
    }
    buffer_free(&body);
    return st;
}

int
collateral_get(const struct invocation *inv,
               const struct collateral_options *opts, bool refresh,
               struct collateral_list *list)
{
    struct wanted *w = arena_alloc(inv->arena, sizeof(*w));
    struct assay_error err = { 0 };
    struct kds *kds = NULL;
    int code;

    if (!w)
        return EXIT_UNKNOWN;
    code = work_out(inv, opts, w);
    if (code != EXIT_YES || w->count == 0)
        return code;
    if (open_client(inv, opts, refresh, &kds, &err) != ASSAY_OK)
        return talk_error(inv, &err);
    for (size_t i = 0; i < w->count; i++) {
        if (get_one(inv, kds, &w->paths[i], list, &err) == ASSAY_OK)
            continue;
        talk(inv, "no %s for %s: %s", collateral_kind_name(w->paths[i].kind),
             kds_path_line(&w->paths[i]), err.text);
        code = EXIT_UNKNOWN;
    }
    kds_free(kds);
    return code;
}

/* --- showing it --------------------------------------------------------- */

static const char *
outcome_name(enum kds_outcome outcome)
{
    switch (outcome) {
    case KDS_FETCHED:
        return "fetched";
    case KDS_CACHED:
        return "cached";
    case KDS_STALE:
        return "stale";
    default:
        return "failed";
    }
}

/* What is to be said of one item besides its bytes. */
struct facts {
    struct kds_validity validity;
    const char *state;
    bool broken; /* then `why` says how, and there are no dates */
    struct assay_error why;
};

static void
find_facts(const struct collateral_item *item, int64_t now, struct facts *f)
{
    *f = (struct facts){ .state = "valid" };
    f->broken = kds_validity(&item->path, item->bytes, &f->validity, &f->why) !=
                ASSAY_OK;
    if (f->broken)
        f->state = "broken";
    else if (now < f->validity.from)
        f->state = "not yet valid";
    else if (now > f->validity.until)
        f->state = "expired";
}

static void
put_time(struct json_writer *w, const char *key, int64_t t, bool known)
{
    char text[RFC3339_SIZE];

    rfc3339_format(t, text);
    jw_put_str(w, key, known ? text : NULL);
}

static void
render_json(const struct collateral_item *item, const struct facts *f,
            int64_t now, const char *outcome, struct json_writer *w)
{
    uint8_t digest[SHA256_SIZE];

    jw_object(w);
    jw_put_str(w, "kind", collateral_kind_name(item->path.kind));
    jw_put_str(w, "product", kds_path_line(&item->path));
    jw_put_str(w, "path", item->path.text);
    jw_put_str(w, "source", item->source);
    put_time(w, "fetched_at", item->fetched_at, true);
    jw_put_i64(w, "age_seconds", now - item->fetched_at);
    put_time(w, "valid_from", f->validity.from, !f->broken);
    put_time(w, "valid_until", f->validity.until,
             !f->broken && f->validity.until != INT64_MAX);
    jw_put_str(w, "state", f->state);
    if (f->broken)
        jw_put_str(w, "reason", f->why.text);
    if (outcome)
        jw_put_str(w, "outcome", outcome);
    jw_put_u64(w, "size", item->bytes.len);
    if (digest_sha256(item->bytes, digest, NULL) == ASSAY_OK)
        jw_put_hex(w, "sha256", span_of(digest, sizeof(digest)));
    jw_end(w);
}

/* A chip ID has 128 digits, of which 16 tell chips apart. */
static void
add_short_path(const struct kds_path *path, struct buffer *out)
{
    const char *slash = strrchr(path->text, '/');
    const char *query = strchr(path->text, '?');

    if (query && query - slash > 17)
        buffer_addf(out, " %.*s...%s\n", (int)(slash + 17 - path->text),
                    path->text, query);
    else
        buffer_addf(out, " %s\n", path->text);
}

static void
render_row(const struct collateral_item *item, const struct facts *f,
           const char *outcome, struct buffer *out)
{
    char fetched[RFC3339_SIZE], until[RFC3339_SIZE] = "-";

    rfc3339_format(item->fetched_at, fetched);
    if (!f->broken && f->validity.until != INT64_MAX)
        rfc3339_format(f->validity.until, until);
    buffer_addf(out, "%-10s  %-5s  %-20s  %-20s  %s%s%s\n",
                collateral_kind_name(item->path.kind),
                kds_path_line(&item->path), fetched, until,
                outcome ? outcome : "", outcome ? ", " : "", f->state);
    buffer_add_str(out, "    ");
    buffer_add_escaped(out, span_str(item->source));
    add_short_path(&item->path, out);
    if (f->broken) {
        buffer_add_str(out, "    ");
        buffer_add_escaped(out, span_str(f->why.text));
        buffer_add_str(out, "\n");
    }
}

void
collateral_render(const struct collateral_list *list, unsigned output,
                  int64_t now, bool with_outcome, struct buffer *out)
{
    struct json_writer w = json_writer_over(out, 2);

    if (output == OUTPUT_JSON) {
        jw_object(&w);
        jw_key(&w, "items");
        jw_array(&w);
    } else if (list->count > 0) {
        buffer_addf(out, "%-10s  %-5s  %-20s  %-20s  %s\n", "KIND", "LINE",
                    "FETCHED", "VALID UNTIL", "STATE");
    }
    for (size_t i = 0; i < list->count; i++) {
        const char *outcome =
            with_outcome ? outcome_name(list->outcomes[i]) : NULL;
        struct facts facts;

        find_facts(&list->items[i], now, &facts);
        if (output == OUTPUT_JSON)
            render_json(&list->items[i], &facts, now, outcome, &w);
        else
            render_row(&list->items[i], &facts, outcome, out);
    }
    if (output == OUTPUT_JSON) {
        jw_end(&w);
        jw_end(&w);
        buffer_add_str(out, "\n");
    }
}
