/* A manifest that we write is one that we read, with the same meaning. */
#include "unit.h"

#include "manifest/build.h"
#include "manifest/diff.h"
#include "sample.h"

static struct assay_error err;

struct built {
    struct arena arena;
    struct manifest from, to;
    struct buffer text;
};

static struct manifest_spec
spec_of(const struct manifest *m)
{
    return (struct manifest_spec){
        .policies = m->policies,
        .policy_count = m->policy_count,
        .snp = m->snp,
        .snp_count = m->snp_count,
        .insecure = m->insecure,
        .workload_owners = m->workload_owners,
        .workload_owner_count = m->workload_owner_count,
        .seedshare_owners = m->seedshare_owners,
        .seedshare_owner_count = m->seedshare_owner_count,
    };
}

static void
open_built(struct built *b, const char *text)
{
    *b = (struct built){ 0 };
    arena_init(&b->arena, MANIFEST_ARENA_BYTES, NULL);
    buffer_init(&b->text, LIMIT_MANIFEST_BYTES, NULL);
    assert_ok(manifest_load(span_str(text), &b->arena, &b->from, &err), &err);
}

static void
close_built(struct built *b)
{
    buffer_free(&b->text);
    arena_drop(&b->arena);
}

static void
read_back(struct built *b)
{
    assert_ok(buffer_check(&b->text, "manifest", &err), &err);
    assert_ok(manifest_load(buffer_span(&b->text), &b->arena, &b->to, &err),
              &err);
}

static void
want_same_meaning(struct built *b)
{
    struct manifest_diff d;

    assert_ok(manifest_diff(&b->from, &b->to, &b->arena, &d, &err), &err);
    for (size_t i = 0; i < d.count; i++)
        print_error("%s %s: %s, was %s\n", d.list[i].name, d.list[i].field,
                    d.list[i].to, d.list[i].from);
    assert_int_equal(d.count, 0);
}

static void
what_is_built_means_what_was_read(void **state)
{
    static const struct {
        const char *was, *is;
    } rows[] = {
        { "\n", "\n" },
        { "\"APEIP\": \"00804000\"", "\"APEIP\": \"\"" },
        { "\"TIOEnabled\": false", "\"TIOEnabled\": true" },
        { "\"TSMEEnabled\": false", "\"TSMEEnabled\": true" },
        { ", " PLATFORM_INFO, "" },
        { "[\"" HEX_64 "\"]", "[]" },
        { "\"SANs\": [\"web\"", "\"SANs\": [\"a\\\"b\"" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = sample_with(rows[i].was, rows[i].is);
        struct manifest_spec spec;
        struct built b;

        open_built(&b, text);
        spec = spec_of(&b.from);
        manifest_build(&spec, &b.text);
        read_back(&b);
        want_same_meaning(&b);
        assert_int_equal(b.to.generation, MANIFEST_CURRENT);
        close_built(&b);
        free(text);
    }
}

static bool
has(const struct built *b, const char *word)
{
    return strstr(buffer_str(&b->text), word) != NULL;
}

static void
owners_are_listed_in_the_form_that_is_asked_for(void **state)
{
    static const struct {
        enum manifest_owner_form form;
        bool keys, digests;
    } rows[] = {
        { MANIFEST_OWNER_KEYS, true, false },
        { MANIFEST_OWNER_DIGESTS, false, true },
        { MANIFEST_OWNER_BOTH, true, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct manifest_spec spec;
        struct built b;

        open_built(&b, current_manifest);
        spec = spec_of(&b.from);
        spec.owner_form = rows[i].form;
        manifest_build(&spec, &b.text);
        assert_int_equal(has(&b, OWNER_SPKI), rows[i].keys);
        assert_int_equal(has(&b, OWNER_DIGEST), rows[i].digests);
        read_back(&b);
        assert_int_equal(b.to.workload_owner_count, 1);
        assert_memory_equal(b.to.workload_owners[0].digest,
                            b.from.workload_owners[0].digest, SHA256_SIZE);
        close_built(&b);
    }
}

/* Values a user still has to fill in are null, and nobody can use them. */
static void
an_unknown_minimum_is_left_open(void **state)
{
    struct manifest_spec spec;
    struct built b;

    (void)state;
    open_built(&b, current_manifest);
    b.from.snp[0].has_minimum_tcb = false;
    spec = spec_of(&b.from);
    manifest_build(&spec, &b.text);
    assert_true(has(&b, "\"SNPVersion\": null"));
    assert_status(manifest_load(buffer_span(&b.text), &b.arena, &b.to, &err),
                  ASSAY_ERR_MALFORMED);
    assert_int_equal(b.to.findings.missing, 4);
    close_built(&b);
}

static void
owner_lists_are_sorted(void **state)
{
    static const uint8_t high[] = { 0x30, 0x02 }, low[] = { 0x30, 0x01 };
    struct manifest_seedshare_owner owners[] = {
        { .rsa_der = { high, 2 } },
        { .rsa_der = { low, 2 } },
    };
    struct manifest_spec spec = { .seedshare_owners = owners,
                                  .seedshare_owner_count = 2 };
    struct buffer text;

    (void)state;
    buffer_init(&text, 4096, NULL);
    manifest_build(&spec, &text);
    assert_true(strstr(buffer_str(&text), "3001") <
                strstr(buffer_str(&text), "3002"));
    buffer_free(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_built_means_what_was_read),
        cmocka_unit_test(owners_are_listed_in_the_form_that_is_asked_for),
        cmocka_unit_test(an_unknown_minimum_is_left_open),
        cmocka_unit_test(owner_lists_are_sorted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
