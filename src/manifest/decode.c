#include "manifest/fields.h"

#include <string.h>

#include "base/hex.h"

static const char *const top_keys[] = { "Policies",
                                        "ReferenceValues",
                                        "WorkloadOwnerPubKeys",
                                        "WorkloadOwnerKeyDigests",
                                        "SeedshareOwnerPubKeys",
                                        "MinimumAPIVersion",
                                        NULL };
static const char *const policy_keys[] = { "SANs", "WorkloadSecretID", "Role",
                                           NULL };

static void *
take_array(struct manifest *m, size_t count, size_t size)
{
    void *array = arena_array(m->arena, count + 1, size);

    if (!array)
        m->findings.nomem = true;
    return array;
}

/* A SAN becomes a name in a certificate: DNS names, IP addresses and URIs are
 * all printable ASCII without blanks. */
static bool
san_is_sound(struct span san)
{
    for (size_t i = 0; i < san.len; i++) {
        if (san.ptr[i] <= 0x20 || san.ptr[i] >= 0x7f)
            return false;
    }
    return san.len > 0;
}

static void
decode_sans(const struct place *p, struct manifest_policy *policy)
{
    struct span *sans;
    size_t count = 0;

    if (!read_array(p, LIMIT_SANS, &count))
        return;
    sans = take_array(p->m, count, sizeof(*sans));
    if (!sans)
        return;
    policy->sans = sans;
    for (size_t i = 0; i < count; i++) {
        struct place at = place_element(p, i);

        if (!read_text(&at, &sans[policy->san_count]))
            continue;
        if (san_is_sound(sans[policy->san_count]))
            policy->san_count++;
        else
            note(&at, MANIFEST_ERROR,
                 "want a DNS name, IP address or URI of printable ASCII");
    }
}

static void
decode_role(const struct place *p, struct manifest_policy *policy)
{
    struct span role = { 0 };

    if (!read_text(p, &role) || role.len == 0)
        return;
    if (span_equal_str(role, "coordinator"))
        policy->role = MANIFEST_ROLE_COORDINATOR;
    else
        note(p, MANIFEST_ERROR, "got \"%.40s\", want \"\" or \"coordinator\"",
             (const char *)role.ptr);
}

static void
decode_policy_entry(const struct place *p, struct manifest_policy *policy)
{
    struct place sans = place_member(p, "SANs");
    struct place role = place_member(p, "Role");
    struct place secret = place_member(p, "WorkloadSecretID");

    note_unknown(p, policy_keys);
    decode_sans(&sans, policy);
    decode_role(&role, policy);
    (void)read_text(&secret, &policy->workload_secret_id);
}

static bool
has_upper_case(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'F')
            return true;
    }
    return false;
}

static void
decode_policy(const struct place *p, struct span key)
{
    struct manifest *m = p->m;
    struct manifest_policy policy = { .offset = p->value->offset };

    if (!hex_decode(key, policy.hash, sizeof(policy.hash))) {
        note(p, MANIFEST_ERROR,
             "the key must be 64 digits hex, the SHA-256 "
             "of a policy document");
        return;
    }
    if (has_upper_case(key))
        note(p, MANIFEST_WARNING,
             "the key has upper-case digits: Contrast would not find it");
    if (p->value->type == JSON_ARRAY) { /* the earliest form: SANs alone */
        m->generation = MANIFEST_OLDER;
        decode_sans(p, &policy);
    } else if (read_object(p)) {
        decode_policy_entry(p, &policy);
    } else {
        return;
    }
    m->policies[m->policy_count++] = policy;
}

static void
decode_policies(const struct place *p)
{
    size_t count;

    if (!read_object(p))
        return;
    count = p->value->count;
    if (count > LIMIT_POLICIES) {
        note(p, MANIFEST_ERROR, "got %zu policies, at most %d", count,
             LIMIT_POLICIES);
        count = LIMIT_POLICIES;
    }
    p->m->policies = take_array(p->m, count, sizeof(*p->m->policies));
    for (size_t i = 0; p->m->policies && i < count; i++) {
        const struct json_member *member = &p->value->members[i];
        struct place at = { .up = p,
                            .name = (const char *)member->key.ptr,
                            .value = &member->value,
                            .m = p->m };

        decode_policy(&at, member->key);
    }
}

static void
decode_workload_keys(const struct place *p)
{
    struct manifest *m = p->m;
    size_t count = 0;

    if (!read_array(p, LIMIT_OWNERS, &count))
        return;
    m->workload_owners = take_array(m, count, sizeof(*m->workload_owners));
    for (size_t i = 0; m->workload_owners && i < count; i++) {
        struct manifest_workload_owner *owner =
            &m->workload_owners[m->workload_owner_count];
        struct place at = place_element(p, i);

        if (!read_hex_any(&at, &owner->spki_der))
            continue;
        if (digest_sha256(owner->spki_der, owner->digest, NULL) != ASSAY_OK)
            m->findings.nomem = true;
        owner->offset = at.value->offset;
        m->workload_owner_count++;
    }
}

static bool
owner_is_listed(const struct manifest *m, const uint8_t digest[SHA256_SIZE])
{
    for (size_t i = 0; i < m->workload_owner_count; i++) {
        if (memcmp(m->workload_owners[i].digest, digest, SHA256_SIZE) == 0)
            return true;
    }
    return false;
}

