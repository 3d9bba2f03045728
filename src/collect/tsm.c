#include "collect/tsm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/hex.h"
#include "base/limits.h"

enum {
    ATTEMPTS = 4,       /* of a whole request, each with its own entry */
    PAUSE_MS = 50,      /* before the second; doubled for each more */
    NAME_ATTEMPTS = 8,  /* names taken by somebody else */
    ATTRIBUTE_MAX = 64, /* text attributes: a number or a short name */
    NAME_RANDOM_BYTES = 8,
};

/* One entry: an open directory, and what is needed to remove it. */
struct entry {
    int parent;
    int dir;
    char name[64];
    uint64_t generation; /* what the kernel must say next */
};

/* What an errno from this interface means to whoever must act on it. */
static const char *
hint_of(int e)
{
    switch (e) {
    case EINVAL:
        return "the level may be below privlevel_floor, or the firmware "
               "refused the parameters";
    case ENXIO:
        return "no provider; is the sev-guest or tdx-guest driver loaded?";
    case EBUSY:
        return "somebody else writes to this entry";
    case EFBIG:
        return "the blob is above the kernel's limit";
    case EACCES:
    case EPERM:
        return "needs root, or write access to the tsm directory";
    case ENOENT:
        return "is configfs mounted, and the tsm driver loaded?";
    default:
        return "see the kernel log";
    }
}

/* Worth another try with a fresh entry: nothing was wrong with the request. */
static bool
is_passing(int e)
{
    return e == EBUSY || e == EAGAIN || e == EINTR || e == ETIMEDOUT ||
           e == EIO;
}

static enum assay_status
fail_errno(struct assay_error *err, int e, const char *what)
{
    enum assay_status st = ASSAY_ERR_UNSUPPORTED;

    if (is_passing(e))
        st = ASSAY_ERR_IO;
    else if (e == EFBIG)
        st = ASSAY_ERR_LIMIT;
    return assay_fail(err, st, "configfs-tsm: %s: %s (%s)", what, strerror(e),
                      hint_of(e));
}

bool
tsm_present(const char *path)
{
    struct stat sb;

    return stat(path, &sb) == 0 && S_ISDIR(sb.st_mode);
}

/* Reads to end of file from one open file: the kernel serves a report only
 * as a whole, and a second open could see the next one. */
static enum assay_status
read_attribute(const struct entry *e, const char *name, struct buffer *out,
               struct assay_error *err)
{
    int fd = openat(e->dir, name, O_RDONLY | O_CLOEXEC);
    uint8_t chunk[4096];
    ssize_t got;

    if (fd < 0)
        return fail_errno(err, errno, name);
    do {
        got = read(fd, chunk, sizeof(chunk));
        if (got > 0)
            buffer_add(out, span_of(chunk, (size_t)got));
    } while ((got > 0 && !out->failed) || (got < 0 && errno == EINTR));
    if (got < 0) {
        int saved = errno;

        (void)close(fd);
        return fail_errno(err, saved, name);
    }
    (void)close(fd);
    return buffer_check(out, name, err);
}

/* The same for a text attribute, without its newline. */
static enum assay_status
read_text(const struct entry *e, const char *name, char text[ATTRIBUTE_MAX],
          struct assay_error *err)
{
    struct buffer b;
    enum assay_status st;

    buffer_init(&b, ATTRIBUTE_MAX, NULL);
    st = read_attribute(e, name, &b, err);
    if (st == ASSAY_OK) {
        size_t len = b.len;

        if (len > 0 && b.ptr[len - 1] == '\n')
            len--;
        if (len >= ATTRIBUTE_MAX) {
            st = assay_fail(err, ASSAY_ERR_LIMIT,
                            "configfs-tsm: %s: longer than %d bytes", name,
                            ATTRIBUTE_MAX - 1);
        } else {
            if (len > 0)
                memcpy(text, b.ptr, len);
            text[len] = '\0';
        }
    }
    buffer_free(&b);
    return st;
}

