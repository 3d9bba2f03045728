#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "collect/platform.h"

static void
detect_with(const char *cpuinfo, struct platform *out)
{
    char path[] = "/tmp/assay-cpuinfo-XXXXXX";
    int fd = mkstemp(path);
    /* No tsm_path: the kernel's, which the machine of a test has not. */
    struct collect_config cfg = { .sev_guest_path = "" };

    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(file_write_atomic(path, span_str(cpuinfo), 0600, NULL),
                     ASSAY_OK);
    platform_detect(&cfg, path, out);
    (void)unlink(path);
}

/* Flags alone give no report, so they explain and never decide. */
static void
flags_explain_but_do_not_decide(void **state)
{
    static const struct {
        const char *cpuinfo, *how;
    } rows[] = {
        { "processor\t: 0\nflags\t\t: fpu hypervisor sev sev_es sev_snp\n",
          "load the sev-guest module" },
        { "processor\t: 0\nflags\t\t: fpu hypervisor tdx_guest\nbugs\t: x\n",
          "load the tdx-guest module" },
        { "processor\t: 0\nflags\t\t: fpu sev_snp\n", "not a virtual" },
        { "processor\t: 0\nflags\t\t: hypervisor sev_snpx\n",
          "not confidential" },
        { "processor\t: 0\nflags\t\t: hypervisor\nbugs\t: a sev_snp b\n",
          "not confidential" },
        { "", "not a virtual" },
    };

    (void)state;
    if (access("/sys/kernel/config/tsm", F_OK) == 0 ||
        access("/dev/tdx_guest", F_OK) == 0)
        skip(); /* a confidential VM: its own answer is the right one */
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct platform p;

        detect_with(rows[i].cpuinfo, &p);
        assert_int_equal(p.tee, PLATFORM_NONE);
        if (!strstr(p.how, rows[i].how))
            fail_msg("row %zu: got \"%s\", want \"%s\"", i, p.how, rows[i].how);
    }
}

static void
path_that_was_asked_for_is_not_replaced(void **state)
{
    struct collect_config cfg = { .tsm_path = "/nonexistent/tsm" };
    struct platform p;

    (void)state;
    platform_detect(&cfg, NULL, &p);
    assert_int_equal(p.tee, PLATFORM_NONE);
    assert_non_null(strstr(p.how, "/nonexistent/tsm"));
}

static void
names_are_stable(void **state)
{
    (void)state;
    assert_string_equal(platform_tee_name(PLATFORM_NONE), "none");
    assert_string_equal(platform_tee_name(PLATFORM_SNP), "snp");
    assert_string_equal(platform_tee_name(PLATFORM_TDX), "tdx");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_explain_but_do_not_decide),
        cmocka_unit_test(path_that_was_asked_for_is_not_replaced),
        cmocka_unit_test(names_are_stable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
