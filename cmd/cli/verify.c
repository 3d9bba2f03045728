#include "cli/commands.h"

#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "cli/connect.h"
#include "cli/verify_files.h"
#include "codec/json.h"
#include "common/output.h"
#include "crypto/digest.h"
#include "manifest/diff.h"

enum {
    HEX_SIZE = 2 * SHA256_SIZE + 1,
    HISTORY_ARENA_BYTES = 8 * LIMIT_USER_RESPONSE_BYTES,
    OUTPUT_BYTES = 8 * 1024 * 1024,
};

struct values {
    struct connect_options connect;
    unsigned output;
    bool explain;
};

static const struct option options[] = {
    CONNECT_OPTION_ROWS(struct values, connect),
    { .name = "explain",
      .help = "every check of the coordinator: field, want, got",
      OPT_FLAG(struct values, explain) },
    TRUST_OPTION_ROWS(struct values, connect.trust),
    OPT_ROW_OUTPUT(struct values, output),
    { 0 },
};

struct verify {
    struct invocation *inv;
    const struct values *values;
    struct connection connection;
    struct arena arena; /* the history and the verdict on it */
    struct manifest_history history;
    struct verify_step *steps;
    struct verdict verdict;
    const char *dir;
};

/* -- Checks of the history -- */

static void
check_chain(struct verify *v)
{
    static const char name[] = "manifest_history";
    static const char ref[] = "transition hash chain";
    const struct manifest_history *h = &v->history;
    struct span got = h->transition_hash, want;

    if (h->manifest_count == 0) {
        verdict_fail(&v->verdict, name, ref, "at least one manifest", "none",
                     "the coordinator has no manifest");
        return;
    }
    if (got.len == 0) {
        verdict_skip(&v->verdict, name, ref,
                     "the coordinator is too old to tell its transition");
        return;
    }
    want =
        span_of(v->steps[h->manifest_count - 1].transition.bytes, SHA256_SIZE);
    if (span_equal(got, want))
        verdict_pass(&v->verdict, name, ref, verdict_hex(&v->verdict, want),
                     verdict_hex(&v->verdict, got));
    else
        verdict_fail(&v->verdict, name, ref, verdict_hex(&v->verdict, want),
                     verdict_hex(&v->verdict, got),
                     "the manifests shown are not the history that the "
                     "coordinator signed");
}

static bool
have_policy(const struct manifest_history *h, const uint8_t want[SHA256_SIZE])
{
    for (size_t i = 0; i < h->policy_count; i++) {
        uint8_t got[SHA256_SIZE];

        if (digest_sha256(h->policies[i], got, NULL) == ASSAY_OK &&
            memcmp(got, want, SHA256_SIZE) == 0) /* public digests */
            return true;
    }
    return false;
}

/* Each pod of the local manifest has its document among those shown. */
static void
check_policies(struct verify *v)
{
    static const char name[] = "policy_documents";
    static const char ref[] = "SHA-256 of each document";
    const struct manifest *m = &v->connection.manifest;

    for (size_t i = 0; i < m->policy_count; i++) {
        struct span hash = span_of(m->policies[i].hash, SHA256_SIZE);

        if (!have_policy(&v->history, m->policies[i].hash)) {
            verdict_fail(&v->verdict, name, ref, verdict_hex(&v->verdict, hash),
                         "no such document",
                         "the coordinator does not show the policy of a pod");
            return;
        }
    }
    verdict_pass(
        &v->verdict, name, ref,
        verdict_text(&v->verdict, "%zu policies", m->policy_count),
        verdict_text(&v->verdict, "%zu documents", v->history.policy_count));
}

static void
check_match(struct verify *v)
{
    static const char name[] = "manifest_match";
    static const char ref[] = "byte for byte";
    const struct manifest_history *h = &v->history;
    const struct manifest *m = &v->connection.manifest;
    const char *want = verdict_hex(&v->verdict, span_of(m->hash, SHA256_SIZE));
    const char *got;

    if (h->manifest_count == 0)
        return; /* check_chain has failed */
    got = verdict_hex(
        &v->verdict,
        span_of(v->steps[h->manifest_count - 1].manifest.bytes, SHA256_SIZE));
    if (span_equal(h->manifests[h->manifest_count - 1], m->bytes))
        verdict_pass(&v->verdict, name, ref, want, got);
    else
        verdict_fail(&v->verdict, name, ref, want, got,
                     "the coordinator enforces another manifest than the one "
                     "you expect");
}

static enum assay_status
check_history(struct verify *v, struct assay_error *err)
{
    enum assay_status st;

    v->steps = arena_array(&v->arena, v->history.manifest_count + 1,
                           sizeof(*v->steps));
    if (!v->steps)
        return assay_nomem(err, "history");
    st = verify_steps_make(&v->history, v->steps, err);
    if (st != ASSAY_OK)
        return st;
    verdict_init(&v->verdict, &v->arena, "deployment", false);
    check_chain(v);
    verdict_skip(&v->verdict, "transition_signature", "ECDSA P-384",
                 "made by a key only coordinators know; the attested "
                 "connection stands for it");
    check_policies(v);
    check_match(v);
    (void)verdict_conclude(&v->verdict);
    return ASSAY_OK;
}

