/* The owner of a deployment, as tests need one: no manifest is checked, and
 * nobody asks who the coordinator is.
 *
 *   owner keys DIR                     makes owner.pem and share.pem, prints
 *                                      both public keys in the manifest's form
 *   owner set TARGET DIR MANIFEST POLICY...
 *                                      sets with DIR/owner.pem; of a first set,
 *                                      keeps seed and salt in DIR/seed
 *   owner recover TARGET DIR           recovers with DIR/share.pem and DIR/seed
 *   owner get TARGET                   prints SHA-256 of each manifest, oldest
 *                                      first
 *
 * Exit code: 0 done, 1 refused by the coordinator, 2 usage, 3 no answer. */
#include <stdio.h>
#include <string.h>

#include "atls/hooks.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "codec/pem_key.h"
#include "codec/wire.h"
#include "crypto/random.h"
#include "net/grpc_client.h"
#include "service/client.h"
#include "service/seed.h"
#include "userapi.pb-c.h"

enum {
    ARENA_BYTES = 128 * 1024 * 1024,
    DEADLINE_MS = 30000,
    POLICIES_MAX = 16,
    RAW_SEED_BYTES = SEED_SIZE + SEED_SALT_SIZE,
};

struct owner {
    const char *target;
    const char *dir;
    struct arena arena;
    struct key *key;
    struct assay_error err;
};

static int
exit_code(const struct owner *o, enum assay_status st)
{
    if (st == ASSAY_OK)
        return 0;
    (void)fprintf(stderr, "owner: %s\n", o->err.text);
    return st == ASSAY_ERR_IO ? 3 : 1;
}

static enum assay_status
read_file(struct owner *o, const char *path, struct span *out)
{
    struct buffer bytes;
    enum assay_status st;

    buffer_init(&bytes, LIMIT_STORE_VALUE_BYTES, NULL);
    st = file_read(path, &bytes, &o->err);
    if (st == ASSAY_OK && !arena_dup(&o->arena, buffer_span(&bytes), out))
        st = assay_nomem(&o->err, path);
    buffer_free(&bytes);
    return st;
}

static const char *
path_of(const struct owner *o, const char *name, char path[512])
{
    (void)snprintf(path, 512, "%s/%s", o->dir, name);
    return path;
}

static enum assay_status
load_key(struct owner *o, const char *name)
{
    char path[512];
    struct span pem;
    enum assay_status st = read_file(o, path_of(o, name, path), &pem);

    return st == ASSAY_OK ? pem_private_key_decode(pem, &o->key, &o->err) : st;
}

static enum assay_status
make_key(struct owner *o, enum key_type type, const char *name)
{
    char path[512];
    struct secret pem = { 0 };
    struct buffer public;
    enum assay_status st;

    key_free(o->key);
    o->key = NULL;
    buffer_init(&public, 8192, NULL);
    st = key_generate(type, &o->key, &o->err);
    if (st == ASSAY_OK)
        st = pem_private_key_encode(o->key, true, &pem, &o->err);
    if (st == ASSAY_OK)
        st = file_write_atomic(path_of(o, name, path), secret_span(&pem), 0600,
                               &o->err);
    if (st == ASSAY_OK && type == KEY_P384)
        buffer_add(&public, key_spki(o->key));
    else if (st == ASSAY_OK)
        st = key_rsa_public_der(o->key, &public, &o->err);
    for (size_t i = 0; st == ASSAY_OK && i < public.len; i++)
        (void)printf("%02x", public.ptr[i]);
    (void)printf("\n");
    buffer_free(&public);
    secret_wipe(&pem);
    return st;
}

static struct atls_params
params_of(const struct owner *o)
{
    return (struct atls_params){ .key = o->key,
                                 .clock = &clock_system,
                                 .random = &random_system };
}

/* --- set ----------------------------------------------------------------- */

static enum assay_status
keep_seed(struct owner *o, const struct manifest_accepted *got)
{
    struct secret seed = { 0 };
    uint8_t raw[RAW_SEED_BYTES];
    char path[512];
    enum assay_status st = load_key(o, "share.pem");

    if (st == ASSAY_OK)
        st = seed_share_decrypt(o->key, got->shares[0].encrypted_seed, &seed,
                                &o->err);
    if (st == ASSAY_OK) {
        memcpy(raw, seed.ptr, SEED_SIZE);
        memcpy(raw + SEED_SIZE, got->salt.ptr, SEED_SALT_SIZE);
        st = file_write_atomic(path_of(o, "seed", path),
                               span_of(raw, sizeof(raw)), 0600, &o->err);
    }
    secret_wipe(&seed);
    return st;
}

