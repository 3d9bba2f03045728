#include "cli/dev_manifest.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/limits.h"
#include "codec/json.h"

static void
put_policies(struct json_writer *w, const struct dev_plan *plan)
{
    jw_key(w, "Policies");
    jw_object(w);
    for (size_t i = 0; i < plan->pod_count; i++) {
        const struct dev_pod *pod = &plan->pods[i];

        jw_key(w, pod->identity);
        jw_object(w);
        jw_key(w, "SANs");
        jw_array(w);
        for (size_t j = 0; j < pod->sans.count; j++)
            jw_str(w, pod->sans.items[j]);
        jw_end(w);
        if (pod->secret)
            jw_put_str(w, "WorkloadSecretID", pod->secret);
        if (pod->coordinator)
            jw_put_str(w, "Role", "coordinator");
        jw_end(w);
    }
    jw_end(w);
}

static void
put_minimum_tcb(struct json_writer *w, const char *tcb)
{
    static const char *const parts[] = { "BootloaderVersion", "TEEVersion",
                                         "SNPVersion", "MicrocodeVersion" };
    char *end = NULL;

    jw_key(w, "MinimumTCB");
    jw_object(w);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        jw_put_u64(w, parts[i], strtoul(tcb, &end, 10));
        tcb = *end == ',' ? end + 1 : end;
    }
    jw_end(w);
}

/* CI section 6.5: these values are fixed. */
static void
put_guest_policy(struct json_writer *w)
{
    static const char *const off[] = {
        "MigrateMA",    "Debug",   "SingleSocket",         "CXLAllowed",
        "MemAES256XTS", "RAPLDis", "CipherTextHidingDRAM", "PageSwapDisable"
    };

    jw_key(w, "GuestPolicy");
    jw_object(w);
    jw_put_u64(w, "ABIMajor", 0);
    jw_put_u64(w, "ABIMinor", 0);
    jw_put_bool(w, "SMT", true);
    for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++)
        jw_put_bool(w, off[i], false);
    jw_end(w);
}

static void
put_reference_value(struct json_writer *w, const char *measurement,
                    const char *product, const char *tcb)
{
    jw_object(w);
    jw_put_str(w, "Platform", "Metal-QEMU-SNP");
    jw_put_str(w, "ProductName", product);
    jw_put_str(w, "TrustedMeasurement", measurement);
    put_minimum_tcb(w, tcb);
    put_guest_policy(w);
    jw_key(w, "PlatformInfo");
    jw_object(w);
    jw_put_bool(w, "SMTEnabled", true);
    jw_end(w);
    jw_end(w);
}

enum assay_status
dev_manifest_write(const char *path, const struct dev_plan *plan,
                   const char *measurement, const char *product,
                   const char *tcb, struct assay_error *err)
{
    struct buffer text;
    struct json_writer w;
    enum assay_status st;

    buffer_init(&text, LIMIT_MANIFEST_BYTES, NULL);
    w = json_writer_over(&text, 2);
    jw_object(&w);
    put_policies(&w, plan);
    jw_key(&w, "ReferenceValues");
    jw_object(&w);
    jw_key(&w, "snp");
    jw_array(&w);
    put_reference_value(&w, measurement, product, tcb);
    jw_end(&w);
    jw_end(&w);
    jw_end(&w);
    buffer_add_str(&text, "\n");
    st = buffer_check(&text, path, err);
    if (st == ASSAY_OK)
        st = file_write_atomic(path, buffer_span(&text), 0644, err);
    buffer_free(&text);
    return st;
}
