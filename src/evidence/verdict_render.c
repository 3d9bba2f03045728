#include <string.h>

#include "base/clock.h"
#include "codec/json.h"
#include "evidence/verdict.h"

/* --- JSON ---------------------------------------------------------------- */

void
claim_render_json(const struct claim *c, struct json_writer *w)
{
    switch (c->kind) {
    case CLAIM_NUMBER:
        jw_put_u64(w, c->name, c->number);
        break;
    case CLAIM_BOOL:
        jw_put_bool(w, c->name, c->number != 0);
        break;
    case CLAIM_BYTES:
        jw_put_hex(w, c->name, c->bytes);
        break;
    case CLAIM_TEXT:
        jw_put_string(w, c->name, c->bytes);
        break;
    }
}

static void
json_check(struct json_writer *w, const struct check *c)
{
    jw_object(w);
    jw_put_str(w, "name", c->name);
    jw_put_str(w, "ref", c->ref);
    jw_put_str(w, "outcome", check_outcome_name(c->outcome));
    jw_put_str(w, "expected", c->expected);
    jw_put_str(w, "actual", c->actual);
    jw_put_str(w, "reason", c->reason);
    jw_end(w);
}

/* null for what was not determined. */
static void
json_status(struct json_writer *w, const char *key, enum tcb_status status)
{
    jw_put_str(w, key, tcb_status_name(status));
}

static void
json_date(struct json_writer *w, const char *key, int64_t instant)
{
    char text[RFC3339_SIZE];

    rfc3339_format(instant, text);
    jw_put_str(w, key, instant != 0 ? text : NULL);
}

static void
json_tcb(struct json_writer *w, const struct tcb_result *r)
{
    jw_key(w, "tcb");
    jw_object(w);
    json_status(w, "status", r->status);
    json_status(w, "platform", r->platform);
    json_status(w, "qe", r->qe);
    json_status(w, "module", r->module);
    jw_key(w, "advisory_ids");
    jw_array(w);
    for (size_t i = 0; i < r->advisory_count; i++)
        jw_str(w, r->advisory_ids[i]);
    jw_end(w);
    json_date(w, "tcb_date", r->tcb_date);
    jw_put_u64(w, "evaluation_number", r->evaluation_number);
    jw_put_hex(w, "fmspc", span_of(r->fmspc, sizeof(r->fmspc)));
    json_date(w, "collateral_valid_from", r->valid_from);
    json_date(w, "collateral_valid_until", r->valid_until);
    jw_end(w);
}

void
verdict_render_json(const struct verdict *v, struct buffer *out)
{
    struct json_writer w = json_writer_over(out, 2);

    jw_object(&w);
    jw_put_str(&w, "verdict", verdict_result_name(v->result));
    jw_put_str(&w, "tee", v->tee);
    jw_put_bool(&w, "insecure", v->insecure);
    if (v->tcb)
        json_tcb(&w, v->tcb);
    jw_key(&w, "claims");
    jw_object(&w);
    for (size_t i = 0; i < v->claims.count; i++)
        claim_render_json(&v->claims.list[i], &w);
    jw_end(&w);
    jw_key(&w, "checks");
    jw_array(&w);
    for (size_t i = 0; i < v->count; i++)
        json_check(&w, &v->checks[i]);
    jw_end(&w);
    jw_end(&w);
    buffer_add_str(out, "\n");
}

/* --- text ---------------------------------------------------------------- */

#define DIM "\033[2m"
#define BOLD "\033[1m"
#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define RESET "\033[0m"

struct painter {
    struct buffer *out;
    bool colour;
    size_t width;
    size_t name_width; /* of the column of names */
};

static void
paint(struct painter *p, const char *colour, const char *text)
{
    bool painted = p->colour && colour[0] != '\0';

    if (painted)
        buffer_add_str(p->out, colour);
    buffer_add_str(p->out, text);
    if (painted)
        buffer_add_str(p->out, RESET);
}

static void
pad(struct painter *p, size_t used, size_t width)
{
    for (; used < width; used++)
        buffer_add_str(p->out, " ");
}

/* Words of text, wrapped, each further line starting at column indent. Words
 * that are longer than a line (hex) are broken. The line is filled up to
 * column indent. */
static void
wrap(struct painter *p, const char *text, size_t indent)
{
    size_t room = p->width > indent + 16 ? p->width - indent : 16;
    size_t used = 0;

    while (*text) {
        size_t len = strcspn(text, " ");
        size_t take = len < room ? len : room;
        size_t gap = used > 0 && text[-1] == ' ';

        if (used > 0 && used + gap + take > room) {
            buffer_add_str(p->out, "\n");
            pad(p, 0, indent);
            used = gap = 0;
        }
        if (gap)
            buffer_add_str(p->out, " ");
        buffer_add(p->out, span_of(text, take));
        used += gap + take;
        text += take;
        text += strspn(text, " ");
    }
    buffer_add_str(p->out, "\n");
}

