#include "sim/pki.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "codec/pem_key.h"
#include "crypto/hmac.h"
#include "crypto/random.h"

enum {
    SECRET_SIZE = 32,
    STATE_BYTES_MAX = 16 * 1024,
    CRL_FRESH_SECONDS = 300 * 86400,
};

/* DIR/<P>/state. */
struct state {
    unsigned generation[3]; /* by ca_role; the ARK's is always 1 */
    unsigned crl_number;
    int64_t crl_time;
    struct crl_line revoked[2 * PKI_GENERATIONS_MAX];
    size_t revoked_count;
};

/* --- paths and the lock --- */

struct path {
    char text[PATH_MAX];
};

static struct path ASSAY_PRINTF(2, 3)
    path_in(const char *dir, const char *fmt, ...)
{
    struct path p;
    int n = snprintf(p.text, sizeof(p.text), "%s/", dir);
    va_list args;

    va_start(args, fmt);
    if (n > 0 && (size_t)n < sizeof(p.text))
        vsnprintf(p.text + n, sizeof(p.text) - (size_t)n, fmt, args);
    va_end(args);
    return p;
}

static struct path
ca_path(const char *dir, const struct product *p, enum ca_role role,
        unsigned generation, const char *suffix)
{
    if (role == CA_ARK)
        return path_in(dir, "%s/ark.%s", p->name, suffix);
    return path_in(dir, "%s/%s-%u.%s", p->name, role == CA_ASK ? "ask" : "asvk",
                   generation, suffix);
}

