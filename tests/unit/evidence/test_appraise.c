/* What a relying party wants of a genuine report, one expectation a time. */
#include "../unit.h"

#include "evidence/snp_appraise.h"

#include "amd_fixture.h"

struct row {
    const char *rule;
    void (*change)(struct snp_verified *got, struct snp_reference *want);
    const char *check; /* that decides */
    enum check_outcome outcome;
};

/* A Genoa report, version 5, and a reference that waives everything. */
static void
start(struct snp_verified *got, struct snp_reference *want)
{
    *got = (struct snp_verified){ .decoded = true,
                                  .product = SNP_PRODUCT_GENOA,
                                  .signer = SNP_SIGNER_VCEK };
    amd_report_init(&got->report, SNP_PRODUCT_GENOA, 5);
    got->report.launch_mit_vector = 0x0f;
    got->report.current_mit_vector = 0x1b;
    *want = (struct snp_reference){ .report_data.kind = EXPECT_ANY,
                                    .host_data.kind = EXPECT_ANY,
                                    .any_measurement = true };
}

static void
check_row(const struct row *row)
{
    struct assay_error err = { 0 };
    struct snp_verified got;
    struct snp_reference want;
    struct arena arena;
    struct verdict v;
    const struct check *c;

    start(&got, &want);
    row->change(&got, &want);
    arena_init(&arena, 1 << 20, NULL);
    verdict_init(&v, &arena, "snp", false);
    assert_ok(snp_appraise(&got, &want, &v, &err), &err);
    c = verdict_find(&v, row->check);
    if (!c || c->outcome != row->outcome)
        fail_msg("%s: %s: got %s, want %s", row->rule, row->check,
                 c ? check_outcome_name(c->outcome) : "no check",
                 check_outcome_name(row->outcome));
    for (size_t i = 0; i < v.count; i++) {
        if (v.checks[i].outcome == CHECK_FAIL && &v.checks[i] != c)
            fail_msg("%s: %s fails too", row->rule, v.checks[i].name);
    }
    arena_drop(&arena);
}

#define CHANGE(name)                                                           \
    static void name(struct snp_verified *got, struct snp_reference *want)
#define REPORT(line)                                                           \
    do {                                                                       \
        (void)want;                                                            \
        got->report.line;                                                      \
    } while (0)

static uint8_t data64[64] = { 1, 2, 3 };

CHANGE(nothing)
{
    (void)got;
    (void)want;
}
CHANGE(report_data_missing)
{
    (void)got;
    want->report_data = (struct expect){ 0 };
}
CHANGE(report_data_empty)
{
    (void)got;
    want->report_data.kind = EXPECT_EQUAL;
    got->report.report_data[63] = 1;
}
CHANGE(report_data_short)
{
    want->report_data = (struct expect){ EXPECT_EQUAL, span_of(data64, 3) };
    memcpy(got->report.report_data, data64, 3);
}
CHANGE(report_data_short_and_more)
{
    report_data_short(got, want);
    got->report.report_data[3] = 1;
}
CHANGE(report_data_too_long)
{
    static const uint8_t longer[65];

    (void)got;
    want->report_data = (struct expect){ EXPECT_EQUAL, span_of(longer, 65) };
}
CHANGE(host_data_other)
{
    (void)got;
    want->host_data = (struct expect){ EXPECT_EQUAL, span_of(data64, 32) };
}
CHANGE(host_data_missing)
{
    (void)got;
    want->host_data.kind = EXPECT_MISSING;
}
CHANGE(measurement_missing)
{
    (void)got;
    want->any_measurement = false;
}
CHANGE(debug_set) { REPORT(policy |= SNP_POLICY_DEBUG); }
CHANGE(debug_allowed)
{
    debug_set(got, want);
    want->allow_debug = true;
}
CHANGE(debug_in_policy_only)
{
    debug_set(got, want);
    want->check_guest_policy = true;
    want->guest_policy = got->report.policy;
}
CHANGE(migrate_set) { REPORT(policy |= SNP_POLICY_MIGRATE_MA); }
CHANGE(migrate_allowed)
{
    migrate_set(got, want);
    want->allow_migrate_ma = true;
}

