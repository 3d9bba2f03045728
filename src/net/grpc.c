#include "net/grpc.h"

#include <stdio.h>

#include "base/hex.h"

static const struct {
    const char *name;
    const char *camel;
} codes[GRPC_CODE_COUNT] = {
    [GRPC_OK] = { "OK", "OK" },
    [GRPC_CANCELLED] = { "CANCELLED", "Canceled" },
    [GRPC_UNKNOWN] = { "UNKNOWN", "Unknown" },
    [GRPC_INVALID_ARGUMENT] = { "INVALID_ARGUMENT", "InvalidArgument" },
    [GRPC_DEADLINE_EXCEEDED] = { "DEADLINE_EXCEEDED", "DeadlineExceeded" },
    [GRPC_NOT_FOUND] = { "NOT_FOUND", "NotFound" },
    [GRPC_ALREADY_EXISTS] = { "ALREADY_EXISTS", "AlreadyExists" },
    [GRPC_PERMISSION_DENIED] = { "PERMISSION_DENIED", "PermissionDenied" },
    [GRPC_RESOURCE_EXHAUSTED] = { "RESOURCE_EXHAUSTED", "ResourceExhausted" },
    [GRPC_FAILED_PRECONDITION] = { "FAILED_PRECONDITION",
                                   "FailedPrecondition" },
    [GRPC_ABORTED] = { "ABORTED", "Aborted" },
    [GRPC_OUT_OF_RANGE] = { "OUT_OF_RANGE", "OutOfRange" },
    [GRPC_UNIMPLEMENTED] = { "UNIMPLEMENTED", "Unimplemented" },
    [GRPC_INTERNAL] = { "INTERNAL", "Internal" },
    [GRPC_UNAVAILABLE] = { "UNAVAILABLE", "Unavailable" },
    [GRPC_DATA_LOSS] = { "DATA_LOSS", "DataLoss" },
    [GRPC_UNAUTHENTICATED] = { "UNAUTHENTICATED", "Unauthenticated" },
};

const char *
grpc_code_name(enum grpc_code code)
{
    return codes[(size_t)code < GRPC_CODE_COUNT ? code : GRPC_UNKNOWN].name;
}

const char *
grpc_code_camel(enum grpc_code code)
{
    return codes[(size_t)code < GRPC_CODE_COUNT ? code : GRPC_UNKNOWN].camel;
}

/* Nanoseconds in each unit of grpc-timeout. */
static uint64_t
unit_ns(uint8_t unit)
{
    switch (unit) {
    case 'H':
        return UINT64_C(3600000000000);
    case 'M':
        return UINT64_C(60000000000);
    case 'S':
        return UINT64_C(1000000000);
    case 'm':
        return 1000000;
    case 'u':
        return 1000;
    case 'n':
        return 1;
    default:
        return 0;
    }
}

bool
grpc_timeout_parse(struct span text, uint64_t *timeout_ms)
{
    uint64_t value = 0, ns;

    if (text.len < 2 || text.len > 9)
        return false;
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    ns = unit_ns(text.ptr[text.len - 1]);
    if (ns == 0)
        return false;
    /* At most 99999999 hours: no product below overflows 64 bits. */
    if (ns >= 1000000)
        *timeout_ms = value * (ns / 1000000);
    else
        *timeout_ms = (value * ns + 999999) / 1000000;
    return true;
}

void
grpc_timeout_format(uint64_t timeout_ms, char text[GRPC_TIMEOUT_SIZE])
{
    const uint64_t most = 99999999;
    uint64_t value = timeout_ms;
    char unit = 'm';

    if (value > most) {
        value = value / 1000 + (value % 1000 != 0);
        unit = 'S';
    }
    if (value > most)
        value = most;
    (void)snprintf(text, GRPC_TIMEOUT_SIZE, "%u%c", (unsigned)value, unit);
}

void
grpc_message_encode(struct span text, struct buffer *out)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        const char escaped[3] = { '%', digits[c >> 4], digits[c & 15] };

        if (c >= 0x20 && c <= 0x7e && c != '%')
            buffer_add(out, span_of(&c, 1));
        else
            buffer_add(out, span_of(escaped, sizeof(escaped)));
    }
}

void
grpc_message_decode(struct span text, struct buffer *out)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];

        if (c == '%' && text.len - i > 2 &&
            hex_decode(span_sub(text, i + 1, 2), &c, 1))
            i += 2;
        buffer_add(out, span_of(&c, 1));
    }
}

enum grpc_code
grpc_code_from_http(unsigned status)
{
    switch (status) {
    case 400:
        return GRPC_INTERNAL;
    case 401:
        return GRPC_UNAUTHENTICATED;
    case 403:
        return GRPC_PERMISSION_DENIED;
    case 404:
        return GRPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return GRPC_UNAVAILABLE;
    default:
        return GRPC_UNKNOWN;
    }
}

enum grpc_code
grpc_code_from_h2(uint32_t h2_error)
{
    switch (h2_error) {
    case 0x7: /* REFUSED_STREAM: it was not processed, a retry is safe */
        return GRPC_UNAVAILABLE;
    case 0x8: /* CANCEL */
        return GRPC_CANCELLED;
    case 0xb: /* ENHANCE_YOUR_CALM */
        return GRPC_RESOURCE_EXHAUSTED;
    case 0xc: /* INADEQUATE_SECURITY */
        return GRPC_PERMISSION_DENIED;
    default:
        return GRPC_INTERNAL;
    }
}
