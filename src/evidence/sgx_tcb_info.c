#include "evidence/sgx_tcb_info.h"

#include <string.h>

#include "base/hex.h"

enum { TCB_INFO_VERSION = 3 };

/* --- levels -------------------------------------------------------------- */

static void
read_components(struct sgx_fields *f, const struct json *tcb, const char *key,
                uint8_t out[SGX_COMPONENTS])
{
    const struct json *v = json_get(tcb, key);

    if (!v || v->type != JSON_ARRAY || v->count != SGX_COMPONENTS) {
        sgx_fields_fail(f, ASSAY_ERR_MALFORMED, key, v,
                        "an array of 16 components");
        return;
    }
    for (size_t i = 0; i < SGX_COMPONENTS; i++)
        out[i] = (uint8_t)sgx_field_uint(f, &v->items[i], "svn", UINT8_MAX);
}

static void
read_level(struct sgx_fields *f, const struct json *obj, bool is_tdx,
           struct sgx_tcb_level *out)
{
    static const unsigned allowed =
        1u << TCB_UP_TO_DATE | 1u << TCB_SW_HARDENING_NEEDED |
        1u << TCB_CONFIGURATION_NEEDED |
        1u << TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED |
        1u << TCB_OUT_OF_DATE | 1u << TCB_OUT_OF_DATE_CONFIGURATION_NEEDED |
        1u << TCB_REVOKED;
    const struct json *tcb = json_get(obj, "tcb");

    *out = (struct sgx_tcb_level){ 0 };
    read_components(f, tcb, "sgxtcbcomponents", out->sgx);
    out->pce_svn = (uint16_t)sgx_field_uint(f, tcb, "pcesvn", UINT16_MAX);
    if (is_tdx)
        read_components(f, tcb, "tdxtcbcomponents", out->tdx);
    out->status = sgx_field_status(f, obj, allowed);
    out->date = sgx_field_date(f, obj, "tcbDate");
    out->advisories = sgx_field_advisories(f, obj);
}

/* SGX components, then PCESVN, then TDX components. */
static int
compare_levels(const struct sgx_tcb_level *a, const struct sgx_tcb_level *b)
{
    int order = memcmp(a->sgx, b->sgx, sizeof(a->sgx));

    if (order == 0)
        order = (int)a->pce_svn - (int)b->pce_svn;
    if (order == 0)
        order = memcmp(a->tdx, b->tdx, sizeof(a->tdx));
    return order;
}

/* Intel publishes them sorted; the algorithm relies on it, so we do not. */
static void
insert_level(struct sgx_fields *f, struct sgx_tcb_info *info,
             const struct sgx_tcb_level *level)
{
    size_t at = info->level_count;

    while (at > 0 && compare_levels(&info->levels[at - 1], level) < 0)
        at--;
    if (at > 0 && compare_levels(&info->levels[at - 1], level) == 0) {
        sgx_fields_fail(f, ASSAY_ERR_MALFORMED, "tcbLevels", NULL,
                        "no level twice");
        return;
    }
    memmove(&info->levels[at + 1], &info->levels[at],
            (info->level_count - at) * sizeof(*level));
    info->levels[at] = *level;
    info->level_count++;
}

static void
read_levels(struct sgx_fields *f, const struct json *body,
            struct sgx_tcb_info *info)
{
    const struct json *v =
        sgx_field_array(f, body, "tcbLevels", LIMIT_SGX_TCB_LEVELS);

    if (!v)
        return;
    info->levels = arena_array(f->arena, v->count, sizeof(*info->levels));
    if (!info->levels)
        f->st = assay_nomem(f->err, "tcbLevels");
    for (size_t i = 0; f->st == ASSAY_OK && i < v->count; i++) {
        struct sgx_tcb_level level;

        read_level(f, &v->items[i], info->is_tdx, &level);
        if (f->st == ASSAY_OK)
            insert_level(f, info, &level);
    }
}

/* --- modules ------------------------------------------------------------- */

static void
read_module(struct sgx_fields *f, const struct json *obj,
            struct tdx_module *out)
{
    sgx_field_hex(f, obj, "mrsigner", out->mr_signer, sizeof(out->mr_signer));
    sgx_field_hex(f, obj, "attributes", out->attributes,
                  sizeof(out->attributes));
    sgx_field_hex(f, obj, "attributesMask", out->attributes_mask,
                  sizeof(out->attributes_mask));
}

