#include "cli/commands.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "cli/connect.h"
#include "codec/json.h"
#include "codec/pem_key.h"
#include "common/output.h"
#include "policy/documents.h"

enum { TRANSITION_HASH_SIZE = 32, SHARES_BYTES = 1024 * 1024 };

struct values {
    struct connect_options connect;
    unsigned output;
    const char *owner_key;
    const char *latest_transition;
    const char *signature;
    bool atomic;
};

static const struct option options[] = {
    CONNECT_OPTION_ROWS(struct values, connect),
    { .name = "workload-owner-key",
      .help = "key that authorises updates (workload-owner.pem)",
      OPT_TEXT(struct values, owner_key, "FILE") },
    { .name = "signature",
      .help = "detached signature of an owner, DER",
      OPT_TEXT(struct values, signature, "FILE"),
      .letter = 's' },
    { .name = "atomic",
      .help = "only if nothing changed since verify/latest-transition",
      OPT_FLAG(struct values, atomic) },
    { .name = "latest-transition",
      .help = "the transition expected, with --atomic",
      OPT_TEXT(struct values, latest_transition, "HEX") },
    TRUST_OPTION_ROWS(struct values, connect.trust),
    OPT_ROW_OUTPUT(struct values, output),
    { 0 },
};

struct set {
    struct invocation *inv;
    const struct values *values;
    struct connection connection;
    struct policy_documents documents;
    struct key *owner;
    uint8_t previous[TRANSITION_HASH_SIZE];
    struct manifest_update update;
    struct manifest_accepted accepted;
};

static const char *
path_of(const struct set *s, const char *named, const char *fallback)
{
    return workspace_path(s->inv, s->values->connect.workspace, named,
                          fallback);
}

/* -- What is sent -- */

/* A key that is not there is no error: the first set needs none. */
static int
load_owner_key(struct set *s)
{
    const char *named = s->values->owner_key;
    const char *path = path_of(s, named, "workload-owner.pem");
    struct assay_error err = { 0 };
    struct buffer file;
    enum assay_status st;

    buffer_init(&file, LIMIT_KEY_FILE_BYTES, NULL);
    file.wipe = true;
    st = path ? file_read(path, &file, &err)
              : assay_nomem(&err, "workload owner key");
    if (st == ASSAY_ERR_NOT_FOUND && !named) {
        talk(s->inv, "no %s: sending without an owner's key", path);
        return EXIT_YES;
    }
    if (st == ASSAY_OK)
        st = pem_private_key_decode(buffer_span(&file), &s->owner, &err);
    secret_buffer_free(&file);
    if (st != ASSAY_OK) {
        talk(s->inv, "--workload-owner-key: %s", err.text);
        return EXIT_USAGE;
    }
    if (manifest_authorize_owner(&s->connection.manifest, key_spki(s->owner),
                                 NULL) != ASSAY_OK)
        talk(s->inv,
             "WARNING: the key in %s is not an owner in this manifest: "
             "it cannot authorise the next update",
             path);
    s->connection.key = s->owner;
    return EXIT_YES;
}

static int
refuse_documents(const struct set *s, const char *text,
                 const uint8_t hash[SHA256_SIZE], const char *source)
{
    char hex[2 * SHA256_SIZE + 1];

    hex_encode(span_of(hash, SHA256_SIZE), hex);
    talk(s->inv, "policy %s%s%s: %s", hex, source ? " of " : "",
         source ? source : "", text);
    return EXIT_USAGE;
}

/* The documents are exactly those the manifest names. */
static int
match_documents(const struct set *s)
{
    const struct manifest *m = &s->connection.manifest;
    const struct policy_documents *docs = &s->documents;
    int code = EXIT_YES;

    for (size_t i = 0; i < m->policy_count; i++) {
        if (!policy_documents_find(docs, m->policies[i].hash))
            code =
                refuse_documents(s, "in the manifest, but in none of the files",
                                 m->policies[i].hash, NULL);
    }
    for (size_t i = 0; i < docs->count; i++) {
        if (!manifest_policy_find(m, docs->list[i].hash))
            code = refuse_documents(s, "not in the manifest",
                                    docs->list[i].hash, docs->list[i].source);
    }
    return code;
}

