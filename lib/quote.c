/* The public C ABI over Intel's evidence. */
#include <string.h>

#include "base/clock.h"
#include "evidence/evidence.h"
#include "evidence/sgx_pck_chain.h"
#include "evidence/tdx_appraise.h"
#include "evidence/tdx_proto.h"
#include "internal.h"

struct job {
    struct assay_evidence_verifier *verifier;
    struct assay_evidence_quote_request request; /* as long as ours */
    struct assay_evidence_verdict *out;
    struct span quote;
    struct tdx_collateral collateral;
    struct tdx_reference reference;
    struct tdx_verify_params params;
    struct clock at; /* request.now */
};

/* --- request to parameters ----------------------------------------------- */

/* Like request_expect(), for any of several values of one size. */
static bool
expect_any_of(struct expect *e, struct assay_evidence_bytes bytes, size_t size,
              bool waived)
{
    if (bytes.len % size != 0)
        return false;
    e->kind = bytes.len > 0 ? EXPECT_ONE_OF
              : waived      ? EXPECT_ANY
                            : EXPECT_MISSING;
    e->bytes = span_of_bytes(bytes);
    return true;
}

static bool
set_statuses(struct job *job)
{
    const char *text = job->request.accept_statuses;

    while (text && *text) {
        size_t len = strcspn(text, ",");
        enum tcb_status status = tcb_status_parse(span_of(text, len));

        if (status == TCB_NONE)
            return false;
        job->reference.tcb.accepted |= 1u << status;
        text += len + (text[len] == ',');
    }
    return true;
}

/* What the interface has no name for is not asked; attributes are then judged
 * by their bits. */
static void
waive_rest(struct tdx_reference *r)
{
    const struct expect any = { .kind = EXPECT_ANY };

    r->mr_owner = r->mr_owner_config = r->mr_service_td = any;
    r->td_attributes = r->xfam = r->mr_signer = any;
}

static bool
set_measurements(struct job *job)
{
    const struct assay_evidence_quote_request *q = &job->request;
    struct tdx_reference *r = &job->reference;
    bool is_tdx = q->tee == ASSAY_EVIDENCE_TDX;

    for (size_t i = 0; i < TDX_RTMRS; i++) {
        if (!expect_any_of(&r->rtmr[i], q->rtmrs[i], TDX_MR_SIZE,
                           q->waive & ASSAY_EVIDENCE_ANY_RTMRS))
            return false;
    }
    return expect_any_of(is_tdx ? &r->mr_td : &r->mr_enclave, q->measurements,
                         is_tdx ? TDX_MR_SIZE : 32,
                         q->waive & ASSAY_EVIDENCE_ANY_MEASUREMENT) &&
           expect_any_of(&r->mr_seam, q->mr_seam, TDX_MR_SIZE,
                         q->waive & ASSAY_EVIDENCE_ANY_MRSEAM);
}

static bool
set_reference(struct job *job)
{
    const struct assay_evidence_quote_request *q = &job->request;
    struct tdx_reference *r = &job->reference;

    waive_rest(r);
    r->tcb.allowed_piids = span_of_bytes(q->piids);
    r->tcb.min_evaluation_number = q->min_evaluation_number;
    r->allow_debug = q->allow & ASSAY_EVIDENCE_ALLOW_DEBUG;
    return q->tee <= ASSAY_EVIDENCE_SGX && q->piids.len % 16 == 0 &&
           request_expect(&r->report_data, q->report_data, 64,
                          q->waive & ASSAY_EVIDENCE_ANY_REPORT_DATA) &&
           request_expect(&r->mr_config_id, q->mr_config_id, TDX_MR_SIZE,
                          q->waive & ASSAY_EVIDENCE_ANY_HOST_DATA) &&
           set_measurements(job) && set_statuses(job);
}

