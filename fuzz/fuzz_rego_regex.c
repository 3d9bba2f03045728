/* Regular expressions: the pattern is what stands before the first NUL, the
 * text what follows. Both machines must find the same match and groups. */
#include "fuzz.h"

#include <string.h>

#include "rego/regex.h"

enum { GROUPS = 16, TEXT_MAX = 512 };

static void
compare(const struct regex *re, struct span text)
{
    struct regex_range a[GROUPS] = { 0 }, b[GROUPS] = { 0 };
    struct regex_matcher *m;
    struct assay_error err;
    size_t count = regex_groups(re) + 1;
    bool found, found_again;

    if (count > GROUPS)
        count = GROUPS;
    assert(regex_matcher_new(NULL, &m, &err) == ASSAY_OK);
    assert(regex_search(m, re, text, 0, a, count, &found) == ASSAY_OK);
    assert(regex_search_parallel(m, re, text, 0, b, count, &found_again) ==
           ASSAY_OK);
    assert(found == found_again);
    assert(!found || memcmp(a, b, count * sizeof(a[0])) == 0);
    if (found) {
        assert(a[0].from <= a[0].to && a[0].to <= text.len);
        fuzz_success();
    }
    regex_matcher_free(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
    struct span pattern = span_of(data, nul ? (size_t)(nul - data) : size);
    struct span text = span_sub(span_of(data, size), pattern.len + 1, TEXT_MAX);
    struct regex *re = NULL;
    struct assay_error err;

    if (regex_new(pattern, NULL, &re, &err) == ASSAY_OK)
        compare(re, text);
    regex_free(re);
    return 0;
}
