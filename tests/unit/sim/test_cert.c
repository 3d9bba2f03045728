/* The certificates against AMD's own: given a genuine certificate's key, dates
 * and numbers, the bytes that get signed must be AMD's to the last bit. */
#include "vectors.h"

#include "codec/pem_key.h"
#include "crypto/der.h"
#include "crypto/x509.h"
#include "sim/cert.h"

/* The first element inside the outer SEQUENCE: what is signed. */
static struct span
tbs_of(struct span der)
{
    struct reader rd = reader_over(der), inner;
    struct span whole = { 0 };
    uint8_t tag;

    inner = reader_over(rd_der(&rd, DER_SEQUENCE));
    (void)rd_der_any(&inner, &tag, &whole);
    assert_true(rd_ok(&inner));
    return whole;
}

static void
expect_bytes(const char *what, const struct buffer *got, struct span want)
{
    size_t at = 0;

    while (at < got->len && at < want.len && got->ptr[at] == want.ptr[at])
        at++;
    if (at < want.len || got->len != want.len)
        fail_msg("%s: differs at byte %zu of %zu (want %zu)", what, at,
                 got->len, want.len);
}

/* The i-th certificate of a PEM or DER file among the vectors. */
static struct cert *
vector_cert(const char *name, size_t i)
{
    struct cert *certs[2] = { NULL };
    struct assay_error err;
    struct buffer file;
    size_t count = 0;

    vector_read(name, &file);
    assert_ok(pem_certs_decode(buffer_span(&file), certs, 2, &count, &err),
              &err);
    buffer_free(&file);
    assert_true(i < count);
    for (size_t k = 0; k < count; k++)
        if (k != i)
            cert_free(certs[k]);
    return certs[i];
}

static void
cas_are_amds(void **state)
{
    static const struct {
        const char *line, *file;
        enum ca_role role; /* of the first certificate; the second: ARK */
        unsigned generation;
    } rows[] = {
        { "Milan", "snp/milan-ask-ark.pem", CA_ASK, 1 },
        { "Milan", "snp/milan-asvk-ark.pem", CA_ASVK, 1 },
        { "Genoa", "snp/genoa-ask-ark.pem", CA_ASK, 2 },
        { "Genoa", "snp/genoa-asvk-ark.pem", CA_ASVK, 1 },
        { "Turin", "snp/turin-ask-ark.pem", CA_ASK, 1 },
        { "Turin", "snp/turin-asvk-ark.pem", CA_ASVK, 1 },
    };

    (void)state;
    for (size_t i = 0; i < 2 * COUNT(rows); i++) {
        struct cert *ark = vector_cert(rows[i / 2].file, 1);
        struct cert *cert = vector_cert(rows[i / 2].file, i % 2);
        const struct ca_params params = {
            .product = product_find(span_str(rows[i / 2].line)),
            .role = i % 2 ? CA_ARK : rows[i / 2].role,
            .generation = i % 2 ? 1 : rows[i / 2].generation,
            .not_before = cert_not_before(cert),
            .key = cert_key(cert),
            .ark = cert_key(ark),
        };
        struct assay_error err;
        struct buffer got;

        buffer_init(&got, CERT_DER_MAX, NULL);
        assert_ok(ca_tbs_encode(&params, &got, &err), &err);
        expect_bytes(rows[i / 2].file, &got, tbs_of(cert_der(cert)));
        buffer_free(&got);
        cert_free(cert);
        cert_free(ark);
    }
}

