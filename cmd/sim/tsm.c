#include "sim/tsm.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct tsm_attribute_info tsm_attributes[TSM_ATTRIBUTE_COUNT] = {
    [TSM_AUXBLOB] = { "auxblob", 0444, true },
    [TSM_GENERATION] = { "generation", 0444, false },
    [TSM_INBLOB] = { "inblob", 0200, true },
    [TSM_OUTBLOB] = { "outblob", 0444, true },
    [TSM_PRIVLEVEL] = { "privlevel", 0200, false },
    [TSM_PRIVLEVEL_FLOOR] = { "privlevel_floor", 0444, false },
    [TSM_PROVIDER] = { "provider", 0444, false },
};

/* One report in the making. Open files keep it alive after its removal. */
struct entry {
    struct entry *next;
    size_t references; /* the tree's and each open file's */
    bool removed;
    unsigned long write_generation;
    unsigned long read_generation; /* write_generation of the blobs below */
    unsigned privlevel;
    uint8_t inblob[TSM_INBLOB_MAX];
    size_t inblob_len;
    bool generated;
    struct buffer outblob;
    struct buffer auxblob;
    char name[TSM_NAME_MAX + 1];
};

struct tsm {
    struct tsm_provider provider;
    pthread_mutex_t lock;
    struct entry *entries;
    size_t entry_count;
};

struct tsm_file {
    struct tsm *tsm;
    struct entry *entry;
    enum tsm_attribute attribute;
    bool filled;      /* reading: content is what the first read found */
    bool uncommitted; /* writing: content waits for the close */
    struct buffer content;
};

enum tsm_attribute
tsm_attribute_find(const char *name)
{
    int i = 0;

    while (i < TSM_ATTRIBUTE_COUNT && strcmp(tsm_attributes[i].name, name) != 0)
        i++;
    return (enum tsm_attribute)i;
}

struct tsm *
tsm_new(const struct tsm_provider *provider)
{
    struct tsm *tsm = mem_zalloc(NULL, sizeof(*tsm));

    if (!tsm)
        return NULL;
    tsm->provider = *provider;
    pthread_mutex_init(&tsm->lock, NULL);
    return tsm;
}

static void
entry_release(struct entry *e)
{
    if (--e->references > 0)
        return;
    buffer_free(&e->outblob);
    buffer_free(&e->auxblob);
    mem_free(NULL, e);
}

void
tsm_free(struct tsm *tsm)
{
    if (!tsm)
        return;
    while (tsm->entries) {
        struct entry *e = tsm->entries;

        tsm->entries = e->next;
        entry_release(e);
    }
    pthread_mutex_destroy(&tsm->lock);
    mem_free(NULL, tsm);
}

/* The link that points at the entry, or the one a new entry goes into. */
static struct entry **
find_link(struct tsm *tsm, const char *name)
{
    struct entry **link = &tsm->entries;

    while (*link && strcmp((*link)->name, name) != 0)
        link = &(*link)->next;
    return link;
}

static int
make_entry(struct tsm *tsm, const char *name)
{
    struct entry **link = find_link(tsm, name);
    struct entry *e;

    if (*link)
        return -EEXIST;
    if (tsm->entry_count == TSM_ENTRIES_MAX)
        return -ENOSPC;
    e = mem_zalloc(NULL, sizeof(*e));
    if (!e)
        return -ENOMEM;
    e->references = 1;
    /* Room for the byte that shows the limit was passed. */
    buffer_init(&e->outblob, TSM_OUTBLOB_MAX + 1, NULL);
    buffer_init(&e->auxblob, TSM_OUTBLOB_MAX + 1, NULL);
    snprintf(e->name, sizeof(e->name), "%s", name);
    *link = e;
    tsm->entry_count++;
    return 0;
}

int
tsm_mkdir(struct tsm *tsm, const char *entry)
{
    int rc;

    if (strlen(entry) > TSM_NAME_MAX)
        return -ENAMETOOLONG;
    pthread_mutex_lock(&tsm->lock);
    rc = make_entry(tsm, entry);
    pthread_mutex_unlock(&tsm->lock);
    return rc;
}

