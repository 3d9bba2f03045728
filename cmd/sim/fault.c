#include "sim/fault.h"

#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
    [FAULT_NONE] = "none",
    [FAULT_RATE_LIMIT] = "429",
    [FAULT_ERROR] = "500",
    [FAULT_NOT_FOUND] = "404",
    [FAULT_HANG] = "hang",
    [FAULT_TRUNCATE] = "truncate",
    [FAULT_WRONG_CHIP] = "wrong-chip",
    [FAULT_GARBAGE] = "garbage",
};
enum { KIND_COUNT = sizeof(kind_names) / sizeof(kind_names[0]) };

static bool
find_kind(struct span name, enum fault_kind *out)
{
    for (size_t i = 1; i < KIND_COUNT; i++) {
        if (span_equal_str(name, kind_names[i])) {
            *out = (enum fault_kind)i;
            return true;
        }
    }
    return false;
}

/* Digits only, 1 to 9 of them, and not zero. */
static bool
parse_count(struct span text, unsigned long *out)
{
    unsigned long value = 0;

    if (text.len == 0 || text.len > 9)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        value = value * 10 + (unsigned long)(text.ptr[i] - '0');
    }
    *out = value;
    return value > 0;
}

/* The part of s before the last occurrence of mark; *after what follows it. */
static bool
split_last(struct span s, char mark, struct span *before, struct span *after)
{
    for (size_t i = s.len; i-- > 0;) {
        if (s.ptr[i] == (uint8_t)mark) {
            *before = span_sub(s, 0, i);
            *after = span_sub(s, i + 1, s.len);
            return true;
        }
    }
    return false;
}

static bool
parse_rule(struct span text, struct fault_rule *out)
{
    struct fault_rule rule = { 0 };
    struct span prefix, action, kind, count = { 0 };

    /* A query holds "=" too, so the last one divides. */
    if (!split_last(text, '=', &prefix, &action))
        return false;
    kind = action;
    if (split_last(action, ':', &kind, &count) &&
        !parse_count(count, &rule.left))
        return false;
    if (!find_kind(kind, &rule.kind) || prefix.len >= sizeof(rule.prefix) ||
        prefix.len == 0 || prefix.ptr[0] != '/')
        return false;
    memcpy(rule.prefix, prefix.ptr, prefix.len);
    *out = rule;
    return true;
}

enum assay_status
fault_add(struct fault_plan *plan, struct span text, struct assay_error *err)
{
    struct fault_rule rule;

    if (!parse_rule(text, &rule))
        return assay_fail(
            err, ASSAY_ERR_MALFORMED,
            "fault rule \"%.*s\": want /PATHPREFIX=KIND[:COUNT], KIND one of "
            "429 500 404 hang truncate wrong-chip garbage",
            (int)(text.len > 80 ? 80 : text.len), (const char *)text.ptr);
    if (plan->count == FAULT_RULES_MAX)
        return assay_fail(err, ASSAY_ERR_LIMIT, "more than %d fault rules",
                          FAULT_RULES_MAX);
    plan->rules[plan->count++] = rule;
    return ASSAY_OK;
}

static bool
matches(const struct fault_rule *rule, struct span path)
{
    size_t len = strlen(rule->prefix);

    return path.len >= len && memcmp(path.ptr, rule->prefix, len) == 0;
}

static void
drop_rule(struct fault_plan *plan, size_t at)
{
    plan->count--;
    memmove(&plan->rules[at], &plan->rules[at + 1],
            (plan->count - at) * sizeof(plan->rules[0]));
}

enum fault_kind
fault_take(struct fault_plan *plan, struct span path)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct fault_rule *rule = &plan->rules[i];
        enum fault_kind kind = rule->kind;

        if (!matches(rule, path))
            continue;
        if (rule->left > 0 && --rule->left == 0)
            drop_rule(plan, i);
        return kind;
    }
    return FAULT_NONE;
}

void
fault_list(const struct fault_plan *plan, struct buffer *out)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct fault_rule *rule = &plan->rules[i];

        buffer_addf(out, "%s=%s", rule->prefix, kind_names[rule->kind]);
        if (rule->left > 0)
            buffer_addf(out, ":%lu", rule->left);
        buffer_add_str(out, "\n");
    }
}
