#include "crypto/x509_build.h"

#include <inttypes.h>
#include <time.h>

#include "base/limits.h"
#include "crypto/random.h"

enum {
    SERIAL_RANDOM_SIZE = 16,
    SERIAL_MAX = 20, /* RFC 5280 section 4.1.2.2 */
    BUILD_BYTES_MAX = LIMIT_CERT_BYTES + LIMIT_EVIDENCE_BYTES,
};

/* --- parts --------------------------------------------------------------- */

/* RFC 4055 section 3.1: SHA-384, MGF1 with SHA-384, 48 bytes of salt. */
static void
add_pss_params(struct buffer *b, bool trailer)
{
    size_t params = der_begin(b), field, mgf, hash;

    field = hash = der_begin(b);
    der_add_oid(b, "2.16.840.1.101.3.4.2.2");
    der_add(b, DER_NULL, span_of(NULL, 0));
    der_end(b, DER_SEQUENCE, hash);
    der_end(b, DER_CONTEXT_CONSTRUCTED | 0, field);
    field = mgf = der_begin(b);
    der_add_oid(b, "1.2.840.113549.1.1.8");
    hash = der_begin(b);
    der_add_oid(b, "2.16.840.1.101.3.4.2.2");
    der_add(b, DER_NULL, span_of(NULL, 0));
    der_end(b, DER_SEQUENCE, hash);
    der_end(b, DER_SEQUENCE, mgf);
    der_end(b, DER_CONTEXT_CONSTRUCTED | 1, field);
    field = der_begin(b);
    der_add_uint(b, 48);
    der_end(b, DER_CONTEXT_CONSTRUCTED | 2, field);
    if (trailer) {
        field = der_begin(b);
        der_add_uint(b, 1);
        der_end(b, DER_CONTEXT_CONSTRUCTED | 3, field);
    }
    der_end(b, DER_SEQUENCE, params);
}

static void
add_algorithm(struct buffer *b, enum signature_alg alg, bool pss_trailer)
{
    size_t mark = der_begin(b);

    switch (alg) {
    case SIGNATURE_ECDSA_SHA256:
        der_add_oid(b, "1.2.840.10045.4.3.2");
        break;
    case SIGNATURE_ECDSA_SHA384:
        der_add_oid(b, "1.2.840.10045.4.3.3");
        break;
    case SIGNATURE_RSA_PKCS1_SHA256:
        der_add_oid(b, "1.2.840.113549.1.1.11");
        der_add(b, DER_NULL, span_of(NULL, 0));
        break;
    case SIGNATURE_RSA_PSS_SHA384:
        der_add_oid(b, "1.2.840.113549.1.1.10");
        add_pss_params(b, pss_trailer);
        break;
    case SIGNATURE_OTHER:
        break; /* check_spec has refused it */
    }
    der_end(b, DER_SEQUENCE, mark);
}

/* RFC 5280 section 4.1.2.5: two digits of the year through 2049. */
static enum assay_status
add_time(struct buffer *b, int64_t instant, struct assay_error *err)
{
    time_t t = (time_t)instant;
    char text[16];
    struct tm tm;

    if (!gmtime_r(&t, &tm) || tm.tm_year < -900 || tm.tm_year > 8099)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "time: %" PRId64 " is not in the years 1000 to 9999",
                          instant);
    (void)strftime(text, sizeof(text), "%Y%m%d%H%M%SZ", &tm);
    if (tm.tm_year >= 50 && tm.tm_year < 150)
        der_add_str(b, DER_UTC_TIME, text + 2);
    else
        der_add_str(b, DER_GENERALIZED_TIME, text);
    return ASSAY_OK;
}

/* Extensions ::= SEQUENCE OF { OID, critical DEFAULT FALSE, OCTET STRING },
 * under the context tag that certificates and CRLs give it. */
static void
add_extensions(struct buffer *b, uint8_t number,
               const struct x509_extensions *x)
{
    size_t field = der_begin(b), list = der_begin(b);

    if (!x || x->count == 0)
        return;
    for (size_t i = 0; i < x->count; i++) {
        size_t mark = der_begin(b);

        der_add_oid(b, x->items[i].oid);
        if (x->items[i].critical)
            der_add_bool(b, true);
        der_add(b, DER_OCTET_STRING, x->items[i].value);
        der_end(b, DER_SEQUENCE, mark);
    }
    der_end(b, DER_SEQUENCE, list);
    der_end(b, (uint8_t)(DER_CONTEXT_CONSTRUCTED | number), field);
}

static enum assay_status
check_spec(enum signature_alg alg, const struct x509_extensions *x,
           struct assay_error *err)
{
    if (alg == SIGNATURE_OTHER)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "the signer's key is of no kind that signs");
    if (x && x->failed)
        return assay_nomem(err, "extensions");
    return ASSAY_OK;
}

/* SEQUENCE { part, algorithm, BIT STRING signature } onto out. */
static enum assay_status
sign(struct span part, const struct key *signer, enum signature_alg alg,
     bool pss_trailer, struct buffer *out, struct assay_error *err)
{
    static const uint8_t no_unused_bits = 0;
    struct buffer whole, bits;
    size_t mark;
    enum assay_status st;

    buffer_init(&bits, LIMIT_CERT_BYTES, NULL);
    buffer_init(&whole, LIMIT_CRL_BYTES, NULL);
    buffer_add(&bits, span_of(&no_unused_bits, 1));
    st = key_sign(signer, alg, part, &bits, err);
    if (st == ASSAY_OK) {
        mark = der_begin(&whole);
        buffer_add(&whole, part);
        add_algorithm(&whole, alg, pss_trailer);
        der_add(&whole, DER_BIT_STRING, buffer_span(&bits));
        der_end(&whole, DER_SEQUENCE, mark);
        st = buffer_check(&whole, "signed part", err);
    }
    if (st == ASSAY_OK) {
        buffer_add(out, buffer_span(&whole));
        st = buffer_check(out, "signed part", err);
    }
    buffer_free(&whole);
    buffer_free(&bits);
    return st;
}

