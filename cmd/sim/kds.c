#include "sim/kds.h"

#include <string.h>

#include "base/clock.h"
#include "base/hex.h"
#include "sim/pki.h"

enum { LOG_BYTES_MAX = 256 * 1024 };

void
kds_init(struct kds *kds)
{
    *kds = (struct kds){ .clock = &clock_system };
    pthread_mutex_init(&kds->lock, NULL);
    buffer_init(&kds->log, LOG_BYTES_MAX, NULL);
}

void
kds_free(struct kds *kds)
{
    buffer_free(&kds->log);
    pthread_mutex_destroy(&kds->lock);
}

static int64_t
issue_time(const struct kds *kds)
{
    return kds->now ? kds->now : clock_now(kds->clock);
}

/* --- taking a path apart --- */

/* The part of *rest before mark; *rest becomes what follows it. Without the
 * mark the part is all of it. */
static struct span
take_until(struct span *rest, char mark)
{
    const uint8_t *at = rest->len ? memchr(rest->ptr, mark, rest->len) : NULL;
    size_t n = at ? (size_t)(at - rest->ptr) : rest->len;
    struct span part = span_sub(*rest, 0, n);

    *rest = span_sub(*rest, at ? n + 1 : n, rest->len);
    return part;
}

static bool
parse_level(struct span text, uint8_t *out)
{
    unsigned value = 0;

    if (text.len == 0 || text.len > 3)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text.ptr[i] - '0');
    }
    *out = (uint8_t)value;
    return value <= 255;
}

/* "blSPL=04&teeSPL=00&...", in any order; every level of the product, once. */
static bool
parse_levels(const struct product *p, struct span query, struct tcb *out)
{
    struct tcb t = { 0 };
    const struct {
        const char *name;
        uint8_t *level;
        bool wanted;
    } rows[] = {
        { "fmcSPL", &t.fmc, p->has_fmc },   { "blSPL", &t.boot_loader, true },
        { "teeSPL", &t.tee, true },         { "snpSPL", &t.snp, true },
        { "ucodeSPL", &t.microcode, true },
    };
    unsigned seen = 0, wanted = 0;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        wanted |= rows[i].wanted ? 1u << i : 0;
    while (query.len > 0) {
        struct span value = take_until(&query, '&');
        struct span name = take_until(&value, '=');
        size_t i = 0;

        while (i < 5 && !span_equal_str(name, rows[i].name))
            i++;
        if (i == 5 || !rows[i].wanted || (seen & 1u << i) ||
            !parse_level(value, rows[i].level))
            return false;
        seen |= 1u << i;
    }
    *out = t;
    return seen == wanted;
}

/* --- answers --- */

static void
fail(struct httpd_response *r, int status, const char *text)
{
    r->status = status;
    r->content_type = "text/plain";
    buffer_clear(&r->body);
    buffer_add_str(&r->body, text);
}

static void
finish(struct httpd_response *r, enum assay_status st,
       const struct assay_error *err)
{
    if (st != ASSAY_OK)
        fail(r, st == ASSAY_ERR_NOT_FOUND ? 404 : 500, err->text);
}

static void
answer_chain(const struct kds *kds, const struct product *p, bool vlek,
             struct httpd_response *r)
{
    struct assay_error err = { 0 };
    enum assay_status st = pki_ca_pem(
        kds->state_dir, p, vlek ? CA_ASVK : CA_ASK, PKI_NEWEST, &r->body, &err);

    r->content_type = "application/x-pem-file";
    if (st == ASSAY_OK)
        st = pki_ca_pem(kds->state_dir, p, CA_ARK, PKI_NEWEST, &r->body, &err);
    finish(r, st, &err);
}

static void
answer_crl(const struct kds *kds, const struct product *p,
           struct httpd_response *r)
{
    struct assay_error err = { 0 };
    enum assay_status st =
        pki_crl(kds->state_dir, p, issue_time(kds), &r->body, &err);

