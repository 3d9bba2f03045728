/* What can be tested of configfs-tsm on a directory that is none: that every
 * failure leaves no entry behind. The protocol itself is tested against the
 * simulator's file system. */
#include "unit.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/tsm.h"

enum { ARENA_BUDGET = 1 << 20 };

static bool
counting_fill(void *ctx, uint8_t *out, size_t len)
{
    uint8_t *next = ctx;

    for (size_t i = 0; i < len; i++)
        out[i] = *next;
    (*next)++;
    return true;
}

static void
no_pause(void *ctx, unsigned ms)
{
    unsigned *total = ctx;

    *total += ms;
}

static size_t
entries_in(const char *path)
{
    DIR *dir = opendir(path);
    size_t n = 0;

    assert_non_null(dir);
    while (readdir(dir))
        n++;
    (void)closedir(dir);
    return n - 2; /* . and .. */
}

static void
failure_removes_its_entry_and_says_what_to_do(void **state)
{
    char dir[] = "/tmp/assay-tsm-XXXXXX";
    uint8_t next = 1, report_data[64] = { 0 };
    unsigned waited = 0;
    struct random_source random = { counting_fill, &next };
    struct collect_config cfg = { .random = &random,
                                  .pause_ms = no_pause,
                                  .pause_ctx = &waited };
    struct collected got;
    struct assay_error err;
    struct arena arena;

    (void)state;
    assert_non_null(mkdtemp(dir));
    cfg.tsm_path = dir;
    arena_init(&arena, ARENA_BUDGET, NULL);
    assert_status(collect_report(&cfg, report_data, 0, &arena, &got, &err),
                  ASSAY_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "provider"));
    assert_non_null(strstr(err.text, "tsm driver"));
    assert_int_equal(entries_in(dir), 0);
    arena_drop(&arena);
    assert_int_equal(rmdir(dir), 0);
}

/* A name somebody holds is left alone, and another one is tried. */
static void
taken_name_is_not_used(void **state)
{
    char dir[] = "/tmp/assay-tsm-XXXXXX", taken[96];
    uint8_t next = 1;
    struct random_source random = { counting_fill, &next };
    struct collect_config cfg = { .random = &random };
    char provider[COLLECT_PROVIDER_SIZE];
    struct assay_error err;

    (void)state;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(taken, sizeof(taken), "%s/assay-%ld-0101010101010101", dir,
                   (long)getpid());
    assert_int_equal(mkdir(taken, 0700), 0);
    assert_status(tsm_provider(&cfg, dir, provider, &err),
                  ASSAY_ERR_UNSUPPORTED);
    assert_int_equal(next, 3); /* two names drawn */
    assert_int_equal(entries_in(dir), 1);
    assert_int_equal(rmdir(taken), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void
missing_interface_is_named(void **state)
{
    uint8_t report_data[64] = { 0 };
    struct collect_config cfg = { .tsm_path = "/nonexistent/tsm" };
    struct collected got;
    struct assay_error err;
    struct arena arena;

    (void)state;
    arena_init(&arena, ARENA_BUDGET, NULL);
    assert_status(collect_report(&cfg, report_data, 0, &arena, &got, &err),
                  ASSAY_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "/nonexistent/tsm"));
    arena_drop(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failure_removes_its_entry_and_says_what_to_do),
        cmocka_unit_test(taken_name_is_not_used),
        cmocka_unit_test(missing_interface_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
