#include "codec/pem_key.h"

#include "base/limits.h"
#include "crypto/der.h"

/* --- keys ---------------------------------------------------------------- */

static bool
is_private_key(const struct pem_block *block)
{
    return pem_is(block, "PRIVATE KEY") || pem_is(block, "EC PRIVATE KEY") ||
           pem_is(block, "RSA PRIVATE KEY");
}

/* Exactly one block that accept takes, "EC PARAMETERS" aside. */
static enum assay_status
find_only_block(struct span pem, bool (*accept)(const struct pem_block *),
                const char *what, struct pem_block *out,
                struct assay_error *err)
{
    struct pem_block block, found = { 0 };
    enum assay_status st;

    if (pem.len > LIMIT_KEY_FILE_BYTES)
        return assay_fail(err, ASSAY_ERR_LIMIT, "%s: %zu bytes, at most %d",
                          what, pem.len, LIMIT_KEY_FILE_BYTES);
    while ((st = pem_next(&pem, &block, err)) == ASSAY_OK) {
        if (pem_is(&block, "EC PARAMETERS"))
            continue;
        if (!accept(&block))
            return assay_fail(
                err, ASSAY_ERR_MALFORMED, "PEM: block \"%.*s\", want a %s",
                (int)block.label.len, (const char *)block.label.ptr, what);
        if (found.label.len > 0)
            return assay_fail(err, ASSAY_ERR_MALFORMED, "PEM: more than one %s",
                              what);
        found = block;
    }
    if (st != ASSAY_ERR_NOT_FOUND)
        return st;
    if (found.label.len == 0)
        return assay_fail(err, ASSAY_ERR_NOT_FOUND, "PEM: no %s", what);
    *out = found;
    return ASSAY_OK;
}

enum assay_status
pem_private_key_decode(struct span pem, struct key **out,
                       struct assay_error *err)
{
    struct secret scratch = { 0 };
    struct pem_block block;
    struct span der;
    enum assay_status st =
        find_only_block(pem, is_private_key, "private key", &block, err);

    if (st == ASSAY_OK)
        st = secret_alloc(&scratch, pem_scratch_size(&block), err);
    if (st != ASSAY_OK)
        return st;
    st = pem_decode_into(&block, scratch.ptr, &der, err);
    if (st == ASSAY_OK)
        st = key_from_private_der(der, out, err);
    secret_wipe(&scratch);
    return st;
}

static bool
is_public_key(const struct pem_block *block)
{
    return pem_is(block, "PUBLIC KEY");
}

enum assay_status
pem_public_key_decode(struct span pem, struct key **out,
                      struct assay_error *err)
{
    struct pem_block block;
    struct buffer der;
    enum assay_status st =
        find_only_block(pem, is_public_key, "public key", &block, err);

    if (st != ASSAY_OK)
        return st;
    buffer_init(&der, LIMIT_KEY_FILE_BYTES, NULL);
    st = pem_decode(&block, &der, err);
    if (st == ASSAY_OK)
        st = key_from_spki_der(buffer_span(&der), out, err);
    buffer_free(&der);
    return st;
}

static const char *
private_label(const struct key *key, bool legacy)
{
    if (!legacy)
        return "PRIVATE KEY";
    return key_type(key) == KEY_P256 || key_type(key) == KEY_P384
               ? "EC PRIVATE KEY"
               : "RSA PRIVATE KEY";
}

enum assay_status
pem_private_key_encode(const struct key *key, bool legacy, struct secret *out,
                       struct assay_error *err)
{
    const char *label = private_label(key, legacy);
    struct secret der = { 0 }, text = { 0 };
    struct writer wr;
    enum assay_status st =
        legacy ? key_legacy_der(key, &der, err) : key_pkcs8_der(key, &der, err);

    if (st == ASSAY_OK)
        st = secret_alloc(&text, pem_encoded_size(label, der.len), err);
    if (st == ASSAY_OK) {
        wr = writer_over(text.ptr, text.len);
        pem_write(&wr, label, secret_span(&der));
        *out = text;
    }
    secret_wipe(&der);
    return st;
}

/* --- certificates -------------------------------------------------------- */

enum assay_status
pem_cert_encode(struct span der, struct buffer *out, struct assay_error *err)
{
    return pem_encode("CERTIFICATE", der, out, err);
}

static enum assay_status
decode_cert(const struct pem_block *block, struct cert **out,
            struct assay_error *err)
{
    struct buffer der;
    enum assay_status st;

    if (!pem_is(block, "CERTIFICATE"))
        return assay_fail(
            err, ASSAY_ERR_MALFORMED, "PEM: block \"%.*s\", want CERTIFICATE",
            (int)block->label.len, (const char *)block->label.ptr);
    buffer_init(&der, LIMIT_CERT_BYTES + LIMIT_EVIDENCE_BYTES, NULL);
    st = pem_decode(block, &der, err);
    if (st == ASSAY_OK)
        st = cert_parse(buffer_span(&der), out, err);
    buffer_free(&der);
    return st;
}

static enum assay_status
decode_certs(struct span pem, struct cert **out, size_t max, size_t *count,
             struct assay_error *err)
{
    struct pem_block block;
    enum assay_status st;

    while ((st = pem_next(&pem, &block, err)) == ASSAY_OK) {
        if (*count == max)
            return assay_fail(err, ASSAY_ERR_LIMIT,
                              "PEM: more than %zu certificates", max);
        st = decode_cert(&block, &out[*count], err);
        if (st != ASSAY_OK)
            return st;
        (*count)++;
    }
    return st == ASSAY_ERR_NOT_FOUND && *count > 0 ? ASSAY_OK : st;
}

enum assay_status
pem_certs_decode(struct span file, struct cert **out, size_t max, size_t *count,
                 struct assay_error *err)
{
    size_t n = 0;
    enum assay_status st;

    if (max > 0 && file.len > 0 && file.ptr[0] == DER_SEQUENCE) {
        st = cert_parse(file, out, err);
        n = 1;
    } else {
        st = decode_certs(file, out, max, &n, err);
        while (st != ASSAY_OK && n > 0)
            cert_free(out[--n]);
    }
    if (st == ASSAY_OK)
        *count = n;
    return st;
}