int
tsm_rmdir(struct tsm *tsm, const char *entry)
{
    struct entry **link, *e;

    pthread_mutex_lock(&tsm->lock);
    link = find_link(tsm, entry);
    e = *link;
    if (e) {
        *link = e->next;
        e->removed = true;
        tsm->entry_count--;
        entry_release(e);
    }
    pthread_mutex_unlock(&tsm->lock);
    return e ? 0 : -ENOENT;
}

bool
tsm_exists(struct tsm *tsm, const char *entry)
{
    bool found;

    pthread_mutex_lock(&tsm->lock);
    found = *find_link(tsm, entry) != NULL;
    pthread_mutex_unlock(&tsm->lock);
    return found;
}

void
tsm_each(struct tsm *tsm, void (*visit)(void *ctx, const char *entry),
         void *ctx)
{
    pthread_mutex_lock(&tsm->lock);
    for (struct entry *e = tsm->entries; e; e = e->next)
        visit(ctx, e->name);
    pthread_mutex_unlock(&tsm->lock);
}

/* configfs looks at the attribute's mode itself, so capabilities that let root
 * pass elsewhere do not help here. */
static bool
access_allowed(enum tsm_attribute attribute, int flags)
{
    mode_t mode = tsm_attributes[attribute].mode;
    int access = flags & O_ACCMODE;
    bool reads = access == O_RDONLY || access == O_RDWR;
    bool writes = access == O_WRONLY || access == O_RDWR;

    return (!reads || (mode & 0444)) && (!writes || (mode & 0222));
}

int
tsm_open(struct tsm *tsm, const char *entry, enum tsm_attribute attribute,
         int flags, struct tsm_file **out)
{
    struct tsm_file *file = mem_zalloc(NULL, sizeof(*file));

    if (!file)
        return -ENOMEM;
    pthread_mutex_lock(&tsm->lock);
    file->entry = *find_link(tsm, entry);
    if (file->entry)
        file->entry->references++;
    pthread_mutex_unlock(&tsm->lock);
    if (!file->entry) {
        mem_free(NULL, file);
        return -ENOENT;
    }
    file->tsm = tsm;
    file->attribute = attribute;
    buffer_init(&file->content,
                tsm_attributes[attribute].mode == 0200 ? TSM_INBLOB_MAX
                                                       : TSM_OUTBLOB_MAX,
                NULL);
    if (!access_allowed(attribute, flags)) {
        tsm_close(file);
        return -EACCES;
    }
    *out = file;
    return 0;
}

enum tsm_attribute
tsm_file_attribute(const struct tsm_file *file)
{
    return file->attribute;
}

/* The report in e belongs to what was last written, or is made now. */
static int
refresh(const struct tsm_provider *provider, struct entry *e)
{
    int rc;

    if (e->inblob_len == 0)
        return -EINVAL;
    if (e->generated && e->read_generation == e->write_generation)
        return 0;
    e->generated = false;
    buffer_clear(&e->outblob);
    buffer_clear(&e->auxblob);
    rc = provider->report_new(provider->ctx, e->inblob, e->inblob_len,
                              e->privlevel, &e->outblob, &e->auxblob);
    if (rc != 0)
        return rc;
    if (e->outblob.failed || e->auxblob.failed)
        return -ENOMEM;
    e->generated = true;
    e->read_generation = e->write_generation;
    return 0;
}

static int
fill_blob(struct tsm_file *file, const struct buffer *blob)
{
    int rc = refresh(&file->tsm->provider, file->entry);

    if (rc != 0)
        return rc;
    if (blob->len > TSM_OUTBLOB_MAX)
        return -EFBIG;
    buffer_add(&file->content, buffer_span(blob));
    return 0;
}

static int
fill(struct tsm_file *file)
{
    struct entry *e = file->entry;
    const struct tsm_provider *provider = &file->tsm->provider;

    switch (file->attribute) {
    case TSM_OUTBLOB:
        return fill_blob(file, &e->outblob);
    case TSM_AUXBLOB:
        return fill_blob(file, &e->auxblob);
    case TSM_GENERATION:
        buffer_addf(&file->content, "%lu\n", e->write_generation);
        return 0;
    case TSM_PRIVLEVEL_FLOOR:
        buffer_addf(&file->content, "%u\n", provider->privlevel_floor);
        return 0;
    case TSM_PROVIDER:
        buffer_addf(&file->content, "%s\n", provider->name);
        return 0;
    case TSM_INBLOB:
    case TSM_PRIVLEVEL:
    case TSM_ATTRIBUTE_COUNT:
        break;
    }
    return -EACCES;
}

