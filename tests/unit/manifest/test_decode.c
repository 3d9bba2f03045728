#include "unit.h"

#include <stdio.h>

#include "base/limits.h"
#include "evidence/snp_report.h"
#include "manifest/manifest.h"
#include "sample.h"

static struct assay_error err;

struct loaded {
    struct arena arena;
    struct manifest m;
    enum assay_status st;
};

static void
load(struct loaded *l, const char *text)
{
    arena_init(&l->arena, MANIFEST_ARENA_BYTES, NULL);
    l->st = manifest_load(span_str(text), &l->arena, &l->m, &err);
}

static void
drop(struct loaded *l)
{
    arena_drop(&l->arena);
}

static void
print_findings(const struct manifest *m)
{
    for (size_t i = 0; i < m->findings.count; i++)
        print_error("  %s: %s: %s\n",
                    manifest_severity_name(m->findings.list[i].severity),
                    m->findings.list[i].path, m->findings.list[i].text);
}

/* Loads without any finding. */
static void
load_clean(struct loaded *l, const char *text)
{
    load(l, text);
    if (l->m.findings.count > 0)
        print_findings(&l->m);
    assert_ok(l->st, &err);
    assert_int_equal(l->m.findings.count, 0);
}

static void
the_current_form_is_read(void **state)
{
    struct loaded l;
    uint8_t hash[SHA256_SIZE];
    const struct manifest_policy *p;
    const struct manifest_snp *v;

    (void)state;
    load_clean(&l, current_manifest);
    assert_int_equal(l.m.generation, MANIFEST_CURRENT);
    assert_ok(digest_sha256(span_str(current_manifest), hash, &err), &err);
    assert_memory_equal(l.m.hash, hash, sizeof(hash));
    assert_int_equal(l.m.policy_count, 2);
    assert_true(hex_decode(span_str(HASH_C), hash, sizeof(hash)));
    p = manifest_policy_find(&l.m, hash);
    assert_non_null(p);
    assert_int_equal(p->role, MANIFEST_ROLE_COORDINATOR);
    assert_int_equal(p->san_count, 2);
    assert_true(span_equal_str(p->sans[1], "*"));
    assert_true(span_equal_str(p->workload_secret_id,
                               "apps/v1/StatefulSet/default/coordinator"));
    assert_int_equal(l.m.policies[1].workload_secret_id.len, 0);
    hash[31] ^= 1;
    assert_null(manifest_policy_find(&l.m, hash));
    assert_int_equal(l.m.snp_count, 1);
    v = &l.m.snp[0];
    assert_int_equal(v->product, SNP_PRODUCT_GENOA);
    assert_hex(span_of(v->measurement, 48), HEX_48);
    assert_true(v->has_ap_eip);
    assert_int_equal(v->ap_eip, 0x00804000);
    assert_int_equal(v->minimum_tcb.bl, 10);
    assert_int_equal(v->minimum_tcb.snp, 23);
    assert_int_equal(v->minimum_tcb.ucode, 84);
    assert_int_equal(v->guest_policy, 0x30000);
    assert_int_equal(v->platform_required,
                     SNP_PLATFORM_ECC_EN | SNP_PLATFORM_ALIAS_CHECK_COMPLETE);
    assert_int_equal(v->platform_forbidden, SNP_PLATFORM_TSME_EN);
    assert_int_equal(v->mitigations, 3);
    assert_int_equal(v->chip_ids.len, 64);
    assert_hex(span_of(l.m.workload_owners[0].digest, 32), OWNER_DIGEST);
    assert_string_equal(l.m.seedshare_owners[0].rsa_hex, SEEDSHARE_RSA);
    drop(&l);
}

