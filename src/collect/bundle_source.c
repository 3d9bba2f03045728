#include "collect/bundle.h"

#include "collect/pcs_path.h"

static enum assay_status
fail_lacking(const struct kds_path *path, struct assay_error *err)
{
    return assay_fail(err, ASSAY_ERR_NOT_FOUND,
                      "the collateral bundle has no %s for %s (%.100s)",
                      collateral_kind_name(path->kind), kds_path_line(path),
                      path->text);
}

static enum assay_status
give(const struct collateral_bundle *bundle, const struct kds_path *path,
     struct buffer *out, struct assay_error *err)
{
    const struct collateral_item *item = collateral_bundle_find(bundle, path);

    if (!item)
        return fail_lacking(path, err);
    buffer_add(out, item->bytes);
    return buffer_check(out, path->text, err);
}

static enum assay_status
bundle_vcek(void *ctx, const struct snp_report *report,
            enum snp_product product, struct buffer *der,
            struct assay_error *err)
{
    struct kds_path path;
    enum assay_status st = kds_path_of_report(report, product, &path, err);

    return st == ASSAY_OK ? give(ctx, &path, der, err) : st;
}

static enum assay_status
bundle_chain(void *ctx, enum snp_product product, bool vlek, struct buffer *pem,
             struct assay_error *err)
{
    struct kds_path path;
    enum assay_status st =
        kds_path_of(vlek ? COLLATERAL_VLEK_CHAIN : COLLATERAL_VCEK_CHAIN,
                    product, &path, err);

    return st == ASSAY_OK ? give(ctx, &path, pem, err) : st;
}

static enum assay_status
bundle_crl(void *ctx, enum snp_product product, bool vlek, struct buffer *der,
           struct assay_error *err)
{
    struct kds_path path;
    enum assay_status st = kds_path_of(
        vlek ? COLLATERAL_VLEK_CRL : COLLATERAL_VCEK_CRL, product, &path, err);

    return st == ASSAY_OK ? give(ctx, &path, der, err) : st;
}

static enum assay_status
bundle_tdx(void *ctx, const struct tdx_collateral_want *want,
           struct arena *arena, struct tdx_collateral *out,
           struct assay_error *err)
{
    struct kds_path paths[PCS_PATHS];
    enum assay_status st = ASSAY_OK;

    pcs_paths_of(want, paths);
    for (size_t i = 0; i < PCS_PATHS; i++) {
        const struct collateral_item *item =
            collateral_bundle_find(ctx, &paths[i]);
        struct tdx_collateral piece = { 0 };

        if (!item)
            st = fail_lacking(&paths[i], err);
        else if (tdx_collateral_decode(item->bytes, NULL, arena, &piece,
                                       NULL) == ASSAY_OK)
            tdx_collateral_fill(out, &piece);
    }
    return st;
}

struct collateral_source
collateral_bundle_source(struct collateral_bundle *bundle)
{
    return (struct collateral_source){ .snp_vcek = bundle_vcek,
                                       .snp_chain = bundle_chain,
                                       .snp_crl = bundle_crl,
                                       .tdx_collateral = bundle_tdx,
                                       .ctx = bundle };
}

static enum assay_status
layers_vcek(void *ctx, const struct snp_report *report,
            enum snp_product product, struct buffer *der,
            struct assay_error *err)
{
    struct collateral_layers *l = ctx;

    if (l->bundle.snp_vcek(l->bundle.ctx, report, product, der, NULL) ==
        ASSAY_OK)
        return ASSAY_OK;
    return l->service.snp_vcek(l->service.ctx, report, product, der, err);
}

static enum assay_status
layers_chain(void *ctx, enum snp_product product, bool vlek, struct buffer *pem,
             struct assay_error *err)
{
    struct collateral_layers *l = ctx;

    if (l->bundle.snp_chain(l->bundle.ctx, product, vlek, pem, NULL) ==
        ASSAY_OK)
        return ASSAY_OK;
    return l->service.snp_chain(l->service.ctx, product, vlek, pem, err);
}

static enum assay_status
layers_crl(void *ctx, enum snp_product product, bool vlek, struct buffer *der,
           struct assay_error *err)
{
    struct collateral_layers *l = ctx;
    enum assay_status st =
        l->service.snp_crl(l->service.ctx, product, vlek, der, err);

    if (st != ASSAY_OK &&
        l->bundle.snp_crl(l->bundle.ctx, product, vlek, der, NULL) == ASSAY_OK)
        return ASSAY_OK;
    return st;
}

/* Everything of Intel's is renewed, so the service is asked first. */
static enum assay_status
layers_tdx(void *ctx, const struct tdx_collateral_want *want,
           struct arena *arena, struct tdx_collateral *out,
           struct assay_error *err)
{
    const struct collateral_layers *l = ctx;
    struct tdx_collateral kept = { 0 };
    enum assay_status st = ASSAY_ERR_IO;

    if (l->service.tdx_collateral)
        st = l->service.tdx_collateral(l->service.ctx, want, arena, out, err);
    if (st == ASSAY_OK)
        return st;
    (void)!l->bundle.tdx_collateral(l->bundle.ctx, want, arena, &kept, NULL);
    tdx_collateral_fill(out, &kept);
    return tdx_collateral_is_complete(out) ? ASSAY_OK : st;
}

struct collateral_source
collateral_layers_source(struct collateral_layers *layers)
{
    return (struct collateral_source){ .snp_vcek = layers_vcek,
                                       .snp_chain = layers_chain,
                                       .snp_crl = layers_crl,
                                       .tdx_collateral = layers_tdx,
                                       .ctx = layers };
}
