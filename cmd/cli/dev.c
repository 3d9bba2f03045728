/* assay dev up and down: a whole deployment on this machine, with simulated
 * processors. */
#include <limits.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/dev_options.h"
#include "cli/dev_pod.h"
#include "cli/dev_up.h"
#include "common/output.h"

int
dev_open(struct invocation *inv, const char *option, struct dev_dir *dir,
         struct dev_plan *plan)
{
    const char *path = dev_dir_choose(option, inv->arena), *state;
    struct assay_error err = { 0 };
    enum assay_status st;

    if (!path) {
        talk(inv, "no --dir, and no HOME to put one in");
        return EXIT_USAGE;
    }
    st = dev_dir_open(path, false, inv->arena, dir, &err);
    if (st == ASSAY_ERR_NOT_FOUND) {
        talk(inv, "nothing is up in %s; start with: assay dev up EXAMPLE",
             path);
        return EXIT_NO;
    }
    state = st == ASSAY_OK ? dev_dir_path(dir, "state.json") : NULL;
    if (state && plan)
        st = dev_plan_read(state, inv->arena, plan, &err);
    return st == ASSAY_OK ? EXIT_YES : talk_error(inv, &err);
}

/* ---- up ---- */

struct up_values {
    const char *dir;
    bool no_sandbox;
};

static const struct option up_options[] = {
    OPT_ROW_DEV_DIR(struct up_values, dir),
    { .name = "no-sandbox",
      .help = "run pods as plain processes, without bubblewrap",
      OPT_FLAG(struct up_values, no_sandbox) },
    { 0 },
};

static bool
anything_alive(const struct dev_dir *dir)
{
    struct dev_proc proc;

    return dev_service_alive(dir, "vendor", &proc) ||
           dev_service_alive(dir, "coordinator", &proc);
}

/* The directory, fresh: what a crash or a reboot left is cleared away. */
static int
open_fresh(struct invocation *inv, const char *option, struct dev_dir *dir)
{
    const char *path = dev_dir_choose(option, inv->arena);
    struct assay_error err = { 0 };

    if (!path) {
        talk(inv, "no --dir, and no HOME to put one in");
        return EXIT_USAGE;
    }
    if (dev_dir_open(path, true, inv->arena, dir, &err) != ASSAY_OK)
        return talk_error(inv, &err);
    if (anything_alive(dir)) {
        talk(inv,
             "already up in %s: see \"assay dev status\", or end it with "
             "\"assay dev down\" first",
             path);
        dev_dir_close(dir);
        return EXIT_NO;
    }
    if (dev_ready_exists(dev_dir_path(dir, "state.json"))) {
        talk(inv, "clearing away what an earlier run left in %s", path);
        (void)dev_dir_remove(dir);
        if (dev_dir_open(path, true, inv->arena, dir, &err) != ASSAY_OK)
            return talk_error(inv, &err);
    }
    return EXIT_YES;
}

/* assay-dev.json of the example the user named. */
static int
read_example(struct invocation *inv, struct dev_plan *plan)
{
    const char *named = inv->operands.items[0];
    char *real = realpath(named, NULL);
    const char *app = real ? dev_text(inv->arena, "%s", real) : NULL;
    const char *file =
        app ? dev_text(inv->arena, "%s/assay-dev.json", app) : NULL;
    struct assay_error err = { 0 };

    free(real);
    if (!file) {
        talk(inv, "%s: no such directory; try examples/guestbook", named);
        return EXIT_USAGE;
    }
    if (dev_plan_read(file, inv->arena, plan, &err) != ASSAY_OK) {
        talk(inv, "%s", err.text);
        return EXIT_USAGE;
    }
    plan->app_dir = app;
    return EXIT_YES;
}

static int
run_up(struct invocation *inv)
{
    const struct up_values *v = inv->values;
    struct assay_error err = { 0 };
    struct dev_plan plan = { 0 };
    struct dev_dir dir;
    const char *why = NULL;
    int code = read_example(inv, &plan);

    if (code == EXIT_YES)
        code = open_fresh(inv, v->dir, &dir);
    if (code != EXIT_YES)
        return code;
    dev_signals_hold();
    plan.sandbox = !v->no_sandbox && dev_pod_sandbox_works(&dir, &why);
    if (why && !plan.sandbox)
        talk(inv, "pods run WITHOUT a sandbox: %s", why);
    if (dev_up(inv, &dir, &plan, &err) != ASSAY_OK) {
        talk(inv, "%s", err.text);
        talk(inv, "taking down what was started");
        (void)dev_dir_remove(&dir);
        return EXIT_UNKNOWN;
    }
    talk(inv, "up. Its files: %s", dir.path);
    dev_dir_close(&dir);
    return EXIT_YES;
}

const struct command dev_up_command = {
    .name = "dev up",
    .summary = "run a deployment on this machine",
    .operands = "EXAMPLE",
    .operands_min = 1,
    .operands_max = 1,
    .options = up_options,
    .values_size = sizeof(struct up_values),
    .details =
        "Starts a simulated vendor, the coordinator, and each pod of EXAMPLE, "
        "a directory with assay-dev.json, as a sandboxed process tree with a "
        "simulated processor of its own. INSECURE: nothing here is "
        "confidential; "
        "it shows how things work. DIR is ~/.local/state/assay-dev by default.",
    .example = "assay dev up examples/guestbook",
    .run = run_up,
};

/* ---- down ---- */

struct down_values {
    const char *dir;
};

static const struct option down_options[] = {
    OPT_ROW_DEV_DIR(struct down_values, dir),
    { 0 },
};

static int
run_down(struct invocation *inv)
{
    const struct down_values *v = inv->values;
    struct dev_dir dir;
    unsigned stopped;
    int code = dev_open(inv, v->dir, &dir, NULL);

    if (code != EXIT_YES)
        /* Being down already is what was asked for. */
        return code == EXIT_NO ? EXIT_YES : code;
    stopped = dev_dir_remove(&dir);
    talk(inv, "%u processes stopped, %s removed", stopped, dir.path);
    return EXIT_YES;
}

const struct command dev_down_command = {
    .name = "dev down",
    .summary = "stop everything that dev up started, and remove its files",
    .options = down_options,
    .values_size = sizeof(struct down_values),
    .example = "assay dev down",
    .run = run_down,
};
