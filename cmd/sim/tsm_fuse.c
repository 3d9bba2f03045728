#include "sim/tsm_fuse.h"

#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fuse.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

struct tsm_mount {
    struct fuse *fuse;
};

/* --- paths --- */

enum node_kind { NODE_ROOT, NODE_ENTRY, NODE_ATTRIBUTE };

/* "/", "/entry" or "/entry/attribute". */
struct node {
    enum node_kind kind;
    char entry[TSM_NAME_MAX + 1];
    enum tsm_attribute attribute;
};

static struct tsm *
tree(void)
{
    return fuse_get_context()->private_data;
}

/* 0, or a negated errno; the entry need not exist. */
static int
parse_path(const char *path, struct node *out)
{
    const char *slash = strchr(path + 1, '/');
    size_t len = slash ? (size_t)(slash - path - 1) : strlen(path + 1);

    *out = (struct node){ .kind = NODE_ROOT };
    if (len == 0)
        return 0;
    if (len > TSM_NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(out->entry, path + 1, len);
    out->kind = slash ? NODE_ATTRIBUTE : NODE_ENTRY;
    if (!slash)
        return 0;
    out->attribute = tsm_attribute_find(slash + 1);
    return out->attribute == TSM_ATTRIBUTE_COUNT ? -ENOENT : 0;
}

/* The same, and what it names is there. */
static int
find_node(const char *path, struct node *out)
{
    int rc = parse_path(path, out);

    if (rc == 0 && out->kind != NODE_ROOT && !tsm_exists(tree(), out->entry))
        rc = -ENOENT;
    return rc;
}

/* --- directories --- */

static struct tsm_file *
file_of(const struct fuse_file_info *fi)
{
    return (struct tsm_file *)(uintptr_t)fi->fh;
}

static void
fill_stat(const struct node *node, struct stat *st)
{
    const struct tsm_attribute_info *info = &tsm_attributes[node->attribute];

    memset(st, 0, sizeof(*st));
    st->st_uid = getuid();
    st->st_gid = getgid();
    st->st_nlink = node->kind == NODE_ATTRIBUTE ? 1 : 2;
    st->st_mode = S_IFDIR | 0755;
    if (node->kind != NODE_ATTRIBUTE)
        return;
    st->st_mode = S_IFREG | info->mode;
    st->st_size = info->binary ? 0 : TSM_TEXT_MAX; /* as configfs says */
}

/* An open file may come without its path, its entry being removed. */
static int
op_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
    struct node node = { .kind = NODE_ATTRIBUTE };
    int rc = 0;

    if (path)
        rc = find_node(path, &node);
    else
        node.attribute = tsm_file_attribute(file_of(fi));
    if (rc == 0)
        fill_stat(&node, st);
    return rc;
}

/* An open directory is known by its kind alone: all entries look the same. */
static int
op_opendir(const char *path, struct fuse_file_info *fi)
{
    struct node node;
    int rc = find_node(path, &node);

    if (rc == 0)
        fi->fh = node.kind;
    return rc;
}

struct listing {
    void *buf;
    fuse_fill_dir_t fill;
};

static void
list_entry(void *ctx, const char *entry)
{
    struct listing *l = ctx;

    l->fill(l->buf, entry, NULL, 0, 0);
}

static int
op_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t offset,
           struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
    struct listing listing = { buf, fill };

    (void)path;
    (void)offset;
    (void)flags;
    fill(buf, ".", NULL, 0, 0);
    fill(buf, "..", NULL, 0, 0);
    if (fi->fh == NODE_ROOT)
        tsm_each(tree(), list_entry, &listing);
    else
        for (int i = 0; i < TSM_ATTRIBUTE_COUNT; i++)
            fill(buf, tsm_attributes[i].name, NULL, 0, 0);
    return 0;
}

static int
op_mkdir(const char *path, mode_t mode)
{
    struct node node;
    int rc;

    (void)mode;
    if (strchr(path + 1, '/'))
        return -EPERM; /* reports have no directories of their own */
    rc = parse_path(path, &node);
    return rc != 0 ? rc : tsm_mkdir(tree(), node.entry);
}

static int
op_rmdir(const char *path)
{
    struct node node;
    int rc = parse_path(path, &node);

    return rc != 0 ? rc : tsm_rmdir(tree(), node.entry);
}

/* --- what configfs does not do --- */

static int
op_create(const char *path, mode_t mode, struct fuse_file_info *fi)
{
    (void)path;
    (void)mode;
    (void)fi;
    return -EACCES;
}

static int
op_unlink(const char *path)
{
    (void)path;
    return -EPERM;
}

static int
op_rename(const char *from, const char *to, unsigned flags)
{
    (void)from;
    (void)to;
    (void)flags;
    return -EPERM;
}

static int
op_symlink(const char *target, const char *path)
{
    (void)target;
    (void)path;
    return -EPERM;
}

/* Opening with O_TRUNC comes here; configfs ignores the size. */
static int
op_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
    struct node node;

    (void)size;
    (void)fi;
    return path ? find_node(path, &node) : 0;
}

