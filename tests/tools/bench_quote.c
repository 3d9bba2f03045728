/* Verifications of one quote per second on one core, and their limits, in
 * turns:
 *
 *   bench-quote UNIX-TIME ANCHOR|- FOLDER      (quote.bin and its collateral)
 *
 * Warm: chains and collateral are known; the limit is the two bare ECDSA P-256
 * verifications that are left. Cold: nothing is known; the limit is the sum of
 * what must be done, each alone: ten signatures, four certificates, two lists,
 * two documents, one key. Prints medians as one JSON line. A verification here
 * is what the coordinator does: every check, and appraisal against a reference
 * value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "evidence/sgx_collateral_set.h"
#include "evidence/sgx_crl.h"
#include "evidence/tdx_appraise.h"
#include "evidence/tdx_cache.h"

enum {
    ROUNDS = 7,
    ROUND_MS = 300,
    PIECES = 7,
    /* Root, CA, leaf; two lists; the signer, two documents; QE report, quote.
     */
    SIGNATURES_COLD = 10,
};

struct bench {
    struct buffer quote;
    struct buffer pieces[PIECES];
    struct tdx_collateral collateral;
    struct trust_anchors anchors;
    struct tdx_verify_params params;
    struct tdx_cache *cache;
    int64_t instant;
    struct clock clock;
    struct tdx_reference reference;
    struct tdx_quote q;
    struct key *attestation_key;
};

static void
die(const struct assay_error *err)
{
    fprintf(stderr, "bench-quote: %s\n", err->text);
    exit(1);
}

static double
seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
verify(struct bench *b)
{
    struct assay_error err = { 0 };
    struct tdx_verified verified;
    struct arena arena;
    struct verdict v;

    arena_init(&arena, 1 << 20, NULL);
    verdict_init(&v, &arena, "tdx", false);
    if (tdx_verify(buffer_span(&b->quote), &b->collateral, &b->params, &v,
                   &verified, &err) != ASSAY_OK ||
        tdx_appraise(&verified, &b->reference, &v, &err) != ASSAY_OK)
        die(&err);
    if (verdict_conclude(&v) != VERDICT_ACCEPTED &&
        verdict_status(&v, &err) != ASSAY_OK)
        die(&err);
    arena_drop(&arena);
}

static void
warm_once(struct bench *b)
{
    b->params.cache = b->cache;
    verify(b);
}

static void
cold_once(struct bench *b)
{
    b->params.cache = NULL;
    verify(b);
}

/* The curve arithmetic alone, over the very same numbers. */
static void
raw_once(struct bench *b)
{
    struct assay_error err = { 0 };

    if (key_verify_p256_raw(b->attestation_key, b->q.signed_part,
                            b->q.signature, &err) != ASSAY_OK)
        die(&err);
}

/* What a cold verification must decode, once each. */
static void
decode_once(struct bench *b)
{
    const struct tdx_collateral *c = &b->collateral;
    struct sgx_cert_list pck, signer, known = { 0 };
    struct crl *root_crl = NULL, *pck_crl = NULL;
    struct assay_error err = { 0 };
    struct sgx_tcb_info info;
    struct sgx_qe_identity identity;
    struct sgx_document doc;
    struct arena arena;
    struct key *key = NULL;

    arena_init(&arena, LIMIT_SGX_COLLATERAL_ARENA, NULL);
    if (sgx_cert_list_read(b->q.cert_data, NULL, &pck, &err) != ASSAY_OK)
        die(&err);
    sgx_cert_list_add(&known, sgx_cert_list_find(&pck, SGX_CERT_ROOT));
    if (sgx_cert_list_read(c->tcb_info_issuer_chain, &known, &signer, &err) !=
            ASSAY_OK ||
        sgx_crl_read(c->root_ca_crl, &root_crl, &err) != ASSAY_OK ||
        sgx_crl_read(c->pck_crl, &pck_crl, &err) != ASSAY_OK ||
        sgx_document_decode(c->tcb_info, "tcbInfo", &arena, &doc, &err) !=
            ASSAY_OK ||
        sgx_tcb_info_decode(&doc.body, &arena, &info, &err) != ASSAY_OK ||
        sgx_document_decode(c->qe_identity, "enclaveIdentity", &arena, &doc,
                            &err) != ASSAY_OK ||
        sgx_qe_identity_decode(&doc.body, &arena, &identity, &err) !=
            ASSAY_OK ||
        key_from_point_p256(b->q.attestation_key, &key, &err) != ASSAY_OK)
        die(&err);
    key_free(key);
    crl_free(root_crl);
    crl_free(pck_crl);
    sgx_cert_list_wipe(&known);
    sgx_cert_list_wipe(&signer);
    sgx_cert_list_wipe(&pck);
    arena_drop(&arena);
}

static double
rate(struct bench *b, void (*once)(struct bench *b))
{
    double start = seconds(), now = start;
    unsigned n = 0;

    while (now - start < ROUND_MS / 1e3) {
        for (int i = 0; i < 16; i++)
            once(b);
        n += 16;
        now = seconds();
    }
    return n / (now - start);
}

