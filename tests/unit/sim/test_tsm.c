/* The rules of configfs-tsm, as Documentation/ABI/testing/configfs-tsm and the
 * kernel's sources have them (sheet section 5.2). */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>

#include "sim/tsm.h"

/* Answers with privlevel, call number and inblob; counts its calls. */
struct fake {
    unsigned calls;
    int fail; /* negated errno to answer with instead */
    size_t auxblob_len;
};

static int
fake_report(void *ctx, const uint8_t *inblob, size_t inblob_len,
            unsigned privlevel, struct buffer *outblob, struct buffer *auxblob)
{
    struct fake *f = ctx;

    if (f->fail)
        return f->fail;
    f->calls++;
    buffer_addf(outblob, "%u/%u/", privlevel, f->calls);
    buffer_add(outblob, span_of(inblob, inblob_len));
    for (size_t i = 0; i < f->auxblob_len; i++)
        buffer_add(auxblob, span_of("x", 1));
    return 0;
}

struct fixture {
    struct fake fake;
    struct tsm *tsm;
};

static void
start(struct fixture *f, unsigned floor)
{
    const struct tsm_provider provider = { "sev_guest", floor, fake_report,
                                           &f->fake };

    f->fake = (struct fake){ 0 };
    f->tsm = tsm_new(&provider);
    assert_non_null(f->tsm);
    assert_int_equal(tsm_mkdir(f->tsm, "a"), 0);
}

/* Opens, writes and closes; the result of the write. */
static ssize_t
put(struct fixture *f, enum tsm_attribute attribute, const char *text)
{
    struct tsm_file *file;
    ssize_t n;

    assert_int_equal(tsm_open(f->tsm, "a", attribute, O_WRONLY, &file), 0);
    n = tsm_write(file, 0, (const uint8_t *)text, strlen(text));
    tsm_close(file);
    return n;
}

/* Opens, reads as text, closes; the result of the read. */
static ssize_t
get(struct fixture *f, enum tsm_attribute attribute, char text[256])
{
    struct tsm_file *file;
    ssize_t n;

    assert_int_equal(tsm_open(f->tsm, "a", attribute, O_RDONLY, &file), 0);
    n = tsm_read(file, 0, (uint8_t *)text, 255);
    text[n > 0 ? n : 0] = '\0';
    tsm_close(file);
    return n;
}

static void
expect(struct fixture *f, enum tsm_attribute attribute, const char *want)
{
    char got[256];

    if (get(f, attribute, got) < 0 || strcmp(got, want) != 0)
        fail_msg("%s: got \"%s\", want \"%s\"", tsm_attributes[attribute].name,
                 got, want);
}

static void
expect_error(struct fixture *f, enum tsm_attribute attribute, int want)
{
    char text[256];
    ssize_t got = get(f, attribute, text);

    if (got != -want)
        fail_msg("%s: got %zd, want %d", tsm_attributes[attribute].name, got,
                 -want);
}

static void
entries_are_unique_and_go(void **state)
{
    struct fixture f;
    char name[TSM_NAME_MAX + 2];

    (void)state;
    start(&f, 0);
    assert_int_equal(tsm_mkdir(f.tsm, "a"), -EEXIST);
    assert_int_equal(tsm_mkdir(f.tsm, "b"), 0);
    assert_int_equal(tsm_rmdir(f.tsm, "a"), 0);
    assert_int_equal(tsm_rmdir(f.tsm, "a"), -ENOENT);
    assert_false(tsm_exists(f.tsm, "a"));
    assert_true(tsm_exists(f.tsm, "b"));
    memset(name, 'n', sizeof(name));
    name[TSM_NAME_MAX + 1] = '\0';
    assert_int_equal(tsm_mkdir(f.tsm, name), -ENAMETOOLONG);
    tsm_free(f.tsm);
}

static void
attributes_are_read_or_written_never_both(void **state)
{
    struct fixture f;
    struct tsm_file *file;

    (void)state;
    start(&f, 0);
    for (int i = 0; i < TSM_ATTRIBUTE_COUNT; i++) {
        enum tsm_attribute a = (enum tsm_attribute)i;
        bool writes = a == TSM_INBLOB || a == TSM_PRIVLEVEL;

        assert_int_equal(tsm_attribute_find(tsm_attributes[i].name), i);
        assert_int_equal(tsm_open(f.tsm, "a", a, O_RDWR, &file), -EACCES);
        assert_int_equal(
            tsm_open(f.tsm, "a", a, writes ? O_RDONLY : O_WRONLY, &file),
            -EACCES);
    }
    assert_int_equal(tsm_open(f.tsm, "z", TSM_OUTBLOB, O_RDONLY, &file),
                     -ENOENT);
    tsm_free(f.tsm);
}

