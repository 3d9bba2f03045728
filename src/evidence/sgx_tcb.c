#include "evidence/sgx_tcb.h"

static const char *const names[TCB_STATUSES] = {
    [TCB_UP_TO_DATE] = "UpToDate",
    [TCB_SW_HARDENING_NEEDED] = "SWHardeningNeeded",
    [TCB_CONFIGURATION_NEEDED] = "ConfigurationNeeded",
    [TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED] =
        "ConfigurationAndSWHardeningNeeded",
    [TCB_RELAUNCH_ADVISED] = "RelaunchAdvised",
    [TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED] =
        "RelaunchAdvisedConfigurationNeeded",
    [TCB_OUT_OF_DATE] = "OutOfDate",
    [TCB_OUT_OF_DATE_CONFIGURATION_NEEDED] = "OutOfDateConfigurationNeeded",
    [TCB_REVOKED] = "Revoked",
    [TCB_NOT_SUPPORTED] = "TcbNotSupported",
};

const char *
tcb_status_name(enum tcb_status status)
{
    return names[status];
}

enum tcb_status
tcb_status_parse(struct span name)
{
    for (int i = TCB_NONE + 1; i < TCB_STATUSES; i++) {
        if (span_equal_str(name, names[i]))
            return (enum tcb_status)i;
    }
    return TCB_NONE;
}

bool
tcb_status_wants_configuration(enum tcb_status status)
{
    return status == TCB_CONFIGURATION_NEEDED ||
           status == TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED ||
           status == TCB_OUT_OF_DATE_CONFIGURATION_NEEDED ||
           status == TCB_RELAUNCH_ADVISED_CONFIGURATION_NEEDED;
}

static enum tcb_status
with_part_out_of_date(enum tcb_status status)
{
    switch (status) {
    case TCB_UP_TO_DATE:
    case TCB_SW_HARDENING_NEEDED:
        return TCB_OUT_OF_DATE;
    case TCB_CONFIGURATION_NEEDED:
    case TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED:
        return TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
    default:
        return status;
    }
}

enum tcb_status
tcb_converge(enum tcb_status status, enum tcb_status part)
{
    if (status == TCB_REVOKED || status == TCB_NOT_SUPPORTED)
        return status;
    switch (part) {
    case TCB_OUT_OF_DATE:
        return with_part_out_of_date(status);
    case TCB_REVOKED:
    case TCB_NOT_SUPPORTED:
        return part;
    default:
        return status;
    }
}
