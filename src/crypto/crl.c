#include "crypto/crl.h"

#include <openssl/x509v3.h>

#include "base/limits.h"
#include "crypto/x509_internal.h"

struct crl {
    struct crl *self; /* lets a const holder share it */
    atomic_uint refs;
    X509_CRL *x509;
    uint8_t *der;
    size_t der_len;
    struct x509_signed parts; /* of der */
    struct signature_facts signature;
    char *issuer_common_name;
    int64_t this_update;
    int64_t next_update;
    struct span number;
    struct span authority_key_id;
    struct crl_entry *entries;
    size_t entry_count;
};

/* --- decoding ------------------------------------------------------------ */

/* Nothing we understand may be critical: an indirect or partial list says
 * "not revoked" about certificates it does not cover. */
static enum assay_status
check_none_critical(const struct x509_extension_list *list,
                    struct assay_error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].critical)
            return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                              "extension %s is critical", list->items[i].oid);
    }
    return ASSAY_OK;
}

/* RFC 5280 section 5.2.3. */
static enum assay_status
read_number(struct crl *crl, const struct x509_extension_list *list,
            struct assay_error *err)
{
    const struct x509_extension *ext = x509_extension_find(list, "2.5.29.20");
    struct reader rd;
    struct span n;

    if (!ext)
        return ASSAY_OK;
    rd = reader_over(ext->value);
    n = rd_der(&rd, DER_INTEGER);
    if (!der_is_strict(ext->value) || !rd_done(&rd) || n.ptr[0] >= 0x80)
        return assay_fail(err, ASSAY_ERR_MALFORMED, "cRLNumber");
    if (n.len > 1 && n.ptr[0] == 0)
        n = span_sub(n, 1, n.len - 1);
    crl->number = n;
    return ASSAY_OK;
}

static enum assay_status
read_extensions(struct crl *crl, struct assay_error *err)
{
    struct x509_extension_list list = { 0 };
    enum assay_status st =
        x509_extensions_read(X509_CRL_get0_extensions(crl->x509), &list, err);

    if (st == ASSAY_OK && list.count > 0 && crl_version(crl) != 2)
        st = assay_fail(err, ASSAY_ERR_MALFORMED,
                        "version %d with extensions, want 2", crl_version(crl));
    if (st == ASSAY_OK)
        st = check_none_critical(&list, err);
    if (st == ASSAY_OK)
        st = read_number(crl, &list, err);
    if (st == ASSAY_OK)
        st = x509_read_authority_key_id(&list, &crl->authority_key_id, err);
    OPENSSL_free(list.items);
    return st;
}

static enum assay_status
read_entry(const X509_REVOKED *revoked, struct crl_entry *out,
           struct assay_error *err)
{
    struct x509_extension_list list = { 0 };
    enum assay_status st =
        x509_serial(X509_REVOKED_get0_serialNumber(revoked), &out->serial, err);

    if (st == ASSAY_OK)
        st = x509_time(X509_REVOKED_get0_revocationDate(revoked),
                       "revocationDate", &out->revoked_at, err);
    if (st == ASSAY_OK)
        st = x509_extensions_read(X509_REVOKED_get0_extensions(revoked), &list,
                                  err);
    if (st == ASSAY_OK)
        st = check_none_critical(&list, err);
    OPENSSL_free(list.items);
    return st;
}

static enum assay_status
read_entries(struct crl *crl, struct assay_error *err)
{
    const STACK_OF(X509_REVOKED) *stack = X509_CRL_get_REVOKED(crl->x509);
    int count = stack ? sk_X509_REVOKED_num(stack) : 0;

    if (count <= 0)
        return ASSAY_OK;
    crl->entries = OPENSSL_zalloc((size_t)count * sizeof(*crl->entries));
    if (!crl->entries)
        return ossl_fail(err, ASSAY_ERR_NOMEM, "entries");
    for (int i = 0; i < count; i++) {
        enum assay_status st =
            read_entry(sk_X509_REVOKED_value(stack, i), &crl->entries[i], err);

        if (st != ASSAY_OK)
            return assay_context(err, st, "entry %d", i);
        crl->entry_count++;
    }
    return ASSAY_OK;
}

static enum assay_status
read_times(struct crl *crl, struct assay_error *err)
{
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl->x509);
    enum assay_status st = x509_time(X509_CRL_get0_lastUpdate(crl->x509),
                                     "thisUpdate", &crl->this_update, err);

    if (st == ASSAY_OK && next)
        st = x509_time(next, "nextUpdate", &crl->next_update, err);
    return st;
}

