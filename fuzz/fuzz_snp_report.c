/* SEV-SNP report: what decodes encodes back to the same bytes, and the two
 * users of the rules of form agree. */
#include "fuzz.h"

#include <string.h>

#include "evidence/snp_form.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct snp_report r;
    struct arena arena;
    struct claims claims;
    struct verdict v;

    if (snp_report_read(span_of(data, size), &r, NULL) != ASSAY_OK)
        return 0;
    arena_init(&arena, 1 << 20, NULL);
    verdict_init(&v, &arena, "snp", false);
    assert(snp_form_check(&r, &v) == (snp_form_verify(&r, NULL) == ASSAY_OK));
    assert(snp_report_claims(&r, snp_report_product(&r), &arena, &claims,
                             NULL) == ASSAY_OK);
    if (snp_report_decode(span_of(data, size), &r, NULL) == ASSAY_OK) {
        uint8_t back[SNP_REPORT_SIZE];

        snp_report_encode(&r, back);
        assert(memcmp(back, data, size) == 0);
        fuzz_success();
    }
    arena_drop(&arena);
    return 0;
}
