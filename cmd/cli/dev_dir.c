#include "cli/dev_dir.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define MARKER_FILE "assay-dev"
#define MARKER_ENV "ASSAY_DEV_STARTED_FROM"

enum {
    READY_POLL_MS = 50,
    STOP_GRACE_MS = 5000,
    WORDS_MAX = 64,
    TAIL_MAX_BYTES = 4 * 1024 * 1024,
    NFTW_FDS = 16,
};

/* ---- the directory ---- */

const char *
dev_dir_choose(const char *option, struct arena *arena)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char cwd[PATH_MAX];

    if (option && option[0] == '/')
        return option;
    if (option)
        return getcwd(cwd, sizeof(cwd)) ? dev_text(arena, "%s/%s", cwd, option)
                                        : NULL;
    if (state && state[0] == '/')
        return dev_text(arena, "%s/assay-dev", state);
    return home ? dev_text(arena, "%s/.local/state/assay-dev", home) : NULL;
}

char *
dev_dir_path(const struct dev_dir *dir, const char *fmt, ...)
{
    char rest[PATH_MAX];
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(rest, sizeof(rest), fmt, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof(rest))
        return NULL;
    return dev_text(dir->arena, "%s/%s", dir->path, rest);
}

const char *
dev_manifest_path(const struct dev_dir *dir)
{
    return dev_dir_path(dir, "owner/manifest.json");
}

const char *
dev_anchor_path(const struct dev_dir *dir)
{
    return dev_dir_path(dir, "vendor/ark-" DEV_PRODUCT ".pem");
}

static bool
is_empty_dir(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *entry;
    bool empty = d != NULL;

    while (d && (entry = readdir(d)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            empty = false;
    if (d)
        closedir(d);
    return empty;
}

static enum assay_status
create_dirs(const struct dev_dir *dir, struct assay_error *err)
{
    static const char *const parts[] = { "run",         "logs", "vendor", "vm",
                                         "coordinator", "pods", "owner" };
    enum assay_status st = dir_create(dir->path, 0700, err);

    if (st == ASSAY_OK && !dev_ready_exists(dev_dir_path(dir, MARKER_FILE)) &&
        !is_empty_dir(dir->path))
        return assay_fail(err, ASSAY_ERR_CONFLICT,
                          "%s holds other things: choose another --dir",
                          dir->path);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const char *path = dev_dir_path(dir, "%s", parts[i]);

        if (!path)
            return assay_nomem(err, "a path");
        if (st == ASSAY_OK)
            st = dir_create(path, 0700, err);
    }
    return st;
}

/* The lock goes away with the process: it needs no clearing after a crash. */
static enum assay_status
take_lock(struct dev_dir *dir, bool create, struct assay_error *err)
{
    const char *path = dev_dir_path(dir, MARKER_FILE);

    dir->lock =
        path ? open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0600)
             : -1;
    if (dir->lock < 0)
        return assay_fail(err,
                          errno == ENOENT ? ASSAY_ERR_NOT_FOUND : ASSAY_ERR_IO,
                          "%s: %s", dir->path, strerror(errno));
    if (flock(dir->lock, LOCK_EX | LOCK_NB) != 0) {
        dev_dir_close(dir);
        return assay_fail(err, ASSAY_ERR_CONFLICT,
                          "another `assay dev` is at work in %s", dir->path);
    }
    return ASSAY_OK;
}

enum assay_status
dev_dir_open(const char *path, bool create, struct arena *arena,
             struct dev_dir *out, struct assay_error *err)
{
    struct dev_dir dir = { .path = path, .arena = arena, .lock = -1 };
    enum assay_status st = ASSAY_OK;

    dir.marker = dev_text(arena, MARKER_ENV "=%s", path);
    if (!dir.marker)
        return assay_nomem(err, "a path");
    if (create)
        st = create_dirs(&dir, err);
    if (st == ASSAY_OK)
        st = take_lock(&dir, create, err);
    if (st == ASSAY_OK)
        *out = dir;
    return st;
}

void
dev_dir_close(struct dev_dir *dir)
{
    if (dir->lock >= 0)
        close(dir->lock);
    dir->lock = -1;
}

