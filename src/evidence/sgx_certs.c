#include "evidence/sgx_certs.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/limits.h"
#include "codec/pem.h"
#include "crypto/digest.h"

static const char *const role_names[SGX_CERT_ROLES] = {
    [SGX_CERT_OTHER] = "another certificate",
    [SGX_CERT_ROOT] = "Intel SGX Root CA",
    [SGX_CERT_PLATFORM_CA] = "Intel SGX PCK Platform CA",
    [SGX_CERT_PROCESSOR_CA] = "Intel SGX PCK Processor CA",
    [SGX_CERT_PCK] = "Intel SGX PCK Certificate",
    [SGX_CERT_TCB_SIGNER] = "Intel SGX TCB Signing",
};

enum sgx_cert_role
sgx_cert_role(const struct cert *cert)
{
    for (int i = SGX_CERT_ROOT; i < SGX_CERT_ROLES; i++) {
        if (strcmp(cert_common_name(cert), role_names[i]) == 0)
            return (enum sgx_cert_role)i;
    }
    return SGX_CERT_OTHER;
}

const char *
sgx_cert_role_name(enum sgx_cert_role role)
{
    return role_names[role];
}

/* --- lists --------------------------------------------------------------- */

void
sgx_cert_list_add(struct sgx_cert_list *list, const struct cert *cert)
{
    if (cert && list->count < SGX_CERTS_MAX)
        list->items[list->count++] = cert_dup(cert);
}

static const struct cert *
find_bytes(const struct sgx_cert_list *list, struct span der)
{
    for (size_t i = 0; list && i < list->count; i++) {
        if (span_equal(cert_der(list->items[i]), der))
            return list->items[i];
    }
    return NULL;
}

static enum assay_status
add_der(struct span der, const struct sgx_cert_list *known,
        struct sgx_cert_list *out, struct assay_error *err)
{
    const struct cert *same = find_bytes(known, der);
    enum assay_status st;

    if (same) {
        sgx_cert_list_add(out, same);
        return ASSAY_OK;
    }
    st = cert_parse(der, &out->items[out->count], err);
    if (st == ASSAY_OK)
        out->count++;
    return st;
}

static enum assay_status
add_block(const struct pem_block *block, const struct sgx_cert_list *known,
          struct sgx_cert_list *out, struct assay_error *err)
{
    struct buffer der;
    enum assay_status st;

    if (!pem_is(block, "CERTIFICATE"))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "PEM: got a block that is no certificate");
    if (out->count == SGX_CERTS_MAX)
        return assay_fail(err, ASSAY_ERR_LIMIT, "more than %d certificates",
                          SGX_CERTS_MAX);
    buffer_init(&der, LIMIT_CERT_BYTES, NULL);
    st = pem_decode(block, &der, err);
    if (st == ASSAY_OK)
        st = add_der(buffer_span(&der), known, out, err);
    buffer_free(&der);
    return st;
}

enum assay_status
sgx_cert_list_read(struct span pem, const struct sgx_cert_list *known,
                   struct sgx_cert_list *out, struct assay_error *err)
{
    struct pem_block block;
    enum assay_status st;

    *out = (struct sgx_cert_list){ 0 };
    if (pem.len > 0 && pem.ptr[pem.len - 1] == '\0')
        pem.len--;
    while ((st = pem_next(&pem, &block, err)) == ASSAY_OK) {
        st = add_block(&block, known, out, err);
        if (st != ASSAY_OK)
            return st;
    }
    if (st != ASSAY_ERR_NOT_FOUND)
        return st;
    if (out->count == 0)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "no certificate in PEM was found");
    return ASSAY_OK;
}

void
sgx_cert_list_wipe(struct sgx_cert_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        cert_free(list->items[i]);
    *list = (struct sgx_cert_list){ 0 };
}

const struct cert *
sgx_cert_list_find(const struct sgx_cert_list *list, enum sgx_cert_role role)
{
    const struct cert *found = NULL;

    for (size_t i = 0; i < list->count; i++) {
        if (sgx_cert_role(list->items[i]) != role)
            continue;
        if (found)
            return NULL;
        found = list->items[i];
    }
    return found;
}

