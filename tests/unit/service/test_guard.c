#include "guard_fixture.h"

#include <pthread.h>

#include "base/limits.h"
#include "codec/wire.h"
#include "service/userapi.h"
#include "userapi.pb-c.h"

/* Sets a manifest that must be accepted. */
static struct guard_set
set_ok(struct fixture *f, const char *san)
{
    struct guard_update update = {
        .manifest = make_manifest(f, (struct wanted){ .san = san }),
        .caller = f->keys->owner,
    };
    struct guard_set set;
    struct assay_error err;

    assert_code(set_as(f, update, &set, &err), GRPC_OK, &err);
    guard_unpin(set.state);
    return set;
}

static void
expect_refusal(struct fixture *f, struct guard_update update,
               enum grpc_code want, const char *sentence)
{
    struct guard_set set;
    struct assay_error err = { 0 };

    assert_code(set_as(f, update, &set, &err), want, &err);
    if (!strstr(err.text, sentence))
        fail_msg("got \"%s\", want \"%s\" in it", err.text, sentence);
}

static struct secret
seed_of(const struct fixture *f, const struct guard_set *set)
{
    struct secret seed = { 0 };
    struct assay_error err;

    assert_int_equal(set->share_count, 1);
    assert_string_equal(set->shares[0].public_key, f->keys->share_hex);
    assert_ok(seed_share_decrypt(f->keys->share_owner,
                                 set->shares[0].encrypted_seed, &seed, &err),
              &err);
    return seed;
}

static void
the_first_set_needs_no_authority_and_gives_shares(void **state)
{
    struct fixture f;
    struct guard_set set;
    struct secret seed;
    const struct guard_state *s;

    fixture_init(&f, state);
    assert_int_equal(guard_phase(f.guard), GUARD_EMPTY);
    assert_null(guard_pin(f.guard));
    set = set_ok(&f, "one");
    assert_int_equal(set.salt.len, SEED_SALT_SIZE);
    seed = seed_of(&f, &set);
    s = guard_pin(f.guard);
    assert_non_null(s);
    assert_int_equal(guard_phase(f.guard), GUARD_ACTIVE);
    assert_int_equal(s->generation, 1);
    assert_true(span_equal(secret_span(&seed), seed_engine_seed(s->seed)));
    assert_status(history_verify_head(
                      &s->head, seed_engine_transaction_key(s->seed), NULL),
                  ASSAY_OK);
    guard_unpin(s);
    secret_wipe(&seed);
    fixture_end(&f);
}

static void
an_update_keeps_the_seed_and_replaces_the_mesh_ca(void **state)
{
    struct fixture f;
    const struct guard_state *one, *two;
    struct guard_set set;

    fixture_init(&f, state);
    (void)set_ok(&f, "one");
    one = guard_pin(f.guard);
    set = set_ok(&f, "two");
    two = guard_pin(f.guard);
    assert_int_equal(set.salt.len, 0);
    assert_int_equal(set.share_count, 0);
    assert_int_equal(two->generation, 2);
    assert_ptr_equal(one->seed, two->seed);
    assert_false(key_equal_public(ca_mesh_key(one->ca), ca_mesh_key(two->ca)));
    assert_false(guard_is_current(f.guard, one));
    /* The old state still serves whoever pinned it. */
    assert_string_equal((const char *)one->manifest.policies[0].sans[0].ptr,
                        "one");
    guard_unpin(one);
    guard_unpin(two);
    fixture_end(&f);
}

/* Signs what would follow the state that serves. */
static struct span
approve(struct fixture *f, const struct key *key, struct span manifest)
{
    const struct guard_state *s = guard_pin(f->guard);
    struct transition t = { .previous = s->head.transition };
    struct history_hash hash;
    uint8_t digest[SHA256_SIZE];
    struct buffer signature;
    struct span copy;

    buffer_init(&signature, 200, NULL);
    assert_status(digest_sha256(manifest, t.manifest.bytes, NULL), ASSAY_OK);
    assert_status(transition_hash(&t, &hash, NULL), ASSAY_OK);
    assert_status(history_approval_digest(&hash, digest, NULL), ASSAY_OK);
    assert_status(
        key_sign_digest(key, span_of(digest, sizeof(digest)), &signature, NULL),
        ASSAY_OK);
    assert_true(arena_dup(&f->arena, buffer_span(&signature), &copy));
    buffer_free(&signature);
    guard_unpin(s);
    return copy;
}

