/* Each system call of a write is made the last one before a power failure.
 *
 * A power failure loses what was not synced: bytes of a file, and names in a
 * folder. Both are played here on top of a real folder, so that forgetting a
 * sync, or syncing in the wrong order, fails the test. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>

#include "store/store_file.h"
#include "temp_dir.h"

struct disk {
    struct temp_dir dir;
    int calls;
    int die_at;       /* the call that never happens */
    bool names_stick; /* a rename without a sync of its folder survives */
    char dirty[256];  /* file whose bytes are not synced, or "" */
    char renamed[64]; /* name whose change is not synced, or "" */
    char before[64];  /* what it held; "" is absent */
};

static void
full_path(const struct disk *d, const char *name, char path[256])
{
    (void)snprintf(path, 256, "%s/%s", d->dir.path, name);
}

static bool
dies(struct disk *d)
{
    errno = EIO;
    return d->calls++ >= d->die_at;
}

static int
disk_create(void *ctx, int dirfd, const char *path)
{
    struct disk *d = ctx;

    if (dies(d))
        return -1;
    full_path(d, path, d->dirty);
    return store_io_system.create(NULL, dirfd, path);
}

/* One byte at a time, so that a crash can fall between any two. */
static ssize_t
disk_write(void *ctx, int fd, const void *bytes, size_t len)
{
    (void)len;
    return dies(ctx) ? -1 : store_io_system.write(NULL, fd, bytes, 1);
}

static int
disk_sync(void *ctx, int fd)
{
    struct disk *d = ctx;
    struct stat sb;

    if (dies(d))
        return -1;
    assert_int_equal(fstat(fd, &sb), 0);
    if (S_ISDIR(sb.st_mode))
        d->renamed[0] = '\0';
    else
        d->dirty[0] = '\0';
    return 0;
}

static void
read_before(struct disk *d, const char *name)
{
    char path[256];
    FILE *f;
    size_t got = 0;

    full_path(d, name, path);
    f = fopen(path, "re");
    if (f) {
        got = fread(d->before, 1, sizeof(d->before) - 1, f);
        (void)fclose(f);
    }
    d->before[got] = '\0';
}

static int
disk_rename(void *ctx, int dirfd, const char *from, const char *to)
{
    struct disk *d = ctx;

    if (dies(d))
        return -1;
    read_before(d, to);
    (void)snprintf(d->renamed, sizeof(d->renamed), "%s", to);
    if (d->dirty[0])
        full_path(d, to, d->dirty);
    return store_io_system.rename(NULL, dirfd, from, to);
}

static int
disk_unlink(void *ctx, int dirfd, const char *path)
{
    return dies(ctx) ? -1 : store_io_system.unlink(NULL, dirfd, path);
}

static void
power_failure(struct disk *d)
{
    char path[256];

    if (d->dirty[0])
        assert_int_equal(truncate(d->dirty, 0), 0);
    if (!d->renamed[0] || d->names_stick)
        return;
    if (d->before[0]) {
        temp_dir_overwrite(&d->dir, d->renamed, d->before);
        return;
    }
    full_path(d, d->renamed, path);
    assert_int_equal(unlink(path), 0);
}

static void
assert_aside_is_empty(const struct disk *d)
{
    char path[256];
    DIR *dir;
    const struct dirent *e;

    full_path(d, ".aside", path);
    dir = opendir(path);
    assert_non_null(dir);
    while ((e = readdir(dir)) != NULL) {
        if (e->d_name[0] != '.')
            fail_msg("%s was left in .aside", e->d_name);
    }
    (void)closedir(dir);
}

struct write {
    const char *name;
    bool is_put;
    const char *old; /* "": absent */
    const char *value;
};

static enum assay_status
run_write(const struct write *w, const struct store *s)
{
    if (w->is_put)
        return store_put(s, "t/key", span_str(w->value), NULL);
    return store_cas(s, "t/key", span_str(w->old), span_str(w->value), NULL);
}

static void
check_after(const struct write *w, const struct disk *d, bool done)
{
    const struct store_file_config config = { .dir = d->dir.path };
    struct store_file *file;
    struct assay_error err;
    struct store s;
    struct buffer got;
    enum assay_status st;

    buffer_init(&got, 100, NULL);
    assert_ok(store_file_open(&config, &file, &err), &err);
    s = store_file_store(file);
    st = store_get(&s, "t/key", &got, &err);
    if (st != ASSAY_ERR_NOT_FOUND)
        assert_ok(st, &err);
    if (strcmp(buffer_str(&got), w->value) != 0 &&
        (done || strcmp(buffer_str(&got), w->old) != 0))
        fail_msg("%s, crash at call %d: got \"%s\", want \"%s\"%s%s", w->name,
                 d->die_at, buffer_str(&got), w->value, done ? "" : " or ",
                 done ? "" : w->old);
    assert_aside_is_empty(d);
    buffer_free(&got);
    store_file_close(file);
}

/* Returns false once the write needed fewer calls than die_at. */
static bool
crash_once(const struct write *w, int die_at, bool names_stick)
{
    struct disk d = { .dir = temp_dir_new(),
                      .die_at = die_at,
                      .names_stick = names_stick };
    const struct store_io io = { disk_create, disk_write,  disk_sync,
                                 disk_rename, disk_unlink, &d };
    struct store_file_config config = { .dir = d.dir.path };
    struct store_file *file;
    struct assay_error err;
    struct store s;
    bool done;

    assert_ok(store_file_open(&config, &file, &err), &err);
    s = store_file_store(file);
    if (w->old[0])
        assert_ok(store_put(&s, "t/key", span_str(w->old), &err), &err);
    store_file_close(file);

    config.io = &io;
    done = store_file_open(&config, &file, NULL) == ASSAY_OK;
    if (done) {
        s = store_file_store(file);
        done = run_write(w, &s) == ASSAY_OK;
        store_file_close(file);
    }
    power_failure(&d);
    check_after(w, &d, done);
    temp_dir_remove(&d.dir);
    return d.calls > die_at;
}

static void
a_crash_leaves_the_old_value_or_the_new(void **state)
{
    static const struct write writes[] = {
        { "put, absent", true, "", "new value" },
        { "put, present", true, "same", "same" },
        { "cas, absent", false, "", "new value" },
        { "cas, present", false, "old", "new value" },
    };
    int runs = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(writes); i++) {
        for (int stick = 0; stick < 2; stick++) {
            int die_at = 0;

            while (crash_once(&writes[i], die_at, stick))
                die_at++;
            runs += die_at;
        }
    }
    print_message("%d crashes\n", runs);
    assert_true(runs > 60);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_leaves_the_old_value_or_the_new),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
