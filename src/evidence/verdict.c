#include "evidence/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"

enum { CHECKS_FIRST = 64 }; /* a full SNP verdict has about 60 */

void
verdict_init(struct verdict *v, struct arena *arena, const char *tee,
             bool strict)
{
    *v = (struct verdict){ .arena = arena, .tee = tee, .strict = strict };
}

static bool
make_room(struct verdict *v)
{
    size_t cap = v->cap == 0 ? CHECKS_FIRST : 2 * v->cap;
    struct check *checks;

    if (v->count < v->cap)
        return true;
    checks = arena_array(v->arena, cap, sizeof(*checks));
    if (!checks)
        return false;
    if (v->count > 0)
        memcpy(checks, v->checks, v->count * sizeof(*checks));
    v->checks = checks;
    v->cap = cap;
    return true;
}

static const char *
or_empty(const char *text)
{
    return text ? text : "";
}

void
verdict_add(struct verdict *v, struct check check)
{
    if (!make_room(v)) {
        v->nomem = true;
        return;
    }
    check.ref = or_empty(check.ref);
    check.expected = or_empty(check.expected);
    check.actual = or_empty(check.actual);
    check.reason = or_empty(check.reason);
    if (check.outcome == CHECK_WARN && v->strict)
        check.outcome = CHECK_FAIL;
    v->checks[v->count++] = check;
}

void
verdict_pass(struct verdict *v, const char *name, const char *ref,
             const char *expected, const char *actual)
{
    verdict_add(v, (struct check){ .name = name,
                                   .ref = ref,
                                   .outcome = CHECK_PASS,
                                   .expected = expected,
                                   .actual = actual });
}

void
verdict_fail(struct verdict *v, const char *name, const char *ref,
             const char *expected, const char *actual, const char *reason)
{
    verdict_add(v, (struct check){ .name = name,
                                   .ref = ref,
                                   .outcome = CHECK_FAIL,
                                   .expected = expected,
                                   .actual = actual,
                                   .reason = reason });
}

void
verdict_warn(struct verdict *v, const char *name, const char *ref,
             const char *expected, const char *actual, const char *reason)
{
    verdict_add(v, (struct check){ .name = name,
                                   .ref = ref,
                                   .outcome = CHECK_WARN,
                                   .expected = expected,
                                   .actual = actual,
                                   .reason = reason });
}

void
verdict_skip(struct verdict *v, const char *name, const char *ref,
             const char *reason)
{
    verdict_add(v, (struct check){ .name = name,
                                   .ref = ref,
                                   .outcome = CHECK_SKIPPED,
                                   .reason = reason,
                                   .optional = true });
}

void
verdict_waive(struct verdict *v, const char *name, const char *ref,
              const char *reason)
{
    verdict_add(v, (struct check){ .name = name,
                                   .ref = ref,
                                   .outcome = CHECK_SKIPPED,
                                   .reason = reason,
                                   .optional = true,
                                   .waived = true });
}

void
verdict_lack(struct verdict *v, const char *name, const char *ref,
             const char *reason)
{
    verdict_add(v, (struct check){ .name = name,
                                   .ref = ref,
                                   .outcome = CHECK_SKIPPED,
                                   .reason = reason });
}

const char *
verdict_text(struct verdict *v, const char *fmt, ...)
{
    char text[512];
    const char *copy;
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (len < 0)
        len = 0;
    if ((size_t)len >= sizeof(text)) /* cut short rather than lost */
        len = sizeof(text) - 1;
    copy = arena_strdup(v->arena, span_of(text, (size_t)len));
    v->nomem = v->nomem || !copy;
    return or_empty(copy);
}

const char *
verdict_hex(struct verdict *v, struct span bytes)
{
    char *text = arena_alloc(v->arena, 2 * bytes.len + 1);

    if (!text) {
        v->nomem = true;
        return "";
    }
    hex_encode(bytes, text);
    return text;
}

