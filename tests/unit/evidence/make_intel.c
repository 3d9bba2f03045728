/* make-intel-evidence DIRECTORY [SEEDS]: a quote with its collateral and root
 * as `assay evidence verify --collateral` takes them, and with SEEDS the seeds
 * of the fuzz targets about Intel's formats. All from the tests' own vendor. */
#include "../unit.h"

#include <stdio.h>

#include "base/file.h"

#include "evidence/tdx_proto.h"

#include "intel_fixture.h"

static void
save(const char *dir, const char *module, const char *name, struct span bytes)
{
    struct assay_error err = { 0 };
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", dir, module);
    assert_ok(dir_create(path, 0755, &err), &err);
    snprintf(path, sizeof(path), "%s/%s/%s", dir, module, name);
    assert_ok(file_write_atomic(path, bytes, 0644, &err), &err);
}

static void
save_machine(const char *dir)
{
    struct intel_machine m;

    intel_machine_init(&m, 4);
    save(dir, ".", "quote.bin", buffer_span(&m.raw));
    save(dir, ".", "root.der", buffer_span(&m.root));
    save(dir, ".", "tcb_info.json", m.collateral.tcb_info);
    save(dir, ".", "tcb_info_issuer_chain.pem",
         m.collateral.tcb_info_issuer_chain);
    save(dir, ".", "qe_identity.json", m.collateral.qe_identity);
    save(dir, ".", "qe_identity_issuer_chain.pem",
         m.collateral.qe_identity_issuer_chain);
    save(dir, ".", "root_ca.crl", m.collateral.root_ca_crl);
    save(dir, ".", "pck.crl", m.collateral.pck_crl);
    save(dir, ".", "pck_crl_issuer_chain.pem",
         m.collateral.pck_crl_issuer_chain);
    intel_machine_free(&m);
}

/* The same quote as it is inside certificates. */
static void
save_evidence_seeds(const char *dir, const struct intel_machine *m)
{
    struct buffer evidence;

    buffer_init(&evidence, 1 << 20, NULL);
    if (tdx_evidence_encode(buffer_span(&m->raw), &evidence, NULL) != ASSAY_OK)
        exit(1);
    save(dir, "tdx_evidence", "ok", buffer_span(&evidence));
    save(dir, "tdx_evidence", "bad-cut-short",
         span_sub(buffer_span(&evidence), 0, evidence.len - 1));
    buffer_add(&evidence, span_str("\x2a\x04more"));
    save(dir, "tdx_evidence", "ok-extra-bytes", buffer_span(&evidence));
    buffer_free(&evidence);
}

static void
save_seeds(const char *dir)
{
    static const char *const names[] = { "ok-v3", "ok-v4", "ok-v5" };
    struct intel_machine m;
    struct buffer extension;

    for (uint16_t version = 3; version <= 5; version++) {
        intel_machine_init(&m, version);
        save(dir, "tdx_quote", names[version - 3], buffer_span(&m.raw));
        if (version == 4) {
            save(dir, "tdx_quote", "bad-cut-short",
                 span_sub(buffer_span(&m.raw), 0, m.raw.len - 1));
            save_evidence_seeds(dir, &m);
        }
        if (version <= 4) {
            save(dir, "sgx_tcb_info", names[version - 3],
                 buffer_span(&m.tcb_info));
            save(dir, "sgx_qe_identity", names[version - 3],
                 buffer_span(&m.qe_identity));
        }
        intel_machine_free(&m);
    }
    intel_machine_init(&m, 4);
    save(dir, "sgx_tcb_info", "bad-another-document",
         buffer_span(&m.qe_identity));
    save(dir, "sgx_qe_identity", "bad-another-document",
         buffer_span(&m.tcb_info));
    buffer_init(&extension, 4096, NULL);
    sgx_pck_encode(&m.pck, &extension);
    save(dir, "sgx_pck", "ok-platform", buffer_span(&extension));
    save(dir, "sgx_pck", "bad-cut-short",
         span_sub(buffer_span(&extension), 0, extension.len - 1));
    buffer_clear(&extension);
    m.pck.has_platform_instance_id = m.pck.has_configuration = false;
    sgx_pck_encode(&m.pck, &extension);
    save(dir, "sgx_pck", "ok-processor", buffer_span(&extension));
    buffer_free(&extension);
    intel_machine_free(&m);
}

int
main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: make-intel-evidence DIRECTORY [SEEDS]\n");
        return 2;
    }
    save_machine(argv[1]);
    if (argc > 2)
        save_seeds(argv[2]);
    return 0;
}
