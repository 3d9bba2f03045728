/* The store as plain files: DIR/<dir>/<name> holds the value of "dir/name".
 *
 * The same paths as Contrast's file-system backend (CI section 11.4), so
 * state moves both ways. Beside them lie ".lock", held with flock(2) during
 * every write, and ".aside", where values are written and fsynced before they
 * are renamed into place. Whatever a crash left in ".aside" is removed when
 * the store is opened.
 *
 * DIR must be on a local file system with atomic rename and working flock. */
#ifndef ASSAY_STORE_STORE_FILE_H
#define ASSAY_STORE_STORE_FILE_H

#include <sys/types.h>

#include "store/store.h"

/* The system calls that change what is on disk, so that a test can make each
 * of them the last one before a crash. Semantics and errno of the calls they
 * are named after; paths are relative to dirfd. */
struct store_io {
    int (*create)(void *ctx, int dirfd, const char *path); /* O_EXCL, 0600 */
    ssize_t (*write)(void *ctx, int fd, const void *bytes, size_t len);
    int (*sync)(void *ctx, int fd);
    int (*rename)(void *ctx, int dirfd, const char *from, const char *to);
    int (*unlink)(void *ctx, int dirfd, const char *path);
    void *ctx;
};

extern const struct store_io store_io_system;

struct store_file;

struct store_file_config {
    const char *dir;               /* created, mode 0700, when missing */
    const struct store_io *io;     /* borrowed; NULL is the system's */
    const struct allocator *alloc; /* borrowed; NULL is the C library's */
};

/* Opens, and clears what a crash left behind. */
ASSAY_MUST_CHECK
enum assay_status store_file_open(const struct store_file_config *config,
                                  struct store_file **out,
                                  struct assay_error *err);
void store_file_close(struct store_file *f); /* NULL is fine */

/* The interface over f; valid until store_file_close. */
struct store store_file_store(struct store_file *f);

#endif