static void
updates_need_the_owners_key_or_signature(void **state)
{
    struct fixture f;
    struct span one, two, three, approval, forged;
    struct guard_set set;
    struct assay_error err;

    fixture_init(&f, state);
    one = make_manifest(&f, (struct wanted){ .san = "one" });
    two = make_manifest(&f, (struct wanted){ .san = "two" });
    three = make_manifest(&f, (struct wanted){ .san = "three" });
    (void)set_ok(&f, "one");
    approval = approve(&f, f.keys->owner, two);
    forged = approve(&f, f.keys->stranger, two);

    expect_refusal(&f, (struct guard_update){ .manifest = two },
                   GRPC_PERMISSION_DENIED, "not a workload owner");
    expect_refusal(&f, (struct guard_update){ .manifest = span_str("{") },
                   GRPC_PERMISSION_DENIED, "not a workload owner");
    expect_refusal(
        &f,
        (struct guard_update){ .manifest = two, .caller = f.keys->stranger },
        GRPC_PERMISSION_DENIED, "not a workload owner");
    expect_refusal(
        &f,
        (struct guard_update){ .manifest = two, .caller = f.keys->share_owner },
        GRPC_PERMISSION_DENIED, "not a workload owner");
    expect_refusal(
        &f, (struct guard_update){ .manifest = two, .signature = forged },
        GRPC_PERMISSION_DENIED, "signature");
    expect_refusal(
        &f, (struct guard_update){ .manifest = three, .signature = approval },
        GRPC_PERMISSION_DENIED, "signature");
    assert_code(set_as(&f,
                       (struct guard_update){ .manifest = two,
                                              .caller = f.keys->stranger,
                                              .signature = approval },
                       &set, &err),
                GRPC_OK, &err);
    guard_unpin(set.state);
    /* The same approval again: it named the transition, so it is spent. */
    (void)set_as(
        &f, (struct guard_update){ .manifest = one, .caller = f.keys->owner },
        &set, &err);
    guard_unpin(set.state);
    expect_refusal(
        &f, (struct guard_update){ .manifest = two, .signature = approval },
        GRPC_PERMISSION_DENIED, "signature");
    fixture_end(&f);
}

static void
without_owners_a_manifest_is_final(void **state)
{
    struct fixture f;
    struct guard_update update = { 0 };
    struct guard_set set;
    struct assay_error err;

    fixture_init(&f, state);
    update.caller = f.keys->owner;
    update.manifest =
        make_manifest(&f, (struct wanted){ .san = "one", .no_owner = true });
    assert_code(set_as(&f, update, &set, &err), GRPC_OK, &err);
    guard_unpin(set.state);
    expect_refusal(&f, update, GRPC_PERMISSION_DENIED,
                   "setting manifest is disabled");
    fixture_end(&f);
}

static void
seedshare_owners_never_change(void **state)
{
    struct fixture f;
    struct guard_update update = { 0 };

    fixture_init(&f, state);
    (void)set_ok(&f, "one");
    update.caller = f.keys->owner;
    update.manifest = make_manifest(
        &f, (struct wanted){ .san = "two", .no_share_owner = true });
    expect_refusal(&f, update, GRPC_PERMISSION_DENIED, "SeedshareOwnerPubKeys");
    fixture_end(&f);
}

