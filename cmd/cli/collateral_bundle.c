#include "cli/collateral.h"
#include "cli/commands.h"

#include "base/file.h"
#include "codec/pem.h"
#include "collect/kds_cache.h"
#include "collect/kds_check.h"
#include "crypto/x509.h"
#include "evidence/snp_certs.h"

struct values {
    struct collateral_options what;
    const char *output_file;
    bool cached;
    unsigned output;
};

static const struct option options[] = {
    { .name = "output-file",
      .help = "the bundle to write",
      OPT_TEXT(struct values, output_file, "FILE"),
      .required = true },
    COLLATERAL_WHAT_ROWS(struct values, what),
    { .name = "cached",
      .help = "everything in the cache",
      OPT_FLAG(struct values, cached) },
    COLLATERAL_WHERE_ROWS(struct values, what),
    { .name = "offline",
      .help = "take from the cache and ask nobody",
      OPT_FLAG(struct values, what.offline) },
    OPT_ROW_OUTPUT(struct values, output),
    { 0 },
};

/* --- files ---------------------------------------------------------------- */

/* The CA certificates of one file, by product: a chain needs both parts. */
struct chains {
    struct span ark[SNP_PRODUCT_COUNT];
    struct span intermediate[2][SNP_PRODUCT_COUNT]; /* ASK, ASVK */
};

struct import {
    const struct invocation *inv;
    const char *name;
    struct collateral_list *list;
    bool vlek; /* lists are those of the VLEK endpoint */
    struct chains chains;
    size_t taken;
};

static bool
take(struct import *im, const struct kds_path *path, struct span bytes)
{
    struct collateral_item item = { *path, "file", clock_now(&clock_system),
                                    bytes };

    im->taken++;
    if (collateral_list_add(im->list, &item, KDS_CACHED))
        return true;
    talk(im->inv, "more than %d items", LIMIT_BUNDLE_ITEMS);
    return false;
}

static int
take_cert(struct import *im, struct span der)
{
    struct assay_error err = { 0 };
    struct kds_path path;
    enum snp_product product = SNP_PRODUCT_UNKNOWN;
    enum snp_cert_kind kind;
    struct cert *cert;

    if (cert_parse(der, &cert, &err) != ASSAY_OK) {
        talk(im->inv, "%s: %s", im->name, err.text);
        return EXIT_NO;
    }
    kind = snp_cert_classify(cert, &product);
    cert_free(cert);
    if (kind == SNP_CERT_ARK) {
        im->chains.ark[product] = der;
    } else if (kind == SNP_CERT_ASK || kind == SNP_CERT_ASVK) {
        im->chains.intermediate[kind == SNP_CERT_ASVK][product] = der;
    } else if (kds_path_of_vcek(der, &path, &err) != ASSAY_OK) {
        talk(im->inv,
             "%s: %s; a bundle holds VCEKs, chains and lists, and a VLEK "
             "comes with its evidence",
             im->name, err.text);
        return EXIT_NO;
    } else if (!take(im, &path, der)) {
        return EXIT_NO;
    }
    return EXIT_YES;
}

static int
take_crl(struct import *im, struct span der)
{
    struct assay_error err = { 0 };
    struct kds_path path;

    if (kds_path_of_crl(der, &path, &err) != ASSAY_OK ||
        (im->vlek && kds_path_of(COLLATERAL_VLEK_CRL, path.product, &path,
                                 &err) != ASSAY_OK)) {
        talk(im->inv, "%s: %s", im->name, err.text);
        return EXIT_NO;
    }
    return take(im, &path, der) ? EXIT_YES : EXIT_NO;
}

static int
take_chain(struct import *im, enum snp_product product, bool vlek)
{
    struct span intermediate = im->chains.intermediate[vlek][product];
    struct span ark = im->chains.ark[product], bytes;
    struct kds_path path;
    struct buffer pem;
    bool ok;

    if (intermediate.len == 0 || ark.len == 0)
        return EXIT_YES;
    buffer_init(&pem, 4 * LIMIT_CERT_BYTES, NULL);
    ok = pem_encode("CERTIFICATE", intermediate, &pem, NULL) == ASSAY_OK &&
         pem_encode("CERTIFICATE", ark, &pem, NULL) == ASSAY_OK &&
         arena_dup(im->inv->arena, buffer_span(&pem), &bytes) &&
         kds_path_of(vlek ? COLLATERAL_VLEK_CHAIN : COLLATERAL_VCEK_CHAIN,
                     product, &path, NULL) == ASSAY_OK;
    buffer_free(&pem);
    return ok && take(im, &path, bytes) ? EXIT_YES : EXIT_NO;
}

static int
take_collateral(struct import *im, const struct snp_collateral *c)
{
    int code = EXIT_YES;

    for (size_t i = 0; i < c->cert_count && code == EXIT_YES; i++)
        code = take_cert(im, c->certs[i]);
    for (size_t i = 0; i < c->crl_count && code == EXIT_YES; i++)
        code = take_crl(im, c->crls[i]);
    for (int p = SNP_PRODUCT_UNKNOWN + 1;
         p < SNP_PRODUCT_COUNT && code == EXIT_YES; p++) {
        code = take_chain(im, (enum snp_product)p, false);
        if (code == EXIT_YES)
            code = take_chain(im, (enum snp_product)p, true);
    }
    if (code == EXIT_YES && im->taken == 0) {
        talk(im->inv,
             "%s: nothing for a bundle; a chain needs both its certificates "
             "in one file",
             im->name);
        code = EXIT_NO;
    }
    return code;
}