static void
the_mid_form_is_read(void **state)
{
    char *text =
        sample_with("\"WorkloadOwnerPubKeys\": [\"" OWNER_SPKI "\"]",
                    "\"WorkloadOwnerKeyDigests\": [\"" OWNER_DIGEST "\"]");
    struct loaded l;

    (void)state;
    load_clean(&l, text);
    assert_int_equal(l.m.generation, MANIFEST_MID);
    assert_int_equal(l.m.workload_owners[0].spki_der.len, 0);
    assert_hex(span_of(l.m.workload_owners[0].digest, 32), OWNER_DIGEST);
    drop(&l);
    free(text);
}

/* The oldest form: SANs alone, one reference value, the measurement beside
 * it. No coordinator can be found in it, which is said. */
static void
the_oldest_form_is_read(void **state)
{
    static const char text[] =
        "{\"Policies\": {\"" HASH_W "\": [\"web\", \"*\"]}, "
        "\"ReferenceValues\": {\"SNP\": {" TCB "}, "
        "\"TrustedMeasurement\": \"" HEX_48 "\"}, "
        "\"WorkloadOwnerKeyDigests\": null}";
    struct loaded l;

    (void)state;
    load(&l, text);
    assert_ok(l.st, &err);
    assert_int_equal(l.m.generation, MANIFEST_OLDER);
    assert_int_equal(l.m.policies[0].san_count, 2);
    assert_int_equal(l.m.snp_count, 1);
    assert_int_equal(l.m.snp[0].product, SNP_PRODUCT_UNKNOWN);
    assert_hex(span_of(l.m.snp[0].measurement, 48), HEX_48);
    assert_int_equal(l.m.snp[0].guest_policy, 0x30000);
    assert_int_equal(l.m.findings.warnings, 2);
    drop(&l);
}

static void
tdx_is_read_in_both_spellings(void **state)
{
    static const char *const from = "\"snp\": [" SNP "]";
    char *current = sample_with(from, "\"tdx\": [" TDX "]");
    char *older = sample_with(
        from,
        "\"tdx\": [{\"MrTd\": \"" HEX_48 "\", \"MrSeam\": \"" HEX_48
        "\", \"Rtrms\": [\"" HEX_48 "\", \"" HEX_48 "\", \"" HEX_48
        "\", \"" HEX_48 "\"], \"Xfam\": \"e718060000000000\", "
        "\"TdAttributes\": \"0000001000000000\", \"MinimumQeSvn\": 0, "
        "\"MinimumPceSvn\": 65535, \"MinimumTeeTcbSvn\": \"" HEX_16 "\"}]");
    struct loaded l;

    (void)state;
    load(&l, current);
    assert_ok(l.st, &err);
    assert_int_equal(l.m.generation, MANIFEST_CURRENT);
    assert_hex(span_of(l.m.tdx[0].rtmrs[3], 48), HEX_48);
    assert_true(l.m.tdx[0].static_platform);
    drop(&l);
    load(&l, older);
    assert_ok(l.st, &err);
    assert_int_equal(l.m.generation, MANIFEST_OLDER);
    assert_hex(span_of(l.m.tdx[0].rtmrs[0], 48), HEX_48);
    drop(&l);
    free(current);
    free(older);
}

static void
keys_match_in_any_case(void **state)
{
    char *text = sample_with("\"MinimumTCB\": {\"BootloaderVersion\"",
                             "\"minimumtcb\": {\"BOOTLOADERVERSION\"");
    struct loaded l;

    (void)state;
    load_clean(&l, text);
    assert_int_equal(l.m.snp[0].minimum_tcb.bl, 10);
    drop(&l);
    free(text);
}