    r->content_type = "application/pkix-crl";
    finish(r, st, &err);
}

/* True when a leaf certificate may be issued now; counts it. */
static bool
within_rate(struct kds *kds)
{
    uint64_t now = clock_monotonic_ms(kds->clock) + 1;
    bool ok;

    pthread_mutex_lock(&kds->lock);
    ok =
        kds->last_leaf_ms == 0 || now - kds->last_leaf_ms >= kds->rate_limit_ms;
    if (ok)
        kds->last_leaf_ms = now;
    pthread_mutex_unlock(&kds->lock);
    return ok;
}

static void
refuse_rate(struct httpd_response *r)
{
    fail(r, 429, "too many requests\n");
    r->extra_header = "Retry-After: 10\r\n";
}

static void
answer_leaf(struct kds *kds, struct pki_leaf *leaf, enum fault_kind fault,
            struct httpd_response *r)
{
    struct assay_error err = { 0 };
    enum assay_status st;

    if (!within_rate(kds)) {
        refuse_rate(r);
        return;
    }
    if (fault == FAULT_WRONG_CHIP)
        leaf->chip_id[0] ^= 0xff;
    st = pki_leaf_cert(kds->state_dir, leaf, issue_time(kds), &r->body, &err);
    r->content_type = "application/pkix-cert";
    finish(r, st, &err);
}

static void
answer_vcek(struct kds *kds, const struct product *p, struct span hwid,
            struct span query, enum fault_kind fault, struct httpd_response *r)
{
    struct pki_leaf leaf = { .product = p };

    if (!hex_decode(hwid, leaf.chip_id, p->hwid_size))
        fail(r, 404, "malformed hwID\n");
    else if (!parse_levels(p, query, &leaf.tcb))
        fail(r, 404, "malformed SPL parameters\n");
    else if (!pki_chip_known(kds->state_dir, p, leaf.chip_id))
        fail(r, 404, "unknown chip\n");
    else
        answer_leaf(kds, &leaf, fault, r);
}

static void
answer_vlek(struct kds *kds, const struct product *p, struct span query,
            enum fault_kind fault, struct httpd_response *r)
{
    struct pki_leaf leaf = { .product = p, .csp_id = kds->vlek_csp_id };

    if (!leaf.csp_id)
        fail(r, 401, "VLEKs are for providers\n");
    else if (!parse_levels(p, query, &leaf.tcb))
        fail(r, 404, "malformed SPL parameters\n");
    else
        answer_leaf(kds, &leaf, fault, r);
}

static void
answer(struct kds *kds, struct span target, enum fault_kind fault,
       struct httpd_response *r)
{
    struct span query = target;
    struct span path = take_until(&query, '?');
    struct span root = take_until(&path, '/');
    struct span kind = take_until(&path, '/');
    struct span version = take_until(&path, '/');
    const struct product *p = product_find(take_until(&path, '/'));
    bool vlek = span_equal_str(kind, "vlek");

    if (root.len > 0 || !p || !span_equal_str(version, "v1") ||
        (!vlek && !span_equal_str(kind, "vcek")))
        fail(r, 404, "no such resource\n");
    else if (span_equal_str(path, "cert_chain"))
        answer_chain(kds, p, vlek, r);
    else if (span_equal_str(path, "crl"))
        answer_crl(kds, p, r);
    else if (!vlek)
        answer_vcek(kds, p, path, query, fault, r);
    else if (span_equal_str(path, "cert"))
        answer_vlek(kds, p, query, fault, r);
    else
        fail(r, 404, "no such resource\n");
}

/* --- failures on request --- */

