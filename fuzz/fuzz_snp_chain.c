/* A file of certificates as a chain: it is good only when a trusted root's
 * key signed the intermediate and that the leaf, whatever the order; and never
 * when nobody added the root. */
#include "fuzz.h"

#include "crypto/x509.h"
#include "evidence/snp_chain.h"

static struct snp_chain *
build(const struct snp_collateral *c, const struct trust_anchors *anchors,
      enum snp_signing_key signer)
{
    static const struct snp_report report = { .version = 2 };
    int64_t now = 1780272000;
    const struct clock clock = clock_at(&now);
    const struct snp_chain_want want = {
        .report = &report, .signer = signer, .clock = &clock, .anchors = anchors
    };
    struct snp_chain *chain;

    assert(snp_chain_build(c, &want, &chain, NULL) == ASSAY_OK);
    return chain;
}

static void
check_good(const struct snp_chain *chain)
{
    const struct cert *leaf = snp_chain_leaf(chain);
    const struct cert *middle = snp_chain_intermediate(chain);
    const struct cert *root = snp_chain_root(chain);

    assert(snp_chain_trust(chain) != TRUST_NONE);
    assert(cert_verify_signature(leaf, cert_key(middle), NULL) == ASSAY_OK);
    assert(cert_verify_signature(middle, cert_key(root), NULL) == ASSAY_OK);
    assert(key_type(cert_key(leaf)) == KEY_P384);
    assert(snp_chain_facts(chain));
}

/* The first certificates that can be anchors become some. */
static void
believe(const struct snp_collateral *c, struct trust_anchors *anchors)
{
    for (size_t i = 0; i < c->cert_count; i++) {
        if (trust_anchors_add(anchors, c->certs[i], NULL) == ASSAY_ERR_LIMIT)
            break;
    }
}

static void
try_signer(const struct snp_collateral *c, enum snp_signing_key signer)
{
    struct trust_anchors anchors = { 0 };
    struct snp_collateral reversed = *c;
    struct snp_chain *without, *with, *backwards;

    for (size_t i = 0; i < c->cert_count; i++)
        reversed.certs[i] = c->certs[c->cert_count - 1 - i];
    believe(c, &anchors);
    without = build(c, NULL, signer);
    with = build(c, &anchors, signer);
    backwards = build(&reversed, &anchors, signer);
    /* AMD's own certificates are public: such a chain may be good. */
    assert(!snp_chain_is_good(without) ||
           snp_chain_trust(without) == TRUST_VENDOR);
    if (snp_chain_is_good(with)) {
        check_good(with);
        fuzz_success();
    }
    if (c->cert_count <= 3)
        assert(snp_chain_is_good(with) == snp_chain_is_good(backwards));
    snp_chain_release(without);
    snp_chain_release(with);
    snp_chain_release(backwards);
    trust_anchors_wipe(&anchors);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct snp_collateral c = { 0 };
    struct arena arena;

    arena_init(&arena, 1 << 22, NULL);
    if (snp_collateral_add_file(&c, span_of(data, size), &arena, NULL) ==
            ASSAY_OK &&
        c.cert_count > 0 && c.cert_count <= 8) {
        try_signer(&c, SNP_SIGNER_VCEK);
        try_signer(&c, SNP_SIGNER_VLEK);
    }
    arena_drop(&arena);
    return 0;
}