static const struct {
    const char *mark; /* on a terminal */
    const char *word; /* in a pipe */
    const char *colour;
} outcomes[] = {
    [CHECK_FAIL] = { "✗", "FAIL   ", RED },
    [CHECK_PASS] = { "✓", "pass   ", GREEN },
    [CHECK_WARN] = { "!", "warn   ", YELLOW },
    [CHECK_SKIPPED] = { "–", "skipped", DIM },
};

static size_t
mark_width(const struct painter *p)
{
    return p->colour ? 1 : strlen(outcomes[0].word);
}

static void
labelled(struct painter *p, size_t indent, const char *label, const char *text)
{
    if (!text[0])
        return;
    pad(p, 0, indent);
    paint(p, DIM, label);
    wrap(p, text, indent + strlen(label));
}

/* One line where it fits: mark, name, what was found. Failures and warnings
 * say why, what was wanted and what came. */
static void
render_check(struct painter *p, const struct check *c, bool explain)
{
    size_t indent = 2 + mark_width(p) + 2 + p->name_width + 2;
    bool bad = c->outcome == CHECK_FAIL || c->outcome == CHECK_WARN;

    buffer_add_str(p->out, "  ");
    paint(p, outcomes[c->outcome].colour,
          p->colour ? outcomes[c->outcome].mark : outcomes[c->outcome].word);
    buffer_add_str(p->out, "  ");
    paint(p, bad ? BOLD : "", c->name);
    pad(p, strlen(c->name), p->name_width);
    buffer_add_str(p->out, "  ");
    if (c->reason[0])
        wrap(p, c->reason, indent);
    else if (!bad && c->actual[0])
        wrap(p, c->actual, indent);
    else
        wrap(p, bad ? "does not hold" : "holds", indent);
    if (bad || explain) {
        labelled(p, indent, "want ", c->expected);
        if (bad || c->reason[0])
            labelled(p, indent, "got  ", c->actual);
    }
    if (explain)
        labelled(p, indent, "ref  ", c->ref);
}

/* Claims a person looks for first; the rest is in --output json. */
static const struct {
    const char *name;
    const char *label;
} key_claims[] = {
    { "product", "product" },
    { "cpu", "processor" },
    { "version", "report version" },
    { "measurement", "measurement" },
    { "mrtd", "MRTD" },
    { "rtmr0", "RTMR0" },
    { "rtmr1", "RTMR1" },
    { "rtmr2", "RTMR2" },
    { "rtmr3", "RTMR3" },
    { "mrconfigid", "MRCONFIGID" },
    { "mrseam", "MRSEAM" },
    { "td_attributes_names", "attributes" },
    { "mrenclave", "MRENCLAVE" },
    { "mrsigner", "MRSIGNER" },
    { "report_data", "report data" },
    { "host_data", "host data" },
    { "chip_id", "chip id" },
    { "vmpl", "vmpl" },
    { "fmspc", "FMSPC" },
    { "piid", "platform" },
};

enum { KEY_CLAIMS = sizeof(key_claims) / sizeof(key_claims[0]) };

static void
render_fact(struct painter *p, const char *label, const char *text)
{
    buffer_add_str(p->out, "  ");
    paint(p, DIM, label);
    pad(p, strlen(label), p->name_width);
    buffer_add_str(p->out, "  ");
    wrap(p, text, p->name_width + 4);
}

static void
render_key_claims(struct painter *p, const struct claims *claims)
{
    for (size_t i = 0; i < KEY_CLAIMS; i++) {
        const struct claim *c = claims_find(claims, key_claims[i].name);
        struct buffer text;

        if (!c)
            continue;
        buffer_init(&text, 1024, p->out->alloc);
        claim_render(c, &text);
        render_fact(p, key_claims[i].label, buffer_str(&text));
        buffer_free(&text);
    }
}

/* "collateral" is how fresh Intel's word is that all this rests on. */
static void
render_tcb(struct painter *p, const struct tcb_result *r)
{
    char from[RFC3339_SIZE], to[RFC3339_SIZE];
    struct buffer text;

    buffer_init(&text, 16 * 1024, p->out->alloc);
    if (r->status != TCB_NONE)
        render_fact(p, "TCB status", tcb_status_name(r->status));
    for (size_t i = 0; i < r->advisory_count; i++)
        buffer_addf(&text, "%s%s", i > 0 ? " " : "", r->advisory_ids[i]);
    if (r->advisory_count > 0)
        render_fact(p, "advisories", buffer_str(&text));
    if (r->status != TCB_NONE) {
        rfc3339_format(r->valid_from, from);
        rfc3339_format(r->valid_until, to);
        buffer_clear(&text);
        buffer_addf(&text, "valid %s to %s, evaluation %u", from, to,
                    r->evaluation_number);
        render_fact(p, "collateral", buffer_str(&text));
    }
    buffer_free(&text);
}

