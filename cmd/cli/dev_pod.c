#include "cli/dev_pod.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

enum { WORDS_MAX = 160, VARIABLES_MAX = DEV_PODS_MAX + 9 };

/* Where things are inside a sandbox. */
#define POD_TSM_PARENT "/sys/kernel/config/tsm"
#define POD_CONTRAST "/contrast"
#define POD_INITIALIZER "/assay/assay-initializer"
#define POD_MANIFEST "/assay/manifest.json"
#define POD_ANCHOR "/assay/ark.pem"
#define POD_APP "/app"

struct words {
    const char *items[WORDS_MAX + 1];
    size_t count;
    bool failed; /* too many, or a NULL that an empty arena left */
};

static void
add(struct words *w, const char *word)
{
    if (!word || w->count == WORDS_MAX) {
        w->failed = true;
        return;
    }
    w->items[w->count++] = word;
}

static void
add_all(struct words *w, const char *const *words)
{
    for (; *words; words++)
        add(w, *words);
}

static void
add3(struct words *w, const char *a, const char *b, const char *c)
{
    add(w, a);
    add(w, b);
    add(w, c);
}

bool
dev_pod_sandbox_works(const struct dev_dir *dir, const char **why)
{
    static const char *argv[] = {
        "bwrap",         "--ro-bind",    "/",     "/",
        "--unshare-pid", "--proc",       "/proc", "--dev",
        "/dev",          "/usr/bin/env", "true",  NULL
    };
    struct dev_service probe = { "sandbox-probe", argv, NULL, NULL };
    int code = 0;

    if (dev_service_run(dir, &probe, &code, NULL) != ASSAY_OK) {
        *why = "bwrap (Debian package bubblewrap) is not installed";
        return false;
    }
    *why = "bwrap may not create namespaces here";
    return code == 0;
}

/* The system's programs and what they cannot start without. */
static void
add_system(struct words *w)
{
    static const char *const fixed[] = {
        "bwrap",
        "--unshare-user-try",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup-try",
        "--cap-drop",
        "ALL",
        "--clearenv",
        "--ro-bind",
        "/usr",
        "/usr",
        "--symlink",
        "usr/bin",
        "/bin",
        "--symlink",
        "usr/sbin",
        "/sbin",
        "--symlink",
        "usr/lib",
        "/lib",
        "--symlink",
        "usr/lib64",
        "/lib64",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--tmpfs",
        "/tmp",
        NULL,
    };
    static const char *const etc[] = { "/etc/ld.so.cache", "/etc/alternatives",
                                       "/etc/nsswitch.conf", "/etc/passwd",
                                       "/etc/ssl" };

    add_all(w, fixed);
    for (size_t i = 0; i < sizeof(etc) / sizeof(etc[0]); i++)
        add3(w, "--ro-bind-try", etc[i], etc[i]);
}

static void
add_mounts(struct words *w, const struct dev_dir *dir,
           const struct dev_plan *plan, const struct dev_pod *pod,
           const struct dev_vm *vm)
{
    add3(w, "--bind", dev_dir_path(dir, "pods/%s/contrast", pod->name),
         POD_CONTRAST);
    add3(w, "--ro-bind", dev_text(dir->arena, "%s/app", plan->app_dir),
         POD_APP);
    add3(w, "--ro-bind", dev_program(dir->arena, "assay-initializer"),
         POD_INITIALIZER);
    add3(w, "--ro-bind", dev_manifest_path(dir), POD_MANIFEST);
    add3(w, "--ro-bind", dev_anchor_path(dir), POD_ANCHOR);
    add3(w, "--bind", vm->dir, POD_TSM_PARENT);
    add3(w, "--hostname", pod->name, "--chdir");
    add(w, POD_APP);
}

/* The address of each pod as X_ADDRESS, as Kubernetes names services. */
static const char *
address_variable(struct arena *arena, const struct dev_pod *pod)
{
    char *name = dev_text(arena, "%s_ADDRESS", pod->name);

    for (char *c = name; c && *c; c++) {
        if (*c == '-')
            *c = '_';
        else if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    }
    return name;
}

struct variable {
    const char *name, *value;
};

