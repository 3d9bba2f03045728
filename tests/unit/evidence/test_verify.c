/* Chain, revocation and binding, on machines of our own making: each test
 * spoils one thing that is otherwise correctly signed. */
#include "../unit.h"

#include <stdio.h>

#include "codec/pem.h"
#include "evidence/snp_verify.h"

#include "amd_fixture.h"

#define YEAR (INT64_C(365) * 24 * 3600)

struct run {
    struct arena arena;
    struct verdict v;
    struct snp_verified got;
    struct snp_verify_params params;
    int64_t now;
    struct clock clock;
};

static void
run_init(struct run *t, const struct amd_machine *m)
{
    arena_init(&t->arena, 1 << 22, NULL);
    t->now = FIXTURE_NOW;
    t->clock = clock_at(&t->now);
    t->params = (struct snp_verify_params){ .anchors = &m->anchors,
                                            .clock = &t->clock,
                                            .crl = SNP_CRL_OPTIONAL };
    verdict_init(&t->v, &t->arena, "snp", false);
}

static enum verdict_result
run_go(struct run *t, const struct amd_machine *m)
{
    struct assay_error err = { 0 };

    assert_ok(snp_verify(span_of(m->raw, sizeof(m->raw)), &m->collateral,
                         &t->params, &t->v, &t->got, &err),
              &err);
    return verdict_conclude(&t->v);
}

static void
run_free(struct run *t)
{
    arena_drop(&t->arena);
}

/* Prints every failure, so that a surprise explains itself. */
static void
want_result(struct run *t, enum verdict_result want, const char *check)
{
    const struct check *c = check ? verdict_find(&t->v, check) : NULL;

    if (t->v.result == want &&
        (!check ||
         (c && c->outcome ==
                   (want == VERDICT_REFUSED ? CHECK_FAIL : CHECK_SKIPPED))))
        return;
    for (size_t i = 0; i < t->v.count; i++) {
        if (t->v.checks[i].outcome != CHECK_PASS)
            print_error("%s %s: got %s, want %s (%s)\n",
                        check_outcome_name(t->v.checks[i].outcome),
                        t->v.checks[i].name, t->v.checks[i].actual,
                        t->v.checks[i].expected, t->v.checks[i].reason);
    }
    fail_msg("got %s, want %s by %s", verdict_result_name(t->v.result),
             verdict_result_name(want), check ? check : "-");
}

static void
judge(const struct amd_machine *m, enum verdict_result want, const char *check)
{
    struct run t;

    run_init(&t, m);
    run_go(&t, m);
    want_result(&t, want, check);
    run_free(&t);
}

static void
refused_by(const struct amd_machine *m, const char *check)
{
    judge(m, VERDICT_REFUSED, check);
}

/* --- good machines ------------------------------------------------------- */

static void
every_kind_of_machine_is_accepted(void **state)
{
    (void)state;
    for (int product = SNP_PRODUCT_MILAN; product < SNP_PRODUCT_COUNT;
         product++) {
        for (int vlek = 0; vlek < 2; vlek++) {
            for (uint32_t version = 2; version <= 5; version++) {
                struct amd_machine m;

                amd_machine_init(&m, (enum snp_product)product, vlek, version);
                judge(&m, VERDICT_ACCEPTED, NULL);
                amd_machine_free(&m);
            }
        }
    }
}

static void
an_added_anchor_is_insecure(void **state)
{
    struct amd_machine m;
    struct run t;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    run_init(&t, &m);
    run_go(&t, &m);
    assert_true(t.v.insecure);
    run_free(&t);
    amd_machine_free(&m);
}

/* A self-made ARK, ASK and VCEK of the right shape: only the pin tells. */
static void
a_self_made_root_is_refused(void **state)
{
    struct amd_machine m;
    struct run t;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    run_init(&t, &m);
    t.params.anchors = NULL;
    run_go(&t, &m);
    want_result(&t, VERDICT_REFUSED, "root_trusted");
    assert_int_equal(verdict_failures(&t.v), 1);
    assert_false(t.v.insecure);
    run_free(&t);
    amd_machine_free(&m);
}

/* The anchor of one product is none for another. */
static void
an_anchor_counts_for_its_product_only(void **state)
{
    struct amd_machine m;
    struct assay_error err = { 0 };
    struct buffer ark;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    amd_ca(&(struct amd_ca_spec){ .kind = SNP_CERT_ARK,
                                  .product = SNP_PRODUCT_MILAN,
                                  .key = m.keys.ark,
                                  .signer = m.keys.ark,
                                  .serial = 1 },
           &ark);
    trust_anchors_wipe(&m.anchors);
    assert_ok(trust_anchors_add(&m.anchors, buffer_span(&ark), &err), &err);
    refused_by(&m, "root_trusted");
    buffer_free(&ark);
    amd_machine_free(&m);
}

