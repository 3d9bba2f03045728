/* Base64 and hex: bytes are strings. */
#include <string.h>

#include "base/hex.h"
#include "rego/builtins/call.h"
#include "rego/builtins/table.h"
#include "rego/builtins/text.h"

/* Standard alphabet to URL alphabet, in place. */
static void
to_url_alphabet(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '+')
            text[i] = '-';
        else if (text[i] == '/')
            text[i] = '_';
    }
}

static enum builtin_outcome
encode(struct rego_call *call, const struct value *args, bool url, bool padded,
       struct value *out)
{
    enum builtin_outcome bad;
    struct span bytes;
    size_t len;
    char *text;

    if (!arg_is(call, args, 0, TYPE_STRING, &bad))
        return bad;
    bytes = value_text(args[0]);
    len = base64_encoded_len(bytes.len);
    text = arena_alloc(call->arena, len + 1);
    if (!text)
        return call_nomem(call);
    base64_encode(bytes, text);
    while (!padded && len > 0 && text[len - 1] == '=')
        len--;
    if (url)
        to_url_alphabet(text, len);
    return call_text(call, span_of(text, len), out);
}

enum builtin_outcome
bi_base64_encode(struct rego_call *call, const struct value *args, size_t n,
                 struct value *out)
{
    (void)n;
    return encode(call, args, false, true, out);
}

enum builtin_outcome
bi_base64url_encode(struct rego_call *call, const struct value *args, size_t n,
                    struct value *out)
{
    (void)n;
    return encode(call, args, true, true, out);
}

enum builtin_outcome
bi_base64url_encode_no_pad(struct rego_call *call, const struct value *args,
                           size_t n, struct value *out)
{
    (void)n;
    return encode(call, args, true, false, out);
}

/* --- Decoding: as Go does, line ends are skipped --- */

static int
digit_of(uint8_t c, bool url)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (url ? '-' : '+'))
        return 62;
    return c == (url ? '_' : '/') ? 63 : -1;
}

static size_t
skip_line_ends(struct span text, size_t at)
{
    while (at < text.len && (text.ptr[at] == '\r' || text.ptr[at] == '\n'))
        at++;
    return at;
}

/* At the first = of a quantum with n digits: the rest of the padding. Writes
 * the offset behind it, or of the fault. */
static bool
take_padding(struct span text, size_t *at, size_t n)
{
    if (n < 2)
        return false;
    *at = skip_line_ends(text, *at + 1);
    if (n == 2) {
        if (*at == text.len || text.ptr[*at] != '=')
            return false;
        *at = skip_line_ends(text, *at + 1);
    }
    return *at == text.len;
}

bool
base64_bytes(struct arena *a, struct span text, bool url, bool padded,
             struct span *out, size_t *fault)
{
    uint8_t *bytes = arena_alloc(a, text.len + 1);
    uint32_t quantum = 0;
    size_t n = 0, used = 0, at = 0;

    *fault = SIZE_MAX; /* memory */
    if (!bytes)
        return false;
    for (at = skip_line_ends(text, 0); at < text.len;
         at = skip_line_ends(text, at + 1)) {
        int digit = digit_of(text.ptr[at], url);

        *fault = at;
        if (digit < 0 && padded && text.ptr[at] == '=') {
            if (!take_padding(text, &at, n)) {
                *fault = at;
                return false;
            }
            break;
        }
        if (digit < 0)
            return false;
        quantum = quantum << 6 | (uint32_t)digit;
        if (++n < 4)
            continue;
        bytes[used++] = (uint8_t)(quantum >> 16);
        bytes[used++] = (uint8_t)(quantum >> 8);
        bytes[used++] = (uint8_t)quantum;
        n = 0;
    }
    *fault = text.len - n;
    if (n == 1 || (padded && n > 0 && text.ptr[text.len - 1] != '=' &&
                   !memchr(text.ptr, '=', text.len)))
        return false;
    if (n >= 2)
        bytes[used++] = (uint8_t)(quantum >> (n == 2 ? 4 : 10));
    if (n == 3)
        bytes[used++] = (uint8_t)(quantum >> 2);
    *out = span_of(bytes, used);
    return true;
}

enum builtin_outcome
bi_base64_decode(struct rego_call *call, const struct value *args, size_t n,
                 struct value *out)
{
    enum builtin_outcome bad;
    struct span bytes;
    size_t fault;

    if (!args_check(call, args, n, &bad))
        return bad;
    if (base64_bytes(call->arena, value_text(args[0]), false, true, &bytes,
                     &fault))
        return call_text(call, bytes, out);
    if (fault == SIZE_MAX)
        return call_nomem(call);
    return call_fail(call, "illegal base64 data at input byte %zu", fault);
}

enum builtin_outcome
bi_base64_is_valid(struct rego_call *call, const struct value *args, size_t n,
                   struct value *out)
{
    struct span bytes;
    size_t fault;
    bool ok;

    (void)n;
    if (args[0].tag != VALUE_STRING)
        return call_bool(false, out);
    ok = base64_bytes(call->arena, value_text(args[0]), false, true, &bytes,
                      &fault);
    if (!ok && fault == SIZE_MAX)
        return call_nomem(call);
    return call_bool(ok, out);
}

/* Padding may be left out, but only all of it. */
enum builtin_outcome
bi_base64url_decode(struct rego_call *call, const struct value *args, size_t n,
                    struct value *out)
{
    enum builtin_outcome bad;
    struct span text, bytes;
    size_t fault = 0;
    bool padded;

    if (!args_check(call, args, n, &bad))
        return bad;
    text = value_text(args[0]);
    padded = text.len > 0 && text.ptr[text.len - 1] == '=';
    if (!padded && text.len % 4 == 1)
        return call_fail(call, "illegal base64url string: %.*s",
                         text.len > 200 ? 200 : (int)text.len,
                         (const char *)text.ptr);
    if (base64_bytes(call->arena, text, true, padded, &bytes, &fault))
        return call_text(call, bytes, out);
    if (fault == SIZE_MAX)
        return call_nomem(call);
    return call_fail(call, "illegal base64 data at input byte %zu", fault);
}

enum builtin_outcome
bi_hex_encode(struct rego_call *call, const struct value *args, size_t n,
              struct value *out)
{
    enum builtin_outcome bad;
    struct span bytes;
    struct value v;

    if (!args_check(call, args, n, &bad))
        return bad;
    bytes = value_text(args[0]);
    if (!value_string_blank(call->arena, 2 * bytes.len, &v))
        return call_nomem(call);
    hex_encode(bytes, v.string->text);
    *out = v;
    return BUILTIN_OK;
}

static bool
is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
           (c >= 'A' && c <= 'F');
}

enum builtin_outcome
bi_hex_decode(struct rego_call *call, const struct value *args, size_t n,
              struct value *out)
{
    enum builtin_outcome bad;
    struct span text;
    struct value v;

    if (!args_check(call, args, n, &bad))
        return bad;
    text = value_text(args[0]);
    for (size_t i = 0; i < text.len; i++)
        if (!is_hex(text.ptr[i]))
            return call_fail(call, "encoding/hex: invalid byte: U+%04X '%c'",
                             text.ptr[i], text.ptr[i]);
    if (text.len % 2 != 0)
        return call_fail(call, "encoding/hex: odd length hex string");
    if (!value_string_blank(call->arena, text.len / 2, &v))
        return call_nomem(call);
    (void)hex_decode(text, (uint8_t *)v.string->text, text.len / 2);
    *out = v;
    return BUILTIN_OK;
}
