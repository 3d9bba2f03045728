/* The public C ABI over the evidence layer. */
#include "assay/evidence.h"

#include <string.h>

#include "base/clock.h"
#include "evidence/evidence.h"
#include "evidence/snp_appraise.h"
#include "evidence/snp_proto.h"
#include "internal.h"

EXPORT const char *
assay_evidence_version(void)
{
    return ASSAY_VERSION;
}

/* --- verifier ------------------------------------------------------------ */

EXPORT struct assay_evidence_verifier *
assay_evidence_verifier_new(void)
{
    struct assay_evidence_verifier *v = mem_zalloc(NULL, sizeof(*v));

    if (v &&
        (snp_chain_cache_new(SNP_CHAIN_CACHE_DEFAULT, &v->cache, NULL) !=
             ASSAY_OK ||
         tdx_cache_new(TDX_CACHE_DEFAULT, &v->tdx_cache, NULL) != ASSAY_OK)) {
        assay_evidence_verifier_free(v);
        return NULL;
    }
    return v;
}

EXPORT void
assay_evidence_verifier_free(struct assay_evidence_verifier *v)
{
    if (!v)
        return;
    snp_chain_cache_free(v->cache);
    tdx_cache_free(v->tdx_cache);
    trust_anchors_wipe(&v->anchors);
    mem_free(NULL, v);
}

EXPORT enum assay_evidence_status
assay_evidence_verifier_add_anchor(struct assay_evidence_verifier *v,
                                   struct assay_evidence_bytes certificates,
                                   char *why, size_t why_size)
{
    struct assay_error err = { 0 };
    enum assay_status st = trust_anchors_add(
        &v->anchors, span_of(certificates.ptr, certificates.len), &err);
    size_t len = strlen(err.text);

    if (st == ASSAY_OK)
        return ASSAY_EVIDENCE_OK;
    if (why && why_size > 0) {
        len = len < why_size ? len : why_size - 1;
        memcpy(why, err.text, len);
        why[len] = '\0';
    }
    return st == ASSAY_ERR_NOMEM ? ASSAY_EVIDENCE_NO_MEMORY
                                 : ASSAY_EVIDENCE_BAD_REQUEST;
}

/* --- request to parameters ----------------------------------------------- */

struct job {
    struct assay_evidence_verifier *verifier;
    struct assay_evidence_request request; /* as long as ours */
    struct assay_evidence_verdict *out;
    struct snp_evidence *evidence;
    struct span report;
    struct snp_reference reference;
    struct snp_verify_params params;
    struct clock at; /* request.now */
    struct snp_launch *launch;
};

bool
request_expect(struct expect *e, struct assay_evidence_bytes bytes, size_t max,
               bool waived)
{
    if (bytes.len > max)
        return false;
    if (bytes.len > 0)
        *e = (struct expect){ EXPECT_EQUAL, span_of_bytes(bytes) };
    else
        e->kind = waived ? EXPECT_ANY : EXPECT_MISSING;
    return true;
}

static enum assay_evidence_status
set_measurements(struct job *job)
{
    struct span all = span_of_bytes(job->request.measurements);
    enum assay_status st;

    job->reference.any_measurement =
        all.len == 0 && job->request.waive & ASSAY_EVIDENCE_ANY_MEASUREMENT;
    if (all.len == 0)
        return ASSAY_EVIDENCE_OK;
    st = snp_launch_new_set(all, &job->launch, NULL);
    job->reference.launch = job->launch;
    if (st == ASSAY_ERR_NOMEM)
        return ASSAY_EVIDENCE_NO_MEMORY;
    return st == ASSAY_OK ? ASSAY_EVIDENCE_OK : ASSAY_EVIDENCE_BAD_REQUEST;
}

static enum assay_evidence_status
set_reference(struct job *job)
{
    const struct assay_evidence_request *q = &job->request;
    struct snp_reference *r = &job->reference;

    if (!request_expect(&r->report_data, q->report_data, 64,
                        q->waive & ASSAY_EVIDENCE_ANY_REPORT_DATA) ||
        !request_expect(&r->host_data, q->host_data, 32,
                        q->waive & ASSAY_EVIDENCE_ANY_HOST_DATA) ||
        q->chip_ids.len % 64 != 0)
        return ASSAY_EVIDENCE_BAD_REQUEST;
    r->chip_ids.items = span_of_bytes(q->chip_ids);
    r->vmpl = q->vmpl;
    r->any_vmpl = q->waive & ASSAY_EVIDENCE_ANY_VMPL;
    r->allow_debug = q->allow & ASSAY_EVIDENCE_ALLOW_DEBUG;
    r->allow_migrate_ma = q->allow & ASSAY_EVIDENCE_ALLOW_MIGRATE_MA;
    r->allow_milan_without_chip_ids = q->allow & ASSAY_EVIDENCE_ALLOW_ANY_MILAN;
    return set_measurements(job);
}

