/* For LD_PRELOAD: the process dies right before its ASSAY_CRASH_AT-th call that
 * changes names on the disk or waits for it. What the calls before it did has
 * happened. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_long calls;

static void
count_call(void)
{
    const char *at = getenv("ASSAY_CRASH_AT");

    if (at && atomic_fetch_add(&calls, 1) + 1 == strtol(at, NULL, 10))
        (void)kill(getpid(), SIGKILL);
}

int
fsync(int fd)
{
    count_call();
    return (int)syscall(SYS_fsync, fd);
}

int
renameat(int old_dir, const char *old_path, int new_dir, const char *new_path)
{
    count_call();
    return (int)syscall(SYS_renameat, old_dir, old_path, new_dir, new_path);
}

int
mkdirat(int dir, const char *path, mode_t mode)
{
    count_call();
    return (int)syscall(SYS_mkdirat, dir, path, mode);
}

int
unlinkat(int dir, const char *path, int flags)
{
    count_call();
    return (int)syscall(SYS_unlinkat, dir, path, flags);
}
