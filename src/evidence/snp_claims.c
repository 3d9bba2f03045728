#include "base/writer.h"
#include "evidence/snp_report.h"
#include "evidence/snp_tcb.h"

/* Collects with one check at the end; the arcs are those of contrast-interop
 * section 10.4. */
struct collector {
    struct claims claims;
    struct arena *arena;
    bool failed;
};

static void
add(struct collector *c, struct claim claim)
{
    if (!claims_add(&c->claims, c->arena, claim))
        c->failed = true;
}

static void
add_number(struct collector *c, const char *name, uint64_t value, unsigned arc)
{
    add(c,
        (struct claim){
            .name = name, .kind = CLAIM_NUMBER, .number = value, .arc = arc });
}

static void
add_bool(struct collector *c, const char *name, bool value, unsigned arc)
{
    add(c, (struct claim){
               .name = name, .kind = CLAIM_BOOL, .number = value, .arc = arc });
}

static void
add_bytes(struct collector *c, const char *name, const uint8_t *ptr, size_t len,
          unsigned arc)
{
    add(c, (struct claim){ .name = name,
                           .kind = CLAIM_BYTES,
                           .bytes = span_of(ptr, len),
                           .arc = arc });
}

static void
add_text(struct collector *c, const char *name, const char *text)
{
    add(c, (struct claim){
               .name = name, .kind = CLAIM_TEXT, .bytes = span_str(text) });
}

/* A word in the order of its bytes in the report. */
static void
add_word(struct collector *c, const char *name, uint64_t value)
{
    uint8_t *bytes = arena_alloc(c->arena, 8);
    struct writer wr;

    if (!bytes) {
        c->failed = true;
        return;
    }
    wr = writer_over(bytes, 8);
    wr_u64le(&wr, value);
    add_bytes(c, name, bytes, 8, 0);
}

struct tcb_names {
    const char *raw, *fmc, *bl, *tee, *snp, *ucode;
    unsigned arc; /* of bl; then snp, tee, ucode */
};

#define TCB_NAMES(prefix, arc)                                                 \
    {                                                                          \
        prefix, prefix "_fmc", prefix "_bl", prefix "_tee", prefix "_snp",     \
            prefix "_ucode", arc                                               \
    }

static const struct tcb_names current_tcb = TCB_NAMES("current_tcb", 12);
static const struct tcb_names reported_tcb = TCB_NAMES("reported_tcb", 28);
static const struct tcb_names committed_tcb = TCB_NAMES("committed_tcb", 33);
static const struct tcb_names launch_tcb = TCB_NAMES("launch_tcb", 43);

static void
add_tcb(struct collector *c, const struct tcb_names *n, uint64_t tcb,
        enum snp_product product)
{
    struct snp_tcb_parts p = snp_tcb_split(product, tcb);

    add_word(c, n->raw, tcb);
    if (product == SNP_PRODUCT_UNKNOWN)
        return;
    if (product == SNP_PRODUCT_TURIN)
        add_number(c, n->fmc, p.fmc, 0);
    add_number(c, n->bl, p.bl, n->arc);
    add_number(c, n->snp, p.snp, n->arc + 1);
    add_number(c, n->tee, p.tee, n->arc + 2);
    add_number(c, n->ucode, p.ucode, n->arc + 3);
}

static void
add_policy(struct collector *c, uint64_t p)
{
    add_number(c, "policy", p, 0);
    add_number(c, "policy_abi_major", (p & SNP_POLICY_ABI_MAJOR) >> 8, 3);
    add_number(c, "policy_abi_minor", p & SNP_POLICY_ABI_MINOR, 4);
    add_bool(c, "policy_smt", p & SNP_POLICY_SMT, 7);
    add_bool(c, "policy_migrate_ma", p & SNP_POLICY_MIGRATE_MA, 6);
    add_bool(c, "policy_debug", p & SNP_POLICY_DEBUG, 5);
    add_bool(c, "policy_single_socket", p & SNP_POLICY_SINGLE_SOCKET, 8);
    add_bool(c, "policy_cxl_allow", p & SNP_POLICY_CXL_ALLOW, 0);
    add_bool(c, "policy_mem_aes_256_xts", p & SNP_POLICY_MEM_AES_256_XTS, 0);
    add_bool(c, "policy_rapl_dis", p & SNP_POLICY_RAPL_DIS, 0);
    add_bool(c, "policy_ciphertext_hiding", p & SNP_POLICY_CIPHERTEXT_HIDING,
             0);
    add_bool(c, "policy_page_swap_disable", p & SNP_POLICY_PAGE_SWAP_DISABLE,
             0);
}

