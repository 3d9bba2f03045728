#include "store/store_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"

#define ASIDE_DIR ".aside"
/* One name is enough: whoever writes holds the lock. */
#define ASIDE_FILE ASIDE_DIR "/value"
#define LOCK_FILE ".lock"

enum { WAIT_POLL_MS = 200 };

struct store_file {
    int dirfd;
    struct store_io io;
    const struct allocator *alloc;
    char *path; /* for messages */
};

static int
system_create(void *ctx, int dirfd, const char *path)
{
    (void)ctx;
    return openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

static ssize_t
system_write(void *ctx, int fd, const void *bytes, size_t len)
{
    (void)ctx;
    return write(fd, bytes, len);
}

static int
system_sync(void *ctx, int fd)
{
    (void)ctx;
    return fsync(fd);
}

static int
system_rename(void *ctx, int dirfd, const char *from, const char *to)
{
    (void)ctx;
    return renameat(dirfd, from, dirfd, to);
}

static int
system_unlink(void *ctx, int dirfd, const char *path)
{
    (void)ctx;
    return unlinkat(dirfd, path, 0);
}

const struct store_io store_io_system = { system_create, system_write,
                                          system_sync,   system_rename,
                                          system_unlink, NULL };

static enum assay_status
fail_errno(const struct store_file *f, struct assay_error *err,
           const char *what, const char *key)
{
    int e = errno;

    if (e == ENOSPC || e == EDQUOT || e == EFBIG)
        return assay_fail(err, ASSAY_ERR_IO,
                          "store %s: cannot %s %s: %s; free some space and "
                          "try again",
                          f->path, what, key, strerror(e));
    return assay_fail(err, ASSAY_ERR_IO, "store %s: cannot %s %s: %s", f->path,
                      what, key, strerror(e));
}

/* flock belongs to the open file, so a descriptor of its own per write keeps
 * threads apart as well as processes; the kernel drops it when we die. */
static enum assay_status
lock(const struct store_file *f, int *lockfd, struct assay_error *err)
{
    int fd = openat(f->dirfd, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return fail_errno(f, err, "open", LOCK_FILE);
    while (flock(fd, LOCK_EX) != 0) {
        if (errno == EINTR)
            continue;
        (void)fail_errno(f, err, "lock", LOCK_FILE);
        (void)close(fd);
        return ASSAY_ERR_IO;
    }
    *lockfd = fd;
    return ASSAY_OK;
}

static enum assay_status
check_value_file(const struct store_file *f, int fd, const char *key,
                 struct assay_error *err)
{
    struct stat sb;

    if (fstat(fd, &sb) != 0)
        return fail_errno(f, err, "stat", key);
    if (!S_ISREG(sb.st_mode))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "store %s: %s is not a regular file", f->path, key);
    if (sb.st_size == 0)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "store %s: %s is empty: it was cut short by "
                          "something else than this program; restore it from "
                          "a backup",
                          f->path, key);
    if (sb.st_size > LIMIT_STORE_VALUE_BYTES)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "store %s: %s has %lld bytes, want at most %d",
                          f->path, key, (long long)sb.st_size,
                          LIMIT_STORE_VALUE_BYTES);
    return ASSAY_OK;
}

static enum assay_status
read_fd(const struct store_file *f, int fd, const char *key, struct buffer *out,
        struct assay_error *err)
{
    uint8_t chunk[8192];

    for (;;) {
        ssize_t got = read(fd, chunk, sizeof(chunk));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno(f, err, "read", key);
        if (got == 0)
            return ASSAY_OK;
        buffer_add(out, span_of(chunk, (size_t)got));
        if (out->failed)
            return buffer_check(out, key, err);
    }
}

static enum assay_status
read_value(const struct store_file *f, const char *key, struct buffer *out,
           struct assay_error *err)
{
    int fd =
        openat(f->dirfd, key, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    enum assay_status st;

    if (fd < 0 && errno == ENOENT)
        return assay_fail(err, ASSAY_ERR_NOT_FOUND, "store %s: no %s", f->path,
                          key);
    if (fd < 0)
        return fail_errno(f, err, "open", key);
    st = check_value_file(f, fd, key, err);
    if (st == ASSAY_OK)
        st = read_fd(f, fd, key, out, err);
    (void)close(fd);
    return st;
}

static enum assay_status
file_get(void *ctx, const char *key, struct buffer *out,
         struct assay_error *err)
{
    return read_value(ctx, key, out, err);
}

/* Makes the names inside the key's folder durable. */
static enum assay_status
sync_folder(const struct store_file *f, const char *key,
            struct assay_error *err)
{
    char dir[STORE_KEY_MAX + 1];
    size_t len = strcspn(key, "/");
    enum assay_status st = ASSAY_OK;
    int fd;

    memcpy(dir, key, len);
    dir[len] = '\0';
    fd = openat(f->dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(f, err, "open folder", dir);
    if (f->io.sync(f->io.ctx, fd) != 0)
        st = fail_errno(f, err, "sync folder", dir);
    (void)close(fd);
    return st;
}

static enum assay_status
make_folder(const struct store_file *f, const char *key,
            struct assay_error *err)
{
    char dir[STORE_KEY_MAX + 1];
    size_t len = strcspn(key, "/");

