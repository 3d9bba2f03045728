/* Intel's service as a collateral source: what it sends becomes what a verdict
 * needs, and nothing else is kept. The vendor is the tests' own. */
#include "../evidence/intel_fixture.h"

#include <stdio.h>

#include "collect/kds.h"
#include "collect/pcs_answer.h"
#include "crypto/random.h"
#include "evidence/tdx_verify.h"

struct service {
    const struct intel_machine *m;
    bool no_chain, other_fmspc, hex_lists, down;
    unsigned calls;
    char last_url[512];
};

static void
url_encode(struct span text, struct buffer *out)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];

        if (c <= ' ' || c == '%' || c == '+' || c == '/' || c == '=')
            buffer_addf(out, "%%%02X", c);
        else
            buffer_add(out, span_of(&c, 1));
    }
}

static struct span
chain_of(const struct intel_machine *m, const char *url)
{
    return strstr(url, "pckcrl") ? m->collateral.pck_crl_issuer_chain
                                 : m->collateral.tcb_info_issuer_chain;
}

static void
give_list(const struct service *s, struct span der, struct buffer *body)
{
    if (s->hex_lists)
        buffer_add_hex(body, der);
    else
        buffer_add(body, der);
}

static enum assay_status
get(void *ctx, const char *url, uint64_t timeout_ms, struct kds_reply *reply,
    struct buffer *body, struct assay_error *err)
{
    struct service *s = ctx;
    const struct tdx_collateral *c = &s->m->collateral;

    (void)timeout_ms;
    s->calls++;
    (void)snprintf(s->last_url, sizeof(s->last_url), "%s", url);
    if (s->down)
        return assay_fail(err, ASSAY_ERR_IO, "GET %s: refused", url);
    reply->status = 200;
    if (reply->want_header && !s->no_chain)
        url_encode(chain_of(s->m, url), reply->header);
    if (strcmp(url, "http://pccs.test/tdx/certification/v4/tcb?"
                    "fmspc=00806f050000") == 0)
        buffer_add(body, c->tcb_info);
    else if (strstr(url, "/tdx/certification/v4/qe/identity"))
        buffer_add(body, c->qe_identity);
    else if (strstr(url, "pckcrl?ca=platform&encoding=der"))
        give_list(s, c->pck_crl, body);
    else if (strstr(url, "rootcacrl"))
        give_list(s, c->root_ca_crl, body);
    else
        reply->status = 404;
    return buffer_check(body, "body", err);
}

static void
no_sleep(void *ctx, uint64_t ms)
{
    (void)ctx;
    (void)ms;
}

struct world {
    struct intel_machine m;
    struct service service;
    int64_t now;
    struct clock clock;
    struct kds *kds;
    struct collateral_source source;
};

static void
world_open(struct world *w)
{
    struct assay_error err = { 0 };

    *w = (struct world){ .now = INTEL_NOW };
    intel_machine_init(&w->m, 4);
    w->service.m = &w->m;
    w->clock = clock_at(&w->now);
    assert_ok(kds_new(&(struct kds_config){ .pcs_url = "http://pccs.test/",
                                            .transport = { get, &w->service },
                                            .clock = &w->clock,
                                            .random = &random_system,
                                            .sleep_ms = no_sleep,
                                            .total_ms = 1 },
                      &w->kds, &err),
              &err);
    w->source = kds_source(w->kds);
}

static void
world_close(struct world *w)
{
    kds_free(w->kds);
    intel_machine_free(&w->m);
}

static enum verdict_result
verify(struct world *w)
{
    static const struct tdx_collateral none = { 0 };
    const struct tdx_verify_params params = { .anchors = &w->m.anchors,
                                              .clock = &w->clock,
                                              .tee = QUOTE_TEE_TDX,
                                              .source = &w->source };
    struct assay_error err = { 0 };
    struct tdx_verified got;
    struct arena arena;
    struct verdict v;
    enum verdict_result result;

    arena_init(&arena, 64 << 20, NULL);
    verdict_init(&v, &arena, "tdx", false);
    assert_ok(
        tdx_verify(buffer_span(&w->m.raw), &none, &params, &v, &got, &err),
        &err);
    result = verdict_conclude(&v);
    if (result == VERDICT_ACCEPTED)
        assert_int_equal(got.tcb.status, TCB_UP_TO_DATE);
    arena_drop(&arena);
    return result;
}

