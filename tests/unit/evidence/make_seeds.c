/* Writes the seeds of fuzz_snp_*: make-evidence-seeds DIRECTORY. They come
 * from the tests' own vendor, so they can be made again by anybody. */
#include "../unit.h"

#include <stdio.h>

#include "base/file.h"
#include "codec/pem.h"
#include "evidence/snp_proto.h"

#include "amd_fixture.h"

static const char *target;

static void
save(const char *module, const char *name, struct span bytes)
{
    struct assay_error err = { 0 };
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", target, module);
    assert_ok(dir_create(path, 0755, &err), &err);
    snprintf(path, sizeof(path), "%s/%s/%s", target, module, name);
    assert_ok(file_write_atomic(path, bytes, 0644, &err), &err);
}

static void
save_chain(const struct amd_machine *m, const char *name, bool pem)
{
    const struct buffer *all[] = { &m->authority, &m->leaf, &m->ark };
    struct assay_error err = { 0 };
    struct buffer out;

    buffer_init(&out, 1 << 20, NULL);
    for (size_t i = 0; i < COUNT(all); i++) {
        if (pem)
            assert_ok(
                pem_encode("CERTIFICATE", buffer_span(all[i]), &out, &err),
                &err);
        else
            buffer_add(&out, buffer_span(all[i]));
    }
    save("snp_chain", name, buffer_span(&out));
    buffer_free(&out);
}

static void
save_evidence(const struct amd_machine *m, const char *name)
{
    const struct snp_evidence_parts parts = {
        .report = span_of(m->raw, sizeof(m->raw)),
        .vcek = buffer_span(&m->leaf),
        .ask = buffer_span(&m->authority),
        .ark = buffer_span(&m->ark),
        .crl = buffer_span(&m->crl),
    };
    struct assay_error err = { 0 };
    struct buffer out;

    buffer_init(&out, LIMIT_EVIDENCE_BYTES, NULL);
    assert_ok(snp_evidence_encode(&parts, &out, &err), &err);
    save("snp_evidence", name, buffer_span(&out));
    save("snp_evidence", "bad-cut-short",
         span_sub(buffer_span(&out), 0, out.len - 1));
    buffer_free(&out);
}

static void
save_table(const struct amd_machine *m, const char *name)
{
    const struct snp_cert_table t = { .vcek = buffer_span(&m->leaf),
                                      .ask = buffer_span(&m->authority),
                                      .ark = buffer_span(&m->ark),
                                      .crl = buffer_span(&m->crl) };
    struct assay_error err = { 0 };
    struct buffer out;

    buffer_init(&out, LIMIT_CERT_TABLE_BYTES, NULL);
    assert_ok(snp_cert_table_encode(&t, &out, &err), &err);
    save("snp_cert_table", name, buffer_span(&out));
    memset(out.ptr + 16, 0xff, 4);
    save("snp_cert_table", "bad-offset", buffer_span(&out));
    buffer_free(&out);
}

static void
machine(enum snp_product product, bool vlek, uint32_t version, const char *name)
{
    struct amd_machine m;

    amd_machine_init(&m, product, vlek, version);
    save("snp_report", name, span_of(m.raw, sizeof(m.raw)));
    save_chain(&m, name, vlek);
    if (!vlek) {
        save_evidence(&m, name);
        save_table(&m, name);
    } else {
        char text[1600];

        base64_encode(span_of(m.raw, sizeof(m.raw)), text);
        save("snp_evidence", name, span_str(text));
    }
    m.raw[0x4c] = 1;
    save("snp_report", "bad-reserved", span_of(m.raw, sizeof(m.raw)));
    m.leaf_spec.signer = m.keys.other;
    amd_machine_remake(&m);
    save_chain(&m, "bad-signer", false);
    amd_machine_free(&m);
}

static void
make(void **state)
{
    (void)state;
    machine(SNP_PRODUCT_MILAN, false, 2, "ok-milan-v2");
    machine(SNP_PRODUCT_MILAN, true, 3, "ok-milan-v3-vlek");
    machine(SNP_PRODUCT_GENOA, false, 4, "ok-genoa-v4");
    machine(SNP_PRODUCT_TURIN, false, 5, "ok-turin-v5");
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(make) };

    if (argc != 2)
        return 2;
    target = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