/* Held until the descriptor is closed; -1 with err set. */
static int
lock_file(const struct path *path, struct assay_error *err)
{
    int fd = open(path->text, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0 && flock(fd, LOCK_EX) == 0)
        return fd;
    (void)assay_fail(err, ASSAY_ERR_IO, "%s: cannot lock: %s", path->text,
                     strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* --- the state file --- */

static bool
parse_state_line(const char *line, struct state *s)
{
    unsigned a;
    long long when;

    if (sscanf(line, "ask %u", &a) == 1 && a >= 1 && a <= PKI_GENERATIONS_MAX)
        s->generation[CA_ASK] = a;
    else if (sscanf(line, "asvk %u", &a) == 1 && a >= 1 &&
             a <= PKI_GENERATIONS_MAX)
        s->generation[CA_ASVK] = a;
    else if (sscanf(line, "crl %u %lld", &a, &when) == 2) {
        s->crl_number = a;
        s->crl_time = when;
    } else if (sscanf(line, "revoked %u %lld", &a, &when) == 2 &&
               s->revoked_count < 2 * PKI_GENERATIONS_MAX) {
        s->revoked[s->revoked_count++] = (struct crl_line){ a, when };
    } else {
        return false;
    }
    return true;
}

static enum assay_status
state_read(const char *dir, const struct product *p, struct state *out,
           struct assay_error *err)
{
    struct path path = path_in(dir, "%s/state", p->name);
    struct state s = { .generation = { 1, 0, 0 } };
    struct buffer text;
    enum assay_status st;

    buffer_init(&text, STATE_BYTES_MAX, NULL);
    st = file_read(path.text, &text, err);
    for (char *line = (char *)text.ptr, *end; st == ASSAY_OK && line && *line;
         line = end + 1) {
        end = strchr(line, '\n');
        if (!end || !parse_state_line(line, &s)) {
            st = assay_fail(err, ASSAY_ERR_MALFORMED, "%s: line \"%.40s\"",
                            path.text, line);
            break;
        }
    }
    if (st == ASSAY_OK && (!s.generation[CA_ASK] || !s.generation[CA_ASVK]))
        st = assay_fail(err, ASSAY_ERR_MALFORMED, "%s: incomplete", path.text);
    buffer_free(&text);
    if (st == ASSAY_OK)
        *out = s;
    return st;
}

static enum assay_status
state_write(const char *dir, const struct product *p, const struct state *s,
            struct assay_error *err)
{
    struct path path = path_in(dir, "%s/state", p->name);
    struct buffer text;
    enum assay_status st;

    buffer_init(&text, STATE_BYTES_MAX, NULL);
    buffer_addf(&text, "ask %u\nasvk %u\ncrl %u %lld\n", s->generation[CA_ASK],
                s->generation[CA_ASVK], s->crl_number, (long long)s->crl_time);
    for (size_t i = 0; i < s->revoked_count; i++)
        buffer_addf(&text, "revoked %u %lld\n", s->revoked[i].serial,
                    (long long)s->revoked[i].revoked_at);
    st = buffer_check(&text, path.text, err);
    if (st == ASSAY_OK)
        st = file_write_atomic(path.text, buffer_span(&text), 0644, err);
    buffer_free(&text);
    return st;
}

/* --- keys and certificates in files --- */

static enum assay_status
key_write(const struct path *path, const struct key *key,
          struct assay_error *err)
{
    struct secret pem = { 0 };
    enum assay_status st = pem_private_key_encode(key, false, &pem, err);

    if (st == ASSAY_OK)
        st = file_write_atomic(path->text, secret_span(&pem), 0600, err);
    secret_wipe(&pem);
    return st;
}

static enum assay_status
key_read(const struct path *path, struct key **out, struct assay_error *err)
{
    struct buffer pem;
    enum assay_status st;

    buffer_init(&pem, LIMIT_KEY_FILE_BYTES, NULL);
    st = file_read(path->text, &pem, err);
    if (st == ASSAY_OK)
        st = pem_private_key_decode(buffer_span(&pem), out, err);
    secret_buffer_free(&pem);
    return assay_context(err, st, "%s", path->text);
}

static enum assay_status
cert_write(const struct path *path, const struct ca_params *params,
           struct assay_error *err)
{
    struct buffer der, pem;
    enum assay_status st;

    buffer_init(&der, CERT_DER_MAX, NULL);
    buffer_init(&pem, 2 * CERT_DER_MAX, NULL);
    st = ca_encode(params, &der, err);
    if (st == ASSAY_OK)
        st = pem_cert_encode(buffer_span(&der), &pem, err);
    if (st == ASSAY_OK)
        st = file_write_atomic(path->text, buffer_span(&pem), 0644, err);
    buffer_free(&der);
    buffer_free(&pem);
    return st;
}

static enum assay_status
crl_write(const char *dir, const struct product *p, const struct state *s,
          const struct key *ark, struct assay_error *err)
{
    struct path path = path_in(dir, "%s/crl-%u.der", p->name, s->crl_number);
    const struct crl_params params = {
        p, s->crl_number, s->crl_time, s->revoked, s->revoked_count, ark
    };
    struct buffer der;
    enum assay_status st;

    buffer_init(&der, CRL_DER_MAX, NULL);
    st = crl_encode(&params, &der, err);
    if (st == ASSAY_OK)
        st = file_write_atomic(path.text, buffer_span(&der), 0644, err);
    buffer_free(&der);
    return st;
}

/* --- creation --- */

/* RSA-4096 takes a second or more, so the keys are made side by side. */
struct key_job {
    pthread_t thread;
    bool started;
    struct key *key;
    enum assay_status st;
    struct assay_error err;
};

static void *
generate_rsa(void *ctx)
{
    struct key_job *job = ctx;

    job->st = key_generate(KEY_RSA4096, &job->key, &job->err);
    return NULL;
}

static enum assay_status
generate_keys(struct key_job *jobs, size_t count, struct assay_error *err)
{
    enum assay_status st = ASSAY_OK;

    for (size_t i = 0; i < count; i++) {
        jobs[i] = (struct key_job){ 0 };
        jobs[i].started =
            pthread_create(&jobs[i].thread, NULL, generate_rsa, &jobs[i]) == 0;
        if (!jobs[i].started)
            generate_rsa(&jobs[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (jobs[i].started)
            pthread_join(jobs[i].thread, NULL);
        if (st == ASSAY_OK && jobs[i].st != ASSAY_OK)
            st = assay_fail(err, jobs[i].st, "%s", jobs[i].err.text);
    }
    return st;
}

static int64_t
ca_not_before(const struct product *p, enum ca_role role)
{
    switch (role) {
    case CA_ARK:
        return p->ark_not_before;
    case CA_ASK:
        return p->ask_not_before;
    case CA_ASVK:
        break;
    }
    return p->asvk_not_before;
}

static enum assay_status
store_ca(const char *dir, const struct ca_params *params,
         struct assay_error *err)
{
    struct path key =
        ca_path(dir, params->product, params->role, params->generation, "key");
    struct path cert =
        ca_path(dir, params->product, params->role, params->generation, "pem");
    enum assay_status st = key_write(&key, params->key, err);

    return st == ASSAY_OK ? cert_write(&cert, params, err) : st;
}

static enum assay_status
create_files(const char *dir, const struct product *p, int64_t now,
             const struct key_job *jobs, struct assay_error *err)
{
    struct state s = { .generation = { 1, 1, 1 },
                       .crl_number = 1,
                       .crl_time = now };
    const struct key *ark = jobs[CA_ARK].key;
    struct path anchor = path_in(dir, "ark-%s.pem", p->name);
    struct buffer pem;
    enum assay_status st = ASSAY_OK;

    for (int role = CA_ARK; st == ASSAY_OK && role <= CA_ASVK; role++) {
        const struct ca_params params = { p,
                                          (enum ca_role)role,
                                          1,
                                          ca_not_before(p, (enum ca_role)role),
                                          jobs[role].key,
                                          ark };

        st = store_ca(dir, &params, err);
    }
    buffer_init(&pem, LIMIT_CERT_BYTES, NULL);
    if (st == ASSAY_OK)
        st = pki_ca_pem(dir, p, CA_ARK, 1, &pem, err);
    if (st == ASSAY_OK)
        st = file_write_atomic(anchor.text, buffer_span(&pem), 0644, err);
    if (st == ASSAY_OK)
        st = crl_write(dir, p, &s, ark, err);
    if (st == ASSAY_OK)
        st = state_write(dir, p, &s, err);
    buffer_free(&pem);
    return st;
}

static enum assay_status
create_secret(const char *dir, struct assay_error *err)
{
    struct path path = path_in(dir, "secret");
    struct secret secret = { 0 };
    enum assay_status st;

    if (access(path.text, F_OK) == 0)
        return ASSAY_OK;
    st = secret_random(&secret, SECRET_SIZE, &random_system, err);
    if (st == ASSAY_OK)
        st = file_write_atomic(path.text, secret_span(&secret), 0600, err);
    secret_wipe(&secret);
    return st;
}

static enum assay_status
create_locked(const char *dir, const struct product *p, int64_t now,
              struct assay_error *err)
{
    struct path state = path_in(dir, "%s/state", p->name);
    struct key_job jobs[3] = { 0 };
    enum assay_status st = create_secret(dir, err);

    if (st != ASSAY_OK || access(state.text, F_OK) == 0)
        return st;
    st = generate_keys(jobs, 3, err);
    if (st == ASSAY_OK)
        st = create_files(dir, p, now, jobs, err);
    for (int i = 0; i < 3; i++)
        key_free(jobs[i].key);
    return st;
}

enum assay_status
pki_create(const char *dir, const struct product *p, int64_t now,
           struct assay_error *err)
{
    struct path product_dir = path_in(dir, "%s", p->name);
    struct path chips = path_in(dir, "chips");
    struct path lock = path_in(dir, "lock");
    enum assay_status st = dir_create(product_dir.text, 0755, err);
    int fd;

    if (st == ASSAY_OK)
        st = dir_create(chips.text, 0755, err);
    if (st != ASSAY_OK)
        return st;
    fd = lock_file(&lock, err);
    if (fd < 0)
        return ASSAY_ERR_IO;
    st = create_locked(dir, p, now, err);
    close(fd);
    return st;
}

/* --- leaves --- */

/* HMAC(secret, kind, product, chip or provider, TCB), as a seed. Each part has
 * a fixed size or ends the input, so that no two leaves share one. */
static enum assay_status
leaf_seed(const char *dir, const struct pki_leaf *leaf,
          uint8_t seed[SHA256_SIZE], struct assay_error *err)
{
    const struct tcb *t = &leaf->tcb;
    const uint8_t levels[] = { t->fmc, t->boot_loader, t->tee, t->snp,
                               t->microcode };
    const struct span parts[] = {
        span_str(leaf->csp_id ? "assay-sim VLEK " : "assay-sim VCEK "),
        span_str(leaf->product->name),
        span_of(levels, sizeof(levels)),
        leaf->csp_id ? span_str(leaf->csp_id)
                     : span_of(leaf->chip_id, leaf->product->hwid_size),
    };
    struct path path = path_in(dir, "secret");
    struct buffer secret;
    enum assay_status st;

    buffer_init(&secret, SECRET_SIZE, NULL);
    st = file_read(path.text, &secret, err);
    if (st == ASSAY_OK && secret.len != SECRET_SIZE)
        st = assay_fail(err, ASSAY_ERR_MALFORMED, "%s: %zu bytes, want %d",
                        path.text, secret.len, SECRET_SIZE);
    if (st == ASSAY_OK)
        st = hmac_sha256(buffer_span(&secret), parts, 4, seed, err);
    secret_buffer_free(&secret);
    return st;
}

enum assay_status
pki_leaf_key(const char *dir, const struct pki_leaf *leaf, struct key **out,
             struct assay_error *err)
{
    uint8_t seed[SHA256_SIZE];
    enum assay_status st = leaf_seed(dir, leaf, seed, err);

    if (st == ASSAY_OK)
        st = key_deterministic_p384(span_of(seed, sizeof(seed)), out, err);
    secret_cleanse(seed, sizeof(seed));
    return st;
}

/* Resolves PKI_NEWEST and refuses what was never made. */
static enum assay_status
find_generation(const char *dir, const struct product *p, enum ca_role role,
                unsigned wanted, unsigned *out, struct assay_error *err)
{
    struct state s;
    enum assay_status st = state_read(dir, p, &s, err);

    if (st != ASSAY_OK)
        return st;
    if (wanted == PKI_NEWEST)
        wanted = s.generation[role];
    if (wanted > s.generation[role])
        return assay_fail(err, ASSAY_ERR_NOT_FOUND,
                          "%s: generation %u of the intermediate, have %u",
                          p->name, wanted, s.generation[role]);
    *out = wanted;
    return ASSAY_OK;
}

enum assay_status
pki_leaf_cert(const char *dir, const struct pki_leaf *leaf, int64_t now,
              struct buffer *der, struct assay_error *err)
{
    const struct product *p = leaf->product;
    enum ca_role role = leaf->csp_id ? CA_ASVK : CA_ASK;
    struct key *key = NULL, *issuer = NULL;
    unsigned generation;
    enum assay_status st =
        find_generation(dir, p, role, leaf->generation, &generation, err);

    if (st == ASSAY_OK) {
        struct path path = ca_path(dir, p, role, generation, "key");

        st = key_read(&path, &issuer, err);
    }
    if (st == ASSAY_OK)
        st = pki_leaf_key(dir, leaf, &key, err);
    if (st == ASSAY_OK) {
        const struct leaf_params params = {
            .product = p,
            .tcb = leaf->tcb,
            .hwid = span_of(leaf->chip_id, p->hwid_size),
            .csp_id = leaf->csp_id,
            .not_before = now,
            .key = key,
            .issuer = issuer,
        };

        st = leaf_encode(&params, der, err);
    }
    key_free(key);
    key_free(issuer);
    return st;
}

/* --- intermediates and the list --- */

enum assay_status
pki_ca_pem(const char *dir, const struct product *p, enum ca_role role,
           unsigned generation, struct buffer *pem, struct assay_error *err)
{
    enum assay_status st = ASSAY_OK;

    if (role != CA_ARK)
        st = find_generation(dir, p, role, generation, &generation, err);
    if (st == ASSAY_OK) {
        struct path path = ca_path(dir, p, role, generation, "pem");

        st = file_read(path.text, pem, err);
    }
    return st;
}

enum assay_status
pki_ca_der(const char *dir, const struct product *p, enum ca_role role,
           unsigned generation, struct buffer *der, struct assay_error *err)
{
    struct buffer pem;
    struct pem_block block;
    struct span rest;
    enum assay_status st;

    buffer_init(&pem, LIMIT_CERT_BYTES, NULL);
    st = pki_ca_pem(dir, p, role, generation, &pem, err);
    rest = buffer_span(&pem);
    if (st == ASSAY_OK)
        st = pem_next(&rest, &block, err);
    if (st == ASSAY_OK)
        st = pem_decode(&block, der, err);
    buffer_free(&pem);
    return st;
}

static enum assay_status
crl_encode_now(const char *dir, const struct product *p, const struct state *s,
               int64_t now, struct buffer *der, struct assay_error *err)
{
    struct path path = ca_path(dir, p, CA_ARK, 1, "key");
    struct key *ark = NULL;
    enum assay_status st = key_read(&path, &ark, err);

    if (st == ASSAY_OK) {
        const struct crl_params params = { p,          s->crl_number,    now,
                                           s->revoked, s->revoked_count, ark };

        st = crl_encode(&params, der, err);
    }
    key_free(ark);
    return st;
}

enum assay_status
pki_crl(const char *dir, const struct product *p, int64_t now,
        struct buffer *der, struct assay_error *err)
{
    struct state s;
    enum assay_status st = state_read(dir, p, &s, err);

    if (st != ASSAY_OK)
        return st;
    if (now >= s.crl_time && now - s.crl_time < CRL_FRESH_SECONDS) {
        struct path path = path_in(dir, "%s/crl-%u.der", p->name, s.crl_number);

        return file_read(path.text, der, err);
    }
    return crl_encode_now(dir, p, &s, now, der, err);
}

/* --- revocation --- */

static enum assay_status
make_successor(const char *dir, const struct ca_params *shape,
               struct assay_error *err)
{
    struct ca_params params = *shape;
    struct key *key = NULL;
    enum assay_status st = key_generate(KEY_RSA4096, &key, err);

    if (st == ASSAY_OK) {
        params.key = key;
        st = store_ca(dir, &params, err);
    }
    key_free(key);
    return st;
}

static enum assay_status
revoke_locked(const char *dir, const struct product *p, enum ca_role role,
              int64_t now, struct assay_error *err)
{
    struct path ark_path = ca_path(dir, p, CA_ARK, 1, "key");
    struct key *ark = NULL;
    struct state s;
    enum assay_status st = state_read(dir, p, &s, err);

    if (st == ASSAY_OK && s.generation[role] >= PKI_GENERATIONS_MAX)
        st = assay_fail(err, ASSAY_ERR_LIMIT, "%s: %d generations, no more",
                        p->name, PKI_GENERATIONS_MAX);
    if (st == ASSAY_OK)
        st = key_read(&ark_path, &ark, err);
    if (st == ASSAY_OK) {
        struct ca_params params = { .product = p,
                                    .role = role,
                                    .generation = s.generation[role] + 1,
                                    .not_before = now,
                                    .ark = ark };

        s.revoked[s.revoked_count++] =
            (struct crl_line){ ca_serial(p, role, s.generation[role]), now };
        s.generation[role]++;
        s.crl_number++;
        s.crl_time = now;
        st = make_successor(dir, &params, err);
    }
    if (st == ASSAY_OK)
        st = crl_write(dir, p, &s, ark, err);
    if (st == ASSAY_OK)
        st = state_write(dir, p, &s, err);
    key_free(ark);
    return st;
}

enum assay_status
pki_revoke(const char *dir, const struct product *p, enum ca_role role,
           int64_t now, struct assay_error *err)
{
    struct path lock = path_in(dir, "lock");
    enum assay_status st;
    int fd = lock_file(&lock, err);

    if (fd < 0)
        return ASSAY_ERR_IO;
    st = revoke_locked(dir, p, role, now, err);
    close(fd);
    return st;
}

/* --- chips --- */

static struct path
chip_path(const char *dir, const struct product *p,
          const uint8_t chip_id[CHIP_ID_SIZE])
{
    char hex[2 * CHIP_ID_SIZE + 1];

    hex_encode(span_of(chip_id, p->hwid_size), hex);
    return path_in(dir, "chips/%s-%s", p->name, hex);
}

enum assay_status
pki_chip_register(const char *dir, const struct product *p,
                  const uint8_t chip_id[CHIP_ID_SIZE], struct assay_error *err)
{
    struct path path = chip_path(dir, p, chip_id);
    int fd = open(path.text, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0)
        return assay_fail(err, ASSAY_ERR_IO, "%s: %s", path.text,
                          strerror(errno));
    close(fd);
    return ASSAY_OK;
}

bool
pki_chip_known(const char *dir, const struct product *p,
               const uint8_t chip_id[CHIP_ID_SIZE])
{
    struct path path = chip_path(dir, p, chip_id);

    return access(path.text, F_OK) == 0;
}
