#include "collect/kds_check.h"

#include <string.h>

#include "base/limits.h"
#include "codec/pem.h"
#include "collect/pcs_answer.h"
#include "crypto/crl.h"
#include "evidence/snp_certs.h"

static enum assay_status
fail_other(struct assay_error *err, const struct kds_path *path,
           const char *got)
{
    return assay_fail(err, ASSAY_ERR_MALFORMED,
                      "%s for %s: got %s instead, asked for %.90s",
                      collateral_kind_name(path->kind),
                      snp_product_name(path->product), got, path->text);
}

static void
narrow(struct kds_validity *v, int64_t from, int64_t until)
{
    if (from > v->from)
        v->from = from;
    if (until < v->until)
        v->until = until;
}

static enum assay_status
vcek_path(const struct cert *cert, struct kds_path *out,
          struct assay_error *err)
{
    enum snp_product product;
    struct snp_leaf_facts facts;
    enum assay_status st;

    if (snp_cert_classify(cert, &product) != SNP_CERT_VCEK)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "\"%s\" is no VCEK certificate",
                          cert_common_name(cert));
    st = snp_leaf_facts_read(cert, SNP_CERT_VCEK, product, &facts, err);
    if (st != ASSAY_OK)
        return st;
    return kds_path_vcek(product, facts.hwid, facts.tcb, out, err);
}

static enum assay_status
check_vcek(const struct kds_path *path, struct span der,
           struct kds_validity *validity, struct assay_error *err)
{
    struct cert *cert = NULL;
    struct kds_path got;
    enum assay_status st = cert_parse(der, &cert, err);

    if (st != ASSAY_OK)
        return st;
    st = vcek_path(cert, &got, err);
    if (st == ASSAY_OK && strcmp(got.text, path->text) != 0)
        st = fail_other(err, path, "the certificate of another chip or TCB");
    if (st == ASSAY_OK)
        narrow(validity, cert_not_before(cert), cert_not_after(cert));
    cert_free(cert);
    return st;
}

static enum assay_status
check_member(const struct kds_path *path, const struct cert *cert,
             unsigned *seen, struct assay_error *err)
{
    enum snp_cert_kind intermediate =
        path->kind == COLLATERAL_VCEK_CHAIN ? SNP_CERT_ASK : SNP_CERT_ASVK;
    enum snp_product product;
    enum snp_cert_kind kind = snp_cert_classify(cert, &product);
    unsigned bit = kind == SNP_CERT_ARK ? 1 : 2;

    if (product != path->product ||
        (kind != SNP_CERT_ARK && kind != intermediate))
        return fail_other(err, path, cert_common_name(cert));
    if (*seen & bit)
        return fail_other(err, path, "a certificate twice");
    *seen |= bit;
    return ASSAY_OK;
}

static enum assay_status
check_block(const struct kds_path *path, const struct pem_block *block,
            unsigned *seen, struct kds_validity *validity,
            struct assay_error *err)
{
    struct cert *cert = NULL;
    struct buffer der;
    enum assay_status st;

    if (!pem_is(block, "CERTIFICATE"))
        return fail_other(err, path, "something that is no certificate");
    buffer_init(&der, LIMIT_CERT_BYTES, NULL);
    st = pem_decode(block, &der, err);
    if (st == ASSAY_OK)
        st = cert_parse(buffer_span(&der), &cert, err);
    if (st == ASSAY_OK)
        st = check_member(path, cert, seen, err);
    if (st == ASSAY_OK)
        narrow(validity, cert_not_before(cert), cert_not_after(cert));
    cert_free(cert);
    buffer_free(&der);
    return st;
}

static enum assay_status
check_chain(const struct kds_path *path, struct span pem,
            struct kds_validity *validity, struct assay_error *err)
{
    enum { BOTH = 3 };
    struct assay_error end;
    struct pem_block block;
    unsigned seen = 0;
    enum assay_status st;

