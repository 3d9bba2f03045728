#include "service/workload.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "codec/pem_key.h"
#include "crypto/digest.h"
#include "crypto/x509.h"

enum { CHAIN_LEN = 2 }; /* leaf, intermediate */

struct chain {
    struct cert *links[CHAIN_LEN];
    struct cert *mesh_ca;
    struct cert *root;
};

static void
chain_free(struct chain *c)
{
    cert_free(c->links[0]);
    cert_free(c->links[1]);
    cert_free(c->mesh_ca);
    cert_free(c->root);
}

static enum assay_status
certs_parse(struct span pem, const char *what, struct cert **out, size_t want,
            struct assay_error *err)
{
    struct cert *got[CHAIN_LEN] = { NULL };
    size_t count = 0;
    enum assay_status st = pem_certs_decode(pem, got, CHAIN_LEN, &count, err);

    if (st != ASSAY_OK)
        return assay_context(err, st, "%s", what);
    if (count != want) {
        for (size_t i = 0; i < count; i++)
            cert_free(got[i]);
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "%s: got %zu certificates, want %zu", what, count,
                          want);
    }
    memcpy(out, got, want * sizeof(*out));
    return ASSAY_OK;
}

static enum assay_status
chain_parse(const struct mesh_cert *got, struct chain *out,
            struct assay_error *err)
{
    enum assay_status st = certs_parse(got->cert_chain, "certificate chain",
                                       out->links, CHAIN_LEN, err);

    if (st == ASSAY_OK)
        st = certs_parse(got->mesh_ca, "mesh CA", &out->mesh_ca, 1, err);
    if (st == ASSAY_OK)
        st = certs_parse(got->root_ca, "root CA", &out->root, 1, err);
    return st;
}

static enum assay_status
date_check(const struct cert *cert, int64_t now, struct assay_error *err)
{
    char from[RFC3339_SIZE], until[RFC3339_SIZE];

    if (now >= cert_not_before(cert) && now <= cert_not_after(cert))
        return ASSAY_OK;
    rfc3339_format(cert_not_before(cert), from);
    rfc3339_format(cert_not_after(cert), until);
    return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                      "certificate \"%s\": valid %s to %s, which is not now",
                      cert_common_name(cert), from, until);
}

static enum assay_status
signed_by(const struct cert *cert, const struct cert *issuer, const char *what,
          struct assay_error *err)
{
    bool yes = false;
    enum assay_status st = ASSAY_OK;

    if (span_equal(cert_issuer(cert), cert_subject(issuer)))
        st = cert_is_signed_by(cert, cert_key(issuer), &yes, err);
    if (st == ASSAY_OK && !yes)
        st = assay_fail(err, ASSAY_ERR_UNTRUSTED, "%s", what);
    return st;
}

static enum assay_status
root_check(const struct cert *root, const uint8_t *want,
           struct assay_error *err)
{
    uint8_t got[SHA256_SIZE];
    char got_hex[2 * SHA256_SIZE + 1], want_hex[2 * SHA256_SIZE + 1];
    enum assay_status st;

    if (!want)
        return ASSAY_OK;
    st = digest_sha256(cert_spki(root), got, err);
    if (st != ASSAY_OK)
        return st;
    if (memcmp(got, want, sizeof(got)) == 0) /* public values */
        return ASSAY_OK;
    hex_encode(span_of(got, sizeof(got)), got_hex);
    hex_encode(span_of(want, sizeof(got)), want_hex);
    return assay_fail(err, ASSAY_ERR_UNTRUSTED, "root CA key: got %s, want %s",
                      got_hex, want_hex);
}

static enum assay_status
chain_check(const struct chain *c, const struct key *own, int64_t now,
            struct assay_error *err)
{
    const struct cert *leaf = c->links[0], *intermediate = c->links[1];
    const struct cert *all[] = { leaf, intermediate, c->mesh_ca, c->root };
    enum assay_status st = ASSAY_OK;

