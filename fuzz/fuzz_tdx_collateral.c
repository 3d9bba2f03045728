/* Collateral as other people write it down: what is taken lies in the input or
 * in the arena, and a document that can be read has its signed bytes in the
 * piece that was taken. */
#include "fuzz.h"

#include "evidence/sgx_document.h"
#include "evidence/tdx_collateral.h"

/* Reads every byte, so that a sanitizer sees a span that lies. */
static unsigned
touch(struct span s)
{
    unsigned sum = 0;

    for (size_t i = 0; i < s.len; i++)
        sum += s.ptr[i];
    return sum;
}

static void
check_document(struct span text, const char *name)
{
    struct sgx_document doc;
    struct arena arena;

    arena_init(&arena, LIMIT_SGX_COLLATERAL_ARENA, NULL);
    if (sgx_document_decode(text, name, &arena, &doc, NULL) == ASSAY_OK) {
        assert(doc.signed_bytes.ptr > text.ptr);
        assert(doc.signed_bytes.ptr + doc.signed_bytes.len <
               text.ptr + text.len);
    }
    arena_drop(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tdx_collateral c, filled = { 0 };
    struct arena arena;

    arena_init(&arena, 2 * LIMIT_SGX_COLLATERAL_ARENA, NULL);
    if (tdx_collateral_decode(span_of(data, size), NULL, &arena, &c, NULL) ==
        ASSAY_OK) {
        tdx_collateral_fill(&filled, &c);
        assert(tdx_collateral_is_complete(&filled) ==
               tdx_collateral_is_complete(&c));
        (void)(touch(c.tcb_info_issuer_chain) + touch(c.root_ca_crl) +
               touch(c.qe_identity_issuer_chain) + touch(c.pck_crl) +
               touch(c.pck_crl_issuer_chain) + touch(c.pck_certificate_chain));
        check_document(c.tcb_info, "tcbInfo");
        check_document(c.qe_identity, "enclaveIdentity");
        if (tdx_collateral_is_complete(&c))
            fuzz_success();
    }
    arena_drop(&arena);
    return 0;
}
