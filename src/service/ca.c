#include "service/ca.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "codec/pem_key.h"
#include "crypto/x509_build.h"

#define ROOT_NAME "system:coordinator:root"
#define INTERMEDIATE_NAME "system:coordinator:intermediate"

enum {
    BACKDATE_S = 3600, /* for peers whose clock is behind */
    CA_YEARS = 10,
    LEAF_YEARS = 1,
    CERT_PEM_MAX = 2 * LIMIT_CERT_BYTES,
    /* Holds what the helpers of x509_build.h encode for one certificate. */
    EXTENSIONS_BUDGET = 256 * 1024,
};

struct ca {
    const struct allocator *alloc;
    struct key *mesh_key;
    uint8_t root_key_id[X509_KEY_ID_SIZE];
    uint8_t mesh_key_id[X509_KEY_ID_SIZE];
    struct buffer root_pem;
    struct buffer intermediate_pem;
    struct buffer mesh_pem;
};

static int64_t
add_years(int64_t instant, int years)
{
    time_t t = (time_t)instant;
    struct tm tm;

    if (!gmtime_r(&t, &tm))
        return instant;
    tm.tm_year += years;
    return (int64_t)timegm(&tm);
}

/* Signs spec, whose names are given as texts, and appends PEM. */
static enum assay_status
issue_pem(struct cert_spec *spec, const char *subject, const char *issuer,
          struct buffer *pem, struct assay_error *err)
{
    struct buffer subject_der, issuer_der, der;
    enum assay_status st;

    buffer_init(&subject_der, LIMIT_CERT_BYTES, NULL);
    buffer_init(&issuer_der, LIMIT_CERT_BYTES, NULL);
    buffer_init(&der, LIMIT_CERT_BYTES + LIMIT_EVIDENCE_BYTES, NULL);
    st = x509_name_common_name(subject, &subject_der, err);
    if (st == ASSAY_OK)
        st = x509_name_common_name(issuer, &issuer_der, err);
    spec->subject = buffer_span(&subject_der);
    spec->issuer = buffer_span(&issuer_der);
    if (st == ASSAY_OK)
        st = cert_build(spec, &der, err);
    if (st == ASSAY_OK)
        st = pem_cert_encode(buffer_span(&der), pem, err);
    buffer_free(&der);
    buffer_free(&issuer_der);
    buffer_free(&subject_der);
    return st;
}

/* --- CA certificates (CI 10.1) ------------------------------------------- */

struct ca_cert {
    const char *subject, *issuer;
    const struct key *key, *signer;
    const uint8_t *key_id;
    const uint8_t *issuer_key_id; /* NULL: no AKI */
    int64_t now;
    const struct random_source *random;
};

static enum assay_status
issue_ca(const struct ca_cert *c, struct buffer *pem, struct assay_error *err)
{
    struct x509_extensions x;
    struct arena arena;
    struct cert_spec spec = {
        .random = c->random,
        .not_before = c->now - BACKDATE_S,
        .not_after = add_years(c->now, CA_YEARS),
        .key = c->key,
        .signer = c->signer,
        .extensions = &x,
    };
    enum assay_status st;

    arena_init(&arena, EXTENSIONS_BUDGET, NULL);
    x509_extensions_init(&x, &arena);
    x509_add_key_usage(&x, KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_CERT_SIGN);
    x509_add_basic_constraints(&x, true, -1);
    x509_add_subject_key_id(&x, span_of(c->key_id, X509_KEY_ID_SIZE));
    if (c->issuer_key_id)
        x509_add_authority_key_id(&x,
                                  span_of(c->issuer_key_id, X509_KEY_ID_SIZE));
    st = issue_pem(&spec, c->subject, c->issuer, pem, err);
    arena_drop(&arena);
    return assay_context(err, st, "%s", c->subject);
}

static enum assay_status
issue_all(struct ca *ca, const struct key *root_key, int64_t now,
          const struct random_source *random, struct assay_error *err)
{
    const struct ca_cert root = {
        ROOT_NAME,       ROOT_NAME, root_key, root_key,
        ca->root_key_id, NULL,      now,      random,
    };
    /* Same subject and key: what the mesh CA signed is also signed by the
     * intermediate, and so verifies under the root. */
    const struct ca_cert intermediate = {
        INTERMEDIATE_NAME, ROOT_NAME,       ca->mesh_key, root_key,
        ca->mesh_key_id,   ca->root_key_id, now,          random,
    };
    const struct ca_cert mesh = {
        INTERMEDIATE_NAME,
        INTERMEDIATE_NAME,
        ca->mesh_key,
        ca->mesh_key,
        ca->mesh_key_id,
        NULL,
        now,
        random,
    };
    enum assay_status st = issue_ca(&root, &ca->root_pem, err);

    if (st == ASSAY_OK)
        st = issue_ca(&intermediate, &ca->intermediate_pem, err);
    if (st == ASSAY_OK)
        st = issue_ca(&mesh, &ca->mesh_pem, err);
    return st;
}

