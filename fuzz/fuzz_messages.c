/* Messages of the user and mesh API. The first byte picks one: what decodes,
 * encodes, and the encoding is its own. (Not everything decodes again:
 * protobuf-c keeps unknown fields as they came, and is stricter on repeats.) */
#include "fuzz.h"

#include "codec/wire.h"
#include "meshapi.pb-c.h"
#include "userapi.pb-c.h"

enum { BUDGET = 4 * 1024 * 1024, ENCODED_MAX = 8 * 1024 * 1024 };

static const ProtobufCMessageDescriptor *const types[] = {
    &userapi__set_manifest_request__descriptor,
    &userapi__set_manifest_response__descriptor,
    &userapi__get_manifests_request__descriptor,
    &userapi__get_manifests_response__descriptor,
    &userapi__recover_request__descriptor,
    &meshapi__new_mesh_cert_request__descriptor,
    &meshapi__new_mesh_cert_response__descriptor,
};
enum { TYPES = sizeof(types) / sizeof(types[0]) };

static void
encode(const ProtobufCMessage *m, struct buffer *out)
{
    buffer_init(out, ENCODED_MAX, NULL);
    assert(wire_pack(m, out, NULL) == ASSAY_OK);
    assert(out->len == protobuf_c_message_get_packed_size(m));
}

static void
check_again(const ProtobufCMessageDescriptor *type, const ProtobufCMessage *m)
{
    struct buffer one, two;
    struct arena arena;
    const ProtobufCMessage *again;

    arena_init(&arena, 4 * BUDGET, NULL);
    encode(m, &one);
    again = wire_unpack(type, buffer_span(&one), &arena, NULL);
    if (again) {
        encode(again, &two);
        assert(span_equal(buffer_span(&one), buffer_span(&two)));
        buffer_free(&two);
    }
    buffer_free(&one);
    arena_drop(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ProtobufCMessage *m;
    struct arena arena;

    if (size == 0 || data[0] >= TYPES)
        return 0;
    arena_init(&arena, BUDGET, NULL);
    m = wire_unpack(types[data[0]], span_of(data + 1, size - 1), &arena, NULL);
    if (m) {
        check_again(types[data[0]], m);
        fuzz_success();
    }
    arena_drop(&arena);
    return 0;
}