/* Fills at most VARIABLES_MAX. */
static size_t
pod_variables(const struct dev_dir *dir, const struct dev_plan *plan,
              const struct dev_pod *pod, const struct dev_vm *vm,
              struct variable *out)
{
    struct arena *arena = dir->arena;
    bool inside = plan->sandbox;
    const struct variable fixed[] = {
        { "CONTRAST_DIR",
          inside ? POD_CONTRAST
                 : dev_dir_path(dir, "pods/%s/contrast", pod->name) },
        { "LISTEN", pod->address },
        { "PYTHONDONTWRITEBYTECODE", "1" },
        { "ASSAY_COORDINATOR", plan->mesh_api },
        { "ASSAY_KDS_URL", dev_text(arena, "http://%s", plan->vendor) },
        { "ASSAY_TSM", inside ? dev_text(arena, POD_TSM_PARENT "/%s", vm->tsm)
                              : dev_text(arena, "%s/%s", vm->dir, vm->tsm) },
        { "ASSAY_MANIFEST", inside ? POD_MANIFEST : dev_manifest_path(dir) },
        { "ASSAY_ANCHOR", inside ? POD_ANCHOR : dev_anchor_path(dir) },
        { "ASSAY_CACHE", inside ? "/tmp/kds" : dev_dir_path(dir, "cache") },
    };
    size_t count = sizeof(fixed) / sizeof(fixed[0]);

    memcpy(out, fixed, sizeof(fixed));
    for (size_t i = 0; i < plan->pod_count; i++)
        if (!plan->pods[i].coordinator)
            out[count++] =
                (struct variable){ address_variable(arena, &plan->pods[i]),
                                   plan->pods[i].address };
    return count;
}

/* The initializer, pinned to a coordinator that satisfies the manifest, and
 * when it has succeeded, the application in its place. */
#define POD_SCRIPT                                                             \
    "\"$0\" --coordinator \"$ASSAY_COORDINATOR\" --tsm \"$ASSAY_TSM\" "        \
    "--kds-url \"$ASSAY_KDS_URL\" --trust-anchor \"$ASSAY_ANCHOR\" "           \
    "--manifest \"$ASSAY_MANIFEST\" --cache-dir \"$ASSAY_CACHE\" "             \
    "--dir \"$CONTRAST_DIR\" --done-file '' --retry 1 && exec \"$@\""

static void
add_command(struct words *w, const struct dev_dir *dir,
            const struct dev_plan *plan, const struct dev_pod *pod)
{
    add3(w, "/bin/sh", "-c", POD_SCRIPT);
    add(w, plan->sandbox ? POD_INITIALIZER
                         : dev_program(dir->arena, "assay-initializer"));
    add_all(w, pod->command.items);
}

enum assay_status
dev_pod_start(const struct dev_dir *dir, const struct dev_plan *plan,
              const struct dev_pod *pod, const struct dev_vm *vm,
              struct assay_error *err)
{
    struct variable vars[VARIABLES_MAX];
    const char *env[VARIABLES_MAX + 1] = { NULL };
    size_t var_count = pod_variables(dir, plan, pod, vm, vars);
    const char *app = dev_text(dir->arena, "%s/app", plan->app_dir);
    struct words w = { 0 };
    struct dev_service service = { .argv = w.items, .env = env };

    if (plan->sandbox) {
        add_system(&w);
        add_mounts(&w, dir, plan, pod, vm);
        add3(&w, "--setenv", "PATH", "/usr/bin:/bin");
        for (size_t i = 0; i < var_count; i++)
            add3(&w, "--setenv", vars[i].name, vars[i].value);
        add(&w, "--");
    } else {
        service.cwd = app;
        for (size_t i = 0; i < var_count; i++)
            env[i] = dev_text(dir->arena, "%s=%s", vars[i].name,
                              vars[i].value ? vars[i].value : "");
    }
    add_command(&w, dir, plan, pod);
    service.name = dev_text(dir->arena, "pod-%s", pod->name);
    if (w.failed || !service.name || !app)
        return assay_nomem(err, "the pod's command line");
    return dev_service_start(dir, &service, err);
}