/* --- form ---------------------------------------------------------------- */

static bool
is_authority(enum sgx_cert_role role)
{
    return role == SGX_CERT_ROOT || role == SGX_CERT_PLATFORM_CA ||
           role == SGX_CERT_PROCESSOR_CA;
}

/* RFC 5280 section 4.2: what is critical and not understood is refused. */
static bool
only_known_critical(const struct cert *cert)
{
    for (size_t i = 0; i < cert_extension_count(cert); i++) {
        struct cert_extension x = cert_extension_at(cert, i);

        if (x.critical && strcmp(x.oid, "2.5.29.19") != 0 &&
            strcmp(x.oid, "2.5.29.15") != 0)
            return false;
    }
    return true;
}

/* NULL when the form is right, else what is wrong. */
static const char *
form_fault(const struct cert *cert, enum sgx_cert_role role)
{
    const struct cert_constraints *c = cert_constraints(cert);
    const unsigned ca_usage = KEY_USAGE_CERT_SIGN | KEY_USAGE_CRL_SIGN;

    if (sgx_cert_role(cert) != role)
        return "another name";
    if (cert_version(cert) != 3)
        return "not version 3";
    if (key_type(cert_key(cert)) != KEY_P256)
        return "not a P-256 key";
    if (cert_signature(cert)->alg != SIGNATURE_ECDSA_SHA256)
        return "not signed with ECDSA and SHA-256";
    if (!only_known_critical(cert))
        return "an unknown extension is critical";
    if (!c->has_basic || !c->has_key_usage)
        return "no basicConstraints or no keyUsage";
    if (!is_authority(role))
        return c->is_ca || !(c->key_usage & KEY_USAGE_DIGITAL_SIGNATURE) ||
                       c->key_usage & ca_usage
                   ? "not an end entity that signs"
                   : NULL;
    if (!c->is_ca || (c->key_usage & ca_usage) != ca_usage)
        return "not an authority";
    if (role == SGX_CERT_ROOT && c->path_len == 0)
        return "a path length of 0";
    return NULL;
}

void
sgx_check_form(struct verdict *v, const char *name, const struct cert *cert,
               enum sgx_cert_role role)
{
    const char *fault;

    if (!cert) {
        verdict_lack(v, name, SGX_PKI_REF, "the certificate is missing");
        return;
    }
    fault = form_fault(cert, role);
    if (fault)
        verdict_fail(
            v, name, SGX_PKI_REF, sgx_cert_role_name(role),
            verdict_text(v, "%.64s: %s", cert_common_name(cert), fault),
            "the certificate does not have the form of its role");
    else
        verdict_pass(v, name, SGX_PKI_REF, sgx_cert_role_name(role),
                     sgx_cert_role_name(role));
}

/* --- signatures ---------------------------------------------------------- */

/* NULL when all is well. Want of memory is no fault of the certificate: the
 * verdict remembers it. */
static const char *
signature_fault(struct verdict *v, const struct cert *cert,
                const struct cert *issuer)
{
    struct span aki = cert_authority_key_id(cert);
    struct span ski = cert_subject_key_id(issuer);
    bool signed_by = false;

    if (!span_equal(cert_issuer(cert), cert_subject(issuer)))
        return "names another issuer";
    if (aki.len > 0 && ski.len > 0 && !span_equal(aki, ski))
        return "names another key of the issuer";
    if (cert_is_signed_by(cert, cert_key(issuer), &signed_by, NULL) != ASSAY_OK)
        v->nomem = true;
    return signed_by ? NULL : "the signature does not verify";
}

void
sgx_check_signature(struct verdict *v, const char *name,
                    const struct cert *cert, const struct cert *issuer)
{
    static const char ref[] = "RFC 5280 section 6.1.3";
    const char *fault, *want;

    if (!cert || !issuer) {
        verdict_lack(v, name, ref, "the certificate or its issuer is missing");
        return;
    }
    want = verdict_text(v, "%.64s", cert_common_name(issuer));
    fault = signature_fault(v, cert, issuer);
    if (fault)
        verdict_fail(v, name, ref, want, fault,
                     "the certificate was not issued by the authority it is "
                     "shown with");
    else
        verdict_pass(v, name, ref, want, want);
}

