/* Check values: contrast-interop sections 7.3 and 7.4, and the vectors'
 * idblock/cases.json, which others computed. */
#include "../vectors.h"

#include "codec/json.h"
#include "crypto/digest.h"
#include "evidence/snp_launch.h"

static void
the_ap_page_is_the_published_one(void **state)
{
    struct assay_error err = { 0 };
    uint8_t page[SNP_VMSA_SIZE], digest[48];

    (void)state;
    snp_vmsa_ap(0x00804000, snp_cpu_signature(SNP_PRODUCT_MILAN), page);
    assert_ok(digest_sha384(span_of(page, sizeof(page)), digest, &err), &err);
    assert_hex(span_of(digest, 48),
               "69b5a421df796acc1223e9eed78a2211c1ea92f2bc51bad37320a42a4b45a8"
               "a97d28340c1c511acf6ca98643562079d2");
}

static void
vcpus_continue_the_digest(void **state)
{
    struct assay_error err = { 0 };
    const uint8_t seed[48] = { 0 };
    uint8_t absent[48] = { 1 };
    struct snp_launch *l;
    size_t index = 99;

    (void)state;
    assert_ok(
        snp_launch_new_vcpus(seed, 0x00804000, SNP_PRODUCT_MILAN, &l, &err),
        &err);
    assert_int_equal(snp_launch_count(l), 220);
    assert_memory_equal(snp_launch_digest(l, 0), seed, 48);
    assert_hex(span_of(snp_launch_digest(l, 1), 48),
               "ce9a3e6767845be1cf616d1d7a1eebf7b8ef2156ee27b26a375ab533b419b7"
               "de2a19f88375894ca7dc12ef11add024b5");
    assert_hex(span_of(snp_launch_digest(l, 2), 48),
               "6c52fd6e8801291ea36984c81e0736a75197a4922c611ca020f21495207296"
               "a32a34144c44bfb894f38878f82e31114a");
    assert_true(snp_launch_find(l, snp_launch_digest(l, 219), &index));
    assert_int_equal(index, 219);
    assert_false(snp_launch_find(l, absent, &index));
    snp_launch_free(l);
}

static void
products_without_check_values_are_unsupported(void **state)
{
    const uint8_t seed[48] = { 0 };
    struct snp_launch *l;

    (void)state;
    assert_status(snp_launch_new_vcpus(seed, 0, SNP_PRODUCT_TURIN, &l, NULL),
                  ASSAY_ERR_UNSUPPORTED);
    assert_status(snp_launch_new_vcpus(seed, 0, SNP_PRODUCT_UNKNOWN, &l, NULL),
                  ASSAY_ERR_UNSUPPORTED);
}

static void
sets_are_of_whole_digests(void **state)
{
    uint8_t digests[96] = { 1 };
    struct snp_launch *l;
    size_t index;

    (void)state;
    assert_status(snp_launch_new_set(span_of(digests, 0), &l, NULL),
                  ASSAY_ERR_MALFORMED);
    assert_status(snp_launch_new_set(span_of(digests, 95), &l, NULL),
                  ASSAY_ERR_MALFORMED);
    assert_status(snp_launch_new_set(span_of(digests, 96), &l, NULL), ASSAY_OK);
    assert_true(snp_launch_find(l, digests + 48, &index));
    assert_int_equal(index, 1);
    assert_false(snp_launch_iterated(l));
    snp_launch_free(l);
}

static void
the_id_key_digest_is_the_published_one(void **state)
{
    struct assay_error err = { 0 };
    const uint8_t zero[48] = { 0 };
    struct snp_launch *l;
    uint8_t digest[48];

    (void)state;
    assert_ok(snp_launch_new_exact(zero, &l, &err), &err);
    /* Twice: computed, then remembered. */
    for (int i = 0; i < 2; i++) {
        memset(digest, 0, sizeof(digest));
        assert_ok(snp_launch_id_key_digest(l, 0, 0x30000, digest, &err), &err);
        assert_hex(span_of(digest, 48),
                   "45c561c003ae6d90f5281dc39b7a97aa00941beb2711057bbb157f1071"
                   "d2855cbc857340c20516333eeac6284a641bf7");
    }
    snp_launch_free(l);
}

/* --- idblock/cases.json -------------------------------------------------- */

static void
hex_member(const struct json *object, const char *key, uint8_t *out,
           size_t size)
{
    const struct json *value = json_get(object, key);

    assert_non_null(value);
    assert_true(hex_decode(value->text, out, size));
}

static void
check_case(const struct json *c)
{
    struct snp_id_block b = { 0 };
    struct assay_error err = { 0 };
    uint8_t want_block[SNP_ID_BLOCK_SIZE], block[SNP_ID_BLOCK_SIZE];
    uint8_t want[48], got[48];
    uint64_t svn;

    hex_member(c, "launch_digest", b.launch_digest, 48);
    hex_member(c, "family_id", b.family_id, 16);
    hex_member(c, "image_id", b.image_id, 16);
    hex_member(c, "id_block", want_block, sizeof(want_block));
    hex_member(c, "id_key_digest", want, sizeof(want));
    assert_true(json_u64(json_get(c, "guest_svn"), &svn));
    b.guest_svn = (uint32_t)svn;
    b.policy = strtoull((const char *)json_get(c, "policy")->text.ptr, NULL, 0);
    snp_id_block_encode(&b, block);
    assert_memory_equal(block, want_block, sizeof(block));
    assert_ok(snp_id_key_digest(&b, got, &err), &err);
    assert_memory_equal(got, want, sizeof(got));
}

static void
anonymous_id_keys_are_those_of_the_vectors(void **state)
{
    struct assay_error err = { 0 };
    const struct json *cases;
    struct buffer file;
    struct arena arena;
    struct json root;

    (void)state;
    vector_read("snp/idblock/cases.json", &file);
    arena_init(&arena, 1 << 20, NULL);
    assert_ok(json_parse(buffer_span(&file), NULL, &arena, &root, &err), &err);
    cases = json_get(&root, "anonymous");
    assert_non_null(cases);
    assert_true(cases->count > 0);
    for (size_t i = 0; i < cases->count; i++)
        check_case(&cases->items[i]);
    arena_drop(&arena);
    buffer_free(&file);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ap_page_is_the_published_one),
        cmocka_unit_test(vcpus_continue_the_digest),
        cmocka_unit_test(products_without_check_values_are_unsupported),
        cmocka_unit_test(sets_are_of_whole_digests),
        cmocka_unit_test(the_id_key_digest_is_the_published_one),
        cmocka_unit_test(anonymous_id_keys_are_those_of_the_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
