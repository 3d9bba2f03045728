/* Fails the allocation of OpenSSL's that a test names. */
#ifndef ASSAY_TESTS_OSSL_ALLOC_H
#define ASSAY_TESTS_OSSL_ALLOC_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>

/* The hook OpenSSL has takes no context, so the count cannot be a parameter.
 */
static size_t ossl_calls;              /* since it was last set to 0 */
static size_t ossl_fail_at = SIZE_MAX; /* the call that fails */
static size_t ossl_live;               /* blocks not yet freed */

static void *
hook_malloc(size_t size, const char *file, int line)
{
    void *ptr;

    (void)file;
    (void)line;
    if (ossl_calls++ == ossl_fail_at)
        return NULL;
    ptr = malloc(size);
    ossl_live += ptr != NULL;
    return ptr;
}

static void
hook_free(void *ptr, const char *file, int line)
{
    (void)file;
    (void)line;
    ossl_live -= ptr != NULL;
    free(ptr);
}

static void *
hook_realloc(void *ptr, size_t size, const char *file, int line)
{
    void *got;

    if (!ptr)
        return hook_malloc(size, file, line);
    if (ossl_calls++ == ossl_fail_at)
        return NULL;
    got = realloc(ptr, size);
    return got;
}

/* To be called before OpenSSL allocates anything. */
static bool
ossl_alloc_hook(void)
{
    if (CRYPTO_set_mem_functions(hook_malloc, hook_realloc, hook_free) == 1)
        return true;
    (void)fprintf(stderr, "OpenSSL takes no memory functions\n");
    return false;
}

#endif
