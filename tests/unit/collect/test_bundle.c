#include "unit.h"

#include "collect/bundle.h"

enum { ARENA_BUDGET = 1 << 20 };

/* SHA-256 of "abc" is FIPS 180-2's example; of the empty string, well known. */
#define SHA_ABC                                                                \
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA_EMPTY                                                              \
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#define HEAD "{\"format\":\"assay-collateral-bundle\",\"version\":1,"
#define ITEM_A                                                                 \
    "{\"kind\":\"vcek-crl\",\"product\":\"Milan\","                            \
    "\"path\":\"/vcek/v1/Milan/crl\",\"source\":\"file\","                     \
    "\"fetched_at\":\"2026-01-02T03:04:05Z\",\"sha256\":\"" SHA_ABC "\","      \
    "\"bytes\":\"YWJj\"}"
#define ITEM_B                                                                 \
    "{\"kind\":\"vcek-chain\",\"product\":\"Genoa\","                          \
    "\"path\":\"/vcek/v1/Genoa/cert_chain\",\"source\":\"\","                  \
    "\"fetched_at\":\"1970-01-01T00:00:00Z\",\"sha256\":\"" SHA_EMPTY "\","    \
    "\"bytes\":\"\"}"

static const char valid[] = HEAD "\"items\":[" ITEM_A "," ITEM_B "]}";

static void
bundle_reads_as_written_by_hand(void **state)
{
    struct collateral_bundle *b = NULL;
    const struct collateral_item *item;
    struct kds_path path;
    struct assay_error err;

    (void)state;
    assert_ok(collateral_bundle_parse(span_str(valid), &b, &err), &err);
    assert_int_equal(collateral_bundle_count(b), 2);
    assert_string_equal(collateral_bundle_at(b, 0)->path.text,
                        "/vcek/v1/Genoa/cert_chain"); /* sorted */
    assert_ok(kds_path_of(COLLATERAL_VCEK_CRL, SNP_PRODUCT_MILAN, &path, &err),
              &err);
    item = collateral_bundle_find(b, &path);
    assert_non_null(item);
    assert_true(span_equal_str(item->bytes, "abc"));
    assert_string_equal(item->source, "file");
    /* date -u -d 2026-01-02T03:04:05Z +%s */
    assert_int_equal(item->fetched_at, 1767323045);
    assert_ok(kds_path_of(COLLATERAL_VLEK_CRL, SNP_PRODUCT_MILAN, &path, &err),
              &err);
    assert_null(collateral_bundle_find(b, &path));
    collateral_bundle_free(b);
}

static void
source_gives_what_it_has_and_names_what_it_lacks(void **state)
{
    struct collateral_bundle *b = NULL;
    struct collateral_source source;
    struct buffer out;
    struct assay_error err;

    (void)state;
    assert_ok(collateral_bundle_parse(span_str(valid), &b, &err), &err);
    source = collateral_bundle_source(b);
    buffer_init(&out, 100, NULL);
    assert_ok(source.snp_crl(source.ctx, SNP_PRODUCT_MILAN, false, &out, &err),
              &err);
    assert_string_equal(buffer_str(&out), "abc");
    assert_status(
        source.snp_crl(source.ctx, SNP_PRODUCT_MILAN, true, &out, &err),
        ASSAY_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "vlek-crl for Milan"));
    assert_status(
        source.snp_chain(source.ctx, SNP_PRODUCT_TURIN, false, &out, &err),
        ASSAY_ERR_NOT_FOUND);
    buffer_free(&out);
    collateral_bundle_free(b);
}

