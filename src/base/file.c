#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum assay_status
fail_errno(struct assay_error *err, const char *what, const char *path)
{
    int e = errno;

    return assay_fail(err, e == ENOENT ? ASSAY_ERR_NOT_FOUND : ASSAY_ERR_IO,
                      "%s %s: %s", what, path, strerror(e));
}

static enum assay_status
read_all(int fd, const char *path, struct buffer *out, struct assay_error *err)
{
    enum assay_status st = ASSAY_OK;
    uint8_t chunk[16384];
    ssize_t got;

    do {
        got = read(fd, chunk, sizeof(chunk));
        if (got > 0)
            buffer_add(out, span_of(chunk, (size_t)got));
        else if (got < 0 && errno != EINTR)
            st = fail_errno(err, "read", path);
    } while (st == ASSAY_OK && got != 0 && !out->failed);
    if (out->wipe) /* a private key does not stay on the stack */
        explicit_bzero(chunk, sizeof(chunk));
    return st == ASSAY_OK ? buffer_check(out, path, err) : st;
}

enum assay_status
file_read(const char *path, struct buffer *out, struct assay_error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    enum assay_status st;

    if (fd < 0)
        return fail_errno(err, "open", path);
    st = read_all(fd, path, out, err);
    if (!is_stdin)
        (void)close(fd);
    return st;
}

static bool
write_all(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t put = write(fd, bytes.ptr, bytes.len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        bytes = span_sub(bytes, (size_t)put, bytes.len - (size_t)put);
    }
    return true;
}

static enum assay_status
sync_parent(const char *path, struct assay_error *err)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    int fd, failed;

    if (len >= sizeof(dir))
        return assay_fail(err, ASSAY_ERR_LIMIT, "path too long: %s", path);
    memcpy(dir, path, len);
    dir[len] = '\0';
    fd = open(slash ? (len ? dir : "/") : ".",
              O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, "open directory of", path);
    failed = fsync(fd);
    (void)close(fd);
    return failed ? fail_errno(err, "fsync directory of", path) : ASSAY_OK;
}

static enum assay_status
write_aside(int fd, const char *temp, const char *path, struct span bytes,
            mode_t mode, struct assay_error *err)
{
    if (fchmod(fd, mode) != 0 || !write_all(fd, bytes) || fsync(fd) != 0)
        return fail_errno(err, "write", temp);
    if (rename(temp, path) != 0)
        return fail_errno(err, "rename to", path);
    return sync_parent(path, err);
}

enum assay_status
file_write_atomic(const char *path, struct span bytes, mode_t mode,
                  struct assay_error *err)
{
    char temp[PATH_MAX];
    int len = snprintf(temp, sizeof(temp), "%s.XXXXXX", path);
    enum assay_status st;
    int fd;

    if (len < 0 || (size_t)len >= sizeof(temp))
        return assay_fail(err, ASSAY_ERR_LIMIT, "path too long: %s", path);
    fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return fail_errno(err, "create", temp);
    st = write_aside(fd, temp, path, bytes, mode, err);
    (void)close(fd);
    if (st != ASSAY_OK)
        (void)unlink(temp);
    return st;
}

enum assay_status
dir_create(const char *path, mode_t mode, struct assay_error *err)
{
    char part[PATH_MAX];
    size_t len = strlen(path);

    if (len >= sizeof(part))
        return assay_fail(err, ASSAY_ERR_LIMIT, "path too long: %s", path);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, mode) == 0 ? chmod(part, mode) != 0 : errno != EEXIST)
            return fail_errno(err, "create directory", part);
    }
    return ASSAY_OK;
}
