#include "unit.h"

#include "base/limits.h"
#include "service/history.h"
#include "store/store_file.h"
#include "temp_dir.h"

struct fixture {
    struct temp_dir dir;
    struct store_file *file;
    struct store store;
    struct key *key;
};

static struct fixture
fixture_new(void)
{
    struct fixture f = { .dir = temp_dir_new() };
    const struct store_file_config config = { .dir = f.dir.path };
    struct assay_error err;

    assert_ok(store_file_open(&config, &f.file, &err), &err);
    f.store = store_file_store(f.file);
    assert_ok(key_generate(KEY_P384, &f.key, &err), &err);
    return f;
}

static void
fixture_end(struct fixture *f)
{
    key_free(f->key);
    store_file_close(f->file);
    temp_dir_remove(&f->dir);
}

static struct history_hash
hash_of_hex(const char *hex)
{
    struct history_hash h;

    assert_true(hex_decode(span_str(hex), h.bytes, SHA256_SIZE));
    return h;
}

static struct span
hash_bytes(const struct history_hash *h)
{
    return span_of(h->bytes, SHA256_SIZE);
}

/* Stores manifest text and its transition; does not touch the head. */
static struct history_hash
append(const struct fixture *f, const char *manifest,
       const struct history_hash *previous)
{
    struct transition t = { .previous = *previous };
    struct history_hash h;
    struct assay_error err;

    assert_ok(
        history_put_manifest(&f->store, span_str(manifest), &t.manifest, &err),
        &err);
    assert_ok(history_put_transition(&f->store, &t, &h, &err), &err);
    return h;
}

static const struct history_hash nothing;

/* Contrast interoperability sheet, section 11.6. */
static void
hashes_match_the_sheet(void **state)
{
    struct fixture f = fixture_new();
    struct history_hash t0 = append(&f, "{\"a\":0}\n", &nothing);
    struct history_hash t1 = append(&f, "{\"a\":1}\n", &t0);
    struct history_hash m0 = hash_of_hex(
        "c881142937432d073f20dbadce70f77cf5cb62dfaa9eb13c4f5ec2259158f69b");
    uint8_t approval[SHA256_SIZE];
    struct assay_error err;
    struct buffer manifest;

    (void)state;
    assert_hex(
        hash_bytes(&t0),
        "a867fc132ef52a1bd2102c5ee7a8f77d17dd6dec582a83f8e6e9b3bc0b41dc04");
    assert_hex(
        hash_bytes(&t1),
        "de6514d91b9f80350d75ea15be1543540ca76f1623efe1aece342b3abae656df");
    assert_ok(history_approval_digest(&t1, approval, &err), &err);
    assert_hex(
        span_of(approval, sizeof(approval)),
        "12245783eaf6164ee934263d30553a232cb5c02ecb09f7ce10f8f49b12a8cb5f");
    buffer_init(&manifest, 100, NULL);
    assert_ok(history_get_manifest(&f.store, &m0, &manifest, &err), &err);
    assert_string_equal(buffer_str(&manifest), "{\"a\":0}\n");
    buffer_free(&manifest);
    fixture_end(&f);
}

static void
an_altered_object_is_an_error(void **state)
{
    struct fixture f = fixture_new();
    struct history_hash t0 = append(&f, "{}", &nothing);
    struct transition t;
    char name[100];

    (void)state;
    memcpy(name, "transitions/", 12);
    hex_encode(hash_bytes(&t0), name + 12);
    temp_dir_overwrite(&f.dir, name, "cut short");
    assert_status(history_get_transition(&f.store, &t0, &t, NULL),
                  ASSAY_ERR_MALFORMED);
    assert_status(
        history_put_transition(
            &f.store, &(struct transition){ .previous = nothing }, &t0, NULL),
        ASSAY_OK);
    fixture_end(&f);
}

static void
a_damaged_object_is_not_overwritten_silently(void **state)
{
    struct fixture f = fixture_new();
    struct history_hash h;
    struct assay_error err;

    (void)state;
    (void)append(&f, "{\"a\":0}\n", &nothing);
    temp_dir_overwrite(&f.dir,
                       "manifests/c881142937432d073f20dbadce70f77cf5cb62dfaa9e"
                       "b13c4f5ec2259158f69b",
                       "{\"a\":");
    assert_status(
        history_put_manifest(&f.store, span_str("{\"a\":0}\n"), &h, &err),
        ASSAY_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "damaged"));
    fixture_end(&f);
}

static void
a_head_round_trips_and_is_signed(void **state)
{
    struct fixture f = fixture_new();
    struct history_hash t0 = append(&f, "{}", &nothing);
    struct history_head head, got;
    struct assay_error err;
    struct key *other = NULL;

    (void)state;
    assert_ok(history_sign_head(&t0, f.key, &head, &err), &err);
    assert_ok(history_swap_head(&f.store, NULL, &head, &err), &err);
    assert_ok(history_get_head(&f.store, &got, &err), &err);
    assert_true(history_hash_equal(&got.transition, &t0));
    assert_ok(history_verify_head(&got, f.key, &err), &err);

    assert_ok(key_generate(KEY_P384, &other, &err), &err);
    assert_status(history_verify_head(&got, other, NULL), ASSAY_ERR_UNTRUSTED);
    got.transition.bytes[0] ^= 1;
    assert_status(history_verify_head(&got, f.key, NULL), ASSAY_ERR_UNTRUSTED);
    key_free(other);
    fixture_end(&f);
}

