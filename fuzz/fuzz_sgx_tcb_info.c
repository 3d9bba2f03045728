/* TCB info: the signed bytes are one object of the input, its levels are
 * sorted and different, and statuses are ones that have a name. */
#include "fuzz.h"

#include <string.h>

#include "evidence/sgx_tcb_info.h"

static int
compare(const struct sgx_tcb_level *a, const struct sgx_tcb_level *b)
{
    int order = memcmp(a->sgx, b->sgx, sizeof(a->sgx));

    if (order == 0)
        order = (int)a->pce_svn - (int)b->pce_svn;
    return order ? order : memcmp(a->tdx, b->tdx, sizeof(a->tdx));
}

static void
check(const struct sgx_tcb_info *info)
{
    assert(info->level_count > 0);
    for (size_t i = 0; i < info->level_count; i++) {
        assert(tcb_status_name(info->levels[i].status));
        assert(i == 0 || compare(&info->levels[i - 1], &info->levels[i]) > 0);
    }
    for (size_t i = 0; i < info->identity_count; i++) {
        const struct tdx_module_identity *id = &info->identities[i];

        assert(tdx_module_identity_find(info, id->major) == id);
        assert(id->levels.count > 0);
        for (size_t k = 1; k < id->levels.count; k++)
            assert(id->levels.list[k - 1].isv_svn > id->levels.list[k].isv_svn);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sgx_document doc;
    struct sgx_tcb_info info;
    struct arena arena;

    arena_init(&arena, LIMIT_SGX_COLLATERAL_ARENA, NULL);
    if (sgx_document_decode(span_of(data, size), "tcbInfo", &arena, &doc,
                            NULL) == ASSAY_OK) {
        struct span s = doc.signed_bytes;

        assert(s.ptr >= data && s.ptr + s.len <= data + size);
        assert(s.ptr[0] == '{' && s.ptr[s.len - 1] == '}');
        if (sgx_tcb_info_decode(&doc.body, &arena, &info, NULL) == ASSAY_OK) {
            check(&info);
            fuzz_success();
        }
    }
    arena_drop(&arena);
    return 0;
}
