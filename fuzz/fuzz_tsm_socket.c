/* Replies of the simulator's socket: what decodes holds exactly the bytes of
 * the reply, at the offsets its header gives. */
#include "fuzz.h"

#include <string.h>

#include "collect/tsm_socket.h"

enum { BUDGET = 1024 * 1024 };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct collected got;
    struct arena arena;

    arena_init(&arena, BUDGET, NULL);
    if (tsm_socket_reply_decode(span_of(data, size), &arena, &got, NULL) ==
        ASSAY_OK) {
        size_t at = TSM_SOCKET_REPLY_HEADER_SIZE;
        size_t name = strlen(got.provider);

        assert(at + got.outblob.len + got.auxblob.len + name <= size);
        assert(span_equal(got.outblob, span_of(data + at, got.outblob.len)));
        at += got.outblob.len;
        assert(span_equal(got.auxblob, span_of(data + at, got.auxblob.len)));
        at += got.auxblob.len;
        assert(memcmp(got.provider, data + at, name) == 0);
        fuzz_success();
    }
    arena_drop(&arena);
    return 0;
}