static int
remove_one(const char *path, const struct stat *info, int kind,
           struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

/* A simulated processor that was killed leaves its directory mounted. */
static void
unmount_vms(const struct dev_dir *dir)
{
    const char *prefix = dev_dir_path(dir, "vm/");
    char line[2 * PATH_MAX], path[PATH_MAX];
    FILE *mounts = fopen("/proc/self/mounts", "re");

    while (mounts && prefix && fgets(line, sizeof(line), mounts)) {
        const char *argv[] = { "fusermount3", "-u", "-z", path, NULL };
        struct dev_service unmount = { "unmount", argv, NULL, NULL };
        int code;

        if (sscanf(line, "%*s %4095s", path) == 1 &&
            strncmp(path, prefix, strlen(prefix)) == 0 &&
            dev_service_run(dir, &unmount, &code, NULL) != ASSAY_OK)
            break;
    }
    if (mounts)
        (void)fclose(mounts);
}

/* Stops the services whose name begins with prefix. */
static unsigned
stop_services(const struct dev_dir *dir, const char *prefix)
{
    const char *run = dev_dir_path(dir, "run");
    DIR *d = run ? opendir(run) : NULL;
    struct dirent *entry;
    unsigned stopped = 0;

    while (d && (entry = readdir(d)) != NULL) {
        const char *path = dev_dir_path(dir, "run/%s", entry->d_name);
        struct dev_proc proc;

        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 || !path ||
            dev_proc_load(path, &proc, NULL) != ASSAY_OK)
            continue;
        stopped += dev_proc_alive(&proc);
        dev_proc_stop(&proc, STOP_GRACE_MS);
    }
    if (d)
        closedir(d);
    return stopped;
}

unsigned
dev_dir_remove(struct dev_dir *dir)
{
    /* Who needs something goes before it. */
    static const char *const order[] = { "pod-", "coordinator", "vm-",
                                         "vendor" };
    unsigned stopped = 0;

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        stopped += stop_services(dir, order[i]);
    stopped += dev_proc_sweep(dir->marker);
    unmount_vms(dir);
    (void)nftw(dir->path, remove_one, NFTW_FDS,
               FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    dev_dir_close(dir);
    return stopped;
}

/* ---- services ---- */

/* What a child may keep of our environment. */
static size_t
base_environ(const struct dev_dir *dir, const char **out)
{
    static const char *const kept[] = { "PATH",         "HOME",
                                        "LANG",         "TMPDIR",
                                        "ASAN_OPTIONS", "UBSAN_OPTIONS" };
    size_t count = 0;

    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        const char *value = getenv(kept[i]);
        const char *entry =
            value ? dev_text(dir->arena, "%s=%s", kept[i], value) : NULL;

        if (entry)
            out[count++] = entry;
    }
    out[count++] = dir->marker;
    /* Collateral of another simulated vendor would only be in the way. */
    out[count] = dev_text(dir->arena, "XDG_CACHE_HOME=%s/cache", dir->path);
    return out[count] ? count + 1 : count;
}

/* execve's prototype is older than const; nobody writes to the words. */
static char *const *
exec_words(const char **words)
{
    union {
        const char **words;
        char *const *exec;
    } u = { words };

    return u.exec;
}

static enum assay_status
service_spawn(const struct dev_dir *dir, const struct dev_service *service,
              struct dev_proc *out, struct assay_error *err)
{
    const char *env[WORDS_MAX + 1] = { NULL };
    size_t count = base_environ(dir, env);
    const char *log = dev_dir_path(dir, "logs/%s.log", service->name);
    struct dev_spawn spec = { .argv = exec_words(service->argv),
                              .environ = exec_words(env),
                              .log = log,
                              .cwd = service->cwd };

    if (!log)
        return assay_nomem(err, service->name);
    for (size_t i = 0; service->env && service->env[i]; i++) {
        if (count == WORDS_MAX)
            return assay_fail(err, ASSAY_ERR_LIMIT, "over %d variables",
                              WORDS_MAX);
        env[count++] = service->env[i];
    }
    return dev_proc_spawn(&spec, out, err);
}

enum assay_status
dev_service_start(const struct dev_dir *dir, const struct dev_service *service,
                  struct assay_error *err)
{
    const char *pid = dev_dir_path(dir, "run/%s.pid", service->name);
    struct dev_proc proc;
    enum assay_status st;

    if (!pid)
        return assay_nomem(err, service->name);
    st = service_spawn(dir, service, &proc, err);
    if (st == ASSAY_OK)
        st = dev_proc_save(pid, &proc, err);
    return assay_context(err, st, "%s", service->name);
}

enum assay_status
dev_service_run(const struct dev_dir *dir, const struct dev_service *service,
                int *code, struct assay_error *err)
{
    struct dev_proc proc;
    enum assay_status st = service_spawn(dir, service, &proc, err);

    if (st == ASSAY_OK)
        *code = dev_proc_wait(&proc);
    return assay_context(err, st, "%s", service->name);
}