    if (!key_equal_public(cert_key(leaf), own))
        return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                          "the certificate is not for the key we sent");
    if (!key_equal_public(cert_key(intermediate), cert_key(c->mesh_ca)))
        return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                          "intermediate and mesh CA have different keys");
    for (size_t i = 0; st == ASSAY_OK && i < sizeof(all) / sizeof(all[0]); i++)
        st = date_check(all[i], now, err);
    if (st == ASSAY_OK)
        st = signed_by(leaf, intermediate,
                       "the certificate is not signed by the intermediate CA",
                       err);
    if (st == ASSAY_OK)
        st = signed_by(intermediate, c->root,
                       "the intermediate CA is not signed by the root CA", err);
    if (st == ASSAY_OK)
        st = signed_by(c->root, c->root, "the root CA does not sign itself",
                       err);
    return st;
}

enum assay_status
workload_cert_check(const struct mesh_cert *got, const struct key *own,
                    int64_t now, const uint8_t *root_key_sha256,
                    struct assay_error *err)
{
    struct chain chain = { 0 };
    enum assay_status st = chain_parse(got, &chain, err);

    if (st == ASSAY_OK)
        st = chain_check(&chain, own, now, err);
    if (st == ASSAY_OK)
        st = root_check(chain.root, root_key_sha256, err);
    chain_free(&chain);
    return assay_context(err, st, "answer of the coordinator");
}

static enum assay_status
write_in(const char *dir, const char *name, struct span bytes, mode_t mode,
         struct assay_error *err)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s", dir, name);

    if (len < 0 || (size_t)len >= sizeof(path))
        return assay_fail(err, ASSAY_ERR_LIMIT, "path too long: %s", dir);
    return file_write_atomic(path, bytes, mode, err);
}

static enum assay_status
create_in(const char *dir, const char *name, struct assay_error *err)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s", dir, name);

    if (len < 0 || (size_t)len >= sizeof(path))
        return assay_fail(err, ASSAY_ERR_LIMIT, "path too long: %s", dir);
    return dir_create(path, 0755, err);
}

static enum assay_status
key_write(const char *dir, const struct key *own, struct assay_error *err)
{
    struct secret pem = { 0 };
    enum assay_status st = pem_private_key_encode(own, false, &pem, err);

    if (st == ASSAY_OK)
        st = write_in(dir, "tls-config/key.pem", secret_span(&pem), 0400, err);
    secret_wipe(&pem);
    return st;
}

static enum assay_status
seed_write(const char *dir, const struct secret *seed, struct assay_error *err)
{
    struct secret hex = { 0 };
    enum assay_status st;

    if (seed->len == 0)
        return ASSAY_OK;
    st = secret_alloc(&hex, 2 * seed->len + 1, err);
    if (st == ASSAY_OK) {
        hex_encode(secret_span(seed), (char *)hex.ptr);
        st = write_in(dir, "secrets/workload-secret-seed",
                      span_of(hex.ptr, 2 * seed->len), 0400, err);
    }
    secret_wipe(&hex);
    return st;
}

enum assay_status
workload_files_write(const char *dir, const struct mesh_cert *got,
                     const struct key *own, struct assay_error *err)
{
    enum assay_status st = create_in(dir, "tls-config", err);

    if (st == ASSAY_OK)
        st = create_in(dir, "secrets", err);
    if (st == ASSAY_OK)
        st = write_in(dir, "tls-config/mesh-ca.pem", got->mesh_ca, 0444, err);
    if (st == ASSAY_OK)
        st = write_in(dir, "tls-config/coordinator-root-ca.pem", got->root_ca,
                      0444, err);
    if (st == ASSAY_OK)
        st = key_write(dir, own, err);
    if (st == ASSAY_OK)
        st = write_in(dir, "tls-config/certChain.pem", got->cert_chain, 0444,
                      err);
    if (st == ASSAY_OK)
        st = seed_write(dir, &got->workload_secret, err);
    return st;
}
