/* The simulator's socket, for machines without FUSE: the same bytes as
 * configfs-tsm, one request per connection on a SOCK_STREAM unix socket.
 *
 *   request  u32 "TSM1" (0x314d5354), u32 VMPL (ffffffff: the lowest the
 *            guest's kernel may ask for), 64 bytes inblob
 *   reply    u32 status (0, else an errno), u32 length of outblob, auxblob
 *            and provider, then the three in that order; all little-endian */
#ifndef ASSAY_COLLECT_TSM_SOCKET_H
#define ASSAY_COLLECT_TSM_SOCKET_H

#include "collect/collect.h"

enum {
    TSM_SOCKET_MAGIC = 0x314d5354,
    TSM_SOCKET_REQUEST_SIZE = 72,
    TSM_SOCKET_REPLY_HEADER_SIZE = 16,
};

/* True when path is there and is a socket. */
bool tsm_socket_present(const char *path);

/* One report; statuses as for collect_report. */
ASSAY_MUST_CHECK
enum assay_status
tsm_socket_report(const char *path,
                  const uint8_t report_data[COLLECT_REPORT_DATA_SIZE],
                  uint32_t vmpl, struct arena *arena, struct collected *out,
                  struct assay_error *err);

/* Decodes a whole reply. *out borrows nothing: the blobs are in the arena. */
ASSAY_MUST_CHECK
enum assay_status tsm_socket_reply_decode(struct span reply,
                                          struct arena *arena,
                                          struct collected *out,
                                          struct assay_error *err);

#endif
