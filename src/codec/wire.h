/* Between protobuf-c's structs and ours: hostile messages decode into an
 * arena, so that its budget bounds what they can make us hold. */
#ifndef ASSAY_CODEC_WIRE_H
#define ASSAY_CODEC_WIRE_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/buffer.h"

/* Decodes bytes as a message of this type. The message lives in the arena and
 * is never freed singly. NULL when it is malformed or the budget is spent. */
ProtobufCMessage *wire_unpack(const ProtobufCMessageDescriptor *type,
                              struct span bytes, struct arena *arena,
                              struct assay_error *err);

/* Appends the encoding, in one piece so that no copy of a secret stays in
 * memory that grew. */
ASSAY_MUST_CHECK
enum assay_status wire_pack(const ProtobufCMessage *message, struct buffer *out,
                            struct assay_error *err);

struct span wire_span(ProtobufCBinaryData data);
/* protobuf-c wants a writable pointer and only reads it. */
ProtobufCBinaryData wire_bytes(struct span bytes);

#endif
