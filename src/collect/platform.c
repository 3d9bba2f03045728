#include "collect/platform.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/limits.h"
#include "collect/sev_guest.h"
#include "collect/tsm.h"
#include "collect/tsm_socket.h"

#define CPUINFO_PATH "/proc/cpuinfo"
#define TDX_GUEST_PATH "/dev/tdx_guest"

const char *
platform_tee_name(enum platform_tee tee)
{
    switch (tee) {
    case PLATFORM_SNP:
        return "snp";
    case PLATFORM_TDX:
        return "tdx";
    default:
        return "none";
    }
}

static enum platform_tee
tee_of_provider(const char *provider)
{
    if (strcmp(provider, "sev_guest") == 0)
        return PLATFORM_SNP;
    if (strcmp(provider, "tdx_guest") == 0)
        return PLATFORM_TDX;
    return PLATFORM_NONE;
}

static void
say(struct platform *p, enum platform_tee tee, const char *what,
    const char *name)
{
    p->tee = tee;
    (void)snprintf(p->how, sizeof(p->how), "%s%s", what, name);
}

/* The socket has no question but "a report, please". */
static enum assay_status
socket_provider(const char *path, char provider[COLLECT_PROVIDER_SIZE],
                struct assay_error *err)
{
    static const uint8_t zeros[COLLECT_REPORT_DATA_SIZE];
    struct collected got;
    struct arena arena;
    enum assay_status st;

    arena_init(&arena, 2 * LIMIT_TSM_BLOB_BYTES + 4096, NULL);
    st =
        tsm_socket_report(path, zeros, COLLECT_VMPL_DEFAULT, &arena, &got, err);
    if (st == ASSAY_OK)
        memcpy(provider, got.provider, COLLECT_PROVIDER_SIZE);
    arena_drop(&arena);
    return st;
}

static bool
detect_tsm(const struct collect_config *cfg, struct platform *out)
{
    const char *path = cfg->tsm_path ? cfg->tsm_path : TSM_REPORT_PATH;
    char provider[COLLECT_PROVIDER_SIZE];
    struct assay_error err;
    enum assay_status st;

    if (tsm_socket_present(path))
        st = socket_provider(path, provider, &err);
    else if (tsm_present(path))
        st = tsm_provider(cfg, path, provider, &err);
    else
        return false;
    if (st != ASSAY_OK) {
        say(out, PLATFORM_NONE, "", err.text);
        return false;
    }
    say(out, tee_of_provider(provider), "configfs-tsm provider ", provider);
    return true;
}

static bool
detect_device(const struct collect_config *cfg, struct platform *out)
{
    const char *snp =
        cfg->sev_guest_path ? cfg->sev_guest_path : SEV_GUEST_PATH;

    if (snp[0] != '\0' && sev_guest_present(snp)) {
        say(out, PLATFORM_SNP, "device ", snp);
        return true;
    }
    if (access(TDX_GUEST_PATH, F_OK) == 0) {
        say(out, PLATFORM_TDX, "device ", TDX_GUEST_PATH);
        return true;
    }
    return false;
}

/* True when the first "flags" line holds the word. */
static bool
has_flag(const char *cpuinfo, const char *word)
{
    const char *line = strstr(cpuinfo, "\nflags");
    const char *end = line ? strchr(line + 1, '\n') : NULL;
    size_t len = strlen(word);

    for (const char *at = line; at && (at = strstr(at, word)) != NULL;
         at += len) {
        if (end && at >= end)
            return false;
        if (at[-1] == ' ' &&
            (at[len] == ' ' || at[len] == '\n' || at[len] == '\0'))
            return true;
    }
    return false;
}

static void
explain_flags(const char *path, struct platform *out)
{
    struct buffer text;
    enum assay_status st;

    buffer_init(&text, LIMIT_CPUINFO_BYTES, NULL);
    st = file_read(path, &text, NULL);
    if (st != ASSAY_OK && st != ASSAY_ERR_LIMIT) {
        say(out, PLATFORM_NONE, "no report interface, and cannot read ", path);
    } else if (!has_flag(buffer_str(&text), "hypervisor")) {
        say(out, PLATFORM_NONE, "not a virtual machine", "");
    } else if (has_flag(buffer_str(&text), "sev_snp")) {
        say(out, PLATFORM_NONE, "an SEV-SNP guest without a report interface: ",
            "load the sev-guest module");
    } else if (has_flag(buffer_str(&text), "tdx_guest")) {
        say(out, PLATFORM_NONE, "a TDX guest without a report interface: ",
            "load the tdx-guest module");
    } else {
        say(out, PLATFORM_NONE, "a virtual machine that is not confidential",
            "");
    }
    buffer_free(&text);
}

void
platform_detect(const struct collect_config *cfg, const char *cpuinfo_path,
                struct platform *out)
{
    *out = (struct platform){ 0 };
    if (detect_tsm(cfg, out))
        return;
    /* As in collect_report: a path that was asked for is not replaced. */
    if (cfg->tsm_path) {
        if (out->how[0] == '\0')
            say(out, PLATFORM_NONE, "nothing answers at ", cfg->tsm_path);
        return;
    }
    if (detect_device(cfg, out) || out->how[0] != '\0')
        return;
    explain_flags(cpuinfo_path ? cpuinfo_path : CPUINFO_PATH, out);
}

uint32_t
platform_cpuid_fms(void)
{
#if defined(__x86_64__)
    unsigned eax, ebx, ecx, edx;

    if (__get_cpuid(1, &eax, &ebx, &ecx, &edx))
        return eax & 0x0FFF0FFFu;
#endif
    return 0;
}
