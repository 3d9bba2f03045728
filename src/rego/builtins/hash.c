/* Hashes, HMAC, and what is random: results are lower-case hex. */
#include "crypto/hash.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "crypto/secret.h"
#include "rego/builtins/call.h"
#include "rego/builtins/table.h"
#include "rego/builtins/text.h"

static enum builtin_outcome
answer_hex(struct rego_call *call, enum assay_status st, const uint8_t *bytes,
           size_t len, struct value *out)
{
    char text[2 * HASH_MAX_SIZE + 1];

    if (st != ASSAY_OK)
        return call_fail(call, "hash is not available");
    hex_encode(span_of(bytes, len), text);
    return call_text(call, span_of(text, 2 * len), out);
}

static enum builtin_outcome
digest(struct rego_call *call, enum hash_alg alg, const struct value *args,
       struct value *out)
{
    uint8_t bytes[HASH_MAX_SIZE];
    enum builtin_outcome bad;
    enum assay_status st;
    size_t len = 0;

    if (!arg_is(call, args, 0, TYPE_STRING, &bad))
        return bad;
    if (!call_charge(call, value_count(args[0]) / 64))
        return call_abort(call, ASSAY_ERR_LIMIT);
    st = hash_compute(alg, value_text(args[0]), bytes, &len, NULL);
    return answer_hex(call, st, bytes, len, out);
}

enum builtin_outcome
bi_crypto_md5(struct rego_call *call, const struct value *args, size_t n,
              struct value *out)
{
    (void)n;
    return digest(call, HASH_MD5, args, out);
}

enum builtin_outcome
bi_crypto_sha1(struct rego_call *call, const struct value *args, size_t n,
               struct value *out)
{
    (void)n;
    return digest(call, HASH_SHA1, args, out);
}

enum builtin_outcome
bi_crypto_sha256(struct rego_call *call, const struct value *args, size_t n,
                 struct value *out)
{
    (void)n;
    return digest(call, HASH_SHA256, args, out);
}

/* (message, key) */
static enum builtin_outcome
hmac(struct rego_call *call, enum hash_alg alg, const struct value *args,
     struct value *out)
{
    uint8_t bytes[HASH_MAX_SIZE];
    enum builtin_outcome bad;
    enum assay_status st;
    size_t len = 0;

    if (!arg_is(call, args, 0, TYPE_STRING, &bad) ||
        !arg_is(call, args, 1, TYPE_STRING, &bad))
        return bad;
    if (!call_charge(call, value_count(args[0]) / 64))
        return call_abort(call, ASSAY_ERR_LIMIT);
    st = hash_hmac(alg, value_text(args[1]), value_text(args[0]), bytes, &len,
                   NULL);
    return answer_hex(call, st, bytes, len, out);
}

enum builtin_outcome
bi_crypto_hmac_md5(struct rego_call *call, const struct value *args, size_t n,
                   struct value *out)
{
    (void)n;
    return hmac(call, HASH_MD5, args, out);
}

enum builtin_outcome
bi_crypto_hmac_sha1(struct rego_call *call, const struct value *args, size_t n,
                    struct value *out)
{
    (void)n;
    return hmac(call, HASH_SHA1, args, out);
}

enum builtin_outcome
bi_crypto_hmac_sha256(struct rego_call *call, const struct value *args,
                      size_t n, struct value *out)
{
    (void)n;
    return hmac(call, HASH_SHA256, args, out);
}

enum builtin_outcome
bi_crypto_hmac_sha512(struct rego_call *call, const struct value *args,
                      size_t n, struct value *out)
{
    (void)n;
    return hmac(call, HASH_SHA512, args, out);
}

enum builtin_outcome
bi_crypto_hmac_equal(struct rego_call *call, const struct value *args, size_t n,
                     struct value *out)
{
    enum builtin_outcome bad;

    if (!args_check(call, args, n, &bad))
        return bad;
    return call_bool(value_count(args[0]) == value_count(args[1]) &&
                         secret_equal(args[0].string->text,
                                      args[1].string->text,
                                      value_count(args[0])),
                     out);
}

/* --- Random: a function of the evaluation's seed and the operands --- */

/* 32 bytes from the seed, a domain and a text. */
static bool
derive(struct rego_call *call, char domain, struct span text,
       uint8_t out[HASH_MAX_SIZE])
{
    uint8_t *message = arena_alloc(call->arena, text.len + 1);
    size_t len;

    if (!message)
        return false;
    message[0] = (uint8_t)domain;
    if (text.len > 0)
        memcpy(message + 1, text.ptr, text.len);
    return hash_hmac(HASH_SHA256, span_of(call->env->seed, 32),
                     span_of(message, text.len + 1), out, &len,
                     NULL) == ASSAY_OK;
}

enum builtin_outcome
bi_rand_intn(struct rego_call *call, const struct value *args, size_t n,
             struct value *out)
{
    uint8_t bytes[HASH_MAX_SIZE];
    enum builtin_outcome bad;
    uint64_t range, number = 0;
    char suffix[32];
    struct buffer b;
    int64_t most;
    bool ok;

    (void)n;
    if (!arg_is(call, args, 0, TYPE_STRING, &bad) ||
        !arg_integer(call, args, 1, &most, &bad))
        return bad;
    if (most == 0)
        return call_int(0, out);
    range = most < 0 ? 0 - (uint64_t)most : (uint64_t)most;
    call_buffer_init(call, &b);
    buffer_add(&b, value_text(args[0]));
    snprintf(suffix, sizeof(suffix), "/%llu", (unsigned long long)range);
    buffer_add_str(&b, suffix);
    ok = !b.failed && derive(call, 'r', buffer_span(&b), bytes);
    buffer_free(&b);
    if (!ok)
        return call_nomem(call);
    for (int i = 0; i < 8; i++)
        number = number << 8 | bytes[i];
    return call_int((int64_t)(number % range), out);
}

enum builtin_outcome
bi_uuid_rfc4122(struct rego_call *call, const struct value *args, size_t n,
                struct value *out)
{
    uint8_t bytes[HASH_MAX_SIZE];
    enum builtin_outcome bad;
    char hex[33], text[37];

    if (!args_check(call, args, n, &bad))
        return bad;
    if (!derive(call, 'u', value_text(args[0]), bytes))
        return call_nomem(call);
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* version 4 */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80); /* RFC 4122 */
    hex_encode(span_of(bytes, 16), hex);
    snprintf(text, sizeof(text), "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
             hex + 12, hex + 16, hex + 20);
    return call_text(call, span_of(text, 36), out);
}

enum builtin_outcome
bi_opa_runtime(struct rego_call *call, const struct value *args, size_t n,
               struct value *out)
{
    (void)args, (void)n;
    if (call->env->runtime.tag == VALUE_UNDEFINED)
        return call_made(call, value_object(call->arena, NULL, 0, NULL, out));
    *out = call->env->runtime;
    return BUILTIN_OK;
}