static int
load_documents(struct set *s)
{
    struct span *list;
    struct assay_error err = { 0 };

    s->documents.arena = s->inv->arena;
    for (size_t i = 0; i < s->inv->operands.count; i++) {
        if (policy_documents_add(&s->documents, s->inv->operands.items[i],
                                 &err) != ASSAY_OK) {
            talk(s->inv, "%s", err.text);
            return EXIT_USAGE;
        }
    }
    list = arena_array(s->inv->arena, s->documents.count + 1, sizeof(*list));
    if (!list)
        return EXIT_UNKNOWN;
    for (size_t i = 0; i < s->documents.count; i++)
        list[i] = s->documents.list[i].bytes;
    s->update.policies = list;
    s->update.policy_count = s->documents.count;
    return match_documents(s);
}

static int
parse_previous(struct set *s, const char *source, struct span hex)
{
    if (hex_decode(hex, s->previous, sizeof(s->previous)))
        return EXIT_YES;
    talk(s->inv, "%s: got %zu characters, want %zu hex digits", source, hex.len,
         2 * sizeof(s->previous));
    return EXIT_USAGE;
}

/* What `verify` last saw. No file: nothing was set before, all zero. */
static int
read_previous(struct set *s)
{
    const char *path = path_of(s, NULL, "verify/latest-transition");
    struct assay_error err = { 0 };
    struct buffer file;
    struct span hex;
    enum assay_status st;
    int code = EXIT_YES;

    buffer_init(&file, 4096, NULL);
    st = path ? file_read(path, &file, &err)
              : assay_nomem(&err, "latest transition");
    hex = buffer_span(&file);
    if (hex.len > 0 && hex.ptr[hex.len - 1] == '\n')
        hex.len--; /* an editor's */
    if (st == ASSAY_OK) {
        code = parse_previous(s, path, hex);
    } else if (st != ASSAY_ERR_NOT_FOUND) {
        talk(s->inv, "latest transition: %s", err.text);
        code = EXIT_USAGE;
    }
    buffer_free(&file);
    return code;
}

static int
load_previous(struct set *s)
{
    const char *hex = s->values->latest_transition;
    int code;

    if (!s->values->atomic) {
        if (hex)
            talk(s->inv, "--latest-transition needs --atomic");
        return hex ? EXIT_USAGE : EXIT_YES;
    }
    code = hex ? parse_previous(s, "--latest-transition", span_str(hex))
               : read_previous(s);
    s->update.previous_transition = span_of(s->previous, sizeof(s->previous));
    return code;
}

static int
load_signature(struct set *s)
{
    if (!s->values->signature)
        return EXIT_YES;
    return read_input(s->inv, s->values->signature, LIMIT_KEY_FILE_BYTES,
                      &s->update.signature);
}

/* -- What comes back -- */

static void
render_shares(const struct manifest_accepted *a, struct buffer *out)
{
    struct json_writer w = json_writer_over(out, 2);

    jw_object(&w);
    jw_key(&w, "SeedShares");
    jw_array(&w);
    for (size_t i = 0; i < a->share_count; i++) {
        jw_object(&w);
        jw_put_str(&w, "PublicKey", a->shares[i].public_key);
        jw_put_base64(&w, "EncryptedSeed", a->shares[i].encrypted_seed);
        jw_end(&w);
    }
    jw_end(&w);
    jw_put_base64(&w, "salt", a->salt);
    jw_end(&w);
    buffer_add_str(out, "\n");
}

/* Shares of another deployment may be the only ones: they are moved aside,
 * never overwritten. */
static enum assay_status
keep_old_shares(const struct set *s, const char *path, struct assay_error *err)
{
    struct buffer aside;
    enum assay_status st = ASSAY_OK;

    if (access(path, F_OK) != 0)
        return ASSAY_OK;
    buffer_init(&aside, 8192, NULL);
    buffer_addf(&aside, "%s.%lld", path, (long long)time(NULL));
    if (aside.failed || rename(path, buffer_str(&aside)) != 0)
        st = assay_fail(err, ASSAY_ERR_IO, "%s: cannot be moved aside", path);
    else
        talk(s->inv, "kept the former %s as %s", path, buffer_str(&aside));
    buffer_free(&aside);
    return st;
}

static enum assay_status
write_shares(const struct set *s, struct assay_error *err)
{
    const char *path = path_of(s, NULL, "seed-shares.json");
    struct buffer text;
    enum assay_status st;

    if (s->accepted.salt.len == 0)
        return ASSAY_OK;
    if (!path)
        return assay_nomem(err, "seed-shares.json");
    buffer_init(&text, SHARES_BYTES, NULL);
    render_shares(&s->accepted, &text);
    st = buffer_check(&text, path, err);
    if (st == ASSAY_OK)
        st = keep_old_shares(s, path, err);
    if (st == ASSAY_OK)
        st = file_write_atomic(path, buffer_span(&text), 0644, err);
    buffer_free(&text);
    return st;
}

