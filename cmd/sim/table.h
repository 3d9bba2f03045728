/* Writes the certificate table of an extended report (GHCB specification,
 * SNP_EXT_REPORT): the host's bytes, which Linux shows as auxblob. */
#ifndef ASSAY_SIM_TABLE_H
#define ASSAY_SIM_TABLE_H

#include "base/buffer.h"

enum table_entry { /* in the order hosts write them */
                   TABLE_VCEK,
                   TABLE_VLEK,
                   TABLE_ASK, /* and the ASVK */
                   TABLE_ARK,
                   TABLE_CRL,
                   TABLE_ENTRY_COUNT
};

struct cert_table {
    struct buffer slots[TABLE_ENTRY_COUNT]; /* empty: no such entry */
};

void cert_table_init(struct cert_table *table);
void cert_table_free(struct cert_table *table);

/* Where to append the certificate's bytes. */
struct buffer *cert_table_slot(struct cert_table *table,
                               enum table_entry entry);

/* Entries, terminator, data; nothing behind the last certificate's byte, as
 * the kernel cuts the page-padded ioctl buffer. */
ASSAY_MUST_CHECK
enum assay_status cert_table_encode(const struct cert_table *table,
                                    struct buffer *out,
                                    struct assay_error *err);

#endif
