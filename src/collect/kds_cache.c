#include "collect/kds_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "collect/kds_check.h"
#include "crypto/digest.h"

enum {
    NAME_DIGITS = 2 * SHA256_SIZE,
    /* The largest item, as base64 inside its members. */
    ITEM_TEXT_MAX = 2 * LIMIT_CRL_BYTES,
};

bool
kds_cache_default(const char *xdg_cache_home, const char *home, char *path,
                  size_t size)
{
    int len = -1;

    /* The XDG base directory specification: relative paths are ignored. */
    if (xdg_cache_home && xdg_cache_home[0] == '/')
        len = snprintf(path, size, "%s/assay/kds", xdg_cache_home);
    else if (home && home[0] == '/')
        len = snprintf(path, size, "%s/.cache/assay/kds", home);
    return len > 0 && (size_t)len < size;
}

enum assay_status
kds_cache_prepare(const char *dir, struct assay_error *err)
{
    enum assay_status st = dir_create(dir, 0700, err);
    struct stat sb;

    if (st != ASSAY_OK)
        return st;
    if (stat(dir, &sb) != 0)
        return assay_fail(err, ASSAY_ERR_IO, "stat %s: %s", dir,
                          strerror(errno));
    if (!S_ISDIR(sb.st_mode))
        return assay_fail(err, ASSAY_ERR_IO, "%s is no directory", dir);
    if (sb.st_uid != geteuid() || (sb.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                          "%s may be written by others (owner %u, mode %03o); "
                          "they could put back an old revocation list",
                          dir, (unsigned)sb.st_uid,
                          (unsigned)sb.st_mode & 0777u);
    return ASSAY_OK;
}

static enum assay_status
file_name(const char *dir, const char *base_url, const struct kds_path *path,
          const char *suffix, char out[PATH_MAX], struct assay_error *err)
{
    struct span parts[] = { span_str(base_url), span_str(path->text) };
    uint8_t digest[SHA256_SIZE];
    char digits[NAME_DIGITS + 1];
    enum assay_status st = digest_compute(DIGEST_SHA256, parts, 2, digest, err);
    int len;

    if (st != ASSAY_OK)
        return st;
    hex_encode(span_of(digest, sizeof(digest)), digits);
    len = snprintf(out, PATH_MAX, "%s/%s%s", dir, digits, suffix);
    if (len < 0 || len >= PATH_MAX)
        return assay_fail(err, ASSAY_ERR_LIMIT, "path too long: %s", dir);
    return ASSAY_OK;
}

static enum assay_status
decode_file(struct span text, const struct kds_path *path, int64_t now,
            struct arena *arena, struct collateral_item *out,
            struct assay_error *err)
{
    const struct collateral_item *items;
    size_t count;
    enum assay_status st = collateral_decode(text, arena, &items, &count, err);

    if (st != ASSAY_OK)
        return st;
    if (count != 1 || strcmp(items[0].path.text, path->text) != 0)
        return assay_fail(err, ASSAY_ERR_NOT_FOUND,
                          "cache: file of something else");
    st = kds_check(path, items[0].bytes, now, err);
    if (st == ASSAY_OK)
        *out = items[0];
    return st;
}

enum assay_status
kds_cache_read(const char *dir, const char *base_url,
               const struct kds_path *path, int64_t now, struct arena *arena,
               struct collateral_item *out, struct assay_error *err)
{
    char name[PATH_MAX];
    struct buffer text;
    enum assay_status st = file_name(dir, base_url, path, ".json", name, err);

    buffer_init(&text, ITEM_TEXT_MAX, NULL);
    if (st == ASSAY_OK)
        st = file_read(name, &text, err);
    if (st == ASSAY_OK)
        st = decode_file(buffer_span(&text), path, now, arena, out, err);
    buffer_free(&text);
    return st == ASSAY_OK ? st : ASSAY_ERR_NOT_FOUND;
}

/* What a pass over the directory has found. */
struct census {
    size_t files;
    struct timespec oldest_at;
    char oldest[NAME_MAX + 1]; /* "" when there is none */
};

static bool
is_item(const char *name)
{
    return strlen(name) == NAME_DIGITS + strlen(".json") &&
           strcmp(name + NAME_DIGITS, ".json") == 0;
}

static void
count_file(int dir, const char *name, struct census *c)
{
    struct stat sb;

    if (!is_item(name) || fstatat(dir, name, &sb, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    c->files++;
    if (c->oldest[0] != '\0' && (sb.st_mtim.tv_sec > c->oldest_at.tv_sec ||
                                 (sb.st_mtim.tv_sec == c->oldest_at.tv_sec &&
                                  sb.st_mtim.tv_nsec >= c->oldest_at.tv_nsec)))
        return;
    c->oldest_at = sb.st_mtim;
    (void)snprintf(c->oldest, sizeof(c->oldest), "%s", name);
}

/* Removes what a crashed writer of this very file left aside: its lock is
 * ours, so nobody is writing it now. */
static struct census
sweep(DIR *dir, const char *own)
{
    struct census c = { 0 };
    size_t own_len = strlen(own);
    const struct dirent *e;

    while ((e = readdir(dir)) != NULL) {
        if (strncmp(e->d_name, own, own_len) == 0 && e->d_name[own_len] == '.')
            (void)unlinkat(dirfd(dir), e->d_name, 0);
        else
            count_file(dirfd(dir), e->d_name, &c);
    }
    return c;
}

/* A stranger's report names any chip it likes, so the cache has an end. */
static void
make_room(const char *dir_path, const char *own)
{
    DIR *dir = opendir(dir_path);
    struct census c;

    if (!dir)
        return;
    c = sweep(dir, own);
    if (c.files >= LIMIT_CACHE_FILES && strcmp(c.oldest, own) != 0) {
        (void)unlinkat(dirfd(dir), c.oldest, 0);
        /* Its lock too: nobody waits for what is that old. */
        memcpy(c.oldest + NAME_DIGITS, ".lock", sizeof(".lock"));
        (void)unlinkat(dirfd(dir), c.oldest, 0);
    }
    (void)closedir(dir);
}

enum assay_status
kds_cache_write(const char *dir, const char *base_url,
                const struct collateral_item *item, struct assay_error *err)
{
    char name[PATH_MAX];
    struct buffer text;
    enum assay_status st =
        file_name(dir, base_url, &item->path, ".json", name, err);

    if (st != ASSAY_OK)
        return st;
    make_room(dir, strrchr(name, '/') + 1);
    buffer_init(&text, ITEM_TEXT_MAX, NULL);
    st = collateral_encode(item, 1, &text, err);
    if (st == ASSAY_OK)
        st = file_write_atomic(name, buffer_span(&text), 0600, err);
    buffer_free(&text);
    return st;
}

/* One file into *out, when it is an item of that service. */
static bool
load_file(const char *dir, const char *file, const char *base_url,
          struct arena *arena, struct collateral_item *out)
{
    char path[PATH_MAX], own[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s", dir, file);
    const struct collateral_item *items;
    struct buffer text;
    size_t count = 0;
    bool ok;

    if (!is_item(file) || len < 0 || (size_t)len >= sizeof(path))
        return false;
    buffer_init(&text, ITEM_TEXT_MAX, NULL);
    ok = file_read(path, &text, NULL) == ASSAY_OK &&
         collateral_decode(buffer_span(&text), arena, &items, &count, NULL) ==
             ASSAY_OK &&
         count == 1;
    buffer_free(&text);
    if (ok && base_url)
        ok = file_name(dir, base_url, &items[0].path, ".json", own, NULL) ==
                 ASSAY_OK &&
             strcmp(path, own) == 0;
    if (ok)
        *out = items[0];
    return ok;
}

enum assay_status
kds_cache_list(const char *dir, const char *base_url, struct arena *arena,
               struct collateral_item **items, size_t *count,
               struct assay_error *err)
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    struct collateral_item *all;
    size_t n = 0;

    if (!d)
        return assay_fail(err,
                          errno == ENOENT ? ASSAY_ERR_NOT_FOUND : ASSAY_ERR_IO,
                          "%s: %s", dir, strerror(errno));
    all = arena_array(arena, LIMIT_CACHE_FILES, sizeof(*all));
    if (!all) {
        (void)closedir(d);
        return assay_nomem(err, "cache");
    }
    while (n < LIMIT_CACHE_FILES && (e = readdir(d)) != NULL)
        if (load_file(dir, e->d_name, base_url, arena, &all[n]))
            n++;
    (void)closedir(d);
    *items = all;
    *count = n;
    return ASSAY_OK;
}

int
kds_cache_try_lock(const char *dir, const char *base_url,
                   const struct kds_path *path)
{
    char name[PATH_MAX];
    bool busy;
    int fd;

    if (file_name(dir, base_url, path, ".lock", name, NULL) != ASSAY_OK)
        return -2;
    fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -2;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        struct stat sb;

        /* Removed between our open and our lock: another one counts now. */
        if (fstat(fd, &sb) == 0 && sb.st_nlink > 0)
            return fd;
        busy = true;
    } else {
        busy = errno == EWOULDBLOCK;
    }
    (void)close(fd);
    return busy ? -1 : -2;
}

/* The file goes as well: paths are as many as chips a stranger can invent. */
void
kds_cache_unlock(const char *dir, const char *base_url,
                 const struct kds_path *path, int lock)
{
    char name[PATH_MAX];

    if (lock < 0)
        return;
    if (file_name(dir, base_url, path, ".lock", name, NULL) == ASSAY_OK)
        (void)unlink(name);
    (void)close(lock); /* drops the lock */
}