static enum assay_status
write_results(const struct set *s, struct assay_error *err)
{
    const char *root = path_of(s, NULL, "coordinator-root-ca.pem");
    const char *mesh = path_of(s, NULL, "mesh-ca.pem");
    enum assay_status st = write_shares(s, err); /* the irreplaceable first */

    if (!root || !mesh)
        return assay_nomem(err, "workspace");
    if (st == ASSAY_OK)
        st = file_write_atomic(root, s->accepted.root_ca, 0644, err);
    if (st == ASSAY_OK)
        st = file_write_atomic(mesh, s->accepted.mesh_ca, 0644, err);
    return st;
}

static void
render(const struct set *s, struct buffer *out)
{
    const struct connection *c = &s->connection;
    bool first = s->accepted.salt.len > 0;
    struct json_writer w = json_writer_over(out, 2);
    char hex[2 * SHA256_SIZE + 1];

    hex_encode(span_of(c->manifest.hash, SHA256_SIZE), hex);
    if (s->values->output == OUTPUT_JSON) {
        jw_object(&w);
        jw_put_str(&w, "manifest", hex);
        jw_put_u64(&w, "policies", s->update.policy_count);
        jw_put_bool(&w, "first", first);
        jw_put_u64(&w, "seed_shares", s->accepted.share_count);
        jw_put_bool(&w, "insecure", c->insecure);
        jw_put_string(&w, "coordinator", buffer_span(&c->verdict_line));
        jw_end(&w);
        buffer_add_str(out, "\n");
        return;
    }
    buffer_addf(out, "coordinator %s %s\n", c->options->coordinator,
                buffer_str(&c->verdict_line));
    buffer_addf(out, "manifest %s is set, with %zu policies\n", hex,
                s->update.policy_count);
    if (first)
        buffer_addf(out,
                    "this is the first manifest: keep seed-shares.json (%zu "
                    "shares), it is the only way to recover\n",
                    s->accepted.share_count);
}

static enum assay_status
send_update(void *ctx, const struct coordinator *coordinator,
            struct assay_error *err)
{
    struct set *s = ctx;

    return coordinator_set_manifest(coordinator, &s->update, s->inv->arena,
                                    &s->accepted, err);
}

static int
send_and_keep(struct set *s)
{
    struct assay_error err = { 0 };
    struct buffer out;

    if (connection_call(&s->connection, "setting the manifest", send_update, s,
                        &err) != ASSAY_OK)
        return talk_error(s->inv, &err);
    if (write_results(s, &err) != ASSAY_OK) {
        talk(s->inv, "the manifest IS set, but its results are not all "
                     "written:");
        return talk_error(s->inv, &err);
    }
    buffer_init(&out, SHARES_BYTES, NULL);
    render(s, &out);
    return print_buffer(s->inv, &out, EXIT_YES);
}

/* The owner hears of risks before the manifest counts. */
static void
talk_warnings(const struct set *s)
{
    const struct manifest_findings *f = &s->connection.manifest.findings;

    for (size_t i = 0; i < f->count; i++) {
        if (f->list[i].severity == MANIFEST_WARNING)
            talk(s->inv, "warning: %s: %s", f->list[i].path, f->list[i].text);
    }
}

static int
run(struct invocation *inv)
{
    struct set s = { .inv = inv, .values = inv->values };
    int code = connection_open(inv, &s.values->connect, &s.connection);

    s.update.manifest = s.connection.manifest.bytes;
    if (code == EXIT_YES) {
        talk_warnings(&s);
        code = load_owner_key(&s);
    }
    if (code == EXIT_YES)
        code = load_documents(&s);
    if (code == EXIT_YES)
        code = load_previous(&s);
    if (code == EXIT_YES)
        code = load_signature(&s);
    if (code == EXIT_YES)
        code = send_and_keep(&s);
    connection_close(&s.connection);
    key_free(s.owner);
    return code;
}

const struct command set_command = {
    .name = "set",
    .summary = "give a coordinator its manifest",
    .operands = "PATHS...",
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .options = options,
    .values_size = sizeof(struct values),
    .details =
        "Attests the coordinator against the manifest, sends it with the "
        "policies found in the Kubernetes files below PATHS (or .toml and "
        ".rego documents), and writes coordinator-root-ca.pem, mesh-ca.pem "
        "and, the first time, seed-shares.json.",
    .example = "assay set -m manifest.json -c coordinator:1313 deployment/",
    .run = run,
};
