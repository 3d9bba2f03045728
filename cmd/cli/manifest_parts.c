#include "cli/manifest_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/limits.h"
#include "codec/pem_key.h"
#include "common/output.h"
#include "evidence/snp_report.h"

enum { CHIP_ID_SIZE = 64, TCB_PARTS_MAX = 5, SPL_MAX = 255 };

/* Everything the parts need to say what is wrong. */
struct maker {
    const struct invocation *inv;
    const struct manifest_new_values *v;
    struct manifest_spec *spec;
};

static int
wrong(const struct maker *k, const char *option, const char *got,
      const char *want)
{
    talk(k->inv, "--%s: got \"%s\", want %s", option, got, want);
    return EXIT_USAGE;
}

static int
no_memory(const struct maker *k)
{
    talk(k->inv, "out of memory");
    return EXIT_UNKNOWN;
}

/* "FILE,role=R,san=N,secret=ID": cuts the next piece off *rest. */
static struct span
next_piece(struct span *rest)
{
    size_t len = 0;
    struct span piece;

    while (len < rest->len && rest->ptr[len] != ',')
        len++;
    piece = span_sub(*rest, 0, len);
    *rest = span_sub(*rest, len + 1, rest->len);
    return piece;
}

static bool
cut_prefix(struct span *s, const char *prefix)
{
    size_t len = strlen(prefix);

    if (!span_equal_str(span_sub(*s, 0, len), prefix))
        return false;
    *s = span_sub(*s, len, s->len);
    return true;
}

static int
take_policy_piece(const struct maker *k, const char *text, struct span piece,
                  struct manifest_policy *p, struct span *sans)
{
    if (cut_prefix(&piece, "san=") && piece.len > 0) {
        sans[p->san_count++] = piece;
        return EXIT_YES;
    }
    if (cut_prefix(&piece, "secret=") && piece.len > 0) {
        p->workload_secret_id = piece;
        return EXIT_YES;
    }
    if (span_equal_str(piece, "role=coordinator")) {
        p->role = MANIFEST_ROLE_COORDINATOR;
        return EXIT_YES;
    }
    return wrong(k, "policy", text,
                 "FILE[,role=coordinator][,san=NAME]...[,secret=ID]");
}

/* "dir/web.toml" stands for a pod called "web". */
static struct span
stem(struct span path)
{
    size_t start = path.len, end;

    while (start > 0 && path.ptr[start - 1] != '/')
        start--;
    for (end = start; end < path.len && path.ptr[end] != '.'; end++)
        continue;
    return span_sub(path, start, end - start);
}

/* An initdata document names its digest's algorithm (section 14.6). Only
 * SHA-256 fits into a manifest; Rego text of the older form names none. */
static bool
names_other_algorithm(struct span document)
{
    static const char key[] = "algorithm";
    struct span rest = document;

    while (rest.len > 0) {
        const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
        struct span line = span_sub(rest, 0, len);

        rest = span_sub(rest, len + 1, rest.len);
        if (line.len > 0 && line.ptr[0] == '[')
            return false; /* top-level keys end at the first table */
        if (cut_prefix(&line, key))
            return !memmem(line.ptr, line.len, "sha256", 6) &&
                   !memmem(line.ptr, line.len, "sha-256", 7);
    }
    return false;
}

static int
hash_policy(const struct maker *k, struct span path, struct manifest_policy *p)
{
    const char *name = arena_strdup(k->inv->arena, path);
    struct assay_error err = { 0 };
    struct span document;
    int code;

    if (!name)
        return no_memory(k);
    code = read_input(k->inv, name, LIMIT_POLICY_BYTES, &document);
    if (code != EXIT_YES)
        return code;
    if (names_other_algorithm(document)) {
        talk(k->inv, "%s: the initdata document must use algorithm \"sha256\"",
             name);
        return EXIT_USAGE;
    }
    if (digest_sha256(document, p->hash, &err) != ASSAY_OK)
        return talk_error(k->inv, &err);
    return EXIT_YES;
}

static int
take_policy(const struct maker *k, const char *text, struct manifest_policy *p)
{
    struct span rest = span_str(text), path = next_piece(&rest);
    struct span *sans =
        arena_array(k->inv->arena, LIMIT_SANS, sizeof(struct span));
    int code;

    if (!sans)
        return no_memory(k);
    p->sans = sans;
    while (rest.len > 0) {
        if (p->san_count == LIMIT_SANS)
            return wrong(k, "policy", text, "fewer names");
        code = take_policy_piece(k, text, next_piece(&rest), p, sans);
        if (code != EXIT_YES)
            return code;
    }
    if (p->san_count == 0)
        sans[p->san_count++] = stem(path);
    return hash_policy(k, path, p);
}