/* Each row breaks one rule of a valid bundle. */
static const struct {
    const char *rule, *text;
    enum assay_status want;
} broken[] = {
    { "empty", "", ASSAY_ERR_MALFORMED },
    { "an array", "[]", ASSAY_ERR_MALFORMED },
    { "other format", "{\"format\":\"x\",\"version\":1,\"items\":[]}",
      ASSAY_ERR_MALFORMED },
    { "no format", "{\"version\":1,\"items\":[]}", ASSAY_ERR_MALFORMED },
    { "next version",
      "{\"format\":\"assay-collateral-bundle\",\"version\":2,\"items\":[]}",
      ASSAY_ERR_UNSUPPORTED },
    { "version is text",
      "{\"format\":\"assay-collateral-bundle\",\"version\":\"1\","
      "\"items\":[]}",
      ASSAY_ERR_UNSUPPORTED },
    { "no items", "{\"format\":\"assay-collateral-bundle\",\"version\":1}",
      ASSAY_ERR_MALFORMED },
    { "unknown member", HEAD "\"items\":[],\"note\":1}", ASSAY_ERR_MALFORMED },
    { "items is an object", HEAD "\"items\":{}}", ASSAY_ERR_MALFORMED },
    { "item is a number", HEAD "\"items\":[7]}", ASSAY_ERR_MALFORMED },
    { "doubled item", HEAD "\"items\":[" ITEM_A "," ITEM_A "]}",
      ASSAY_ERR_MALFORMED },
    { "trailing bytes", HEAD "\"items\":[]}x", ASSAY_ERR_MALFORMED },
    { "doubled member", HEAD "\"items\":[],\"items\":[]}",
      ASSAY_ERR_MALFORMED },
};

static void
broken_bundles_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        struct collateral_bundle *b = NULL;

        if (collateral_bundle_parse(span_str(broken[i].text), &b, NULL) !=
                broken[i].want ||
            b)
            fail_msg("%s", broken[i].rule);
    }
}

