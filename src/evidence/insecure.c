#include "evidence/insecure.h"

#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "codec/json.h"

#define REF "contrast, insecure platform"

static enum assay_status
decode_field(const struct json *object, const char *key, uint8_t *out,
             size_t size, struct assay_error *err)
{
    const struct json *value = json_get_fold(object, key);
    uint8_t bytes[64 + 2];
    size_t len = sizeof(bytes);

    if (!value || value->type != JSON_STRING)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "insecure evidence: %s: got %s, want a string", key,
                          json_type_name(value));
    if (!base64_decode(value->text, bytes, &len) || len != size)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "insecure evidence: %s: want %zu bytes in base64",
                          key, size);
    memcpy(out, bytes, size);
    return ASSAY_OK;
}

static enum assay_status
decode_json(struct span bytes, struct arena *arena,
            struct insecure_evidence *out, struct assay_error *err)
{
    const struct json_options options = { .name = "insecure evidence",
                                          .max_bytes = 4096,
                                          .max_depth = 4 };
    struct insecure_evidence e = { .has_host_data = true };
    struct json object;
    enum assay_status st = json_parse(bytes, &options, arena, &object, err);

    if (st == ASSAY_OK)
        st = decode_field(&object, "reportData", e.report_data,
                          sizeof(e.report_data), err);
    if (st == ASSAY_OK)
        st = decode_field(&object, "hostData", e.host_data, sizeof(e.host_data),
                          err);
    if (st == ASSAY_OK)
        *out = e;
    return st;
}

enum assay_status
insecure_evidence_decode(struct span bytes, struct arena *arena,
                         struct insecure_evidence *out, struct assay_error *err)
{
    /* 64 bytes are too few for the JSON form, which has 88 and 44 digits. */
    if (bytes.len == sizeof(out->report_data)) {
        *out = (struct insecure_evidence){ 0 };
        memcpy(out->report_data, bytes.ptr, bytes.len);
        return ASSAY_OK;
    }
    return decode_json(bytes, arena, out, err);
}

void
insecure_evidence_encode(const struct insecure_evidence *e, struct buffer *out)
{
    struct json_writer w = json_writer_over(out, 0);

    jw_object(&w);
    jw_put_base64(&w, "reportData",
                  span_of(e->report_data, sizeof(e->report_data)));
    jw_put_base64(&w, "hostData", span_of(e->host_data, sizeof(e->host_data)));
    jw_end(&w);
}

static void
compare(struct verdict *v, const char *name, struct span want, struct span got)
{
    const char *want_hex = verdict_hex(v, want), *got_hex = verdict_hex(v, got);

    if (span_equal(want, got))
        verdict_pass(v, name, REF, want_hex, got_hex);
    else
        verdict_fail(v, name, REF, want_hex, got_hex,
                     "not the value that was expected");
}

void
insecure_appraise(const struct insecure_evidence *e,
                  const uint8_t report_data[64], const uint8_t *host_data,
                  struct verdict *v)
{
    v->insecure = true;
    verdict_skip(v, "hardware", REF, "no processor vouches for this evidence");
    compare(v, "report_data", span_of(report_data, 64),
            span_of(e->report_data, sizeof(e->report_data)));
    if (!host_data)
        verdict_skip(v, "host_data", REF, "no value is expected");
    else if (!e->has_host_data)
        verdict_fail(v, "host_data", REF,
                     verdict_hex(v, span_of(host_data, 32)), "none",
                     "this older form of evidence has no host data");
    else
        compare(v, "host_data", span_of(host_data, 32),
                span_of(e->host_data, sizeof(e->host_data)));
}