/* Each row breaks one rule and nothing else. */
static const struct {
    const char *from, *to, *path;
} errors[] = {
    { "\"" HASH_W "\"", "\"abab\"", "Policies.abab" },
    { "\"" HASH_W "\"", "\"" HEX_16 HEX_16 "ff\"",
      "Policies." HEX_16 HEX_16 "ff" },
    { "{\"SANs\": [\"web\", \"10.0.0.1\", \"spiffe://x/web\"]}", "7",
      "Policies." HASH_W },
    { "\"SANs\": [\"web\", ", "\"SANs\": [\"web\", \"\", ",
      "Policies." HASH_W ".SANs[1]" },
    { "\"SANs\": [\"web\", ", "\"SANs\": [\"w b\", ",
      "Policies." HASH_W ".SANs[0]" },
    { "\"SANs\": [\"web\", ", "\"SANs\": [7, ", "Policies." HASH_W ".SANs[0]" },
    { "{\"SANs\": [\"web\"", "{\"Role\": \"Coordinator\", \"SANs\": [\"web\"",
      "Policies." HASH_W ".Role" },
    { "\"Role\": \"coordinator\"", "\"Role\": \"\"", "Policies" },
    { "\"WorkloadSecretID\": \"apps/v1/StatefulSet/default/coordinator\"",
      "\"WorkloadSecretID\": 1", "Policies." HASH_C ".WorkloadSecretID" },
    { "{\"snp\": [" SNP "]}", "{\"snp\": []}", "ReferenceValues" },
    { "{\"snp\": [" SNP "]}", "null", "ReferenceValues" },
    { "{\"snp\": [" SNP "]}", "{\"snp\": [" SNP ", 1]}",
      "ReferenceValues.snp[1]" },
    { "{\"snp\": [" SNP "]}", "{\"snp\": [" SNP ", null]}",
      "ReferenceValues.snp[1]" },
    { "\"Genoa\"", "\"genoa\"", "ReferenceValues.snp[0].ProductName" },
    { "\"Genoa\"", "\"Rome\"", "ReferenceValues.snp[0].ProductName" },
    { "\"Genoa\"", "\"Genoa\\u0000\"", "ReferenceValues.snp[0].ProductName" },
    { "\"ProductName\": \"Genoa\", ", "",
      "ReferenceValues.snp[0].ProductName" },
    { "\"TrustedMeasurement\": \"", "\"TrustedMeasurement\": \"0",
      "ReferenceValues.snp[0].TrustedMeasurement" },
    { "\"TrustedMeasurement\": \"00", "\"TrustedMeasurement\": \"0x",
      "ReferenceValues.snp[0].TrustedMeasurement" },
    { "\"TrustedMeasurement\": \"" HEX_48 "\", ", "",
      "ReferenceValues.snp[0].TrustedMeasurement" },
    { "\"00804000\"", "\"804000\"", "ReferenceValues.snp[0].APEIP" },
    { "\"00804000\"", "8404992", "ReferenceValues.snp[0].APEIP" },
    { "\"BootloaderVersion\": 10", "\"BootloaderVersion\": 256",
      "ReferenceValues.snp[0].MinimumTCB.BootloaderVersion" },
    { "\"BootloaderVersion\": 10", "\"BootloaderVersion\": -1",
      "ReferenceValues.snp[0].MinimumTCB.BootloaderVersion" },
    { "\"BootloaderVersion\": 10", "\"BootloaderVersion\": 10.0",
      "ReferenceValues.snp[0].MinimumTCB.BootloaderVersion" },
    { "\"BootloaderVersion\": 10", "\"BootloaderVersion\": \"10\"",
      "ReferenceValues.snp[0].MinimumTCB.BootloaderVersion" },
    { "\"MicrocodeVersion\": 84", "\"MicrocodeVersion\": 84, \"FMCVersion\": 1",
      "ReferenceValues.snp[0].MinimumTCB.FMCVersion" },
    { TCB, "\"MinimumTCB\": []", "ReferenceValues.snp[0].MinimumTCB" },
    { "\"ABIMajor\": 0", "\"ABIMajor\": 1",
      "ReferenceValues.snp[0].GuestPolicy.ABIMajor" },
    { "\"ABIMinor\": 0", "\"ABIMinor\": 31",
      "ReferenceValues.snp[0].GuestPolicy.ABIMinor" },
    { "\"SMT\": true, ", "", "ReferenceValues.snp[0].GuestPolicy.SMT" },
    { "\"MigrateMA\": false", "\"MigrateMA\": true",
      "ReferenceValues.snp[0].GuestPolicy.MigrateMA" },
    { "\"Debug\": false", "\"Debug\": true",
      "ReferenceValues.snp[0].GuestPolicy.Debug" },
    { "\"Debug\": false", "\"Debug\": 0",
      "ReferenceValues.snp[0].GuestPolicy.Debug" },
    { "\"SingleSocket\": false", "\"SingleSocket\": true",
      "ReferenceValues.snp[0].GuestPolicy.SingleSocket" },
    { "\"CXLAllowed\": false", "\"CXLAllowed\": true",
      "ReferenceValues.snp[0].GuestPolicy.CXLAllowed" },
    { "\"MemAES256XTS\": false", "\"MemAES256XTS\": true",
      "ReferenceValues.snp[0].GuestPolicy.MemAES256XTS" },
    { "\"RAPLDis\": false", "\"RAPLDis\": true",
      "ReferenceValues.snp[0].GuestPolicy.RAPLDis" },
    { "\"CipherTextHidingDRAM\": false", "\"CipherTextHidingDRAM\": true",
      "ReferenceValues.snp[0].GuestPolicy.CipherTextHidingDRAM" },
    { "\"PageSwapDisable\": false", "\"PageSwapDisable\": true",
      "ReferenceValues.snp[0].GuestPolicy.PageSwapDisable" },
    { "\"SMTEnabled\": true", "\"SMTEnabled\": \"true\"",
      "ReferenceValues.snp[0].PlatformInfo.SMTEnabled" },
    { "\"MinimumMitigationVector\": 3",
      "\"MinimumMitigationVector\": 18446744073709551616",
      "ReferenceValues.snp[0].MinimumMitigationVector" },
    { "\"AllowedChipIDs\": [\"" HEX_64 "\"]", "\"AllowedChipIDs\": [\"00\"]",
      "ReferenceValues.snp[0].AllowedChipIDs[0]" },
    { "\"AllowedChipIDs\": [\"" HEX_64 "\"]", "\"AllowedChipIDs\": \"00\"",
      "ReferenceValues.snp[0].AllowedChipIDs" },
    { "\"AllowedChipIDs\": [\"" HEX_64 "\"]", "\"AllowedChipIDs\": [null]",
      "ReferenceValues.snp[0].AllowedChipIDs[0]" },
    { "\"AllowedChipIDs\": [\"" HEX_64 "\"]",
      "\"AllowedChipIDs\": [\"00000000000000000000000000000000000000000000000"
      "00000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000\"]",
      "ReferenceValues.snp[0].AllowedChipIDs" },
    { "\"CPUs\": 2", "\"CPUs\": -2", "ReferenceValues.snp[0].CPUs" },
    { "\"snp\": [" SNP "]",
      "\"tdx\": [" TDX_WITH(", \"AllowedTCBStatuses\": [\"Fine\"]") "]",
      "ReferenceValues.tdx[0].AllowedTCBStatuses[0]" },
    { "\"snp\": [" SNP "]",
      "\"tdx\": [" TDX_WITH(", \"AllowedTCBStatuses\": [\"Revoked\"]") "]",
      "ReferenceValues.tdx[0].AllowedTCBStatuses[0]" },
    { "\"snp\": [" SNP "]",
      "\"tdx\": [" TDX_WITH(", \"AllowedTCBStatuses\": []") "]",
      "ReferenceValues.tdx[0].AllowedTCBStatuses" },
    { "\"snp\": [" SNP "]",
      "\"tdx\": [" TDX_WITH(", \"AllowedAdvisoryIDs\": []") "]",
      "ReferenceValues.tdx[0].AllowedAdvisoryIDs" },
    { "\"snp\": [" SNP "]",
      "\"tdx\": [" TDX_WITH(", \"AllowedAdvisoryIDs\": [7]") "]",
      "ReferenceValues.tdx[0].AllowedAdvisoryIDs[0]" },
    { "\"snp\": [" SNP "]",
      "\"tdx\": [" TDX_WITH(", \"MinimumTCBDate\": \"soon\"") "]",
      "ReferenceValues.tdx[0].MinimumTCBDate" },
    { "\"snp\": [" SNP "]",
      "\"tdx\": [" TDX_WITH(", \"TCBGracePeriodDays\": -1") "]",
      "ReferenceValues.tdx[0].TCBGracePeriodDays" },
    { "\"snp\": [" SNP "]",
      "\"tdx\": [" TDX_WITH(", \"TdAttributes\": \"0100001000000000\"") "]",
      "ReferenceValues.tdx[0]" },
    { "{\"snp\": [" SNP "]}",
      "{\"snp\": [" SNP "], \"insecure\": [{\"AcceptWithoutHardware\": true}]}",
      "ReferenceValues.insecure" },
    { "{\"snp\": [" SNP "]}", "{\"insecure\": [{\"Platform\": \"Insecure\"}]}",
      "ReferenceValues.insecure[0].AcceptWithoutHardware" },
    { "\"WorkloadOwnerPubKeys\": [\"", "\"WorkloadOwnerPubKeys\": [\"00",
      "WorkloadOwnerPubKeys[0]" },
    { "\"WorkloadOwnerPubKeys\": [\"", "\"WorkloadOwnerPubKeys\": [\"\", \"",
      "WorkloadOwnerPubKeys[0]" },
    { "\"WorkloadOwnerPubKeys\": [\"30", "\"WorkloadOwnerPubKeys\": [\"3x",
      "WorkloadOwnerPubKeys[0]" },
    { "\"WorkloadOwnerPubKeys\": [",
      "\"WorkloadOwnerKeyDigests\": [\"" HASH_W "\", \"" OWNER_DIGEST
      "\"], \"WorkloadOwnerPubKeys\": [",
      "WorkloadOwnerKeyDigests[0]" },
    { "\"SeedshareOwnerPubKeys\": [\"30", "\"SeedshareOwnerPubKeys\": [\"31",
      "SeedshareOwnerPubKeys[0]" },
    { "\"SeedshareOwnerPubKeys\": [",
      "\"SeedshareOwnerPubKeys\": [\"" RSA_1024 "\", ",
      "SeedshareOwnerPubKeys[0]" },
    { "\"SeedshareOwnerPubKeys\": [", "\"SeedshareOwnerPubKeys\": [{}, ",
      "SeedshareOwnerPubKeys[0]" },
    { "\"Policies\"", "\"MinimumAPIVersion\": \"1\", \"Policies\"",
      "MinimumAPIVersion" },
    { "\"Policies\"", "\"MinimumAPIVersion\": \"v01\", \"Policies\"",
      "MinimumAPIVersion" },
};

