/* YAML of strangers with policy documents in it: what is found is found again,
 * carries its own digest, is there once, and respects the ceilings. */
#include "fuzz.h"

#include <string.h>

#include "base/limits.h"
#include "policy/documents.h"

enum { BUDGET = 64 * 1024 * 1024 };

static enum assay_status
search(struct span text, struct arena *arena, struct policy_documents *docs)
{
    arena_init(arena, BUDGET, NULL);
    *docs = (struct policy_documents){ .arena = arena };
    return policy_documents_add_yaml(docs, text, "input", NULL);
}

static void
check(const struct policy_documents *docs)
{
    assert(docs->count <= LIMIT_POLICIES);
    for (size_t i = 0; i < docs->count; i++) {
        const struct policy_document *d = &docs->list[i];
        uint8_t hash[SHA256_SIZE];

        assert(d->bytes.len <= LIMIT_POLICY_BYTES);
        assert(digest_sha256(d->bytes, hash, NULL) == ASSAY_OK);
        assert(memcmp(hash, d->hash, SHA256_SIZE) == 0);
        assert(policy_documents_find(docs, hash) == d);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct policy_documents docs, again;
    struct arena first, second;
    enum assay_status st = search(span_of(data, size), &first, &docs);

    assert(search(span_of(data, size), &second, &again) == st);
    assert(docs.count == again.count);
    check(&docs);
    if (st == ASSAY_OK && docs.count > 0)
        fuzz_success();
    arena_drop(&first);
    arena_drop(&second);
    return 0;
}
