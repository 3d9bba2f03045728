/* The vendor's key distribution service: which bytes a path names.
 *
 * AMD 57230: /vcek/v1/<P>/<hwid>?..SPL=.., /{vcek,vlek}/v1/<P>/{cert_chain,
 * crl}, /vlek/v1/<P>/cert?..SPL=..; P is Milan, Genoa or Turin. */
#ifndef ASSAY_SIM_KDS_H
#define ASSAY_SIM_KDS_H

#include <pthread.h>

#include "sim/fault.h"
#include "sim/httpd.h"

struct kds {
    const char *state_dir;
    const char *vlek_csp_id; /* whom VLEKs are issued to; NULL: refused, 401 */
    uint64_t rate_limit_ms; /* one leaf certificate in this time; 0: no limit */
    const struct clock *clock;
    int64_t now; /* date of what is issued; 0: the clock's */

    pthread_mutex_t lock; /* guards what follows */
    struct fault_plan faults;
    uint64_t last_leaf_ms; /* 0: none yet */
    struct buffer log;     /* "STATUS TARGET" lines; cleared when full */
};

void kds_init(struct kds *kds);
void kds_free(struct kds *kds);

/* The public side (httpd_handler; ctx is the struct kds). */
void kds_handle(void *ctx, const struct httpd_request *request,
                struct httpd_response *response);

/* The operator's side, on a port of its own:
 *   GET, POST, DELETE /faults  list, add (a rule per line), clear
 *   POST /revoke/<P>/{ask,asvk}
 *   GET, DELETE /requests      log of the public side; clear it */
void kds_handle_admin(void *ctx, const struct httpd_request *request,
                      struct httpd_response *response);

#endif
