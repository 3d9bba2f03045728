#include "atls/cert.h"

#include "base/limits.h"
#include "crypto/digest.h"
#include "crypto/x509_build.h"

enum {
    VALID_BEFORE_S = 2 * 3600, /* tolerates clocks that disagree */
    VALID_AFTER_S = 2 * 3600,
    BUILD_ARENA_BYTES = 4096,
};

enum assay_status
atls_report_data(struct span spki, const uint8_t nonce[ATLS_NONCE_SIZE],
                 uint8_t out[ATLS_REPORT_DATA_SIZE], struct assay_error *err)
{
    const struct span parts[] = { spki, span_of(nonce, ATLS_NONCE_SIZE) };

    return digest_compute(DIGEST_SHA512, parts, 2, out, err);
}

/* What goes into the extension. */
struct own_evidence {
    enum evidence_oid oid;
    struct buffer bytes;
};

static enum assay_status
make_evidence(const struct atls_issuer *issuer, const struct key *key,
              const uint8_t nonce[ATLS_NONCE_SIZE], struct own_evidence *out,
              struct assay_error *err)
{
    uint8_t report_data[ATLS_REPORT_DATA_SIZE];
    enum assay_status st =
        atls_report_data(key_spki(key), nonce, report_data, err);

    if (st == ASSAY_OK)
        st = issuer->issue(issuer->ctx, report_data, &out->oid, &out->bytes,
                           err);
    if (st == ASSAY_OK)
        st = buffer_check(&out->bytes, "evidence", err);
    return assay_context(err, st, "own evidence");
}

static enum assay_status
build_with(const struct atls_params *params, const struct key *key,
           const struct own_evidence *evidence, struct arena *arena,
           struct buffer *der, struct assay_error *err)
{
    struct x509_extensions *extensions = NULL;
    struct buffer name;
    int64_t now = clock_now(params->clock);
    enum assay_status st;

    buffer_init(&name, LIMIT_CERT_BYTES, NULL);
    st = x509_name_common_name("Contrast", &name, err);
    if (st == ASSAY_OK && params->issuer) {
        extensions = arena_alloc(arena, sizeof(*extensions));
        if (!extensions)
            st = assay_nomem(err, "certificate");
    }
    if (extensions) {
        x509_extensions_init(extensions, arena);
        x509_add_raw(extensions, evidence_oid_text(evidence->oid), false,
                     buffer_span(&evidence->bytes));
    }
    if (st == ASSAY_OK)
        st = cert_build(&(struct cert_spec){ .subject = buffer_span(&name),
                                             .random = params->random,
                                             .not_before = now - VALID_BEFORE_S,
                                             .not_after = now + VALID_AFTER_S,
                                             .key = key,
                                             .extensions = extensions },
                        der, err);
    buffer_free(&name);
    return st;
}

enum assay_status
atls_cert_build(const struct atls_params *params, const struct key *key,
                const uint8_t nonce[ATLS_NONCE_SIZE], struct buffer *der,
                struct assay_error *err)
{
    struct arena arena;
    struct own_evidence evidence = { 0 };
    enum assay_status st = ASSAY_OK;

    arena_init(&arena, BUILD_ARENA_BYTES + sizeof(struct x509_extensions),
               NULL);
    buffer_init(&evidence.bytes, LIMIT_EVIDENCE_BYTES, NULL);
    if (params->issuer)
        st = make_evidence(params->issuer, key, nonce, &evidence, err);
    if (st == ASSAY_OK)
        st = build_with(params, key, &evidence, &arena, der, err);
    buffer_free(&evidence.bytes);
    arena_drop(&arena);
    return st;
}

/* Everything about the certificate but its evidence. Possession of the key is
 * proven by the handshake itself; the self-signature says that the owner of
 * the key wanted this evidence beside it. */
static enum assay_status
check_form(const struct cert *cert, int64_t now, struct assay_error *err)
{
    char from[RFC3339_SIZE], until[RFC3339_SIZE], at[RFC3339_SIZE];
    bool self_signed = false;
    enum assay_status st;

    if (now < cert_not_before(cert) || now > cert_not_after(cert)) {
        rfc3339_format(cert_not_before(cert), from);
        rfc3339_format(cert_not_after(cert), until);
        rfc3339_format(now, at);
        return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                          "certificate valid %s to %s, now is %s", from, until,
                          at);
    }
    for (size_t i = 0; i < cert_extension_count(cert); i++) {
        struct cert_extension x = cert_extension_at(cert, i);

        if (x.critical && evidence_oid_from_text(x.oid) == EVIDENCE_OID_NONE)
            return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                              "certificate: unknown critical extension %s",
                              x.oid);
    }
    st = cert_is_signed_by(cert, cert_key(cert), &self_signed, err);
    if (st == ASSAY_OK && !self_signed)
        st = assay_fail(err, ASSAY_ERR_UNTRUSTED,
                        "certificate: not signed by its own key");
    return st;
}

/* Tries each evidence extension in certificate order; the first that the
 * validator accepts decides. Duplicate OIDs never get here: the parser refuses
 * them, so the loop runs validators at most once per kind. */
static enum assay_status
check_evidence(const struct cert *cert, const struct atls_validator *validator,
               const uint8_t report_data[ATLS_REPORT_DATA_SIZE],
               struct atls_peer *peer, struct assay_error *err)
{
    enum assay_status st =
        assay_fail(err, ASSAY_ERR_UNTRUSTED, "certificate carries no evidence");
    size_t seen = 0;

    for (size_t i = 0; i < cert_extension_count(cert); i++) {
        struct cert_extension x = cert_extension_at(cert, i);
        enum evidence_oid oid = evidence_oid_from_text(x.oid);
        struct assay_error why = { 0 };
        enum assay_status got;

        if (oid == EVIDENCE_OID_NONE)
            continue;
        got = validator->validate(validator->ctx, oid, x.value, report_data,
                                  &peer->result, &why);
        if (got == ASSAY_OK) {
            peer->oid = oid;
            peer->evidence = x.value;
            return ASSAY_OK;
        }
        if (seen++ > 0 && got == ASSAY_ERR_UNSUPPORTED)
            continue; /* the refusal we have tells more */
        st = assay_fail(err, got, "%s", why.text);
    }
    if (st == ASSAY_ERR_UNSUPPORTED)
        return assay_fail(err, ASSAY_ERR_UNTRUSTED,
                          "no validator for this kind of evidence");
    return st;
}

enum assay_status
atls_cert_verify(const struct cert *cert,
                 const struct atls_validator *validator,
                 const uint8_t nonce[ATLS_NONCE_SIZE], int64_t now,
                 struct atls_peer *peer, struct assay_error *err)
{
    uint8_t report_data[ATLS_REPORT_DATA_SIZE];
    struct atls_peer who = { .key = cert_key(cert), .nonce = nonce };
    enum assay_status st = ASSAY_OK;

    if (validator)
        st = check_form(cert, now, err);
    if (st == ASSAY_OK && validator)
        st = atls_report_data(cert_spki(cert), nonce, report_data, err);
    if (st == ASSAY_OK && validator)
        st = check_evidence(cert, validator, report_data, &who, err);
    if (st == ASSAY_OK)
        *peer = who;
    return st;
}
