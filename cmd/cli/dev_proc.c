#include "cli/dev_proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

enum {
    STAT_MAX_BYTES = 4096,
    ENVIRON_MAX_BYTES = 2 * 1024 * 1024, /* the kernel's limit */
    STOP_POLL_MS = 20,
};

static void
held_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGHUP);
}

void
dev_signals_hold(void)
{
    sigset_t set;

    held_signals(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

bool
dev_pause(unsigned ms)
{
    struct timespec wait = { ms / 1000, (long)(ms % 1000) * 1000000 };
    sigset_t set;

    held_signals(&set);
    return sigtimedwait(&set, NULL, &wait) > 0;
}

/* Reads state and start time from /proc/PID/stat. The program's name stands
 * in parentheses and may hold anything, so fields count from the last one. */
static bool
proc_stat(pid_t pid, char *state, uint64_t *started)
{
    enum { STATE_FIELD = 3, START_FIELD = 22 };
    char path[64], text[STAT_MAX_BYTES], *at;
    size_t len = 0;
    FILE *f;

    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    if (!(f = fopen(path, "re")))
        return false;
    len = fread(text, 1, sizeof(text) - 1, f);
    (void)fclose(f);
    text[len] = '\0';
    at = strrchr(text, ')');
    if (!at || at[1] != ' ')
        return false;
    *state = at[2];
    for (int field = STATE_FIELD - 1; at && field < START_FIELD; field++)
        at = strchr(at + 1, ' ');
    if (!at)
        return false;
    *started = strtoull(at + 1, NULL, 10);
    return true;
}

bool
dev_proc_alive(const struct dev_proc *proc)
{
    uint64_t started;
    char state;

    /* Ours may have ended a moment ago: nobody else collects it while we
     * live. */
    (void)waitpid(proc->pid, NULL, WNOHANG);
    return proc_stat(proc->pid, &state, &started) && started == proc->started &&
           state != 'Z' && state != 'X';
}

int
dev_proc_wait(const struct dev_proc *proc)
{
    int status = 0;

    while (waitpid(proc->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Only returns when the program could not be started. */
static void
become(const struct dev_spawn *spec)
{
    sigset_t none;
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int log = open(spec->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (in < 0 || log < 0 || setsid() < 0 || dup2(in, 0) < 0 ||
        dup2(log, 1) < 0 || dup2(log, 2) < 0)
        return;
    if (spec->cwd && chdir(spec->cwd) != 0)
        return;
    execvpe(spec->argv[0], spec->argv, spec->environ);
}

/* The child's errno, or 0 when its program runs. */
static int
exec_outcome(int fd)
{
    int problem = 0;
    ssize_t n;

    do {
        n = read(fd, &problem, sizeof(problem));
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(problem) ? problem : 0;
}

enum assay_status
dev_proc_spawn(const struct dev_spawn *spec, struct dev_proc *out,
               struct assay_error *err)
{
    struct dev_proc proc = { 0 };
    int report[2], problem;
    char state;

    if (pipe2(report, O_CLOEXEC) != 0)
        return assay_fail(err, ASSAY_ERR_IO, "pipe: %s", strerror(errno));
    proc.pid = fork();
    if (proc.pid == 0) {
        become(spec);
        problem = errno;
        (void)!write(report[1], &problem, sizeof(problem));
        _exit(127);
    }
    problem = proc.pid < 0 ? errno : 0;
    close(report[1]);
    if (problem == 0)
        problem = exec_outcome(report[0]);
    close(report[0]);
    if (problem != 0) {
        if (proc.pid > 0)
            (void)waitpid(proc.pid, NULL, 0);
        return assay_fail(
            err, problem == ENOENT ? ASSAY_ERR_NOT_FOUND : ASSAY_ERR_IO,
            "cannot start %s: %s", spec->argv[0], strerror(problem));
    }
    /* It cannot have been replaced by another yet: we have not collected it. */
    if (!proc_stat(proc.pid, &state, &proc.started))
        return assay_fail(err, ASSAY_ERR_IO, "cannot watch %s: no /proc?",
                          spec->argv[0]);
    *out = proc;
    return ASSAY_OK;
}

void
dev_proc_stop(const struct dev_proc *proc, unsigned grace_ms)
{
    if (!dev_proc_alive(proc))
        return;
    (void)kill(-proc->pid, SIGTERM);
    for (unsigned waited = 0; waited < grace_ms; waited += STOP_POLL_MS) {
        if (!dev_proc_alive(proc))
            break;
        (void)dev_pause(STOP_POLL_MS);
    }
    /* Its children may outlive it; the number of a group stays taken as long
     * as anybody is in it, so this reaches them and nobody else. */
    (void)kill(-proc->pid, SIGKILL);
    for (unsigned waited = 0; waited < grace_ms; waited += STOP_POLL_MS) {
        if (!dev_proc_alive(proc))
            return;
        (void)dev_pause(STOP_POLL_MS);
    }
}

static bool
environ_has(pid_t pid, const char *marker)
{
    size_t want = strlen(marker) + 1;
    char path[64];
    struct buffer text;
    bool found = false;

    (void)snprintf(path, sizeof(path), "/proc/%ld/environ", (long)pid);
    buffer_init(&text, ENVIRON_MAX_BYTES, NULL);
    if (file_read(path, &text, NULL) == ASSAY_OK)
        for (size_t at = 0; at + want <= text.len && !found;) {
            const char *entry = (const char *)text.ptr + at;

            found = memcmp(entry, marker, want) == 0;
            at += strnlen(entry, text.len - at) + 1;
        }
    buffer_free(&text);
    return found;
}

unsigned
dev_proc_sweep(const char *marker)
{
    unsigned killed = 0;
    struct dirent *entry;
    DIR *dir = opendir("/proc");

    while (dir && (entry = readdir(dir)) != NULL) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (pid > 1 && pid != getpid() && environ_has(pid, marker) &&
            kill(pid, SIGKILL) == 0)
            killed++;
    }
    if (dir)
        closedir(dir);
    return killed;
}

enum assay_status
dev_proc_save(const char *path, const struct dev_proc *proc,
              struct assay_error *err)
{
    char line[64];
    int n = snprintf(line, sizeof(line), "%ld %" PRIu64 "\n", (long)proc->pid,
                     proc->started);

    return file_write_atomic(path, span_of(line, (size_t)n), 0600, err);
}

enum assay_status
dev_proc_load(const char *path, struct dev_proc *out, struct assay_error *err)
{
    struct buffer text;
    enum assay_status st;
    char *end;
    long pid;

    buffer_init(&text, STAT_MAX_BYTES, NULL);
    st = file_read(path, &text, err);
    if (st == ASSAY_OK) {
        pid = strtol(buffer_str(&text), &end, 10);
        if (pid <= 1 || *end != ' ')
            st = assay_fail(err, ASSAY_ERR_MALFORMED,
                            "%s: want \"PID STARTED\"", path);
    }
    if (st == ASSAY_OK)
        *out = (struct dev_proc){ (pid_t)pid, strtoull(end + 1, NULL, 10) };
    buffer_free(&text);
    return st;
}