/* --- authorities --------------------------------------------------------- */

static void
spoil_authority(const struct amd_ca_spec *spec, const char *check)
{
    struct amd_machine m;
    struct amd_ca_spec s = *spec;

    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    s.kind = SNP_CERT_ASK;
    s.product = SNP_PRODUCT_GENOA;
    s.serial = 2;
    s.key = m.keys.ask;
    s.signer = s.signer ? s.signer : m.keys.ark;
    buffer_free(&m.authority);
    amd_ca(&s, &m.authority);
    amd_machine_collect(&m);
    refused_by(&m, check);
    amd_machine_free(&m);
}

static void
intermediates_must_be_authorities(void **state)
{
    struct amd_keys keys;

    (void)state;
    amd_keys_load(&keys);
    spoil_authority(&(struct amd_ca_spec){ .not_a_ca = true },
                    "intermediate_form");
    spoil_authority(&(struct amd_ca_spec){ .path_len = 1 },
                    "intermediate_form");
    spoil_authority(&(struct amd_ca_spec){ .path_len = -1 },
                    "intermediate_form");
    spoil_authority(&(struct amd_ca_spec){ .no_cert_sign = true },
                    "intermediate_form");
    spoil_authority(&(struct amd_ca_spec){ .alg = SIGNATURE_RSA_PKCS1_SHA256 },
                    "intermediate_form");
    spoil_authority(&(struct amd_ca_spec){ .signer = keys.other },
                    "intermediate_signature");
    spoil_authority(&(struct amd_ca_spec){ .not_after = FIXTURE_NOW - 1 },
                    "intermediate_validity");
    amd_keys_free(&keys);
}

/* A VLEK under the ASK, which signs VCEKs, has no place in the chain. */
static void
a_vlek_needs_the_asvk(void **state)
{
    struct amd_machine m;
    struct buffer ask;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_MILAN, true, 3);
    m.leaf_spec.issuer_cn = "SEV-Milan";
    amd_machine_remake(&m);
    amd_ca(&(struct amd_ca_spec){ .kind = SNP_CERT_ASK,
                                  .product = SNP_PRODUCT_MILAN,
                                  .key = m.keys.ask,
                                  .signer = m.keys.ark,
                                  .serial = 3 },
           &ask);
    m.collateral.certs[m.collateral.cert_count++] = buffer_span(&ask);
    refused_by(&m, "leaf_issuer");
    buffer_free(&ask);
    amd_machine_free(&m);
}

/* --- leaves -------------------------------------------------------------- */

static void
spoiled_leaf(const char *check, void (*spoil)(struct amd_machine *m))
{
    struct amd_machine m;

    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    spoil(&m);
    if (m.leaf.len == 0)
        amd_machine_remake(&m);
    buffer_free(&m.leaf);
    amd_leaf(&m.leaf_spec, &m.leaf);
    amd_machine_collect(&m);
    refused_by(&m, check);
    amd_machine_free(&m);
}

static void
no_spl(struct amd_machine *m)
{
    m->leaf_spec.has_spl[3] = false;
}

static void
foreign_spl(struct amd_machine *m)
{
    m->leaf_spec.has_spl[9] = true;
    m->leaf_spec.spl[9] = 1;
}

/* 0x0118 ends in the byte that is expected: the last byte alone is not it. */
static void
long_spl(struct amd_machine *m)
{
    m->leaf_spec.spl3_raw = span_of("\x02\x02\x01\x18", 4);
}

static void
padded_spl(struct amd_machine *m)
{
    m->leaf_spec.spl3_raw = span_of("\x02\x02\x00\x18", 4);
}

static void
trailing_spl(struct amd_machine *m)
{
    m->leaf_spec.spl3_raw = span_of("\x02\x01\x18\x00", 4);
}

static void
negative_spl(struct amd_machine *m)
{
    m->leaf_spec.spl3_raw = span_of("\x02\x01\x98", 3);
}

static void
other_spl(struct amd_machine *m)
{
    m->leaf_spec.spl[3]++;
}

static void
reserved_spl(struct amd_machine *m)
{
    m->leaf_spec.spl[5] = 1;
}

static void
other_struct_version(struct amd_machine *m)
{
    m->leaf_spec.struct_version = 1;
}

static void
other_product_name(struct amd_machine *m)
{
    m->leaf_spec.product_name = "Milan-B0";
}

static void
longer_product_name(struct amd_machine *m)
{
    m->leaf_spec.product_name = "GenoaX";
}

static void
no_hwid(struct amd_machine *m)
{
    m->leaf_spec.hwid = (struct span){ 0 };
}

static void
short_hwid(struct amd_machine *m)
{
    m->leaf_spec.hwid.len = 8;
}

