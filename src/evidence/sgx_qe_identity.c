#include "evidence/sgx_qe_identity.h"

enum { IDENTITY_VERSION = 2 };

static bool
read_kind(struct sgx_fields *f, const struct json *body)
{
    const struct json *id = json_get(body, "id");
    uint64_t version = 0;

    if (!json_u64(json_get(body, "version"), &version) ||
        version != IDENTITY_VERSION)
        sgx_fields_fail(f, ASSAY_ERR_UNSUPPORTED, "version",
                        json_get(body, "version"), "2");
    if (!id || (!json_is_string(id, "TD_QE") && !json_is_string(id, "QE")))
        sgx_fields_fail(f, ASSAY_ERR_UNSUPPORTED, "id", id, "TD_QE or QE");
    return id && json_is_string(id, "TD_QE");
}

enum assay_status
sgx_qe_identity_decode(const struct json *body, struct arena *arena,
                       struct sgx_qe_identity *out, struct assay_error *err)
{
    struct sgx_fields f = { .arena = arena, .err = err };
    struct sgx_qe_identity id = { 0 };

    id.is_td_qe = read_kind(&f, body);
    id.issue_date = sgx_field_date(&f, body, "issueDate");
    id.next_update = sgx_field_date(&f, body, "nextUpdate");
    id.evaluation_number =
        sgx_field_uint(&f, body, "tcbEvaluationDataNumber", UINT32_MAX);
    sgx_field_hex(&f, body, "miscselect", id.misc_select,
                  sizeof(id.misc_select));
    sgx_field_hex(&f, body, "miscselectMask", id.misc_select_mask,
                  sizeof(id.misc_select_mask));
    sgx_field_hex(&f, body, "attributes", id.attributes, sizeof(id.attributes));
    sgx_field_hex(&f, body, "attributesMask", id.attributes_mask,
                  sizeof(id.attributes_mask));
    sgx_field_hex(&f, body, "mrsigner", id.mr_signer, sizeof(id.mr_signer));
    id.isv_prod_id =
        (uint16_t)sgx_field_uint(&f, body, "isvprodid", UINT16_MAX);
    id.levels = sgx_field_isv_levels(&f, body, UINT16_MAX);
    if (f.st == ASSAY_OK)
        *out = id;
    return assay_context(err, f.st, "enclaveIdentity");
}
