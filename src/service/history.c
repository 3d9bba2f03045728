#include "service/history.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/writer.h"

#define HEAD_KEY "transitions/latest"
#define FIRST_KEY "history/first"
#define FIRST_PENDING "pending\n"
#define FIRST_DONE "done\n"

enum { HEAD_MAX = SHA256_SIZE + HISTORY_SIGNATURE_MAX };

bool
history_hash_equal(const struct history_hash *a, const struct history_hash *b)
{
    return memcmp(a->bytes, b->bytes, SHA256_SIZE) == 0; /* public digests */
}

bool
history_hash_is_zero(const struct history_hash *h)
{
    return span_is_zero(span_of(h->bytes, SHA256_SIZE));
}

static struct span
hash_span(const struct history_hash *h)
{
    return span_of(h->bytes, SHA256_SIZE);
}

static void
object_key(const char *folder, const struct history_hash *h,
           char key[STORE_KEY_MAX + 1])
{
    char hex[2 * SHA256_SIZE + 1];

    hex_encode(hash_span(h), hex);
    (void)snprintf(key, STORE_KEY_MAX + 1, "%s/%s", folder, hex);
}

static enum assay_status
put_object(const struct store *s, const char *folder, struct span bytes,
           struct history_hash *out, struct assay_error *err)
{
    struct history_hash h;
    char key[STORE_KEY_MAX + 1];
    enum assay_status st = digest_sha256(bytes, h.bytes, err);

    if (st != ASSAY_OK)
        return st;
    object_key(folder, &h, key);
    st = store_put(s, key, bytes, err);
    if (st == ASSAY_ERR_CONFLICT) /* a name is a hash: only damage differs */
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "history: what the store holds as %s is damaged: "
                          "move it away and try again",
                          key);
    if (st == ASSAY_OK)
        *out = h;
    return st;
}

static enum assay_status
get_object(const struct store *s, const char *folder,
           const struct history_hash *hash, struct buffer *out,
           struct assay_error *err)
{
    char key[STORE_KEY_MAX + 1];
    size_t before = out->len;
    struct history_hash got;
    struct span bytes;
    enum assay_status st;

    object_key(folder, hash, key);
    st = store_get(s, key, out, err);
    if (st == ASSAY_ERR_NOT_FOUND)
        return assay_fail(err, st, "history: %s is missing from the store",
                          key);
    if (st != ASSAY_OK)
        return st;
    bytes = span_sub(buffer_span(out), before, out->len - before);
    st = digest_sha256(bytes, got.bytes, err);
    if (st == ASSAY_OK && !history_hash_equal(&got, hash))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "history: %s is damaged: its %zu bytes do not hash "
                          "to its name",
                          key, bytes.len);
    return st;
}

static void
transition_encode(const struct transition *t, uint8_t out[TRANSITION_SIZE])
{
    struct writer wr = writer_over(out, TRANSITION_SIZE);

    wr_span(&wr, hash_span(&t->manifest));
    wr_span(&wr, hash_span(&t->previous));
}

enum assay_status
transition_hash(const struct transition *t, struct history_hash *out,
                struct assay_error *err)
{
    uint8_t bytes[TRANSITION_SIZE];

    transition_encode(t, bytes);
    return digest_sha256(span_of(bytes, sizeof(bytes)), out->bytes, err);
}

enum assay_status
history_approval_digest(const struct history_hash *h,
                        uint8_t digest[SHA256_SIZE], struct assay_error *err)
{
    char hex[2 * SHA256_SIZE + 1];

    hex_encode(hash_span(h), hex);
    return digest_sha256(span_str(hex), digest, err);
}

enum assay_status
history_put_manifest(const struct store *s, struct span manifest,
                     struct history_hash *out, struct assay_error *err)
{
    return put_object(s, "manifests", manifest, out, err);
}

enum assay_status
history_put_policy(const struct store *s, struct span policy,
                   struct history_hash *out, struct assay_error *err)
{
    return put_object(s, "policies", policy, out, err);
}

enum assay_status
history_put_transition(const struct store *s, const struct transition *t,
                       struct history_hash *out, struct assay_error *err)
{
    uint8_t bytes[TRANSITION_SIZE];

    transition_encode(t, bytes);
    return put_object(s, "transitions", span_of(bytes, sizeof(bytes)), out,
                      err);
}

