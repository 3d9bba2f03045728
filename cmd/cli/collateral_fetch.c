#include "cli/collateral.h"
#include "cli/commands.h"

struct values {
    struct collateral_options what;
    unsigned output;
};

static const struct option options[] = {
    COLLATERAL_WHAT_ROWS(struct values, what),
    COLLATERAL_WHERE_ROWS(struct values, what),
    OPT_ROW_OUTPUT(struct values, output),
    { 0 },
};

static int
run(struct invocation *inv)
{
    const struct values *v = inv->values;
    struct collateral_list list;
    struct buffer out;
    int code;

    if (v->what.reports.count + v->what.products.count == 0) {
        talk(inv, "want --report FILE or --product NAME");
        return EXIT_USAGE;
    }
    if (!collateral_list_init(&list, inv->arena))
        return EXIT_UNKNOWN;
    code = collateral_get(inv, &v->what, true, &list);
    if (code != EXIT_YES && code != EXIT_UNKNOWN)
        return code;
    buffer_init(&out, LIMIT_BUNDLE_BYTES, NULL);
    collateral_render(&list, v->output, clock_now(&clock_system), true, &out);
    return print_buffer(inv, &out, code);
}

const struct command collateral_fetch_command = {
    .name = "collateral fetch",
    .summary = "get certificates and revocation lists into the cache",
    .options = options,
    .values_size = sizeof(struct values),
    .details = "Asks even for what the cache has. The service gives one "
               "certificate per 10 seconds and address, so this may take a "
               "minute. Exit code 3 when something could not be had.",
    .example = "assay collateral fetch --report report.bin",
    .run = run,
};