static void
add_platform(struct collector *c, uint64_t p)
{
    add_number(c, "platform_info", p, 0);
    add_bool(c, "platform_smt_en", p & SNP_PLATFORM_SMT_EN, 16);
    add_bool(c, "platform_tsme_en", p & SNP_PLATFORM_TSME_EN, 17);
    add_bool(c, "platform_ecc_en", p & SNP_PLATFORM_ECC_EN, 0);
    add_bool(c, "platform_rapl_dis", p & SNP_PLATFORM_RAPL_DIS, 0);
    add_bool(c, "platform_ciphertext_hiding_dram_en",
             p & SNP_PLATFORM_CIPHERTEXT_HIDING_DRAM_EN, 0);
    add_bool(c, "platform_alias_check_complete",
             p & SNP_PLATFORM_ALIAS_CHECK_COMPLETE, 0);
    add_bool(c, "platform_iommu_write_safe", p & SNP_PLATFORM_IOMMU_WRITE_SAFE,
             0);
    add_bool(c, "platform_tio_en", p & SNP_PLATFORM_TIO_EN, 0);
}

static void
add_flags(struct collector *c, const struct snp_report *r)
{
    add_number(c, "flags", r->flags, 0);
    add_number(c, "signing_key", snp_report_signing_key(r), 20);
    add_bool(c, "author_key_en", r->flags & SNP_FLAG_AUTHOR_KEY_EN, 18);
    add_bool(c, "mask_chip_key", r->flags & SNP_FLAG_MASK_CHIP_KEY, 19);
}

#define ADD_FIELD(c, r, field, arc)                                            \
    add_bytes(c, #field, (r)->field, sizeof((r)->field), arc)

static void
add_head(struct collector *c, const struct snp_report *r,
         enum snp_product product)
{
    add_number(c, "version", r->version, 1);
    if (product != SNP_PRODUCT_UNKNOWN)
        add_text(c, "product", snp_product_name(product));
    if (r->version >= 3)
        add_text(c, "cpu", snp_cpu_name(r->cpuid_fam_id, r->cpuid_mod_id));
    add_number(c, "guest_svn", r->guest_svn, 2);
    add_policy(c, r->policy);
    ADD_FIELD(c, r, family_id, 9);
    ADD_FIELD(c, r, image_id, 10);
    add_number(c, "vmpl", r->vmpl, 11);
    add_number(c, "signature_algo", r->signature_algo, 0);
    add_tcb(c, &current_tcb, r->current_tcb, product);
    add_platform(c, r->platform_info);
    add_flags(c, r);
    ADD_FIELD(c, r, report_data, 21);
    ADD_FIELD(c, r, measurement, 22);
    ADD_FIELD(c, r, host_data, 23);
    ADD_FIELD(c, r, id_key_digest, 24);
    ADD_FIELD(c, r, author_key_digest, 25);
    ADD_FIELD(c, r, report_id, 26);
    ADD_FIELD(c, r, report_id_ma, 27);
}

static void
add_tail(struct collector *c, const struct snp_report *r,
         enum snp_product product)
{
    add_tcb(c, &reported_tcb, r->reported_tcb, product);
    if (r->version >= 3) {
        add_number(c, "cpuid_fam_id", r->cpuid_fam_id, 0);
        add_number(c, "cpuid_mod_id", r->cpuid_mod_id, 0);
        add_number(c, "cpuid_step", r->cpuid_step, 0);
    }
    ADD_FIELD(c, r, chip_id, 32);
    add_tcb(c, &committed_tcb, r->committed_tcb, product);
    add_number(c, "current_build", r->current.build, 37);
    add_number(c, "current_minor", r->current.minor, 38);
    add_number(c, "current_major", r->current.major, 39);
    add_number(c, "committed_build", r->committed.build, 40);
    add_number(c, "committed_minor", r->committed.minor, 41);
    add_number(c, "committed_major", r->committed.major, 42);
    add_tcb(c, &launch_tcb, r->launch_tcb, product);
    /* Version 4 has bytes there whose meaning is not published: they are not
     * called mitigation vectors. */
    if (r->version >= 5) {
        add_number(c, "launch_mit_vector", r->launch_mit_vector, 0);
        add_number(c, "current_mit_vector", r->current_mit_vector, 0);
    } else if (r->version == 4) {
        add_word(c, "opaque_1f8", r->launch_mit_vector);
        add_word(c, "opaque_200", r->current_mit_vector);
    }
    ADD_FIELD(c, r, signature, 0);
}

enum assay_status
snp_report_claims(const struct snp_report *r, enum snp_product product,
                  struct arena *arena, struct claims *out,
                  struct assay_error *err)
{
    struct collector c = { .arena = arena };

    add_head(&c, r, product);
    add_tail(&c, r, product);
    if (c.failed)
        return assay_nomem(err, "claims of a report");
    *out = c.claims;
    return ASSAY_OK;
}