enum assay_status
history_get_manifest(const struct store *s, const struct history_hash *hash,
                     struct buffer *out, struct assay_error *err)
{
    return get_object(s, "manifests", hash, out, err);
}

enum assay_status
history_get_policy(const struct store *s, const struct history_hash *hash,
                   struct buffer *out, struct assay_error *err)
{
    return get_object(s, "policies", hash, out, err);
}

static enum assay_status
transition_decode(struct span bytes, struct transition *out,
                  struct assay_error *err)
{
    struct reader rd = reader_over(bytes);
    struct transition t;

    rd_copy(&rd, t.manifest.bytes, SHA256_SIZE);
    rd_copy(&rd, t.previous.bytes, SHA256_SIZE);
    if (!rd_done(&rd))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "history: transition of %zu bytes, want %d",
                          bytes.len, TRANSITION_SIZE);
    *out = t;
    return ASSAY_OK;
}

enum assay_status
history_get_transition(const struct store *s, const struct history_hash *hash,
                       struct transition *out, struct assay_error *err)
{
    struct buffer bytes;
    enum assay_status st;

    buffer_init(&bytes, 4096, NULL);
    st = get_object(s, "transitions", hash, &bytes, err);
    if (st == ASSAY_OK)
        st = transition_decode(buffer_span(&bytes), out, err);
    buffer_free(&bytes);
    return st;
}

static enum assay_status
head_decode(struct span bytes, struct history_head *out,
            struct assay_error *err)
{
    struct reader rd = reader_over(bytes);
    struct history_head head = { 0 };

    if (bytes.len <= SHA256_SIZE || bytes.len > HEAD_MAX)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "history: " HEAD_KEY " has %zu bytes, want %d to "
                          "%d: restore it from a backup",
                          bytes.len, SHA256_SIZE + 1, HEAD_MAX);
    head.signature_len = bytes.len - SHA256_SIZE;
    rd_copy(&rd, head.transition.bytes, SHA256_SIZE);
    rd_copy(&rd, head.signature, head.signature_len);
    if (!rd_done(&rd) || history_hash_is_zero(&head.transition))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "history: " HEAD_KEY " names no transition");
    *out = head;
    return ASSAY_OK;
}

static size_t
head_encode(const struct history_head *head, uint8_t out[HEAD_MAX])
{
    struct writer wr = writer_over(out, HEAD_MAX);

    wr_span(&wr, hash_span(&head->transition));
    wr_span(&wr, span_of(head->signature, head->signature_len));
    return wr_written(&wr).len;
}

static bool
stop_at_any(void *ctx, const char *key)
{
    bool *found = ctx;

    (void)key;
    *found = true;
    return false;
}

/* Empty when there is no note. */
static enum assay_status
get_first(const struct store *s, struct buffer *note, struct assay_error *err)
{
    enum assay_status st = store_get(s, FIRST_KEY, note, err);

    return st == ASSAY_ERR_NOT_FOUND ? ASSAY_OK : st;
}

static enum assay_status
first_is_pending(const struct store *s, bool *pending, struct assay_error *err)
{
    struct buffer note;
    enum assay_status st;

    buffer_init(&note, 4096, NULL);
    st = get_first(s, &note, err);
    if (st == ASSAY_OK)
        *pending = span_equal_str(buffer_span(&note), FIRST_PENDING);
    buffer_free(&note);
    return st;
}

/* A store without a head is empty only if it holds no transition either, or
 * those of a first set that was cut short: a lost pointer must never become a
 * new history (CI section 12.1). */
static enum assay_status
check_empty(const struct store *s, struct assay_error *err)
{
    bool found = false, pending = false;
    enum assay_status st =
        store_list(s, "transitions", stop_at_any, &found, err);

    if (st == ASSAY_OK && found)
        st = first_is_pending(s, &pending, err);
    if (st != ASSAY_OK)
        return st;
    if (!found || pending)
        return assay_fail(err, ASSAY_ERR_NOT_FOUND, "no manifest configured");
    return assay_fail(err, ASSAY_ERR_MALFORMED,
                      "history: the store holds transitions but no " HEAD_KEY
                      ": restore it from a backup, or, only if no manifest "
                      "was ever accepted, remove the transitions");
}

enum assay_status
history_get_head(const struct store *s, struct history_head *out,
                 struct assay_error *err)
{
    struct buffer bytes;
    enum assay_status st;