static enum assay_status
read_facts(struct crl *crl, struct assay_error *err)
{
    enum assay_status st =
        x509_signature_facts(&crl->parts, &crl->signature, err);

    crl->issuer_common_name = x509_common_name(X509_CRL_get_issuer(crl->x509));
    if (st == ASSAY_OK && !crl->issuer_common_name)
        st = ossl_fail(err, ASSAY_ERR_NOMEM, "issuer");
    if (st == ASSAY_OK)
        st = read_times(crl, err);
    if (st == ASSAY_OK)
        st = read_extensions(crl, err);
    if (st == ASSAY_OK)
        st = read_entries(crl, err);
    return st;
}

static enum assay_status
decode(struct crl *crl, struct span der, struct assay_error *err)
{
    const unsigned char *at = der.ptr;
    enum assay_status st;

    crl->der = OPENSSL_memdup(der.ptr, der.len);
    if (!crl->der)
        return ossl_fail(err, ASSAY_ERR_NOMEM, "bytes");
    crl->der_len = der.len;
    st = x509_signed_split(crl_der(crl), "CRL", &crl->parts, err);
    if (st != ASSAY_OK)
        return st;
    crl->x509 = d2i_X509_CRL(NULL, &at, (long)der.len);
    if (!crl->x509 || at != der.ptr + der.len)
        return ossl_fail(err, ASSAY_ERR_MALFORMED, "X.509");
    return read_facts(crl, err);
}

enum assay_status
crl_parse(struct span der, struct crl **out, struct assay_error *err)
{
    struct crl *crl;
    enum assay_status st;

    if (der.len > LIMIT_CRL_BYTES)
        return assay_fail(err, ASSAY_ERR_LIMIT, "CRL: %zu bytes, at most %d",
                          der.len, LIMIT_CRL_BYTES);
    if (!der_is_strict(der))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "CRL: not one DER value of %zu bytes", der.len);
    crl = OPENSSL_zalloc(sizeof(*crl));
    if (!crl)
        return ossl_fail(err, ASSAY_ERR_NOMEM, "CRL");
    crl->self = crl;
    atomic_init(&crl->refs, 1);
    st = decode(crl, der, err);
    if (st == ASSAY_OK) {
        *out = crl;
    } else {
        crl_free(crl);
        (void)assay_context(err, st, "CRL");
    }
    return ossl_done(st);
}

struct crl *
crl_dup(const struct crl *crl)
{
    atomic_fetch_add(&crl->self->refs, 1);
    return crl->self;
}

void
crl_free(struct crl *crl)
{
    if (!crl || atomic_fetch_sub(&crl->refs, 1) > 1)
        return;
    OPENSSL_free(crl->entries);
    OPENSSL_free(crl->issuer_common_name);
    X509_CRL_free(crl->x509);
    OPENSSL_free(crl->der);
    OPENSSL_free(crl);
}

/* --- what it says -------------------------------------------------------- */

struct span
crl_der(const struct crl *crl)
{
    return span_of(crl->der, crl->der_len);
}

int
crl_version(const struct crl *crl)
{
    return (int)X509_CRL_get_version(crl->x509) + 1; /* 1 on the wire is v2 */
}

struct span
crl_issuer(const struct crl *crl)
{
    return x509_name_der(X509_CRL_get_issuer(crl->x509));
}

const char *
crl_issuer_common_name(const struct crl *crl)
{
    return crl->issuer_common_name;
}

int64_t
crl_this_update(const struct crl *crl)
{
    return crl->this_update;
}

bool
crl_has_next_update(const struct crl *crl)
{
    return X509_CRL_get0_nextUpdate(crl->x509);
}

int64_t
crl_next_update(const struct crl *crl)
{
    return crl->next_update;
}

struct span
crl_number(const struct crl *crl)
{
    return crl->number;
}

struct span
crl_authority_key_id(const struct crl *crl)
{
    return crl->authority_key_id;
}

const struct signature_facts *
crl_signature(const struct crl *crl)
{
    return &crl->signature;
}

size_t
crl_entry_count(const struct crl *crl)
{
    return crl->entry_count;
}

struct crl_entry
crl_entry_at(const struct crl *crl, size_t i)
{
    return crl->entries[i];
}

bool
crl_is_revoked(const struct crl *crl, struct span serial)
{
    for (size_t i = 0; i < crl->entry_count; i++) {
        if (span_equal(crl->entries[i].serial, serial))
            return true;
    }
    return false;
}

enum assay_status
crl_verify_signature(const struct crl *crl, const struct key *issuer,
                     struct assay_error *err)
{
    enum assay_status st;

    if (crl->signature.alg == SIGNATURE_OTHER)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "CRL: signed with %s, which is not accepted",
                          crl->signature.name);
    st = key_verify(issuer, crl->signature.alg, crl->parts.part,
                    crl->parts.signature, err);
    return assay_context(err, st, "CRL of %s", crl->issuer_common_name);
}