static void
the_previous_transition_is_compared(void **state)
{
    static const uint8_t zeros[SHA256_SIZE];
    struct fixture f;
    struct guard_update update = { 0 };
    struct history_hash current;
    struct guard_set set;
    struct assay_error err;
    const struct guard_state *s;

    fixture_init(&f, state);
    update.caller = f.keys->owner;
    update.manifest = make_manifest(&f, (struct wanted){ .san = "one" });
    update.previous = span_str("01234567890123456789012345678901");
    expect_refusal(&f, update, GRPC_FAILED_PRECONDITION, "has changed");
    update.previous = span_of(zeros, 31);
    expect_refusal(&f, update, GRPC_INVALID_ARGUMENT, "31 bytes");
    update.previous = span_of(zeros, sizeof(zeros));
    assert_code(set_as(&f, update, &set, &err), GRPC_OK, &err);
    guard_unpin(set.state);

    expect_refusal(&f, update, GRPC_FAILED_PRECONDITION, "has changed");
    s = guard_pin(f.guard);
    current = s->head.transition;
    guard_unpin(s);
    update.previous = span_of(current.bytes, SHA256_SIZE);
    assert_code(set_as(&f, update, &set, &err), GRPC_OK, &err);
    guard_unpin(set.state);
    fixture_end(&f);
}

static void
policies_are_required_and_superfluous_ones_dropped(void **state)
{
    const struct span wrong[] = { span_str("another policy") };
    const struct span many[] = { span_str("another policy"),
                                 span_str(policy_text), span_str(policy_text) };
    struct fixture f;
    struct guard_update update = { 0 };
    struct guard_set set;
    struct assay_error err;
    struct history_hash hash;
    struct buffer out;

    fixture_init(&f, state);
    update.manifest = make_manifest(&f, (struct wanted){ .san = "one" });
    update.policies = wrong;
    update.policy_count = 1;
    expect_refusal(&f, update, GRPC_INTERNAL, "lacks the document");
    assert_int_equal(guard_phase(f.guard), GUARD_EMPTY);
    update.policies = many;
    update.policy_count = COUNT(many);
    assert_code(set_as(&f, update, &set, &err), GRPC_OK, &err);
    assert_int_equal(set.superfluous, 1);
    guard_unpin(set.state);
    buffer_init(&out, 100, NULL);
    assert_status(digest_sha256(wrong[0], hash.bytes, NULL), ASSAY_OK);
    assert_status(history_get_policy(&f.store, &hash, &out, NULL),
                  ASSAY_ERR_NOT_FOUND);
    buffer_free(&out);
    fixture_end(&f);
}

static void
bad_manifests_are_refused_and_change_nothing(void **state)
{
    static const char *const bad[] = { "",     "{",  "[]",
                                       "null", "{}", "{\"Policies\":{}}" };
    struct fixture f;

    fixture_init(&f, state);
    for (size_t i = 0; i < COUNT(bad); i++)
        expect_refusal(&f,
                       (struct guard_update){ .manifest = span_str(bad[i]) },
                       GRPC_INVALID_ARGUMENT, "manifest");
    expect_refusal(
        &f,
        (struct guard_update){
            .manifest = make_manifest(
                &f, (struct wanted){ .san = "x", .share_hex = "30820a0b" }) },
        GRPC_INVALID_ARGUMENT, "SeedshareOwnerPubKeys");
    assert_int_equal(guard_phase(f.guard), GUARD_EMPTY);
    fixture_end(&f);
}

static enum grpc_code
recover(struct fixture *f, struct span seed, struct span salt,
        const struct key *caller, struct assay_error *err)
{
    const struct guard_recovery r = { seed, salt, caller };

    return guard_recover(f->guard, &r, err);
}