static void
the_service_gives_all_a_verdict_needs(void **state)
{
    (void)state;
    for (int hex = 0; hex < 2; hex++) {
        struct world w;

        world_open(&w);
        w.service.hex_lists = hex;
        assert_int_equal(verify(&w), VERDICT_ACCEPTED);
        assert_int_equal(w.service.calls, 4);
        assert_int_equal(verify(&w), VERDICT_ACCEPTED);
        assert_int_equal(w.service.calls, 4); /* from memory */
        world_close(&w);
    }
}

static void
without_it_nothing_is_known(void **state)
{
    struct world w;

    (void)state;
    world_open(&w);
    w.service.down = true;
    assert_int_equal(verify(&w), VERDICT_UNKNOWN);
    world_close(&w);
    world_open(&w);
    w.service.no_chain = true;
    assert_int_not_equal(verify(&w), VERDICT_ACCEPTED);
    world_close(&w);
}

static void
paths_have_one_spelling(void **state)
{
    static const char *const wrong[] = {
        "/tdx/certification/v4/tcb?fmspc=00806F050000",
        "/tdx/certification/v4/tcb?fmspc=00806f0500",
        "/tdx/certification/v4/tcb",
        "/sgx/certification/v4/pckcrl?ca=root&encoding=der",
        "/sgx/certification/v4/pckcrl?ca=platform",
        "/sgx/certification/v3/rootcacrl",
    };
    struct tdx_collateral_want want = { .tee = QUOTE_TEE_TDX,
                                        .fmspc = { 0, 0x80, 0x6f, 5 } };
    struct kds_path paths[PCS_PATHS], got;
    struct assay_error err = { 0 };

    (void)state;
    for (int i = 0; i < 4; i++) {
        want.tee = i & 1 ? QUOTE_TEE_SGX : QUOTE_TEE_TDX;
        want.processor_ca = i & 2;
        pcs_paths_of(&want, paths);
        for (size_t k = 0; k < PCS_PATHS; k++) {
            assert_ok(kds_path_parse(span_str(paths[k].text), &got, &err),
                      &err);
            assert_int_equal(got.kind, paths[k].kind);
            assert_string_equal(got.text, paths[k].text);
        }
        assert_memory_equal(pcs_path_want(&paths[0]).fmspc, want.fmspc, 6);
    }
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_status(kds_path_parse(span_str(wrong[i]), &got, &err),
                      ASSAY_ERR_MALFORMED);
}

static void
wrap(const struct kds_path *path, struct span body, struct span chain,
     struct buffer *out)
{
    struct assay_error err = { 0 };

    buffer_init(out, 1 << 20, NULL);
    buffer_add(out, body);
    assert_ok(pcs_answer_wrap(path, chain, out, &err), &err);
}

