#include "sim/guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "crypto/digest.h"
#include "sim/launch.h"

enum { SVN_OF_CONTRAST = 2 };

/* --- texts --- */

static enum assay_status
refuse(struct assay_error *err, const char *name, const char *text,
       const char *want)
{
    return assay_fail(err, ASSAY_ERR_MALFORMED, "%s \"%.60s\": want %s", name,
                      text, want);
}

enum assay_status
guest_number(const struct options *o, enum option option, unsigned long max,
             unsigned long fallback, unsigned long *out,
             struct assay_error *err)
{
    const char *text = o->value[option];
    unsigned long value;
    char *end;

    if (!text) {
        *out = fallback;
        return ASSAY_OK;
    }
    errno = 0;
    value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno || value > max)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "number \"%.40s\": want 0 to %lu", text, max);
    *out = value;
    return ASSAY_OK;
}

/* A hexadecimal number, with or without 0x. */
static enum assay_status
hex_number(const char *name, const char *text, uint64_t fallback, uint64_t *out,
           struct assay_error *err)
{
    unsigned long long value;
    char *end;

    if (!text) {
        *out = fallback;
        return ASSAY_OK;
    }
    errno = 0;
    value = strtoull(text, &end, 16);
    if (!strchr("0123456789abcdefABCDEF", *text) || *text == '\0' ||
        *end != '\0' || errno)
        return refuse(err, name, text, "a hexadecimal number of 64 bits");
    *out = value;
    return ASSAY_OK;
}

static enum assay_status
hex_exact(const char *name, const char *text, uint8_t *out, size_t len,
          struct assay_error *err)
{
    if (!text || hex_decode(span_str(text), out, len))
        return ASSAY_OK;
    return assay_fail(err, ASSAY_ERR_MALFORMED,
                      "%s: %zu characters, want %zu hexadecimal digits", name,
                      strlen(text), 2 * len);
}

enum assay_status
guest_hex_padded(const char *name, const char *text, uint8_t *out, size_t len,
                 struct assay_error *err)
{
    size_t given = text ? strlen(text) / 2 : 0;

    memset(out, 0, len);
    if (given > len)
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "%s: %zu bytes, at most %zu", name, given, len);
    return hex_exact(name, text, out, given, err);
}

static enum assay_status
choose(const char *name, const char *text, const char *const *words,
       size_t count, size_t *out, struct assay_error *err)
{
    for (size_t i = 0; text && i < count; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i;
            return ASSAY_OK;
        }
    }
    return text ? refuse(err, name, text, "a word that --help lists")
                : ASSAY_OK;
}

enum assay_status
guest_product(const struct options *o, const struct product **out,
              struct assay_error *err)
{
    const char *name = o->value[OPT_PRODUCT];
    const struct product *p = product_find(span_str(name ? name : "Milan"));

    if (!p)
        return refuse(err, "--product", name, "Milan, Genoa or Turin");
    *out = p;
    return ASSAY_OK;
}

enum assay_status
guest_now(const struct options *o, int64_t *out, struct assay_error *err)
{
    const char *text = o->value[OPT_NOW];

    if (text)
        return rfc3339_parse(span_str(text), out, err);
    *out = clock_now(&clock_system);
    return ASSAY_OK;
}

/* --- the machine --- */

static enum assay_status
read_chip_id(const struct options *o, struct report_facts *f,
             struct assay_error *err)
{
    const char *name = o->value[OPT_CHIP];
    uint8_t digest[SHA512_SIZE];
    struct span part = span_str(name ? name : "chip");
    enum assay_status st;

    if (o->value[OPT_CHIP_ID])
        return hex_exact("--chip-id", o->value[OPT_CHIP_ID], f->chip_id,
                         f->product->hwid_size, err);
    st = digest_compute(DIGEST_SHA512, &part, 1, digest, err);
    if (st == ASSAY_OK)
        memcpy(f->chip_id, digest, f->product->hwid_size);
    return st;
}

static enum assay_status
read_tcbs(const struct options *o, struct report_facts *f,
          struct assay_error *err)
{
    const struct {
        enum option option;
        struct tcb *tcb;
    } rows[] = {
        { OPT_COMMITTED_TCB, &f->committed_tcb },
        { OPT_REPORTED_TCB, &f->reported_tcb },
        { OPT_LAUNCH_TCB, &f->launch_tcb },
    };
    enum assay_status st = ASSAY_OK;

    f->current_tcb = f->product->usual_tcb;
    if (o->value[OPT_TCB])
        st = tcb_parse(f->product, o->value[OPT_TCB], &f->current_tcb, err);
    for (size_t i = 0; st == ASSAY_OK && i < 3; i++) {
        *rows[i].tcb = f->current_tcb;
        if (o->value[rows[i].option])
            st = tcb_parse(f->product, o->value[rows[i].option], rows[i].tcb,
                           err);
    }
    return st;
}