/* Replaces one text inside ITEM_A by another. */
static void
every_member_of_an_item_is_held_to_its_rule(void **state)
{
    static const char *const rows[][2] = {
        { "\"kind\":\"vcek-crl\"", "\"kind\":\"vlek-crl\"" },
        { "\"kind\":\"vcek-crl\"", "\"kind\":null" },
        { "\"product\":\"Milan\"", "\"product\":\"Genoa\"" },
        { "/vcek/v1/Milan/crl", "/vcek/v1/Genoa/crl" },
        { "/vcek/v1/Milan/crl", "/etc/passwd" },
        { "\"source\":\"file\"", "\"source\":7" },
        { "\"source\":\"file\"", "\"source\":\"a\\u0000b\"" },
        { "\"source\":\"file\",", "" },
        { "\"source\":\"file\"", "\"source\":\"file\",\"more\":\"x\"" },
        { "2026-01-02T03:04:05Z", "yesterday" },
        { "YWJj", "YWJk" },  /* the digest is of "abc" */
        { "YWJj", "YWJ" },   /* not base64 */
        { "YWJj", "YWJj=" }, /* neither */
        { SHA_ABC, SHA_EMPTY },
        { SHA_ABC, "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20"
                   "015AD" },
        { "\"sha256\":", "\"sha512\":" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct collateral_bundle *b = NULL;
        const char *text = HEAD "\"items\":[" ITEM_A "]}";
        const char *at = strstr(text, rows[i][0]);
        struct buffer out;

        assert_non_null(at);
        buffer_init(&out, 4096, NULL);
        buffer_add(&out, span_of(text, (size_t)(at - text)));
        buffer_add_str(&out, rows[i][1]);
        buffer_add_str(&out, at + strlen(rows[i][0]));
        if (collateral_bundle_parse(buffer_span(&out), &b, NULL) !=
            ASSAY_ERR_MALFORMED)
            fail_msg("accepted %s", rows[i][1]);
        buffer_free(&out);
    }
}

static void
every_truncation_is_refused(void **state)
{
    (void)state;
    for (size_t n = 0; n < strlen(valid); n++) {
        struct collateral_bundle *b = NULL;

        assert_status(collateral_bundle_parse(span_of(valid, n), &b, NULL),
                      ASSAY_ERR_MALFORMED);
    }
}

static void
same_items_give_the_same_bytes(void **state)
{
    struct collateral_bundle *b = NULL;
    struct collateral_item items[2];
    struct buffer one, two;
    struct assay_error err;

    (void)state;
    assert_ok(collateral_bundle_parse(span_str(valid), &b, &err), &err);
    items[0] = *collateral_bundle_at(b, 1);
    items[1] = *collateral_bundle_at(b, 0);
    buffer_init(&one, 10000, NULL);
    buffer_init(&two, 10000, NULL);
    assert_ok(collateral_encode(collateral_bundle_at(b, 0), 2, &one, &err),
              &err);
    assert_ok(collateral_encode(items, 2, &two, &err), &err);
    assert_true(span_equal(buffer_span(&one), buffer_span(&two)));
    collateral_bundle_free(b);
    b = NULL;
    assert_ok(collateral_bundle_parse(buffer_span(&one), &b, &err), &err);
    assert_int_equal(collateral_bundle_count(b), 2);
    items[0] = items[1];
    buffer_clear(&two);
    assert_status(collateral_encode(items, 2, &two, &err), ASSAY_ERR_CONFLICT);
    buffer_free(&one);
    buffer_free(&two);
    collateral_bundle_free(b);
}

static void
each_failed_allocation_is_no_memory(void **state)
{
    enum assay_status st = ASSAY_ERR_NOMEM;

    (void)state;
    for (size_t n = 0; st != ASSAY_OK; n++) {
        const struct collateral_item *items;
        struct failing_alloc f;
        struct arena arena;
        size_t count;

        assert_true(n < 1000);
        failing_alloc_init(&f, n);
        arena_init(&arena, ARENA_BUDGET, &f.alloc);
        st = collateral_decode(span_str(valid), &arena, &items, &count, NULL);
        if (st != ASSAY_OK)
            assert_status(st, ASSAY_ERR_NOMEM);
        arena_drop(&arena);
        assert_int_equal(f.live, 0);
    }
}

/* --- layers ------------------------------------------------------------- */

struct fake_source {
    enum assay_status st;
    const char *text;
};

static enum assay_status
fake_crl(void *ctx, enum snp_product product, bool vlek, struct buffer *out,
         struct assay_error *err)
{
    struct fake_source *f = ctx;

    (void)product;
    (void)vlek;
    if (f->st != ASSAY_OK)
        return assay_fail(err, f->st, "%s", f->text);
    buffer_add_str(out, f->text);
    return ASSAY_OK;
}

static void
lists_come_from_the_service_and_the_rest_from_the_bundle(void **state)
{
    static const struct {
        enum assay_status bundle, service;
        const char *chain, *crl; /* NULL: the service's failure */
    } rows[] = {
        { ASSAY_OK, ASSAY_OK, "bundle", "service" },
        { ASSAY_OK, ASSAY_ERR_IO, "bundle", "bundle" },
        { ASSAY_ERR_NOT_FOUND, ASSAY_OK, "service", "service" },
        { ASSAY_ERR_NOT_FOUND, ASSAY_ERR_IO, NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fake_source b = { rows[i].bundle, "bundle" };
        struct fake_source s = { rows[i].service, "service" };
        struct collateral_layers layers = {
            { .snp_chain = fake_crl, .snp_crl = fake_crl, .ctx = &b },
            { .snp_chain = fake_crl, .snp_crl = fake_crl, .ctx = &s },
        };
        struct collateral_source both = collateral_layers_source(&layers);
        struct assay_error err = { 0 };
        struct buffer out;

        buffer_init(&out, 100, NULL);
        assert_status(
            both.snp_chain(both.ctx, SNP_PRODUCT_MILAN, false, &out, &err),
            rows[i].chain ? ASSAY_OK : ASSAY_ERR_IO);
        assert_string_equal(buffer_str(&out),
                            rows[i].chain ? rows[i].chain : "");
        buffer_clear(&out);
        assert_status(
            both.snp_crl(both.ctx, SNP_PRODUCT_MILAN, false, &out, &err),
            rows[i].crl ? ASSAY_OK : ASSAY_ERR_IO);
        assert_string_equal(buffer_str(&out), rows[i].crl ? rows[i].crl : "");
        if (!rows[i].crl)
            assert_string_equal(err.text, "service");
        buffer_free(&out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bundle_reads_as_written_by_hand),
        cmocka_unit_test(source_gives_what_it_has_and_names_what_it_lacks),
        cmocka_unit_test(broken_bundles_are_refused),
        cmocka_unit_test(every_member_of_an_item_is_held_to_its_rule),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(same_items_give_the_same_bytes),
        cmocka_unit_test(each_failed_allocation_is_no_memory),
        cmocka_unit_test(
            lists_come_from_the_service_and_the_rest_from_the_bundle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
