/* Where a peer is: an IP address and a port, or a name still to be resolved. */
#ifndef ASSAY_NET_ADDRESS_H
#define ASSAY_NET_ADDRESS_H

#include <sys/socket.h>

#include "base/error.h"

/* An IPv4 address that arrived mapped into IPv6 (::ffff:192.0.2.1) is stored
 * as the IPv4 address it is, so that comparing and printing have one form. */
struct net_address {
    uint8_t ip[16]; /* network order; ip_len of them count */
    uint8_t ip_len; /* 4 or 16; 0 when unknown */
    uint16_t port;
};

enum { NET_ADDRESS_TEXT_SIZE = 56 }; /* "[IPv6]:65535" and a NUL */

/* "192.0.2.1:1313", "[2001:db8::1]:1313"; "(unknown)" without an address. */
void net_address_format(const struct net_address *a,
                        char text[NET_ADDRESS_TEXT_SIZE]);
/* The same without the port and the brackets. */
void net_address_format_ip(const struct net_address *a,
                           char text[NET_ADDRESS_TEXT_SIZE]);

bool net_address_from_sockaddr(const struct sockaddr *sa,
                               struct net_address *out);
void net_address_to_sockaddr(const struct net_address *a,
                             struct sockaddr_storage *out);
/* Ports do not count. */
bool net_address_same_ip(const struct net_address *a,
                         const struct net_address *b);

/* HOST:PORT as a person writes it. */
struct net_endpoint {
    char host[254]; /* name or IP address, without brackets; NUL-terminated */
    uint16_t port;
};

/* "name:1313", "192.0.2.1:1313", "[::1]:1313". The port is required and 1 to
 * 65535, or 0 where allow_port_zero says that any free one will do; an empty
 * host (":1313") is accepted and means every local address. An IPv6 address
 * needs its brackets. ASSAY_ERR_MALFORMED names the part. */
ASSAY_MUST_CHECK
enum assay_status net_endpoint_parse(const char *text, bool allow_port_zero,
                                     struct net_endpoint *out,
                                     struct assay_error *err);

#endif
