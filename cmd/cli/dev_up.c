#include "cli/dev_up.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "cli/dev_manifest.h"
#include "cli/dev_pod.h"
#include "common/output.h"
#include "crypto/digest.h"

enum {
    /* Generous: everything runs several times slower under sanitizers. */
    START_SECONDS = 30,
    POD_SECONDS = 60,
    WORDS_MAX = 96,
    FIXED_ADDRESSES = 4,
    SOCKET_PATH_MAX = 107, /* sockaddr_un */
};

/* All guests run the same (imaginary) firmware, kernel and root image. */
#define GUEST_IMAGE "assay dev: the guest image of process mode, version 1\n"

struct up {
    const struct invocation *inv;
    const struct dev_dir *dir;
    struct dev_plan *plan;
    char measurement[2 * SHA384_SIZE + 1];
    const char *vendor_url;
    const char *anchor; /* file */
    bool fuse;
};

/* ---- before anything runs ---- */

static enum assay_status
choose_addresses(struct up *up, struct assay_error *err)
{
    const char *got[FIXED_ADDRESSES + DEV_PODS_MAX];
    struct dev_plan *plan = up->plan;

    if (!dev_free_addresses(up->dir->arena, got,
                            FIXED_ADDRESSES + plan->pod_count))
        return assay_fail(err, ASSAY_ERR_IO,
                          "no free TCP ports on the loopback");
    plan->user_api = got[0];
    plan->mesh_api = got[1];
    plan->probes = got[2];
    plan->vendor = got[3];
    for (size_t i = 0; i < plan->pod_count; i++)
        plan->pods[i].address = plan->pods[i].coordinator
                                    ? plan->user_api
                                    : got[FIXED_ADDRESSES + i];
    return ASSAY_OK;
}

/* A pod is its policy document (CI section 14.6). */
static enum assay_status
identify(const struct up *up, struct dev_pod *pod, struct assay_error *err)
{
    const char *path =
        dev_text(up->dir->arena, "%s/%s", up->plan->app_dir, pod->policy);
    char *hex = arena_alloc(up->dir->arena, 2 * SHA256_SIZE + 1);
    uint8_t digest[SHA256_SIZE];
    struct buffer document;
    enum assay_status st;

    if (!path || !hex)
        return assay_nomem(err, pod->name);
    buffer_init(&document, LIMIT_POLICY_BYTES, NULL);
    st = file_read(path, &document, err);
    if (st == ASSAY_OK)
        st = digest_sha256(buffer_span(&document), digest, err);
    buffer_free(&document);
    if (st != ASSAY_OK)
        return st;
    hex_encode(span_of(digest, sizeof(digest)), hex);
    pod->identity = hex;
    return ASSAY_OK;
}

static enum assay_status
prepare(struct up *up, struct assay_error *err)
{
    uint8_t digest[SHA384_SIZE];
    enum assay_status st = choose_addresses(up, err);
    int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    up->fuse = fuse >= 0;
    if (fuse >= 0)
        close(fuse);
    for (size_t i = 0; st == ASSAY_OK && i < up->plan->pod_count; i++)
        st = identify(up, &up->plan->pods[i], err);
    if (st == ASSAY_OK)
        st = digest_sha384(span_str(GUEST_IMAGE), digest, err);
    if (st != ASSAY_OK)
        return st;
    hex_encode(span_of(digest, sizeof(digest)), up->measurement);
    up->vendor_url = dev_text(up->dir->arena, "http://%s", up->plan->vendor);
    up->anchor = dev_anchor_path(up->dir);
    return up->vendor_url && up->anchor ? ASSAY_OK : assay_nomem(err, "a path");
}

/* ---- the services ---- */

static enum assay_status
start_vendor(const struct up *up, struct assay_error *err)
{
    const char *argv[] = { dev_program(up->dir->arena, "assay-sim"),
                           "vendor",
                           "--state",
                           dev_dir_path(up->dir, "vendor"),
                           "--product",
                           DEV_PRODUCT,
                           "--listen",
                           up->plan->vendor,
                           NULL };
    struct dev_service service = { "vendor", argv, NULL, NULL };
    enum assay_status st = dev_service_start(up->dir, &service, err);

    talk(up->inv, "simulated vendor at %s", up->vendor_url);
    if (st == ASSAY_OK)
        st = dev_service_wait(up->dir, "vendor", dev_ready_listens,
                              up->plan->vendor, START_SECONDS, err);
    return st;
}

