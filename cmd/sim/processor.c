#include "sim/processor.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "codec/pem_key.h"
#include "crypto/random.h"
#include "sim/launch.h"
#include "sim/pki.h"
#include "sim/table.h"

struct processor {
    struct report_facts facts;
    enum processor_fault fault;
    unsigned privlevel_floor;
    struct key *key;
    struct buffer table;
    pthread_mutex_t lock; /* guards first */
    bool have_first;
    uint8_t first[REPORT_SIZE]; /* PROCESSOR_REPLAY: what is sent again */
};

/* The leaf as the settings name it, or as another chip's would be. */
static struct pki_leaf
leaf_of(const struct processor_settings *s, bool another)
{
    struct pki_leaf leaf = {
        .product = s->facts.product,
        .tcb = s->facts.reported_tcb,
        .csp_id = s->csp_id,
        .generation = s->ask_generation,
    };

    memcpy(leaf.chip_id, s->facts.chip_id, sizeof(leaf.chip_id));
    if (another && s->csp_id)
        leaf.csp_id = "CN=another-provider";
    else if (another)
        leaf.chip_id[0] ^= 0xff;
    return leaf;
}

/* Adds one CA certificate in the form the host keeps it in. */
static enum assay_status
table_add_ca(struct cert_table *table, const struct processor_settings *s,
             enum ca_role role, struct assay_error *err)
{
    struct buffer *slot =
        cert_table_slot(table, role == CA_ARK ? TABLE_ARK : TABLE_ASK);
    unsigned generation = role == CA_ARK ? PKI_NEWEST : s->ask_generation;

    if (s->auxblob == AUXBLOB_PEM)
        return pki_ca_pem(s->state_dir, s->facts.product, role, generation,
                          slot, err);
    return pki_ca_der(s->state_dir, s->facts.product, role, generation, slot,
                      err);
}

static enum assay_status
table_add_leaf(struct cert_table *table, const struct processor_settings *s,
               struct assay_error *err)
{
    struct pki_leaf leaf = leaf_of(s, s->fault == PROCESSOR_OTHER_CERT);
    struct buffer *slot =
        cert_table_slot(table, s->csp_id ? TABLE_VLEK : TABLE_VCEK);
    struct buffer der;
    enum assay_status st;

    if (s->auxblob != AUXBLOB_PEM)
        return pki_leaf_cert(s->state_dir, &leaf, s->now, slot, err);
    buffer_init(&der, LIMIT_CERT_BYTES, NULL);
    st = pki_leaf_cert(s->state_dir, &leaf, s->now, &der, err);
    if (st == ASSAY_OK)
        st = pem_cert_encode(buffer_span(&der), slot, err);
    buffer_free(&der);
    return st;
}

static enum assay_status
build_table(struct processor *p, const struct processor_settings *s,
            struct assay_error *err)
{
    struct cert_table table;
    enum assay_status st;

    if (s->auxblob == AUXBLOB_NONE)
        return ASSAY_OK;
    cert_table_init(&table);
    st = table_add_leaf(&table, s, err);
    if (st == ASSAY_OK)
        st = table_add_ca(&table, s, s->csp_id ? CA_ASVK : CA_ASK, err);
    if (st == ASSAY_OK)
        st = table_add_ca(&table, s, CA_ARK, err);
    if (st == ASSAY_OK && s->auxblob == AUXBLOB_CERTS_CRL)
        st = pki_crl(s->state_dir, s->facts.product, s->now,
                     cert_table_slot(&table, TABLE_CRL), err);
    if (st == ASSAY_OK)
        st = cert_table_encode(&table, &p->table, err);
    cert_table_free(&table);
    return st;
}

static enum assay_status
set_up(struct processor *p, const struct processor_settings *s,
       struct assay_error *err)
{
    struct pki_leaf signer = leaf_of(s, s->fault == PROCESSOR_OTHER_KEY);
    enum assay_status st = ASSAY_OK;

