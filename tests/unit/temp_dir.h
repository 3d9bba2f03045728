/* A folder of its own for a test, removed with all it holds. */
#ifndef ASSAY_TESTS_TEMP_DIR_H
#define ASSAY_TESTS_TEMP_DIR_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct temp_dir {
    char path[64];
};

static inline struct temp_dir
temp_dir_new(void)
{
    struct temp_dir d = { "/tmp/assay-unit-XXXXXX" };

    assert_non_null(mkdtemp(d.path));
    return d;
}

static inline int
temp_dir_remove_one(const char *path, const struct stat *sb, int flag,
                    struct FTW *ftw)
{
    (void)sb;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline void
temp_dir_remove(const struct temp_dir *d)
{
    (void)nftw(d->path, temp_dir_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Replaces the bytes of a file below the folder, as an accident would. */
static inline void
temp_dir_overwrite(const struct temp_dir *d, const char *name,
                   const char *bytes)
{
    char path[256];
    size_t len = strlen(bytes);
    int fd;

    (void)snprintf(path, sizeof(path), "%s/%s", d->path, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), (ssize_t)len);
    (void)close(fd);
}

#endif
