/* make-intel-evidence DIRECTORY [SEEDS]: a quote with its collateral and root
 * as `assay evidence verify --collateral` takes them, and with SEEDS the seeds
 * of the fuzz targets about Intel's formats. All from the tests' own vendor. */
#include "../unit.h"

#include <stdio.h>

#include "base/file.h"
#include "base/writer.h"
#include "codec/json.h"

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

/* --- collateral as others write it --------------------------------------- */

/* The body between {"NAME": and ,"signature":"...128 digits..."}. */
static struct span
body_of(struct span document, const char *name)
{
    size_t head = strlen(name) + 4, tail = strlen(",\"signature\":\"") + 130;

    return span_sub(document, head, document.len - head - tail);
}

static struct span
signature_of(struct span document)
{
    return span_sub(document, document.len - 130, 128);
}

static void
save_dcap_qvl(const char *dir, const struct tdx_collateral *c)
{
    struct buffer out;
    struct json_writer w;

    buffer_init(&out, 1 << 20, NULL);
    w = json_writer_over(&out, 0);
    jw_object(&w);
    jw_put_string(&w, "pck_crl_issuer_chain", c->pck_crl_issuer_chain);
    jw_put_hex(&w, "root_ca_crl", c->root_ca_crl);
    jw_put_hex(&w, "pck_crl", c->pck_crl);
    jw_put_string(&w, "tcb_info_issuer_chain", c->tcb_info_issuer_chain);
    jw_put_string(&w, "tcb_info", body_of(c->tcb_info, "tcbInfo"));
    jw_put_string(&w, "tcb_info_signature", signature_of(c->tcb_info));
    jw_put_string(&w, "qe_identity_issuer_chain", c->qe_identity_issuer_chain);
    jw_put_string(&w, "qe_identity",
                  body_of(c->qe_identity, "enclaveIdentity"));
    jw_put_string(&w, "qe_identity_signature", signature_of(c->qe_identity));
    jw_end(&w);
    save(dir, "tdx_collateral", "ok-dcap-qvl", buffer_span(&out));
    save(dir, "tdx_collateral", "bad-cut-short",
         span_sub(buffer_span(&out), 0, out.len - 1));
    buffer_free(&out);
}

static void
save_migtd(const char *dir, const struct tdx_collateral *c)
{
    struct buffer out;
    struct json_writer w;

    buffer_init(&out, 1 << 20, NULL);
    w = json_writer_over(&out, 0);
    jw_object(&w);
    jw_put_hex(&w, "rootCaCrl", c->root_ca_crl);
    jw_put_hex(&w, "pckCrl", c->pck_crl);
    jw_put_string(&w, "pckCrlIssuerChain", c->pck_crl_issuer_chain);
    jw_key(&w, "platforms");
    jw_array(&w);
    jw_object(&w);
    jw_put_str(&w, "fmspc", "00806F050000");
    jw_put_string(&w, "tcbInfoIssuerChain", c->tcb_info_issuer_chain);
    jw_put_string(&w, "tcbInfo", c->tcb_info);
    jw_end(&w);
    jw_end(&w);
    jw_put_string(&w, "qeIdentityIssuerChain", c->qe_identity_issuer_chain);
    jw_put_string(&w, "qeIdentity", c->qe_identity);
    jw_end(&w);
    save(dir, "tdx_collateral", "ok-migtd", buffer_span(&out));
    buffer_free(&out);
}

static void
put_words(struct buffer *out, uint64_t low, uint64_t high)
{
    uint8_t bytes[16];
    struct writer wr = writer_over(bytes, sizeof(bytes));

    wr_u64le(&wr, low);
    wr_u64le(&wr, high);
    buffer_add(out, wr_written(&wr));
}

static void
save_qvl(const char *dir, const struct tdx_collateral *c)
{
    const struct span pieces[] = {
        c->pck_crl_issuer_chain,  c->root_ca_crl, c->pck_crl,
        c->tcb_info_issuer_chain, c->tcb_info,    c->qe_identity_issuer_chain,
        c->qe_identity,
    };
    struct buffer out;

    buffer_init(&out, 1 << 20, NULL);
    buffer_add(&out, span_of("\x03\0\x01\0\x81\0\0\0", 8));
    for (size_t i = 0; i < COUNT(pieces); i++)
        put_words(&out, 0, pieces[i].len);
    for (size_t i = 0; i < COUNT(pieces); i++)
        buffer_add(&out, pieces[i]);
    save(dir, "tdx_collateral", "ok-qvl", buffer_span(&out));
    buffer_free(&out);
}

static void
save_collateral_seeds(const char *dir, const struct tdx_collateral *c)
{
    save_dcap_qvl(dir, c);
    save_migtd(dir, c);
    save_qvl(dir, c);
    save(dir, "tdx_collateral", "bad-one-document", c->tcb_info);
    save(dir, "tdx_collateral", "bad-one-list", c->pck_crl);
    save(dir, "tdx_collateral", "bad-one-chain", c->tcb_info_issuer_chain);
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
    save_collateral_seeds(dir, &m.collateral);
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