static enum assay_status
describe_vm(const struct up *up, const struct dev_pod *pod, struct dev_vm *out,
            struct assay_error *err)
{
    struct dev_vm vm = { .dir = dev_dir_path(up->dir, "vm/%s", pod->name),
                         .is_directory = up->fuse };

    if (!vm.dir)
        return assay_nomem(err, pod->name);
    vm.tsm = up->fuse ? "report" : "tsm.sock";
    if (!up->fuse && strlen(vm.dir) + strlen(vm.tsm) + 1 > SOCKET_PATH_MAX)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "%s is too long for a socket: give a shorter --dir",
                          vm.dir);
    *out = vm;
    return dir_create(
        up->fuse ? dev_dir_path(up->dir, "vm/%s/report", pod->name) : vm.dir,
        0700, err);
}

/* An empty directory is not yet a mount: configfs shows `provider` only in
 * entries, so the mount point's device number has to change. */
static bool
is_mounted(const char *path)
{
    char line[8192], mounted[4096];
    FILE *mounts = fopen("/proc/self/mounts", "re");
    bool found = false;

    while (mounts && !found && fgets(line, sizeof(line), mounts))
        found = sscanf(line, "%*s %4095s", mounted) == 1 &&
                strcmp(mounted, path) == 0;
    if (mounts)
        (void)fclose(mounts);
    return found;
}

static enum assay_status
start_vm(const struct up *up, const struct dev_pod *pod, struct dev_vm *vm,
         struct assay_error *err)
{
    struct arena *arena = up->dir->arena;
    enum assay_status st = describe_vm(up, pod, vm, err);
    const char *name = dev_text(arena, "vm-%s", pod->name);
    const char *tsm =
        st == ASSAY_OK ? dev_text(arena, "%s/%s", vm->dir, vm->tsm) : NULL;
    const char *argv[] = { dev_program(arena, "assay-sim"),
                           "vm",
                           "--state",
                           dev_dir_path(up->dir, "vendor"),
                           "--product",
                           DEV_PRODUCT,
                           "--tcb",
                           DEV_TCB,
                           "--chip",
                           pod->name,
                           "--measurement",
                           up->measurement,
                           "--host-data",
                           pod->identity,
                           up->fuse ? "--mount" : "--socket",
                           tsm,
                           NULL };
    struct dev_service service = { name, argv, NULL, NULL };

    if (st == ASSAY_OK && (!name || !tsm))
        st = assay_nomem(err, pod->name);
    if (st == ASSAY_OK)
        st = dev_service_start(up->dir, &service, err);
    if (st == ASSAY_OK)
        st = dev_service_wait(up->dir, name,
                              up->fuse ? is_mounted : dev_ready_exists, tsm,
                              START_SECONDS, err);
    return st;
}

static enum assay_status
start_coordinator(const struct up *up, struct assay_error *err)
{
    struct arena *arena = up->dir->arena;
    struct dev_vm vm;
    enum assay_status st =
        start_vm(up, dev_plan_coordinator(up->plan), &vm, err);
    const char *argv[] = { dev_program(arena, "assay-coordinator"),
                           "--state",
                           dev_dir_path(up->dir, "coordinator"),
                           "--listen-user",
                           up->plan->user_api,
                           "--listen-mesh",
                           up->plan->mesh_api,
                           "--listen-metrics",
                           up->plan->probes,
                           "--tsm",
                           st == ASSAY_OK
                               ? dev_text(arena, "%s/%s", vm.dir, vm.tsm)
                               : NULL,
                           "--kds-url",
                           up->vendor_url,
                           "--trust-anchor",
                           up->anchor,
                           NULL };
    struct dev_service service = { "coordinator", argv, NULL, NULL };

    if (st == ASSAY_OK)
        st = dev_service_start(up->dir, &service, err);
    talk(up->inv, "coordinator at %s, in a simulated guest of its own",
         up->plan->user_api);
    if (st == ASSAY_OK)
        st = dev_service_wait(up->dir, "coordinator", dev_ready_listens,
                              up->plan->user_api, START_SECONDS, err);
    return st;
}

/* ---- the owner's part ---- */