static enum assay_status
set(struct owner *o, char **paths, int count)
{
    struct span policies[POLICIES_MAX];
    struct manifest_update update = { .policies = policies };
    struct manifest_accepted got;
    struct atls_params params;
    struct coordinator c = { .target = o->target,
                             .params = &params,
                             .deadline_ms = DEADLINE_MS };
    enum assay_status st = load_key(o, "owner.pem");

    if (st == ASSAY_OK)
        st = read_file(o, paths[0], &update.manifest);
    for (int i = 1; st == ASSAY_OK && i < count && i <= POLICIES_MAX; i++) {
        st = read_file(o, paths[i], &policies[i - 1]);
        update.policy_count++;
    }
    if (st != ASSAY_OK)
        return st;
    params = params_of(o);
    st = coordinator_set_manifest(&c, &update, &o->arena, &got, &o->err);
    if (st == ASSAY_OK && got.share_count > 0) {
        key_free(o->key);
        o->key = NULL;
        st = keep_seed(o, &got);
    }
    return st;
}

/* --- recover, get -------------------------------------------------------- */

static enum assay_status
call_recover(struct owner *o, struct span request)
{
    struct atls_endpoint endpoint = { .params = params_of(o) };
    struct tls_hooks hooks;
    struct grpc_client_config config = { .target = o->target, .tls = &hooks };
    enum grpc_code code = GRPC_UNKNOWN;
    struct buffer response;
    enum assay_status st =
        atls_context_new(ATLS_CLIENT, &endpoint.context, &o->err);

    if (st != ASSAY_OK)
        return st;
    buffer_init(&response, 4096, NULL);
    atls_hooks_init(&hooks, &endpoint);
    st = grpc_client_call(&config,
                          "/edgelesssys.contrast.userapi.UserAPI/Recover",
                          request, DEADLINE_MS, &response, &code, &o->err);
    buffer_free(&response);
    atls_context_free(endpoint.context);
    return st == ASSAY_OK && code != GRPC_OK ? ASSAY_ERR_UNTRUSTED : st;
}

static enum assay_status
recover(struct owner *o)
{
    Userapi__RecoverRequest m = USERAPI__RECOVER_REQUEST__INIT;
    struct buffer request;
    struct span raw;
    char path[512];
    enum assay_status st = load_key(o, "share.pem");

    if (st == ASSAY_OK)
        st = read_file(o, path_of(o, "seed", path), &raw);
    if (st != ASSAY_OK)
        return st;
    if (raw.len != RAW_SEED_BYTES)
        return assay_fail(&o->err, ASSAY_ERR_MALFORMED, "%s: %zu bytes", path,
                          raw.len);
    m.seed = wire_bytes(span_sub(raw, 0, SEED_SIZE));
    m.salt = wire_bytes(span_sub(raw, SEED_SIZE, SEED_SALT_SIZE));
    buffer_init(&request, 4096, NULL);
    st = wire_pack(&m.base, &request, &o->err);
    if (st == ASSAY_OK)
        st = call_recover(o, buffer_span(&request));
    buffer_free(&request);
    return st;
}

static enum assay_status
get(struct owner *o)
{
    struct atls_params params = params_of(o);
    const struct coordinator c = { .target = o->target,
                                   .params = &params,
                                   .deadline_ms = DEADLINE_MS };
    struct manifest_history got;
    enum assay_status st =
        coordinator_get_manifests(&c, &o->arena, &got, &o->err);

    for (size_t i = 0; st == ASSAY_OK && i < got.manifest_count; i++) {
        uint8_t hash[SHA256_SIZE];
        char hex[2 * SHA256_SIZE + 1];

        st = digest_sha256(got.manifests[i], hash, &o->err);
        hex_encode(span_of(hash, sizeof(hash)), hex);
        (void)printf("%s\n", hex);
    }
    return st;
}

static enum assay_status
keys(struct owner *o)
{
    enum assay_status st = make_key(o, KEY_P384, "owner.pem");

    return st == ASSAY_OK ? make_key(o, KEY_RSA4096, "share.pem") : st;
}

int
main(int argc, char **argv)
{
    const char *verb = argc > 2 ? argv[1] : "";
    struct owner o = { .target = argc > 2 ? argv[2] : NULL,
                       .dir = argc > 3 ? argv[3] : NULL };
    int code = 2;

    arena_init(&o.arena, ARENA_BYTES, NULL);
    if (strcmp(verb, "keys") == 0) {
        o.dir = o.target;
        code = exit_code(&o, keys(&o));
    } else if (strcmp(verb, "get") == 0) {
        code = exit_code(&o, get(&o));
    } else if (strcmp(verb, "recover") == 0 && argc > 3) {
        code = exit_code(&o, recover(&o));
    } else if (strcmp(verb, "set") == 0 && argc > 4) {
        code = exit_code(&o, set(&o, argv + 4, argc - 4));
    } else {
        (void)fprintf(stderr, "usage: owner keys|set|recover|get ...\n");
    }
    key_free(o.key);
    arena_drop(&o.arena);
    return code;
}