/* "TDX_" and two hexadecimal digits, of either case. */
static uint8_t
read_major(struct sgx_fields *f, const struct json *obj)
{
    const struct json *id = json_get(obj, "id");
    uint8_t major = 0;

    if (!id || id->type != JSON_STRING || id->text.len != 6 ||
        !json_key_equal_fold(span_sub(id->text, 0, 4), span_str("TDX_")) ||
        !hex_decode(span_sub(id->text, 4, 2), &major, 1))
        sgx_fields_fail(f, ASSAY_ERR_MALFORMED, "tdxModuleIdentities: id", id,
                        "TDX_ and two hex digits");
    return major;
}

const struct tdx_module_identity *
tdx_module_identity_find(const struct sgx_tcb_info *info, uint8_t major)
{
    for (size_t i = 0; i < info->identity_count; i++) {
        if (info->identities[i].major == major)
            return &info->identities[i];
    }
    return NULL;
}

static void
read_identity(struct sgx_fields *f, const struct json *obj,
              struct sgx_tcb_info *info)
{
    struct tdx_module_identity *id = &info->identities[info->identity_count];

    id->major = read_major(f, obj);
    read_module(f, obj, &id->module);
    id->levels = sgx_field_isv_levels(f, obj, UINT8_MAX);
    if (tdx_module_identity_find(info, id->major))
        sgx_fields_fail(f, ASSAY_ERR_MALFORMED, "tdxModuleIdentities", NULL,
                        "no id twice");
    info->identity_count++;
}

/* Absent before 2023-08. */
static void
read_identities(struct sgx_fields *f, const struct json *body,
                struct sgx_tcb_info *info)
{
    const struct json *v = json_get(body, "tdxModuleIdentities");

    if (!v || f->st != ASSAY_OK)
        return;
    if (v->type != JSON_ARRAY || v->count > LIMIT_TDX_MODULE_IDENTITIES) {
        sgx_fields_fail(f, ASSAY_ERR_MALFORMED, "tdxModuleIdentities", v,
                        "an array of identities");
        return;
    }
    info->identities =
        arena_array(f->arena, v->count + 1, sizeof(*info->identities));
    if (!info->identities)
        f->st = assay_nomem(f->err, "tdxModuleIdentities");
    for (size_t i = 0; f->st == ASSAY_OK && i < v->count; i++)
        read_identity(f, &v->items[i], info);
}

/* --- the whole ----------------------------------------------------------- */

static bool
read_kind(struct sgx_fields *f, const struct json *body)
{
    const struct json *id = json_get(body, "id");
    uint64_t version = 0;

    if (!json_u64(json_get(body, "version"), &version) ||
        version != TCB_INFO_VERSION)
        sgx_fields_fail(f, ASSAY_ERR_UNSUPPORTED, "version",
                        json_get(body, "version"), "3");
    if (sgx_field_uint(f, body, "tcbType", UINT32_MAX) != 0)
        sgx_fields_fail(f, ASSAY_ERR_UNSUPPORTED, "tcbType",
                        json_get(body, "tcbType"), "0");
    if (!id || (!json_is_string(id, "TDX") && !json_is_string(id, "SGX")))
        sgx_fields_fail(f, ASSAY_ERR_UNSUPPORTED, "id", id, "TDX or SGX");
    return id && json_is_string(id, "TDX");
}

enum assay_status
sgx_tcb_info_decode(const struct json *body, struct arena *arena,
                    struct sgx_tcb_info *out, struct assay_error *err)
{
    struct sgx_fields f = { .arena = arena, .err = err };
    struct sgx_tcb_info info = { 0 };

    info.is_tdx = read_kind(&f, body);
    info.issue_date = sgx_field_date(&f, body, "issueDate");
    info.next_update = sgx_field_date(&f, body, "nextUpdate");
    sgx_field_hex(&f, body, "fmspc", info.fmspc, sizeof(info.fmspc));
    sgx_field_hex(&f, body, "pceId", info.pce_id, sizeof(info.pce_id));
    info.evaluation_number =
        sgx_field_uint(&f, body, "tcbEvaluationDataNumber", UINT32_MAX);
    if (info.is_tdx) {
        read_module(&f, json_get(body, "tdxModule"), &info.module);
        read_identities(&f, body, &info);
    }
    read_levels(&f, body, &info);
    if (f.st == ASSAY_OK)
        *out = info;
    return assay_context(err, f.st, "tcbInfo");
}
