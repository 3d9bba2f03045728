/* What Intel's provisioning certification service has, named as AMD's things
 * are (Intel SGX and TDX PCS API v4; tdx.md section 3).
 *
 * The paths are those of a PCCS, which serves all of it: at Intel itself the
 * root's list is on another server. */
#ifndef ASSAY_COLLECT_PCS_PATH_H
#define ASSAY_COLLECT_PCS_PATH_H

#include "collect/kds_path.h"
#include "evidence/tdx_collateral.h"

#define PCS_BASE_URL "https://api.trustedservices.intel.com"
#define PCS_ROOT_CRL_URL                                                       \
    "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"

/* What a verdict on one kind of platform takes: TCB info, QE identity, list of
 * the PCK CA, list of the root. */
enum { PCS_PATHS = 4 };
void pcs_paths_of(const struct tdx_collateral_want *want,
                  struct kds_path out[PCS_PATHS]);

/* Exactly as pcs_paths_of() spells them. */
bool pcs_path_parse(struct span text, struct kds_path *out);

/* FMSPC and CA that the path names; tee from its kind. */
struct tdx_collateral_want pcs_path_want(const struct kds_path *path);

/* The header that carries the issuer chain, or NULL for the root's list. */
const char *pcs_chain_header(enum collateral_kind kind);

#endif
