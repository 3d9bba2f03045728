/* assay-initializer: gets a pod its certificate and its secret. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "atls/issuer.h"
#include "atls/validator.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "common/output.h"
#include "common/target.h"
#include "common/trust.h"
#include "crypto/random.h"
#include "service/workload.h"

enum {
    MESH_PORT = 7777,
    CALL_DEADLINE_MS = 30000,
    ARENA_BYTES = 4 * 1024 * 1024,
};

struct values {
    struct trust_options trust;
    const char *coordinator;
    const char *dir;
    const char *done_file;
    const char *manifest;
    const char *root_key;
    const char *tsm;
    uint64_t retry_s;
    uint64_t attempts;
    bool strict;
};

static const struct option options[] = {
    { .name = "coordinator",
      .help = "the coordinator's mesh API ($COORDINATOR_HOST, port 7777)",
      OPT_TEXT(struct values, coordinator, "HOST:PORT"),
      .letter = 'c' },
    { .name = "dir",
      .help = "where certificate, key and secret go",
      OPT_TEXT(struct values, dir, "DIR"),
      .fallback = "/contrast" },
    { .name = "done-file",
      .help = "empty file made when all is written; \"\" for none",
      OPT_TEXT(struct values, done_file, "FILE"),
      .fallback = "/done" },
    { .name = "manifest",
      .help = "pin: the coordinator must satisfy this manifest",
      OPT_TEXT(struct values, manifest, "FILE"),
      .letter = 'm' },
    { .name = "root-key",
      .help = "pin: SHA-256 of the root CA's public key (SPKI)",
      OPT_TEXT(struct values, root_key, "HEX") },
    { .name = "tsm",
      .help = "configfs-tsm directory or socket to get evidence from",
      OPT_TEXT(struct values, tsm, "PATH") },
    { .name = "retry",
      .help = "wait between attempts",
      OPT_NUMBER(struct values, retry_s, "SECONDS"),
      .fallback = "5",
      .least = 1,
      .most = 3600 },
    { .name = "attempts",
      .help = "give up after so many; 0 never does",
      OPT_NUMBER(struct values, attempts, "N"),
      .fallback = "0" },
    { .name = "strict",
      .help = "warnings about the coordinator refuse it",
      OPT_FLAG(struct values, strict) },
    TRUST_OPTION_ROWS(struct values, trust),
    { 0 },
};

/* What an attempt needs; made once. */
struct session {
    const struct invocation *inv;
    const struct values *values;
    char target[300];
    struct trust trust;
    struct arena arena; /* the pinned manifest */
    struct manifest manifest;
    struct manifest_appraiser *appraiser;
    struct atls_appraiser judge;
    struct atls_validator validator;
    struct issue_config issue;
    struct atls_issuer issuer;
    uint8_t root_key[SHA256_SIZE];
    struct key *key;
};

static int
find_target(const struct invocation *inv, const struct values *v, char *out,
            size_t size)
{
    const char *host = getenv("COORDINATOR_HOST");
    int len;

    if (v->coordinator)
        len = snprintf(out, size, "%s", v->coordinator);
    else if (host && host[0] != '\0')
        len = snprintf(out, size, "%s:%d", host, MESH_PORT);
    else {
        talk(inv, "no coordinator: give --coordinator HOST:PORT or set "
                  "COORDINATOR_HOST");
        return EXIT_USAGE;
    }
    if (len < 0 || (size_t)len >= size) {
        talk(inv, "--coordinator: longer than %zu characters", size - 1);
        return EXIT_USAGE;
    }
    return target_check(
        inv, v->coordinator ? "--coordinator" : "COORDINATOR_HOST", out);
}

static int
load_manifest(struct session *s)
{
    const char *path = s->values->manifest;
    struct manifest_appraiser_config config = {
        .anchors = &s->trust.anchors,
        .source = s->trust.source,
        .cache = s->trust.cache,
        .tdx_cache = s->trust.tdx_cache,
        .strict = s->values->strict,
        .coordinator_only = true,
        .crl = s->values->trust.offline ? SNP_CRL_OPTIONAL : SNP_CRL_NEEDED,
    };
    struct assay_error err = { 0 };
    struct span file;
    int code = read_input(s->inv, path, LIMIT_MANIFEST_BYTES, &file);

    if (code != EXIT_YES)
        return code;
    if (manifest_load(file, &s->arena, &s->manifest, &err) != ASSAY_OK ||
        manifest_appraiser_new(&s->manifest, &config, &s->appraiser, &err) !=
            ASSAY_OK) {
        talk(s->inv, "--manifest %s: %s", path, err.text);
        return EXIT_USAGE;
    }
    s->judge = (struct atls_appraiser){ .appraiser = s->appraiser,
                                        .clock = &clock_system };
    atls_validator_init(&s->validator, &s->judge);
    return EXIT_YES;
}

