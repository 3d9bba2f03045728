/* HTTP/1.1 requests: what parses lies wholly inside the bytes it says it used,
 * and parses the same without the bytes behind them. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "net/http1.h"

enum { HEAD_MAX = 512, BODY_MAX = 64 };

static void
assert_inside(struct span part, struct span whole)
{
    assert(part.len == 0 ||
           (part.ptr >= whole.ptr &&
            part.len <= whole.len - (size_t)(part.ptr - whole.ptr)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http1_request r, again;
    struct span in = span_of(data, size);
    size_t used = 0, used_again = 0;
    int status = 0;

    if (http1_request_parse(in, HEAD_MAX, BODY_MAX, &r, &used, &status, NULL) !=
        ASSAY_OK) {
        assert(status >= 400);
        return 0;
    }
    assert(used <= size);
    if (used == 0)
        return 0;
    in = span_of(data, used);
    assert_inside(r.method, in);
    assert_inside(r.path, in);
    assert_inside(r.query, in);
    assert_inside(r.content_type, in);
    assert_inside(r.body, in);
    assert_inside(http1_header(&r, "host"), in);
    assert(r.path.len > 0 && r.path.ptr[0] == '/');
    assert(r.body.len <= BODY_MAX);
    assert(http1_request_parse(in, HEAD_MAX, BODY_MAX, &again, &used_again,
                               &status, NULL) == ASSAY_OK);
    assert(used_again == used && span_equal(again.body, r.body));
    fuzz_success();
    return 0;
}
