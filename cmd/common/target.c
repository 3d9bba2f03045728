#include "common/target.h"

#include "common/output.h"
#include "net/address.h"

int
target_check(const struct invocation *inv, const char *option, const char *text)
{
    struct net_endpoint endpoint;
    struct assay_error err = { 0 };

    if (net_endpoint_parse(text, false, &endpoint, &err) == ASSAY_OK)
        return EXIT_YES;
    talk(inv, "%s: %s", option, err.text);
    return EXIT_USAGE;
}
