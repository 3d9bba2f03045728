#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/limits.h"
#include "store/store_file.h"
#include "temp_dir.h"

struct fixture {
    struct temp_dir dir;
    struct store_file *file;
    struct store store;
};

static void
open_store(struct fixture *f)
{
    const struct store_file_config config = { .dir = f->dir.path };
    struct assay_error err;

    assert_ok(store_file_open(&config, &f->file, &err), &err);
    f->store = store_file_store(f->file);
}

static struct fixture
fixture_new(void)
{
    struct fixture f = { .dir = temp_dir_new() };

    open_store(&f);
    return f;
}

static void
fixture_end(struct fixture *f)
{
    store_file_close(f->file);
    temp_dir_remove(&f->dir);
}

static void
assert_value(const struct fixture *f, const char *key, const char *want)
{
    struct assay_error err;
    struct buffer got;

    buffer_init(&got, LIMIT_STORE_VALUE_BYTES, NULL);
    assert_ok(store_get(&f->store, key, &got, &err), &err);
    assert_string_equal(buffer_str(&got), want);
    buffer_free(&got);
}

static void
put_keeps_what_is_there(void **state)
{
    struct fixture f = fixture_new();
    struct assay_error err;

    (void)state;
    assert_ok(store_put(&f.store, "a/b", span_str("one"), &err), &err);
    assert_ok(store_put(&f.store, "a/b", span_str("one"), &err), &err);
    assert_status(store_put(&f.store, "a/b", span_str("two"), &err),
                  ASSAY_ERR_CONFLICT);
    assert_value(&f, "a/b", "one");
    fixture_end(&f);
}

static void
cas_compares_before_it_swaps(void **state)
{
    struct fixture f = fixture_new();
    struct assay_error err;

    (void)state;
    assert_status(
        store_cas(&f.store, "t/latest", span_str("x"), span_str("one"), &err),
        ASSAY_ERR_CONFLICT);
    assert_non_null(strstr(err.text, "has changed since last read"));
    assert_ok(
        store_cas(&f.store, "t/latest", span_str(""), span_str("one"), &err),
        &err);
    assert_status(
        store_cas(&f.store, "t/latest", span_str(""), span_str("two"), &err),
        ASSAY_ERR_CONFLICT);
    assert_ok(
        store_cas(&f.store, "t/latest", span_str("one"), span_str("two"), &err),
        &err);
    assert_value(&f, "t/latest", "two");
    fixture_end(&f);
}

static void
values_survive_closing(void **state)
{
    struct fixture f = fixture_new();
    struct assay_error err;

    (void)state;
    assert_ok(store_put(&f.store, "a/b", span_str("one"), &err), &err);
    store_file_close(f.file);
    open_store(&f);
    assert_value(&f, "a/b", "one");
    fixture_end(&f);
}

static void
keys_outside_the_alphabet_are_refused(void **state)
{
    static const char *const bad[] = {
        "",     "a",     "a/",    "/b",   "a/b/c", "../b", "a/..",
        "a/.b", "a b/c", "a/b\n", "a//b", "a/b_c", "./b",
    };
    struct fixture f = fixture_new();
    struct buffer out;
    char long_key[STORE_KEY_MAX + 8];

    (void)state;
    buffer_init(&out, 100, NULL);
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (store_get(&f.store, bad[i], &out, NULL) != ASSAY_ERR_LIMIT)
            fail_msg("accepted key \"%s\"", bad[i]);
    }
    memset(long_key, 'a', sizeof(long_key));
    long_key[1] = '/';
    long_key[STORE_KEY_MAX + 1] = '\0';
    assert_false(store_key_check(long_key));
    long_key[STORE_KEY_MAX] = '\0';
    assert_true(store_key_check(long_key));
    buffer_free(&out);
    fixture_end(&f);
}