static void
apply_fault(enum fault_kind fault, struct httpd_response *r)
{
    switch (fault) {
    case FAULT_RATE_LIMIT:
        refuse_rate(r);
        break;
    case FAULT_ERROR:
        fail(r, 500, "simulated outage\n");
        break;
    case FAULT_NOT_FOUND:
        fail(r, 404, "simulated absence\n");
        break;
    case FAULT_HANG:
        r->delivery = HTTPD_NOTHING;
        break;
    case FAULT_TRUNCATE:
        r->delivery = HTTPD_HALF;
        break;
    case FAULT_GARBAGE:
        buffer_clear(&r->body);
        buffer_add_str(&r->body, "<html>simulated captive portal</html>\n");
        break;
    case FAULT_NONE:
    case FAULT_WRONG_CHIP: /* already in the certificate */
        break;
    }
}

static void
log_request(struct kds *kds, struct span target, const struct httpd_response *r)
{
    pthread_mutex_lock(&kds->lock);
    if (LOG_BYTES_MAX - kds->log.len < target.len + 16)
        buffer_clear(&kds->log);
    buffer_addf(&kds->log, "%d ", r->delivery == HTTPD_NOTHING ? 0 : r->status);
    buffer_add(&kds->log, target);
    buffer_add_str(&kds->log, "\n");
    pthread_mutex_unlock(&kds->lock);
}

void
kds_handle(void *ctx, const struct httpd_request *request,
           struct httpd_response *r)
{
    struct kds *kds = ctx;
    enum fault_kind fault;

    pthread_mutex_lock(&kds->lock);
    fault = fault_take(&kds->faults, request->target);
    pthread_mutex_unlock(&kds->lock);
    if (!span_equal_str(request->method, "GET"))
        fail(r, 405, "only GET\n");
    else
        answer(kds, request->target, fault, r);
    apply_fault(fault, r);
    log_request(kds, request->target, r);
}

/* --- the operator's side --- */

static void
add_faults(struct kds *kds, struct span rules, struct httpd_response *r)
{
    while (rules.len > 0) {
        struct span line = take_until(&rules, '\n');
        struct assay_error err = { 0 };

        if (line.len > 0 && fault_add(&kds->faults, line, &err) != ASSAY_OK) {
            fail(r, 400, err.text);
            return;
        }
    }
}

static void
handle_faults(struct kds *kds, const struct httpd_request *request,
              struct httpd_response *r)
{
    if (span_equal_str(request->method, "DELETE"))
        kds->faults.count = 0;
    else if (span_equal_str(request->method, "POST"))
        add_faults(kds, request->body, r);
    if (r->status == 200)
        fault_list(&kds->faults, &r->body);
}

static void
handle_revoke(struct kds *kds, struct span path, struct httpd_response *r)
{
    struct assay_error err = { 0 };
    const struct product *p = product_find(take_until(&path, '/'));
    bool ask = span_equal_str(path, "ask");

    if (!p || (!ask && !span_equal_str(path, "asvk"))) {
        fail(r, 404, "want /revoke/<Product>/ask or asvk\n");
        return;
    }
    finish(r,
           pki_revoke(kds->state_dir, p, ask ? CA_ASK : CA_ASVK,
                      issue_time(kds), &err),
           &err);
}

static void
handle_requests(struct kds *kds, const struct httpd_request *request,
                struct httpd_response *r)
{
    if (span_equal_str(request->method, "DELETE"))
        buffer_clear(&kds->log);
    buffer_add(&r->body, buffer_span(&kds->log));
}

void
kds_handle_admin(void *ctx, const struct httpd_request *request,
                 struct httpd_response *r)
{
    struct kds *kds = ctx;
    struct span path = request->target;

    take_until(&path, '/');
    if (span_equal_str(take_until(&path, '/'), "revoke") &&
        span_equal_str(request->method, "POST")) {
        handle_revoke(kds, path, r); /* slow: not under the lock */
        return;
    }
    pthread_mutex_lock(&kds->lock);
    if (span_equal_str(request->target, "/faults"))
        handle_faults(kds, request, r);
    else if (span_equal_str(request->target, "/requests"))
        handle_requests(kds, request, r);
    else
        fail(r, 404, "know /faults, /requests, /revoke/<Product>/<ask|asvk>\n");
    pthread_mutex_unlock(&kds->lock);
}
