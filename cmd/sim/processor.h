/* One simulated secure processor with one guest launched on it.
 *
 * Made from settings once; then every request for a report is answered as the
 * firmware and the sev-guest driver would: report plus certificate table. */
#ifndef ASSAY_SIM_PROCESSOR_H
#define ASSAY_SIM_PROCESSOR_H

#include "sim/report.h"
#include "sim/tsm.h"

/* What the host's certificate table holds. */
enum auxblob_kind {
    AUXBLOB_NONE,
    AUXBLOB_CERTS,     /* leaf, intermediate, ARK in DER */
    AUXBLOB_PEM,       /* the same in PEM, as some hosts do */
    AUXBLOB_CERTS_CRL, /* DER, and the revocation list */
};

/* How a processor, host or attacker misbehaves, for tests and demos. */
enum processor_fault {
    PROCESSOR_HONEST,
    PROCESSOR_REPLAY,     /* the first report again, whatever was asked */
    PROCESSOR_OTHER_KEY,  /* signed by another chip's VCEK */
    PROCESSOR_OTHER_CERT, /* the table holds another chip's VCEK */
    PROCESSOR_TAMPERED,   /* the measurement is changed after signing */
};

struct processor_settings {
    const char *state_dir;     /* the vendor's: see pki.h */
    struct report_facts facts; /* report_id and id_key_digest are filled in */
    bool id_block;             /* anonymous, over facts' ids, SVN and policy */
    const char *csp_id;        /* VLEK of this provider; NULL: VCEK */
    unsigned ask_generation;   /* which ASK or ASVK issued the leaf */
    enum auxblob_kind auxblob;
    enum processor_fault fault;
    unsigned privlevel_floor;
    int64_t now; /* when the leaf was issued */
};

struct processor;

/* Copies the settings; state_dir is used only here. Registers the chip. */
ASSAY_MUST_CHECK
enum assay_status processor_new(const struct processor_settings *settings,
                                struct processor **out,
                                struct assay_error *err);
void processor_free(struct processor *p);

/* The report and the certificate table, appended. Thread-safe. */
ASSAY_MUST_CHECK
enum assay_status processor_report(struct processor *p,
                                   const uint8_t report_data[REPORT_DATA_SIZE],
                                   uint32_t vmpl, struct buffer *report,
                                   struct buffer *table,
                                   struct assay_error *err);

/* The same behind the kernel's interface: sev_guest wants 64 bytes exactly. */
struct tsm_provider processor_tsm_provider(struct processor *p);

#endif