static void
both_identities(struct amd_machine *m)
{
    m->leaf_spec.csp_id = span_of("\x16\x01x", 3);
}

static void
unknown_critical(struct amd_machine *m)
{
    m->leaf_spec.unknown_critical = true;
}

static void
other_signer(struct amd_machine *m)
{
    m->leaf_spec.signer = m->keys.other;
}

static void
expired(struct amd_machine *m)
{
    m->leaf_spec.not_after = FIXTURE_NOW - 1;
}

static void
not_yet(struct amd_machine *m)
{
    m->leaf_spec.not_before = FIXTURE_NOW + 1;
}

static void
issued_by_other_line(struct amd_machine *m)
{
    m->leaf_spec.issuer_cn = "SEV-Milan";
    m->leaf_spec.product_name = "Milan";
}

static void
spoiled_leaves_are_refused(void **state)
{
    static const struct {
        void (*spoil)(struct amd_machine *m);
        const char *check;
    } rows[] = {
        { no_spl, "leaf_extensions" },
        { foreign_spl, "leaf_extensions" },
        { long_spl, "leaf_extensions" },
        { padded_spl, "leaf_extensions" },
        { trailing_spl, "leaf_extensions" },
        { negative_spl, "leaf_extensions" },
        { other_spl, "leaf_tcb" },
        { reserved_spl, "leaf_tcb" },
        { other_struct_version, "leaf_extensions" },
        { other_product_name, "leaf_extensions" },
        { longer_product_name, "leaf_extensions" },
        { no_hwid, "leaf_extensions" },
        { short_hwid, "leaf_extensions" },
        { both_identities, "leaf_extensions" },
        { unknown_critical, "leaf_form" },
        { other_signer, "leaf_signature" },
        { expired, "leaf_validity" },
        { not_yet, "leaf_validity" },
        { issued_by_other_line, "product" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        spoiled_leaf(rows[i].check, rows[i].spoil);
}

/* Classing a certificate by a part of its name lets strangers in. */
static void
names_are_compared_whole(void **state)
{
    static const char *const names[] = { "VCEK", "SEV-VCEK ", "XSEV-VCEK",
                                         "SEV-VCEK-Genoa", "sev-vcek" };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct amd_machine m;

        amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
        m.leaf_spec.subject_cn = names[i];
        amd_machine_remake(&m);
        judge(&m, VERDICT_UNKNOWN, "leaf_form");
        amd_machine_free(&m);
    }
}

/* Same TCB, same issuer, another chip: also one that differs in one byte. */
static void
the_chip_is_compared(void **state)
{
    (void)state;
    for (int product = SNP_PRODUCT_MILAN; product < SNP_PRODUCT_COUNT;
         product++) {
        size_t size = product == SNP_PRODUCT_TURIN ? 8 : 64;
        struct amd_machine m;
        uint8_t other[64];

        amd_machine_init(&m, (enum snp_product)product, false, 5);
        memcpy(other, m.report.chip_id, sizeof(other));
        other[size - 1] ^= 1;
        m.leaf_spec.hwid = span_of(other, size);
        amd_machine_remake(&m);
        refused_by(&m, "leaf_chip");
        amd_machine_free(&m);
    }
}

/* A chip id may begin with the tag of an INTEGER or OCTET STRING: the total
 * length decides which form hwID has. */
static void
hwid_is_raw_or_wrapped_by_its_length(void **state)
{
    static const uint8_t first[] = { 0x00, 0x02, 0x04, 0x30 };

    (void)state;
    for (size_t i = 0; i < COUNT(first); i++) {
        for (int turin = 0; turin < 2; turin++) {
            uint8_t wrapped[66] = { 0x04 };
            size_t size = turin ? 8 : 64;
            struct amd_machine m;

            amd_machine_init(&m, turin ? SNP_PRODUCT_TURIN : SNP_PRODUCT_MILAN,
                             false, 5);
            m.report.chip_id[0] = first[i];
            m.report.chip_id[1] = (uint8_t)(size - 2);
            amd_machine_remake(&m);
            judge(&m, VERDICT_ACCEPTED, NULL);
            wrapped[1] = (uint8_t)size;
            memcpy(wrapped + 2, m.report.chip_id, size);
            m.leaf_spec.hwid = span_of(wrapped, size + 2);
            amd_machine_remake(&m);
            judge(&m, VERDICT_ACCEPTED, NULL);
            amd_machine_free(&m);
        }
    }
}

static void
a_turin_chip_id_has_a_zero_tail(void **state)
{
    struct amd_machine m;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_TURIN, false, 5);
    m.report.chip_id[8] = 1;
    amd_machine_remake(&m);
    refused_by(&m, "chip_id_form");
    refused_by(&m, "leaf_chip");
    amd_machine_free(&m);
}

