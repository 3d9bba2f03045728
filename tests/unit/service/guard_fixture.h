/* What the tests of the guard and of what it signs share: keys, a guard over a
 * store in a folder of its own, and manifests. */
#ifndef ASSAY_TESTS_GUARD_FIXTURE_H
#define ASSAY_TESTS_GUARD_FIXTURE_H

#include "unit.h"

#include <errno.h>
#include <stdatomic.h>

#include "crypto/random.h"
#include "service/guard.h"
#include "store/store_file.h"
#include "temp_dir.h"

/* Made once: RSA keys take a second. */
struct keys {
    struct key *owner, *stranger, *share_owner;
    char owner_hex[1024], share_hex[2048];
};

static inline int
keys_setup(void **state)
{
    struct keys *k = calloc(1, sizeof(*k));
    struct buffer rsa;

    buffer_init(&rsa, 4096, NULL);
    if (key_generate(KEY_P384, &k->owner, NULL) != ASSAY_OK ||
        key_generate(KEY_P384, &k->stranger, NULL) != ASSAY_OK ||
        key_generate(KEY_RSA4096, &k->share_owner, NULL) != ASSAY_OK ||
        key_rsa_public_der(k->share_owner, &rsa, NULL) != ASSAY_OK)
        return -1;
    hex_encode(key_spki(k->owner), k->owner_hex);
    hex_encode(buffer_span(&rsa), k->share_hex);
    buffer_free(&rsa);
    *state = k;
    return 0;
}

static inline int
keys_teardown(void **state)
{
    struct keys *k = *state;

    key_free(k->owner);
    key_free(k->stranger);
    key_free(k->share_owner);
    free(k);
    return 0;
}

/* A disk on which the head cannot be renamed into place, or is, but the sync
 * of its folder fails. */
struct faults {
    bool rename_fails;
    bool folder_sync_fails;
    atomic_bool head_renamed; /* from threads that only flock keeps apart */
};

static inline int
faulty_rename(void *ctx, int dirfd, const char *from, const char *to)
{
    struct faults *f = ctx;
    bool is_head = strcmp(to, "transitions/latest") == 0;

    f->head_renamed = is_head;
    if (f->rename_fails && is_head) {
        errno = ENOSPC;
        return -1;
    }
    return store_io_system.rename(NULL, dirfd, from, to);
}

static inline int
faulty_sync(void *ctx, int fd)
{
    const struct faults *f = ctx;
    struct stat sb;

    errno = EIO;
    if (f->folder_sync_fails && f->head_renamed && fstat(fd, &sb) == 0 &&
        S_ISDIR(sb.st_mode))
        return -1;
    return store_io_system.sync(NULL, fd);
}

struct fixture {
    const struct keys *keys;
    struct temp_dir dir;
    struct faults faults;
    struct store_io io;
    struct store_file *file;
    struct store store;
    struct guard_config config;
    struct guard *guard;
    struct arena arena;
};

static inline void
fixture_start(struct fixture *f)
{
    const struct store_file_config config = { .dir = f->dir.path,
                                              .io = &f->io };
    struct assay_error err;

    assert_ok(store_file_open(&config, &f->file, &err), &err);
    f->store = store_file_store(f->file);
    f->config = (struct guard_config){ .store = &f->store,
                                       .clock = &clock_system,
                                       .random = &random_system,
                                       .appraiser.allow_insecure = true };
    assert_ok(guard_new(&f->config, &f->guard, &err), &err);
}

static inline void
fixture_stop(struct fixture *f)
{
    guard_free(f->guard);
    store_file_close(f->file);
}

static inline void
fixture_init(struct fixture *f, void **state)
{
    *f = (struct fixture){ .keys = *state, .dir = temp_dir_new() };
    f->io = store_io_system;
    f->io.rename = faulty_rename;
    f->io.sync = faulty_sync;
    f->io.ctx = &f->faults;
    arena_init(&f->arena, 64 << 20, NULL);
    fixture_start(f);
}

static inline void
fixture_end(struct fixture *f)
{
    fixture_stop(f);
    arena_drop(&f->arena);
    temp_dir_remove(&f->dir);
}

/* What tests vary in a manifest. */
struct wanted {
    const char *san; /* makes manifests differ */
    bool no_owner;
    const char *share_hex; /* NULL: the owner of the fixture */
    bool no_share_owner;
    bool insecure; /* asks for no hardware */
};

static const char policy_text[] = "policy of the web pod";

static inline struct span
make_manifest(struct fixture *f, struct wanted w)
{
    static const char measurement[] =
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
        "202122232425262728292a2b2c2d2e2f";
    struct buffer text;
    struct span copy;
    uint8_t hash[SHA256_SIZE];

    assert_status(digest_sha256(span_str(policy_text), hash, NULL), ASSAY_OK);
    buffer_init(&text, 1 << 20, NULL);
    buffer_add_str(&text, "{\"Policies\":{\"");
    buffer_add_hex(&text, span_of(hash, sizeof(hash)));
    buffer_addf(&text,
                "\":{\"SANs\":[\"%s\",\"*\"],\"WorkloadSecretID\":\"web\","
                "\"Role\":\"coordinator\"}},",
                w.san);
    if (w.insecure)
        buffer_add_str(&text, "\"ReferenceValues\":{\"insecure\":[{"
                              "\"AcceptWithoutHardware\":true}]},");
    else
        buffer_addf(&text,
                    "\"ReferenceValues\":{\"snp\":[{"
                    "\"ProductName\":\"Genoa\",\"TrustedMeasurement\":\"%s\","
                    "\"MinimumTCB\":{\"BootloaderVersion\":7,"
                    "\"TEEVersion\":0,\"SNPVersion\":14,"
                    "\"MicrocodeVersion\":72},"
                    "\"GuestPolicy\":{\"ABIMajor\":0,\"ABIMinor\":0,"
                    "\"SMT\":true},"
                    "\"PlatformInfo\":{\"SMTEnabled\":true}}]},",
                    measurement);
    buffer_addf(&text, "\"WorkloadOwnerPubKeys\":[%s%s%s],",
                w.no_owner ? "" : "\"", w.no_owner ? "" : f->keys->owner_hex,
                w.no_owner ? "" : "\"");
    if (w.no_share_owner)
        buffer_add_str(&text, "\"SeedshareOwnerPubKeys\":[]}");
    else
        buffer_addf(&text, "\"SeedshareOwnerPubKeys\":[\"%s\"]}",
                    w.share_hex ? w.share_hex : f->keys->share_hex);
    assert_false(text.failed);
    assert_true(arena_dup(&f->arena, buffer_span(&text), &copy));
    buffer_free(&text);
    return copy;
}

static inline enum grpc_code
set_as(struct fixture *f, struct guard_update update, struct guard_set *out,
       struct assay_error *err)
{
    const struct span policies[] = { span_str(policy_text) };

    if (!update.policies) {
        update.policies = policies;
        update.policy_count = 1;
    }
    return guard_set_manifest(f->guard, &update, &f->arena, out, err);
}

#define assert_code(code, want, err)                                           \
    do {                                                                       \
        enum grpc_code got_ = (code), want_ = (want);                          \
        if (got_ != want_)                                                     \
            fail_msg("got %s (%s), want %s", grpc_code_name(got_),             \
                     got_ == GRPC_OK ? "" : (err)->text,                       \
                     grpc_code_name(want_));                                   \
    } while (0)

#endif
