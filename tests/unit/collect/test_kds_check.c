/* Genuine certificates, chains and lists against the paths they belong to. */
#include "vectors.h"

#include "collect/kds_check.h"

enum { NOW = 1767323045 }; /* 2026-01-02 */

/* A genuine certificate must be found under the path that its report asks
 * for, or no fetched certificate would ever be kept. */
static void
genuine_certificate_has_the_path_of_its_report(const char *name,
                                               enum snp_product product)
{
    struct kds_path of_report, of_cert;
    struct buffer report_bytes, der;
    struct snp_report report;
    struct assay_error err;
    char file[256];

    (void)snprintf(file, sizeof(file), "snp/%s.bin", name);
    vector_read(file, &report_bytes);
    (void)snprintf(file, sizeof(file), "snp/%s.vcek.der", name);
    vector_read(file, &der);
    assert_ok(snp_report_decode(buffer_span(&report_bytes), &report, &err),
              &err);
    assert_ok(kds_path_of_report(&report, product, &of_report, &err), &err);
    assert_ok(kds_path_of_vcek(buffer_span(&der), &of_cert, &err), &err);
    assert_string_equal(of_cert.text, of_report.text);
    buffer_free(&report_bytes);
    buffer_free(&der);
}

static void
certificates_match_reports_of_every_product(void **state)
{
    (void)state;
    genuine_certificate_has_the_path_of_its_report("milan-v2-report-6",
                                                   SNP_PRODUCT_MILAN);
    genuine_certificate_has_the_path_of_its_report("milan-v3-report-5",
                                                   SNP_PRODUCT_MILAN);
    genuine_certificate_has_the_path_of_its_report("genoa-v3-report-2",
                                                   SNP_PRODUCT_GENOA);
    genuine_certificate_has_the_path_of_its_report("bergamo-v5-report-1",
                                                   SNP_PRODUCT_GENOA);
    genuine_certificate_has_the_path_of_its_report("turin-v5-report-1-aci",
                                                   SNP_PRODUCT_TURIN);
}

static void
chains_of_the_service_are_taken(void **state)
{
    static const struct {
        const char *file;
        enum collateral_kind kind;
        enum snp_product product;
    } rows[] = {
        { "snp/turin-ask-ark.pem", COLLATERAL_VCEK_CHAIN, SNP_PRODUCT_TURIN },
        { "snp/turin-asvk-ark.pem", COLLATERAL_VLEK_CHAIN, SNP_PRODUCT_TURIN },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buffer pem;
        struct kds_path path;
        struct assay_error err;

        vector_read(rows[i].file, &pem);
        assert_ok(kds_path_of(rows[i].kind, rows[i].product, &path, &err),
                  &err);
        assert_ok(kds_check(&path, buffer_span(&pem), NOW, &err), &err);
        path.kind = path.kind == COLLATERAL_VCEK_CHAIN ? COLLATERAL_VLEK_CHAIN
                                                       : COLLATERAL_VCEK_CHAIN;
        assert_status(kds_check(&path, buffer_span(&pem), NOW, NULL),
                      ASSAY_ERR_MALFORMED);
        buffer_free(&pem);
    }
}

static void
every_truncation_is_something_else(void **state)
{
    struct buffer der;
    struct kds_path path;
    struct assay_error err;

    (void)state;
    vector_read("snp/turin-v5-report-1-aci.vcek.der", &der);
    assert_ok(kds_path_of_vcek(buffer_span(&der), &path, &err), &err);
    for (size_t n = 0; n < der.len; n++)
        assert_status(kds_check(&path, span_of(der.ptr, n), NOW, NULL),
                      ASSAY_ERR_MALFORMED);
    buffer_free(&der);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_match_reports_of_every_product),
        cmocka_unit_test(chains_of_the_service_are_taken),
        cmocka_unit_test(every_truncation_is_something_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
