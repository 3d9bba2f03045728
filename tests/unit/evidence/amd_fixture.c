#include "amd_fixture.h"

#include <stdio.h>

#include "base/file.h"
#include "base/limits.h"
#include "codec/pem_key.h"
#include "evidence/oid.h"
#include "evidence/snp_tcb.h"

#define YEAR (INT64_C(365) * 24 * 3600)

static struct key *
load(const char *name)
{
    const char *folder = getenv("ASSAY_TEST_KEYS");
    struct assay_error err = { 0 };
    struct buffer pem;
    struct key *key;
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s.pem",
             folder ? folder : "tests/unit/evidence/keys", name);
    buffer_init(&pem, LIMIT_KEY_FILE_BYTES, NULL);
    assert_ok(file_read(path, &pem, &err), &err);
    assert_ok(pem_private_key_decode(buffer_span(&pem), &key, &err), &err);
    buffer_free(&pem);
    return key;
}

void
amd_keys_load(struct amd_keys *k)
{
    struct assay_error err = { 0 };

    k->ark = load("ark");
    k->ask = load("ask");
    k->other = load("other");
    assert_ok(key_generate(KEY_P384, &k->leaf, &err), &err);
}

void
amd_keys_free(struct amd_keys *k)
{
    key_free(k->ark);
    key_free(k->ask);
    key_free(k->other);
    key_free(k->leaf);
}

static void
name_of(const char *cn, struct buffer *der)
{
    const struct x509_attribute attributes[] = {
        { "2.5.4.11", DER_UTF8_STRING, "Engineering" },
        { "2.5.4.6", DER_PRINTABLE_STRING, "US" },
        { "2.5.4.7", DER_UTF8_STRING, "Santa Clara" },
        { "2.5.4.8", DER_UTF8_STRING, "CA" },
        { "2.5.4.10", DER_UTF8_STRING, "Advanced Micro Devices" },
        { "2.5.4.3", DER_UTF8_STRING, cn },
    };
    struct assay_error err = { 0 };

    buffer_init(der, 1024, NULL);
    assert_ok(x509_name_encode(attributes, COUNT(attributes), der, &err), &err);
}

static void
build(struct cert_spec *spec, const char *subject, const char *issuer,
      struct buffer *der)
{
    struct assay_error err = { 0 };
    struct buffer subject_der, issuer_der;

    name_of(subject, &subject_der);
    name_of(issuer, &issuer_der);
    spec->subject = buffer_span(&subject_der);
    spec->issuer = buffer_span(&issuer_der);
    buffer_init(der, LIMIT_CERT_BYTES, NULL);
    assert_ok(cert_build(spec, der, &err), &err);
    buffer_free(&subject_der);
    buffer_free(&issuer_der);
}

void
amd_ca(const struct amd_ca_spec *s, struct buffer *der)
{
    char subject[SNP_CERT_NAME_SIZE], issuer[SNP_CERT_NAME_SIZE];
    int path_len = s->kind == SNP_CERT_ARK ? -1 : s->path_len;
    unsigned usage = s->no_cert_sign ? KEY_USAGE_CRL_SIGN : KEY_USAGE_CERT_SIGN;
    uint8_t serial[3] = { (uint8_t)(s->serial >> 16), (uint8_t)(s->serial >> 8),
                          (uint8_t)s->serial };
    struct x509_extensions x;
    struct arena arena;

    if (s->kind == SNP_CERT_ARK && !s->no_cert_sign)
        usage |= KEY_USAGE_CRL_SIGN;
    arena_init(&arena, 1 << 20, NULL);
    x509_extensions_init(&x, &arena);
    x509_add_basic_constraints(&x, !s->not_a_ca, s->not_a_ca ? -1 : path_len);
    x509_add_key_usage(&x, usage);
    snp_cert_name(s->kind, s->product, subject);
    snp_cert_name(SNP_CERT_ARK, s->product, issuer);
    build(
        &(struct cert_spec){
            .serial = span_of(serial, sizeof(serial)),
            .not_before = FIXTURE_NOW - YEAR,
            .not_after = s->not_after ? s->not_after : FIXTURE_NOW + 20 * YEAR,
            .key = s->key,
            .signer = s->signer,
            .alg = s->alg ? s->alg : SIGNATURE_RSA_PSS_SHA384,
            .extensions = &x },
        s->cn ? s->cn : subject, issuer, der);
    arena_drop(&arena);
}

/* Which SPL extension is which byte of the word: AMD 57230. */
static const uint8_t spls_milan[8] = { 1, 2, 4, 5, 6, 7, 3, 8 };
static const uint8_t spls_turin[8] = { 9, 1, 2, 3, 5, 6, 7, 8 };