static enum assay_evidence_status
set_params(struct job *job)
{
    const struct assay_evidence_request *q = &job->request;
    struct snp_verify_params *p = &job->params;

    p->anchors = &job->verifier->anchors;
    p->cache = job->verifier->cache;
    job->at = clock_at(&job->request.now);
    p->clock = q->now != 0 ? &job->at : &clock_system;
    p->allow_masked_chip = q->allow & ASSAY_EVIDENCE_ALLOW_MASKED_CHIP;
    p->crl = q->allow & ASSAY_EVIDENCE_ALLOW_NO_CRL ? SNP_CRL_OPTIONAL
                                                    : SNP_CRL_NEEDED;
    if (!q->product)
        return ASSAY_EVIDENCE_OK;
    p->product = snp_product_parse(span_str(q->product));
    job->reference.product = p->product;
    return p->product == SNP_PRODUCT_UNKNOWN ? ASSAY_EVIDENCE_BAD_REQUEST
                                             : ASSAY_EVIDENCE_OK;
}

/* A size we do not know must not make us read what is not there, nor ignore
 * what a newer caller asks for. */
static bool
take_request(struct job *job, const struct assay_evidence_request *q)
{
    const struct assay_evidence_request zero = { 0 };

    if (q->size < sizeof(q->size) || q->size > sizeof(*q))
        return false;
    job->request = zero;
    memcpy(&job->request, q, q->size);
    return true;
}

/* --- judging ------------------------------------------------------------- */

static void
fail_form(struct job *job, const char *name, const struct assay_error *why)
{
    struct verdict *v = &job->out->v;

    verdict_fail(v, name, "AMD 56860 ATTESTATION_REPORT",
                 "evidence and certificates that can be read",
                 verdict_text(v, "%s", why->text),
                 "this cannot be read as what it was given for");
}

/* Protobuf and base64 bring their own collateral; anything else counts as a
 * raw report, and its length is judged. */
static bool
open_evidence(struct job *job)
{
    struct span bytes = span_of_bytes(job->request.evidence);
    enum evidence_format format = evidence_detect(bytes);
    struct assay_error err = { 0 };

    job->report = bytes;
    if (format != EVIDENCE_SNP_PROTOBUF && format != EVIDENCE_SNP_BASE64)
        return true;
    if (snp_evidence_decode(bytes, &job->out->arena, job->evidence, &err) !=
        ASSAY_OK) {
        fail_form(job, "evidence_form", &err);
        return false;
    }
    job->report = span_of(job->evidence->report, SNP_REPORT_SIZE);
    return true;
}

static void
add_collateral(struct job *job)
{
    struct assay_error err = { 0 };

    for (size_t i = 0; i < job->request.collateral_count; i++) {
        struct span file = span_of_bytes(job->request.collateral[i]);

        if (snp_collateral_add_file(&job->evidence->collateral, file,
                                    &job->out->arena, &err) != ASSAY_OK)
            fail_form(job, "collateral", &err);
    }
}

static enum assay_status
judge(struct job *job)
{
    struct verdict *v = &job->out->v;
    struct snp_verified verified;
    enum assay_status st;

    if (!open_evidence(job))
        return ASSAY_OK;
    add_collateral(job);
    st = snp_verify(job->report, &job->evidence->collateral, &job->params, v,
                    &verified, NULL);
    if (st == ASSAY_OK)
        st = snp_appraise(&verified, &job->reference, v, NULL);
    return st;
}

/* --- verdict ------------------------------------------------------------- */

static const char *
keep_text(struct assay_evidence_verdict *out, struct buffer *text)
{
    const char *kept =
        text->failed ? NULL : arena_strdup(&out->arena, buffer_span(text));

    buffer_free(text);
    return kept;
}

static bool
render(struct assay_evidence_verdict *out)
{
    struct buffer text;

    buffer_init(&text, JSON_BYTES, NULL);
    verdict_render_line(&out->v, &text);
    out->line = keep_text(out, &text);
    buffer_init(&text, JSON_BYTES, NULL);
    verdict_render_json(&out->v, &text);
    out->json = keep_text(out, &text);
    out->claims =
        arena_array(&out->arena, out->v.claims.count + 1, sizeof(char *));
    if (!out->line || !out->json || !out->claims)
        return false;
    for (size_t i = 0; i < out->v.claims.count; i++) {
        buffer_init(&text, CLAIM_BYTES_MAX, NULL);
        claim_render(&out->v.claims.list[i], &text);
        out->claims[i] = keep_text(out, &text);
        if (!out->claims[i])
            return false;
    }
    return true;
}