/* Trap: the product of a version 2 report guessed from its chip id's zeros. */
static void
a_masked_chip_needs_permission(void **state)
{
    (void)state;
    for (uint32_t version = 2; version <= 3; version++) {
        uint8_t chip[64];
        struct amd_machine m;
        struct run t;

        amd_machine_init(&m, SNP_PRODUCT_MILAN, false, version);
        memcpy(chip, m.report.chip_id, sizeof(chip));
        m.leaf_spec.hwid = span_of(chip, sizeof(chip));
        memset(m.report.chip_id, 0, sizeof(m.report.chip_id));
        amd_machine_remake(&m);
        refused_by(&m, "leaf_chip");
        run_init(&t, &m);
        t.params.allow_masked_chip = true;
        assert_int_equal(run_go(&t, &m), VERDICT_ACCEPTED);
        assert_int_equal(t.got.product, SNP_PRODUCT_MILAN);
        run_free(&t);
        amd_machine_free(&m);
    }
}

/* --- signing key --------------------------------------------------------- */

/* Same key in both leaves: only SIGNING_KEY tells which is meant. */
static void
the_leaf_is_chosen_by_signing_key(void **state)
{
    struct amd_machine m, other;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_MILAN, false, 3);
    amd_machine_init(&other, SNP_PRODUCT_MILAN, true, 3);
    for (int order = 0; order < 2; order++) {
        struct snp_collateral *c = &m.collateral;

        *c = (struct snp_collateral){ 0 };
        c->certs[c->cert_count++] = buffer_span(&m.ark);
        c->certs[c->cert_count++] = buffer_span(order ? &other.leaf : &m.leaf);
        c->certs[c->cert_count++] = buffer_span(&other.authority);
        c->certs[c->cert_count++] = buffer_span(order ? &m.leaf : &other.leaf);
        c->certs[c->cert_count++] = buffer_span(&m.authority);
        judge(&m, VERDICT_ACCEPTED, NULL);
    }
    m.collateral = other.collateral;
    refused_by(&m, "leaf_kind");
    amd_machine_free(&m);
    amd_machine_free(&other);
}

static void
other_signing_keys_are_refused(void **state)
{
    (void)state;
    for (uint32_t key = 2; key < 8; key++) {
        struct amd_machine m;

        amd_machine_init(&m, SNP_PRODUCT_MILAN, false, 3);
        m.report.flags = key << 2;
        amd_machine_remake(&m);
        refused_by(&m, "signing_key");
        amd_machine_free(&m);
    }
}

/* --- report signature ---------------------------------------------------- */

/* The bytes that came are what was signed, not what we make of them. */
static void
every_signed_byte_counts(void **state)
{
    struct amd_machine m;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 5);
    for (size_t at = 0; at < SNP_REPORT_SIZE; at += 7) {
        struct run t;

        m.raw[at] ^= 1;
        run_init(&t, &m);
        assert_int_equal(run_go(&t, &m), VERDICT_REFUSED);
        run_free(&t);
        m.raw[at] ^= 1;
    }
    judge(&m, VERDICT_ACCEPTED, NULL);
    amd_machine_free(&m);
}

/* The opaque bytes of version 4 are signed and kept. */
static void
opaque_bytes_of_version_4_are_signed(void **state)
{
    struct amd_machine m;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_MILAN, false, 4);
    m.report.launch_mit_vector = 0x1122334455667788;
    amd_machine_remake(&m);
    judge(&m, VERDICT_ACCEPTED, NULL);
    m.raw[0x1f8] ^= 1;
    refused_by(&m, "report_signature");
    amd_machine_free(&m);
}

static void
signatures_out_of_range_are_refused(void **state)
{
    /* The order of P-384, little-endian, as r or s would be. */
    static const char order[] =
        "7329c5cc6a19ecec7a7ab048b20d1a58df2d37f4814d63c7"
        "ffffffffffffffffffffffffffffffffffffffffffffffff";
    struct amd_machine m;
    uint8_t n[48];

    (void)state;
    assert_true(hex_decode(span_str(order), n, sizeof(n)));
    amd_machine_init(&m, SNP_PRODUCT_MILAN, false, 3);
    for (size_t part = 0; part < 2; part++) {
        size_t at = 0x2a0 + part * SNP_SIGNATURE_PART;

        amd_report_sign(&m.report, m.keys.leaf, m.raw);
        memset(m.raw + at, 0, 48);
        refused_by(&m, "report_signature");
        memcpy(m.raw + at, n, 48);
        refused_by(&m, "report_signature");
    }
    memset(m.raw + 0x2a0, 0, SNP_SIGNATURE_SIZE);
    refused_by(&m, "report_signature");
    amd_machine_free(&m);
}

/* --- product ------------------------------------------------------------- */

