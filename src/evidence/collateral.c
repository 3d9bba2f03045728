#include "evidence/collateral.h"

#include <string.h>

#include "codec/pem.h"
#include "crypto/der.h"
#include "evidence/evidence.h"
#include "evidence/snp_certs.h"

enum assay_status
snp_collateral_add_cert(struct snp_collateral *c, struct span der,
                        struct assay_error *err)
{
    if (c->cert_count == LIMIT_CERTS_PER_FILE)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "collateral: more than %d certificates",
                          (int)LIMIT_CERTS_PER_FILE);
    c->certs[c->cert_count++] = der;
    return ASSAY_OK;
}

enum assay_status
snp_collateral_add_crl(struct snp_collateral *c, struct span der,
                       struct assay_error *err)
{
    if (c->crl_count == LIMIT_CERTS_PER_FILE)
        return assay_fail(err, ASSAY_ERR_LIMIT, "collateral: more than %d CRLs",
                          (int)LIMIT_CERTS_PER_FILE);
    c->crls[c->crl_count++] = der;
    return ASSAY_OK;
}

static enum assay_status
add_der(struct snp_collateral *c, struct span der, struct assay_error *err)
{
    if (evidence_detect(der) == EVIDENCE_CRL_DER)
        return snp_collateral_add_crl(c, der, err);
    return snp_collateral_add_cert(c, der, err);
}

/* One or many DER structures; zeros may follow the last. */
static enum assay_status
add_ders(struct snp_collateral *c, struct span bytes, struct assay_error *err)
{
    struct reader rd = reader_over(bytes);
    enum assay_status st = ASSAY_OK;

    while (st == ASSAY_OK && rd.rest.len > 0 && !span_is_zero(rd.rest)) {
        uint8_t tag;
        struct span whole = { 0 };

        rd_der_any(&rd, &tag, &whole);
        if (!rd_ok(&rd) || tag != DER_SEQUENCE)
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "neither PEM nor DER at byte %zu", rd.offset);
        st = add_der(c, whole, err);
    }
    return st;
}

static enum assay_status
add_pem_block(struct snp_collateral *c, const struct pem_block *block,
              struct arena *arena, struct assay_error *err)
{
    bool crl = pem_is(block, "X509 CRL");
    struct buffer bytes;
    struct span der;
    enum assay_status st;

    if (!crl && !pem_is(block, "CERTIFICATE"))
        return ASSAY_OK;
    buffer_init(&bytes, LIMIT_CRL_BYTES, arena->alloc);
    st = pem_decode(block, &bytes, err);
    if (st == ASSAY_OK && !arena_dup(arena, buffer_span(&bytes), &der))
        st = assay_nomem(err, "certificate");
    if (st == ASSAY_OK)
        st = crl ? snp_collateral_add_crl(c, der, err)
                 : snp_collateral_add_cert(c, der, err);
    buffer_free(&bytes);
    return st;
}

static enum assay_status
add_pems(struct snp_collateral *c, struct span text, struct arena *arena,
         struct assay_error *err)
{
    struct pem_block block;
    enum assay_status st;

    while ((st = pem_next(&text, &block, err)) == ASSAY_OK) {
        st = add_pem_block(c, &block, arena, err);
        if (st != ASSAY_OK)
            return st;
    }
    return st == ASSAY_ERR_NOT_FOUND ? ASSAY_OK : st;
}

static size_t
count_of(const struct snp_collateral *c)
{
    return c->cert_count + c->crl_count;
}

/* Anything but a table, so that a table cannot hold tables. */
static enum assay_status
add_plain(struct snp_collateral *c, struct span file, struct arena *arena,
          struct assay_error *err)
{
    size_t before = count_of(c);
    enum assay_status st;

    if (file.len > 0 && file.ptr[0] == DER_SEQUENCE)
        st = add_ders(c, file, err);
    else
        st = add_pems(c, file, arena, err);
    if (st == ASSAY_OK && count_of(c) == before)
        st = assay_fail(err, ASSAY_ERR_MALFORMED,
                        "no certificate and no CRL, neither PEM nor DER");
    return st;
}

enum assay_status
snp_collateral_add_table(struct snp_collateral *c, struct span table,
                         struct arena *arena, struct assay_error *err)
{
    struct snp_cert_table t;
    enum assay_status st = snp_cert_table_decode(table, &t, err);
    const struct span *all[] = { &t.vcek, &t.vlek, &t.ask, &t.ark, &t.crl };

    for (size_t i = 0; st == ASSAY_OK && i < sizeof(all) / sizeof(all[0]);
         i++) {
        if (all[i]->len > 0)
            st = add_plain(c, *all[i], arena, err);
    }
    return st;
}

enum assay_status
snp_collateral_add_file(struct snp_collateral *c, struct span file,
                        struct arena *arena, struct assay_error *err)
{
    if (evidence_detect(file) == EVIDENCE_SNP_CERT_TABLE)
        return snp_collateral_add_table(c, file, arena, err);
    return add_plain(c, file, arena, err);
}