static enum assay_status
write_manifest(const struct up *up, struct assay_error *err)
{
    const char *path = dev_manifest_path(up->dir);

    if (!path)
        return assay_nomem(err, "a path");
    talk(up->inv, "writing the manifest: %zu pods, one measurement",
         up->plan->pod_count);
    return dev_manifest_write(path, up->plan, up->measurement, DEV_PRODUCT,
                              DEV_TCB, err);
}

/* Runs `assay ARGV...` in owner/ and passes its failure on. */
static enum assay_status
owner_command(const struct up *up, const char *name, const char **argv,
              struct assay_error *err)
{
    struct dev_service service = { name, argv, NULL,
                                   dev_dir_path(up->dir, "owner") };
    char words[160];
    int code = 0;
    enum assay_status st;

    if (!service.cwd)
        return assay_nomem(err, name);
    st = dev_service_run(up->dir, &service, &code, err);
    if (st != ASSAY_OK || code == EXIT_YES)
        return st;
    dev_service_last_words(up->dir, name, words, sizeof(words));
    return assay_fail(err, ASSAY_ERR_IO, "assay %s exits with %d: %s", name,
                      code, words);
}

static enum assay_status
set_manifest(const struct up *up, struct assay_error *err)
{
    const char *argv[WORDS_MAX] = { dev_program(up->dir->arena, "assay"),
                                    "set",
                                    "--manifest",
                                    "manifest.json",
                                    "--coordinator",
                                    up->plan->user_api,
                                    "--trust-anchor",
                                    up->anchor,
                                    "--kds-url",
                                    up->vendor_url };
    size_t n = 10;

    for (size_t i = 0; i < up->plan->pod_count; i++)
        argv[n++] = dev_text(up->dir->arena, "%s/%s", up->plan->app_dir,
                             up->plan->pods[i].policy);
    talk(up->inv, "setting the manifest: the owner attests the coordinator");
    return owner_command(up, "set", argv, err);
}

static enum assay_status
start_pods(const struct up *up, struct assay_error *err)
{
    enum assay_status st = ASSAY_OK;

    for (size_t i = 0; st == ASSAY_OK && i < up->plan->pod_count; i++) {
        const struct dev_pod *pod = &up->plan->pods[i];
        const char *contrast =
            dev_dir_path(up->dir, "pods/%s/contrast", pod->name);
        struct dev_vm vm;

        if (pod->coordinator)
            continue;
        talk(up->inv, "pod %s at %s", pod->name, pod->address);
        if (!contrast)
            return assay_nomem(err, pod->name);
        st = dir_create(contrast, 0700, err);
        if (st == ASSAY_OK)
            st = start_vm(up, pod, &vm, err);
        if (st == ASSAY_OK)
            st = dev_pod_start(up->dir, up->plan, pod, &vm, err);
    }
    return st;
}

static enum assay_status
wait_for_pods(const struct up *up, struct assay_error *err)
{
    enum assay_status st = ASSAY_OK;

    for (size_t i = 0; st == ASSAY_OK && i < up->plan->pod_count; i++) {
        const struct dev_pod *pod = &up->plan->pods[i];
        const char *name = dev_text(up->dir->arena, "pod-%s", pod->name);

        if (pod->coordinator)
            continue;
        if (!name)
            return assay_nomem(err, pod->name);
        st = dev_service_wait(up->dir, name, dev_ready_listens, pod->address,
                              POD_SECONDS, err);
    }
    return st;
}

enum assay_status
dev_up(const struct invocation *inv, const struct dev_dir *dir,
       struct dev_plan *plan, struct assay_error *err)
{
    struct up up = { .inv = inv, .dir = dir, .plan = plan };
    const char *state = dev_dir_path(dir, "state.json");
    enum assay_status st = prepare(&up, err);

    if (st == ASSAY_OK && !state)
        st = assay_nomem(err, "a path");
    if (st == ASSAY_OK)
        st = dev_plan_write(state, plan, err);
    if (st == ASSAY_OK)
        st = start_vendor(&up, err);
    if (st == ASSAY_OK)
        st = start_coordinator(&up, err);
    if (st == ASSAY_OK)
        st = write_manifest(&up, err);
    if (st == ASSAY_OK)
        st = set_manifest(&up, err);
    if (st == ASSAY_OK)
        st = start_pods(&up, err);
    if (st == ASSAY_OK)
        st = wait_for_pods(&up, err);
    return st;
}
