#include <string.h>

#include "base/limits.h"
#include "base/num.h"
#include "base/reader.h"
#include "base/writer.h"
#include "evidence/snp_certs.h"

enum { ENTRY_SIZE = 24, GUID_SIZE = 16 };

/* In text order, not the mixed-endian order of UEFI. */
static const uint8_t guid_vcek[GUID_SIZE] = { 0x63, 0xda, 0x75, 0x8d,
                                              0xe6, 0x64, 0x45, 0x64,
                                              0xad, 0xc5, 0xf4, 0xb9,
                                              0x3b, 0xe8, 0xac, 0xcd };
static const uint8_t guid_vlek[GUID_SIZE] = { 0xa8, 0x07, 0x4b, 0xc2,
                                              0xa2, 0x5a, 0x48, 0x3e,
                                              0xaa, 0xe6, 0x39, 0xc0,
                                              0x45, 0xa0, 0xb8, 0xa1 };
static const uint8_t guid_ask[GUID_SIZE] = { 0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac,
                                             0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae,
                                             0xf3, 0x27, 0xc7, 0x82 };
static const uint8_t guid_ark[GUID_SIZE] = { 0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03,
                                             0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6,
                                             0x01, 0x4c, 0xd0, 0xae };
static const uint8_t guid_crl[GUID_SIZE] = { 0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11,
                                             0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f,
                                             0x88, 0xdc, 0x67, 0xea };

struct slot {
    const uint8_t *guid;
    const char *name;
    struct span *data;
};

enum { SLOTS = 5 };

static void
slots_of(struct snp_cert_table *t, struct slot slots[SLOTS])
{
    slots[0] = (struct slot){ guid_vcek, "VCEK", &t->vcek };
    slots[1] = (struct slot){ guid_vlek, "VLEK", &t->vlek };
    slots[2] = (struct slot){ guid_ask, "ASK", &t->ask };
    slots[3] = (struct slot){ guid_ark, "ARK", &t->ark };
    slots[4] = (struct slot){ guid_crl, "CRL", &t->crl };
}

struct entry {
    struct span guid;
    uint32_t offset;
    uint32_t length;
};

static struct entry
rd_entry(struct reader *rd)
{
    struct entry e;

    e.guid = rd_span(rd, GUID_SIZE);
    e.offset = rd_u32le(rd);
    e.length = rd_u32le(rd);
    return e;
}

static bool
is_terminator(const struct entry *e)
{
    return span_is_zero(e->guid) && e->offset == 0 && e->length == 0;
}

/* Bytes up to and including the terminator. */
static enum assay_status
header_size(struct span table, size_t *size, struct assay_error *err)
{
    struct reader rd = reader_over(table);

    for (;;) {
        struct entry e = rd_entry(&rd);

        if (!rd_ok(&rd))
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "certificate table: no all-zero entry ends it");
        if (is_terminator(&e)) {
            *size = rd.offset;
            return ASSAY_OK;
        }
    }
}

/* Two entries of one kind that differ leave open which one counts. */
static enum assay_status
store(struct snp_cert_table *t, const struct entry *e, struct span data,
      struct assay_error *err)
{
    struct slot slots[SLOTS];

    slots_of(t, slots);
    for (size_t i = 0; i < SLOTS; i++) {
        if (!span_equal(e->guid, span_of(slots[i].guid, GUID_SIZE)))
            continue;
        if (slots[i].data->len > 0 && !span_equal(*slots[i].data, data))
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "certificate table: two different entries for %s",
                              slots[i].name);
        *slots[i].data = data;
    }
    return ASSAY_OK; /* an unknown GUID is somebody else's */
}

enum assay_status
snp_cert_table_decode(struct span table, struct snp_cert_table *out,
                      struct assay_error *err)
{
    struct snp_cert_table t = { 0 };
    struct reader rd = reader_over(table);
    size_t header = 0;
    enum assay_status st;

    if (table.len > LIMIT_CERT_TABLE_BYTES)
        return assay_fail(err, ASSAY_ERR_LIMIT,
                          "certificate table: got %zu bytes, want at most %d",
                          table.len, (int)LIMIT_CERT_TABLE_BYTES);
    if (table.len == 0) {
        *out = t;
        return ASSAY_OK;
    }
    st = header_size(table, &header, err);
    while (st == ASSAY_OK && rd.offset < header - ENTRY_SIZE) {
        size_t at = rd.offset;
        struct entry e = rd_entry(&rd);

        /* Written without a sum: offset + length may exceed 32 bits. */
        if (e.length == 0 || e.offset < header || e.offset > table.len ||
            e.length > table.len - e.offset)
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "certificate table: entry at 0x%zx: offset %u "
                              "length %u lies outside %zu..%zu",
                              at, e.offset, e.length, header, table.len);
        st = store(&t, &e, span_sub(table, e.offset, e.length), err);
    }
    if (st == ASSAY_OK)
        *out = t;
    return st;
}

static void
encode_entry(struct buffer *out, const struct slot *slot, size_t offset)
{
    uint8_t bytes[ENTRY_SIZE];
    struct writer wr = writer_over(bytes, sizeof(bytes));

    wr_span(&wr, span_of(slot->guid, GUID_SIZE));
    wr_u32le(&wr, (uint32_t)offset);
    wr_u32le(&wr, (uint32_t)slot->data->len);
    buffer_add(out, wr_written(&wr));
}

enum assay_status
snp_cert_table_encode(const struct snp_cert_table *table, struct buffer *out,
                      struct assay_error *err)
{
    static const uint8_t terminator[ENTRY_SIZE] = { 0 };
    struct snp_cert_table t = *table;
    struct slot slots[SLOTS];
    size_t total = ENTRY_SIZE, offset = ENTRY_SIZE;

    slots_of(&t, slots);
    for (size_t i = 0; i < SLOTS; i++) {
        size_t need = slots[i].data->len;

        if (need == 0)
            continue;
        offset += ENTRY_SIZE;
        if (!size_add(need, ENTRY_SIZE, &need) ||
            !size_add(total, need, &total) || total > LIMIT_CERT_TABLE_BYTES)
            return assay_fail(err, ASSAY_ERR_LIMIT,
                              "certificate table: more than %d bytes",
                              (int)LIMIT_CERT_TABLE_BYTES);
    }
    for (size_t i = 0; i < SLOTS; i++) {
        if (slots[i].data->len == 0)
            continue;
        encode_entry(out, &slots[i], offset);
        offset += slots[i].data->len;
    }
    buffer_add(out, span_of(terminator, sizeof(terminator)));
    for (size_t i = 0; i < SLOTS; i++)
        buffer_add(out, *slots[i].data);
    return buffer_check(out, "certificate table", err);
}