static int
take_policies(const struct maker *k)
{
    size_t count = k->v->policies.count;
    struct manifest_policy *list =
        arena_array(k->inv->arena, count + 1, sizeof(*list));

    if (!list)
        return no_memory(k);
    for (size_t i = 0; i < count; i++) {
        const char *text = k->v->policies.items[i];
        int code = take_policy(k, text, &list[i]);

        if (code != EXIT_YES)
            return code;
        for (size_t j = 0; j < i; j++) {
            if (memcmp(list[i].hash, list[j].hash, SHA256_SIZE) == 0)
                return wrong(k, "policy", text,
                             "documents that differ: one is one identity");
        }
    }
    k->spec->policies = list;
    k->spec->policy_count = count;
    return EXIT_YES;
}

/* A file holds one reference value or a list of them. */
static int
read_values(const struct maker *k, const char *path, struct json *out)
{
    const struct json_options opts = {
        .name = path,
        .duplicates = JSON_DUPLICATES_ANY_CASE,
    };
    struct assay_error err = { 0 };
    struct span file;
    int code = read_input(k->inv, path, LIMIT_MANIFEST_BYTES, &file);

    if (code != EXIT_YES)
        return code;
    if (json_parse(file, &opts, k->inv->arena, out, &err) != ASSAY_OK) {
        talk(k->inv, "%s", err.text);
        return EXIT_USAGE;
    }
    if (out->type != JSON_OBJECT && out->type != JSON_ARRAY)
        return wrong(k, "reference-value", path,
                     "a file with a JSON object, or a list of them");
    return EXIT_YES;
}

/* Appends the value, or each of a list, to list. */
static bool
append_values(const struct maker *k, const struct json *value,
              const struct json *const **list, size_t *count)
{
    size_t n = value->type == JSON_ARRAY ? value->count : 1;
    const struct json **grown =
        arena_array(k->inv->arena, *count + n + 1, sizeof(*grown));

    if (!grown)
        return false;
    for (size_t i = 0; i < *count; i++)
        grown[i] = (*list)[i];
    for (size_t i = 0; i < n; i++)
        grown[(*count)++] =
            value->type == JSON_ARRAY ? &value->items[i] : value;
    *list = grown;
    return true;
}

static int
take_reference_value(const struct maker *k, const char *text)
{
    struct manifest_spec *s = k->spec;
    struct json *value = arena_alloc(k->inv->arena, sizeof(*value));
    bool tdx = strncmp(text, "tdx:", 4) == 0;
    int code;

    if (!value)
        return no_memory(k);
    if (!tdx && strncmp(text, "snp:", 4) != 0)
        return wrong(k, "reference-value", text, "snp:FILE or tdx:FILE");
    code = read_values(k, text + 4, value);
    if (code != EXIT_YES)
        return code;
    if (tdx ? append_values(k, value, &s->tdx_json, &s->tdx_json_count)
            : append_values(k, value, &s->snp_json, &s->snp_json_count))
        return EXIT_YES;
    return no_memory(k);
}

/* Decimal numbers with commas between; Turin has five of them. */
static int
take_tcb(const struct maker *k, struct manifest_snp *s)
{
    size_t want = s->product == SNP_PRODUCT_TURIN ? 5 : 4, n = 0;
    struct span rest = span_str(k->v->min_tcb);
    uint8_t parts[TCB_PARTS_MAX] = { 0 };
    bool good = true;

    while (good && rest.len > 0 && n < want) {
        struct span piece = next_piece(&rest);
        unsigned spl = 0;

        good = piece.len > 0 && piece.len <= 3;
        for (size_t i = 0; good && i < piece.len; i++) {
            good = piece.ptr[i] >= '0' && piece.ptr[i] <= '9';
            spl = spl * 10 + (unsigned)(piece.ptr[i] - '0');
        }
        good = good && spl <= SPL_MAX;
        parts[n++] = (uint8_t)spl;
    }
    if (!good || rest.len > 0 || n != want)
        return wrong(k, "min-tcb", k->v->min_tcb,
                     want == 5 ? "fmc,bl,tee,snp,ucode" : "bl,tee,snp,ucode");
    s->has_minimum_tcb = true;
    s->minimum_tcb = (struct snp_tcb_parts){
        .fmc = want == 5 ? parts[0] : 0,
        .bl = parts[n - 4],
        .tee = parts[n - 3],
        .snp = parts[n - 2],
        .ucode = parts[n - 1],
    };
    return EXIT_YES;
}