static enum assay_status
read_number(const struct entry *e, const char *name, uint64_t *out,
            struct assay_error *err)
{
    char text[ATTRIBUTE_MAX];
    enum assay_status st = read_text(e, name, text, err);
    uint64_t value = 0;

    if (st != ASSAY_OK)
        return st;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p < '0' || *p > '9' || value > (UINT64_MAX - 9) / 10)
            value = UINT64_MAX;
        else
            value = 10 * value + (uint64_t)(*p - '0');
    }
    if (text[0] == '\0' || value == UINT64_MAX)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "configfs-tsm: %s: \"%s\" is no number", name, text);
    *out = value;
    return ASSAY_OK;
}

/* One write, in one call: configfs hands over what it has at close. */
static enum assay_status
write_attribute(struct entry *e, const char *name, struct span bytes,
                struct assay_error *err)
{
    int fd = openat(e->dir, name, O_WRONLY | O_CLOEXEC);
    ssize_t put;
    int saved;

    if (fd < 0)
        return fail_errno(err, errno, name);
    do {
        put = write(fd, bytes.ptr, bytes.len);
    } while (put < 0 && errno == EINTR);
    saved = put < 0 ? errno : EIO;
    if (close(fd) != 0 && put >= 0) {
        saved = errno;
        put = -1;
    }
    if (put < 0 || (size_t)put != bytes.len)
        return fail_errno(err, saved, name);
    e->generation++;
    return ASSAY_OK;
}

static enum assay_status
entry_name(const struct collect_config *cfg, char name[64],
           struct assay_error *err)
{
    uint8_t random[NAME_RANDOM_BYTES];
    char digits[2 * NAME_RANDOM_BYTES + 1];
    enum assay_status st =
        random_fill(cfg->random, random, sizeof(random), err);

    if (st != ASSAY_OK)
        return st;
    hex_encode(span_of(random, sizeof(random)), digits);
    (void)snprintf(name, 64, "assay-%ld-%s", (long)getpid(), digits);
    return ASSAY_OK;
}

static enum assay_status
entry_make(const struct collect_config *cfg, const char *path, struct entry *e,
           struct assay_error *err)
{
    enum assay_status st;
    int saved;

    e->parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (e->parent < 0)
        return fail_errno(err, errno, path);
    for (int i = 0; i < NAME_ATTEMPTS; i++) {
        st = entry_name(cfg, e->name, err);
        if (st != ASSAY_OK)
            goto fail;
        if (mkdirat(e->parent, e->name, 0700) == 0)
            break;
        saved = errno;
        st = fail_errno(err, saved, "mkdir");
        if (saved != EEXIST || i == NAME_ATTEMPTS - 1)
            goto fail;
    }
    e->dir = openat(e->parent, e->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (e->dir >= 0)
        return ASSAY_OK;
    st = fail_errno(err, errno, "open entry");
    (void)unlinkat(e->parent, e->name, AT_REMOVEDIR);
fail:
    (void)close(e->parent);
    return st;
}

static void
entry_remove(struct entry *e)
{
    (void)close(e->dir);
    (void)unlinkat(e->parent, e->name, AT_REMOVEDIR);
    (void)close(e->parent);
}

static enum assay_status
write_privlevel(struct entry *e, uint32_t vmpl, struct assay_error *err)
{
    uint64_t lowest, wanted = vmpl;
    char text[16];
    enum assay_status st = read_number(e, "privlevel_floor", &lowest, err);

    if (st != ASSAY_OK)
        return st;
    if (vmpl == COLLECT_VMPL_DEFAULT)
        wanted = lowest;
    if (wanted < lowest || wanted > 3)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "configfs-tsm: VMPL %u, this kernel gives %llu to 3",
                          vmpl, (unsigned long long)lowest);
    (void)snprintf(text, sizeof(text), "%u", (unsigned)wanted);
    return write_attribute(e, "privlevel", span_str(text), err);
}

