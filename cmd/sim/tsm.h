/* The state machine of /sys/kernel/config/tsm/report, without a file system.
 *
 * Follows drivers/virt/coco/tsm.c and fs/configfs/file.c of Linux as the
 * provider "sev_guest" shows them (Documentation/ABI/testing/configfs-tsm):
 * entries are made and removed as directories; each has the attributes below.
 * FUSE and unix-socket front ends translate to these calls and add nothing.
 *
 * All calls return 0 or a count, or a negated errno value. They are safe from
 * several threads: the tree has one lock, as the kernel's does. */
#ifndef ASSAY_SIM_TSM_H
#define ASSAY_SIM_TSM_H

#include <sys/types.h>

#include "base/buffer.h"

enum {
    TSM_INBLOB_MAX = 64,         /* the kernel's TSM_REPORT_INBLOB_MAX */
    TSM_OUTBLOB_MAX = 32 * 1024, /* beyond it reads fail with EFBIG */
    TSM_PRIVLEVEL_MAX = 3,       /* VMPL 3 */
    TSM_ENTRIES_MAX = 4096,      /* ours: a leak shows instead of growing */
    TSM_NAME_MAX = 255,          /* NAME_MAX */
    TSM_TEXT_MAX = 4096,         /* configfs text attributes: one page */
};

enum tsm_attribute {
    TSM_AUXBLOB,
    TSM_GENERATION,
    TSM_INBLOB,
    TSM_OUTBLOB,
    TSM_PRIVLEVEL,
    TSM_PRIVLEVEL_FLOOR,
    TSM_PROVIDER,
    TSM_ATTRIBUTE_COUNT
};

struct tsm_attribute_info {
    const char *name;
    mode_t mode; /* 0444 or 0200: an attribute is read or written, never both */
    bool binary; /* written as a whole, when the file is closed */
};
extern const struct tsm_attribute_info tsm_attributes[TSM_ATTRIBUTE_COUNT];

/* TSM_ATTRIBUTE_COUNT when there is none of that name. */
enum tsm_attribute tsm_attribute_find(const char *name);

/* What stands behind the interface: makes a report and its certificates.
 * Returns 0 or a negated errno value. inblob_len is 1 to TSM_INBLOB_MAX. */
struct tsm_provider {
    const char *name;         /* "sev_guest" */
    unsigned privlevel_floor; /* the VMPL of the kernel */
    int (*report_new)(void *ctx, const uint8_t *inblob, size_t inblob_len,
                      unsigned privlevel, struct buffer *outblob,
                      struct buffer *auxblob);
    void *ctx;
};

struct tsm;

/* Copies the provider; its name and ctx must outlive the tree. NULL: memory. */
struct tsm *tsm_new(const struct tsm_provider *provider);
void tsm_free(struct tsm *tsm); /* no file may be open */

int tsm_mkdir(struct tsm *tsm, const char *entry); /* EEXIST, ENAMETOOLONG */
int tsm_rmdir(struct tsm *tsm, const char *entry); /* ENOENT */
bool tsm_exists(struct tsm *tsm, const char *entry);
void tsm_each(struct tsm *tsm, void (*visit)(void *ctx, const char *entry),
              void *ctx);

struct tsm_file;

/* flags as for open(2). EACCES when the attribute does not allow the access,
 * whoever asks: configfs checks the mode itself, so root gets it too. */
int tsm_open(struct tsm *tsm, const char *entry, enum tsm_attribute attribute,
             int flags, struct tsm_file **out);

enum tsm_attribute tsm_file_attribute(const struct tsm_file *file);

/* A binary attribute is filled by the first read and stays as it was then.
 * ENOENT once the entry was removed. */
ssize_t tsm_read(struct tsm_file *file, size_t offset, uint8_t *out,
                 size_t len);

/* Text attributes take effect here, binary ones are only collected; EFBIG
 * beyond TSM_INBLOB_MAX. */
ssize_t tsm_write(struct tsm_file *file, size_t offset, const uint8_t *bytes,
                  size_t len);

/* Hands collected bytes over, as closing the file does; what the driver thinks
 * of them is lost. Nothing to do when nothing was written since the last. */
void tsm_commit(struct tsm_file *file);
void tsm_close(struct tsm_file *file); /* commits, then frees */

#endif