enum assay_status
ca_new(const struct key *root_key, const struct key *mesh_key, int64_t now,
       const struct random_source *random, const struct allocator *alloc,
       struct ca **out, struct assay_error *err)
{
    struct ca *ca = mem_zalloc(alloc, sizeof(*ca));
    enum assay_status st;

    if (!ca)
        return assay_nomem(err, "certificate authority");
    ca->alloc = alloc;
    ca->mesh_key = key_dup(mesh_key);
    buffer_init(&ca->root_pem, CERT_PEM_MAX, alloc);
    buffer_init(&ca->intermediate_pem, CERT_PEM_MAX, alloc);
    buffer_init(&ca->mesh_pem, CERT_PEM_MAX, alloc);
    st = x509_key_id(root_key, ca->root_key_id, err);
    if (st == ASSAY_OK)
        st = x509_key_id(mesh_key, ca->mesh_key_id, err);
    if (st == ASSAY_OK)
        st = issue_all(ca, root_key, now, random, err);
    if (st == ASSAY_OK)
        *out = ca;
    else
        ca_free(ca);
    return st;
}

void
ca_free(struct ca *ca)
{
    if (!ca)
        return;
    buffer_free(&ca->mesh_pem);
    buffer_free(&ca->intermediate_pem);
    buffer_free(&ca->root_pem);
    key_free(ca->mesh_key);
    mem_free(ca->alloc, ca);
}

struct span
ca_root_pem(const struct ca *ca)
{
    return buffer_span(&ca->root_pem);
}

struct span
ca_intermediate_pem(const struct ca *ca)
{
    return buffer_span(&ca->intermediate_pem);
}

struct span
ca_mesh_pem(const struct ca *ca)
{
    return buffer_span(&ca->mesh_pem);
}

const struct key *
ca_mesh_key(const struct ca *ca)
{
    return ca->mesh_key;
}

/* --- names of a leaf (CI 10.3) ------------------------------------------- */

/* As upstream's parser sees it: a letter, then letters, digits, "+-.", and a
 * colon. "localhost:8080" has a scheme, too. */
static bool
has_scheme(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';

        if (c == ':')
            return i > 0;
        if (!letter && !(other && i > 0))
            return false;
    }
    return false;
}

/* The bytes of an address, IPv4 in four also when it is written as IPv6.
 * Empty when name is none. */
static struct span
parse_address(struct span name, uint8_t address[16])
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    char text[INET6_ADDRSTRLEN];

    if (name.len >= sizeof(text))
        return span_of(NULL, 0);
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    if (inet_pton(AF_INET, text, address) == 1)
        return span_of(address, 4);
    if (inet_pton(AF_INET6, text, address) != 1)
        return span_of(NULL, 0);
    if (memcmp(address, mapped, sizeof(mapped)) == 0)
        return span_of(address + sizeof(mapped), 4);
    return span_of(address, 16);
}

static bool
is_printable_ascii(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~')
            return false;
    }
    return name.len > 0;
}

struct leaf_names {
    struct x509_alt_name list[CA_NAMES_MAX];
    uint8_t addresses[CA_NAMES_MAX][16];
    struct span common_name;
};

static void
sort_name(struct leaf_names *n, size_t i, struct span name)
{
    struct span address = parse_address(name, n->addresses[i]);

    if (address.len > 0)
        n->list[i] = (struct x509_alt_name){ X509_ALT_IP, address };
    else if (has_scheme(name))
        n->list[i] = (struct x509_alt_name){ X509_ALT_URI, name };
    else
        n->list[i] = (struct x509_alt_name){ X509_ALT_DNS, name };
}

static enum assay_status
sort_names(struct leaf_names *n, const struct ca_leaf *leaf,
           struct assay_error *err)
{
    bool has_dns = false;

