#include "collect/pcs_path.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"

enum { FMSPC_SIZE = 6 };

static const char pck_crl_format[] =
    "/sgx/certification/v4/pckcrl?ca=%s&encoding=der";
static const char root_crl_path[] = "/sgx/certification/v4/rootcacrl";

static struct kds_path
path_of(enum collateral_kind kind)
{
    return (struct kds_path){ .kind = kind, .product = SNP_PRODUCT_UNKNOWN };
}

void
pcs_paths_of(const struct tdx_collateral_want *want,
             struct kds_path out[PCS_PATHS])
{
    bool tdx = want->tee == QUOTE_TEE_TDX;
    const char *tee = tdx ? "tdx" : "sgx";
    char fmspc[2 * FMSPC_SIZE + 1];

    hex_encode(span_of(want->fmspc, FMSPC_SIZE), fmspc);
    out[0] = path_of(tdx ? COLLATERAL_TDX_TCB_INFO : COLLATERAL_SGX_TCB_INFO);
    (void)snprintf(out[0].text, sizeof(out[0].text),
                   "/%s/certification/v4/tcb?fmspc=%s", tee, fmspc);
    out[1] =
        path_of(tdx ? COLLATERAL_TDX_QE_IDENTITY : COLLATERAL_SGX_QE_IDENTITY);
    (void)snprintf(out[1].text, sizeof(out[1].text),
                   "/%s/certification/v4/qe/identity", tee);
    out[2] = path_of(COLLATERAL_PCK_CRL);
    (void)snprintf(out[2].text, sizeof(out[2].text), pck_crl_format,
                   want->processor_ca ? "processor" : "platform");
    out[3] = path_of(COLLATERAL_SGX_ROOT_CRL);
    (void)snprintf(out[3].text, sizeof(out[3].text), "%s", root_crl_path);
}

/* The FMSPC at the end of a path of TCB info; zeros elsewhere. */
static void
read_fmspc(struct span text, uint8_t out[FMSPC_SIZE])
{
    memset(out, 0, FMSPC_SIZE);
    if (text.len > 2 * FMSPC_SIZE)
        (void)hex_decode(
            span_sub(text, text.len - 2 * FMSPC_SIZE, 2 * FMSPC_SIZE), out,
            FMSPC_SIZE);
}

/* There are few enough to write all of them and compare. */
bool
pcs_path_parse(struct span text, struct kds_path *out)
{
    struct tdx_collateral_want want = { 0 };

    read_fmspc(text, want.fmspc);
    for (int i = 0; i < 4; i++) {
        struct kds_path paths[PCS_PATHS];

        want.tee = i & 1 ? QUOTE_TEE_TDX : QUOTE_TEE_SGX;
        want.processor_ca = i & 2;
        pcs_paths_of(&want, paths);
        for (size_t k = 0; k < PCS_PATHS; k++) {
            if (!span_equal_str(text, paths[k].text))
                continue;
            *out = paths[k];
            return true;
        }
    }
    return false;
}

struct tdx_collateral_want
pcs_path_want(const struct kds_path *path)
{
    struct tdx_collateral_want want = {
        .tee = path->kind == COLLATERAL_SGX_TCB_INFO ||
                       path->kind == COLLATERAL_SGX_QE_IDENTITY
                   ? QUOTE_TEE_SGX
                   : QUOTE_TEE_TDX,
        .processor_ca = strstr(path->text, "ca=processor") != NULL,
    };

    read_fmspc(span_str(path->text), want.fmspc);
    return want;
}

const char *
pcs_chain_header(enum collateral_kind kind)
{
    switch (kind) {
    case COLLATERAL_TDX_TCB_INFO:
    case COLLATERAL_SGX_TCB_INFO:
        return "TCB-Info-Issuer-Chain";
    case COLLATERAL_TDX_QE_IDENTITY:
    case COLLATERAL_SGX_QE_IDENTITY:
        return "SGX-Enclave-Identity-Issuer-Chain";
    case COLLATERAL_PCK_CRL:
        return "SGX-PCK-CRL-Issuer-Chain";
    default:
        return NULL;
    }
}