/* Each of the four for each of the four paths: only its own fits. */
static void
answers_are_checked_to_be_what_was_asked(void **state)
{
    struct tdx_collateral_want want = { .tee = QUOTE_TEE_TDX,
                                        .fmspc = { 0, 0x80, 0x6f, 5 } };
    struct kds_path paths[PCS_PATHS];
    struct kds_validity v;
    struct buffer answer;
    struct intel_machine m;
    struct span bodies[PCS_PATHS];

    (void)state;
    intel_machine_init(&m, 4);
    bodies[0] = m.collateral.tcb_info;
    bodies[1] = m.collateral.qe_identity;
    bodies[2] = m.collateral.pck_crl;
    bodies[3] = m.collateral.root_ca_crl;
    pcs_paths_of(&want, paths);
    for (size_t i = 0; i < PCS_PATHS; i++) {
        for (size_t k = 0; k < PCS_PATHS; k++) {
            wrap(&paths[i], bodies[k], span_str("x%0Ay"), &answer);
            assert_status(
                pcs_answer_validity(&paths[i], buffer_span(&answer), &v, NULL),
                i == k ? ASSAY_OK : ASSAY_ERR_MALFORMED);
            buffer_free(&answer);
        }
    }
    want.fmspc[0] = 1; /* another kind of platform */
    pcs_paths_of(&want, paths);
    wrap(&paths[0], bodies[0], span_str(""), &answer);
    assert_status(
        pcs_answer_validity(&paths[0], buffer_span(&answer), &v, NULL),
        ASSAY_ERR_MALFORMED);
    buffer_free(&answer);
    want.processor_ca = true; /* the other CA's list */
    pcs_paths_of(&want, paths);
    wrap(&paths[2], bodies[2], span_str(""), &answer);
    assert_status(
        pcs_answer_validity(&paths[2], buffer_span(&answer), &v, NULL),
        ASSAY_ERR_MALFORMED);
    buffer_free(&answer);
    intel_machine_free(&m);
}

static void
a_broken_chain_header_is_refused(void **state)
{
    static const char *const broken[] = { "%", "%4", "%4g", "ok%" };
    struct kds_path path = { .kind = COLLATERAL_PCK_CRL };

    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        struct assay_error err = { 0 };
        struct buffer body;

        buffer_init(&body, 4096, NULL);
        buffer_add_str(&body, "3000");
        assert_status(pcs_answer_wrap(&path, span_str(broken[i]), &body, &err),
                      ASSAY_ERR_MALFORMED);
        assert_non_null(strstr(err.text, "issuer chain"));
        buffer_free(&body);
    }
}

static void
a_bundle_serves_as_well(void **state)
{
    struct tdx_collateral_want want = { .tee = QUOTE_TEE_TDX,
                                        .fmspc = { 0, 0x80, 0x6f, 5 } };
    struct collateral_item items[PCS_PATHS] = { 0 };
    struct buffer bodies[PCS_PATHS], text;
    struct kds_path paths[PCS_PATHS];
    struct collateral_bundle *bundle = NULL;
    struct assay_error err = { 0 };
    struct world w;

    (void)state;
    world_open(&w);
    pcs_paths_of(&want, paths);
    for (size_t i = 0; i < PCS_PATHS; i++) {
        buffer_init(&bodies[i], 1 << 20, NULL);
        assert_ok(kds_get(w.kds, &paths[i], NULL, &bodies[i], &err), &err);
        items[i] =
            (struct collateral_item){ paths[i], "http://pccs.test", INTEL_NOW,
                                      buffer_span(&bodies[i]) };
    }
    buffer_init(&text, LIMIT_BUNDLE_BYTES, NULL);
    assert_ok(collateral_encode(items, PCS_PATHS, &text, &err), &err);
    assert_ok(collateral_bundle_parse(buffer_span(&text), &bundle, &err), &err);
    w.source = collateral_bundle_source(bundle);
    assert_int_equal(verify(&w), VERDICT_ACCEPTED);
    collateral_bundle_free(bundle);
    buffer_free(&text);
    buffer_init(&text, LIMIT_BUNDLE_BYTES, NULL);
    assert_ok(collateral_encode(items, PCS_PATHS - 1, &text, &err), &err);
    assert_ok(collateral_bundle_parse(buffer_span(&text), &bundle, &err), &err);
    w.source = collateral_bundle_source(bundle);
    assert_int_equal(verify(&w), VERDICT_UNKNOWN); /* no list of the root */
    collateral_bundle_free(bundle);
    buffer_free(&text);
    for (size_t i = 0; i < PCS_PATHS; i++)
        buffer_free(&bodies[i]);
    world_close(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_service_gives_all_a_verdict_needs),
        cmocka_unit_test(without_it_nothing_is_known),
        cmocka_unit_test(paths_have_one_spelling),
        cmocka_unit_test(answers_are_checked_to_be_what_was_asked),
        cmocka_unit_test(a_broken_chain_header_is_refused),
        cmocka_unit_test(a_bundle_serves_as_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
