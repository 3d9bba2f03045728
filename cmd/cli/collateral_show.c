#include <string.h>

#include "cli/collateral.h"
#include "cli/commands.h"
#include "collect/kds_cache.h"

struct values {
    struct collateral_options where;
    unsigned output;
};

static const struct option options[] = {
    { .name = "cache-dir",
      .help = "where collateral is kept (~/.cache/assay/kds)",
      OPT_TEXT(struct values, where.cache_dir, "DIR") },
    OPT_ROW_OUTPUT(struct values, output),
    { 0 },
};

static int
load_cache(const struct invocation *inv, const struct values *v,
           struct collateral_list *list)
{
    const char *dir = collateral_cache_dir(inv, &v->where);
    struct assay_error err = { 0 };
    enum assay_status st;

    if (!dir)
        return EXIT_UNKNOWN;
    st =
        kds_cache_list(dir, NULL, inv->arena, &list->items, &list->count, &err);
    if (st == ASSAY_ERR_NOT_FOUND) { /* nothing was ever kept */
        list->count = 0;
        return EXIT_YES;
    }
    return st == ASSAY_OK ? EXIT_YES : talk_error(inv, &err);
}

static int
load_bundle(const struct invocation *inv, const char *path,
            struct collateral_list *list)
{
    const struct collateral_item *items;
    struct assay_error err = { 0 };
    struct span text;
    int code = read_input(inv, path, LIMIT_BUNDLE_BYTES, &text);

    if (code != EXIT_YES)
        return code;
    if (collateral_decode(text, inv->arena, &items, &list->count, &err) !=
        ASSAY_OK)
        return talk_error(inv, &err);
    memcpy(list->items, items, list->count * sizeof(*items));
    return EXIT_YES;
}

static int
run(struct invocation *inv)
{
    const struct values *v = inv->values;
    const char *what = inv->operands.items[0];
    struct collateral_list list;
    struct buffer out;
    int code;

    if (!collateral_list_init(&list, inv->arena))
        return EXIT_UNKNOWN;
    if (strcmp(what, "cache") == 0)
        code = load_cache(inv, v, &list);
    else
        code = load_bundle(inv, what, &list);
    if (code != EXIT_YES)
        return code;
    if (list.count == 0)
        talk(inv, "nothing in it");
    buffer_init(&out, LIMIT_BUNDLE_BYTES, NULL);
    collateral_render(&list, v->output, clock_now(&clock_system), false, &out);
    return print_buffer(inv, &out, EXIT_YES);
}

const struct command collateral_show_command = {
    .name = "collateral show",
    .summary = "list what a bundle or the cache holds, and how fresh it is",
    .operands = "FILE|cache",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .values_size = sizeof(struct values),
    .details = "Dates are those of the certificates and lists themselves. "
               "Whether they are genuine is judged where evidence is "
               "verified.",
    .example = "assay collateral show cache",
    .run = run,
};