static void
policy(struct snp_verified *got, struct snp_reference *want, uint64_t have,
       uint64_t need)
{
    got->report.policy = have | SNP_POLICY_RESERVED_ONE;
    want->check_guest_policy = true;
    want->guest_policy = need | SNP_POLICY_RESERVED_ONE;
}
CHANGE(policy_equal) { policy(got, want, SNP_POLICY_SMT, SNP_POLICY_SMT); }
CHANGE(policy_smt_not_asked) { policy(got, want, SNP_POLICY_SMT, 0); }
CHANGE(policy_smt_not_used) { policy(got, want, 0, SNP_POLICY_SMT); }
CHANGE(policy_cxl) { policy(got, want, SNP_POLICY_CXL_ALLOW, 0); }
CHANGE(policy_single_socket_lost)
{
    policy(got, want, 0, SNP_POLICY_SINGLE_SOCKET);
}
CHANGE(policy_hiding_lost)
{
    policy(got, want, 0, SNP_POLICY_CIPHERTEXT_HIDING);
}
CHANGE(policy_swap_lost) { policy(got, want, 0, SNP_POLICY_PAGE_SWAP_DISABLE); }
CHANGE(policy_rapl_lost) { policy(got, want, 0, SNP_POLICY_RAPL_DIS); }
CHANGE(policy_xts_more) { policy(got, want, SNP_POLICY_MEM_AES_256_XTS, 0); }
CHANGE(policy_abi_lower) { policy(got, want, 0x0037, 0x0100); }
CHANGE(policy_abi_higher) { policy(got, want, 0x0133, 0x0037); }
CHANGE(vmpl_1) { REPORT(vmpl = 1); }
CHANGE(vmpl_1_wanted)
{
    vmpl_1(got, want);
    want->vmpl = 1;
}
CHANGE(vmpl_0_but_1_wanted)
{
    (void)got;
    want->vmpl = 1;
}
CHANGE(vmpl_1_any)
{
    vmpl_1(got, want);
    want->any_vmpl = true;
}

static void
minimum(struct snp_reference *want, struct snp_tcb_parts parts)
{
    want->check_minimum_tcb = true;
    want->minimum_tcb = parts;
    want->minimum_launch_tcb = parts;
}
CHANGE(tcb_met)
{
    (void)got;
    minimum(want, (struct snp_tcb_parts){ 0, 4, 2, 24, 0xd9 });
}
CHANGE(tcb_reported_old)
{
    tcb_met(got, want);
    got->report.reported_tcb -= UINT64_C(1) << 48;
}
CHANGE(tcb_committed_old)
{
    tcb_met(got, want);
    got->report.committed_tcb -= UINT64_C(1) << 56;
}
CHANGE(tcb_launch_old)
{
    tcb_met(got, want);
    got->report.launch_tcb -= 1;
}
CHANGE(tcb_higher_microcode_hides_nothing)
{
    tcb_met(got, want);
    got->report.launch_tcb += UINT64_C(0x20) << 56;
    got->report.launch_tcb -= UINT64_C(1) << 48;
}

/* Turin: fmc 1, bl 4, tee 2, snp 24 at other bytes. */
CHANGE(turin_met)
{
    amd_report_init(&got->report, SNP_PRODUCT_TURIN, 5);
    got->product = SNP_PRODUCT_TURIN;
    minimum(want, (struct snp_tcb_parts){ 1, 4, 2, 24, 0xd9 });
}
CHANGE(turin_fmc_old)
{
    turin_met(got, want);
    want->minimum_tcb.fmc = 2;
    got->report.committed_tcb += 1;
}
CHANGE(firmware_newer_minor)
{
    got->report.current = (struct snp_firmware_version){ 1, 58, 0 };
    want->check_minimum_firmware = true;
    want->minimum_firmware = (struct snp_firmware_version){ 1, 55, 30 };
}
CHANGE(firmware_older_build)
{
    (void)got;
    want->check_minimum_firmware = true;
    want->minimum_firmware = (struct snp_firmware_version){ 1, 55, 41 };
}
CHANGE(provisional_allowed) { REPORT(current.build++); }
CHANGE(provisional_refused)
{
    REPORT(current.build++);
    want->refuse_provisional = true;
}
CHANGE(provisional_microcode_refused)
{
    REPORT(current_tcb += UINT64_C(1) << 56);
    want->refuse_provisional = true;
}
CHANGE(mitigations_in_both)
{
    (void)got;
    want->mitigations = 0x0b;
}
CHANGE(mitigations_at_launch_only)
{
    (void)got;
    want->mitigations = 0x04;
}
CHANGE(mitigations_now_only)
{
    (void)got;
    want->mitigations = 0x10;
}
/* As numbers 0x10 < 0x1b and 0x0f: a bit set is not a number. */
CHANGE(mitigations_are_bits)
{
    (void)got;
    want->mitigations = 0x0c;
}
CHANGE(mitigations_before_version_5)
{
    got->report.version = 4;
    want->mitigations = 1;
}
CHANGE(mitigations_none_before_version_5)
{
    got->report.version = 3;
    want->mitigations = 0;
}
CHANGE(platform_met)
{
    (void)got;
    want->check_platform_info = true;
    want->platform_required = SNP_PLATFORM_ALIAS_CHECK_COMPLETE;
    want->platform_forbidden = SNP_PLATFORM_TSME_EN;
}
CHANGE(platform_bit_6_is_no_error)
{
    platform_met(got, want);
    got->report.platform_info |= SNP_PLATFORM_IOMMU_WRITE_SAFE | 1u << 31;
}
CHANGE(platform_missing)
{
    platform_met(got, want);
    want->platform_required |= SNP_PLATFORM_RAPL_DIS;
}
CHANGE(platform_forbidden)
{
    platform_met(got, want);
    want->platform_forbidden |= SNP_PLATFORM_SMT_EN;
}
CHANGE(product_other)
{
    (void)got;
    want->product = SNP_PRODUCT_MILAN;
}
CHANGE(report_too_old)
{
    got->report.version = 2;
    want->min_report_version = 3;
}