struct tally {
    size_t made; /* not skipped */
    size_t passed;
    size_t failed;
    size_t warned;
};

static struct tally
tally_of(const struct verdict *v)
{
    struct tally t = { 0 };

    for (size_t i = 0; i < v->count; i++) {
        t.made += v->checks[i].outcome != CHECK_SKIPPED;
        t.passed += v->checks[i].outcome == CHECK_PASS;
        t.failed += v->checks[i].outcome == CHECK_FAIL;
        t.warned += v->checks[i].outcome == CHECK_WARN;
    }
    return t;
}

static void
render_headline(struct painter *p, const struct verdict *v)
{
    struct tally t = tally_of(v);
    static const char *const colour[] = { [VERDICT_REFUSED] = BOLD RED,
                                          [VERDICT_ACCEPTED] = BOLD GREEN,
                                          [VERDICT_UNKNOWN] = BOLD YELLOW };

    paint(p, colour[v->result], verdict_result_name(v->result));
    if (v->insecure)
        paint(p, BOLD RED, " INSECURE");
    if (v->result == VERDICT_REFUSED && v->nomem)
        buffer_add_str(p->out, ": out of memory");
    else if (v->result == VERDICT_REFUSED)
        buffer_addf(p->out, ": %zu of %zu checks failed", t.failed, t.made);
    else if (v->result == VERDICT_UNKNOWN)
        buffer_add_str(p->out, ": something that is needed could not be had");
    else
        buffer_addf(p->out, ": %zu of %zu checks passed", t.passed, t.made);
    if (t.warned > 0)
        buffer_addf(p->out, ", %zu warning%s", t.warned,
                    t.warned == 1 ? "" : "s");
    buffer_add_str(p->out, "\n");
    if (v->insecure) {
        buffer_add_str(p->out, "  ");
        wrap(p,
             "rests on a trust anchor that is not the processor vendor's: "
             "proves nothing about hardware",
             2);
    }
}

static bool
worth_showing(const struct check *c, bool explain)
{
    return explain || (c->outcome != CHECK_PASS && !c->waived);
}

static size_t
widest_name(const struct verdict *v, bool explain)
{
    size_t width = strlen("report version");

    for (size_t i = 0; i < v->count; i++) {
        size_t len = strlen(v->checks[i].name);

        if (worth_showing(&v->checks[i], explain) && len > width)
            width = len;
    }
    return width;
}

/* In the order of the verdict, or with what decides in front. */
static void
render_checks(struct painter *p, const struct verdict *v, bool explain)
{
    static const enum check_outcome order[] = { CHECK_FAIL, CHECK_SKIPPED,
                                                CHECK_WARN };
    size_t shown = 0;

    if (explain)
        buffer_add_str(p->out, "\n");
    for (size_t i = 0; explain && i < v->count; i++)
        render_check(p, &v->checks[i], true);
    for (size_t o = 0; !explain && o < sizeof(order) / sizeof(order[0]); o++) {
        for (size_t i = 0; i < v->count; i++) {
            const struct check *c = &v->checks[i];

            if (c->outcome != order[o] || !worth_showing(c, false))
                continue;
            if (shown++ == 0)
                buffer_add_str(p->out, "\n");
            render_check(p, c, false);
        }
    }
}

/* One paragraph for what nobody asked for. */
static void
render_waived(struct painter *p, const struct verdict *v)
{
    static const char label[] = "  not asked for: ";
    struct buffer names;

    buffer_init(&names, 4096, p->out->alloc);
    for (size_t i = 0; i < v->count; i++) {
        if (v->checks[i].waived)
            buffer_addf(&names, "%s%s", names.len > 0 ? ", " : "",
                        v->checks[i].name);
    }
    if (names.len > 0) {
        buffer_add_str(p->out, "\n");
        paint(p, DIM, label);
        wrap(p, buffer_str(&names), sizeof(label) - 1);
    }
    buffer_free(&names);
}

void
verdict_render_text(const struct verdict *v, const struct verdict_style *style,
                    struct buffer *out)
{
    struct painter p = { .out = out,
                         .colour = style->colour,
                         .width = style->width ? style->width : 80,
                         .name_width = widest_name(v, style->explain) };

    render_headline(&p, v);
    if (v->claims.count > 0) {
        buffer_add_str(out, "\n");
        render_key_claims(&p, &v->claims);
        if (v->tcb)
            render_tcb(&p, v->tcb);
    }
    render_checks(&p, v, style->explain);
    if (!style->explain)
        render_waived(&p, v);
}