static enum assay_status
read_version(const char *name, const char *text, struct firmware_version *out,
             struct assay_error *err)
{
    struct firmware_version v;
    int end = 0;

    if (!text)
        return ASSAY_OK;
    if (sscanf(text, "%3hhu.%3hhu.%3hhu%n", &v.major, &v.minor, &v.build,
               &end) != 3 ||
        text[end] != '\0')
        return refuse(err, name, text, "MAJOR.MINOR.BUILD");
    *out = v;
    return ASSAY_OK;
}

static enum assay_status
read_firmware(const struct options *o, struct report_facts *f,
              struct assay_error *err)
{
    const uint8_t *usual = f->product->firmware;
    enum assay_status st;

    f->current = (struct firmware_version){ usual[0], usual[1], usual[2] };
    st = read_version("--firmware", o->value[OPT_FIRMWARE], &f->current, err);
    f->committed = f->current;
    if (st == ASSAY_OK)
        st = read_version("--committed-firmware",
                          o->value[OPT_COMMITTED_FIRMWARE], &f->committed, err);
    return st;
}

static enum assay_status
read_machine(const struct options *o, struct report_facts *f,
             struct assay_error *err)
{
    const struct product *p = f->product;
    enum assay_status st = read_chip_id(o, f, err);

    f->mask_chip_id = o->value[OPT_MASK_CHIP_ID] != NULL;
    f->cpuid[0] = p->family;
    f->cpuid[1] = p->model;
    f->cpuid[2] = p->stepping;
    if (st == ASSAY_OK)
        st = hex_exact("--cpuid", o->value[OPT_CPUID], f->cpuid, 3, err);
    if (st == ASSAY_OK)
        st = read_tcbs(o, f, err);
    if (st == ASSAY_OK)
        st = read_firmware(o, f, err);
    if (st == ASSAY_OK)
        st = hex_number("--platform-info", o->value[OPT_PLATFORM_INFO], 0x25,
                        &f->platform_info, err);
    if (st == ASSAY_OK)
        st = hex_number("--launch-mit-vector", o->value[OPT_LAUNCH_MIT_VECTOR],
                        0xb, &f->launch_mit_vector, err);
    if (st == ASSAY_OK)
        st =
            hex_number("--current-mit-vector", o->value[OPT_CURRENT_MIT_VECTOR],
                       0xb, &f->current_mit_vector, err);
    return st;
}

/* --- the guest --- */

/* Digest of a launch with more vCPUs than the one that was measured. */
static enum assay_status
extend_measurement(const struct options *o, struct report_facts *f,
                   struct assay_error *err)
{
    unsigned long vcpus;
    uint64_t eip;
    enum assay_status st =
        guest_number(o, OPT_VCPUS, LAUNCH_VCPUS_MAX, 1, &vcpus, err);

    if (st != ASSAY_OK || !o->value[OPT_VCPUS])
        return st;
    if (vcpus == 0 || !o->value[OPT_APEIP])
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "--vcpus: want 1 to %d, and --apeip",
                          LAUNCH_VCPUS_MAX);
    st = hex_number("--apeip", o->value[OPT_APEIP], 0, &eip, err);
    if (st == ASSAY_OK && eip > UINT32_MAX)
        st = refuse(err, "--apeip", o->value[OPT_APEIP], "32 bits");
    if (st == ASSAY_OK)
        st = launch_add_vcpus(f, (unsigned)vcpus, (uint32_t)eip, err);
    return st;
}

/* "FAMILY,IMAGE,SVN": two ids of 16 bytes in hex, a decimal number. */
static bool
parse_id_block(const char *text, struct report_facts *f)
{
    enum { ID_DIGITS = 32 };
    char *end;
    unsigned long svn;

    if (strlen(text) < 2 * ID_DIGITS + 3 || text[ID_DIGITS] != ',' ||
        text[2 * ID_DIGITS + 1] != ',' ||
        !hex_decode(span_of(text, ID_DIGITS), f->family_id, 16) ||
        !hex_decode(span_of(text + ID_DIGITS + 1, ID_DIGITS), f->image_id, 16))
        return false;
    text += 2 * ID_DIGITS + 2;
    errno = 0;
    svn = strtoul(text, &end, 10);
    f->guest_svn = (uint32_t)svn;
    return *text >= '0' && *text <= '9' && *end == '\0' && !errno &&
           svn <= UINT32_MAX;
}

