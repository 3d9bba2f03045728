/* What a reader of a history is told about a change: all of it. */
#include "unit.h"

#include "manifest/diff.h"
#include "sample.h"

struct pair {
    struct arena arena;
    struct manifest from, to;
    struct manifest_diff diff;
};

static void
diff_texts(struct pair *p, const char *from, const char *to)
{
    struct assay_error err = { 0 };

    *p = (struct pair){ 0 };
    arena_init(&p->arena, MANIFEST_ARENA_BYTES, NULL);
    assert_ok(manifest_decode(span_str(from), &p->arena, &p->from, &err), &err);
    assert_ok(manifest_decode(span_str(to), &p->arena, &p->to, &err), &err);
    assert_ok(manifest_diff(&p->from, &p->to, &p->arena, &p->diff, &err), &err);
}

static void
diff_from_sample(struct pair *p, const char *was, const char *is)
{
    char *text = sample_with(was, is);

    diff_texts(p, current_manifest, text);
    free(text);
}

static void
drop(struct pair *p)
{
    arena_drop(&p->arena);
}

/* One part of the sample and what it becomes; the change that is told. */
static const struct {
    const char *was, *is;
    enum manifest_change_kind kind;
    enum manifest_subject subject;
    const char *field, *from, *to;
} changes[] = {
    { POLICY_W,
      "\"" HEX_16 HEX_16 "\": {\"SANs\": [\"web\", \"10.0.0.1\", "
      "\"spiffe://x/web\"]}",
      MANIFEST_CHANGED, MANIFEST_POLICY, "hash", HASH_W, HEX_16 HEX_16 },
    { ", " POLICY_W, "", MANIFEST_REMOVED, MANIFEST_POLICY, "", HASH_W, "" },
    { POLICY_W, POLICY_W ", \"" HEX_16 HEX_16 "\": {\"SANs\": [\"new\"]}",
      MANIFEST_ADDED, MANIFEST_POLICY, "", "", HEX_16 HEX_16 },
    { "\"10.0.0.1\", ", "", MANIFEST_CHANGED, MANIFEST_POLICY, "SANs",
      "web 10.0.0.1 spiffe://x/web", "web spiffe://x/web" },
    { "/coordinator\"", "/coordinator2\"", MANIFEST_CHANGED, MANIFEST_POLICY,
      "WorkloadSecretID", "apps/v1/StatefulSet/default/coordinator",
      "apps/v1/StatefulSet/default/coordinator2" },
    { ", \"Role\": \"coordinator\"", "", MANIFEST_CHANGED, MANIFEST_POLICY,
      "Role", "coordinator", "" },
    { "\"SNPVersion\": 23", "\"SNPVersion\": 24", MANIFEST_CHANGED,
      MANIFEST_REFERENCE_VALUE, "MinimumTCB.SNPVersion", "23", "24" },
    { "\"APEIP\": \"00804000\"", "\"APEIP\": \"\"", MANIFEST_CHANGED,
      MANIFEST_REFERENCE_VALUE, "APEIP", "00804000", "none" },
    { "\"SMT\": true", "\"SMT\": false", MANIFEST_CHANGED,
      MANIFEST_REFERENCE_VALUE, "GuestPolicy", "0x30000", "0x20000" },
    { "\"ECCEnabled\": true", "\"ECCEnabled\": false", MANIFEST_CHANGED,
      MANIFEST_REFERENCE_VALUE, "PlatformInfo (required)", "0x24", "0x20" },
    { "\"SMTEnabled\": true", "\"SMTEnabled\": false", MANIFEST_CHANGED,
      MANIFEST_REFERENCE_VALUE, "PlatformInfo (forbidden)", "0x2", "0x3" },
    { "\"MinimumMitigationVector\": 3", "\"MinimumMitigationVector\": 0",
      MANIFEST_CHANGED, MANIFEST_REFERENCE_VALUE, "MinimumMitigationVector",
      "0x3", "0x0" },
    { "\"" HEX_64 "\"", "", MANIFEST_CHANGED, MANIFEST_REFERENCE_VALUE,
      "AllowedChipIDs", HEX_64, "any" },
    { "\"" OWNER_SPKI "\"", "", MANIFEST_REMOVED, MANIFEST_WORKLOAD_OWNER, "",
      OWNER_DIGEST, "" },
    { "\n}\n", ",\n  \"MinimumAPIVersion\": \"v2\"\n}\n", MANIFEST_CHANGED,
      MANIFEST_OTHER, "", "", "v2" },
};

static void
each_change_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(changes); i++) {
        const struct manifest_change *c;
        struct pair p;

        diff_from_sample(&p, changes[i].was, changes[i].is);
        if (p.diff.count != 1)
            fail_msg("%s: got %zu changes, want 1", changes[i].was,
                     p.diff.count);
        c = &p.diff.list[0];
        assert_int_equal(c->kind, changes[i].kind);
        assert_int_equal(c->subject, changes[i].subject);
        assert_string_equal(c->field, changes[i].field);
        assert_string_equal(c->from, changes[i].from);
        assert_string_equal(c->to, changes[i].to);
        drop(&p);
    }
}