static int
session_open(struct session *s)
{
    const struct values *v = s->values;
    struct trust_options trust = v->trust;
    struct assay_error err = { 0 };
    int code = find_target(s->inv, v, s->target, sizeof(s->target));

    if (code != EXIT_YES)
        return code;
    if (v->root_key &&
        !hex_decode(span_str(v->root_key), s->root_key, sizeof(s->root_key))) {
        talk(s->inv, "--root-key: got %zu characters, want %zu hex digits",
             strlen(v->root_key), 2 * sizeof(s->root_key));
        return EXIT_USAGE;
    }
    trust.kds_total_ms = TRUST_HANDSHAKE_KDS_MS;
    code = trust_open(s->inv, &trust, NULL, NULL, &s->trust);
    if (code == EXIT_YES && v->manifest)
        code = load_manifest(s);
    if (code == EXIT_YES && key_generate(KEY_P256, &s->key, &err) != ASSAY_OK)
        code = talk_error(s->inv, &err);
    s->issue = (struct issue_config){
        .collect = { .tsm_path = v->tsm, .random = &random_system },
        .vmpl = COLLECT_VMPL_DEFAULT,
    };
    atls_vm_issuer_init(&s->issuer, &s->issue);
    return code;
}

static void
session_close(struct session *s)
{
    key_free(s->key);
    manifest_appraiser_free(s->appraiser);
    arena_drop(&s->arena);
    trust_close(&s->trust);
}

static enum assay_status
write_result(const struct session *s, const struct mesh_cert *got,
             struct assay_error *err)
{
    const struct values *v = s->values;
    enum assay_status st =
        workload_cert_check(got, s->key, clock_now(&clock_system),
                            v->root_key ? s->root_key : NULL, err);

    if (st == ASSAY_OK)
        st = workload_files_write(v->dir, got, s->key, err);
    if (st == ASSAY_OK && v->done_file[0] != '\0')
        st = file_write_atomic(v->done_file, span_of(NULL, 0), 0644, err);
    return st;
}

static enum assay_status
attempt(const struct session *s, struct assay_error *err)
{
    const struct atls_params params = {
        .issuer = &s->issuer,
        .validator = s->appraiser ? &s->validator : NULL,
        .key = s->key,
        .clock = &clock_system,
        .random = &random_system,
    };
    const struct coordinator coordinator = { .target = s->target,
                                             .params = &params,
                                             .deadline_ms = CALL_DEADLINE_MS };
    struct mesh_cert got = { 0 };
    struct arena arena;
    enum assay_status st;

    arena_init(&arena, ARENA_BYTES, NULL);
    st = coordinator_new_mesh_cert(&coordinator, &arena, &got, err);
    if (st == ASSAY_OK)
        st = write_result(s, &got, err);
    mesh_cert_wipe(&got);
    arena_drop(&arena);
    return st;
}

static int
enroll(const struct session *s)
{
    const struct values *v = s->values;
    struct assay_error err = { 0 };

    for (uint64_t n = 1;; n++) {
        if (attempt(s, &err) == ASSAY_OK) {
            talk(s->inv, "certificate and key are in %s/tls-config", v->dir);
            return EXIT_YES;
        }
        if (n == v->attempts)
            return talk_error(s->inv, &err);
        talk(s->inv, "%s; next attempt in %" PRIu64 " s", err.text, v->retry_s);
        (void)sleep((unsigned)v->retry_s);
    }
}

/* The key and the secret pass through our memory. */
static void
keep_memory_private(void)
{
    const struct rlimit none = { 0, 0 };

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0);
}

static int
run(struct invocation *inv)
{
    struct session s = { .inv = inv, .values = inv->values };
    int code;

    keep_memory_private();
    arena_init(&s.arena, MANIFEST_ARENA_BYTES, NULL);
    code = session_open(&s);
    if (code == EXIT_YES && !s.appraiser && !s.values->root_key)
        talk(inv, "WARNING: the coordinator is not checked; pin it with "
                  "--manifest or --root-key");
    if (code == EXIT_YES)
        code = enroll(&s);
    session_close(&s);
    return code;
}

static const struct command initializer = {
    .name = "",
    .summary = "get this pod its mesh certificate and its secret",
    .options = options,
    .values_size = sizeof(struct values),
    .details =
        "Shows the coordinator this machine's evidence, asks for a certificate "
        "until it gets one, and writes key, certificates and the workload's "
        "secret below --dir. Without a pin nobody checks who answers: a fake "
        "coordinator can then hand out certificates of its own, which only "
        "peers that know the real mesh CA refuse.",
    .example = "assay-initializer -c coordinator:7777 -m manifest.json",
    .run = run,
};

static const struct command *const commands[] = { &initializer, NULL };

static const struct program program = {
    .name = "assay-initializer",
    .summary = "get this pod its mesh certificate and its secret",
    .commands = commands,
    .example = "assay-initializer -c coordinator:7777 -m manifest.json",
};

int
main(int argc, char **argv)
{
    return program_main(&program, argc, argv);
}
