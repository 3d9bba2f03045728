/* Manifests: whatever loads differs in nothing from itself, and every finding
 * is printable and lies inside the file. */
#include "fuzz.h"

#include <string.h>

#include "manifest/diff.h"

static void
check_findings(const struct manifest *m)
{
    for (size_t i = 0; i < m->findings.count; i++) {
        const struct manifest_finding *f = &m->findings.list[i];

        assert(f->offset <= m->bytes.len);
        for (const char *c = f->text; *c; c++)
            assert(*c >= 0x20 && *c < 0x7f);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct manifest m, again;
    struct manifest_diff d;

    arena_init(&arena, MANIFEST_ARENA_BYTES, NULL);
    if (manifest_load(span_of(data, size), &arena, &m, NULL) == ASSAY_OK) {
        assert(m.findings.errors + m.findings.missing == 0);
        assert(manifest_load(span_of(data, size), &arena, &again, NULL) ==
               ASSAY_OK);
        again.bytes.len = 0; /* so that meaning is compared, not bytes */
        assert(manifest_diff(&m, &again, &arena, &d, NULL) == ASSAY_OK);
        assert(d.count == 0);
        fuzz_success();
    }
    check_findings(&m);
    arena_drop(&arena);
    return 0;
}
