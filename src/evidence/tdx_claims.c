#include <string.h>

#include "evidence/tdx_attributes.h"
#include "evidence/tdx_rules.h"
#include "evidence/tdx_tdreport.h"

/* Collects with one check at the end; the arcs are those of contrast-interop
 * section 10.4. */
struct collector {
    struct claims claims;
    struct arena *arena;
    bool failed;
};

static void
add(struct collector *c, struct claim claim)
{
    if (!claims_add(&c->claims, c->arena, claim))
        c->failed = true;
}

static void
add_number(struct collector *c, const char *name, uint64_t value, unsigned arc)
{
    add(c,
        (struct claim){
            .name = name, .kind = CLAIM_NUMBER, .number = value, .arc = arc });
}

static void
add_bool(struct collector *c, const char *name, bool value)
{
    add(c, (struct claim){ .name = name, .kind = CLAIM_BOOL, .number = value });
}

static void
add_span(struct collector *c, const char *name, struct span bytes, unsigned arc)
{
    add(c, (struct claim){
               .name = name, .kind = CLAIM_BYTES, .bytes = bytes, .arc = arc });
}

#define ADD_BYTES(c, name, field, arc)                                         \
    add_span(c, name, span_of(field, sizeof(field)), arc)

static void
add_text(struct collector *c, const char *name, const char *text)
{
    add(c, (struct claim){
               .name = name, .kind = CLAIM_TEXT, .bytes = span_str(text) });
}

static void
add_bits(struct collector *c, const char *name, uint64_t word,
         void (*describe)(uint64_t word, struct buffer *out))
{
    struct buffer text;
    const char *copy;

    buffer_init(&text, 1024, c->arena->alloc);
    describe(word, &text);
    copy = text.failed ? NULL : arena_strdup(c->arena, buffer_span(&text));
    buffer_free(&text);
    if (copy)
        add_text(c, name, copy);
    else
        c->failed = true;
}

static void
add_header(struct collector *c, const struct tdx_quote *q)
{
    add_number(c, "version", q->version, 1);
    add_number(c, "attestation_key_type", q->attestation_key_type, 2);
    add_number(c, "tee_type", q->tee, 3);
    ADD_BYTES(c, "qe_svn", q->qe_svn, 4);
    ADD_BYTES(c, "pce_svn", q->pce_svn, 5);
    ADD_BYTES(c, "qe_vendor_id", q->qe_vendor_id, 6);
    ADD_BYTES(c, "user_data", q->user_data, 7);
}

static void
add_td_report(struct collector *c, const struct td_report *t, bool is_15)
{
    static const char *const rtmr[] = { "rtmr0", "rtmr1", "rtmr2", "rtmr3" };

    ADD_BYTES(c, "tee_tcb_svn", t->tee_tcb_svn, 8);
    ADD_BYTES(c, "mrseam", t->mr_seam, 9);
    ADD_BYTES(c, "mrsignerseam", t->mr_signer_seam, 10);
    ADD_BYTES(c, "seam_attributes", t->seam_attributes, 11);
    ADD_BYTES(c, "td_attributes", t->td_attributes, 12);
    add_bits(c, "td_attributes_names", tdx_word(t->td_attributes),
             tdx_attributes_describe);
    ADD_BYTES(c, "xfam", t->xfam, 13);
    add_bits(c, "xfam_names", tdx_word(t->xfam), tdx_xfam_describe);
    ADD_BYTES(c, "mrtd", t->mr_td, 14);
    ADD_BYTES(c, "mrconfigid", t->mr_config_id, 15);
    ADD_BYTES(c, "mrowner", t->mr_owner, 16);
    ADD_BYTES(c, "mrownerconfig", t->mr_owner_config, 17);
    for (unsigned i = 0; i < TDX_RTMRS; i++)
        ADD_BYTES(c, rtmr[i], t->rtmr[i], 18 + i);
    ADD_BYTES(c, "report_data", t->report_data, 22);
    if (is_15) {
        ADD_BYTES(c, "tee_tcb_svn2", t->tee_tcb_svn2, 0);
        ADD_BYTES(c, "mrservicetd", t->mr_service_td, 0);
    }
    add_bool(c, "debug", tdx_word(t->td_attributes) & TDX_ATTR_DEBUG);
}

static void
add_enclave(struct collector *c, const struct sgx_report *r)
{
    ADD_BYTES(c, "cpu_svn", r->cpu_svn, 0);
    add_number(c, "misc_select", r->misc_select, 0);
    ADD_BYTES(c, "attributes", r->attributes, 0);
    ADD_BYTES(c, "mrenclave", r->mr_enclave, 0);
    ADD_BYTES(c, "mrsigner", r->mr_signer, 0);
    add_number(c, "isvprodid", r->isv_prod_id, 0);
    add_number(c, "isvsvn", r->isv_svn, 0);
    ADD_BYTES(c, "report_data", r->report_data, 0);
    add_bool(c, "debug", r->attributes[0] & SGX_ATTRIBUTE_DEBUG);
}

