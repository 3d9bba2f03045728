#include "crypto/secret.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/num.h"

/* Len rounded up to whole pages; 0 when there is no such number. */
static size_t
page_round(size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t sum;

    if (!size_add(len, page - 1, &sum))
        return 0;
    return sum - sum % page;
}

enum assay_status
secret_alloc(struct secret *s, size_t len, struct assay_error *err)
{
    size_t mapped = page_round(len);
    void *ptr;

    if (len == 0 || mapped == 0)
        return assay_fail(err, ASSAY_ERR_LIMIT, "secret: %zu bytes", len);
    ptr = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (ptr == MAP_FAILED)
        return assay_nomem(err, "secret");
    /* Best effort: a kernel without them still runs us, and the programs
     * forbid core dumps altogether. */
    (void)madvise(ptr, mapped, MADV_DONTDUMP);
    (void)madvise(ptr, mapped, MADV_WIPEONFORK);
    *s = (struct secret){ ptr, len, mapped };
    return ASSAY_OK;
}

enum assay_status
secret_copy(struct secret *s, struct span bytes, struct assay_error *err)
{
    enum assay_status st = secret_alloc(s, bytes.len, err);

    if (st == ASSAY_OK)
        memcpy(s->ptr, bytes.ptr, bytes.len);
    return st;
}

enum assay_status
secret_random(struct secret *s, size_t len, const struct random_source *source,
              struct assay_error *err)
{
    struct secret fresh = { 0 };
    enum assay_status st = secret_alloc(&fresh, len, err);

    if (st != ASSAY_OK)
        return st;
    st = random_fill(source, fresh.ptr, len, err);
    if (st != ASSAY_OK) {
        secret_wipe(&fresh);
        return st;
    }
    *s = fresh;
    return ASSAY_OK;
}

struct span
secret_span(const struct secret *s)
{
    return span_of(s->ptr, s->len);
}

void
secret_wipe(struct secret *s)
{
    if (s->ptr) {
        OPENSSL_cleanse(s->ptr, s->mapped);
        (void)munmap(s->ptr, s->mapped);
    }
    *s = (struct secret){ 0 };
}

void
secret_cleanse(void *ptr, size_t len)
{
    if (len > 0)
        OPENSSL_cleanse(ptr, len);
}

void
secret_buffer_free(struct buffer *b)
{
    secret_cleanse(b->ptr, b->ptr ? b->cap : 0);
    buffer_free(b);
}

bool
secret_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}
