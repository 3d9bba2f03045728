/* Collateral with AMD's names and extensions (sev-snp.md section 2), signed by
 * a key that is nobody's: enough for what does not verify signatures. */
#ifndef ASSAY_TESTS_AMD_SHAPED_H
#define ASSAY_TESTS_AMD_SHAPED_H

#include "unit.h"

#include <stdio.h>

#include "codec/pem.h"
#include "crypto/x509_build.h"

#define AMD_OID "1.3.6.1.4.1.3704.1."

struct amd_shaped {
    struct arena arena;
    struct key *key;
    int64_t not_before, not_after;
    struct buffer vcek;  /* DER */
    struct buffer chain; /* PEM: ASK, ARK */
    struct buffer crl;   /* DER */
};

static inline struct span
amd_name(struct amd_shaped *a, const char *cn)
{
    const struct x509_attribute attributes[] = {
        { "2.5.4.11", DER_UTF8_STRING, "Engineering" },
        { "2.5.4.6", DER_PRINTABLE_STRING, "US" },
        { "2.5.4.7", DER_UTF8_STRING, "Santa Clara" },
        { "2.5.4.8", DER_UTF8_STRING, "CA" },
        { "2.5.4.10", DER_UTF8_STRING, "Advanced Micro Devices" },
        { "2.5.4.3", DER_UTF8_STRING, cn },
    };
    struct buffer b;
    struct span kept;

    buffer_init(&b, 4096, NULL);
    assert_int_equal(x509_name_encode(attributes, COUNT(attributes), &b, NULL),
                     ASSAY_OK);
    assert_true(arena_dup(&a->arena, buffer_span(&b), &kept));
    buffer_free(&b);
    return kept;
}

static inline struct span
amd_der_uint(struct amd_shaped *a, unsigned value)
{
    struct buffer b;
    struct span kept;

    buffer_init(&b, 16, NULL);
    der_add_uint(&b, value);
    assert_true(arena_dup(&a->arena, buffer_span(&b), &kept));
    buffer_free(&b);
    return kept;
}

/* Milan's extensions: chip ID of 64 equal bytes, four levels. */
static inline void
amd_extensions(struct amd_shaped *a, struct x509_extensions *x, uint8_t chip,
               const uint8_t spl[4])
{
    static const char *const oids[] = {
        AMD_OID "3.1", AMD_OID "3.2", AMD_OID "3.3", AMD_OID "3.4",
        AMD_OID "3.5", AMD_OID "3.6", AMD_OID "3.7", AMD_OID "3.8",
    };
    static const int level[] = { 0, 1, 2, -1, -1, -1, -1, 3 };
    uint8_t *hwid = arena_alloc(&a->arena, 64);
    struct buffer name;
    struct span kept;

    assert_non_null(hwid);
    memset(hwid, chip, 64);
    buffer_init(&name, 64, NULL);
    der_add_str(&name, DER_IA5_STRING, "Milan-B0");
    assert_true(arena_dup(&a->arena, buffer_span(&name), &kept));
    buffer_free(&name);
    x509_extensions_init(x, &a->arena);
    x509_add_raw(x, AMD_OID "1", false, amd_der_uint(a, 0));
    x509_add_raw(x, AMD_OID "2", false, kept);
    for (size_t i = 0; i < COUNT(oids); i++)
        x509_add_raw(x, oids[i], false,
                     amd_der_uint(a, level[i] < 0 ? 0 : spl[level[i]]));
    x509_add_raw(x, AMD_OID "4", false, span_of(hwid, 64));
}

static inline void
amd_cert(struct amd_shaped *a, const char *cn, const char *issuer,
         const struct x509_extensions *x, struct buffer *out)
{
    struct cert_spec spec = { .subject = amd_name(a, cn),
                              .issuer = amd_name(a, issuer),
                              .serial = span_of("\0", 1),
                              .not_before = a->not_before,
                              .not_after = a->not_after,
                              .key = a->key,
                              .extensions = x };
    struct assay_error err;

    assert_ok(cert_build(&spec, out, &err), &err);
}

static inline void
amd_add_pem(struct amd_shaped *a, const char *cn, const char *issuer)
{
    struct buffer der;

    buffer_init(&der, 8192, NULL);
    amd_cert(a, cn, issuer, NULL, &der);
    assert_int_equal(
        pem_encode("CERTIFICATE", buffer_span(&der), &a->chain, NULL),
        ASSAY_OK);
    buffer_free(&der);
}

/* Milan, a chip whose ID is that byte 64 times. */
static inline void
amd_shaped_make(struct amd_shaped *a, uint8_t chip, const uint8_t spl[4],
                int64_t not_before, int64_t not_after)
{
    struct x509_extensions x;
    struct crl_spec list = { .this_update = not_before,
                             .next_update = not_after };
    struct assay_error err;

    *a =
        (struct amd_shaped){ .not_before = not_before, .not_after = not_after };
    arena_init(&a->arena, 1 << 20, NULL);
    buffer_init(&a->vcek, 8192, NULL);
    buffer_init(&a->chain, 16384, NULL);
    buffer_init(&a->crl, 8192, NULL);
    assert_ok(key_generate(KEY_P384, &a->key, &err), &err);
    amd_extensions(a, &x, chip, spl);
    amd_cert(a, "SEV-VCEK", "SEV-Milan", &x, &a->vcek);
    amd_add_pem(a, "SEV-Milan", "ARK-Milan");
    amd_add_pem(a, "ARK-Milan", "ARK-Milan");
    list.issuer = amd_name(a, "ARK-Milan");
    list.signer = a->key;
    assert_ok(crl_build(&list, &a->crl, &err), &err);
}

static inline void
amd_shaped_free(struct amd_shaped *a)
{
    buffer_free(&a->vcek);
    buffer_free(&a->chain);
    buffer_free(&a->crl);
    key_free(a->key);
    arena_drop(&a->arena);
}

#endif