/* --- certificates -------------------------------------------------------- */

static enum assay_status
add_serial(struct buffer *b, const struct cert_spec *spec,
           struct assay_error *err)
{
    uint8_t fresh[SERIAL_RANDOM_SIZE];
    enum assay_status st = ASSAY_OK;

    if (spec->serial.len > SERIAL_MAX)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "serial number: %zu bytes, at most %d",
                          spec->serial.len, SERIAL_MAX);
    if (spec->serial.len > 0) {
        der_add_number(b, spec->serial);
        return ASSAY_OK;
    }
    st = random_fill(spec->random ? spec->random : &random_system, fresh,
                     sizeof(fresh), err);
    fresh[0] &= 0x7f;
    fresh[sizeof(fresh) - 1] |= 0x01; /* never zero */
    der_add_number(b, span_of(fresh, sizeof(fresh)));
    return st;
}

static enum assay_status
add_certificate(struct buffer *b, const struct cert_spec *spec,
                enum signature_alg alg, struct assay_error *err)
{
    size_t whole = der_begin(b), mark = der_begin(b);
    enum assay_status st;

    der_add_uint(b, 2); /* v3 */
    der_end(b, DER_CONTEXT_CONSTRUCTED | 0, mark);
    st = add_serial(b, spec, err);
    if (st != ASSAY_OK)
        return st;
    add_algorithm(b, alg, spec->pss_trailer);
    buffer_add(b, spec->issuer.len > 0 ? spec->issuer : spec->subject);
    mark = der_begin(b);
    st = add_time(b, spec->not_before, err);
    if (st == ASSAY_OK)
        st = add_time(b, spec->not_after, err);
    if (st != ASSAY_OK)
        return st;
    der_end(b, DER_SEQUENCE, mark);
    buffer_add(b, spec->subject);
    buffer_add(b, key_spki(spec->key));
    add_extensions(b, 3, spec->extensions);
    der_end(b, DER_SEQUENCE, whole);
    return buffer_check(b, "certificate", err);
}

enum assay_status
cert_build(const struct cert_spec *spec, struct buffer *out,
           struct assay_error *err)
{
    const struct key *signer = spec->signer ? spec->signer : spec->key;
    enum signature_alg alg =
        spec->alg != SIGNATURE_OTHER ? spec->alg : key_signature_alg(signer);
    struct buffer part;
    enum assay_status st = check_spec(alg, spec->extensions, err);

    if (st != ASSAY_OK)
        return st;
    buffer_init(&part, BUILD_BYTES_MAX, NULL);
    st = add_certificate(&part, spec, alg, err);
    if (st == ASSAY_OK)
        st = sign(buffer_span(&part), signer, alg, spec->pss_trailer, out, err);
    buffer_free(&part);
    return assay_context(err, st, "certificate");
}

/* --- revocation lists ---------------------------------------------------- */

static enum assay_status
add_entries(struct buffer *b, const struct crl_spec *spec,
            struct assay_error *err)
{
    size_t list = der_begin(b);
    enum assay_status st = ASSAY_OK;

    if (spec->entry_count == 0)
        return ASSAY_OK; /* RFC 5280 section 5.1.2.6: absent, not empty */
    for (size_t i = 0; i < spec->entry_count && st == ASSAY_OK; i++) {
        size_t mark = der_begin(b);

        der_add_number(b, spec->entries[i].serial);
        st = add_time(b, spec->entries[i].revoked_at, err);
        der_end(b, DER_SEQUENCE, mark);
    }
    der_end(b, DER_SEQUENCE, list);
    return st;
}

static enum assay_status
add_list(struct buffer *b, const struct crl_spec *spec, enum signature_alg alg,
         struct assay_error *err)
{
    size_t whole = der_begin(b);
    enum assay_status st;

    der_add_uint(b, 1); /* v2 */
    add_algorithm(b, alg, spec->pss_trailer);
    buffer_add(b, spec->issuer);
    st = add_time(b, spec->this_update, err);
    if (st == ASSAY_OK)
        st = add_time(b, spec->next_update, err);
    if (st == ASSAY_OK)
        st = add_entries(b, spec, err);
    if (st != ASSAY_OK)
        return st;
    add_extensions(b, 0, spec->extensions);
    der_end(b, DER_SEQUENCE, whole);
    return buffer_check(b, "CRL", err);
}

enum assay_status
crl_build(const struct crl_spec *spec, struct buffer *out,
          struct assay_error *err)
{
    enum signature_alg alg = spec->alg != SIGNATURE_OTHER
                                 ? spec->alg
                                 : key_signature_alg(spec->signer);
    struct buffer part;
    enum assay_status st = check_spec(alg, spec->extensions, err);

    if (st != ASSAY_OK)
        return st;
    buffer_init(&part, LIMIT_CRL_BYTES, NULL);
    st = add_list(&part, spec, alg, err);
    if (st == ASSAY_OK)
        st = sign(buffer_span(&part), spec->signer, alg, spec->pss_trailer, out,
                  err);
    buffer_free(&part);
    return assay_context(err, st, "CRL");
}