    memcpy(dir, key, len);
    dir[len] = '\0';
    if (mkdirat(f->dirfd, dir, 0700) == 0) {
        if (f->io.sync(f->io.ctx, f->dirfd) != 0)
            return fail_errno(f, err, "sync folder", ".");
        return ASSAY_OK;
    }
    return errno == EEXIST ? ASSAY_OK
                           : fail_errno(f, err, "create folder", dir);
}

static enum assay_status
write_fd(const struct store_file *f, int fd, const char *key, struct span value,
         struct assay_error *err)
{
    while (value.len > 0) {
        ssize_t put = f->io.write(f->io.ctx, fd, value.ptr, value.len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return fail_errno(f, err, "write", key);
        value = span_sub(value, (size_t)put, value.len - (size_t)put);
    }
    if (f->io.sync(f->io.ctx, fd) != 0)
        return fail_errno(f, err, "sync", key);
    return ASSAY_OK;
}

static enum assay_status
write_aside(const struct store_file *f, const char *key, struct span value,
            struct assay_error *err)
{
    enum assay_status st;
    int fd;

    /* Left by a crash of another process that shares the folder. */
    (void)f->io.unlink(f->io.ctx, f->dirfd, ASIDE_FILE);
    fd = f->io.create(f->io.ctx, f->dirfd, ASIDE_FILE);
    if (fd < 0)
        return fail_errno(f, err, "create file for", key);
    st = write_fd(f, fd, key, value, err);
    if (close(fd) != 0 && st == ASSAY_OK)
        st = fail_errno(f, err, "close", key);
    return st;
}

/* The one way a value comes into being. The caller holds the lock. */
static enum assay_status
place(const struct store_file *f, const char *key, struct span value,
      struct assay_error *err)
{
    enum assay_status st = make_folder(f, key, err);

    if (st == ASSAY_OK)
        st = write_aside(f, key, value, err);
    if (st == ASSAY_OK &&
        f->io.rename(f->io.ctx, f->dirfd, ASIDE_FILE, key) != 0)
        st = fail_errno(f, err, "rename into place", key);
    if (st != ASSAY_OK) {
        (void)f->io.unlink(f->io.ctx, f->dirfd, ASIDE_FILE);
        return st;
    }
    return sync_folder(f, key, err);
}

/* An equal value may have been renamed into place by a process that died
 * before its sync: it is only "stored" once we have synced it ourselves. */
static enum assay_status
sync_existing(const struct store_file *f, const char *key,
              struct assay_error *err)
{
    int fd = openat(f->dirfd, key, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    enum assay_status st = ASSAY_OK;

    if (fd < 0)
        return fail_errno(f, err, "open", key);
    if (f->io.sync(f->io.ctx, fd) != 0)
        st = fail_errno(f, err, "sync", key);
    (void)close(fd);
    return st == ASSAY_OK ? sync_folder(f, key, err) : st;
}

static enum assay_status
put_locked(const struct store_file *f, const char *key, struct span value,
           struct assay_error *err)
{
    struct buffer now;
    enum assay_status st;

    buffer_init(&now, LIMIT_STORE_VALUE_BYTES, f->alloc);
    st = read_value(f, key, &now, err);
    if (st == ASSAY_ERR_NOT_FOUND)
        st = place(f, key, value, err);
    else if (st == ASSAY_OK && span_equal(buffer_span(&now), value))
        st = sync_existing(f, key, err);
    else if (st == ASSAY_OK)
        st = assay_fail(err, ASSAY_ERR_CONFLICT,
                        "store %s: %s already holds other bytes", f->path, key);
    buffer_free(&now);
    return st;
}

static enum assay_status
cas_locked(const struct store_file *f, const char *key, struct span old,
           struct span value, struct assay_error *err)
{
    struct buffer now;
    enum assay_status st;

    buffer_init(&now, LIMIT_STORE_VALUE_BYTES, f->alloc);
    st = read_value(f, key, &now, err);
    if (st == ASSAY_ERR_NOT_FOUND)
        st = ASSAY_OK; /* now stays empty, as an absent value compares */
    if (st == ASSAY_OK && !span_equal(buffer_span(&now), old))
        st = assay_fail(err, ASSAY_ERR_CONFLICT,
                        "store %s: %s has changed since last read", f->path,
                        key);
    if (st == ASSAY_OK)
        st = place(f, key, value, err);
    buffer_free(&now);
    return st;
}

static enum assay_status
file_put(void *ctx, const char *key, struct span value, struct assay_error *err)
{
    const struct store_file *f = ctx;
    int lockfd;
    enum assay_status st = lock(f, &lockfd, err);

    if (st != ASSAY_OK)
        return st;
    st = put_locked(f, key, value, err);
    (void)close(lockfd);
    return st;
}

static enum assay_status
file_cas(void *ctx, const char *key, struct span old, struct span value,
         struct assay_error *err)
{
    const struct store_file *f = ctx;
    int lockfd;
    enum assay_status st = lock(f, &lockfd, err);