static void
add_qe_report(struct collector *c, const struct sgx_report *r)
{
    ADD_BYTES(c, "qe_cpu_svn", r->cpu_svn, 29);
    add_number(c, "qe_miscselect", r->misc_select, 30);
    ADD_BYTES(c, "qe_reserved1", r->reserved1, 31);
    ADD_BYTES(c, "qe_attributes", r->attributes, 32);
    ADD_BYTES(c, "qe_mrenclave", r->mr_enclave, 33);
    ADD_BYTES(c, "qe_reserved2", r->reserved2, 34);
    ADD_BYTES(c, "qe_mrsigner", r->mr_signer, 35);
    ADD_BYTES(c, "qe_reserved3", r->reserved3, 36);
    add_number(c, "qe_isvprodid", r->isv_prod_id, 37);
    add_number(c, "qe_isvsvn", r->isv_svn, 38);
    ADD_BYTES(c, "qe_reserved4", r->reserved4, 39);
    ADD_BYTES(c, "qe_report_data", r->report_data, 40);
}

/* Sizes as the quote says them: those of version 4 and 5 are of the block of
 * type 6 around the QE report. */
static void
add_signature_data(struct collector *c, const struct tdx_quote *q)
{
    enum { BEFORE_BLOCK = QUOTE_SIGNATURE_SIZE + QUOTE_KEY_SIZE + 2 + 4 };

    add_number(c, "signed_data_size", q->signed_data_size, 23);
    ADD_BYTES(c, "signature", q->signature, 24);
    ADD_BYTES(c, "attestation_key", q->attestation_key, 25);
    if (q->version >= 4) {
        add_number(c, "certification_data_type", QUOTE_CERT_QE_REPORT, 26);
        add_number(c, "certification_data_size",
                   q->signed_data_size - BEFORE_BLOCK, 27);
    }
    add_qe_report(c, &q->qe_report);
    ADD_BYTES(c, "qe_report_signature", q->qe_report_signature, 41);
    add_number(c, "qe_auth_data_size", q->qe_auth_data.len, 42);
    add_span(c, "qe_auth_data", q->qe_auth_data, 43);
    add_number(c, "pck_chain_type", q->cert_type, 44);
    add_number(c, "pck_chain_size", q->cert_data.len, 45);
    add_span(c, "pck_chain", q->cert_data, 46);
    add_span(c, "extra_bytes", span_of(NULL, 0), 47);
}

static void
add_pck(struct collector *c, const struct sgx_pck *p)
{
    ADD_BYTES(c, "fmspc", p->fmspc, 0);
    ADD_BYTES(c, "pce_id", p->pce_id, 0);
    ADD_BYTES(c, "ppid", p->ppid, 0);
    ADD_BYTES(c, "pck_component_svn", p->comp_svn, 0);
    add_number(c, "pck_pce_svn", p->pce_svn, 0);
    add_text(c, "sgx_type", sgx_type_name(p->sgx_type));
    if (p->has_platform_instance_id)
        ADD_BYTES(c, "piid", p->platform_instance_id, 0);
    if (!p->has_configuration)
        return;
    add_bool(c, "dynamic_platform", p->dynamic_platform);
    add_bool(c, "cached_keys", p->cached_keys);
    add_bool(c, "smt_enabled", p->smt_enabled);
}

/* What is left behind when the quote and its chain are gone. */
static bool
copy_quote(const struct tdx_quote *q, const struct sgx_pck *pck,
           struct arena *arena, struct tdx_quote **q_copy,
           struct sgx_pck **pck_copy)
{
    struct tdx_quote *copy = arena_alloc(arena, sizeof(*copy));
    struct sgx_pck *p = arena_alloc(arena, sizeof(*p));

    if (!copy || !p)
        return false;
    *copy = *q;
    copy->signed_part = copy->qe_report_raw = copy->trailing =
        (struct span){ 0 };
    if (!arena_dup(arena, q->qe_auth_data, &copy->qe_auth_data) ||
        !arena_dup(arena, q->cert_data, &copy->cert_data))
        return false;
    if (pck)
        *p = *pck;
    *q_copy = copy;
    *pck_copy = p;
    return true;
}

enum assay_status
tdx_quote_claims(const struct tdx_quote *q, const struct sgx_pck *pck,
                 struct arena *arena, struct claims *out,
                 struct assay_error *err)
{
    struct collector c = { .arena = arena };
    struct tdx_quote *copy;
    struct sgx_pck *pck_copy;

    if (!copy_quote(q, pck, arena, &copy, &pck_copy))
        return assay_nomem(err, "claims");
    add_header(&c, copy);
    if (copy->body == QUOTE_BODY_SGX)
        add_enclave(&c, &copy->enclave);
    else
        add_td_report(&c, &copy->td, copy->body == QUOTE_BODY_TD_15);
    if (pck)
        add_pck(&c, pck_copy);
    add_signature_data(&c, copy);
    if (c.failed)
        return assay_nomem(err, "claims");
    *out = c.claims;
    return ASSAY_OK;
}

enum assay_status
tdreport_claims(const struct tdreport *r, struct arena *arena,
                struct claims *out, struct assay_error *err)
{
    struct collector c = { .arena = arena };

    add_number(&c, "tdreport_version", r->version, 0);
    ADD_BYTES(&c, "cpu_svn", r->cpu_svn, 0);
    ADD_BYTES(&c, "tee_tcb_info_hash", r->tee_tcb_info_hash, 0);
    add_bool(&c, "tee_tcb_info_holds", r->tee_tcb_info_holds);
    ADD_BYTES(&c, "tee_info_hash", r->tee_info_hash, 0);
    add_bool(&c, "tee_info_holds", r->tee_info_holds);
    ADD_BYTES(&c, "mac", r->mac, 0);
    add_td_report(&c, &r->td, true);
    if (c.failed)
        return assay_nomem(err, "claims");
    *out = c.claims;
    return ASSAY_OK;
}