enum assay_status
sgx_check_root_trusted(struct verdict *v, const char *name,
                       const struct cert *root,
                       const struct trust_anchors *anchors,
                       enum trust_kind *kind, struct assay_error *err)
{
    static const char ref[] = "Intel SGX Root CA, public key digest";
    uint8_t digest[SHA256_SIZE];
    const char *got;
    enum assay_status st;

    *kind = TRUST_NONE;
    if (!root) {
        verdict_lack(v, name, ref, "no root certificate was found");
        return ASSAY_OK;
    }
    st = digest_sha256(cert_spki(root), digest, err);
    if (st != ASSAY_OK)
        return st;
    *kind = trust_find_intel(anchors, digest);
    got = verdict_text(v, "%skey %s",
                       *kind == TRUST_EXTRA ? "(added anchor) " : "",
                       verdict_hex(v, span_of(digest, sizeof(digest))));
    if (*kind == TRUST_NONE)
        verdict_fail(v, name, ref, "Intel's pinned root key", got,
                     "the root has the right name, but is not Intel's");
    else if (signature_fault(v, root, root)) /* who wrote the rest of it? */
        verdict_fail(v, name, ref, "a certificate by that key itself", got,
                     "the root has Intel's key, but Intel did not sign it");
    else
        verdict_pass(v, name, ref, "Intel's pinned root key", got);
    v->insecure = v->insecure || *kind == TRUST_EXTRA;
    return ASSAY_OK;
}

/* --- time ---------------------------------------------------------------- */

void
sgx_windows_add(struct sgx_windows *w, struct verdict *v, const char *name,
                const char *ref, int64_t from, int64_t to)
{
    char first[RFC3339_SIZE], last[RFC3339_SIZE];

    assert(w->count < SGX_WINDOWS_MAX);
    rfc3339_format(from, first);
    rfc3339_format(to, last);
    w->list[w->count++] =
        (struct sgx_window){ .name = name,
                             .ref = ref,
                             .text = verdict_text(v, "%s to %s", first, last),
                             .from = from,
                             .to = to };
}

void
sgx_windows_add_cert(struct sgx_windows *w, struct verdict *v, const char *name,
                     const struct cert *cert)
{
    if (cert)
        sgx_windows_add(w, v, name, "RFC 5280 section 4.1.2.5",
                        cert_not_before(cert), cert_not_after(cert));
}

void
sgx_windows_check(const struct sgx_windows *w, int64_t now, struct verdict *v)
{
    char text[RFC3339_SIZE];
    const char *at;

    rfc3339_format(now, text);
    at = verdict_text(v, "%s", text);
    for (size_t i = 0; i < w->count; i++) {
        const struct sgx_window *x = &w->list[i];
        const char *want = verdict_text(v, "%s", x->text);

        if (now < x->from)
            verdict_fail(v, x->name, x->ref, want, at, "not valid yet");
        else if (now > x->to)
            verdict_fail(v, x->name, x->ref, want, at, "expired");
        else
            verdict_pass(v, x->name, x->ref, want, at);
    }
}

void
sgx_windows_narrow(const struct sgx_windows *w, int64_t *from, int64_t *to)
{
    for (size_t i = 0; i < w->count; i++) {
        if (w->list[i].from > *from)
            *from = w->list[i].from;
        if (w->list[i].to < *to)
            *to = w->list[i].to;
    }
}

/* --- what was found before ----------------------------------------------- */

static const char *
copy_text(struct verdict *v, const char *text)
{
    const char *copy;

    if (!text[0])
        return "";
    copy = arena_strdup(v->arena, span_str(text));
    v->nomem = v->nomem || !copy;
    return copy;
}

void
sgx_replay_checks(const struct verdict *log, struct verdict *v)
{
    for (size_t i = 0; i < log->count; i++) {
        struct check c = log->checks[i];

        c.expected = copy_text(v, c.expected);
        c.actual = copy_text(v, c.actual);
        c.reason = copy_text(v, c.reason);
        verdict_add(v, c);
    }
    v->nomem = v->nomem || log->nomem;
    v->insecure = v->insecure || log->insecure;
}