static int
take_platform_info(const struct maker *k, struct manifest_snp *s)
{
    static const char *const usual[] = { "SMTEnabled" };
    const char *const *names =
        k->v->platform_info.count > 0 ? k->v->platform_info.items : usual;
    size_t count =
        k->v->platform_info.count > 0 ? k->v->platform_info.count : 1;

    s->has_platform_info = true;
    s->platform_forbidden = SNP_PLATFORM_SMT_EN | SNP_PLATFORM_TSME_EN;
    for (size_t i = 0; i < count; i++) {
        uint64_t bit;
        bool allowing;

        if (!manifest_platform_flag(names[i], &bit, &allowing))
            return wrong(k, "platform-info", names[i],
                         "a key of PlatformInfo, such as SMTEnabled or "
                         "AliasCheckComplete");
        if (allowing)
            s->platform_forbidden &= ~bit;
        else
            s->platform_required |= bit;
    }
    return EXIT_YES;
}

static int
take_chip_ids(const struct maker *k, struct manifest_snp *s)
{
    size_t count = k->v->chip_ids.count;
    uint8_t *ids = arena_array(k->inv->arena, count + 1, CHIP_ID_SIZE);

    if (!ids)
        return no_memory(k);
    for (size_t i = 0; i < count; i++) {
        const char *text = k->v->chip_ids.items[i];

        if (!hex_decode(span_str(text), ids + i * CHIP_ID_SIZE, CHIP_ID_SIZE))
            return wrong(k, "chip-id", text, "64 bytes hex");
    }
    s->chip_ids = span_of(ids, count * CHIP_ID_SIZE);
    return EXIT_YES;
}

static int
take_launch(const struct maker *k, struct manifest_snp *s)
{
    const struct manifest_new_values *v = k->v;
    uint8_t eip[4];

    if (!hex_decode(span_str(v->measurement), s->measurement,
                    sizeof(s->measurement)))
        return wrong(k, "measurement", v->measurement, "48 bytes hex");
    if (!v->ap_eip)
        return EXIT_YES;
    if (!hex_decode(span_str(v->ap_eip), eip, sizeof(eip)))
        return wrong(k, "apeip", v->ap_eip, "4 bytes hex");
    s->has_ap_eip = true;
    s->ap_eip = (uint32_t)eip[0] << 24 | (uint32_t)eip[1] << 16 |
                (uint32_t)eip[2] << 8 | eip[3];
    return EXIT_YES;
}

static bool
value_given(const struct manifest_new_values *v)
{
    return v->product || v->measurement || v->ap_eip || v->min_tcb ||
           v->chip_ids.count > 0 || v->platform_info.count > 0 ||
           v->mitigations > 0 || v->allow_milan;
}

/* The one value that is given by options. */
static int
take_snp(const struct maker *k)
{
    const struct manifest_new_values *v = k->v;
    struct manifest_snp *s = arena_alloc(k->inv->arena, sizeof(*s));
    int code;

    if (!value_given(v))
        return EXIT_YES;
    if (!s)
        return no_memory(k);
    if (!v->product || !v->measurement) {
        talk(k->inv, "a reference value needs --product and --measurement");
        return EXIT_USAGE;
    }
    s->platform = "";
    s->product = snp_product_parse(span_str(v->product));
    if (s->product == SNP_PRODUCT_UNKNOWN)
        return wrong(k, "product", v->product, "Milan, Genoa or Turin");
    s->guest_policy = SNP_POLICY_RESERVED_ONE | SNP_POLICY_SMT;
    s->mitigations = v->mitigations;
    s->allow_milan_without_chip_ids = v->allow_milan;
    code = take_launch(k, s);
    if (code == EXIT_YES && v->min_tcb)
        code = take_tcb(k, s);
    if (code == EXIT_YES)
        code = take_platform_info(k, s);
    if (code == EXIT_YES)
        code = take_chip_ids(k, s);
    k->spec->snp = s;
    k->spec->snp_count = 1;
    return code;
}

static int
take_values(const struct maker *k)
{
    int code = EXIT_YES;

    for (size_t i = 0; code == EXIT_YES && i < k->v->reference_values.count;
         i++)
        code = take_reference_value(k, k->v->reference_values.items[i]);
    k->spec->insecure = k->v->insecure;
    return code == EXIT_YES ? take_snp(k) : code;
}

/* The public half of a PEM file: a private key, a public one, or what
 * Contrast's generate takes for seedshare owners, PKCS#1 bytes labelled
 * "PUBLIC KEY" (section 9.1). */