static void
provider_and_floor_are_shown(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, 2);
    expect(&f, TSM_PROVIDER, "sev_guest\n");
    expect(&f, TSM_PRIVLEVEL_FLOOR, "2\n");
    tsm_free(f.tsm);
}

static void
a_report_needs_an_inblob(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, 0);
    expect_error(&f, TSM_OUTBLOB, EINVAL);
    expect_error(&f, TSM_AUXBLOB, EINVAL);
    assert_int_equal(put(&f, TSM_INBLOB, ""), 0);
    tsm_free(f.tsm);
}

static void
an_inblob_counts_when_its_file_closes(void **state)
{
    struct fixture f;
    struct tsm_file *file;

    (void)state;
    start(&f, 0);
    assert_int_equal(tsm_open(f.tsm, "a", TSM_INBLOB, O_WRONLY, &file), 0);
    assert_int_equal(tsm_write(file, 0, (const uint8_t *)"non", 3), 3);
    assert_int_equal(tsm_write(file, 3, (const uint8_t *)"ce", 2), 2);
    expect(&f, TSM_GENERATION, "0\n");
    expect_error(&f, TSM_OUTBLOB, EINVAL);
    tsm_close(file);
    expect(&f, TSM_GENERATION, "1\n");
    expect(&f, TSM_OUTBLOB, "0/1/nonce");
    tsm_free(f.tsm);
}

static void
a_report_is_made_once_per_write(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, 0);
    put(&f, TSM_INBLOB, "one");
    expect(&f, TSM_OUTBLOB, "0/1/one");
    expect(&f, TSM_AUXBLOB, "");
    expect(&f, TSM_OUTBLOB, "0/1/one");
    put(&f, TSM_INBLOB, "one");
    expect(&f, TSM_GENERATION, "2\n");
    expect(&f, TSM_OUTBLOB, "0/2/one");
    tsm_free(f.tsm);
}

static void
an_inblob_has_64_bytes_at_most(void **state)
{
    char text[66];
    struct fixture f;

    (void)state;
    memset(text, 'n', sizeof(text));
    text[65] = '\0';
    start(&f, 0);
    assert_int_equal(put(&f, TSM_INBLOB, text), -EFBIG);
    expect(&f, TSM_GENERATION, "0\n");
    text[64] = '\0';
    assert_int_equal(put(&f, TSM_INBLOB, text), 64);
    expect(&f, TSM_GENERATION, "1\n");
    tsm_free(f.tsm);
}

static void
privlevel_stays_between_floor_and_three(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {
        { "0", false },
        { "1", true },
        { "3\n", true },
        { "0x2", true },
        { "4", false },
        { "", false },
        { "x", false },
        { "-1", false },
        { "2 ", false },
        { "2\n\n", false },
        { "99999999999999", false },
    };
    struct fixture f;

    (void)state;
    start(&f, 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        ssize_t got = put(&f, TSM_PRIVLEVEL, rows[i].text);

        if ((got == (ssize_t)strlen(rows[i].text)) != rows[i].ok ||
            (got < 0 && got != -EINVAL))
            fail_msg("privlevel \"%s\": got %zd", rows[i].text, got);
    }
    expect(&f, TSM_GENERATION, "3\n");
    put(&f, TSM_INBLOB, "n");
    expect(&f, TSM_OUTBLOB, "2/1/n");
    tsm_free(f.tsm);
}

static void
the_drivers_errors_are_the_readers(void **state)
{
    struct fixture f;

    (void)state;
    start(&f, 0);
    put(&f, TSM_INBLOB, "n");
    f.fake.fail = -ENXIO;
    expect_error(&f, TSM_OUTBLOB, ENXIO);
    f.fake.fail = 0;
    expect(&f, TSM_OUTBLOB, "0/1/n");
    f.fake.auxblob_len = TSM_OUTBLOB_MAX + 1;
    put(&f, TSM_INBLOB, "n");
    expect_error(&f, TSM_AUXBLOB, EFBIG);
    tsm_free(f.tsm);
}