static void
set_params(struct job *job)
{
    const struct assay_evidence_quote_request *q = &job->request;
    struct tdx_verify_params *p = &job->params;

    p->anchors = &job->verifier->anchors;
    p->cache = job->verifier->tdx_cache;
    job->at = clock_at(&job->request.now);
    p->clock = q->now != 0 ? &job->at : &clock_system;
    p->tee = q->tee == ASSAY_EVIDENCE_TDX ? QUOTE_TEE_TDX : QUOTE_TEE_SGX;
}

/* As for SNP: neither read what is not there nor ignore what is asked. */
static bool
take_request(struct job *job, const struct assay_evidence_quote_request *q)
{
    if (q->size < sizeof(q->size) || q->size > sizeof(*q))
        return false;
    memcpy(&job->request, q, q->size);
    return true;
}

/* --- judging ------------------------------------------------------------- */

static void
fail_form(struct job *job, const char *name, const struct assay_error *why)
{
    struct verdict *v = &job->out->v;

    verdict_fail(v, name, "Intel SGX and TDX PCS API v4",
                 "evidence and collateral that can be read",
                 verdict_text(v, "%s", why->text),
                 "this cannot be read as what it was given for");
}

static enum assay_status
open_evidence(struct job *job)
{
    struct span bytes = span_of_bytes(job->request.evidence);
    struct assay_error err = { 0 };
    enum assay_status st;

    job->quote = bytes;
    if (evidence_detect(bytes) != EVIDENCE_TDX_PROTOBUF)
        return ASSAY_OK;
    st = tdx_evidence_decode(bytes, &job->out->arena, &job->quote, &err);
    if (st == ASSAY_ERR_NOMEM)
        return st;
    if (st != ASSAY_OK)
        fail_form(job, "evidence_form", &err);
    return ASSAY_OK;
}

static enum assay_status
add_collateral(struct job *job)
{
    struct tdx_collateral_want want = { 0 };
    struct tdx_quote q;
    bool known =
        tdx_quote_decode(job->quote, &q, NULL) == ASSAY_OK &&
        sgx_pck_chain_want(q.cert_data, q.tee, &want, NULL) == ASSAY_OK;

    for (size_t i = 0; i < job->request.collateral_count; i++) {
        struct span file = span_of_bytes(job->request.collateral[i]);
        struct tdx_collateral one = { 0 };
        struct assay_error err = { 0 };
        enum assay_status st = tdx_collateral_decode(
            file, known ? &want : NULL, &job->out->arena, &one, &err);

        if (st == ASSAY_ERR_NOMEM)
            return st;
        if (st != ASSAY_OK)
            fail_form(job, "collateral", &err);
        tdx_collateral_fill(&job->collateral, &one);
    }
    return ASSAY_OK;
}

static enum assay_status
judge(struct job *job)
{
    struct verdict *v = &job->out->v;
    struct tdx_verified verified;
    enum assay_status st = open_evidence(job);

    if (st == ASSAY_OK)
        st = add_collateral(job);
    if (st == ASSAY_OK)
        st = tdx_verify(job->quote, &job->collateral, &job->params, v,
                        &verified, NULL);
    if (st == ASSAY_OK)
        st = tdx_appraise(&verified, &job->reference, v, NULL);
    return st;
}

EXPORT enum assay_evidence_status
assay_evidence_verify_quote(struct assay_evidence_verifier *v,
                            const struct assay_evidence_quote_request *request,
                            struct assay_evidence_verdict **out)
{
    struct job job = { .verifier = v };
    enum assay_evidence_status status = ASSAY_EVIDENCE_NO_MEMORY;

    if (!take_request(&job, request) || !set_reference(&job))
        return ASSAY_EVIDENCE_BAD_REQUEST;
    set_params(&job);
    job.out = verdict_new(job.request.tee == ASSAY_EVIDENCE_TDX ? "tdx" : "sgx",
                          job.request.strict != 0);
    if (job.out && judge(&job) == ASSAY_OK && !job.out->v.nomem)
        status = verdict_finish(job.out);
    if (status == ASSAY_EVIDENCE_OK)
        *out = job.out;
    else
        assay_evidence_verdict_free(job.out);
    return status;
}