static void
another_products_chain_does_not_vouch(void **state)
{
    struct amd_machine m;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    m.report.cpuid_mod_id = 0x01; /* Milan */
    amd_machine_remake(&m);
    refused_by(&m, "product");
    refused_by(&m, "root_trusted");
    m.report.cpuid_mod_id = 0x20; /* nobody's */
    amd_machine_remake(&m);
    refused_by(&m, "cpuid");
    amd_machine_free(&m);
}

static void
zen_4c_belongs_to_genoa(void **state)
{
    static const uint8_t models[] = { 0xa0, 0xaf };

    (void)state;
    for (size_t i = 0; i < COUNT(models); i++) {
        struct amd_machine m;

        amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 5);
        m.report.cpuid_mod_id = models[i];
        amd_machine_remake(&m);
        judge(&m, VERDICT_ACCEPTED, NULL);
        amd_machine_free(&m);
    }
}

/* Neither a stepping in productName nor its absence says anything. */
static void
steppings_of_product_names_do_not_matter(void **state)
{
    struct amd_machine m;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 2);
    judge(&m, VERDICT_ACCEPTED, NULL);
    m.leaf_spec.product_name = "Genoa-B1";
    amd_machine_remake(&m);
    judge(&m, VERDICT_ACCEPTED, NULL);
    amd_machine_free(&m);
}

static void
the_configured_product_must_agree(void **state)
{
    (void)state;
    for (uint32_t version = 2; version <= 3; version++) {
        struct amd_machine m;
        struct run t;

        amd_machine_init(&m, SNP_PRODUCT_TURIN, false, version);
        run_init(&t, &m);
        t.params.product = SNP_PRODUCT_TURIN;
        assert_int_equal(run_go(&t, &m), VERDICT_ACCEPTED);
        run_free(&t);
        run_init(&t, &m);
        t.params.product = SNP_PRODUCT_MILAN;
        run_go(&t, &m);
        want_result(&t, VERDICT_REFUSED, version == 2 ? "product" : "cpuid");
        run_free(&t);
        amd_machine_free(&m);
    }
}

/* --- consistency --------------------------------------------------------- */

static void
tcbs_keep_their_order(void **state)
{
    struct amd_machine m;
    uint64_t more;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    more = m.report.reported_tcb + (UINT64_C(1) << 48);
    m.report.committed_tcb = more;
    amd_machine_remake(&m);
    refused_by(&m, "tcb_committed");
    m.report.current_tcb = more; /* reported < committed = current */
    amd_machine_remake(&m);
    judge(&m, VERDICT_ACCEPTED, NULL);
    m.report.committed_tcb = m.report.reported_tcb;
    m.report.launch_tcb = more + (UINT64_C(1) << 48);
    amd_machine_remake(&m);
    refused_by(&m, "tcb_launch");
    m.report.policy |= SNP_POLICY_MIGRATE_MA;
    amd_machine_remake(&m);
    judge(&m, VERDICT_ACCEPTED, NULL); /* refusing it is policy */
    amd_machine_free(&m);
}

static void
a_reported_tcb_above_the_committed_is_refused(void **state)
{
    struct amd_machine m;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_TURIN, false, 5);
    m.report.committed_tcb -= 1; /* FMC */
    amd_machine_remake(&m);
    refused_by(&m, "tcb_reported");
    amd_machine_free(&m);
}

/* Build 30 of 1.55 is older than build 0 of 1.58. */
static void
firmware_versions_are_ordered_as_triples(void **state)
{
    struct amd_machine m;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 5);
    m.report.current = (struct snp_firmware_version){ 1, 58, 0 };
    m.report.committed = (struct snp_firmware_version){ 1, 55, 30 };
    amd_machine_remake(&m);
    judge(&m, VERDICT_ACCEPTED, NULL);
    m.report.current = (struct snp_firmware_version){ 1, 55, 30 };
    m.report.committed = (struct snp_firmware_version){ 1, 58, 0 };
    amd_machine_remake(&m);
    refused_by(&m, "firmware_order");
    amd_machine_free(&m);
}

static void
author_key_and_flag_must_agree(void **state)
{
    struct amd_machine m;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    m.report.author_key_digest[7] = 1;
    amd_machine_remake(&m);
    refused_by(&m, "author_key");
    m.report.flags |= SNP_FLAG_AUTHOR_KEY_EN;
    amd_machine_remake(&m);
    refused_by(&m, "author_key"); /* no ID key below it */
    m.report.id_key_digest[0] = 1;
    amd_machine_remake(&m);
    judge(&m, VERDICT_ACCEPTED, NULL);
    amd_machine_free(&m);
}

/* --- revocation ---------------------------------------------------------- */

static void
with_crl(struct amd_machine *m, const struct amd_crl_spec *spec,
         enum verdict_result want, const char *check)
{
    struct buffer crl;
    struct run t;

