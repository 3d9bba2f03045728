/* The key distribution service over HTTP: collect/kds.h on http_client.h. */
#ifndef ASSAY_NET_KDS_HTTP_H
#define ASSAY_NET_KDS_HTTP_H

#include "collect/kds.h"

/* ca_file: PEM roots for https instead of the system's, or NULL; borrowed. */
struct kds_transport kds_http_transport(const char *ca_file);

#endif