static void
an_open_blob_stays_as_it_was(void **state)
{
    struct fixture f;
    struct tsm_file *file;
    uint8_t got[8];

    (void)state;
    start(&f, 0);
    put(&f, TSM_INBLOB, "old");
    assert_int_equal(tsm_open(f.tsm, "a", TSM_OUTBLOB, O_RDONLY, &file), 0);
    assert_int_equal(tsm_read(file, 0, got, 4), 4);
    put(&f, TSM_INBLOB, "new");
    expect(&f, TSM_OUTBLOB, "0/2/new");
    assert_int_equal(tsm_read(file, 4, got, sizeof(got)), 3);
    assert_memory_equal(got, "old", 3);
    assert_int_equal(tsm_read(file, 7, got, sizeof(got)), 0);
    assert_int_equal(tsm_read(file, 700, got, sizeof(got)), 0);
    tsm_close(file);
    tsm_free(f.tsm);
}

static void
a_removed_entry_gives_and_takes_nothing(void **state)
{
    struct fixture f;
    struct tsm_file *in, *out;
    uint8_t got[8];

    (void)state;
    start(&f, 0);
    assert_int_equal(tsm_open(f.tsm, "a", TSM_INBLOB, O_WRONLY, &in), 0);
    assert_int_equal(tsm_open(f.tsm, "a", TSM_OUTBLOB, O_RDONLY, &out), 0);
    assert_int_equal(tsm_write(in, 0, (const uint8_t *)"n", 1), 1);
    assert_int_equal(tsm_rmdir(f.tsm, "a"), 0);
    assert_int_equal(tsm_mkdir(f.tsm, "a"), 0);
    tsm_close(in);
    assert_int_equal(tsm_read(out, 0, got, sizeof(got)), -ENOENT);
    tsm_close(out);
    expect(&f, TSM_GENERATION, "0\n");
    tsm_free(f.tsm);
}

static void *
write_and_read_own_entry(void *ctx)
{
    struct fixture f = *(struct fixture *)ctx;
    char name[16], want[64], got[64];

    snprintf(name, sizeof(name), "t%lx", (unsigned long)pthread_self() >> 12);
    for (int i = 0; i < 200; i++) {
        struct tsm_file *file;
        ssize_t n;

        if (tsm_mkdir(f.tsm, name) != 0 ||
            tsm_open(f.tsm, name, TSM_INBLOB, O_WRONLY, &file) != 0)
            return "open";
        n = snprintf(want, sizeof(want), "%s-%d", name, i);
        tsm_write(file, 0, (const uint8_t *)want, (size_t)n);
        tsm_close(file);
        if (tsm_open(f.tsm, name, TSM_OUTBLOB, O_RDONLY, &file) != 0)
            return "open";
        n = tsm_read(file, 0, (uint8_t *)got, sizeof(got) - 1);
        tsm_close(file);
        if (n < 0)
            return "read";
        got[n] = '\0';
        if (!strstr(got, want) || tsm_rmdir(f.tsm, name) != 0)
            return "another's report";
    }
    return NULL;
}

static void
entries_do_not_mix_between_threads(void **state)
{
    pthread_t threads[8];
    struct fixture f;

    (void)state;
    start(&f, 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, write_and_read_own_entry, &f), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *fault;

        pthread_join(threads[i], &fault);
        if (fault)
            fail_msg("%s", (const char *)fault);
    }
    tsm_free(f.tsm);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_unique_and_go),
        cmocka_unit_test(attributes_are_read_or_written_never_both),
        cmocka_unit_test(provider_and_floor_are_shown),
        cmocka_unit_test(a_report_needs_an_inblob),
        cmocka_unit_test(an_inblob_counts_when_its_file_closes),
        cmocka_unit_test(a_report_is_made_once_per_write),
        cmocka_unit_test(an_inblob_has_64_bytes_at_most),
        cmocka_unit_test(privlevel_stays_between_floor_and_three),
        cmocka_unit_test(the_drivers_errors_are_the_readers),
        cmocka_unit_test(an_open_blob_stays_as_it_was),
        cmocka_unit_test(a_removed_entry_gives_and_takes_nothing),
        cmocka_unit_test(entries_do_not_mix_between_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
