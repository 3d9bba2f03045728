#include "service/meshapi.h"

#include "atls/cert.h"
#include "codec/wire.h"
#include "evidence/insecure.h"
#include "guard_fixture.h"

#include "meshapi.pb-c.h"

/* Evidence of the insecure platform for a key and a nonce. */
static void
make_evidence(const struct key *key, const uint8_t nonce[ATLS_NONCE_SIZE],
              struct buffer *out)
{
    struct insecure_evidence e = { .has_host_data = true };

    assert_status(digest_sha256(span_str(policy_text), e.host_data, NULL),
                  ASSAY_OK);
    assert_status(atls_report_data(key_spki(key), nonce, e.report_data, NULL),
                  ASSAY_OK);
    insecure_evidence_encode(&e, out);
}

static const struct guard_state *
set_insecure(struct fixture *f)
{
    struct guard_update update = {
        .manifest =
            make_manifest(f, (struct wanted){ .san = "one", .insecure = true }),
        .caller = f->keys->owner,
    };
    struct guard_set set;
    struct assay_error err;

    assert_code(set_as(f, update, &set, &err), GRPC_OK, &err);
    return set.state;
}

static void
a_mesh_certificate_carries_the_policys_names_and_secret(void **state)
{
    static const uint8_t nonce[ATLS_NONCE_SIZE] = { 7 };
    struct fixture f;
    const struct guard_state *s;
    struct meshapi_caller caller = { .oid = EVIDENCE_OID_INSECURE,
                                     .source_ip = "192.0.2.7" };
    struct meshapi_note note;
    struct secret want = { 0 };
    struct buffer response, evidence;
    struct assay_error err;
    Meshapi__NewMeshCertResponse *m;

    fixture_init(&f, state);
    buffer_init(&response, 1 << 20, NULL);
    buffer_init(&evidence, 4096, NULL);
    s = set_insecure(&f);
    caller.key = f.keys->stranger;
    make_evidence(caller.key, nonce, &evidence);
    caller.evidence = buffer_span(&evidence);
    caller.nonce = nonce;
    assert_code(meshapi_new_mesh_cert(s, &caller, &f.config, span_str("\xff"),
                                      &response, &note, &err),
                GRPC_INVALID_ARGUMENT, &err);
    assert_code(meshapi_new_mesh_cert(s, &caller, &f.config, span_str(""),
                                      &response, &note, &err),
                GRPC_OK, &err);
    assert_ptr_equal(note.policy, &s->manifest.policies[0]);
    assert_true(note.insecure);
    m = meshapi__new_mesh_cert_response__unpack(NULL, response.len,
                                                response.ptr);
    assert_non_null(m);
    assert_true(span_equal(wire_span(m->meshcacert), ca_mesh_pem(s->ca)));
    assert_true(span_equal(wire_span(m->rootcacert), ca_root_pem(s->ca)));
    assert_ok(
        seed_engine_workload_secret(s->seed, span_str("web"), &want, &err),
        &err);
    assert_true(span_equal(wire_span(m->workloadsecret), secret_span(&want)));
    secret_wipe(&want);
    meshapi__new_mesh_cert_response__free_unpacked(m, NULL);
    secret_buffer_free(&response);
    buffer_free(&evidence);
    guard_unpin(s);
    fixture_end(&f);
}

/* Whoever speaks TLS for the signer may be taken over; a certificate takes
 * evidence for that key, that nonce and a policy of this manifest. */
static void
the_signer_judges_the_evidence_itself(void **state)
{
    static const uint8_t nonce[ATLS_NONCE_SIZE] = { 7 };
    static const uint8_t other_nonce[ATLS_NONCE_SIZE] = { 8 };
    struct fixture f;
    const struct guard_state *s;
    struct buffer response, evidence;

    fixture_init(&f, state);
    buffer_init(&response, 1 << 20, NULL);
    buffer_init(&evidence, 4096, NULL);
    make_evidence(f.keys->stranger, nonce, &evidence);
    s = set_insecure(&f);
    {
        const struct span good = buffer_span(&evidence);
        const struct key *key = f.keys->stranger;
        const struct meshapi_caller callers[] = {
            { key, EVIDENCE_OID_INSECURE, span_str(NULL), nonce, NULL },
            { key, EVIDENCE_OID_INSECURE, good, NULL, NULL },
            { key, EVIDENCE_OID_INSECURE, good, other_nonce, NULL },
            { f.keys->owner, EVIDENCE_OID_INSECURE, good, nonce, NULL },
            { NULL, EVIDENCE_OID_INSECURE, good, nonce, NULL },
            { key, EVIDENCE_OID_SNP, good, nonce, NULL },
            { key, EVIDENCE_OID_NONE, good, nonce, NULL },
            { key, EVIDENCE_OID_INSECURE, span_sub(good, 0, good.len - 1),
              nonce, NULL },
        };

        for (size_t i = 0; i < COUNT(callers); i++) {
            struct meshapi_note note;
            struct assay_error err;

            assert_code(meshapi_new_mesh_cert(s, &callers[i], &f.config,
                                              span_str(""), &response, &note,
                                              &err),
                        GRPC_PERMISSION_DENIED, &err);
            assert_int_equal(response.len, 0);
        }
    }
    buffer_free(&response);
    buffer_free(&evidence);
    guard_unpin(s);
    fixture_end(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_mesh_certificate_carries_the_policys_names_and_secret),
        cmocka_unit_test(the_signer_judges_the_evidence_itself),
    };

    return cmocka_run_group_tests(tests, keys_setup, keys_teardown);
}
