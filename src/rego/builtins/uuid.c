/* uuid.parse (RFC 4122 and DCE): what the fields say. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "rego/builtins/call.h"
#include "rego/builtins/table.h"

/* Plain, in braces, behind urn:uuid:, or without dashes. */
static bool
read_uuid(struct span s, uint8_t out[16])
{
    static const size_t dashes[] = { 8, 13, 18, 23 };
    char hex[32];
    size_t n = 0;

    if (s.len == 45 && strncasecmp((const char *)s.ptr, "urn:uuid:", 9) == 0)
        s = span_sub(s, 9, 36);
    else if (s.len == 38)
        s = span_sub(s, 1, 36);
    if (s.len == 32)
        return hex_decode(s, out, 16);
    if (s.len != 36)
        return false;
    for (size_t i = 0; i < 4; i++)
        if (s.ptr[dashes[i]] != '-')
            return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != '-' && n < sizeof(hex))
            hex[n++] = (char)s.ptr[i];
    return n == 32 && hex_decode(span_of(hex, 32), out, 16);
}

static const char *
variant_of(uint8_t byte)
{
    if ((byte & 0xc0) == 0x80)
        return "RFC4122";
    if ((byte & 0xe0) == 0xc0)
        return "Microsoft";
    return (byte & 0xe0) == 0xe0 ? "Future" : "Reserved";
}

static uint64_t
big_endian(const uint8_t *at, size_t n)
{
    uint64_t u = 0;

    while (n-- > 0)
        u = u << 8 | *at++;
    return u;
}

/* 100 ns since 15 October 1582, in nanoseconds since 1970. */
static int64_t
time_of(const uint8_t u[16])
{
    uint64_t ticks = big_endian(u, 4) | big_endian(u + 4, 2) << 32 |
                     (big_endian(u + 6, 2) & 0x0fff) << 48;
    int64_t since = (int64_t)ticks - INT64_C(122192928000000000);

    /* As the reference: seconds and rest apart, which may wrap. */
    return (int64_t)((uint64_t)(since / 10000000) * UINT64_C(1000000000) +
                     (uint64_t)(since % 10000000 * 100));
}

static void
add_node(struct value_map *m, const uint8_t u[16])
{
    const uint8_t *node = u + 10;
    char text[32];

    snprintf(text, sizeof(text), "%02x-%02x-%02x-%02x-%02x-%02x", node[0],
             node[1], node[2], node[3], node[4], node[5]);
    value_map_put_text(m, "nodeid", span_str(text));
    snprintf(text, sizeof(text), "%s:%s", node[0] & 2 ? "local" : "global",
             node[0] & 1 ? "multicast" : "unicast");
    value_map_put_text(m, "macvariables", span_str(text));
}

static void
add_domain(struct value_map *m, const uint8_t u[16])
{
    static const char *const names[] = { "Person", "Group", "Org" };
    char text[16];

    value_map_add_str(m, "id", value_int((int64_t)big_endian(u, 4)));
    if (u[9] < 3)
        snprintf(text, sizeof(text), "%s", names[u[9]]);
    else
        snprintf(text, sizeof(text), "Domain%d", u[9]);
    value_map_put_text(m, "domain", span_str(text));
}

enum builtin_outcome
bi_uuid_parse(struct rego_call *call, const struct value *args, size_t n,
              struct value *out)
{
    struct value_map map = value_map_in(call->arena);
    enum builtin_outcome bad;
    uint8_t u[16];
    int version;

    if (!args_check(call, args, n, &bad))
        return bad;
    if (!read_uuid(value_text(args[0]), u))
        return BUILTIN_UNDEFINED;
    version = u[6] >> 4;
    value_map_add_str(&map, "version", value_int(version));
    value_map_put_text(&map, "variant", span_str(variant_of(u[8])));
    if (version == 1 || version == 2) {
        value_map_add_str(&map, "time", value_int(time_of(u)));
        value_map_add_str(&map, "clocksequence",
                          value_int((int64_t)(big_endian(u + 8, 2) & 0x3fff)));
        add_node(&map, u);
    }
    if (version == 2)
        add_domain(&map, u);
    return call_made(call, value_map_object(&map, NULL, out));
}
