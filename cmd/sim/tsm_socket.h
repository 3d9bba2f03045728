/* The same reports over a unix socket, where FUSE is missing.
 *
 * One request per connection, integers little-endian. Request: u32 magic
 * 0x314d5354 ("TSM1"), u32 VMPL, 64 bytes of report data. Reply: u32 status
 * (0, or an errno value), u32 lengths of outblob, auxblob and provider, then
 * those three byte strings. A request with another magic gets no reply. */
#ifndef ASSAY_SIM_TSM_SOCKET_H
#define ASSAY_SIM_TSM_SOCKET_H

#include "sim/server.h"
#include "sim/tsm.h"

/* Replaces a socket that is left at path. provider is borrowed until
 * server_free; the caller then unlinks path. */
ASSAY_MUST_CHECK
enum assay_status tsm_socket_new(const char *path,
                                 const struct tsm_provider *provider,
                                 struct server **out, struct assay_error *err);

#endif