static enum assay_status
read_owner_key(struct span pem, struct key **out, struct assay_error *err)
{
    struct span rest = pem;
    struct pem_block block;
    struct buffer der;
    enum assay_status st = pem_next(&rest, &block, err);

    if (st == ASSAY_ERR_NOT_FOUND)
        return assay_fail(err, ASSAY_ERR_MALFORMED, "no PEM block");
    if (st != ASSAY_OK)
        return st;
    if (!pem_is(&block, "PUBLIC KEY") && !pem_is(&block, "RSA PUBLIC KEY"))
        return pem_private_key_decode(pem, out, err);
    buffer_init(&der, LIMIT_KEY_FILE_BYTES, NULL);
    st = pem_decode(&block, &der, err);
    if (st == ASSAY_OK && pem_is(&block, "PUBLIC KEY"))
        st = key_from_spki_der(buffer_span(&der), out, err);
    if (pem_is(&block, "RSA PUBLIC KEY") || st == ASSAY_ERR_MALFORMED)
        st = key_from_rsa_public_der(buffer_span(&der), out, err);
    buffer_free(&der);
    return st;
}

static int
load_owner_key(const struct maker *k, const char *option, const char *path,
               struct key **out)
{
    struct assay_error err = { 0 };
    struct buffer pem;
    enum assay_status st;

    /* Not through the arena: what may be a private key is wiped. */
    buffer_init(&pem, LIMIT_KEY_FILE_BYTES, NULL);
    pem.wipe = true;
    st = file_read(path, &pem, &err);
    if (st == ASSAY_OK)
        st = read_owner_key(buffer_span(&pem), out, &err);
    secret_buffer_free(&pem);
    if (st == ASSAY_OK)
        return EXIT_YES;
    talk(k->inv, "--%s %s: %s", option, path, err.text);
    return EXIT_USAGE;
}

static int
take_workload_owner(const struct maker *k, const char *path,
                    struct manifest_workload_owner *owner)
{
    struct assay_error err = { 0 };
    struct key *key = NULL;
    int code = load_owner_key(k, "workload-owner-key", path, &key);

    if (code != EXIT_YES)
        return code;
    if (!arena_dup(k->inv->arena, key_spki(key), &owner->spki_der))
        code = no_memory(k);
    else if (digest_sha256(owner->spki_der, owner->digest, &err) != ASSAY_OK)
        code = talk_error(k->inv, &err);
    key_free(key);
    return code;
}

static int
take_seedshare_owner(const struct maker *k, const char *path,
                     struct manifest_seedshare_owner *owner)
{
    struct assay_error err = { 0 };
    struct key *key = NULL;
    struct buffer der;
    int code = load_owner_key(k, "seedshare-owner-key", path, &key);

    if (code != EXIT_YES)
        return code;
    buffer_init(&der, LIMIT_KEY_FILE_BYTES, NULL);
    if (key_rsa_public_der(key, &der, &err) != ASSAY_OK)
        code = wrong(k, "seedshare-owner-key", path, "an RSA key");
    else if (!arena_dup(k->inv->arena, buffer_span(&der), &owner->rsa_der))
        code = no_memory(k);
    buffer_free(&der);
    key_free(key);
    return code;
}

static int
take_owners(const struct maker *k)
{
    const struct text_list *workload = &k->v->workload_owners;
    const struct text_list *seedshare = &k->v->seedshare_owners;
    struct manifest_spec *s = k->spec;
    int code = EXIT_YES;

    s->owner_form = (enum manifest_owner_form)k->v->owner_form;
    s->workload_owners = arena_array(k->inv->arena, workload->count + 1,
                                     sizeof(*s->workload_owners));
    s->seedshare_owners = arena_array(k->inv->arena, seedshare->count + 1,
                                      sizeof(*s->seedshare_owners));
    if (!s->workload_owners || !s->seedshare_owners)
        return no_memory(k);
    for (size_t i = 0; code == EXIT_YES && i < workload->count; i++)
        code =
            take_workload_owner(k, workload->items[i],
                                &s->workload_owners[s->workload_owner_count++]);
    for (size_t i = 0; code == EXIT_YES && i < seedshare->count; i++)
        code = take_seedshare_owner(
            k, seedshare->items[i],
            &s->seedshare_owners[s->seedshare_owner_count++]);
    return code;
}

int
manifest_new_collect(const struct invocation *inv,
                     const struct manifest_new_values *values,
                     struct manifest_spec *spec)
{
    const struct maker k = { inv, values, spec };
    int code = take_policies(&k);

    if (code == EXIT_YES)
        code = take_values(&k);
    if (code == EXIT_YES)
        code = take_owners(&k);
    return code;
}
