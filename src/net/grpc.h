/* What gRPC client and server share: codes, and the pieces of its mapping to
 * HTTP/2 that are plain text. Source: the gRPC project's PROTOCOL-HTTP2 and
 * statuscodes documents. */
#ifndef ASSAY_NET_GRPC_H
#define ASSAY_NET_GRPC_H

#include "base/buffer.h"

enum grpc_code {
    GRPC_OK = 0,
    GRPC_CANCELLED = 1,
    GRPC_UNKNOWN = 2,
    GRPC_INVALID_ARGUMENT = 3,
    GRPC_DEADLINE_EXCEEDED = 4,
    GRPC_NOT_FOUND = 5,
    GRPC_ALREADY_EXISTS = 6,
    GRPC_PERMISSION_DENIED = 7,
    GRPC_RESOURCE_EXHAUSTED = 8,
    GRPC_FAILED_PRECONDITION = 9,
    GRPC_ABORTED = 10,
    GRPC_OUT_OF_RANGE = 11,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_INTERNAL = 13,
    GRPC_UNAVAILABLE = 14,
    GRPC_DATA_LOSS = 15,
    GRPC_UNAUTHENTICATED = 16,
};
enum { GRPC_CODE_COUNT = 17 };

/* "OK", "INVALID_ARGUMENT", ...; "UNKNOWN" for numbers without a name. Metrics
 * use the spelling of grpc_code_camel: "OK", "InvalidArgument", "Canceled". */
const char *grpc_code_name(enum grpc_code code);
const char *grpc_code_camel(enum grpc_code code);

/* "TimeoutValue TimeoutUnit": one to eight digits, then one of H M S m u n.
 * Rounded up to whole milliseconds. False when malformed. */
bool grpc_timeout_parse(struct span text, uint64_t *timeout_ms);
enum { GRPC_TIMEOUT_SIZE = 10 }; /* eight digits, the unit, a NUL */
void grpc_timeout_format(uint64_t timeout_ms, char text[GRPC_TIMEOUT_SIZE]);

/* Percent-encoding of grpc-message: bytes outside 0x20..0x7e, and "%", become
 * %XX. Decoding is lenient, as the document demands: what is not %XX stays. */
void grpc_message_encode(struct span text, struct buffer *out);
void grpc_message_decode(struct span text, struct buffer *out);

/* The code a client makes of an HTTP status that came without grpc-status. */
enum grpc_code grpc_code_from_http(unsigned status);
/* The code a client makes of a stream reset. */
enum grpc_code grpc_code_from_h2(uint32_t h2_error);

#endif