    if (leaf->name_count > CA_NAMES_MAX)
        return assay_fail(err, ASSAY_ERR_LIMIT, "%zu names, at most %d",
                          leaf->name_count, CA_NAMES_MAX);
    n->common_name =
        leaf->name_count > 0 ? leaf->names[0] : span_str("workload");
    for (size_t i = 0; i < leaf->name_count; i++) {
        if (!is_printable_ascii(leaf->names[i]))
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "name %zu is empty or not printable ASCII", i);
        sort_name(n, i, leaf->names[i]);
        if (n->list[i].kind == X509_ALT_DNS && !has_dns) {
            n->common_name = leaf->names[i];
            has_dns = true;
        }
    }
    return ASSAY_OK;
}

/* --- leaves -------------------------------------------------------------- */

static enum assay_status
add_workload_secret_id(struct x509_extensions *x, struct arena *arena,
                       struct span id, struct assay_error *err)
{
    struct buffer der;
    struct span kept;
    enum assay_status st;

    if (id.len == 0)
        return ASSAY_OK;
    buffer_init(&der, LIMIT_CERT_BYTES, NULL);
    der_add(&der, DER_OCTET_STRING, id);
    st = buffer_check(&der, "workload secret ID", err);
    if (st == ASSAY_OK && !arena_dup(arena, buffer_span(&der), &kept))
        st = assay_nomem(err, "workload secret ID");
    if (st == ASSAY_OK)
        x509_add_raw(x, "1.3.9901.3.1", false, kept);
    buffer_free(&der);
    return st;
}

static enum assay_status
add_extensions(struct x509_extensions *x, struct arena *arena,
               const struct ca *ca, const struct ca_leaf *leaf,
               const struct leaf_names *names, struct assay_error *err)
{
    if (leaf->claim_count > CA_CLAIMS_MAX)
        return assay_fail(err, ASSAY_ERR_LIMIT, "%zu claims, at most %d",
                          leaf->claim_count, CA_CLAIMS_MAX);
    x509_extensions_init(x, arena);
    x509_add_key_usage(x, KEY_USAGE_DIGITAL_SIGNATURE);
    x509_add_tls_ext_key_usage(x);
    x509_add_basic_constraints(x, false, -1);
    x509_add_authority_key_id(x, span_of(ca->mesh_key_id, X509_KEY_ID_SIZE));
    if (leaf->name_count > 0)
        x509_add_alt_names(x, names->list, leaf->name_count);
    for (size_t i = 0; i < leaf->claim_count; i++)
        x509_add_raw(x, leaf->claims[i].oid, false, leaf->claims[i].value);
    return add_workload_secret_id(x, arena, leaf->workload_secret_id, err);
}

static enum assay_status
issue_leaf(const struct ca *ca, const struct ca_leaf *leaf, int64_t now,
           const struct random_source *random, struct arena *arena,
           struct buffer *pem, struct assay_error *err)
{
    struct x509_extensions x;
    struct leaf_names names;
    struct cert_spec spec = {
        .random = random,
        .not_before = now - BACKDATE_S,
        .not_after = add_years(now, LEAF_YEARS),
        .key = leaf->key,
        .signer = ca->mesh_key,
        .extensions = &x,
    };
    enum assay_status st = sort_names(&names, leaf, err);
    char *common_name;

    if (st == ASSAY_OK)
        st = add_extensions(&x, arena, ca, leaf, &names, err);
    if (st != ASSAY_OK)
        return st;
    common_name = arena_strdup(arena, names.common_name);
    if (!common_name)
        return assay_nomem(err, "common name");
    return issue_pem(&spec, common_name, INTERMEDIATE_NAME, pem, err);
}

enum assay_status
ca_issue(const struct ca *ca, const struct ca_leaf *leaf, int64_t now,
         const struct random_source *random, struct buffer *chain_pem,
         struct assay_error *err)
{
    struct buffer pem;
    struct arena arena;
    enum assay_status st = ASSAY_OK;

    if (key_type(leaf->key) == KEY_OTHER)
        st = assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                        "its key is neither ECDSA nor RSA");
    arena_init(&arena, EXTENSIONS_BUDGET, NULL);
    buffer_init(&pem, LIMIT_EVIDENCE_BYTES, NULL);
    if (st == ASSAY_OK)
        st = issue_leaf(ca, leaf, now, random, &arena, &pem, err);
    buffer_add(&pem, ca_intermediate_pem(ca));
    if (st == ASSAY_OK)
        st = buffer_check(&pem, "certificate chain", err);
    if (st == ASSAY_OK) {
        buffer_add(chain_pem, buffer_span(&pem));
        st = buffer_check(chain_pem, "certificate chain", err);
    }
    buffer_free(&pem);
    arena_drop(&arena);
    return assay_context(err, st, "mesh certificate");
}