    amd_crl(spec, &crl);
    m->collateral.crls[0] = buffer_span(&crl);
    m->collateral.crl_count = 1;
    run_init(&t, m);
    t.params.crl = SNP_CRL_NEEDED;
    run_go(&t, m);
    want_result(&t, want, check);
    run_free(&t);
    m->collateral.crl_count = 0;
    buffer_free(&crl);
}

static void
revocation_lists_are_judged(void **state)
{
    struct amd_machine m;
    struct amd_crl_spec good = { .product = SNP_PRODUCT_MILAN,
                                 .this_update = FIXTURE_NOW - 10,
                                 .next_update = FIXTURE_NOW + 10 };
    struct amd_crl_spec s;

    (void)state;
    for (int vlek = 0; vlek < 2; vlek++) {
        amd_machine_init(&m, SNP_PRODUCT_MILAN, vlek, 3);
        good.signer = m.keys.ark;
        with_crl(&m, &good, VERDICT_ACCEPTED, NULL);
        s = good;
        s.revoked = 0x010001; /* the ASK, or the ASVK */
        with_crl(&m, &s, VERDICT_REFUSED, "revocation");
        s.next_update = FIXTURE_NOW - 1;
        with_crl(&m, &s, VERDICT_REFUSED, "revocation");
        s = good;
        s.revoked = 0x010002;
        with_crl(&m, &s, VERDICT_ACCEPTED, NULL);
        s = good;
        s.next_update = FIXTURE_NOW - 1;
        with_crl(&m, &s, VERDICT_REFUSED, "crl_validity");
        s = good;
        s.this_update = FIXTURE_NOW + 1;
        with_crl(&m, &s, VERDICT_REFUSED, "crl_validity");
        s = good;
        s.signer = m.keys.other;
        with_crl(&m, &s, VERDICT_REFUSED, "crl");
        s = good;
        s.product = SNP_PRODUCT_GENOA;
        with_crl(&m, &s, VERDICT_REFUSED, "crl");
        amd_machine_free(&m);
    }
}

static void
a_missing_list_is_visible_and_a_choice(void **state)
{
    struct amd_machine m;
    struct run t;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    run_init(&t, &m);
    assert_int_equal(run_go(&t, &m), VERDICT_ACCEPTED);
    assert_int_equal(verdict_find(&t.v, "revocation")->outcome, CHECK_SKIPPED);
    run_free(&t);
    run_init(&t, &m);
    t.params.crl = SNP_CRL_NEEDED;
    run_go(&t, &m);
    want_result(&t, VERDICT_UNKNOWN, "revocation");
    run_free(&t);
    run_init(&t, &m);
    verdict_init(&t.v, &t.arena, "snp", true);
    run_go(&t, &m);
    want_result(&t, VERDICT_REFUSED, "revocation");
    run_free(&t);
    amd_machine_free(&m);
}

/* --- missing pieces and sources ------------------------------------------ */

static void
missing_certificates_leave_it_unknown(void **state)
{
    (void)state;
    for (size_t gone = 0; gone < 3; gone++) {
        struct amd_machine m;
        struct run t;

        amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
        m.collateral.certs[gone] = m.collateral.certs[(gone + 1) % 3];
        run_init(&t, &m);
        /* An anchor would stand in for the root. */
        t.params.anchors = NULL;
        run_go(&t, &m);
        if (gone == 2)
            want_result(&t, VERDICT_UNKNOWN, "root_trusted");
        else
            assert_int_not_equal(t.v.result, VERDICT_ACCEPTED);
        run_free(&t);
        amd_machine_free(&m);
    }
}

struct source {
    int64_t *clock; /* advances to the leaf's first second, or NULL */
    const struct amd_machine *m;
    unsigned leaf, chain, crl; /* calls */
    bool down;
};

static enum assay_status
source_vcek(void *ctx, const struct snp_report *report,
            enum snp_product product, struct buffer *der,
            struct assay_error *err)
{
    struct source *s = ctx;

    (void)report;
    s->leaf++;
    assert_int_equal(product, SNP_PRODUCT_GENOA);
    if (s->down)
        return assay_fail(err, ASSAY_ERR_IO, "the service is down");
    if (s->clock)
        *s->clock = s->m->leaf_spec.not_before;
    buffer_add(der, buffer_span(&s->m->leaf));
    return ASSAY_OK;
}

static enum assay_status
source_chain(void *ctx, enum snp_product product, bool vlek, struct buffer *pem,
             struct assay_error *err)
{
    struct source *s = ctx;

    s->chain++;
    assert_int_equal(product, SNP_PRODUCT_GENOA);
    assert_false(vlek);
    if (s->down)
        return assay_fail(err, ASSAY_ERR_IO, "the service is down");
    assert_ok(
        pem_encode("CERTIFICATE", buffer_span(&s->m->authority), pem, err),
        err);
    assert_ok(pem_encode("CERTIFICATE", buffer_span(&s->m->ark), pem, err),
              err);
    return ASSAY_OK;
}