static void
what_means_the_same_is_no_change(void **state)
{
    static const struct {
        const char *was, *is;
    } rows[] = {
        { "\n", "\n\n" },
        { "\"SANs\"", "\"sans\"" },
        { POLICY_C ", " POLICY_W, POLICY_W ", " POLICY_C },
        { "\"CPUs\": 2", "\"CPUs\": 3" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pair p;

        diff_from_sample(&p, rows[i].was, rows[i].is);
        assert_int_equal(p.diff.count, 0);
        assert_false(p.diff.same_bytes);
        drop(&p);
    }
}

/* Policies: {HASH_W: {SANs: [100 names, last]}} */
static char *
with_many_names(const char *last)
{
    char *text = calloc(1, 4096);
    size_t at;

    assert_non_null(text);
    at = (size_t)snprintf(text, 4096,
                          "{\"Policies\": {\"" HASH_W "\": {\"SANs\": [");
    for (int i = 0; i < 100; i++)
        at += (size_t)snprintf(text + at, 4096 - at,
                               "\"some-long-name-%02d\", ", i);
    (void)snprintf(text + at, 4096 - at, "\"%s\"]}}}", last);
    return text;
}

/* A change behind a thousand bytes that are the same, or behind a NUL, is
 * where somebody would hide one. */
static void
no_change_is_too_far_behind(void **state)
{
    char *was = with_many_names("a"), *is = with_many_names("b");
    struct pair p;

    (void)state;
    diff_texts(&p, was, is);
    assert_int_equal(p.diff.count, 1);
    assert_string_equal(p.diff.list[0].field, "SANs");
    assert_string_not_equal(p.diff.list[0].from, p.diff.list[0].to);
    drop(&p);
    free(was);
    free(is);
    diff_from_sample(&p, "default/coordinator\"", "default\\u0000\"");
    assert_int_equal(p.diff.count, 1);
    assert_string_equal(p.diff.list[0].field, "WorkloadSecretID");
    drop(&p);
    diff_texts(&p,
               "{\"Policies\": {\"" HASH_W
               "\": {\"WorkloadSecretID\": \"a\\u0000b\"}}}",
               "{\"Policies\": {\"" HASH_W
               "\": {\"WorkloadSecretID\": \"a\\u0000c\"}}}");
    assert_int_equal(p.diff.count, 1);
    drop(&p);
}

static void
the_order_of_seedshare_owners_counts(void **state)
{
    static const char one[] = "{\"SeedshareOwnerPubKeys\": [\"3001\", "
                              "\"3002\"]}";
    static const char two[] = "{\"SeedshareOwnerPubKeys\": [\"3002\", "
                              "\"3001\"]}";
    struct pair p;

    (void)state;
    diff_texts(&p, one, two);
    assert_int_equal(p.diff.count, 1);
    assert_int_equal(p.diff.list[0].subject, MANIFEST_SEEDSHARE_OWNER);
    assert_string_equal(p.diff.list[0].field, "order");
    drop(&p);
}

static void
the_summary_counts_things(void **state)
{
    struct buffer line;
    struct pair p;

    (void)state;
    buffer_init(&line, 4096, NULL);
    diff_from_sample(&p, POLICY_W,
                     "\"" HEX_16 HEX_16 "\": {\"SANs\": [\"a\"]}, "
                     "\"" HEX_16 HEX_16 HEX_16 HEX_16 "\": {}");
    manifest_diff_summary(&p.diff, &line);
    assert_string_equal(buffer_str(&line), "1 policy added, 1 policy removed");
    drop(&p);
    buffer_clear(&line);
    diff_from_sample(&p, "\"BootloaderVersion\": 10, \"TEEVersion\": 0",
                     "\"BootloaderVersion\": 11, \"TEEVersion\": 1");
    manifest_diff_summary(&p.diff, &line);
    assert_string_equal(buffer_str(&line), "1 reference value changed");
    drop(&p);
    buffer_clear(&line);
    diff_from_sample(&p, "\n", "\n\n");
    manifest_diff_summary(&p.diff, &line);
    assert_string_equal(buffer_str(&line), "nothing");
    drop(&p);
    buffer_free(&line);
}

static void
names_do_not_reach_the_terminal(void **state)
{
    struct buffer text;
    struct pair p;

    (void)state;
    buffer_init(&text, 1 << 16, NULL);
    diff_from_sample(&p, "\"web\"", "\"\\u001b[2J\"");
    manifest_diff_render_text(&p.diff, "", &text);
    assert_null(memchr(text.ptr, 0x1b, text.len));
    drop(&p);
    buffer_free(&text);
}

static void
each_failing_allocation_is_reported(void **state)
{
    struct assay_error err = { 0 };
    char *text = sample_with("\"SNPVersion\": 23", "\"SNPVersion\": 24");
    bool done = false;

    (void)state;
    for (size_t n = 0; !done; n++) {
        struct failing_alloc failing;
        struct manifest_diff diff;
        struct arena arena;
        enum assay_status st;
        struct pair p;

        failing_alloc_init(&failing, n);
        diff_texts(&p, current_manifest, text);
        arena_init(&arena, MANIFEST_ARENA_BYTES, &failing.alloc);
        st = manifest_diff(&p.from, &p.to, &arena, &diff, &err);
        done = st == ASSAY_OK;
        if (!done)
            assert_int_equal(st, ASSAY_ERR_NOMEM);
        arena_drop(&arena);
        drop(&p);
    }
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_change_is_told),
        cmocka_unit_test(what_means_the_same_is_no_change),
        cmocka_unit_test(no_change_is_too_far_behind),
        cmocka_unit_test(the_order_of_seedshare_owners_counts),
        cmocka_unit_test(the_summary_counts_things),
        cmocka_unit_test(names_do_not_reach_the_terminal),
        cmocka_unit_test(each_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