    p->facts = s->facts;
    p->facts.vlek = s->csp_id != NULL;
    p->fault = s->fault;
    p->privlevel_floor = s->privlevel_floor;
    if (s->id_block)
        st = launch_set_id_key(&p->facts, err);
    if (st == ASSAY_OK)
        st = random_fill(&random_system, p->facts.report_id,
                         sizeof(p->facts.report_id), err);
    if (st == ASSAY_OK && !s->csp_id)
        st = pki_chip_register(s->state_dir, s->facts.product, s->facts.chip_id,
                               err);
    if (st == ASSAY_OK)
        st = pki_leaf_key(s->state_dir, &signer, &p->key, err);
    if (st == ASSAY_OK)
        st = build_table(p, s, err);
    return st;
}

enum assay_status
processor_new(const struct processor_settings *settings, struct processor **out,
              struct assay_error *err)
{
    struct processor *p = mem_zalloc(NULL, sizeof(*p));
    enum assay_status st;

    if (!p)
        return assay_nomem(err, "processor");
    pthread_mutex_init(&p->lock, NULL);
    buffer_init(&p->table, TSM_OUTBLOB_MAX, NULL);
    st = set_up(p, settings, err);
    if (st != ASSAY_OK) {
        processor_free(p);
        return st;
    }
    *out = p;
    return ASSAY_OK;
}

void
processor_free(struct processor *p)
{
    if (!p)
        return;
    key_free(p->key);
    buffer_free(&p->table);
    pthread_mutex_destroy(&p->lock);
    mem_free(NULL, p);
}

static enum assay_status
sign_report(const struct key *key, uint8_t report[REPORT_SIZE],
            struct assay_error *err)
{
    uint8_t digest[SHA384_SIZE];
    uint8_t rs[2 * 48];
    enum assay_status st =
        digest_sha384(span_of(report, REPORT_SIGNED_SIZE), digest, err);

    if (st == ASSAY_OK)
        st = key_sign_p384_raw(key, digest, rs, rs + 48, err);
    if (st == ASSAY_OK)
        report_set_signature(report, rs);
    return st;
}

static void
misbehave(struct processor *p, uint8_t report[REPORT_SIZE])
{
    enum { MEASUREMENT_OFFSET = 0x090 };

    if (p->fault == PROCESSOR_TAMPERED)
        report[MEASUREMENT_OFFSET] ^= 1;
    if (p->fault != PROCESSOR_REPLAY)
        return;
    pthread_mutex_lock(&p->lock);
    if (!p->have_first)
        memcpy(p->first, report, REPORT_SIZE);
    p->have_first = true;
    memcpy(report, p->first, REPORT_SIZE);
    pthread_mutex_unlock(&p->lock);
}

enum assay_status
processor_report(struct processor *p,
                 const uint8_t report_data[REPORT_DATA_SIZE], uint32_t vmpl,
                 struct buffer *report, struct buffer *table,
                 struct assay_error *err)
{
    uint8_t raw[REPORT_SIZE];
    enum assay_status st;

    if (vmpl < p->privlevel_floor || vmpl > TSM_PRIVLEVEL_MAX)
        return assay_fail(err, ASSAY_ERR_UNSUPPORTED,
                          "VMPL %u: the guest may ask for %u to %d", vmpl,
                          p->privlevel_floor, TSM_PRIVLEVEL_MAX);
    report_encode(&p->facts, report_data, vmpl, raw);
    st = sign_report(p->key, raw, err);
    if (st != ASSAY_OK)
        return st;
    misbehave(p, raw);
    buffer_add(report, span_of(raw, sizeof(raw)));
    buffer_add(table, buffer_span(&p->table));
    st = buffer_check(report, "report", err);
    return st == ASSAY_OK ? buffer_check(table, "certificate table", err) : st;
}

static int
report_new(void *ctx, const uint8_t *inblob, size_t inblob_len,
           unsigned privlevel, struct buffer *outblob, struct buffer *auxblob)
{
    if (inblob_len != REPORT_DATA_SIZE)
        return -EINVAL;
    switch (processor_report(ctx, inblob, privlevel, outblob, auxblob, NULL)) {
    case ASSAY_OK:
        return 0;
    case ASSAY_ERR_UNSUPPORTED: /* the firmware's "invalid parameter" */
        return -EINVAL;
    default:
        return -ENXIO;
    }
}

struct tsm_provider
processor_tsm_provider(struct processor *p)
{
    return (struct tsm_provider){ "sev_guest", p->privlevel_floor, report_new,
                                  p };
}