static void
a_restart_needs_recovery_and_never_starts_anew(void **state)
{
    struct fixture f;
    struct guard_set set;
    struct secret seed;
    struct assay_error err;
    const struct guard_state *s;
    uint8_t wrong[SEED_SIZE] = { 0 };
    struct span salt;

    fixture_init(&f, state);
    assert_code(recover(&f, span_of(wrong, SEED_SIZE), span_of(wrong, 32),
                        f.keys->share_owner, &err),
                GRPC_FAILED_PRECONDITION, &err);
    assert_string_equal(err.text, "no state to recover from");
    set = set_ok(&f, "one");
    salt = set.salt;
    seed = seed_of(&f, &set);
    (void)set_ok(&f, "two");
    fixture_stop(&f);
    fixture_start(&f);

    assert_int_equal(guard_phase(f.guard), GUARD_NEEDS_RECOVERY);
    assert_null(guard_pin(f.guard));
    expect_refusal(
        &f,
        (struct guard_update){
            .manifest = make_manifest(&f, (struct wanted){ .san = "three" }),
            .caller = f.keys->owner },
        GRPC_FAILED_PRECONDITION, "coordinator is in recovery mode");

    assert_code(
        recover(&f, span_of(wrong, 31), salt, f.keys->share_owner, &err),
        GRPC_INVALID_ARGUMENT, &err);
    assert_code(recover(&f, secret_span(&seed), span_of(wrong, 31),
                        f.keys->share_owner, &err),
                GRPC_INVALID_ARGUMENT, &err);
    assert_code(recover(&f, secret_span(&seed), salt, f.keys->owner, &err),
                GRPC_PERMISSION_DENIED, &err);
    assert_code(recover(&f, secret_span(&seed), salt, NULL, &err),
                GRPC_PERMISSION_DENIED, &err);
    assert_code(
        recover(&f, span_of(wrong, SEED_SIZE), salt, f.keys->share_owner, &err),
        GRPC_UNKNOWN, &err);
    assert_int_equal(guard_phase(f.guard), GUARD_NEEDS_RECOVERY);
    assert_code(
        recover(&f, secret_span(&seed), salt, f.keys->share_owner, &err),
        GRPC_OK, &err);
    s = guard_pin(f.guard);
    assert_int_equal(s->generation, 2);
    assert_string_equal((const char *)s->manifest.policies[0].sans[0].ptr,
                        "two");
    guard_unpin(s);
    assert_code(
        recover(&f, secret_span(&seed), salt, f.keys->share_owner, &err),
        GRPC_FAILED_PRECONDITION, &err);
    assert_string_equal(err.text, "coordinator is already recovered");
    (void)set_ok(&f, "three");
    secret_wipe(&seed);
    fixture_end(&f);
}

static void
a_store_that_moved_on_makes_the_state_stale(void **state)
{
    struct fixture f, other;
    struct guard_set set;
    struct secret seed;
    struct assay_error err;

    fixture_init(&f, state);
    set = set_ok(&f, "one");
    seed = seed_of(&f, &set);
    other = f;
    arena_init(&other.arena, 64 << 20, NULL);
    fixture_start(&other);
    assert_code(recover(&other, secret_span(&seed), set.salt,
                        f.keys->share_owner, &err),
                GRPC_OK, &err);
    assert_ok(guard_reconcile(f.guard, &err), &err);
    (void)set_ok(&other, "two");
    expect_refusal(
        &f,
        (struct guard_update){
            .manifest = make_manifest(&f, (struct wanted){ .san = "fork" }),
            .caller = f.keys->owner },
        GRPC_FAILED_PRECONDITION, "has changed since last read");
    assert_int_equal(guard_phase(f.guard), GUARD_STALE);
    assert_null(guard_pin(f.guard));
    assert_code(
        recover(&f, secret_span(&seed), set.salt, f.keys->share_owner, &err),
        GRPC_OK, &err);
    assert_int_equal(guard_generation(f.guard), 2);

    (void)set_ok(&f, "three");
    assert_status(guard_reconcile(other.guard, &err), ASSAY_ERR_CONFLICT);
    assert_int_equal(guard_phase(other.guard), GUARD_STALE);
    assert_ok(guard_reconcile(other.guard, &err), &err);
    secret_wipe(&seed);
    fixture_stop(&other);
    arena_drop(&other.arena);
    fixture_end(&f);
}