static const struct manifest_finding *
first_of(const struct manifest *m, enum manifest_severity severity)
{
    for (size_t i = 0; i < m->findings.count; i++) {
        if (m->findings.list[i].severity == severity)
            return &m->findings.list[i];
    }
    return NULL;
}

static void
each_error_is_found_at_its_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(errors); i++) {
        char *text = sample_with(errors[i].from, errors[i].to);
        const struct manifest_finding *first;
        struct loaded l;

        load(&l, text);
        first = first_of(&l.m, MANIFEST_ERROR);
        if (l.st != ASSAY_ERR_MALFORMED || l.m.findings.errors != 1 ||
            l.m.findings.missing != 0 || !first ||
            strcmp(first->path, errors[i].path) != 0) {
            print_findings(&l.m);
            fail_msg("row %zu, %s: %s\nwant an error at %s", i, errors[i].to,
                     err.text, errors[i].path);
        }
        assert_non_null(strstr(err.text, errors[i].path));
        drop(&l);
        free(text);
    }
}

/* Values that generate leaves open: their own class (section 6.6). */
static void
missing_reference_values_have_their_own_class(void **state)
{
    static const struct {
        const char *from, *to, *path;
        size_t count;
    } rows[] = {
        { "\"BootloaderVersion\": 10", "\"BootloaderVersion\": null",
          "ReferenceValues.snp[0].MinimumTCB.BootloaderVersion", 1 },
        { TCB, "\"MinimumTCB\": null",
          "ReferenceValues.snp[0].MinimumTCB.BootloaderVersion", 4 },
        { "\"Genoa\"", "\"Turin\"",
          "ReferenceValues.snp[0].MinimumTCB.FMCVersion", 1 },
        { "\"snp\": [" SNP "]",
          "\"tdx\": [{\"MrTd\": \"" HEX_48 "\", \"MrSeam\": \"\", "
          "\"Rtmrs\": [\"" HEX_48 "\", \"" HEX_48 "\", \"" HEX_48
          "\", \"" HEX_48 "\"], \"Xfam\": \"e718060000000000\"}]",
          "ReferenceValues.tdx[0].MrSeam", 1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = sample_with(rows[i].from, rows[i].to);
        const struct manifest_finding *first;
        struct loaded l;

        load(&l, text);
        assert_status(l.st, ASSAY_ERR_MALFORMED);
        assert_int_equal(l.m.findings.missing, rows[i].count);
        first = first_of(&l.m, MANIFEST_MISSING);
        assert_non_null(first);
        assert_string_equal(first->path, rows[i].path);
        drop(&l);
        free(text);
    }
}

static void
each_warning_is_found_and_forgiven(void **state)
{
    static const struct {
        const char *from, *to, *path;
    } rows[] = {
        { "\"AllowedChipIDs\"", "\"AllowedChipsIDs\"",
          "ReferenceValues.snp[0].AllowedChipsIDs" },
        { "\"Policies\"", "\"Polices\": {}, \"Policies\"", "Polices" },
        { "\"Role\"", "\"Roles\": [], \"Role\"", "Policies." HASH_C ".Roles" },
        { "\"TEEVersion\"", "\"TEEVersoin\": 1, \"TEEVersion\"",
          "ReferenceValues.snp[0].MinimumTCB.TEEVersoin" },
        { "\"SMT\"", "\"SMTX\": 1, \"SMT\"",
          "ReferenceValues.snp[0].GuestPolicy.SMTX" },
        { ", " PLATFORM_INFO, "", "ReferenceValues.snp[0].PlatformInfo" },
        { "10, \"TEEVersion\": 0, \"SNPVersion\": 23, \"MicrocodeVersion\": 84",
          "0, \"TEEVersion\": 0, \"SNPVersion\": 0, \"MicrocodeVersion\": 0",
          "ReferenceValues.snp[0].MinimumTCB" },
        { HASH_W,
          "ABababababababababababababababababababababababababababababab"
          "abab",
          "Policies."
          "ABababababababababababababababababababababababababababababab"
          "abab" },
        { "apps/v1/StatefulSet/default/coordinator", "0_vault",
          "Policies." HASH_C ".WorkloadSecretID" },
        { "\"snp\": [" SNP "]",
          "\"tdx\": [" TDX_WITH(
              ", \"AllowedTCBStatuses\": [\"OutOfDate\"]") "]",
          "ReferenceValues.tdx[0]" },
        { "\"snp\": [" SNP "]",
          "\"insecure\": [{\"Platform\": \"Insecure\", "
          "\"AcceptWithoutHardware\": true}]",
          "ReferenceValues.insecure" },
        { "\"WorkloadOwnerPubKeys\": [\"" OWNER_SPKI,
          "\"WorkloadOwnerPubKeys\": [\"" OWNER_SPKI "\", \"" OWNER_SPKI,
          "WorkloadOwnerPubKeys[1]" },
        { "\"SeedshareOwnerPubKeys\": [\"" SEEDSHARE_RSA,
          "\"SeedshareOwnerPubKeys\": [\"" SEEDSHARE_RSA "\", \"" SEEDSHARE_RSA,
          "SeedshareOwnerPubKeys[1]" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = sample_with(rows[i].from, rows[i].to);
        struct loaded l;

        load(&l, text);
        if (l.st != ASSAY_OK || l.m.findings.warnings != 1 ||
            strcmp(l.m.findings.list[0].path, rows[i].path) != 0) {
            print_findings(&l.m);
            fail_msg("row %zu: want a warning at %s", i, rows[i].path);
        }
        drop(&l);
        free(text);
    }
}

/* The statement that the risk of Milan is accepted silences the warning. */
static void
milan_without_chips_warns_unless_accepted(void **state)
{
    static const char chips[] = "\"AllowedChipIDs\": [\"" HEX_64 "\"]";
    static const struct {
        const char *to;
        size_t warnings;
    } rows[] = {
        { "\"AllowedChipIDs\": [\"" HEX_64 "\"]", 0 },
        { "\"AllowedChipIDs\": []", 1 },
        { "\"AllowedChipIDs\": null", 1 },
        { "\"AllowMilanWithoutChipIDs\": false", 1 },
        { "\"AllowMilanWithoutChipIDs\": true", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = sample_with(chips, rows[i].to);
        struct loaded l;

        memcpy(strstr(text, "Genoa"), "Milan", 5);
        load(&l, text);
        assert_ok(l.st, &err);
        assert_int_equal(l.m.findings.warnings, rows[i].warnings);
        drop(&l);
        free(text);
    }
}

static void
all_faults_are_reported_at_once(void **state)
{
    struct loaded l;

    (void)state;
    load(&l, "{\"Policies\": {\"x\": {}}, \"ReferenceValues\": {\"snp\": "
             "[{\"ProductName\": \"Rome\"}], \"tdx\": [{}]}, "
             "\"WorkloadOwnerPubKeys\": [\"00\", \"zz\"]}");
    assert_status(l.st, ASSAY_ERR_MALFORMED);
    /* the policy's key; product, measurement; MrTd, Xfam, Rtmrs; two owners;
     * no coordinator */
    assert_int_equal(l.m.findings.errors, 9);
    assert_int_equal(l.m.findings.missing, 5); /* four SPLs, MrSeam */
    drop(&l);
}

static void
what_is_no_manifest_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum assay_status want;
    } rows[] = {
        { "", ASSAY_ERR_MALFORMED },
        { "[]", ASSAY_ERR_MALFORMED },
        { "null", ASSAY_ERR_MALFORMED },
        { "{}", ASSAY_ERR_MALFORMED },
        { "{\"Policies\": {}, \"policies\": {}}", ASSAY_ERR_MALFORMED },
        { "{\"Policies\": {\"" HASH_C "\": {}, \"C0"
          "c0c0c0c0c0c0c0c0c0c0c0c0c0"
          "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0\": {}}}",
          ASSAY_ERR_MALFORMED },
        { "[[[[[[[[[[[[[[[[[[[[", ASSAY_ERR_LIMIT },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct loaded l;

        load(&l, rows[i].text);
        assert_status(l.st, rows[i].want);
        drop(&l);
    }
}

static void
every_truncation_is_refused(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof(current_manifest) - 2; n++) {
        struct loaded l;

        arena_init(&l.arena, MANIFEST_ARENA_BYTES, NULL);
        l.st =
            manifest_load(span_of(current_manifest, n), &l.arena, &l.m, &err);
        assert_status(l.st, ASSAY_ERR_MALFORMED);
        drop(&l);
    }
}