struct assay_evidence_verdict *
verdict_new(const char *tee, bool strict)
{
    struct assay_evidence_verdict *out = mem_zalloc(NULL, sizeof(*out));

    if (!out)
        return NULL;
    arena_init(&out->arena, ARENA_BYTES, NULL);
    verdict_init(&out->v, &out->arena, tee, strict);
    return out;
}

enum assay_evidence_status
verdict_finish(struct assay_evidence_verdict *out)
{
    verdict_conclude(&out->v);
    return render(out) ? ASSAY_EVIDENCE_OK : ASSAY_EVIDENCE_NO_MEMORY;
}

static enum assay_evidence_status
run(struct job *job)
{
    enum assay_evidence_status status = set_reference(job);

    if (status == ASSAY_EVIDENCE_OK)
        status = set_params(job);
    if (status != ASSAY_EVIDENCE_OK)
        return status;
    job->evidence = arena_alloc(&job->out->arena, sizeof(*job->evidence));
    if (!job->evidence || judge(job) != ASSAY_OK || job->out->v.nomem)
        return ASSAY_EVIDENCE_NO_MEMORY;
    return verdict_finish(job->out);
}

EXPORT enum assay_evidence_status
assay_evidence_verify_snp(struct assay_evidence_verifier *v,
                          const struct assay_evidence_request *request,
                          struct assay_evidence_verdict **out)
{
    struct job job = { .verifier = v };
    enum assay_evidence_status status;

    if (!take_request(&job, request))
        return ASSAY_EVIDENCE_BAD_REQUEST;
    job.out = verdict_new("snp", job.request.strict != 0);
    if (!job.out)
        return ASSAY_EVIDENCE_NO_MEMORY;
    status = run(&job);
    snp_launch_free(job.launch);
    if (status == ASSAY_EVIDENCE_OK)
        *out = job.out;
    else
        assay_evidence_verdict_free(job.out);
    return status;
}

EXPORT void
assay_evidence_verdict_free(struct assay_evidence_verdict *verdict)
{
    if (!verdict)
        return;
    arena_drop(&verdict->arena);
    mem_free(NULL, verdict);
}

EXPORT enum assay_evidence_result
assay_evidence_verdict_result(const struct assay_evidence_verdict *verdict)
{
    switch (verdict->v.result) {
    case VERDICT_ACCEPTED:
        return ASSAY_EVIDENCE_ACCEPTED;
    case VERDICT_UNKNOWN:
        return ASSAY_EVIDENCE_UNKNOWN;
    case VERDICT_REFUSED:
        break;
    }
    return ASSAY_EVIDENCE_REFUSED;
}

EXPORT int
assay_evidence_verdict_insecure(const struct assay_evidence_verdict *verdict)
{
    return verdict->v.insecure;
}

EXPORT const char *
assay_evidence_verdict_line(const struct assay_evidence_verdict *verdict)
{
    return verdict->line;
}

EXPORT const char *
assay_evidence_verdict_json(const struct assay_evidence_verdict *verdict)
{
    return verdict->json;
}

EXPORT size_t
assay_evidence_verdict_check_count(const struct assay_evidence_verdict *verdict)
{
    return verdict->v.count;
}

EXPORT struct assay_evidence_check
assay_evidence_verdict_check(const struct assay_evidence_verdict *verdict,
                             size_t index)
{
    static const enum assay_evidence_outcome outcomes[] = {
        [CHECK_FAIL] = ASSAY_EVIDENCE_CHECK_FAIL,
        [CHECK_PASS] = ASSAY_EVIDENCE_CHECK_PASS,
        [CHECK_WARN] = ASSAY_EVIDENCE_CHECK_WARN,
        [CHECK_SKIPPED] = ASSAY_EVIDENCE_CHECK_SKIPPED,
    };
    const struct check *c;

    if (index >= verdict->v.count)
        return (struct assay_evidence_check){ 0 };
    c = &verdict->v.checks[index];
    return (struct assay_evidence_check){ c->name,     c->ref,
                                          c->expected, c->actual,
                                          c->reason,   outcomes[c->outcome] };
}

EXPORT const char *
assay_evidence_verdict_claim(const struct assay_evidence_verdict *verdict,
                             const char *name)
{
    const struct claim *c = claims_find(&verdict->v.claims, name);

    return c ? verdict->claims[c - verdict->v.claims.list] : NULL;
}
