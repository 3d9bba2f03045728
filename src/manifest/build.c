#include "manifest/build.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "manifest/flags.h"

enum { INDENT = 2 };

bool
manifest_platform_flag(const char *name, uint64_t *bit, bool *allowing)
{
    for (size_t i = 0; i < PLATFORM_FLAGS; i++) {
        if (strcmp(platform_flags[i].name, name) != 0)
            continue;
        *bit = platform_flags[i].bit;
        *allowing = platform_flags[i].allowing;
        return true;
    }
    return false;
}

static void
put_policies(struct json_writer *w, const struct manifest_spec *spec)
{
    char hash[2 * SHA256_SIZE + 1];

    jw_key(w, "Policies");
    jw_object(w);
    for (size_t i = 0; i < spec->policy_count; i++) {
        const struct manifest_policy *p = &spec->policies[i];

        hex_encode(span_of(p->hash, sizeof(p->hash)), hash);
        jw_key(w, hash);
        jw_object(w);
        jw_key(w, "SANs");
        jw_array(w);
        for (size_t j = 0; j < p->san_count; j++)
            jw_string(w, p->sans[j]);
        jw_end(w);
        if (p->workload_secret_id.len > 0)
            jw_put_string(w, "WorkloadSecretID", p->workload_secret_id);
        if (p->role != MANIFEST_ROLE_NONE)
            jw_put_str(w, "Role", manifest_role_name(p->role));
        jw_end(w);
    }
    jw_end(w);
}

static void
put_spl(struct json_writer *w, const char *key, const struct manifest_snp *v,
        uint8_t spl)
{
    jw_key(w, key);
    if (v->has_minimum_tcb)
        jw_u64(w, spl);
    else
        jw_null(w);
}

static void
put_tcb(struct json_writer *w, const struct manifest_snp *v)
{
    const struct snp_tcb_parts *t = &v->minimum_tcb;

    jw_key(w, "MinimumTCB");
    jw_object(w);
    if (v->product == SNP_PRODUCT_TURIN)
        put_spl(w, "FMCVersion", v, t->fmc);
    put_spl(w, "BootloaderVersion", v, t->bl);
    put_spl(w, "TEEVersion", v, t->tee);
    put_spl(w, "SNPVersion", v, t->snp);
    put_spl(w, "MicrocodeVersion", v, t->ucode);
    jw_end(w);
}

static void
put_guest_policy(struct json_writer *w, const struct manifest_snp *v)
{
    jw_key(w, "GuestPolicy");
    jw_object(w);
    jw_put_u64(w, "ABIMinor", v->guest_policy & 0xff);
    jw_put_u64(w, "ABIMajor", v->guest_policy >> 8 & 0xff);
    for (size_t i = 0; i < POLICY_FLAGS; i++)
        jw_put_bool(w, policy_flags[i].name,
                    v->guest_policy & policy_flags[i].bit);
    jw_end(w);
}

static void
put_platform_info(struct json_writer *w, const struct manifest_snp *v)
{
    if (!v->has_platform_info)
        return;
    jw_key(w, "PlatformInfo");
    jw_object(w);
    for (size_t i = 0; i < PLATFORM_FLAGS; i++) {
        const struct platform_flag *f = &platform_flags[i];

        jw_put_bool(w, f->name,
                    f->allowing ? !(v->platform_forbidden & f->bit)
                                : (v->platform_required & f->bit) != 0);
    }
    jw_end(w);
}

static void
put_snp(struct json_writer *w, const struct manifest_snp *v)
{
    char eip[9] = "";

    jw_object(w);
    if (v->platform[0])
        jw_put_str(w, "Platform", v->platform);
    jw_put_str(w, "ProductName", snp_product_name(v->product));
    jw_put_hex(w, "TrustedMeasurement",
               span_of(v->measurement, sizeof(v->measurement)));
    if (v->has_ap_eip)
        (void)snprintf(eip, sizeof(eip), "%08" PRIx32, v->ap_eip);
    jw_put_str(w, "APEIP", eip);
    put_tcb(w, v);
    put_guest_policy(w, v);
    put_platform_info(w, v);
    jw_put_u64(w, "MinimumMitigationVector", v->mitigations);
    jw_key(w, "AllowedChipIDs");
    jw_array(w);
    for (size_t at = 0; at < v->chip_ids.len; at += 64)
        jw_hex(w, span_sub(v->chip_ids, at, 64));
    jw_end(w);
    if (v->allow_milan_without_chip_ids)
        jw_put_bool(w, "AllowMilanWithoutChipIDs", true);
    jw_end(w);
}