    while ((st = pem_next(&pem, &block, &end)) == ASSAY_OK) {
        st = check_block(path, &block, &seen, validity, err);
        if (st != ASSAY_OK)
            return st;
    }
    if (st != ASSAY_ERR_NOT_FOUND)
        return assay_fail(err, st, "%s", end.text);
    return seen == BOTH ? ASSAY_OK
                        : fail_other(err, path, "less than two certificates");
}

static enum snp_product
crl_product(const struct crl *crl)
{
    const char *name = crl_issuer_common_name(crl);

    for (int p = SNP_PRODUCT_UNKNOWN + 1; p < SNP_PRODUCT_COUNT; p++)
        if (strncmp(name, "ARK-", 4) == 0 &&
            strcmp(name + 4, snp_product_name((enum snp_product)p)) == 0)
            return (enum snp_product)p;
    return SNP_PRODUCT_UNKNOWN;
}

static enum assay_status
check_crl(const struct kds_path *path, struct span der,
          struct kds_validity *validity, struct assay_error *err)
{
    struct crl *crl = NULL;
    enum assay_status st = crl_parse(der, &crl, err);

    if (st != ASSAY_OK)
        return st;
    if (crl_product(crl) != path->product)
        st = fail_other(err, path, crl_issuer_common_name(crl));
    else
        narrow(validity, crl_this_update(crl),
               crl_has_next_update(crl) ? crl_next_update(crl) : INT64_MAX);
    crl_free(crl);
    return st;
}

enum assay_status
kds_validity(const struct kds_path *path, struct span bytes,
             struct kds_validity *out, struct assay_error *err)
{
    struct kds_validity v = { INT64_MIN, INT64_MAX };
    enum assay_status st;

    if (collateral_is_intel(path->kind))
        st = pcs_answer_validity(path, bytes, &v, err);
    else if (path->kind == COLLATERAL_VCEK)
        st = check_vcek(path, bytes, &v, err);
    else if (collateral_is_crl(path->kind))
        st = check_crl(path, bytes, &v, err);
    else
        st = check_chain(path, bytes, &v, err);
    if (st == ASSAY_OK)
        *out = v;
    /* What is not as it should be is not what was asked for, whatever the
     * layer below calls it; out of memory stays what it is. */
    return st == ASSAY_OK || st == ASSAY_ERR_NOMEM ? st : ASSAY_ERR_MALFORMED;
}

/* An expired list, or document of Intel, is given out: its age is for the
 * verifier to judge, and without it that would be a list less, not a list more.
 */
enum assay_status
kds_check(const struct kds_path *path, struct span bytes, int64_t now,
          struct assay_error *err)
{
    struct kds_validity v;
    enum assay_status st = kds_validity(path, bytes, &v, err);

    if (st != ASSAY_OK || collateral_is_renewed(path->kind))
        return st;
    if (now < v.from || now > v.until)
        return fail_other(err, path, "a certificate that is not valid now");
    return ASSAY_OK;
}

enum assay_status
kds_path_of_vcek(struct span der, struct kds_path *out, struct assay_error *err)
{
    struct cert *cert = NULL;
    enum assay_status st = cert_parse(der, &cert, err);

    if (st == ASSAY_OK)
        st = vcek_path(cert, out, err);
    cert_free(cert);
    return st;
}

enum assay_status
kds_path_of_crl(struct span der, struct kds_path *out, struct assay_error *err)
{
    struct crl *crl = NULL;
    enum assay_status st = crl_parse(der, &crl, err);

    if (st == ASSAY_OK && crl_product(crl) == SNP_PRODUCT_UNKNOWN)
        st = assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                        "the CRL's issuer \"%s\" is no AMD root",
                        crl_issuer_common_name(crl));
    else if (st == ASSAY_OK)
        st = kds_path_of(COLLATERAL_VCEK_CRL, crl_product(crl), out, err);
    crl_free(crl);
    return st;
}
