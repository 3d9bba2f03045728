/* Names and extensions, encoded. */
#include <string.h>

#include <openssl/evp.h>

#include "base/limits.h"
#include "crypto/ossl.h"
#include "crypto/x509_build.h"

/* --- names --------------------------------------------------------------- */

/* X.680 section 41.4. */
static bool
is_printable(const char *text)
{
    static const char others[] = " '()+,-./:=?";

    for (; *text; text++) {
        bool letter = (*text >= 'A' && *text <= 'Z') ||
                      (*text >= 'a' && *text <= 'z') ||
                      (*text >= '0' && *text <= '9');

        if (!letter && !strchr(others, *text))
            return false;
    }
    return true;
}

static void
add_rdn(struct buffer *b, const struct x509_attribute *a)
{
    size_t set = der_begin(b), pair = der_begin(b);

    der_add_oid(b, a->oid);
    der_add_str(b, (uint8_t)a->string, a->text);
    der_end(b, DER_SEQUENCE, pair);
    der_end(b, DER_SET, set);
}

enum assay_status
x509_name_encode(const struct x509_attribute *attributes, size_t count,
                 struct buffer *out, struct assay_error *err)
{
    size_t mark = der_begin(out);

    for (size_t i = 0; i < count; i++) {
        const struct x509_attribute *a = &attributes[i];

        if (a->string == DER_PRINTABLE_STRING && !is_printable(a->text))
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "name: \"%s\" is no PrintableString", a->text);
        add_rdn(out, a);
    }
    der_end(out, DER_SEQUENCE, mark);
    return buffer_check(out, "name", err);
}

enum assay_status
x509_name_common_name(const char *text, struct buffer *out,
                      struct assay_error *err)
{
    const struct x509_attribute cn = {
        "2.5.4.3",
        is_printable(text) ? DER_PRINTABLE_STRING : DER_UTF8_STRING,
        text,
    };

    return x509_name_encode(&cn, *text ? 1 : 0, out, err);
}

/* --- extensions ---------------------------------------------------------- */

void
x509_extensions_init(struct x509_extensions *x, struct arena *arena)
{
    x->arena = arena;
    x->count = 0;
    x->failed = false;
}

void
x509_add_raw(struct x509_extensions *x, const char *oid, bool critical,
             struct span value)
{
    if (x->count == X509_EXTENSIONS_MAX)
        x->failed = true;
    if (!x->failed)
        x->items[x->count++] = (struct cert_extension){ oid, critical, value };
}

/* What the helpers below encode is small: names are the longest. */
static struct buffer
value_begin(void)
{
    struct buffer b;

    buffer_init(&b, LIMIT_CERT_BYTES, NULL);
    return b;
}

static void
value_end(struct x509_extensions *x, const char *oid, bool critical,
          struct buffer *b)
{
    struct span kept = { 0 };

    if (b->failed || !arena_dup(x->arena, buffer_span(b), &kept))
        x->failed = true;
    x509_add_raw(x, oid, critical, kept);
    buffer_free(b);
}

void
x509_add_basic_constraints(struct x509_extensions *x, bool is_ca, int path_len)
{
    struct buffer b = value_begin();
    size_t mark = der_begin(&b);

    if (is_ca)
        der_add_bool(&b, true); /* FALSE is the default: left out */
    if (path_len >= 0)
        der_add_uint(&b, (uint64_t)path_len);
    der_end(&b, DER_SEQUENCE, mark);
    value_end(x, "2.5.29.19", true, &b);
}

void
x509_add_key_usage(struct x509_extensions *x, unsigned usage)
{
    struct buffer b = value_begin();
    uint8_t bits[3] = { 0 }; /* of nine named bits; first, the unused ones */
    size_t len = 1;

    for (unsigned i = 0; i < 9; i++) {
        if ((usage >> i & 1) == 0)
            continue;
        bits[1 + i / 8] |= (uint8_t)(0x80u >> i % 8);
        bits[0] = (uint8_t)(7 - i % 8);
        len = 2 + i / 8;
    }
    der_add(&b, DER_BIT_STRING, span_of(bits, len));
    value_end(x, "2.5.29.15", true, &b);
}

void
x509_add_tls_ext_key_usage(struct x509_extensions *x)
{
    struct buffer b = value_begin();
    size_t mark = der_begin(&b);

    der_add_oid(&b, "1.3.6.1.5.5.7.3.2"); /* clientAuth */
    der_add_oid(&b, "1.3.6.1.5.5.7.3.1"); /* serverAuth */
    der_end(&b, DER_SEQUENCE, mark);
    value_end(x, "2.5.29.37", false, &b);
}

void
x509_add_subject_key_id(struct x509_extensions *x, struct span id)
{
    struct buffer b = value_begin();

    der_add(&b, DER_OCTET_STRING, id);
    value_end(x, "2.5.29.14", false, &b);
}

void
x509_add_authority_key_id(struct x509_extensions *x, struct span id)
{
    struct buffer b = value_begin();
    size_t mark = der_begin(&b);

    der_add(&b, DER_CONTEXT, id);
    der_end(&b, DER_SEQUENCE, mark);
    value_end(x, "2.5.29.35", false, &b);
}

void
x509_add_crl_number(struct x509_extensions *x, uint64_t number)
{
    struct buffer b = value_begin();

    der_add_uint(&b, number);
    value_end(x, "2.5.29.20", false, &b);
}

void
x509_add_alt_names(struct x509_extensions *x, const struct x509_alt_name *names,
                   size_t count)
{
    struct buffer b = value_begin();
    size_t mark = der_begin(&b);

    for (size_t i = 0; i < count; i++)
        der_add(&b, (uint8_t)(DER_CONTEXT | (unsigned)names[i].kind),
                names[i].value);
    der_end(&b, DER_SEQUENCE, mark);
    value_end(x, "2.5.29.17", false, &b);
}

enum assay_status
x509_key_id(const struct key *key, uint8_t id[X509_KEY_ID_SIZE],
            struct assay_error *err)
{
    struct reader outer = reader_over(key_spki(key));
    struct reader rd = reader_over(rd_der(&outer, DER_SEQUENCE));
    struct span bits;

    (void)rd_der(&rd, DER_SEQUENCE);
    bits = rd_der(&rd, DER_BIT_STRING);
    bits = span_sub(bits, 1, bits.len); /* without the count of unused bits */
    if (EVP_Digest(bits.ptr, bits.len, id, NULL, EVP_sha1(), NULL) != 1)
        return ossl_fail(err, ASSAY_ERR_NOMEM, "key identifier");
    return ASSAY_OK;
}