static uint8_t chips[2][64];

CHANGE(chip_listed)
{
    memset(chips[0], 7, 64);
    memcpy(chips[1], got->report.chip_id, 64);
    want->chip_ids.items = span_of(chips, sizeof(chips));
}
CHANGE(chip_not_listed)
{
    chip_listed(got, want);
    got->report.chip_id[63] ^= 1;
}
/* Whoever has a provider's VLEK writes the chip id he likes. */
CHANGE(chip_listed_but_vlek)
{
    chip_listed(got, want);
    got->signer = SNP_SIGNER_VLEK;
}
/* A list that names the masked chip would let every masked machine in. */
CHANGE(masked_chip_is_never_listed)
{
    memset(chips, 0, sizeof(chips));
    memset(got->report.chip_id, 0, 64);
    want->chip_ids.items = span_of(chips, sizeof(chips));
}
CHANGE(csp_other)
{
    got->signer = SNP_SIGNER_VLEK;
    got->csp_id = "CN=cc-us-east-2.amazonaws.com";
    want->csp_id = span_str("CN=cc-us-east-1.amazonaws.com");
}
CHANGE(csp_same)
{
    csp_other(got, want);
    want->csp_id = span_str(got->csp_id);
}
CHANGE(csp_wanted_of_a_vcek)
{
    (void)got;
    want->csp_id = span_str("CN=cc-us-east-1.amazonaws.com");
}
CHANGE(milan)
{
    (void)want;
    got->product = SNP_PRODUCT_MILAN;
    amd_report_init(&got->report, SNP_PRODUCT_MILAN, 3);
}
CHANGE(milan_listed)
{
    milan(got, want);
    chip_listed(got, want);
}
CHANGE(milan_accepted)
{
    milan(got, want);
    want->allow_milan_without_chip_ids = true;
}

static uint8_t key_digests[96];

CHANGE(id_key_trusted)
{
    memset(key_digests, 9, sizeof(key_digests));
    memset(got->report.id_key_digest, 9, 48);
    want->id_key_digests.items = span_of(key_digests, sizeof(key_digests));
}
CHANGE(id_key_not_trusted)
{
    id_key_trusted(got, want);
    got->report.id_key_digest[0] = 8;
}
CHANGE(author_trusted)
{
    id_key_not_trusted(got, want);
    memset(got->report.author_key_digest, 9, 48);
    got->report.flags |= SNP_FLAG_AUTHOR_KEY_EN;
    want->author_key_digests.items = want->id_key_digests.items;
}
CHANGE(author_not_enabled)
{
    author_trusted(got, want);
    got->report.flags = 0;
}