static void
products_carry_amds_dates(void **state)
{
    (void)state;
    for (size_t i = 0; i < PRODUCT_COUNT; i++) {
        const struct product *p = &products[i];
        char ask_file[64], asvk_file[64];
        struct cert *ask, *asvk, *ark;

        snprintf(ask_file, sizeof(ask_file), "snp/%s-ask-ark.pem", p->name);
        snprintf(asvk_file, sizeof(asvk_file), "snp/%s-asvk-ark.pem", p->name);
        ask_file[4] |= 0x20; /* the files are in lower case */
        asvk_file[4] |= 0x20;
        ask = vector_cert(ask_file, 0);
        ark = vector_cert(ask_file, 1);
        asvk = vector_cert(asvk_file, 0);
        assert_int_equal(p->ask_not_before, cert_not_before(ask));
        assert_int_equal(p->ark_not_before, cert_not_before(ark));
        assert_int_equal(p->asvk_not_before, cert_not_before(asvk));
        cert_free(ask);
        cert_free(ark);
        cert_free(asvk);
    }
}

/* Leaves from the time since AMD leaves the trailerField out. */
static void
leaves_are_amds(void **state)
{
    static const struct {
        const char *line, *file, *csp_id;
        struct tcb tcb;
    } rows[] = {
        { "Milan",
          "snp/milan-v2-report-6.vcek.der",
          NULL,
          { 0, 3, 0, 22, 209 } },
        { "Genoa",
          "snp/bergamo-v5-report-1.vcek.der",
          NULL,
          { 0, 10, 0, 27, 27 } },
        { "Genoa",
          "snp/genoa-v3-report-2.vcek.der",
          NULL,
          { 0, 10, 0, 23, 84 } },
        { "Turin",
          "snp/turin-v5-report-1-aci.vcek.der",
          NULL,
          { 1, 1, 1, 4, 81 } },
        { "Milan",
          "snp/milan-v3-report-1-vlek.vlek.der",
          "CN=cc-us-east-2.amazonaws.com",
          { 0, 4, 0, 24, 217 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert *cert = vector_cert(rows[i].file, 0);
        struct cert_extension hwid = { 0 };
        struct leaf_params params = {
            .product = product_find(span_str(rows[i].line)),
            .tcb = rows[i].tcb,
            .csp_id = rows[i].csp_id,
            .not_before = cert_not_before(cert),
            .key = cert_key(cert),
        };
        struct assay_error err;
        struct buffer got;

        if (!rows[i].csp_id) {
            assert_true(
                cert_extension_get(cert, "1.3.6.1.4.1.3704.1.4", &hwid));
            params.hwid = hwid.value;
        }
        buffer_init(&got, CERT_DER_MAX, NULL);
        assert_ok(leaf_tbs_encode(&params, &got, &err), &err);
        expect_bytes(rows[i].file, &got, tbs_of(cert_der(cert)));
        buffer_free(&got);
        cert_free(cert);
    }
}

static void
lists_are_amds(void **state)
{
    static const struct crl_line genoa[] = { { 0x020001, 1667223286 } };
    static const struct {
        const char *line, *file, *chain;
        unsigned number;
        int64_t this_update;
        const struct crl_line *lines;
        size_t count;
    } rows[] = {
        { "Milan", "snp/milan-crl-1.der", "snp/milan-ask-ark.pem", 3,
          1652116065 /* 2022-05-09T17:07:45Z */, NULL, 0 },
        { "Genoa", "snp/genoa-crl-1.der", "snp/genoa-ask-ark.pem", 2,
          1667223286 /* 2022-10-31T13:34:46Z */, genoa, 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cert *ark = vector_cert(rows[i].chain, 1);
        const struct crl_params params = {
            product_find(span_str(rows[i].line)),
            rows[i].number,
            rows[i].this_update,
            rows[i].lines,
            rows[i].count,
            cert_key(ark),
        };
        struct buffer got, want;
        struct assay_error err;

        vector_read(rows[i].file, &want);
        buffer_init(&got, CRL_DER_MAX, NULL);
        assert_ok(crl_tbs_encode(&params, &got, &err), &err);
        expect_bytes(rows[i].file, &got, tbs_of(buffer_span(&want)));
        buffer_free(&got);
        buffer_free(&want);
        cert_free(ark);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cas_are_amds),
        cmocka_unit_test(products_carry_amds_dates),
        cmocka_unit_test(leaves_are_amds),
        cmocka_unit_test(lists_are_amds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