/* -- What changed -- */

/* One step of the history compared with the one before. */
struct step_change {
    struct arena arena;
    struct manifest from, to;
    struct manifest_diff diff;
    bool readable; /* else why says which of the two is not */
    struct assay_error why;
};

static enum assay_status
load_step(struct step_change *c, const struct manifest_history *h, size_t i,
          struct manifest *m)
{
    struct assay_error err = { 0 };
    enum assay_status st = manifest_load(h->manifests[i], &c->arena, m, &err);

    if (st != ASSAY_OK)
        (void)assay_fail(&c->why, st, "manifest %zu: %s", i + 1, err.text);
    return st;
}

/* i is at least 1. A manifest that cannot be read is said to be so: the
 * coordinator may have enforced one of a kind we do not know. */
static void
step_change_open(struct step_change *c, const struct manifest_history *h,
                 size_t i)
{
    arena_init(&c->arena, 3 * MANIFEST_ARENA_BYTES, NULL);
    c->why = (struct assay_error){ 0 };
    c->readable = load_step(c, h, i - 1, &c->from) == ASSAY_OK &&
                  load_step(c, h, i, &c->to) == ASSAY_OK &&
                  manifest_diff(&c->from, &c->to, &c->arena, &c->diff,
                                &c->why) == ASSAY_OK;
}

static void
step_change_close(struct step_change *c)
{
    arena_drop(&c->arena);
}

/* -- Output -- */

static void
render_change_text(const struct verify *v, size_t i, struct buffer *out)
{
    struct step_change c;

    if (i == 0) {
        buffer_add_str(out, "the first manifest\n");
        return;
    }
    step_change_open(&c, &v->history, i);
    if (!c.readable) {
        buffer_add_str(out, "cannot be told: ");
        buffer_add_escaped(out, span_str(c.why.text));
        buffer_add_str(out, "\n");
    } else if (c.diff.count == 0) {
        buffer_add_str(out, c.diff.same_bytes ? "nothing\n"
                                              : "spelling, not meaning\n");
    } else {
        manifest_diff_summary(&c.diff, out);
        buffer_add_str(out, "\n");
        if (v->values->explain)
            manifest_diff_render_text(&c.diff, "       ", out);
    }
    step_change_close(&c);
}

static void
render_history_text(const struct verify *v, struct buffer *out)
{
    buffer_add_str(out, "\nhistory (newest last)\n"
                        "  gen  first seen here       manifest             "
                        "what changed\n");
    for (size_t i = 0; i < v->history.manifest_count; i++) {
        const struct verify_step *step = &v->steps[i];
        char hex[HEX_SIZE], when[RFC3339_SIZE];

        hex_encode(span_of(step->manifest.bytes, SHA256_SIZE), hex);
        rfc3339_format(step->seen, when);
        buffer_addf(out, "  %3zu  %s  %.16s...  ", i + 1, when, hex);
        render_change_text(v, i, out);
    }
}

static void
render_text(const struct verify *v, struct buffer *out)
{
    const struct connection *c = &v->connection;
    const struct verdict_style style = { .explain = v->values->explain,
                                         .colour = output_is_terminal(1) };

    buffer_addf(out, "coordinator %s %s\n", c->options->coordinator,
                buffer_str(&c->verdict_line));
    if (v->values->explain)
        buffer_add(out, buffer_span(&c->verdict_text));
    render_history_text(v, out);
    buffer_add_str(out, "\n");
    verdict_render_text(&v->verdict, &style, out);
    buffer_addf(out, "\nfiles are in %s\n", v->dir);
}

static void
render_change_json(const struct verify *v, size_t i, struct json_writer *w)
{
    struct step_change c;

    jw_key(w, "changes");
    if (i == 0) {
        jw_null(w);
        return;
    }
    step_change_open(&c, &v->history, i);
    if (c.readable)
        manifest_diff_render_json(&c.diff, w);
    else
        jw_null(w);
    if (!c.readable)
        jw_put_str(w, "changes_unknown", c.why.text);
    step_change_close(&c);
}

static void
render_history_json(const struct verify *v, struct json_writer *w)
{
    jw_key(w, "history");
    jw_array(w);
    for (size_t i = 0; i < v->history.manifest_count; i++) {
        const struct verify_step *step = &v->steps[i];
        char when[RFC3339_SIZE];

        rfc3339_format(step->seen, when);
        jw_object(w);
        jw_put_u64(w, "generation", i + 1);
        jw_put_str(w, "seen", when);
        jw_put_hex(w, "manifest", span_of(step->manifest.bytes, SHA256_SIZE));
        jw_put_hex(w, "transition",
                   span_of(step->transition.bytes, SHA256_SIZE));
        render_change_json(v, i, w);
        jw_end(w);
    }
    jw_end(w);
}