void
amd_leaf_init(struct amd_leaf_spec *s, const struct amd_keys *keys,
              enum snp_cert_kind kind, enum snp_product product, uint64_t tcb,
              const uint8_t chip[64])
{
    static const char csp[] = "\x16\x0c"
                              "CN=test.test";
    bool turin = product == SNP_PRODUCT_TURIN;
    const uint8_t *spls = turin ? spls_turin : spls_milan;

    *s = (struct amd_leaf_spec){ .kind = kind,
                                 .product = product,
                                 .key = keys->leaf,
                                 .signer = keys->ask,
                                 .product_name = snp_product_name(product),
                                 .struct_version = turin,
                                 .not_before = FIXTURE_NOW - 3600,
                                 .not_after = FIXTURE_NOW + 7 * YEAR };
    for (size_t i = 0; i < 8; i++) {
        s->spl[spls[i]] = (uint8_t)(tcb >> (8 * i));
        s->has_spl[spls[i]] = true;
    }
    if (kind == SNP_CERT_VCEK)
        s->hwid = span_of(chip, turin ? 8 : 64);
    else
        s->csp_id = span_of(csp, sizeof(csp) - 1);
}

static struct span
integer(struct arena *arena, uint64_t value)
{
    struct buffer b;
    struct span out;

    buffer_init(&b, 16, NULL);
    der_add_uint(&b, value);
    assert_true(arena_dup(arena, buffer_span(&b), &out));
    buffer_free(&b);
    return out;
}

static void
add_spls(const struct amd_leaf_spec *s, struct x509_extensions *x)
{
    static const char *const oids[LEAF_SPLS] = {
        "",
        OID_AMD_SPL ".1",
        OID_AMD_SPL ".2",
        OID_AMD_SPL ".3",
        OID_AMD_SPL ".4",
        OID_AMD_SPL ".5",
        OID_AMD_SPL ".6",
        OID_AMD_SPL ".7",
        OID_AMD_SPL ".8",
        OID_AMD_SPL ".9",
    };

    for (size_t i = 1; i < LEAF_SPLS; i++) {
        if (s->has_spl[i])
            x509_add_raw(x, oids[i], false,
                         i == 3 && s->spl3_raw.len > 0
                             ? s->spl3_raw
                             : integer(x->arena, s->spl[i]));
    }
}

void
amd_leaf(const struct amd_leaf_spec *s, struct buffer *der)
{
    static const uint8_t zero = 0;
    char subject[SNP_CERT_NAME_SIZE], issuer[SNP_CERT_NAME_SIZE];
    struct x509_extensions x;
    struct arena arena;
    struct buffer name;

    arena_init(&arena, 1 << 20, NULL);
    x509_extensions_init(&x, &arena);
    buffer_init(&name, 256, NULL);
    der_add_str(&name, DER_IA5_STRING, s->product_name);
    x509_add_raw(&x, OID_AMD_STRUCT_VERSION, false,
                 integer(&arena, s->struct_version));
    x509_add_raw(&x, OID_AMD_PRODUCT_NAME, false, buffer_span(&name));
    add_spls(s, &x);
    if (s->hwid.len > 0)
        x509_add_raw(&x, OID_AMD_HWID, false, s->hwid);
    if (s->csp_id.len > 0)
        x509_add_raw(&x, OID_AMD_CSP_ID, false, s->csp_id);
    if (s->unknown_critical)
        x509_add_raw(&x, "1.2.3.4", true, span_of("\x05\x00", 2));
    snp_cert_name(s->kind, s->product, subject);
    snp_cert_name(s->kind == SNP_CERT_VLEK ? SNP_CERT_ASVK : SNP_CERT_ASK,
                  s->product, issuer);
    build(&(struct cert_spec){ .serial = span_of(&zero, 1),
                               .not_before = s->not_before,
                               .not_after = s->not_after,
                               .key = s->key,
                               .signer = s->signer,
                               .alg = SIGNATURE_RSA_PSS_SHA384,
                               .extensions = &x },
          s->subject_cn ? s->subject_cn : subject,
          s->issuer_cn ? s->issuer_cn : issuer, der);
    buffer_free(&name);
    arena_drop(&arena);
}

void
amd_crl(const struct amd_crl_spec *s, struct buffer *der)
{
    const uint8_t serial[3] = { (uint8_t)(s->revoked >> 16),
                                (uint8_t)(s->revoked >> 8),
                                (uint8_t)s->revoked };
    const struct crl_entry entry = { span_of(serial, sizeof(serial)),
                                     s->this_update };
    char cn[SNP_CERT_NAME_SIZE];
    struct assay_error err = { 0 };
    struct x509_extensions x;
    struct arena arena;
    struct buffer issuer;

    arena_init(&arena, 1 << 20, NULL);
    x509_extensions_init(&x, &arena);
    x509_add_crl_number(&x, 1);
    snp_cert_name(SNP_CERT_ARK, s->product, cn);
    name_of(cn, &issuer);
    buffer_init(der, LIMIT_CRL_BYTES, NULL);
    assert_ok(crl_build(&(struct crl_spec){ .issuer = buffer_span(&issuer),
                                            .this_update = s->this_update,
                                            .next_update = s->next_update,
                                            .entries = &entry,
                                            .entry_count = s->revoked != 0,
                                            .signer = s->signer,
                                            .alg = SIGNATURE_RSA_PSS_SHA384,
                                            .extensions = &x },
                        der, &err),
              &err);
    buffer_free(&issuer);
    arena_drop(&arena);
}