static const struct row rows[] = {
    { "waived", nothing, "measurement", CHECK_SKIPPED },
    { "waived", nothing, "report_data", CHECK_SKIPPED },
    { "report data not stated", report_data_missing, "report_data",
      CHECK_FAIL },
    { "empty report data", report_data_empty, "report_data", CHECK_FAIL },
    { "short report data", report_data_short, "report_data", CHECK_PASS },
    { "tail", report_data_short_and_more, "report_data", CHECK_FAIL },
    { "too long", report_data_too_long, "report_data", CHECK_FAIL },
    { "other host data", host_data_other, "host_data", CHECK_FAIL },
    { "host data not stated", host_data_missing, "host_data", CHECK_FAIL },
    { "measurement not stated", measurement_missing, "measurement",
      CHECK_FAIL },
    { "debug", debug_set, "debug", CHECK_FAIL },
    { "debug allowed", debug_allowed, "debug", CHECK_PASS },
    { "debug by policy word", debug_in_policy_only, "debug", CHECK_FAIL },
    { "migration", migrate_set, "migrate_ma", CHECK_FAIL },
    { "migration allowed", migrate_allowed, "migrate_ma", CHECK_PASS },
    { "policy", policy_equal, "guest_policy", CHECK_PASS },
    { "smt", policy_smt_not_asked, "guest_policy", CHECK_FAIL },
    { "smt not used", policy_smt_not_used, "guest_policy", CHECK_PASS },
    { "cxl", policy_cxl, "guest_policy", CHECK_FAIL },
    { "socket", policy_single_socket_lost, "guest_policy", CHECK_FAIL },
    { "hiding", policy_hiding_lost, "guest_policy", CHECK_FAIL },
    { "swap", policy_swap_lost, "guest_policy", CHECK_FAIL },
    { "rapl", policy_rapl_lost, "guest_policy", CHECK_FAIL },
    { "xts", policy_xts_more, "guest_policy", CHECK_PASS },
    { "abi 0.55 < 1.0", policy_abi_lower, "guest_policy", CHECK_FAIL },
    { "abi 1.51 > 0.55", policy_abi_higher, "guest_policy", CHECK_PASS },
    { "vmpl 1", vmpl_1, "vmpl", CHECK_FAIL },
    { "vmpl 1 wanted", vmpl_1_wanted, "vmpl", CHECK_PASS },
    { "vmpl 0, not 1", vmpl_0_but_1_wanted, "vmpl", CHECK_FAIL },
    { "vmpl any", vmpl_1_any, "vmpl", CHECK_WARN },
    { "tcb", tcb_met, "minimum_tcb_reported", CHECK_PASS },
    { "tcb", tcb_met, "minimum_tcb_launch", CHECK_PASS },
    { "reported", tcb_reported_old, "minimum_tcb_reported", CHECK_FAIL },
    { "committed", tcb_committed_old, "minimum_tcb_committed", CHECK_FAIL },
    { "launch", tcb_launch_old, "minimum_tcb_launch", CHECK_FAIL },
    { "microcode", tcb_higher_microcode_hides_nothing, "minimum_tcb_launch",
      CHECK_FAIL },
    { "turin", turin_met, "minimum_tcb_committed", CHECK_PASS },
    { "turin fmc", turin_fmc_old, "minimum_tcb_reported", CHECK_FAIL },
    { "1.58.0", firmware_newer_minor, "minimum_firmware", CHECK_PASS },
    { "1.55.40", firmware_older_build, "minimum_firmware", CHECK_FAIL },
    { "provisional", provisional_allowed, "provisional_firmware", CHECK_PASS },
    { "provisional", provisional_refused, "provisional_firmware", CHECK_FAIL },
    { "provisional tcb", provisional_microcode_refused, "provisional_firmware",
      CHECK_FAIL },
    { "both", mitigations_in_both, "mitigations", CHECK_PASS },
    { "launch only", mitigations_at_launch_only, "mitigations", CHECK_FAIL },
    { "now only", mitigations_now_only, "mitigations", CHECK_FAIL },
    { "bits", mitigations_are_bits, "mitigations", CHECK_FAIL },
    { "version 4", mitigations_before_version_5, "mitigations", CHECK_FAIL },
    { "version 3, none", mitigations_none_before_version_5, "mitigations",
      CHECK_SKIPPED },
    { "platform", platform_met, "platform_info", CHECK_PASS },
    { "unknown bits", platform_bit_6_is_no_error, "platform_info", CHECK_PASS },
    { "missing", platform_missing, "platform_info", CHECK_FAIL },
    { "forbidden", platform_forbidden, "platform_info", CHECK_FAIL },
    { "product", product_other, "expected_product", CHECK_FAIL },
    { "report version", report_too_old, "minimum_report_version", CHECK_FAIL },
    { "chip", chip_listed, "chip_id", CHECK_PASS },
    { "chip by a VLEK", chip_listed_but_vlek, "chip_id", CHECK_FAIL },
    { "other chip", chip_not_listed, "chip_id", CHECK_FAIL },
    { "masked chip", masked_chip_is_never_listed, "chip_id", CHECK_FAIL },
    { "csp", csp_same, "csp_id", CHECK_PASS },
    { "other csp", csp_other, "csp_id", CHECK_FAIL },
    { "no csp", csp_wanted_of_a_vcek, "csp_id", CHECK_FAIL },
    { "genoa", nothing, "milan_root_seed", CHECK_SKIPPED },
    { "milan", milan, "milan_root_seed", CHECK_WARN },
    { "milan listed", milan_listed, "milan_root_seed", CHECK_PASS },
    { "milan accepted", milan_accepted, "milan_root_seed", CHECK_PASS },
    { "id key", id_key_trusted, "id_key", CHECK_PASS },
    { "other id key", id_key_not_trusted, "id_key", CHECK_FAIL },
    { "author", author_trusted, "id_key", CHECK_PASS },
    { "author not enabled", author_not_enabled, "id_key", CHECK_FAIL },
};

