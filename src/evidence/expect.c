#include "evidence/expect.h"

/* Expected values shorter than the field are followed by zeros. */
static bool
matches(struct span expected, struct span field)
{
    struct span head, tail;

    if (expected.len > field.len)
        return false;
    head = span_sub(field, 0, expected.len);
    tail = span_sub(field, expected.len, field.len - expected.len);
    return span_equal(expected, head) && span_is_zero(tail);
}

static bool
matches_one(struct span values, struct span field)
{
    for (size_t at = 0; at + field.len <= values.len; at += field.len) {
        if (span_equal(span_sub(values, at, field.len), field))
            return true;
    }
    return false;
}

static const char *
describe(struct verdict *v, const struct expect *e, struct span field)
{
    size_t count = field.len > 0 ? e->bytes.len / field.len : 0;

    if (e->kind == EXPECT_ONE_OF && count > 1)
        return verdict_text(v, "%s or one of %zu others",
                            verdict_hex(v, span_sub(e->bytes, 0, field.len)),
                            count - 1);
    return verdict_hex(v, e->bytes);
}

void
expectation_check(struct verdict *v, const char *name, const char *ref,
                  const struct expect *e, struct span field)
{
    const char *got, *want;
    bool holds;

    if (e->kind == EXPECT_ANY) {
        verdict_waive(v, name, ref, "no value is expected");
        return;
    }
    got = verdict_hex(v, field);
    if (e->kind == EXPECT_MISSING) {
        verdict_fail(v, name, ref, "a stated expectation", got,
                     "nobody said what this value should be");
        return;
    }
    holds = e->kind == EXPECT_EQUAL ? matches(e->bytes, field)
                                    : matches_one(e->bytes, field);
    want = describe(v, e, field);
    if (holds)
        verdict_pass(v, name, ref, want, got);
    else
        verdict_fail(v, name, ref, want, got,
                     "not the value that was expected");
}
