#include "service/ca_claims.h"

#include "base/limits.h"
#include "crypto/der.h"

static void
encode_value(const struct claim *claim, struct buffer *der)
{
    switch (claim->kind) {
    case CLAIM_NUMBER:
        der_add_uint(der, claim->number);
        break;
    case CLAIM_BOOL:
        der_add_bool(der, claim->number != 0);
        break;
    case CLAIM_BYTES:
    case CLAIM_TEXT:
        der_add(der, DER_OCTET_STRING, claim->bytes);
        break;
    }
}

static enum assay_status
encode_claim(const struct claim *claim, const char *root, struct arena *arena,
             struct buffer *scratch, struct cert_extension *out,
             struct assay_error *err)
{
    enum assay_status st;

    buffer_clear(scratch);
    encode_value(claim, scratch);
    st = buffer_check(scratch, claim->name, err);
    if (st != ASSAY_OK)
        return st;
    if (!arena_dup(arena, buffer_span(scratch), &out->value))
        return assay_nomem(err, "claims");
    buffer_clear(scratch);
    buffer_addf(scratch, "%s.%u", root, claim->arc);
    st = buffer_check(scratch, claim->name, err);
    if (st != ASSAY_OK)
        return st;
    out->oid = arena_strdup(arena, buffer_span(scratch));
    out->critical = false;
    return out->oid ? ASSAY_OK : assay_nomem(err, "claims");
}

enum assay_status
ca_claims_encode(const struct claims *claims, const char *root,
                 struct arena *arena, struct cert_extension **list,
                 size_t *count, struct assay_error *err)
{
    struct cert_extension *items;
    struct buffer scratch;
    enum assay_status st = ASSAY_OK;
    size_t n = 0;

    items = arena_array(arena, claims->count + 1, sizeof(*items));
    if (!items)
        return assay_nomem(err, "claims");
    buffer_init(&scratch, LIMIT_EVIDENCE_BYTES, NULL);
    for (size_t i = 0; i < claims->count && st == ASSAY_OK; i++) {
        if (claims->list[i].arc != 0)
            st = encode_claim(&claims->list[i], root, arena, &scratch,
                              &items[n++], err);
    }
    buffer_free(&scratch);
    if (st != ASSAY_OK)
        return st;
    *list = items;
    *count = n;
    return ASSAY_OK;
}