void
amd_report_init(struct snp_report *r, enum snp_product product,
                uint32_t version)
{
    static const struct snp_tcb_parts tcb = { 1, 4, 2, 24, 0xd9 };
    uint64_t word = snp_tcb_join(product, tcb);
    size_t chip_len = product == SNP_PRODUCT_TURIN ? 8 : 64;

    *r = (struct snp_report){ .version = version,
                              .policy = 0x30000,
                              .signature_algo = SNP_ALGO_ECDSA_P384_SHA384,
                              .current_tcb = word,
                              .reported_tcb = word,
                              .committed_tcb = word,
                              .launch_tcb = word,
                              .platform_info = 0x25,
                              .current = { 1, 55, 40 },
                              .committed = { 1, 55, 40 } };
    memset(r->report_id_ma, 0xff, sizeof(r->report_id_ma));
    for (size_t i = 0; i < sizeof(r->measurement); i++)
        r->measurement[i] = (uint8_t)(i + 1);
    for (size_t i = 0; i < chip_len; i++)
        r->chip_id[i] = (uint8_t)(0xa0 + i);
    if (version < 3)
        return;
    r->cpuid_fam_id = product == SNP_PRODUCT_TURIN ? 0x1a : 0x19;
    r->cpuid_mod_id = product == SNP_PRODUCT_GENOA ? 0x11 : 0x01;
    r->cpuid_step = 1;
}

void
amd_report_sign(struct snp_report *r, const struct key *key,
                uint8_t raw[SNP_REPORT_SIZE])
{
    struct assay_error err = { 0 };
    uint8_t digest[SHA384_SIZE], sig_r[48], sig_s[48];

    memset(r->signature, 0, sizeof(r->signature));
    snp_report_encode(r, raw);
    assert_ok(digest_sha384(span_of(raw, SNP_REPORT_SIGNED_SIZE), digest, &err),
              &err);
    assert_ok(key_sign_p384_raw(key, digest, sig_r, sig_s, &err), &err);
    for (size_t i = 0; i < 48; i++) {
        r->signature[i] = sig_r[47 - i];
        r->signature[SNP_SIGNATURE_PART + i] = sig_s[47 - i];
    }
    snp_report_encode(r, raw);
}

void
amd_machine_collect(struct amd_machine *m)
{
    m->collateral = (struct snp_collateral){ 0 };
    m->collateral.certs[0] = buffer_span(&m->leaf);
    m->collateral.certs[1] = buffer_span(&m->authority);
    m->collateral.certs[2] = buffer_span(&m->ark);
    m->collateral.cert_count = 3;
}

void
amd_machine_remake(struct amd_machine *m)
{
    buffer_free(&m->leaf);
    amd_leaf(&m->leaf_spec, &m->leaf);
    amd_report_sign(&m->report, m->keys.leaf, m->raw);
    amd_machine_collect(m);
}

void
amd_machine_init(struct amd_machine *m, enum snp_product product, bool vlek,
                 uint32_t version)
{
    struct assay_error err = { 0 };
    enum snp_cert_kind kind = vlek ? SNP_CERT_VLEK : SNP_CERT_VCEK;

    *m = (struct amd_machine){ 0 };
    amd_keys_load(&m->keys);
    amd_report_init(&m->report, product, version);
    if (vlek) {
        m->report.flags = SNP_SIGNER_VLEK << 2;
        memset(m->report.chip_id, 0, sizeof(m->report.chip_id));
    }
    amd_leaf_init(&m->leaf_spec, &m->keys, kind, product,
                  m->report.reported_tcb, m->report.chip_id);
    amd_ca(&(struct amd_ca_spec){ .kind = SNP_CERT_ARK,
                                  .product = product,
                                  .key = m->keys.ark,
                                  .signer = m->keys.ark,
                                  .serial = 0x010000 },
           &m->ark);
    amd_ca(&(struct amd_ca_spec){ .kind = vlek ? SNP_CERT_ASVK : SNP_CERT_ASK,
                                  .product = product,
                                  .key = m->keys.ask,
                                  .signer = m->keys.ark,
                                  .serial = 0x010001 },
           &m->authority);
    amd_crl(&(struct amd_crl_spec){ .product = product,
                                    .signer = m->keys.ark,
                                    .this_update = FIXTURE_NOW - 3600,
                                    .next_update = FIXTURE_NOW + YEAR },
            &m->crl);
    amd_machine_remake(m);
    assert_ok(trust_anchors_add(&m->anchors, buffer_span(&m->ark), &err), &err);
}

void
amd_machine_free(struct amd_machine *m)
{
    trust_anchors_wipe(&m->anchors);
    buffer_free(&m->ark);
    buffer_free(&m->authority);
    buffer_free(&m->leaf);
    buffer_free(&m->crl);
    amd_keys_free(&m->keys);
}
