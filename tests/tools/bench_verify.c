/* Verifications of one report per second on one core with a warm chain, and
 * the bare ECDSA P-384 verification that is their limit, in turns:
 *
 *   bench-verify UNIX-TIME ANCHOR|- REPORT COLLATERAL...
 *
 * Prints the medians as one JSON line. A verification here is what the
 * coordinator does: form, chain, revocation, signature, binding, consistency,
 * and appraisal against a reference value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "crypto/x509.h"
#include "evidence/snp_appraise.h"

enum { ROUNDS = 7, ROUND_MS = 400, FILES_MAX = 8 };

struct bench {
    struct buffer files[FILES_MAX];
    struct buffer report;
    struct snp_collateral collateral;
    struct trust_anchors anchors;
    struct snp_verify_params params;
    int64_t instant;
    struct clock clock;
    struct snp_reference reference;
    struct arena pem; /* of collateral */
    struct cert *leaf;
};

static void
die(const struct assay_error *err)
{
    fprintf(stderr, "bench-verify: %s\n", err->text);
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
verify_once(struct bench *b)
{
    struct assay_error err = { 0 };
    struct snp_verified verified;
    struct arena arena;
    struct verdict v;

    arena_init(&arena, 1 << 20, NULL);
    verdict_init(&v, &arena, "snp", false);
    if (snp_verify(buffer_span(&b->report), &b->collateral, &b->params, &v,
                   &verified, &err) != ASSAY_OK ||
        snp_appraise(&verified, &b->reference, &v, &err) != ASSAY_OK)
        die(&err);
    if (verdict_conclude(&v) != VERDICT_ACCEPTED &&
        verdict_status(&v, &err) != ASSAY_OK)
        die(&err);
    arena_drop(&arena);
}

/* The curve arithmetic alone, over the very same numbers. */
static void
raw_once(struct bench *b)
{
    const uint8_t *sig = b->report.ptr + 0x2a0;
    uint8_t digest[SHA384_SIZE], r[48], s[48];
    struct assay_error err = { 0 };

    for (size_t i = 0; i < 48; i++) {
        r[i] = sig[47 - i];
        s[i] = sig[SNP_SIGNATURE_PART + 47 - i];
    }
    if (digest_sha384(span_of(b->report.ptr, SNP_REPORT_SIGNED_SIZE), digest,
                      &err) != ASSAY_OK ||
        key_verify_p384_raw(cert_key(b->leaf), digest, r, s, &err) != ASSAY_OK)
        die(&err);
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
load(const char *path, struct buffer *out)
{
    struct assay_error err = { 0 };

    buffer_init(out, 1 << 20, NULL);
    if (file_read(path, out, &err) != ASSAY_OK)
        die(&err);
}

static void
setup(struct bench *b, int argc, char **argv)
{
    struct assay_error err = { 0 };
    struct snp_verify_params *p = &b->params;

    load(argv[3], &b->report);
    arena_init(&b->pem, 1 << 20, NULL);
    for (int i = 4; i < argc && i - 4 < FILES_MAX; i++) {
        load(argv[i], &b->files[i - 4]);
        if (snp_collateral_add_file(&b->collateral,
                                    buffer_span(&b->files[i - 4]), &b->pem,
                                    &err) != ASSAY_OK)
            die(&err);
    }
    if (strcmp(argv[2], "-") != 0) {
        struct buffer anchor;

        load(argv[2], &anchor);
        if (trust_anchors_add(&b->anchors, buffer_span(&anchor), &err) !=
            ASSAY_OK)
            die(&err);
        buffer_free(&anchor);
    }
    b->instant = strtoll(argv[1], NULL, 10);
    b->clock = clock_at(&b->instant);
    p->clock = &b->clock;
    p->anchors = &b->anchors;
    p->crl = SNP_CRL_OPTIONAL;
    if (snp_chain_cache_new(16, &p->cache, &err) != ASSAY_OK)
        die(&err);
    for (size_t i = 0; i < b->collateral.cert_count && !b->leaf; i++) {
        enum snp_product product;
        enum snp_cert_kind kind;

        if (cert_parse(b->collateral.certs[i], &b->leaf, &err) != ASSAY_OK)
            die(&err);
        kind = snp_cert_classify(b->leaf, &product);
        if (kind != SNP_CERT_VCEK && kind != SNP_CERT_VLEK) {
            cert_free(b->leaf);
            b->leaf = NULL;
        }
    }
    if (!b->leaf)
        exit(2);
}

/* Everything a manifest would ask of this very report. */
static void
expect_itself(struct bench *b)
{
    struct assay_error err = { 0 };
    struct snp_reference *r = &b->reference;
    const uint8_t *raw = b->report.ptr;

    r->report_data = (struct expect){ EXPECT_EQUAL, span_of(raw + 0x50, 64) };
    r->host_data = (struct expect){ EXPECT_EQUAL, span_of(raw + 0xc0, 32) };
    if (snp_launch_new_exact(raw + 0x90, &r->launch, &err) != ASSAY_OK)
        die(&err);
    r->any_vmpl = true;
    r->allow_debug = true;
    r->check_minimum_tcb = true;
}

int
main(int argc, char **argv)
{
    static struct bench b;
    double verify[ROUNDS], raw[ROUNDS];

    if (argc < 5) {
        fprintf(stderr, "usage: bench-verify UNIX-TIME ANCHOR|- REPORT "
                        "COLLATERAL...\n");
        return 2;
    }
    setup(&b, argc, argv);
    expect_itself(&b);
    verify_once(&b);
    for (int i = 0; i < ROUNDS; i++) {
        raw[i] = rate(&b, raw_once);
        verify[i] = rate(&b, verify_once);
    }
    qsort(verify, ROUNDS, sizeof(verify[0]), ascending);
    qsort(raw, ROUNDS, sizeof(raw[0]), ascending);
    printf("{\"verifications_per_s\": %.0f, \"ecdsa_p384_per_s\": %.0f, "
           "\"ratio\": %.3f}\n",
           verify[ROUNDS / 2], raw[ROUNDS / 2],
           verify[ROUNDS / 2] / raw[ROUNDS / 2]);
    return 0;
}