static void
put_copies(struct json_writer *w, const struct json *const *values,
           size_t count)
{
    for (size_t i = 0; i < count; i++)
        jw_value(w, values[i]);
}

static void
put_insecure(struct json_writer *w)
{
    jw_key(w, "insecure");
    jw_array(w);
    jw_object(w);
    jw_put_str(w, "Platform", "Insecure");
    jw_put_bool(w, "AcceptWithoutHardware", true);
    jw_end(w);
    jw_end(w);
}

static void
put_reference_values(struct json_writer *w, const struct manifest_spec *spec)
{
    jw_key(w, "ReferenceValues");
    jw_object(w);
    if (spec->snp_count + spec->snp_json_count > 0) {
        jw_key(w, "snp");
        jw_array(w);
        for (size_t i = 0; i < spec->snp_count; i++)
            put_snp(w, &spec->snp[i]);
        put_copies(w, spec->snp_json, spec->snp_json_count);
        jw_end(w);
    }
    if (spec->tdx_json_count > 0) {
        jw_key(w, "tdx");
        jw_array(w);
        put_copies(w, spec->tdx_json, spec->tdx_json_count);
        jw_end(w);
    }
    if (spec->insecure)
        put_insecure(w);
    jw_end(w);
}

/* Bytes sort as their hex does, which is how section 6.2 wants the lists. */
static int
by_bytes(struct span a, struct span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int diff = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;

    return diff != 0 ? diff : (a.len > b.len) - (a.len < b.len);
}

static int
by_spki(const void *a, const void *b)
{
    const struct manifest_workload_owner *x = a, *y = b;

    return by_bytes(x->spki_der, y->spki_der);
}

static int
by_digest(const void *a, const void *b)
{
    const struct manifest_workload_owner *x = a, *y = b;

    return memcmp(x->digest, y->digest, sizeof(x->digest));
}

static int
by_rsa(const void *a, const void *b)
{
    const struct manifest_seedshare_owner *x = a, *y = b;

    return by_bytes(x->rsa_der, y->rsa_der);
}

static void
sort(void *list, size_t count, size_t size,
     int (*order)(const void *, const void *))
{
    if (count > 1)
        qsort(list, count, size, order);
}

static void
put_workload_owners(struct json_writer *w, struct manifest_spec *spec)
{
    struct manifest_workload_owner *list = spec->workload_owners;
    size_t count = spec->workload_owner_count;

    if (spec->owner_form != MANIFEST_OWNER_DIGESTS) {
        sort(list, count, sizeof(*list), by_spki);
        jw_key(w, "WorkloadOwnerPubKeys");
        jw_array(w);
        for (size_t i = 0; i < count; i++)
            jw_hex(w, list[i].spki_der);
        jw_end(w);
    }
    if (spec->owner_form != MANIFEST_OWNER_KEYS) {
        sort(list, count, sizeof(*list), by_digest);
        jw_key(w, "WorkloadOwnerKeyDigests");
        jw_array(w);
        for (size_t i = 0; i < count; i++)
            jw_hex(w, span_of(list[i].digest, sizeof(list[i].digest)));
        jw_end(w);
    }
}

void
manifest_build(struct manifest_spec *spec, struct buffer *out)
{
    struct json_writer w = json_writer_over(out, INDENT);
    struct manifest_seedshare_owner *seedshare = spec->seedshare_owners;

    jw_object(&w);
    put_policies(&w, spec);
    put_reference_values(&w, spec);
    put_workload_owners(&w, spec);
    sort(seedshare, spec->seedshare_owner_count, sizeof(*seedshare), by_rsa);
    jw_key(&w, "SeedshareOwnerPubKeys");
    jw_array(&w);
    for (size_t i = 0; i < spec->seedshare_owner_count; i++)
        jw_hex(&w, seedshare[i].rsa_der);
    jw_end(&w);
    jw_end(&w);
    buffer_add_str(out, "\n");
}