/* The provider decides which attributes exist: privlevel is SEV's. */
static enum assay_status
write_request(struct entry *e, const uint8_t *report_data, uint32_t vmpl,
              const char *provider, struct assay_error *err)
{
    enum assay_status st = read_number(e, "generation", &e->generation, err);

    if (st == ASSAY_OK && strcmp(provider, "sev_guest") == 0)
        st = write_privlevel(e, vmpl, err);
    if (st == ASSAY_OK)
        st = write_attribute(
            e, "inblob", span_of(report_data, COLLECT_REPORT_DATA_SIZE), err);
    return st;
}

static enum assay_status
check_generation(const struct entry *e, struct assay_error *err)
{
    uint64_t now;
    enum assay_status st = read_number(e, "generation", &now, err);

    if (st != ASSAY_OK)
        return st;
    if (now != e->generation)
        return assay_fail(err, ASSAY_ERR_IO,
                          "configfs-tsm: generation %llu, want %llu: the "
                          "request was not taken, or somebody else wrote to "
                          "our entry",
                          (unsigned long long)now,
                          (unsigned long long)e->generation);
    return ASSAY_OK;
}

static enum assay_status
read_blob(const struct entry *e, const char *name, struct arena *arena,
          struct span *out, struct assay_error *err)
{
    struct buffer b;
    enum assay_status st;

    buffer_init(&b, LIMIT_TSM_BLOB_BYTES, NULL);
    st = read_attribute(e, name, &b, err);
    if (st == ASSAY_OK && !arena_dup(arena, buffer_span(&b), out))
        st = assay_nomem(err, name);
    buffer_free(&b);
    return st;
}

static enum assay_status
read_provider(const struct entry *e, char provider[COLLECT_PROVIDER_SIZE],
              struct assay_error *err)
{
    char text[ATTRIBUTE_MAX];
    enum assay_status st = read_text(e, "provider", text, err);

    if (st != ASSAY_OK)
        return st;
    if (text[0] == '\0' || strlen(text) >= COLLECT_PROVIDER_SIZE)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "configfs-tsm: provider has %zu bytes, want 1 to %d",
                          strlen(text), COLLECT_PROVIDER_SIZE - 1);
    memcpy(provider, text, strlen(text) + 1);
    return ASSAY_OK;
}

static enum assay_status
request(struct entry *e, const uint8_t *report_data, uint32_t vmpl,
        struct arena *arena, struct collected *out, struct assay_error *err)
{
    struct collected got = { 0 };
    enum assay_status st = read_provider(e, got.provider, err);

    if (st == ASSAY_OK)
        st = write_request(e, report_data, vmpl, got.provider, err);
    /* Before the read that makes the report: a lost write would otherwise
     * be reported as the driver's EINVAL. */
    if (st == ASSAY_OK)
        st = check_generation(e, err);
    if (st == ASSAY_OK)
        st = read_blob(e, "auxblob", arena, &got.auxblob, err);
    if (st == ASSAY_OK)
        st = read_blob(e, "outblob", arena, &got.outblob, err);
    if (st == ASSAY_OK)
        st = check_generation(e, err);
    if (st == ASSAY_OK)
        *out = got;
    return st;
}

enum assay_status
tsm_report(const struct collect_config *cfg, const char *path,
           const uint8_t report_data[COLLECT_REPORT_DATA_SIZE], uint32_t vmpl,
           struct arena *arena, struct collected *out, struct assay_error *err)
{
    enum assay_status st = ASSAY_ERR_IO;

    for (int i = 0; i < ATTEMPTS && st == ASSAY_ERR_IO; i++) {
        struct entry e;

        if (i > 0)
            collect_pause(cfg, (unsigned)PAUSE_MS << (i - 1));
        st = entry_make(cfg, path, &e, err);
        if (st != ASSAY_OK)
            continue;
        st = request(&e, report_data, vmpl, arena, out, err);
        entry_remove(&e);
    }
    return st;
}

enum assay_status
tsm_provider(const struct collect_config *cfg, const char *path,
             char provider[COLLECT_PROVIDER_SIZE], struct assay_error *err)
{
    struct entry e;
    enum assay_status st = entry_make(cfg, path, &e, err);

    if (st != ASSAY_OK)
        return st;
    st = read_provider(&e, provider, err);
    entry_remove(&e);
    return st;
}