static void
a_failed_write_leaves_the_old_state(void **state)
{
    struct fixture f;

    fixture_init(&f, state);
    f.faults.rename_fails = true;
    expect_refusal(
        &f,
        (struct guard_update){
            .manifest = make_manifest(&f, (struct wanted){ .san = "one" }) },
        GRPC_INTERNAL, "free some space");
    assert_int_equal(guard_phase(f.guard), GUARD_EMPTY);
    f.faults.rename_fails = false;
    (void)set_ok(&f, "one");
    f.faults.rename_fails = true;
    expect_refusal(
        &f,
        (struct guard_update){
            .manifest = make_manifest(&f, (struct wanted){ .san = "two" }),
            .caller = f.keys->owner },
        GRPC_INTERNAL, "free some space");
    assert_int_equal(guard_generation(f.guard), 1);
    f.faults.rename_fails = false;
    (void)set_ok(&f, "two");
    assert_int_equal(guard_generation(f.guard), 2);
    fixture_end(&f);
}

/* The rename happened, and nobody knows whether it will survive: neither the
 * old state nor the new one may serve. */
static void
a_write_that_may_have_happened_needs_recovery(void **state)
{
    struct fixture f;

    fixture_init(&f, state);
    (void)set_ok(&f, "one");
    f.faults.head_renamed = false;
    f.faults.folder_sync_fails = true;
    expect_refusal(
        &f,
        (struct guard_update){
            .manifest = make_manifest(&f, (struct wanted){ .san = "two" }),
            .caller = f.keys->owner },
        GRPC_INTERNAL, "sync");
    assert_int_equal(guard_phase(f.guard), GUARD_STALE);
    fixture_end(&f);
}

enum { RACERS = 4, ROUNDS = 5 };

struct racer {
    struct fixture *f;
    int number;
    int won;
};

static void *
race(void *ctx)
{
    struct racer *r = ctx;
    const struct span policies[] = { span_str(policy_text) };
    struct fixture own = { .keys = r->f->keys };

    arena_init(&own.arena, 64 << 20, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        char san[32];
        struct guard_update update = { .policies = policies,
                                       .policy_count = 1,
                                       .caller = own.keys->owner };
        struct guard_set set;
        enum grpc_code code;

        (void)snprintf(san, sizeof(san), "pod-%d-%d", r->number, i);
        update.manifest = make_manifest(&own, (struct wanted){ .san = san });
        code = guard_set_manifest(r->f->guard, &update, &own.arena, &set, NULL);
        if (code == GRPC_OK) {
            guard_unpin(set.state);
            r->won++;
        } else if (code != GRPC_FAILED_PRECONDITION) {
            abort();
        }
    }
    arena_drop(&own.arena);
    return NULL;
}

static void
racing_updates_make_one_chain(void **state)
{
    struct fixture f;
    struct racer racers[RACERS];
    pthread_t threads[RACERS];
    struct history_head head;
    struct assay_error err;
    uint64_t count, won = 1;

    fixture_init(&f, state);
    (void)set_ok(&f, "one");
    for (int i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){ &f, i, 0 };
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]),
                         0);
    }
    for (int i = 0; i < RACERS; i++) {
        (void)pthread_join(threads[i], NULL);
        won += (uint64_t)racers[i].won;
    }
    assert_int_equal(guard_phase(f.guard), GUARD_ACTIVE);
    assert_int_equal(guard_generation(f.guard), won);
    assert_ok(history_get_head(&f.store, &head, &err), &err);
    assert_ok(history_count(&f.store, &head.transition, &count, &err), &err);
    assert_int_equal(count, won);
    fixture_end(&f);
}

/* --- the APIs over it ---------------------------------------------------- */