    if (st != ASSAY_OK)
        return st;
    st = cas_locked(f, key, old, value, err);
    (void)close(lockfd);
    return st;
}

static void
visit_entries(DIR *entries, const char *dir, store_visitor *visit, void *ctx)
{
    const struct dirent *e;

    while ((e = readdir(entries)) != NULL) {
        char key[STORE_KEY_MAX + 1];
        int len = snprintf(key, sizeof(key), "%s/%s", dir, e->d_name);

        if (len < 0 || (size_t)len >= sizeof(key) || !store_key_check(key))
            continue; /* "." and "..", and what is not ours */
        if (!visit(ctx, key))
            return;
    }
}

static enum assay_status
file_list(void *ctx, const char *dir, store_visitor *visit, void *visit_ctx,
          struct assay_error *err)
{
    const struct store_file *f = ctx;
    int fd = openat(f->dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries;

    if (fd < 0 && errno == ENOENT)
        return ASSAY_OK;
    if (fd < 0)
        return fail_errno(f, err, "open folder", dir);
    entries = fdopendir(fd);
    if (!entries) {
        (void)fail_errno(f, err, "read folder", dir);
        (void)close(fd);
        return ASSAY_ERR_IO;
    }
    visit_entries(entries, dir, visit, visit_ctx);
    (void)closedir(entries);
    return ASSAY_OK;
}

static enum assay_status
differs(const struct store_file *f, const char *key, struct span known,
        bool *answer, struct assay_error *err)
{
    struct buffer now;
    enum assay_status st;

    buffer_init(&now, LIMIT_STORE_VALUE_BYTES, f->alloc);
    st = read_value(f, key, &now, err);
    if (st == ASSAY_ERR_NOT_FOUND)
        st = ASSAY_OK;
    if (st == ASSAY_OK)
        *answer = !span_equal(buffer_span(&now), known);
    buffer_free(&now);
    return st;
}

/* Polls: inotify would tell nothing about another host's mount of the same
 * volume, and the value is 150 bytes. */
static enum assay_status
file_wait(void *ctx, const char *key, struct span known, uint32_t timeout_ms,
          struct assay_error *err)
{
    const struct timespec pause = { 0, WAIT_POLL_MS * 1000000L };
    uint32_t polls = timeout_ms / WAIT_POLL_MS;

    for (uint32_t i = 0;; i++) {
        bool changed = false;
        enum assay_status st = differs(ctx, key, known, &changed, err);

        if (st != ASSAY_OK || changed)
            return st;
        if (i >= polls)
            return assay_fail(err, ASSAY_ERR_NOT_FOUND, "no change of %s", key);
        (void)nanosleep(&pause, NULL);
    }
}

static const struct store_ops file_ops = { file_get, file_put, file_cas,
                                           file_list, file_wait };

static enum assay_status
clear_aside(const struct store_file *f, struct assay_error *err)
{
    int lockfd;
    enum assay_status st = lock(f, &lockfd, err);

    if (st != ASSAY_OK)
        return st;
    if (mkdirat(f->dirfd, ASIDE_DIR, 0700) != 0 && errno != EEXIST)
        st = fail_errno(f, err, "create folder", ASIDE_DIR);
    else if (f->io.unlink(f->io.ctx, f->dirfd, ASIDE_FILE) != 0 &&
             errno != ENOENT)
        st = fail_errno(f, err, "remove", ASIDE_FILE);
    (void)close(lockfd);
    return st;
}

static enum assay_status
open_dir(struct store_file *f, const char *dir, struct assay_error *err)
{
    enum assay_status st = dir_create(dir, 0700, err);

    if (st != ASSAY_OK)
        return st;
    f->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->dirfd < 0)
        return fail_errno(f, err, "open folder", ".");
    return clear_aside(f, err);
}

enum assay_status
store_file_open(const struct store_file_config *config, struct store_file **out,
                struct assay_error *err)
{
    struct store_file *f = mem_zalloc(config->alloc, sizeof(*f));
    size_t path_size = strlen(config->dir) + 1;
    enum assay_status st;

    if (!f)
        return assay_nomem(err, "store");
    f->dirfd = -1;
    f->alloc = config->alloc;
    f->io = config->io ? *config->io : store_io_system;
    f->path = mem_alloc(config->alloc, path_size);
    if (f->path) {
        memcpy(f->path, config->dir, path_size);
        st = open_dir(f, config->dir, err);
    } else {
        st = assay_nomem(err, "store");
    }
    if (st != ASSAY_OK) {
        store_file_close(f);
        return st;
    }
    *out = f;
    return ASSAY_OK;
}

void
store_file_close(struct store_file *f)
{
    if (!f)
        return;
    if (f->dirfd >= 0)
        (void)close(f->dirfd);
    mem_free(f->alloc, f->path);
    mem_free(f->alloc, f);
}

struct store
store_file_store(struct store_file *f)
{
    return (struct store){ &file_ops, f };
}