static void
damage_is_never_taken_for_absence(void **state)
{
    struct fixture f = fixture_new();
    struct assay_error err;
    struct buffer out;

    (void)state;
    buffer_init(&out, LIMIT_STORE_VALUE_BYTES, NULL);
    assert_status(store_get(&f.store, "t/latest", &out, &err),
                  ASSAY_ERR_NOT_FOUND);
    assert_ok(store_put(&f.store, "t/latest", span_str("one"), &err), &err);
    temp_dir_overwrite(&f.dir, "t/latest", "");
    assert_status(store_get(&f.store, "t/latest", &out, &err),
                  ASSAY_ERR_MALFORMED);
    assert_status(
        store_cas(&f.store, "t/latest", span_str(""), span_str("new"), &err),
        ASSAY_ERR_MALFORMED);
    assert_status(store_put(&f.store, "t/latest", span_str("one"), &err),
                  ASSAY_ERR_MALFORMED);
    buffer_free(&out);
    fixture_end(&f);
}

static void
what_is_not_a_file_is_an_error(void **state)
{
    struct fixture f = fixture_new();
    char path[256];
    struct buffer out;

    (void)state;
    buffer_init(&out, 100, NULL);
    (void)snprintf(path, sizeof(path), "%s/d", f.dir.path);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/d/dir", f.dir.path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_status(store_get(&f.store, "d/dir", &out, NULL),
                  ASSAY_ERR_MALFORMED);
    (void)snprintf(path, sizeof(path), "%s/d/link", f.dir.path);
    assert_int_equal(symlink("/etc/hostname", path), 0);
    assert_status(store_get(&f.store, "d/link", &out, NULL), ASSAY_ERR_IO);
    (void)snprintf(path, sizeof(path), "%s/d/pipe", f.dir.path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_status(store_get(&f.store, "d/pipe", &out, NULL),
                  ASSAY_ERR_MALFORMED);
    buffer_free(&out);
    fixture_end(&f);
}

static bool
count_key(void *ctx, const char *key)
{
    size_t *n = ctx;

    assert_int_equal(strncmp(key, "a/", 2), 0);
    ++*n;
    return true;
}

static void
list_names_the_keys_of_one_folder(void **state)
{
    struct fixture f = fixture_new();
    struct assay_error err;
    size_t n = 0;

    (void)state;
    assert_ok(store_list(&f.store, "a", count_key, &n, &err), &err);
    assert_int_equal(n, 0);
    assert_ok(store_put(&f.store, "a/one", span_str("1"), &err), &err);
    assert_ok(store_put(&f.store, "a/two", span_str("2"), &err), &err);
    assert_ok(store_put(&f.store, "b/three", span_str("3"), &err), &err);
    temp_dir_overwrite(&f.dir, "a/.stray~", "not a key");
    assert_ok(store_list(&f.store, "a", count_key, &n, &err), &err);
    assert_int_equal(n, 2);
    assert_status(store_list(&f.store, "..", count_key, &n, &err),
                  ASSAY_ERR_LIMIT);
    fixture_end(&f);
}

static void
wait_sees_a_change_and_a_lack_of_one(void **state)
{
    struct fixture f = fixture_new();
    struct assay_error err;

    (void)state;
    assert_status(store_wait(&f.store, "a/b", span_str(""), 0, &err),
                  ASSAY_ERR_NOT_FOUND);
    assert_ok(store_put(&f.store, "a/b", span_str("1"), &err), &err);
    assert_ok(store_wait(&f.store, "a/b", span_str(""), 0, &err), &err);
    assert_status(store_wait(&f.store, "a/b", span_str("1"), 0, &err),
                  ASSAY_ERR_NOT_FOUND);
    fixture_end(&f);
}