bool
dev_service_alive(const struct dev_dir *dir, const char *name,
                  struct dev_proc *proc)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/run/%s.pid", dir->path, name);

    return len > 0 && (size_t)len < sizeof(path) &&
           dev_proc_load(path, proc, NULL) == ASSAY_OK && dev_proc_alive(proc);
}

void
dev_service_last_words(const struct dev_dir *dir, const char *name, char *text,
                       size_t size)
{
    const char *path = dev_dir_path(dir, "logs/%s.log", name);
    struct buffer all;
    const char *start;
    size_t len;

    text[0] = '\0';
    buffer_init(&all, TAIL_MAX_BYTES, NULL);
    if (path && file_read(path, &all, NULL) == ASSAY_OK) {
        len = all.len;
        while (len > 0 && strchr("\r\n", all.ptr[len - 1]))
            len--;
        start = memrchr(buffer_str(&all), '\n', len);
        start = start ? start + 1 : buffer_str(&all);
        len -= (size_t)(start - buffer_str(&all));
        (void)snprintf(text, size, "%.*s", (int)(len < size ? len : size - 1),
                       start);
    }
    buffer_free(&all);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
}

static enum assay_status
wait_failed(const struct dev_dir *dir, const char *name, const char *what,
            struct assay_error *err)
{
    char line[160];

    dev_service_last_words(dir, name, line, sizeof(line));
    return assay_fail(err, ASSAY_ERR_IO, "%s %s%s%s", name, what,
                      line[0] ? "; its last words: " : "", line);
}

enum assay_status
dev_service_wait(const struct dev_dir *dir, const char *name,
                 dev_ready_fn *ready, const char *ctx, unsigned seconds,
                 struct assay_error *err)
{
    struct dev_proc proc;
    unsigned polls = seconds * 1000 / READY_POLL_MS;

    if (!ctx)
        return assay_nomem(err, name);
    for (unsigned i = 0; i < polls; i++) {
        /* Alive first: what listens there might be somebody else. */
        if (!dev_service_alive(dir, name, &proc))
            return wait_failed(dir, name, "ended", err);
        if (ready(ctx))
            return ASSAY_OK;
        if (dev_pause(READY_POLL_MS))
            return assay_fail(err, ASSAY_ERR_IO, "interrupted");
    }
    return wait_failed(dir, name, "is not ready in time", err);
}

/* ---- addresses, files, programs ---- */

bool
dev_ready_exists(const char *path)
{
    return path && access(path, F_OK) == 0;
}

static bool
parse_address(const char *address, struct sockaddr_in *out)
{
    const char *colon = strrchr(address, ':');
    unsigned long port = colon ? strtoul(colon + 1, NULL, 10) : 0;

    if (port == 0 || port > 65535)
        return false;
    *out = (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    return true;
}

bool
dev_ready_listens(const char *address)
{
    struct sockaddr_in to;
    bool connected;
    int fd;

    if (!address || !parse_address(address, &to))
        return false;
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    connected = fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
    if (fd >= 0)
        close(fd);
    return connected;
}

bool
dev_free_addresses(struct arena *arena, const char **out, size_t count)
{
    struct sockaddr_in any = { .sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fds[DEV_ADDRESSES_MAX];
    size_t got = 0;

    /* All are held until all are known, so that they differ. */
    for (; got < count && got < DEV_ADDRESSES_MAX; got++) {
        socklen_t len = sizeof(any);

        any.sin_port = 0;
        out[got] = NULL;
        fds[got] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fds[got] < 0)
            break;
        if (bind(fds[got], (struct sockaddr *)&any, len) == 0 &&
            getsockname(fds[got], (struct sockaddr *)&any, &len) == 0)
            out[got] = dev_text(arena, "127.0.0.1:%u", ntohs(any.sin_port));
        if (!out[got])
            count = 0; /* gives up, after closing this one */
    }
    for (size_t i = 0; i < got; i++)
        close(fds[i]);
    return got > 0 && got == count;
}

const char *
dev_program(struct arena *arena, const char *name)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    const char *path, *room = strchr(name, '-');
    char *slash;

    if (len <= 0)
        return name;
    self[len] = '\0';
    slash = strrchr(self, '/');
    *slash = '\0';
    path = dev_text(arena, "%s/%s", self, name);
    if (path && access(path, X_OK) == 0)
        return path;
    path = dev_text(arena, "%s/../%s/%s", self, room ? room + 1 : "cli", name);
    return path && access(path, X_OK) == 0 ? path : name;
}
