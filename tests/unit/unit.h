/* What every unit test includes: cmocka and the things it wants first, a
 * failing allocator, and helpers that print got and want. */
#ifndef ASSAY_TESTS_UNIT_H
#define ASSAY_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/hex.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Fails with the sentence when st is not ASSAY_OK. */
#define assert_ok(st, err)                                                     \
    do {                                                                       \
        enum assay_status st_ = (st);                                          \
        if (st_ != ASSAY_OK)                                                   \
            fail_msg("got %s (%s), want ok", assay_status_name(st_),           \
                     (err)->text);                                             \
    } while (0)

#define assert_status(st, want)                                                \
    do {                                                                       \
        enum assay_status st_ = (st), want_ = (want);                          \
        if (st_ != want_)                                                      \
            fail_msg("got %s, want %s", assay_status_name(st_),                \
                     assay_status_name(want_));                                \
    } while (0)

/* Compares bytes with a hex text. */
static inline void
assert_hex_at(struct span got, const char *want, const char *file, int line)
{
    char *text = malloc(2 * got.len + 1);

    assert_non_null(text);
    hex_encode(got, text);
    if (strcmp(text, want) != 0) {
        print_error("got  %s\nwant %s\n", text, want);
        free(text);
        _fail(file, line);
        return;
    }
    free(text);
}
#define assert_hex(got, want) assert_hex_at(got, want, __FILE__, __LINE__)

/* An allocator that fails from its nth call on (counting from 0) and counts
 * what is live, so that a loop over n proves "no leak, no crash". */
struct failing_alloc {
    struct allocator alloc;
    size_t calls;
    size_t fail_at;
    size_t live;
};

static inline void *
failing_resize(void *ctx, void *ptr, size_t size)
{
    struct failing_alloc *f = ctx;
    void *got;

    if (f->calls++ >= f->fail_at)
        return NULL;
    got = realloc(ptr, size);
    if (got && !ptr)
        f->live++;
    return got;
}

static inline void
failing_release(void *ctx, void *ptr)
{
    struct failing_alloc *f = ctx;

    f->live--;
    free(ptr);
}

static inline void
failing_alloc_init(struct failing_alloc *f, size_t fail_at)
{
    *f = (struct failing_alloc){
        { failing_resize, failing_release, f }, 0, fail_at, 0
    };
}

#endif