/* EFBIG stands for ENOSPC: the same path, without a file system of our own. */
static void
a_full_disk_is_told_and_loses_nothing(void **state)
{
    struct fixture f = fixture_new();
    struct rlimit old, small;
    struct assay_error err;
    uint8_t big[4096];

    (void)state;
    memset(big, 'x', sizeof(big));
    assert_ok(
        store_cas(&f.store, "t/latest", span_str(""), span_str("old"), &err),
        &err);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){ 1000, old.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_status(store_cas(&f.store, "t/latest", span_str("old"),
                            span_of(big, sizeof(big)), &err),
                  ASSAY_ERR_IO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_non_null(strstr(err.text, "free some space"));
    assert_value(&f, "t/latest", "old");
    assert_ok(store_cas(&f.store, "t/latest", span_str("old"),
                        span_of(big, sizeof(big)), &err),
              &err);
    fixture_end(&f);
}

enum { WRITERS = 4, STEPS = 25 };

/* Adds one to a decimal counter, trying again whenever another was first. */
static void
add_one(const struct store *s)
{
    for (;;) {
        struct buffer old;
        char next[32];
        enum assay_status st;

        buffer_init(&old, 100, NULL);
        st = store_get(s, "n/counter", &old, NULL);
        if (st != ASSAY_OK && st != ASSAY_ERR_NOT_FOUND)
            abort();
        (void)snprintf(next, sizeof(next), "%ld",
                       strtol(buffer_str(&old), NULL, 10) + 1);
        st = store_cas(s, "n/counter", buffer_span(&old), span_str(next), NULL);
        buffer_free(&old);
        if (st == ASSAY_OK)
            return;
        if (st != ASSAY_ERR_CONFLICT)
            abort();
    }
}

static void *
add_many(void *ctx)
{
    for (int i = 0; i < STEPS; i++)
        add_one(ctx);
    return NULL;
}

static void
cas_is_atomic_across_threads(void **state)
{
    struct fixture f = fixture_new();
    pthread_t threads[WRITERS];

    (void)state;
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, &f.store),
                         0);
    for (int i = 0; i < WRITERS; i++)
        (void)pthread_join(threads[i], NULL);
    assert_value(&f, "n/counter", "100");
    fixture_end(&f);
}

static void
cas_is_atomic_across_processes(void **state)
{
    struct fixture f = fixture_new();
    pid_t children[WRITERS];

    (void)state;
    for (int i = 0; i < WRITERS; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            struct fixture own = { .dir = f.dir };

            open_store(&own);
            (void)add_many(&own.store);
            _exit(0);
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        int how = 0;

        (void)waitpid(children[i], &how, 0);
        assert_int_equal(how, 0);
    }
    assert_value(&f, "n/counter", "100");
    fixture_end(&f);
}

static void
every_failed_allocation_is_told(void **state)
{
    struct temp_dir dir = temp_dir_new();
    enum assay_status st = ASSAY_ERR_NOMEM;

    (void)state;
    for (size_t n = 0; st != ASSAY_OK; n++) {
        struct failing_alloc fa;
        struct store_file_config config = { .dir = dir.path };
        struct store_file *file = NULL;
        struct store s;

        failing_alloc_init(&fa, n);
        config.alloc = &fa.alloc;
        st = store_file_open(&config, &file, NULL);
        if (st == ASSAY_OK) {
            s = store_file_store(file);
            st = store_put(&s, "a/b", span_str("one"), NULL);
        }
        if (st == ASSAY_OK)
            st = store_put(&s, "a/b", span_str("one"), NULL);
        if (st != ASSAY_OK)
            assert_status(st, ASSAY_ERR_NOMEM);
        store_file_close(file);
        assert_int_equal(fa.live, 0);
    }
    temp_dir_remove(&dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put_keeps_what_is_there),
        cmocka_unit_test(cas_compares_before_it_swaps),
        cmocka_unit_test(values_survive_closing),
        cmocka_unit_test(keys_outside_the_alphabet_are_refused),
        cmocka_unit_test(damage_is_never_taken_for_absence),
        cmocka_unit_test(what_is_not_a_file_is_an_error),
        cmocka_unit_test(list_names_the_keys_of_one_folder),
        cmocka_unit_test(wait_sees_a_change_and_a_lack_of_one),
        cmocka_unit_test(a_full_disk_is_told_and_loses_nothing),
        cmocka_unit_test(cas_is_atomic_across_threads),
        cmocka_unit_test(cas_is_atomic_across_processes),
        cmocka_unit_test(every_failed_allocation_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