static void
each_expectation_decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_row(&rows[i]);
}

/* --- launch digests ------------------------------------------------------ */

static enum check_outcome
outcome_of(const struct snp_verified *got, const struct snp_reference *want,
           const char *name)
{
    struct assay_error err = { 0 };
    struct arena arena;
    struct verdict v;
    enum check_outcome outcome;

    arena_init(&arena, 1 << 20, NULL);
    verdict_init(&v, &arena, "snp", false);
    assert_ok(snp_appraise(got, want, &v, &err), &err);
    outcome = verdict_find(&v, name)->outcome;
    arena_drop(&arena);
    return outcome;
}

static void
id_blocks_follow_the_measurement(void **state)
{
    struct assay_error err = { 0 };
    struct snp_verified got;
    struct snp_reference want;
    uint8_t seed[48] = { 1 };

    (void)state;
    start(&got, &want);
    want.any_measurement = false;
    want.require_id_block = true;
    want.check_guest_policy = true;
    want.guest_policy = 0x30000;
    assert_ok(snp_launch_new_vcpus(seed, 0x00804000, SNP_PRODUCT_GENOA,
                                   &want.launch, &err),
              &err);
    for (size_t n = 0; n < 220; n += 73) {
        memcpy(got.report.measurement, snp_launch_digest(want.launch, n), 48);
        assert_ok(snp_launch_id_key_digest(want.launch, n, 0x30000,
                                           got.report.id_key_digest, &err),
                  &err);
        assert_int_equal(outcome_of(&got, &want, "measurement"), CHECK_PASS);
        assert_int_equal(outcome_of(&got, &want, "id_block"), CHECK_PASS);
        got.report.id_key_digest[0] ^= 1;
        assert_int_equal(outcome_of(&got, &want, "id_block"), CHECK_FAIL);
    }
    /* The key of another number of vCPUs, and of another policy. */
    assert_ok(snp_launch_id_key_digest(want.launch, 0, 0x30000,
                                       got.report.id_key_digest, &err),
              &err);
    assert_int_equal(outcome_of(&got, &want, "id_block"), CHECK_FAIL);
    memcpy(got.report.measurement, snp_launch_digest(want.launch, 0), 48);
    assert_int_equal(outcome_of(&got, &want, "id_block"), CHECK_PASS);
    want.guest_policy = 0x20000;
    assert_int_equal(outcome_of(&got, &want, "id_block"), CHECK_FAIL);
    memset(got.report.measurement, 0xee, 48);
    assert_int_equal(outcome_of(&got, &want, "measurement"), CHECK_FAIL);
    assert_int_equal(outcome_of(&got, &want, "id_block"), CHECK_FAIL);
    snp_launch_free(want.launch);
}

static void
without_a_report_nothing_is_accepted(void **state)
{
    struct assay_error err = { 0 };
    struct snp_verified got = { 0 };
    struct snp_reference want;
    struct snp_verified unused;
    struct arena arena;
    struct verdict v;

    (void)state;
    start(&unused, &want);
    arena_init(&arena, 1 << 20, NULL);
    verdict_init(&v, &arena, "snp", false);
    assert_ok(snp_appraise(&got, &want, &v, &err), &err);
    assert_int_equal(verdict_conclude(&v), VERDICT_UNKNOWN);
    arena_drop(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_expectation_decides),
        cmocka_unit_test(id_blocks_follow_the_measurement),
        cmocka_unit_test(without_a_report_nothing_is_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
