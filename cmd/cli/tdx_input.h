/* Quotes and Intel's collateral as files: what `assay evidence` takes. */
#ifndef ASSAY_CLI_TDX_INPUT_H
#define ASSAY_CLI_TDX_INPUT_H

#include "common/program.h"
#include "evidence/tdx_collateral.h"

/* Reads --collateral PATHs into *out; the first that has a piece wins.
 *
 * A folder has the files tcb_info.json, tcb_info_issuer_chain.pem,
 * qe_identity.json, qe_identity_issuer_chain.pem, root_ca.crl, pck.crl,
 * pck_crl_issuer_chain.pem, pck_certificate_chain.pem; those that are not
 * there are missing. A file is as tdx_collateral_decode() says.
 *
 *   want     may be NULL
 *   bundles  gets the paths of files that are collateral bundles of ours
 *   fault    gets why a file could not be understood; empty otherwise
 *
 * Returns an exit code: a path that cannot be read is a usage error. */
int tdx_input_collateral(const struct invocation *inv,
                         const struct text_list *paths,
                         const struct tdx_collateral_want *want,
                         struct arena *arena, struct tdx_collateral *out,
                         struct text_list *bundles, struct assay_error *fault);

/* Which platform's documents a quote needs: what its own PCK certificate says.
 * ASSAY_ERR_UNSUPPORTED for a quote without one; as tdx_quote_decode(). */
ASSAY_MUST_CHECK
enum assay_status tdx_input_want(struct span quote,
                                 struct tdx_collateral_want *out,
                                 struct assay_error *err);

/* The quote in a file: raw, hex or base64 text, protobuf, or in a
 * certificate's extension. Bytes of no known form are returned as they are. */
ASSAY_MUST_CHECK
enum assay_status tdx_input_quote(struct span file, struct arena *arena,
                                  struct span *out, struct assay_error *err);

#endif