static int
read_locked(struct tsm_file *file)
{
    int rc;

    if (file->entry->removed)
        return -ENOENT;
    if (file->filled)
        return 0;
    rc = fill(file);
    if (rc == 0 && file->content.failed)
        rc = -ENOMEM;
    file->filled = rc == 0;
    return rc;
}

ssize_t
tsm_read(struct tsm_file *file, size_t offset, uint8_t *out, size_t len)
{
    struct span part;
    int rc;

    pthread_mutex_lock(&file->tsm->lock);
    rc = read_locked(file);
    pthread_mutex_unlock(&file->tsm->lock);
    if (rc != 0)
        return rc;
    part = span_sub(buffer_span(&file->content), offset, len);
    if (part.len > 0)
        memcpy(out, part.ptr, part.len);
    return (ssize_t)part.len;
}

/* Counts a write, unless a reader could then take the next generation for the
 * one it has seen: 2^n writes without a read in between. */
static int
advance_generation(struct entry *e)
{
    if (e->write_generation == e->read_generation - 1)
        return -EBUSY;
    e->write_generation++;
    return 0;
}

/* kstrtouint(text, 0, ...): C's prefixes, one newline allowed at the end. */
static bool
parse_privlevel(const uint8_t *bytes, size_t len, unsigned long *out)
{
    char text[16] = { 0 };
    char *end;

    if (len == 0 || len >= sizeof(text))
        return false;
    memcpy(text, bytes, len);
    if ((text[0] < '0' || text[0] > '9') || strlen(text) != len)
        return false;
    *out = strtoul(text, &end, 0);
    return *end == '\0' || strcmp(end, "\n") == 0;
}

static int
store_privlevel(struct tsm_file *file, const uint8_t *bytes, size_t len)
{
    unsigned long level;
    int rc;

    if (!parse_privlevel(bytes, len, &level) || level > TSM_PRIVLEVEL_MAX ||
        level < file->tsm->provider.privlevel_floor)
        return -EINVAL;
    rc = advance_generation(file->entry);
    if (rc == 0)
        file->entry->privlevel = (unsigned)level;
    return rc;
}

ssize_t
tsm_write(struct tsm_file *file, size_t offset, const uint8_t *bytes,
          size_t len)
{
    int rc = 0;

    if (!tsm_attributes[file->attribute].binary) {
        pthread_mutex_lock(&file->tsm->lock);
        rc = file->entry->removed ? -ENOENT : store_privlevel(file, bytes, len);
        pthread_mutex_unlock(&file->tsm->lock);
        return rc == 0 ? (ssize_t)len : rc;
    }
    if (offset > TSM_INBLOB_MAX || TSM_INBLOB_MAX - offset < len)
        return -EFBIG;
    while (file->content.len < offset + len && !file->content.failed)
        buffer_add(&file->content, span_of("\0", 1));
    if (file->content.failed)
        return -ENOMEM;
    if (len > 0)
        memcpy(file->content.ptr + offset, bytes, len);
    file->uncommitted = true;
    return (ssize_t)len;
}

void
tsm_commit(struct tsm_file *file)
{
    struct entry *e = file->entry;

    if (!file->uncommitted)
        return;
    file->uncommitted = false;
    pthread_mutex_lock(&file->tsm->lock);
    if (!e->removed && advance_generation(e) == 0) {
        e->inblob_len = file->content.len;
        memset(e->inblob, 0, sizeof(e->inblob));
        if (e->inblob_len > 0)
            memcpy(e->inblob, file->content.ptr, e->inblob_len);
    }
    pthread_mutex_unlock(&file->tsm->lock);
}

void
tsm_close(struct tsm_file *file)
{
    struct tsm *tsm;

    if (!file)
        return;
    tsm = file->tsm;
    tsm_commit(file);
    pthread_mutex_lock(&tsm->lock);
    entry_release(file->entry);
    pthread_mutex_unlock(&tsm->lock);
    buffer_free(&file->content);
    mem_free(NULL, file);
}