/* A verdict rendered before, as a member. */
static void
put_verdict(const struct verify *v, struct json_writer *w, const char *key,
            const struct buffer *json)
{
    struct json value;

    jw_key(w, key);
    if (json_parse(buffer_span(json), NULL, v->inv->arena, &value, NULL) ==
        ASSAY_OK)
        jw_value(w, &value);
    else
        jw_null(w);
}

static void
render_json(const struct verify *v, struct buffer *out)
{
    struct json_writer w = json_writer_over(out, 2);
    struct buffer deployment;

    buffer_init(&deployment, OUTPUT_BYTES, NULL);
    verdict_render_json(&v->verdict, &deployment);
    jw_object(&w);
    jw_put_str(&w, "verdict", verdict_result_name(v->verdict.result));
    jw_put_bool(&w, "insecure", v->connection.insecure);
    put_verdict(v, &w, "coordinator", &v->connection.verdict_json);
    put_verdict(v, &w, "deployment", &deployment);
    render_history_json(v, &w);
    jw_put_str(&w, "files", v->dir);
    jw_end(&w);
    buffer_add_str(out, "\n");
    buffer_free(&deployment);
}

static int
print_result(const struct verify *v)
{
    struct buffer out;
    bool good = v->verdict.result == VERDICT_ACCEPTED;

    buffer_init(&out, OUTPUT_BYTES, NULL);
    if (v->values->output == OUTPUT_JSON)
        render_json(v, &out);
    else
        render_text(v, &out);
    return print_buffer(v->inv, &out, good ? EXIT_YES : EXIT_NO);
}

/* The coordinator gave no history; what was thought of it still counts. */
static int
print_refusal(const struct verify *v, const struct assay_error *why)
{
    const struct connection *c = &v->connection;
    int code = talk_error(v->inv, why);
    struct buffer out;
    struct json_writer w;

    buffer_init(&out, OUTPUT_BYTES, NULL);
    if (v->values->output == OUTPUT_JSON) {
        w = json_writer_over(&out, 2);
        jw_object(&w);
        jw_put_str(&w, "verdict", code == EXIT_NO ? "refused" : "unknown");
        jw_put_bool(&w, "insecure", c->insecure);
        jw_put_str(&w, "reason", why->text);
        put_verdict(v, &w, "coordinator", &c->verdict_json);
        jw_end(&w);
        buffer_add_str(&out, "\n");
    } else {
        buffer_add(&out, buffer_span(&c->verdict_text));
    }
    return print_buffer(v->inv, &out, code);
}

/* -- Flow -- */

static enum assay_status
get_history(void *ctx, const struct coordinator *coordinator,
            struct assay_error *err)
{
    struct verify *v = ctx;

    return coordinator_get_manifests(coordinator, &v->arena, &v->history, err);
}

static enum assay_status
keep_files(struct verify *v, struct assay_error *err)
{
    enum assay_status st;

    v->dir =
        workspace_path(v->inv, v->values->connect.workspace, NULL, "verify");
    if (!v->dir)
        return assay_nomem(err, "workspace");
    st = dir_create(v->dir, 0755, err);
    if (st == ASSAY_OK)
        st = verify_steps_seen(v->dir, clock_now(&clock_system), v->steps,
                               v->history.manifest_count, &v->arena, err);
    if (st == ASSAY_OK)
        st = verify_files_write(v->dir, &v->history, v->steps, err);
    return st;
}

static int
verify_deployment(struct verify *v)
{
    struct assay_error err = { 0 };
    enum assay_status st = connection_call(
        &v->connection, "attesting the coordinator", get_history, v, &err);

    if (st != ASSAY_OK)
        return print_refusal(v, &err);
    st = check_history(v, &err);
    if (st == ASSAY_OK)
        st = keep_files(v, &err);
    if (st != ASSAY_OK)
        return print_refusal(v, &err);
    return print_result(v);
}

static int
run(struct invocation *inv)
{
    struct verify v = { .inv = inv, .values = inv->values };
    int code = connection_open(inv, &v.values->connect, &v.connection);

    arena_init(&v.arena, HISTORY_ARENA_BYTES, NULL);
    if (code == EXIT_YES)
        code = verify_deployment(&v);
    arena_drop(&v.arena);
    connection_close(&v.connection);
    return code;
}

const struct command verify_command = {
    .name = "verify",
    .summary = "attest a whole deployment against a manifest",
    .options = options,
    .values_size = sizeof(struct values),
    .details =
        "Attests the coordinator with the manifest's reference values, fetches "
        "the history of manifests with their policies, writes all of it and "
        "the CA certificates to verify/, and says whether the coordinator "
        "enforces exactly your manifest. Only then are its certificates worth "
        "trusting.",
    .example = "assay verify -m manifest.json -c coordinator.example:1313",
    .run = run,
};
