/* Certificates of Intel's SGX PKI, by role. Intel SGX PCK Certificate and CRL
 * Profile Specification; RFC 5280.
 *
 * A certificate's role is its common name, and each role has a form. Whether
 * it deserves the role is told by signatures up to a pinned root key: an
 * attacker can mint any name. */
#ifndef ASSAY_EVIDENCE_SGX_CERTS_H
#define ASSAY_EVIDENCE_SGX_CERTS_H

#include "crypto/x509.h"
#include "evidence/trust.h"
#include "evidence/verdict.h"

#define SGX_PKI_REF "Intel SGX PCK Certificate and CRL Profile 1.3"

enum sgx_cert_role {
    SGX_CERT_OTHER = 0,
    SGX_CERT_ROOT,
    SGX_CERT_PLATFORM_CA,
    SGX_CERT_PROCESSOR_CA,
    SGX_CERT_PCK,
    SGX_CERT_TCB_SIGNER,
    SGX_CERT_ROLES,
};

enum sgx_cert_role sgx_cert_role(const struct cert *cert);
/* The common name of a role; "another certificate". */
const char *sgx_cert_role_name(enum sgx_cert_role role);

enum { SGX_CERTS_MAX = 8 }; /* a chain has 2 or 3 */

struct sgx_cert_list {
    struct cert *items[SGX_CERTS_MAX];
    size_t count;
};

/* Parse all certificates of a PEM text, which may end in one NUL. *out is
 * wiped by sgx_cert_list_wipe, also on failure.
 *
 *   known  certificates that are shared rather than parsed again where the
 *          bytes are the same; may be NULL
 *
 * ASSAY_ERR_MALFORMED (also: none), ASSAY_ERR_LIMIT, ASSAY_ERR_NOMEM */
ASSAY_MUST_CHECK
enum assay_status sgx_cert_list_read(struct span pem,
                                     const struct sgx_cert_list *known,
                                     struct sgx_cert_list *out,
                                     struct assay_error *err);
/* Adds a reference to the list while there is room; NULL is ignored. */
void sgx_cert_list_add(struct sgx_cert_list *list, const struct cert *cert);
void sgx_cert_list_wipe(struct sgx_cert_list *list);

/* The only one of a role; NULL when there is none or several. Borrowed. */
const struct cert *sgx_cert_list_find(const struct sgx_cert_list *list,
                                      enum sgx_cert_role role);

/* --- checks, one each ----------------------------------------------------- */

/* Form of the role: version 3, P-256, ECDSA with SHA-256, basic constraints,
 * key usage, and nothing critical that we do not understand. */
void sgx_check_form(struct verdict *v, const char *name,
                    const struct cert *cert, enum sgx_cert_role role);

/* Named by, and signed with the key of, the issuer. */
void sgx_check_signature(struct verdict *v, const char *name,
                         const struct cert *cert, const struct cert *issuer);

/* Is the key of this root pinned or added? Sets v->insecure. The status is
 * ASSAY_OK or ASSAY_ERR_NOMEM. */
ASSAY_MUST_CHECK
enum assay_status sgx_check_root_trusted(struct verdict *v, const char *name,
                                         const struct cert *root,
                                         const struct trust_anchors *anchors,
                                         enum trust_kind *kind,
                                         struct assay_error *err);

/* --- time ----------------------------------------------------------------- */

/* From when to when something is valid; texts are static or in an arena. */
struct sgx_window {
    const char *name; /* of its check */
    const char *ref;
    const char *text; /* "FROM to TO" */
    int64_t from, to; /* inclusive */
};

enum { SGX_WINDOWS_MAX = 8 };

struct sgx_windows {
    struct sgx_window list[SGX_WINDOWS_MAX];
    size_t count;
};

/* text goes into the verdict's arena. */
void sgx_windows_add(struct sgx_windows *w, struct verdict *v, const char *name,
                     const char *ref, int64_t from, int64_t to);
void sgx_windows_add_cert(struct sgx_windows *w, struct verdict *v,
                          const char *name, const struct cert *cert);
/* One check each. */
void sgx_windows_check(const struct sgx_windows *w, int64_t now,
                       struct verdict *v);
/* Narrows *from and *to to what all have in common. */
void sgx_windows_narrow(const struct sgx_windows *w, int64_t *from,
                        int64_t *to);

/* Appends copies of all checks, with texts in v's arena. */
void sgx_replay_checks(const struct verdict *log, struct verdict *v);

#endif
