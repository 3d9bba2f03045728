#include "rego/builtin.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rego/builtins/call.h"
#include "rego/builtins/table.h"

unsigned
builtin_type_of(struct value v)
{
    static const uint8_t types[] = {
        [VALUE_UNDEFINED] = 0,        [VALUE_NULL] = TYPE_NULL,
        [VALUE_BOOL] = TYPE_BOOL,     [VALUE_INT] = TYPE_NUMBER,
        [VALUE_NUMBER] = TYPE_NUMBER, [VALUE_STRING] = TYPE_STRING,
        [VALUE_ARRAY] = TYPE_ARRAY,   [VALUE_OBJECT] = TYPE_OBJECT,
        [VALUE_SET] = TYPE_SET,
    };

    return types[v.tag];
}

static int
compare_name(struct span name, const char *other)
{
    size_t len = strlen(other);
    size_t n = name.len < len ? name.len : len;
    int c = memcmp(name.ptr, other, n);

    return c != 0 ? c : (name.len > len) - (name.len < len);
}

const struct builtin *
builtin_find(struct span name)
{
    size_t low = 0, high = builtin_table_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = compare_name(name, builtin_table[mid].name);

        if (c == 0)
            return &builtin_table[mid];
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

const struct builtin *
builtin_at(size_t i)
{
    return i < builtin_table_count ? &builtin_table[i] : NULL;
}

enum builtin_outcome
builtin_call(struct rego_call *call, const struct builtin *b,
             const struct value *args, size_t n, struct value *out)
{
    assert(n == b->arity || (b->flags & BUILTIN_VARIADIC));
    call->builtin = b;
    if (!b->fn)
        return call_fail(call, "not available in this build");
    return b->fn(call, args, n, out);
}

/* --- What builtins answer with --- */

enum builtin_outcome
call_abort(struct rego_call *call, enum assay_status status)
{
    call->status = status;
    return BUILTIN_ABORT;
}

enum builtin_outcome
call_nomem(struct rego_call *call)
{
    return call_abort(call, ASSAY_ERR_NOMEM);
}

bool
call_charge(struct rego_call *call, uint64_t steps)
{
    struct builtin_env *env = call->env;

    if (env->cancel && atomic_load_explicit(env->cancel, memory_order_relaxed))
        return false;
    if (env->steps_left < steps) {
        env->steps_left = 0;
        return false;
    }
    env->steps_left -= steps;
    return true;
}

static enum builtin_outcome fail_with(struct rego_call *call, const char *code,
                                      const char *fmt, va_list ap)
    ASSAY_PRINTF(3, 0);

static enum builtin_outcome
fail_with(struct rego_call *call, const char *code, const char *fmt, va_list ap)
{
    const char *name = call->builtin->name;
    size_t prefix = strlen(name) + 2;
    va_list again;
    char *message;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        return call_nomem(call);
    message = arena_alloc(call->arena, prefix + (size_t)n + 1);
    if (!message)
        return call_nomem(call);
    snprintf(message, prefix + 1, "%s: ", name);
    vsnprintf(message + prefix, (size_t)n + 1, fmt, ap);
    call->code = code;
    call->message = message;
    return BUILTIN_ERROR;
}

enum builtin_outcome
call_fail(struct rego_call *call, const char *fmt, ...)
{
    enum builtin_outcome outcome;
    va_list ap;

    va_start(ap, fmt);
    outcome = fail_with(call, "eval_builtin_error", fmt, ap);
    va_end(ap);
    return outcome;
}

enum builtin_outcome
call_type_error(struct rego_call *call, const char *fmt, ...)
{
    enum builtin_outcome outcome;
    va_list ap;

    va_start(ap, fmt);
    outcome = fail_with(call, "eval_type_error", fmt, ap);
    va_end(ap);
    return outcome;
}
