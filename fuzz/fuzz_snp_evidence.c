/* Protobuf evidence: the report that comes out goes back in and comes out the
 * same, unless the message cannot carry it. */
#include "fuzz.h"

#include <string.h>

#include "evidence/snp_proto.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct snp_evidence e, back;
    struct snp_evidence_parts parts = { 0 };
    struct arena arena;
    struct buffer out;

    arena_init(&arena, 1 << 22, NULL);
    buffer_init(&out, LIMIT_EVIDENCE_BYTES, NULL);
    if (snp_evidence_decode(span_of(data, size), &arena, &e, NULL) ==
        ASSAY_OK) {
        parts.report = span_of(e.report, sizeof(e.report));
        assert(e.collateral.cert_count <= LIMIT_CERTS_PER_FILE);
        if (snp_evidence_encode(&parts, &out, NULL) == ASSAY_OK) {
            assert(snp_evidence_decode(buffer_span(&out), &arena, &back,
                                       NULL) == ASSAY_OK);
            assert(memcmp(e.report, back.report, sizeof(e.report)) == 0);
            fuzz_success();
        }
    }
    buffer_free(&out);
    arena_drop(&arena);
    return 0;
}