static enum assay_status
read_id_block(const struct options *o, struct processor_settings *s,
              struct assay_error *err)
{
    const char *kind = o->value[OPT_ID_BLOCK];
    unsigned long svn;
    enum assay_status st =
        guest_number(o, OPT_GUEST_SVN, UINT32_MAX, SVN_OF_CONTRAST, &svn, err);

    if (st != ASSAY_OK)
        return st;
    s->id_block = true;
    s->facts.guest_svn = (uint32_t)svn;
    if (!kind || strcmp(kind, "anonymous") == 0)
        return ASSAY_OK;
    if (strcmp(kind, "none") == 0) {
        s->id_block = false;
        s->facts.guest_svn = 0; /* there is no block to set it */
        return ASSAY_OK;
    }
    if (parse_id_block(kind, &s->facts))
        return ASSAY_OK;
    return refuse(err, "--id-block", kind,
                  "anonymous, none, or FAMILY,IMAGE,SVN (32 hex digits twice)");
}

static enum assay_status
read_launch(const struct options *o, struct processor_settings *s,
            struct assay_error *err)
{
    struct report_facts *f = &s->facts;
    enum assay_status st =
        hex_exact("--measurement", o->value[OPT_MEASUREMENT], f->measurement,
                  sizeof(f->measurement), err);

    if (st == ASSAY_OK)
        st = extend_measurement(o, f, err);
    if (st == ASSAY_OK)
        st = hex_exact("--host-data", o->value[OPT_HOST_DATA], f->host_data,
                       sizeof(f->host_data), err);
    if (st == ASSAY_OK)
        st = hex_number("--policy", o->value[OPT_POLICY], 0x30000, &f->policy,
                        err);
    return st == ASSAY_OK ? read_id_block(o, s, err) : st;
}

/* --- the rest --- */

static enum assay_status
read_report_version(const struct options *o, struct report_facts *f,
                    struct assay_error *err)
{
    unsigned long version = 0;
    enum assay_status st = guest_number(
        o, OPT_REPORT_VERSION, 5, f->product->report_version, &version, err);

    if (st == ASSAY_OK && version != 2 && version != 3 && version != 5)
        return refuse(err, "--report-version", o->value[OPT_REPORT_VERSION],
                      "2, 3 or 5");
    f->version = (uint32_t)version;
    return st;
}

static enum assay_status
read_words(const struct options *o, struct processor_settings *s,
           struct assay_error *err)
{
    static const char *const auxblobs[] = {
        [AUXBLOB_NONE] = "none",
        [AUXBLOB_CERTS] = "certs",
        [AUXBLOB_PEM] = "pem",
        [AUXBLOB_CERTS_CRL] = "certs+crl",
    };
    static const char *const faults[] = {
        [PROCESSOR_HONEST] = "honest",
        [PROCESSOR_REPLAY] = "replay",
        [PROCESSOR_OTHER_KEY] = "other-key",
        [PROCESSOR_OTHER_CERT] = "other-cert",
        [PROCESSOR_TAMPERED] = "tampered",
    };
    size_t auxblob = AUXBLOB_CERTS, fault = PROCESSOR_HONEST;
    enum assay_status st =
        choose("--auxblob", o->value[OPT_AUXBLOB], auxblobs, 4, &auxblob, err);

    if (st == ASSAY_OK)
        st = choose("--fault", o->value[OPT_FAULT], faults, 5, &fault, err);
    s->auxblob = (enum auxblob_kind)auxblob;
    s->fault = (enum processor_fault)fault;
    return st;
}

enum assay_status
guest_settings(const struct options *o, struct processor_settings *out,
               struct assay_error *err)
{
    struct processor_settings s = { .state_dir = o->value[OPT_STATE],
                                    .csp_id = o->value[OPT_VLEK] };
    unsigned long generation = 0, floor = 0;
    enum assay_status st = guest_product(o, &s.facts.product, err);

    if (st == ASSAY_OK)
        st = guest_now(o, &s.now, err);
    if (st == ASSAY_OK)
        st = read_report_version(o, &s.facts, err);
    if (st == ASSAY_OK)
        st = read_machine(o, &s.facts, err);
    if (st == ASSAY_OK)
        st = read_launch(o, &s, err);
    if (st == ASSAY_OK)
        st = read_words(o, &s, err);
    if (st == ASSAY_OK)
        st = guest_number(o, OPT_ASK_GENERATION, 64, 0, &generation, err);
    if (st == ASSAY_OK)
        st = guest_number(o, OPT_VMPL_FLOOR, TSM_PRIVLEVEL_MAX, 0, &floor, err);
    if (st != ASSAY_OK)
        return st;
    s.ask_generation = (unsigned)generation;
    s.privlevel_floor = (unsigned)floor;
    *out = s;
    return ASSAY_OK;
}