static void
each_failing_allocation_is_reported(void **state)
{
    char *text = sample_with("\"Genoa\"", "\"Rome\"");
    enum assay_status st;
    size_t n = 0;

    (void)state;
    do {
        struct failing_alloc f;
        struct arena a;
        struct manifest m;

        failing_alloc_init(&f, n++);
        arena_init(&a, MANIFEST_ARENA_BYTES, &f.alloc);
        st = manifest_load(span_str(text), &a, &m, &err);
        arena_drop(&a);
        assert_int_equal(f.live, 0);
    } while (st == ASSAY_ERR_NOMEM);
    assert_status(st, ASSAY_ERR_MALFORMED);
    assert_true(n > 4);
    free(text);
}

static void
only_listed_owners_may_update(void **state)
{
    uint8_t spki[120];
    struct loaded l;

    (void)state;
    assert_true(hex_decode(span_str(OWNER_SPKI), spki, sizeof(spki)));
    load_clean(&l, current_manifest);
    assert_ok(manifest_authorize_owner(&l.m, span_of(spki, 120), &err), &err);
    spki[119] ^= 1;
    assert_status(manifest_authorize_owner(&l.m, span_of(spki, 120), &err),
                  ASSAY_ERR_UNTRUSTED);
    l.m.workload_owner_count = 0;
    assert_status(manifest_authorize_owner(&l.m, span_of(spki, 120), &err),
                  ASSAY_ERR_UNTRUSTED);
    assert_true(manifest_same_seedshare_owners(&l.m, &l.m));
    drop(&l);
}

