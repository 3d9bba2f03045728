/* QE identity: the signed bytes alone, parsed as JSON, say the same as the
 * body that is evaluated. */
#include "fuzz.h"

#include <string.h>

#include "evidence/sgx_qe_identity.h"

static void
check(const struct sgx_document *doc, const struct sgx_qe_identity *id,
      struct arena *arena)
{
    const struct json_options options = {
        .duplicates = JSON_DUPLICATES_ANY_CASE,
    };
    struct sgx_qe_identity again;
    struct json body;

    assert(json_parse(doc->signed_bytes, &options, arena, &body, NULL) ==
           ASSAY_OK);
    assert(sgx_qe_identity_decode(&body, arena, &again, NULL) == ASSAY_OK);
    assert(again.levels.count == id->levels.count);
    assert(again.is_td_qe == id->is_td_qe);
    assert(again.next_update == id->next_update);
    assert(memcmp(again.mr_signer, id->mr_signer, sizeof(id->mr_signer)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sgx_document doc;
    struct sgx_qe_identity id;
    struct arena arena;

    arena_init(&arena, 2 * LIMIT_SGX_COLLATERAL_ARENA, NULL);
    if (sgx_document_decode(span_of(data, size), "enclaveIdentity", &arena,
                            &doc, NULL) == ASSAY_OK &&
        sgx_qe_identity_decode(&doc.body, &arena, &id, NULL) == ASSAY_OK) {
        check(&doc, &id, &arena);
        fuzz_success();
    }
    arena_drop(&arena);
    return 0;
}