/* Both lists may be given, for coordinators of both generations. They must
 * then name the same keys, or the two would let different people in. */
static void
compare_digests(const struct place *p, struct span digests)
{
    struct manifest *m = p->m;
    size_t count = digests.len / SHA256_SIZE;

    for (size_t i = 0; i < count; i++) {
        if (!owner_is_listed(m, digests.ptr + i * SHA256_SIZE)) {
            struct place at = place_element(p, i);

            note(&at, MANIFEST_ERROR,
                 "no key in WorkloadOwnerPubKeys has this digest");
        }
    }
    for (size_t i = 0; i < m->workload_owner_count; i++) {
        bool listed = false;

        for (size_t j = 0; j < count && !listed; j++)
            listed = memcmp(digests.ptr + j * SHA256_SIZE,
                            m->workload_owners[i].digest, SHA256_SIZE) == 0;
        if (!listed)
            note(p, MANIFEST_ERROR,
                 "the digest of WorkloadOwnerPubKeys[%zu] is missing", i);
    }
}

static void
decode_workload_digests(const struct place *p)
{
    struct manifest *m = p->m;
    struct span digests = { 0 };
    size_t count;

    read_hex_list(p, LIMIT_OWNERS, SHA256_SIZE, &digests);
    count = digests.len / SHA256_SIZE;
    if (count == 0)
        return;
    if (m->workload_owner_count > 0) {
        compare_digests(p, digests);
        return;
    }
    if (m->generation == MANIFEST_CURRENT)
        m->generation = MANIFEST_MID;
    m->workload_owners = take_array(m, count, sizeof(*m->workload_owners));
    for (size_t i = 0; m->workload_owners && i < count; i++)
        memcpy(m->workload_owners[m->workload_owner_count++].digest,
               digests.ptr + i * SHA256_SIZE, SHA256_SIZE);
}

static void
decode_seedshare_owners(const struct place *p)
{
    struct manifest *m = p->m;
    size_t count = 0;

    if (!read_array(p, LIMIT_OWNERS, &count))
        return;
    m->seedshare_owners = take_array(m, count, sizeof(*m->seedshare_owners));
    for (size_t i = 0; m->seedshare_owners && i < count; i++) {
        struct manifest_seedshare_owner *owner =
            &m->seedshare_owners[m->seedshare_owner_count];
        struct place at = place_element(p, i);

        if (!read_hex_any(&at, &owner->rsa_der))
            continue;
        owner->offset = at.value->offset;
        owner->rsa_hex = (const char *)at.value->text.ptr;
        m->seedshare_owner_count++;
    }
}

/* "v" and a positive decimal without a leading zero (section 4.4). */
static bool
is_api_version(struct span text)
{
    if (text.len < 2 || text.len > 10 || text.ptr[0] != 'v' ||
        text.ptr[1] == '0')
        return false;
    for (size_t i = 1; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    }
    return true;
}

static void
decode_api_version(const struct place *p)
{
    struct span text = { 0 };

    if (!read_text(p, &text) || text.len == 0)
        return;
    if (is_api_version(text))
        p->m->minimum_api_version = (const char *)text.ptr;
    else
        note(p, MANIFEST_ERROR,
             "got \"%.40s\", want \"\" or \"v1\", \"v2\", ..",
             (const char *)text.ptr);
}

static void
decode_top(const struct place *root)
{
    struct place policies = place_member(root, "Policies");
    struct place values = place_member(root, "ReferenceValues");
    struct place keys = place_member(root, "WorkloadOwnerPubKeys");
    struct place digests = place_member(root, "WorkloadOwnerKeyDigests");
    struct place seedshare = place_member(root, "SeedshareOwnerPubKeys");
    struct place version = place_member(root, "MinimumAPIVersion");

    note_unknown(root, top_keys);
    decode_policies(&policies);
    decode_reference_values(&values);
    decode_workload_keys(&keys);
    decode_workload_digests(&digests);
    decode_seedshare_owners(&seedshare);
    decode_api_version(&version);
}

enum assay_status
manifest_decode(struct span bytes, struct arena *arena, struct manifest *out,
                struct assay_error *err)
{
    const struct json_options opts = { .name = "manifest",
                                       .duplicates = JSON_DUPLICATES_ANY_CASE,
                                       .max_bytes = LIMIT_MANIFEST_BYTES,
                                       .max_depth = 16 };
    struct manifest m = { .generation = MANIFEST_CURRENT,
                          .minimum_api_version = "",
                          .arena = arena };
    struct json value;
    struct place root;
    enum assay_status st = json_parse(bytes, &opts, arena, &value, err);

    if (st != ASSAY_OK)
        return st;
    if (value.type != JSON_OBJECT)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "manifest: got %s, want an object",
                          json_type_name(&value));
    if (!arena_dup(arena, bytes, &m.bytes))
        return assay_nomem(err, "manifest");
    st = digest_sha256(bytes, m.hash, err);
    if (st != ASSAY_OK)
        return st;
    root = place_root(&m, &value);
    decode_top(&root);
    if (m.findings.nomem)
        return assay_nomem(err, "manifest");
    *out = m;
    return ASSAY_OK;
}
