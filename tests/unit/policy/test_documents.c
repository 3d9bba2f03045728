#include "unit.h"

#include "base/file.h"
#include "base/limits.h"
#include "policy/documents.h"
#include "temp_dir.h"

/* Packed with Python's gzip and base64; digests from hashlib. */
#define INITDATA                                                               \
    "H4sIAAAAAAACAytLLSrOzM9TsFVQMtAz1DNQ4krMSc8vyizJyAWJFWckGpmaKXFxRackliTG" \
    "cikV5OdkJlfqFaWm5yuBFBQkJmcnpqcqAHFeSTxEVokLAOtBc9RWAAAA"
static const char initdata_hash[] =
    "ec432606698641f33d970e8ba0655ec98ee420d10078c18ba13c18c0753d4f5c";
static const char rego_hash[] =
    "45148e88381b22b43595cc1eaf2fadfd3f93998dbbb75bd4f3d69b641fe6153b";

static const char pods_yaml[] =
    "# two documents, two replicas of one pod\n"
    "apiVersion: v1\n"
    "kind: Pod\n"
    "metadata:\n"
    "  annotations:\n"
    "    io.katacontainers.config.hypervisor.cc_init_data: " INITDATA "\n"
    "---\n"
    "kind: Deployment\n"
    "spec:\n"
    "  template:\n"
    "    metadata:\n"
    "      annotations:\n"
    "        \"io.katacontainers.config.hypervisor.cc_init_data\": >-\n"
    "          " INITDATA "\n"
    "---\n"
    "items:\n"
    "- metadata: { annotations: { io.katacontainers.config.agent.policy: "
    "cGFja2FnZSBhZ2VudF9wb2xpY3kK } }\n";

struct fixture {
    struct temp_dir dir;
    struct arena arena;
    struct policy_documents docs;
};

static void
fixture_open(struct fixture *f)
{
    f->dir = temp_dir_new();
    arena_init(&f->arena, 64 * 1024 * 1024, NULL);
    f->docs = (struct policy_documents){ .arena = &f->arena };
}

static void
fixture_close(struct fixture *f)
{
    arena_drop(&f->arena);
    temp_dir_remove(&f->dir);
}

static const char *
put(const struct fixture *f, const char *name, const char *text)
{
    struct assay_error err = { 0 };
    static char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", f->dir.path, name);
    assert_ok(file_write_atomic(path, span_str(text), 0644, &err), &err);
    return path;
}

static void
annotations_become_documents_once_each(void **state)
{
    struct assay_error err = { 0 };
    struct fixture f;

    (void)state;
    fixture_open(&f);
    (void)put(&f, "pods.yml", pods_yaml);
    (void)put(&f, "notes.txt", "io.katacontainers: [not yaml");
    assert_ok(policy_documents_add(&f.docs, f.dir.path, &err), &err);
    assert_int_equal(f.docs.count, 2);
    assert_hex(span_of(f.docs.list[0].hash, SHA256_SIZE), initdata_hash);
    assert_hex(span_of(f.docs.list[1].hash, SHA256_SIZE), rego_hash);
    assert_true(span_equal_str(f.docs.list[1].bytes, "package agent_policy\n"));
    fixture_close(&f);
}

static void
a_toml_or_rego_file_is_a_document(void **state)
{
    struct assay_error err = { 0 };
    struct fixture f;

    (void)state;
    fixture_open(&f);
    assert_ok(policy_documents_add(
                  &f.docs, put(&f, "p.rego", "package agent_policy\n"), &err),
              &err);
    assert_int_equal(f.docs.count, 1);
    assert_hex(span_of(f.docs.list[0].hash, SHA256_SIZE), rego_hash);
    fixture_close(&f);
}

static void
broken_files_are_named_and_refused(void **state)
{
    static const struct {
        const char *rule, *yaml, *says;
        enum assay_status want;
    } rows[] = {
        { "not YAML", "a: [1, 2", "x.yaml:", ASSAY_ERR_MALFORMED },
        { "not base64", "io.katacontainers.config.agent.policy: \"***\"",
          "not base64", ASSAY_ERR_MALFORMED },
        { "not gzip", "io.katacontainers.config.hypervisor.cc_init_data: AAAA",
          "gzip", ASSAY_ERR_MALFORMED },
        { "gzip cut short",
          "io.katacontainers.config.hypervisor.cc_init_data: "
          "H4sIAAAAAAACAytLLSrOzM9TsFVQMtAz",
          "gzip: cut short", ASSAY_ERR_MALFORMED },
        { "a list as value", "io.katacontainers.config.agent.policy: [ a ]",
          "not a plain string", ASSAY_ERR_MALFORMED },
        { "an alias as value",
          "a: &x b\nio.katacontainers.config.agent.policy: *x",
          "not a plain string", ASSAY_ERR_MALFORMED },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct assay_error err = { 0 };
        struct fixture f;
        enum assay_status st;

        fixture_open(&f);
        st = policy_documents_add(&f.docs, put(&f, "x.yaml", rows[i].yaml),
                                  &err);
        if (st != rows[i].want || !strstr(err.text, rows[i].says))
            fail_msg("%s: got %s \"%s\", want %s \"%s\"", rows[i].rule,
                     assay_status_name(st), err.text,
                     assay_status_name(rows[i].want), rows[i].says);
        assert_non_null(strstr(err.text, "x.yaml"));
        assert_int_equal(f.docs.count, 0);
        fixture_close(&f);
    }
}

static void
nesting_and_unknown_files_meet_their_limits(void **state)
{
    struct assay_error err = { 0 };
    struct fixture f;
    char deep[1024] = "";

    (void)state;
    fixture_open(&f);
    for (int i = 0; i < 80; i++)
        (void)strcat(deep, "{a: ");
    for (int i = 0; i < 80; i++)
        (void)strcat(deep, "}");
    assert_int_not_equal(
        policy_documents_add(&f.docs, put(&f, "deep.yaml", deep), &err),
        ASSAY_OK);
    assert_status(policy_documents_add(&f.docs, "/nonexistent/x.yaml", &err),
                  ASSAY_ERR_NOT_FOUND);
    fixture_close(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(annotations_become_documents_once_each),
        cmocka_unit_test(a_toml_or_rego_file_is_a_document),
        cmocka_unit_test(broken_files_are_named_and_refused),
        cmocka_unit_test(nesting_and_unknown_files_meet_their_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