static enum assay_status
source_crl(void *ctx, enum snp_product product, bool vlek, struct buffer *der,
           struct assay_error *err)
{
    struct source *s = ctx;

    s->crl++;
    assert_int_equal(product, SNP_PRODUCT_GENOA);
    assert_false(vlek);
    if (s->down)
        return assay_fail(err, ASSAY_ERR_IO, "the service is down");
    buffer_add(der, buffer_span(&s->m->crl));
    return ASSAY_OK;
}

static void
a_source_supplies_what_is_missing(void **state)
{
    struct amd_machine m;
    struct source s = { .m = &m };
    const struct collateral_source source = { .snp_vcek = source_vcek,
                                              .snp_chain = source_chain,
                                              .snp_crl = source_crl,
                                              .ctx = &s };
    struct run t;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    m.collateral.cert_count = 0;
    run_init(&t, &m);
    t.params.source = &source;
    t.params.crl = SNP_CRL_NEEDED;
    assert_int_equal(run_go(&t, &m), VERDICT_ACCEPTED);
    assert_int_equal(s.leaf, 1);
    assert_int_equal(s.chain, 1);
    assert_int_equal(s.crl, 1);
    run_free(&t);
    s.down = true;
    run_init(&t, &m);
    t.params.source = &source;
    run_go(&t, &m);
    want_result(&t, VERDICT_UNKNOWN, "leaf_form");
    assert_non_null(
        strstr(verdict_find(&t.v, "leaf_form")->reason, "service is down"));
    run_free(&t);
    amd_machine_free(&m);
}

/* The vendor issues a certificate when it is asked for: by then it is valid,
 * however early the question was put. */
static void
a_certificate_may_be_younger_than_the_question(void **state)
{
    struct amd_machine m;
    struct run t;
    struct source s = { .m = &m };
    const struct collateral_source source = { .snp_vcek = source_vcek,
                                              .ctx = &s };

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    m.leaf_spec.not_before = FIXTURE_NOW + 5;
    amd_machine_remake(&m);
    m.collateral.certs[0] = buffer_span(&m.ark);
    m.collateral.certs[1] = buffer_span(&m.authority);
    m.collateral.cert_count = 2;
    for (int advances = 0; advances < 2; advances++) {
        run_init(&t, &m);
        t.params.source = &source;
        s.clock = advances ? &t.now : NULL;
        run_go(&t, &m);
        want_result(&t, advances ? VERDICT_ACCEPTED : VERDICT_REFUSED, NULL);
        run_free(&t);
    }
    amd_machine_free(&m);
}

/* --- cache --------------------------------------------------------------- */

static void
a_warm_chain_still_looks_at_dates(void **state)
{
    struct amd_machine m;
    struct assay_error err = { 0 };
    struct snp_chain_cache *cache;
    struct run t;
    static const struct {
        int64_t now;
        enum verdict_result want;
    } rows[] = {
        { FIXTURE_NOW, VERDICT_ACCEPTED },
        { FIXTURE_NOW + 60, VERDICT_ACCEPTED },
        { FIXTURE_NOW + 8 * YEAR, VERDICT_REFUSED },
        { FIXTURE_NOW - 8 * YEAR, VERDICT_REFUSED },
        { FIXTURE_NOW, VERDICT_ACCEPTED },
    };

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    m.collateral.crls[0] = buffer_span(&m.crl);
    m.collateral.crl_count = 1;
    assert_ok(snp_chain_cache_new(2, &cache, &err), &err);
    for (size_t i = 0; i < COUNT(rows); i++) {
        run_init(&t, &m);
        t.params.cache = cache;
        t.now = rows[i].now;
        run_go(&t, &m);
        want_result(&t, rows[i].want, NULL);
        run_free(&t);
    }
    assert_int_equal(snp_chain_cache_stats(cache).hits, 2);
    assert_int_equal(snp_chain_cache_stats(cache).count, 1);
    snp_chain_cache_free(cache);
    amd_machine_free(&m);
}

/* Good once under one anchor is not good without it, nor for another chip. */
static void
a_warm_chain_serves_the_same_question_only(void **state)
{
    struct amd_machine m;
    struct assay_error err = { 0 };
    struct snp_chain_cache *cache;
    struct run t;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    assert_ok(snp_chain_cache_new(8, &cache, &err), &err);
    run_init(&t, &m);
    t.params.cache = cache;
    assert_int_equal(run_go(&t, &m), VERDICT_ACCEPTED);
    run_free(&t);
    run_init(&t, &m);
    t.params.cache = cache;
    t.params.anchors = NULL;
    run_go(&t, &m);
    want_result(&t, VERDICT_REFUSED, "root_trusted");
    run_free(&t);
    m.report.cpuid_mod_id = 0x01;
    amd_report_sign(&m.report, m.keys.leaf, m.raw);
    run_init(&t, &m);
    t.params.cache = cache;
    run_go(&t, &m);
    want_result(&t, VERDICT_REFUSED, "product");
    run_free(&t);
    snp_chain_cache_free(cache);
    amd_machine_free(&m);
}

