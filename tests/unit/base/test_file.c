#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static int
enter_scratch(void **state)
{
    char *dir = strdup("/tmp/assay-test-file-XXXXXX");

    *state = dir;
    return dir && mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int
leave_scratch(void **state)
{
    char command[64];
    int gone;

    (void)snprintf(command, sizeof(command), "rm -rf %s", (char *)*state);
    gone = chdir("/") == 0 && system(command) == 0;
    free(*state);
    return gone ? 0 : -1;
}

static void
a_file_is_replaced_whole_with_its_mode(void **state)
{
    struct assay_error err = { 0 };
    struct buffer b;
    struct stat sb;
    mode_t old = umask(077); /* does not count */

    (void)state;
    assert_ok(dir_create("a/b/c", 0755, &err), &err);
    assert_int_equal(stat("a/b", &sb), 0);
    assert_int_equal(sb.st_mode & 0777, 0755);
    (void)umask(old);
    assert_ok(dir_create("a/b/c", 0755, &err), &err);
    assert_ok(file_write_atomic("a/b/c/f", span_str("old"), 0644, &err), &err);
    assert_ok(file_write_atomic("a/b/c/f", span_str("new"), 0400, &err), &err);
    assert_int_equal(stat("a/b/c/f", &sb), 0);
    assert_int_equal(sb.st_mode & 0777, 0400);
    buffer_init(&b, 3, NULL);
    assert_ok(file_read("a/b/c/f", &b, &err), &err);
    assert_string_equal(buffer_str(&b), "new");
    buffer_free(&b);
}

static void
a_file_over_the_limit_or_absent_is_named(void **state)
{
    struct assay_error err = { 0 };
    struct buffer b;

    (void)state;
    assert_ok(file_write_atomic("f", span_str("four"), 0644, &err), &err);
    buffer_init(&b, 3, NULL);
    assert_status(file_read("f", &b, &err), ASSAY_ERR_LIMIT);
    buffer_free(&b);
    assert_status(file_read("none", &b, &err), ASSAY_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "none"));
    assert_status(file_read(".", &b, &err), ASSAY_ERR_IO);
    buffer_free(&b);
}

static void
a_failed_write_keeps_the_old_file_and_no_rest(void **state)
{
    struct assay_error err = { 0 };
    struct buffer b;

    (void)state;
    assert_ok(dir_create("d", 0755, &err), &err);
    assert_status(file_write_atomic("d", span_str("x"), 0644, &err),
                  ASSAY_ERR_IO);
    assert_status(file_write_atomic("none/f", span_str("x"), 0644, &err),
                  ASSAY_ERR_NOT_FOUND);
    buffer_init(&b, 4096, NULL);
    assert_int_equal(system("ls -A . > /tmp/assay-test-file-list"), 0);
    assert_ok(file_read("/tmp/assay-test-file-list", &b, &err), &err);
    assert_null(strstr(buffer_str(&b), "d."));
    buffer_free(&b);
    (void)unlink("/tmp/assay-test-file-list");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_replaced_whole_with_its_mode),
        cmocka_unit_test(a_file_over_the_limit_or_absent_is_named),
        cmocka_unit_test(a_failed_write_keeps_the_old_file_and_no_rest),
    };

    return cmocka_run_group_tests(tests, enter_scratch, leave_scratch);
}