static int
take_bundle(struct import *im, struct span text)
{
    const struct collateral_item *items;
    struct assay_error err = { 0 };
    size_t count;

    if (collateral_decode(text, im->inv->arena, &items, &count, &err) !=
        ASSAY_OK) {
        talk(im->inv, "%s: %s", im->name, err.text);
        return EXIT_NO;
    }
    for (size_t i = 0; i < count; i++)
        if (!collateral_list_add(im->list, &items[i], KDS_CACHED)) {
            talk(im->inv, "more than %d items", LIMIT_BUNDLE_ITEMS);
            return EXIT_NO;
        }
    return EXIT_YES;
}

static int
take_file(const struct invocation *inv, const char *name, bool vlek,
          struct collateral_list *list)
{
    struct import im = { .inv = inv, .name = name, .list = list, .vlek = vlek };
    struct snp_collateral collateral = { 0 };
    struct assay_error err = { 0 };
    struct span file;
    int code = read_input(inv, name, LIMIT_BUNDLE_BYTES, &file);

    if (code != EXIT_YES)
        return code;
    if (file.len > 0 && file.ptr[0] == '{')
        return take_bundle(&im, file);
    if (snp_collateral_add_file(&collateral, file, inv->arena, &err) !=
        ASSAY_OK) {
        talk(inv, "%s: %s", name, err.text);
        return EXIT_NO;
    }
    return take_collateral(&im, &collateral);
}

/* --- the cache --------------------------------------------------------------
 */

static int
take_cache(const struct invocation *inv, const struct values *v,
           struct collateral_list *list)
{
    const char *dir = collateral_cache_dir(inv, &v->what);
    struct collateral_item *items;
    struct assay_error err = { 0 };
    size_t count;

    if (!dir)
        return EXIT_UNKNOWN;
    if (kds_cache_list(dir, v->what.kds_url, inv->arena, &items, &count,
                       &err) != ASSAY_OK)
        return talk_error(inv, &err);
    for (size_t i = 0; i < count; i++)
        if (!collateral_list_add(list, &items[i], KDS_CACHED))
            return EXIT_NO;
    return EXIT_YES;
}

/* --- the command ---------------------------------------------------------- */

static int
gather(const struct invocation *inv, const struct values *v,
       struct collateral_list *list)
{
    int code = EXIT_YES;

    for (size_t i = 0; i < inv->operands.count && code == EXIT_YES; i++)
        code = take_file(inv, inv->operands.items[i], v->what.vlek, list);
    if (code == EXIT_YES && v->cached)
        code = take_cache(inv, v, list);
    /* All or nothing: who carries a bundle to a machine without a network
     * must not find out there what is missing. */
    if (code == EXIT_YES)
        code = collateral_get(inv, &v->what, false, list);
    return code;
}

static int
write_bundle(const struct invocation *inv, const struct values *v,
             const struct collateral_list *list)
{
    struct assay_error err = { 0 };
    struct buffer text, shown;
    enum assay_status st;

    buffer_init(&text, LIMIT_BUNDLE_BYTES, NULL);
    st = collateral_encode(list->items, list->count, &text, &err);
    if (st == ASSAY_OK)
        st = file_write_atomic(v->output_file, buffer_span(&text), 0644, &err);
    buffer_free(&text);
    if (st != ASSAY_OK)
        return talk_error(inv, &err);
    buffer_init(&shown, LIMIT_BUNDLE_BYTES, NULL);
    collateral_render(list, v->output, clock_now(&clock_system), false, &shown);
    return print_buffer(inv, &shown, EXIT_YES);
}

static int
run(struct invocation *inv)
{
    const struct values *v = inv->values;
    struct collateral_list list;
    int code;

    if (!collateral_list_init(&list, inv->arena))
        return EXIT_UNKNOWN;
    code = gather(inv, v, &list);
    if (code != EXIT_YES)
        return code;
    if (list.count == 0) {
        talk(inv, "nothing to write: name files, --report, --product or "
                  "--cached");
        return EXIT_USAGE;
    }
    return write_bundle(inv, v, &list);
}

const struct command collateral_bundle_command = {
    .name = "collateral bundle",
    .summary = "write collateral to one file, for verifying without a network",
    .operands = "[FILE...]",
    .operands_min = 0,
    .operands_max = OPERANDS_ANY,
    .options = options,
    .values_size = sizeof(struct values),
    .details = "FILEs are certificates, revocation lists (DER or PEM) or other "
               "bundles; of two of a kind the later one is kept. Nothing is "
               "written unless everything could be had. Read it with `assay "
               "evidence verify --bundle`.",
    .example = "assay collateral bundle --output-file milan.json --product "
               "Milan vcek.der",
    .run = run,
};
