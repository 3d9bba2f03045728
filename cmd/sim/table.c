#include "sim/table.h"

#include "base/limits.h"
#include "base/writer.h"

enum { GUID_SIZE = 16, ENTRY_SIZE = 24 };

/* In the byte order of their text (RFC 4122), not UEFI's. */
static const uint8_t guids[TABLE_ENTRY_COUNT][GUID_SIZE] = {
    /* 63da758d-e664-4564-adc5-f4b93be8accd */
    [TABLE_VCEK] = { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5,
                     0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd },
    /* a8074bc2-a25a-483e-aae6-39c045a0b8a1 */
    [TABLE_VLEK] = { 0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6,
                     0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1 },
    /* 4ab7b379-bbac-4fe4-a02f-05aef327c782 */
    [TABLE_ASK] = { 0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f,
                    0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82 },
    /* c0b406a4-a803-4952-9743-3fb6014cd0ae */
    [TABLE_ARK] = { 0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43,
                    0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae },
    /* 92f81bc3-5811-4d3d-97ff-d19f88dc67ea */
    [TABLE_CRL] = { 0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d, 0x97, 0xff,
                    0xd1, 0x9f, 0x88, 0xdc, 0x67, 0xea },
};

void
cert_table_init(struct cert_table *table)
{
    for (int i = 0; i < TABLE_ENTRY_COUNT; i++)
        buffer_init(&table->slots[i], LIMIT_CERT_BYTES, NULL);
}

void
cert_table_free(struct cert_table *table)
{
    for (int i = 0; i < TABLE_ENTRY_COUNT; i++)
        buffer_free(&table->slots[i]);
}

struct buffer *
cert_table_slot(struct cert_table *table, enum table_entry entry)
{
    return &table->slots[entry];
}

static size_t
header_size(const struct cert_table *table)
{
    size_t entries = 1; /* the terminator */

    for (int i = 0; i < TABLE_ENTRY_COUNT; i++)
        entries += table->slots[i].len > 0;
    return entries * ENTRY_SIZE;
}

enum assay_status
cert_table_encode(const struct cert_table *table, struct buffer *out,
                  struct assay_error *err)
{
    uint8_t header[(TABLE_ENTRY_COUNT + 1) * ENTRY_SIZE];
    struct writer wr = writer_over(header, sizeof(header));
    size_t size = header_size(table), offset = size;

    for (int i = 0; i < TABLE_ENTRY_COUNT; i++) {
        const struct buffer *slot = &table->slots[i];

        if (slot->len == 0)
            continue;
        wr_span(&wr, span_of(guids[i], GUID_SIZE));
        wr_u32le(&wr, (uint32_t)offset);
        wr_u32le(&wr, (uint32_t)slot->len);
        offset += slot->len;
    }
    wr_zeros_to(&wr, size);
    buffer_add(out, wr_written(&wr));
    for (int i = 0; i < TABLE_ENTRY_COUNT; i++)
        buffer_add(out, buffer_span(&table->slots[i]));
    return buffer_check(out, "certificate table", err);
}
