#include "store/store.h"

#include <string.h>

#include "base/limits.h"

static bool
is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-';
}

static size_t
component_len(const char *text)
{
    size_t n = 0;

    while (is_key_char(text[n]))
        n++;
    return n;
}

bool
store_key_check(const char *key)
{
    size_t dir = component_len(key), name;

    if (dir == 0 || key[dir] != '/')
        return false;
    name = component_len(key + dir + 1);
    return name > 0 && key[dir + 1 + name] == '\0' &&
           dir + 1 + name <= STORE_KEY_MAX;
}

static enum assay_status
check_key(const char *key, struct assay_error *err)
{
    if (store_key_check(key))
        return ASSAY_OK;
    return assay_fail(err, ASSAY_ERR_LIMIT,
                      "store: bad key \"%.40s\", want two words of letters, "
                      "digits and dashes joined by a slash",
                      key);
}

static enum assay_status
check_value(const char *key, struct span value, struct assay_error *err)
{
    enum assay_status st = check_key(key, err);

    if (st != ASSAY_OK)
        return st;
    if (value.len == 0 || value.len > LIMIT_STORE_VALUE_BYTES)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "store: %s: value of %zu bytes, want 1 to %d", key,
                          value.len, LIMIT_STORE_VALUE_BYTES);
    return ASSAY_OK;
}

enum assay_status
store_get(const struct store *s, const char *key, struct buffer *out,
          struct assay_error *err)
{
    enum assay_status st = check_key(key, err);

    return st != ASSAY_OK ? st : s->ops->get(s->ctx, key, out, err);
}

enum assay_status
store_put(const struct store *s, const char *key, struct span value,
          struct assay_error *err)
{
    enum assay_status st = check_value(key, value, err);

    return st != ASSAY_OK ? st : s->ops->put(s->ctx, key, value, err);
}

enum assay_status
store_cas(const struct store *s, const char *key, struct span old,
          struct span value, struct assay_error *err)
{
    enum assay_status st = check_value(key, value, err);

    return st != ASSAY_OK ? st : s->ops->cas(s->ctx, key, old, value, err);
}

enum assay_status
store_list(const struct store *s, const char *dir, store_visitor *visit,
           void *ctx, struct assay_error *err)
{
    size_t len = component_len(dir);

    if (len == 0 || dir[len] != '\0' || len >= STORE_KEY_MAX)
        return assay_fail(err, ASSAY_ERR_LIMIT, "store: bad folder \"%.40s\"",
                          dir);
    return s->ops->list(s->ctx, dir, visit, ctx, err);
}

enum assay_status
store_wait(const struct store *s, const char *key, struct span known,
           uint32_t timeout_ms, struct assay_error *err)
{
    enum assay_status st = check_key(key, err);

    return st != ASSAY_OK ? st
                          : s->ops->wait(s->ctx, key, known, timeout_ms, err);
}