static int
ascending(const void *a, const void *b)
{
    double x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

static void
load(const char *dir, const char *name, struct buffer *out)
{
    struct assay_error err = { 0 };
    char path[4096];

    snprintf(path, sizeof(path), "%s%s%s", dir, name[0] ? "/" : "", name);
    buffer_init(out, 1 << 20, NULL);
    if (file_read(path, out, &err) != ASSAY_OK)
        die(&err);
}

static void
load_collateral(struct bench *b, const char *dir)
{
    const struct {
        const char *name;
        struct span *piece;
    } files[PIECES] = {
        { "tcb_info.json", &b->collateral.tcb_info },
        { "tcb_info_issuer_chain.pem", &b->collateral.tcb_info_issuer_chain },
        { "qe_identity.json", &b->collateral.qe_identity },
        { "qe_identity_issuer_chain.pem",
          &b->collateral.qe_identity_issuer_chain },
        { "root_ca.crl", &b->collateral.root_ca_crl },
        { "pck.crl", &b->collateral.pck_crl },
        { "pck_crl_issuer_chain.pem", &b->collateral.pck_crl_issuer_chain },
    };

    for (size_t i = 0; i < PIECES; i++) {
        load(dir, files[i].name, &b->pieces[i]);
        *files[i].piece = buffer_span(&b->pieces[i]);
    }
}

/* Everything a manifest would ask of this very quote. */
static void
expect_itself(struct bench *b)
{
    struct tdx_reference *r = &b->reference;
    const struct td_report *td = &b->q.td;
    const struct expect any = { .kind = EXPECT_ANY };

#define ITSELF(field)                                                          \
    (struct expect){ EXPECT_EQUAL, span_of(field, sizeof(field)) }
    r->report_data = ITSELF(td->report_data);
    r->mr_config_id = ITSELF(td->mr_config_id);
    r->mr_td = ITSELF(td->mr_td);
    r->mr_seam = ITSELF(td->mr_seam);
    for (size_t i = 0; i < TDX_RTMRS; i++)
        r->rtmr[i] = ITSELF(td->rtmr[i]);
    r->td_attributes = ITSELF(td->td_attributes);
    r->xfam = ITSELF(td->xfam);
    r->ignore_cet = true;
    r->mr_owner = r->mr_owner_config = r->mr_service_td = any;
    r->mr_enclave = r->mr_signer = any;
}

static void
setup(struct bench *b, char **argv)
{
    struct assay_error err = { 0 };
    struct tdx_verify_params *p = &b->params;

    load(argv[3], "quote.bin", &b->quote);
    load_collateral(b, argv[3]);
    if (strcmp(argv[2], "-") != 0) {
        struct buffer anchor;

        load(argv[2], "", &anchor);
        if (trust_anchors_add(&b->anchors, buffer_span(&anchor), &err) !=
            ASSAY_OK)
            die(&err);
        buffer_free(&anchor);
    }
    b->instant = strtoll(argv[1], NULL, 10);
    b->clock = clock_at(&b->instant);
    p->clock = &b->clock;
    p->anchors = &b->anchors;
    p->tee = QUOTE_TEE_TDX;
    if (tdx_cache_new(16, &b->cache, &err) != ASSAY_OK ||
        tdx_quote_decode(buffer_span(&b->quote), &b->q, &err) != ASSAY_OK ||
        key_from_point_p256(b->q.attestation_key, &b->attestation_key, &err) !=
            ASSAY_OK)
        die(&err);
}

static double
median(double *rates)
{
    qsort(rates, ROUNDS, sizeof(rates[0]), ascending);
    return rates[ROUNDS / 2];
}

int
main(int argc, char **argv)
{
    static struct bench b;
    double warm[ROUNDS], cold[ROUNDS], raw[ROUNDS], decode[ROUNDS], primitives;

    if (argc != 4) {
        fprintf(stderr, "usage: bench-quote UNIX-TIME ANCHOR|- FOLDER\n");
        return 2;
    }
    setup(&b, argv);
    expect_itself(&b);
    warm_once(&b);
    for (int i = 0; i < ROUNDS; i++) {
        raw[i] = rate(&b, raw_once);
        warm[i] = rate(&b, warm_once);
        cold[i] = rate(&b, cold_once);
        decode[i] = rate(&b, decode_once);
    }
    primitives = SIGNATURES_COLD / median(raw) + 1 / median(decode);
    printf("{\"warm_per_s\": %.0f, \"cold_per_s\": %.0f, "
           "\"ecdsa_p256_per_s\": %.0f, \"warm_ratio\": %.3f, "
           "\"cold_ratio\": %.3f, \"cold_ratio_signatures_only\": %.3f}\n",
           median(warm), median(cold), median(raw),
           median(warm) * 2 / median(raw), median(cold) * primitives,
           median(cold) * SIGNATURES_COLD / median(raw));
    return 0;
}