/* Everything a file says is shown as printable ASCII, cut short. */
static void
findings_do_not_carry_controls(void **state)
{
    char *text =
        sample_with("\"Genoa\"", "\"\\u001b[31m\\u009b\\ud83d\\ude00\"");
    struct loaded l;

    (void)state;
    load(&l, text);
    assert_status(l.st, ASSAY_ERR_MALFORMED);
    for (const char *c = err.text; *c; c++)
        assert_true(*c >= 0x20 && *c < 0x7f);
    drop(&l);
    free(text);
}

static void
findings_are_bounded(void **state)
{
    enum { POLICIES = 5, NAMES = 2000, SIZE = POLICIES * (NAMES * 2 + 80) };
    char *text = malloc(SIZE);
    size_t used = 0;
    struct loaded l;

    (void)state;
    assert_non_null(text);
    for (int i = 0; i < POLICIES; i++) {
        used += (size_t)snprintf(text + used, SIZE - used, "%s\"%064d\":[1",
                                 i > 0 ? "," : "{\"Policies\":{", i);
        for (int j = 1; j < NAMES; j++)
            used += (size_t)snprintf(text + used, SIZE - used, ",1");
        used += (size_t)snprintf(text + used, SIZE - used, "]");
    }
    (void)snprintf(text + used, SIZE - used, "}}");
    load(&l, text);
    assert_status(l.st, ASSAY_ERR_MALFORMED);
    assert_true(l.m.findings.errors > LIMIT_MANIFEST_FINDINGS);
    assert_int_equal(l.m.findings.count, LIMIT_MANIFEST_FINDINGS);
    drop(&l);
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_current_form_is_read),
        cmocka_unit_test(the_mid_form_is_read),
        cmocka_unit_test(the_oldest_form_is_read),
        cmocka_unit_test(tdx_is_read_in_both_spellings),
        cmocka_unit_test(keys_match_in_any_case),
        cmocka_unit_test(each_error_is_found_at_its_path),
        cmocka_unit_test(missing_reference_values_have_their_own_class),
        cmocka_unit_test(each_warning_is_found_and_forgiven),
        cmocka_unit_test(milan_without_chips_warns_unless_accepted),
        cmocka_unit_test(all_faults_are_reported_at_once),
        cmocka_unit_test(what_is_no_manifest_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(each_failing_allocation_is_reported),
        cmocka_unit_test(only_listed_owners_may_update),
        cmocka_unit_test(findings_do_not_carry_controls),
        cmocka_unit_test(findings_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