static void
get_manifests_tells_the_whole_history(void **state)
{
    struct fixture f;
    struct buffer response;
    struct assay_error err;
    Userapi__GetManifestsResponse *m;

    fixture_init(&f, state);
    buffer_init(&response, 1 << 20, NULL);
    assert_code(userapi_get_manifests(f.guard, &f.store, &response, &err),
                GRPC_FAILED_PRECONDITION, &err);
    assert_string_equal(err.text, "no manifest configured");
    (void)set_ok(&f, "one");
    (void)set_ok(&f, "two");
    assert_code(userapi_get_manifests(f.guard, &f.store, &response, &err),
                GRPC_OK, &err);
    m = userapi__get_manifests_response__unpack(NULL, response.len,
                                                response.ptr);
    assert_non_null(m);
    assert_int_equal(m->n_manifests, 2);
    assert_true(span_equal(wire_span(m->manifests[0]),
                           make_manifest(&f, (struct wanted){ .san = "one" })));
    assert_true(span_equal(wire_span(m->manifests[1]),
                           make_manifest(&f, (struct wanted){ .san = "two" })));
    assert_int_equal(m->n_policies, 1);
    assert_true(span_equal(wire_span(m->policies[0]), span_str(policy_text)));
    assert_int_equal(m->latesttransition->transitionhash.len, SHA256_SIZE);
    userapi__get_manifests_response__free_unpacked(m, NULL);
    buffer_free(&response);

    fixture_stop(&f);
    fixture_start(&f);
    buffer_init(&response, 1 << 20, NULL);
    assert_code(userapi_get_manifests(f.guard, &f.store, &response, &err),
                GRPC_FAILED_PRECONDITION, &err);
    assert_string_equal(err.text, "coordinator is in recovery mode");
    fixture_end(&f);
}

static void
every_cut_of_a_request_is_answered(void **state)
{
    struct fixture f;
    Userapi__SetManifestRequest m = USERAPI__SET_MANIFEST_REQUEST__INIT;
    ProtobufCBinaryData policy = wire_bytes(span_str(policy_text));
    struct userapi_set_note note;
    struct buffer request, response;
    struct assay_error err;

    fixture_init(&f, state);
    m.manifest = wire_bytes(make_manifest(&f, (struct wanted){ .san = "one" }));
    m.policies = &policy;
    m.n_policies = 1;
    buffer_init(&request, 1 << 20, NULL);
    buffer_init(&response, 1 << 20, NULL);
    assert_ok(wire_pack(&m.base, &request, &err), &err);
    for (size_t n = 0; n < request.len; n += n < 40 ? 1 : 97) {
        const struct userapi_call call = { span_of(request.ptr, n), NULL };
        enum grpc_code code =
            userapi_set_manifest(f.guard, &call, &response, &note, &err);

        /* Cut between fields it is a request that lacks its policy. */
        if (code != GRPC_INTERNAL)
            assert_code(code, GRPC_INVALID_ARGUMENT, &err);
    }
    assert_code(userapi_set_manifest(
                    f.guard,
                    &(struct userapi_call){ buffer_span(&request), NULL },
                    &response, &note, &err),
                GRPC_OK, &err);
    assert_int_equal(note.generation, 1);
    buffer_free(&request);
    buffer_free(&response);
    fixture_end(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_set_needs_no_authority_and_gives_shares),
        cmocka_unit_test(an_update_keeps_the_seed_and_replaces_the_mesh_ca),
        cmocka_unit_test(updates_need_the_owners_key_or_signature),
        cmocka_unit_test(without_owners_a_manifest_is_final),
        cmocka_unit_test(seedshare_owners_never_change),
        cmocka_unit_test(the_previous_transition_is_compared),
        cmocka_unit_test(policies_are_required_and_superfluous_ones_dropped),
        cmocka_unit_test(bad_manifests_are_refused_and_change_nothing),
        cmocka_unit_test(a_restart_needs_recovery_and_never_starts_anew),
        cmocka_unit_test(a_store_that_moved_on_makes_the_state_stale),
        cmocka_unit_test(a_failed_write_leaves_the_old_state),
        cmocka_unit_test(a_write_that_may_have_happened_needs_recovery),
        cmocka_unit_test(racing_updates_make_one_chain),
        cmocka_unit_test(get_manifests_tells_the_whole_history),
        cmocka_unit_test(every_cut_of_a_request_is_answered),
    };

    return cmocka_run_group_tests(tests, keys_setup, keys_teardown);
}
