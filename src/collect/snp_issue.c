#include "collect/snp_issue.h"

#include <string.h>

#include "codec/pem.h"
#include "collect/kds_check.h"
#include "collect/platform.h"
#include "crypto/x509.h"
#include "evidence/snp_certs.h"
#include "evidence/snp_proto.h"

enum {
    /* Report, the host's table and its decoded certificates, one chain. */
    ISSUE_BUDGET = 4 * LIMIT_CERT_TABLE_BYTES + 3 * LIMIT_TSM_BLOB_BYTES +
                   2 * LIMIT_CRL_BYTES,
};

/* Version 2 reports do not say which product they are from; the processor we
 * run on does. */
static enum snp_product
product_of(const struct snp_report *report)
{
    uint8_t family, model, stepping;

    if (snp_report_product(report) != SNP_PRODUCT_UNKNOWN)
        return snp_report_product(report);
    snp_cpuid_split(platform_cpuid_fms(), &family, &model, &stepping);
    return snp_product_from_cpuid(family, model);
}

/* The slot of a certificate, or NULL: the key that signed the report decides
 * whether it is the VCEK's chain or the VLEK's that helps. */
static struct span *
slot_of(struct snp_evidence_parts *parts, enum snp_cert_kind kind, bool vlek)
{
    switch (kind) {
    case SNP_CERT_VCEK:
        return vlek ? NULL : &parts->vcek;
    case SNP_CERT_VLEK:
        return vlek ? &parts->vlek : NULL;
    case SNP_CERT_ASK:
        return vlek ? NULL : &parts->ask;
    case SNP_CERT_ASVK: /* one field for both, as in the host's table */
        return vlek ? &parts->ask : NULL;
    case SNP_CERT_ARK:
        return &parts->ark;
    default:
        return NULL;
    }
}

/* The first one stays. */
static void
place_cert(struct snp_evidence_parts *parts, bool vlek, struct span der)
{
    struct cert *cert = NULL;
    enum snp_product product;
    struct span *slot;

    if (cert_parse(der, &cert, NULL) != ASSAY_OK)
        return;
    slot = slot_of(parts, snp_cert_classify(cert, &product), vlek);
    if (slot && slot->len == 0)
        *slot = der;
    /* The product of a chain is as good a hint as the processor's. */
    if (slot && parts->product == SNP_PRODUCT_UNKNOWN)
        parts->product = product;
    cert_free(cert);
}

static void
place_all(struct snp_evidence_parts *parts, bool vlek,
          const struct snp_collateral *c)
{
    for (size_t i = 0; i < c->cert_count; i++)
        place_cert(parts, vlek, c->certs[i]);
    if (c->crl_count > 0 && parts->crl.len == 0)
        parts->crl = c->crls[0];
}

/* Hosts cache certificates and forget them when the firmware is updated. */
static void
drop_stale_vcek(struct snp_evidence_parts *parts,
                const struct snp_report *report)
{
    struct kds_path want, got;

    if (parts->vcek.len == 0 ||
        kds_path_of_report(report, parts->product, &want, NULL) != ASSAY_OK)
        return;
    if (kds_path_of_vcek(parts->vcek, &got, NULL) != ASSAY_OK ||
        strcmp(got.text, want.text) != 0)
        parts->vcek = (struct span){ NULL, 0 };
}

/* What is being made: for whom, from where, in whose memory. */
struct issue {
    const struct collateral_source *source;
    const struct snp_report *report;
    struct snp_evidence_parts parts;
    struct arena *arena;
    bool vlek;
};

/* Keeps what was fetched in the arena and gives the buffer back. */
static enum assay_status
keep(struct issue *is, enum assay_status st, struct buffer *b, struct span *out)
{
    if (st == ASSAY_OK && !arena_dup(is->arena, buffer_span(b), out))
        st = ASSAY_ERR_NOMEM;
    buffer_free(b);
    return st;
}

static enum assay_status
fetch_vcek(struct issue *is)
{
    const struct collateral_source *s = is->source;
    struct buffer b;

    buffer_init(&b, LIMIT_CERT_BYTES, NULL);
    return keep(is,
                s->snp_vcek(s->ctx, is->report, is->parts.product, &b, NULL),
                &b, &is->parts.vcek);
}

static enum assay_status
fetch_chain(struct issue *is)
{
    const struct collateral_source *s = is->source;
    struct snp_collateral *c = arena_alloc(is->arena, sizeof(*c));
    struct span pem = { NULL, 0 };
    struct buffer b;
    enum assay_status st;

    buffer_init(&b, 4 * LIMIT_CERT_BYTES, NULL);
    st = keep(is, s->snp_chain(s->ctx, is->parts.product, is->vlek, &b, NULL),
              &b, &pem);
    if (st == ASSAY_OK && c &&
        snp_collateral_add_file(c, pem, is->arena, NULL) == ASSAY_OK)
        place_all(&is->parts, is->vlek, c);
    return st;
}

static enum assay_status
fetch_crl(struct issue *is)
{
    const struct collateral_source *s = is->source;
    struct buffer b;

    buffer_init(&b, LIMIT_CRL_BYTES, NULL);
    return keep(is, s->snp_crl(s->ctx, is->parts.product, is->vlek, &b, NULL),
                &b, &is->parts.crl);
}

/* Best effort: what is missing, the verifier fetches itself. After one failure
 * of the service nothing more is asked, so one time-out is all it costs. */
static void
complete(struct issue *is)
{
    enum assay_status st = ASSAY_OK;

    if (!is->vlek && is->parts.vcek.len == 0)
        st = fetch_vcek(is);
    if (st != ASSAY_ERR_IO &&
        (is->parts.ask.len == 0 || is->parts.ark.len == 0))
        st = fetch_chain(is);
    if (st != ASSAY_ERR_IO && is->parts.crl.len == 0)
        st = fetch_crl(is);
    (void)st;
}

static enum assay_status
encode(const struct collected *got, const struct collateral_source *source,
       struct arena *arena, struct buffer *evidence, struct assay_error *err)
{
    struct snp_collateral *table = arena_alloc(arena, sizeof(*table));
    struct snp_report report;
    struct issue is = { .source = source,
                        .report = &report,
                        .parts = { .report = got->outblob },
                        .arena = arena };
    enum assay_status st;

    if (!table)
        return assay_nomem(err, "snp evidence");
    st = snp_report_decode(got->outblob, &report, err);
    if (st != ASSAY_OK)
        return st;
    is.parts.product = product_of(&report);
    is.vlek = snp_report_signing_key(&report) == SNP_SIGNER_VLEK;
    /* A host's broken table is as if it had sent none. */
    if (got->auxblob.len > 0 &&
        snp_collateral_add_table(table, got->auxblob, arena, NULL) == ASSAY_OK)
        place_all(&is.parts, is.vlek, table);
    drop_stale_vcek(&is.parts, &report);
    if (source)
        complete(&is);
    return snp_evidence_encode(&is.parts, evidence, err);
}

enum assay_status
snp_issue_encode(const struct collected *got,
                 const struct collateral_source *collateral,
                 struct buffer *evidence, struct assay_error *err)
{
    struct arena arena;
    enum assay_status st;

    arena_init(&arena, ISSUE_BUDGET, NULL);
    st = encode(got, collateral, &arena, evidence, err);
    arena_drop(&arena);
    return st;
}