static void
the_cache_is_bounded(void **state)
{
    struct amd_machine m;
    struct assay_error err = { 0 };
    struct snp_chain_cache *cache;

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    assert_ok(snp_chain_cache_new(2, &cache, &err), &err);
    for (uint8_t i = 0; i < 5; i++) {
        struct run t;

        m.report.chip_id[0] = i;
        amd_machine_remake(&m);
        run_init(&t, &m);
        t.params.cache = cache;
        assert_int_equal(run_go(&t, &m), VERDICT_ACCEPTED);
        run_free(&t);
    }
    assert_int_equal(snp_chain_cache_stats(cache).count, 2);
    snp_chain_cache_free(cache);
    amd_machine_free(&m);
}

/* --- memory -------------------------------------------------------------- */

static void
without_memory_nothing_is_accepted(void **state)
{
    struct amd_machine m;
    int64_t now = FIXTURE_NOW;
    const struct clock clock = clock_at(&now);

    (void)state;
    amd_machine_init(&m, SNP_PRODUCT_GENOA, false, 3);
    for (size_t n = 0;; n++) {
        struct failing_alloc f;
        struct verdict v;
        struct snp_verified got;
        struct arena arena;
        enum assay_status st;

        failing_alloc_init(&f, n);
        arena_init(&arena, 1 << 22, &f.alloc);
        verdict_init(&v, &arena, "snp", false);
        st = snp_verify(span_of(m.raw, sizeof(m.raw)), &m.collateral,
                        &(struct snp_verify_params){ .anchors = &m.anchors,
                                                     .clock = &clock,
                                                     .crl = SNP_CRL_OPTIONAL },
                        &v, &got, NULL);
        if (st != ASSAY_OK) {
            assert_status(st, ASSAY_ERR_NOMEM);
            assert_int_equal(verdict_conclude(&v), VERDICT_REFUSED);
        }
        arena_drop(&arena);
        assert_int_equal(f.live, 0);
        if (st == ASSAY_OK)
            break;
    }
    amd_machine_free(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_machine_is_accepted),
        cmocka_unit_test(an_added_anchor_is_insecure),
        cmocka_unit_test(a_self_made_root_is_refused),
        cmocka_unit_test(an_anchor_counts_for_its_product_only),
        cmocka_unit_test(intermediates_must_be_authorities),
        cmocka_unit_test(a_vlek_needs_the_asvk),
        cmocka_unit_test(spoiled_leaves_are_refused),
        cmocka_unit_test(names_are_compared_whole),
        cmocka_unit_test(the_chip_is_compared),
        cmocka_unit_test(hwid_is_raw_or_wrapped_by_its_length),
        cmocka_unit_test(a_turin_chip_id_has_a_zero_tail),
        cmocka_unit_test(a_masked_chip_needs_permission),
        cmocka_unit_test(the_leaf_is_chosen_by_signing_key),
        cmocka_unit_test(other_signing_keys_are_refused),
        cmocka_unit_test(every_signed_byte_counts),
        cmocka_unit_test(opaque_bytes_of_version_4_are_signed),
        cmocka_unit_test(signatures_out_of_range_are_refused),
        cmocka_unit_test(another_products_chain_does_not_vouch),
        cmocka_unit_test(zen_4c_belongs_to_genoa),
        cmocka_unit_test(steppings_of_product_names_do_not_matter),
        cmocka_unit_test(the_configured_product_must_agree),
        cmocka_unit_test(tcbs_keep_their_order),
        cmocka_unit_test(a_reported_tcb_above_the_committed_is_refused),
        cmocka_unit_test(firmware_versions_are_ordered_as_triples),
        cmocka_unit_test(author_key_and_flag_must_agree),
        cmocka_unit_test(revocation_lists_are_judged),
        cmocka_unit_test(a_missing_list_is_visible_and_a_choice),
        cmocka_unit_test(missing_certificates_leave_it_unknown),
        cmocka_unit_test(a_source_supplies_what_is_missing),
        cmocka_unit_test(a_certificate_may_be_younger_than_the_question),
        cmocka_unit_test(a_warm_chain_still_looks_at_dates),
        cmocka_unit_test(a_warm_chain_serves_the_same_question_only),
        cmocka_unit_test(the_cache_is_bounded),
        cmocka_unit_test(without_memory_nothing_is_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