void
verdict_fork(const struct verdict *from, struct verdict *to)
{
    *to = *from;
    to->result = VERDICT_REFUSED;
    /* Full on purpose: the first addition to either list copies it. */
    to->cap = to->count;
    to->claims.cap = to->claims.count;
}

size_t
verdict_failures(const struct verdict *v)
{
    size_t n = 0;

    for (size_t i = 0; i < v->count; i++)
        n += v->checks[i].outcome == CHECK_FAIL;
    return n;
}

const struct check *
verdict_first_failure(const struct verdict *v)
{
    for (size_t i = 0; i < v->count; i++) {
        if (v->checks[i].outcome == CHECK_FAIL)
            return &v->checks[i];
    }
    return NULL;
}

const struct check *
verdict_find(const struct verdict *v, const char *name)
{
    for (size_t i = 0; i < v->count; i++) {
        if (strcmp(v->checks[i].name, name) == 0)
            return &v->checks[i];
    }
    return NULL;
}

static const struct check *
first_lack(const struct verdict *v)
{
    for (size_t i = 0; i < v->count; i++) {
        const struct check *c = &v->checks[i];

        if (c->outcome == CHECK_SKIPPED && !c->optional)
            return c;
    }
    return NULL;
}

enum verdict_result
verdict_conclude(struct verdict *v)
{
    v->result = VERDICT_REFUSED;
    if (v->nomem || v->count == 0 || verdict_first_failure(v))
        return v->result;
    if (first_lack(v))
        v->result = VERDICT_UNKNOWN;
    else
        v->result = VERDICT_ACCEPTED;
    return v->result;
}

const char *
verdict_result_name(enum verdict_result result)
{
    switch (result) {
    case VERDICT_ACCEPTED:
        return "accepted";
    case VERDICT_UNKNOWN:
        return "unknown";
    case VERDICT_REFUSED:
        break;
    }
    return "refused";
}

const char *
check_outcome_name(enum check_outcome outcome)
{
    switch (outcome) {
    case CHECK_PASS:
        return "pass";
    case CHECK_WARN:
        return "warn";
    case CHECK_SKIPPED:
        return "skipped";
    case CHECK_FAIL:
        break;
    }
    return "fail";
}

/* The check that decided, for one-line forms; NULL when accepted. */
static const struct check *
deciding_check(const struct verdict *v)
{
    if (v->result == VERDICT_REFUSED)
        return verdict_first_failure(v);
    return v->result == VERDICT_UNKNOWN ? first_lack(v) : NULL;
}

void
verdict_render_line(const struct verdict *v, struct buffer *out)
{
    const struct check *c = deciding_check(v);

    buffer_addf(out, "%s%s", verdict_result_name(v->result),
                v->insecure ? " INSECURE" : "");
    if (!c)
        return;
    buffer_addf(out, ": %s", c->name);
    if (c->actual[0] || c->expected[0])
        buffer_addf(out, ": got %s, want %s", c->actual, c->expected);
    if (c->reason[0])
        buffer_addf(out, ": %s", c->reason);
}

enum assay_status
verdict_status(const struct verdict *v, struct assay_error *err)
{
    const struct check *c = deciding_check(v);

    if (v->result == VERDICT_ACCEPTED)
        return ASSAY_OK;
    if (v->nomem)
        return assay_nomem(err, "verdict");
    if (!c)
        return assay_fail(err, ASSAY_ERR_UNTRUSTED, "evidence refused");
    if (v->result == VERDICT_UNKNOWN)
        return assay_fail(err, ASSAY_ERR_IO, "%s: %s", c->name, c->reason);
    if (c->actual[0] || c->expected[0])
        return assay_fail(err, ASSAY_ERR_UNTRUSTED, "%s: got %s, want %s",
                          c->name, c->actual, c->expected);
    return assay_fail(err, ASSAY_ERR_UNTRUSTED, "%s: %s", c->name, c->reason);
}
