#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

void
net_address_format_ip(const struct net_address *a,
                      char text[NET_ADDRESS_TEXT_SIZE])
{
    int family = a->ip_len == 4 ? AF_INET : AF_INET6;

    if (a->ip_len == 0 ||
        !inet_ntop(family, a->ip, text, NET_ADDRESS_TEXT_SIZE))
        (void)snprintf(text, NET_ADDRESS_TEXT_SIZE, "(unknown)");
}

void
net_address_format(const struct net_address *a,
                   char text[NET_ADDRESS_TEXT_SIZE])
{
    char ip[NET_ADDRESS_TEXT_SIZE];

    net_address_format_ip(a, ip);
    if (a->ip_len == 0)
        memcpy(text, ip, sizeof(ip));
    else if (a->ip_len == 4)
        (void)snprintf(text, NET_ADDRESS_TEXT_SIZE, "%.15s:%u", ip, a->port);
    else
        (void)snprintf(text, NET_ADDRESS_TEXT_SIZE, "[%.46s]:%u", ip, a->port);
}

bool
net_address_from_sockaddr(const struct sockaddr *sa, struct net_address *out)
{
    struct net_address a = { 0 };
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (sa->sa_family == AF_INET) {
        memcpy(&in, sa, sizeof(in));
        memcpy(a.ip, &in.sin_addr, 4);
        a.ip_len = 4;
        a.port = ntohs(in.sin_port);
    } else if (sa->sa_family == AF_INET6) {
        memcpy(&in6, sa, sizeof(in6));
        a.port = ntohs(in6.sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
            memcpy(a.ip, &in6.sin6_addr.s6_addr[12], 4);
            a.ip_len = 4;
        } else {
            memcpy(a.ip, &in6.sin6_addr, 16);
            a.ip_len = 16;
        }
    } else {
        return false;
    }
    *out = a;
    return true;
}

void
net_address_to_sockaddr(const struct net_address *a,
                        struct sockaddr_storage *out)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

    memset(out, 0, sizeof(*out));
    if (a->ip_len == 4) {
        in.sin_port = htons(a->port);
        memcpy(&in.sin_addr, a->ip, 4);
        memcpy(out, &in, sizeof(in));
    } else {
        in6.sin6_port = htons(a->port);
        memcpy(&in6.sin6_addr, a->ip, 16);
        memcpy(out, &in6, sizeof(in6));
    }
}

bool
net_address_same_ip(const struct net_address *a, const struct net_address *b)
{
    return a->ip_len == b->ip_len && memcmp(a->ip, b->ip, a->ip_len) == 0;
}

static enum assay_status
parse_port(const char *text, bool allow_zero, uint16_t *port,
           struct assay_error *err)
{
    uint32_t value = 0;
    size_t len = strlen(text);
    bool good = len >= 1 && len <= 5;

    for (size_t i = 0; good && i < len; i++) {
        good = text[i] >= '0' && text[i] <= '9';
        value = value * 10 + (uint32_t)(text[i] - '0');
    }
    if (!good || value > 65535 || (value == 0 && !allow_zero))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "address: port \"%.20s\", want %d to 65535", text,
                          allow_zero ? 0 : 1);
    *port = (uint16_t)value;
    return ASSAY_OK;
}

static bool
host_is_printable(struct span host)
{
    for (size_t i = 0; i < host.len; i++)
        if (host.ptr[i] <= 0x20 || host.ptr[i] >= 0x7f)
            return false;
    return true;
}

/* Splits HOST:PORT; the host without brackets, *port_text after the colon. */
static enum assay_status
split(const char *text, struct span *host, const char **port_text,
      struct assay_error *err)
{
    const char *end = text[0] == '[' ? strchr(text, ']') : strrchr(text, ':');
    struct in6_addr in6;
    char ip[INET6_ADDRSTRLEN];

    if (!end || (text[0] == '[' && end[1] != ':'))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "address \"%.100s\": want HOST:PORT", text);
    if (text[0] != '[') {
        *host = span_of(text, (size_t)(end - text));
        *port_text = end + 1;
        if (memchr(text, ':', host->len))
            return assay_fail(err, ASSAY_ERR_MALFORMED,
                              "address \"%.100s\": an IPv6 address needs "
                              "brackets, as in [::1]:1313",
                              text);
        return ASSAY_OK;
    }
    *host = span_of(text + 1, (size_t)(end - text) - 1);
    *port_text = end + 2;
    if (host->len < sizeof(ip)) {
        memcpy(ip, host->ptr, host->len);
        ip[host->len] = '\0';
        if (inet_pton(AF_INET6, ip, &in6) == 1)
            return ASSAY_OK;
    }
    return assay_fail(err, ASSAY_ERR_MALFORMED,
                      "address \"%.100s\": not an IPv6 address in brackets",
                      text);
}

enum assay_status
net_endpoint_parse(const char *text, bool allow_port_zero,
                   struct net_endpoint *out, struct assay_error *err)
{
    struct net_endpoint e = { 0 };
    struct span host = { 0 };
    const char *port_text = "";
    enum assay_status st = split(text, &host, &port_text, err);

    if (st != ASSAY_OK)
        return st;
    if (host.len >= sizeof(e.host) || !host_is_printable(host))
        return assay_fail(err, ASSAY_ERR_MALFORMED,
                          "address: host of %zu bytes, want at most %zu "
                          "printable ones",
                          host.len, sizeof(e.host) - 1);
    st = parse_port(port_text, allow_port_zero, &e.port, err);
    if (st != ASSAY_OK)
        return assay_context(err, st, "\"%.100s\"", text);
    if (host.len > 0)
        memcpy(e.host, host.ptr, host.len);
    *out = e;
    return ASSAY_OK;
}