/* --- attributes --- */

static int
op_open(const char *path, struct fuse_file_info *fi)
{
    struct tsm_file *file = NULL;
    struct node node;
    int rc = parse_path(path, &node);

    if (rc == 0 && node.kind != NODE_ATTRIBUTE)
        rc = -EISDIR;
    if (rc == 0)
        rc = tsm_open(tree(), node.entry, node.attribute, fi->flags, &file);
    if (rc != 0)
        return rc;
    fi->fh = (uintptr_t)file;
    fi->direct_io = 1; /* sizes are not known before the first read */
    return 0;
}

static int
op_read(const char *path, char *buf, size_t len, off_t offset,
        struct fuse_file_info *fi)
{
    (void)path;
    return (int)tsm_read(file_of(fi), (size_t)offset, (uint8_t *)buf, len);
}

static int
op_write(const char *path, const char *buf, size_t len, off_t offset,
         struct fuse_file_info *fi)
{
    (void)path;
    return (int)tsm_write(file_of(fi), (size_t)offset, (const uint8_t *)buf,
                          len);
}

/* close(2) waits for the flush but not for the release, so this is where a
 * binary attribute takes effect; in the kernel it is the release. Differs only
 * for a descriptor that was duplicated and is closed twice. */
static int
op_flush(const char *path, struct fuse_file_info *fi)
{
    (void)path;
    tsm_commit(file_of(fi));
    return 0;
}

static int
op_release(const char *path, struct fuse_file_info *fi)
{
    (void)path;
    tsm_close(file_of(fi));
    return 0;
}

static void *
op_init(struct fuse_conn_info *conn, struct fuse_config *cfg)
{
    (void)conn;
    cfg->nullpath_ok = 1; /* open files work without their path, */
    cfg->hard_remove = 1; /* also after rmdir */
    cfg->entry_timeout = 0;
    cfg->attr_timeout = 0;
    cfg->negative_timeout = 0;
    return fuse_get_context()->private_data;
}

static const struct fuse_operations operations = {
    .init = op_init,
    .getattr = op_getattr,
    .opendir = op_opendir,
    .readdir = op_readdir,
    .mkdir = op_mkdir,
    .rmdir = op_rmdir,
    .create = op_create,
    .unlink = op_unlink,
    .rename = op_rename,
    .symlink = op_symlink,
    .truncate = op_truncate,
    .open = op_open,
    .read = op_read,
    .write = op_write,
    .flush = op_flush,
    .release = op_release,
};

/* --- the mount --- */

/* A simulator that was killed leaves a mount nobody answers for. */
static void
remove_dead_mount(const char *dir)
{
    struct stat st;

    if (stat(dir, &st) != 0 && errno == ENOTCONN)
        umount2(dir, MNT_DETACH);
}

static struct fuse *
make_fuse(struct tsm *tsm)
{
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    struct fuse *fuse = NULL;

    if (fuse_opt_add_arg(&args, "assay-sim") == 0 &&
        fuse_opt_add_arg(&args, "-ofsname=assay-sim,subtype=tsm") == 0 &&
        (getuid() != 0 || fuse_opt_add_arg(&args, "-oallow_other") == 0))
        fuse = fuse_new(&args, &operations, sizeof(operations), tsm);
    fuse_opt_free_args(&args);
    return fuse;
}

enum assay_status
tsm_mount_new(struct tsm *tsm, const char *dir, struct tsm_mount **out,
              struct assay_error *err)
{
    struct fuse *fuse = make_fuse(tsm);
    struct tsm_mount *mount;

    if (!fuse || fuse_set_signal_handlers(fuse_get_session(fuse)) != 0) {
        if (fuse)
            fuse_destroy(fuse);
        return assay_fail(err, ASSAY_ERR_IO, "cannot set up FUSE");
    }
    remove_dead_mount(dir);
    mount = mem_zalloc(NULL, sizeof(*mount));
    if (!mount || fuse_mount(fuse, dir) != 0) {
        fuse_remove_signal_handlers(fuse_get_session(fuse));
        fuse_destroy(fuse);
        mem_free(NULL, mount);
        return assay_fail(err, ASSAY_ERR_IO,
                          "cannot mount over %s (is /dev/fuse there and "
                          "allowed? --socket works without)",
                          dir);
    }
    mount->fuse = fuse;
    *out = mount;
    return ASSAY_OK;
}

enum assay_status
tsm_mount_run(struct tsm_mount *mount, struct assay_error *err)
{
    int rc = fuse_loop(mount->fuse); /* > 0: ended by that signal */

    if (rc < 0)
        return assay_fail(err, ASSAY_ERR_IO, "FUSE: %s", strerror(-rc));
    return ASSAY_OK;
}

void
tsm_mount_free(struct tsm_mount *mount)
{
    if (!mount)
        return;
    fuse_unmount(mount->fuse);
    fuse_remove_signal_handlers(fuse_get_session(mount->fuse));
    fuse_destroy(mount->fuse);
    mem_free(NULL, mount);
}