static void
only_one_of_two_successors_becomes_the_head(void **state)
{
    struct fixture f = fixture_new();
    struct history_hash t0 = append(&f, "{}", &nothing);
    struct history_hash t1 = append(&f, "{\"one\":1}", &t0);
    struct history_hash t2 = append(&f, "{\"two\":2}", &t0);
    struct history_head h0, h1, h2, got;
    struct assay_error err;

    (void)state;
    assert_ok(history_sign_head(&t0, f.key, &h0, &err), &err);
    assert_ok(history_sign_head(&t1, f.key, &h1, &err), &err);
    assert_ok(history_sign_head(&t2, f.key, &h2, &err), &err);
    assert_ok(history_swap_head(&f.store, NULL, &h0, &err), &err);
    assert_status(history_swap_head(&f.store, NULL, &h1, NULL),
                  ASSAY_ERR_CONFLICT);
    assert_ok(history_swap_head(&f.store, &h0, &h1, &err), &err);
    assert_status(history_swap_head(&f.store, &h0, &h2, NULL),
                  ASSAY_ERR_CONFLICT);
    assert_ok(history_get_head(&f.store, &got, &err), &err);
    assert_true(history_hash_equal(&got.transition, &t1));
    fixture_end(&f);
}

static void
a_lost_head_is_not_an_empty_store(void **state)
{
    struct fixture f = fixture_new();
    struct history_head head;
    struct assay_error err;

    (void)state;
    assert_status(history_get_head(&f.store, &head, &err), ASSAY_ERR_NOT_FOUND);
    (void)append(&f, "{}", &nothing);
    assert_status(history_get_head(&f.store, &head, &err), ASSAY_ERR_MALFORMED);
    assert_non_null(strstr(err.text, "restore it"));
    fixture_end(&f);
}

static void
a_first_set_cut_short_is_no_lost_head(void **state)
{
    struct fixture f = fixture_new();
    struct history_head head;
    struct assay_error err;
    char path[256];

    (void)state;
    assert_ok(history_begin_first(&f.store, &err), &err);
    (void)append(&f, "{}", &nothing);
    assert_status(history_get_head(&f.store, &head, &err), ASSAY_ERR_NOT_FOUND);
    assert_ok(history_begin_first(&f.store, &err), &err); /* again */
    temp_dir_overwrite(&f.dir, "transitions/latest",
                       "0123456789012345678901234567890123456789");
    assert_status(history_begin_first(&f.store, &err), ASSAY_ERR_CONFLICT);
    history_settle_first(&f.store);
    /* From here on a head that is gone was lost. */
    (void)snprintf(path, sizeof(path), "%s/transitions/latest", f.dir.path);
    assert_int_equal(unlink(path), 0);
    assert_status(history_get_head(&f.store, &head, &err), ASSAY_ERR_MALFORMED);
    assert_status(history_begin_first(&f.store, &err), ASSAY_ERR_MALFORMED);
    fixture_end(&f);
}

static void
a_head_of_the_wrong_length_is_malformed(void **state)
{
    static const size_t lengths[] = { 1, 31, 32, 161, 4000 };
    struct fixture f = fixture_new();
    char bytes[4001];

    (void)state;
    (void)append(&f, "{}", &nothing);
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct history_head head;

        memset(bytes, 'x', lengths[i]);
        bytes[lengths[i]] = '\0';
        temp_dir_overwrite(&f.dir, "transitions/latest", bytes);
        assert_status(history_get_head(&f.store, &head, NULL),
                      ASSAY_ERR_MALFORMED);
    }
    fixture_end(&f);
}

static void
the_walk_goes_back_to_the_first(void **state)
{
    struct fixture f = fixture_new();
    struct history_hash at = nothing;
    struct assay_error err;
    uint64_t count = 99;

    (void)state;
    assert_ok(history_count(&f.store, &at, &count, &err), &err);
    assert_int_equal(count, 0);
    for (int i = 0; i < 20; i++) {
        char manifest[16];

        (void)snprintf(manifest, sizeof(manifest), "{\"n\":%d}", i);
        at = append(&f, manifest, &at);
    }
    assert_ok(history_count(&f.store, &at, &count, &err), &err);
    assert_int_equal(count, 20);
    fixture_end(&f);
}

static void
a_gap_in_the_chain_is_told(void **state)
{
    struct fixture f = fixture_new();
    struct history_hash missing = { { 1 } };
    struct history_hash t1 = append(&f, "{}", &missing);
    struct assay_error err;
    uint64_t count;

    (void)state;
    assert_status(history_count(&f.store, &t1, &count, &err),
                  ASSAY_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "missing from the store"));
    fixture_end(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_match_the_sheet),
        cmocka_unit_test(an_altered_object_is_an_error),
        cmocka_unit_test(a_damaged_object_is_not_overwritten_silently),
        cmocka_unit_test(a_head_round_trips_and_is_signed),
        cmocka_unit_test(only_one_of_two_successors_becomes_the_head),
        cmocka_unit_test(a_lost_head_is_not_an_empty_store),
        cmocka_unit_test(a_first_set_cut_short_is_no_lost_head),
        cmocka_unit_test(a_head_of_the_wrong_length_is_malformed),
        cmocka_unit_test(the_walk_goes_back_to_the_first),
        cmocka_unit_test(a_gap_in_the_chain_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