    buffer_init(&bytes, 4096, NULL);
    st = store_get(s, HEAD_KEY, &bytes, err);
    if (st == ASSAY_ERR_NOT_FOUND)
        st = check_empty(s, err);
    else if (st == ASSAY_OK)
        st = head_decode(buffer_span(&bytes), out, err);
    buffer_free(&bytes);
    return st;
}

enum assay_status
history_sign_head(const struct history_hash *transition,
                  const struct key *signing_key, struct history_head *out,
                  struct assay_error *err)
{
    struct history_head head = { .transition = *transition };
    struct buffer signature;
    enum assay_status st;

    buffer_init(&signature, sizeof(head.signature), NULL);
    st = key_sign_digest(signing_key, hash_span(transition), &signature, err);
    if (st == ASSAY_OK) {
        memcpy(head.signature, signature.ptr, signature.len);
        head.signature_len = signature.len;
        *out = head;
    }
    buffer_free(&signature);
    return st;
}

enum assay_status
history_verify_head(const struct history_head *head,
                    const struct key *signing_key, struct assay_error *err)
{
    return key_verify_digest(signing_key, hash_span(&head->transition),
                             span_of(head->signature, head->signature_len),
                             err);
}

static enum assay_status
note_first(const struct store *s, const char *text, struct assay_error *err)
{
    struct buffer note;
    enum assay_status st;

    buffer_init(&note, 4096, NULL);
    st = get_first(s, &note, err);
    if (st == ASSAY_OK && !span_equal_str(buffer_span(&note), text))
        st = store_cas(s, FIRST_KEY, buffer_span(&note), span_str(text), err);
    buffer_free(&note);
    return st;
}

enum assay_status
history_begin_first(const struct store *s, struct assay_error *err)
{
    struct history_head head;
    enum assay_status st = history_get_head(s, &head, err);

    if (st == ASSAY_OK)
        return assay_fail(err, ASSAY_ERR_CONFLICT,
                          "the manifest has changed since last read: there is "
                          "a history already");
    return st == ASSAY_ERR_NOT_FOUND ? note_first(s, FIRST_PENDING, err) : st;
}

void
history_settle_first(const struct store *s)
{
    bool pending = false;

    if (first_is_pending(s, &pending, NULL) == ASSAY_OK && pending &&
        note_first(s, FIRST_DONE, NULL) != ASSAY_OK)
        return;
}

enum assay_status
history_swap_head(const struct store *s, const struct history_head *old,
                  const struct history_head *head, struct assay_error *err)
{
    uint8_t old_bytes[HEAD_MAX], bytes[HEAD_MAX];
    size_t old_len = old ? head_encode(old, old_bytes) : 0;
    size_t len = head_encode(head, bytes);

    return store_cas(s, HEAD_KEY, span_of(old_bytes, old_len),
                     span_of(bytes, len), err);
}

/* A ring would need a collision of SHA-256, as every object is checked against
 * its name; the ceiling ends the walk even then. */
enum assay_status
history_walk(const struct store *s, const struct history_hash *from,
             history_visitor *visit, void *ctx, struct assay_error *err)
{
    struct history_hash at = *from;

    for (uint32_t i = 0; !history_hash_is_zero(&at); i++) {
        struct transition t;
        enum assay_status st;

        if (i == LIMIT_HISTORY_LENGTH)
            return assay_fail(err, ASSAY_ERR_LIMIT,
                              "history: more than %d transitions, or a ring",
                              LIMIT_HISTORY_LENGTH);
        st = history_get_transition(s, &at, &t, err);
        if (st != ASSAY_OK)
            return st;
        if (!visit(ctx, &at, &t))
            return ASSAY_OK;
        at = t.previous;
    }
    return ASSAY_OK;
}

static bool
count_one(void *ctx, const struct history_hash *hash,
          const struct transition *t)
{
    uint64_t *count = ctx;

    (void)hash;
    (void)t;
    ++*count;
    return true;
}

enum assay_status
history_count(const struct store *s, const struct history_hash *from,
              uint64_t *count, struct assay_error *err)
{
    uint64_t n = 0;
    enum assay_status st = history_walk(s, from, count_one, &n, err);

    if (st == ASSAY_OK)
        *count = n;
    return st;
}
