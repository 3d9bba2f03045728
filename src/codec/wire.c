#include "codec/wire.h"

#include <stdlib.h>

#include "crypto/secret.h"

static void *
arena_give(void *ctx, size_t size)
{
    return arena_alloc(ctx, size);
}

static void
arena_keep(void *ctx, void *ptr)
{
    (void)ctx;
    (void)ptr;
}

ProtobufCMessage *
wire_unpack(const ProtobufCMessageDescriptor *type, struct span bytes,
            struct arena *arena, struct assay_error *err)
{
    ProtobufCAllocator from_arena = { arena_give, arena_keep, arena };
    ProtobufCMessage *m =
        protobuf_c_message_unpack(type, &from_arena, bytes.len, bytes.ptr);

    if (!m)
        (void)assay_fail(err, ASSAY_ERR_MALFORMED,
                         "%zu bytes are no %s message, or one of too many "
                         "parts",
                         bytes.len, type->short_name);
    return m;
}

enum assay_status
wire_pack(const ProtobufCMessage *message, struct buffer *out,
          struct assay_error *err)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes;

    if (size == 0)
        return ASSAY_OK;
    bytes = malloc(size);
    if (!bytes)
        return assay_nomem(err, "response");
    buffer_add(out, span_of(bytes, protobuf_c_message_pack(message, bytes)));
    secret_cleanse(bytes, size);
    free(bytes);
    return buffer_check(out, "response", err);
}

struct span
wire_span(ProtobufCBinaryData data)
{
    return span_of(data.data, data.len);
}

ProtobufCBinaryData
wire_bytes(struct span bytes)
{
    return (ProtobufCBinaryData){ bytes.len, (uint8_t *)(uintptr_t)bytes.ptr };
}
