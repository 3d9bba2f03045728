#include "evidence/tdx_collateral.h"

enum { PIECES = 7 };

/* All that a verdict needs, in the order of the struct. */
static void
list_pieces(struct tdx_collateral *c, struct span *pieces[PIECES])
{
    pieces[0] = &c->tcb_info;
    pieces[1] = &c->tcb_info_issuer_chain;
    pieces[2] = &c->qe_identity;
    pieces[3] = &c->qe_identity_issuer_chain;
    pieces[4] = &c->root_ca_crl;
    pieces[5] = &c->pck_crl;
    pieces[6] = &c->pck_crl_issuer_chain;
}

bool
tdx_collateral_is_complete(const struct tdx_collateral *c)
{
    struct tdx_collateral copy = *c;
    struct span *pieces[PIECES];

    list_pieces(&copy, pieces);
    for (size_t i = 0; i < PIECES; i++) {
        if (!pieces[i]->ptr)
            return false;
    }
    return true;
}

void
tdx_collateral_fill(struct tdx_collateral *c,
                    const struct tdx_collateral *other)
{
    struct tdx_collateral copy = *other;
    struct span *mine[PIECES], *theirs[PIECES];

    list_pieces(c, mine);
    list_pieces(&copy, theirs);
    for (size_t i = 0; i < PIECES; i++) {
        if (!mine[i]->ptr)
            *mine[i] = *theirs[i];
    }
    if (!c->pck_certificate_chain.ptr)
        c->pck_certificate_chain = other->pck_certificate_chain;
}
