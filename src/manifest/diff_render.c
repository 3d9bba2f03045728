#include "manifest/diff.h"

static void
render_change(const struct manifest_change *c, const char *indent,
              struct buffer *out)
{
    static const char marks[] = { '+', '-', '~' };

    buffer_addf(out, "%s%c %s ", indent, marks[c->kind],
                manifest_subject_name(c->subject));
    buffer_add_escaped(out, span_str(c->name));
    if (c->kind != MANIFEST_CHANGED) {
        buffer_addf(out, " %s\n", c->kind == MANIFEST_ADDED ? c->to : c->from);
        return;
    }
    buffer_addf(out, "%s%s\n%s    old ", c->field[0] ? ": " : "", c->field,
                indent);
    buffer_add_escaped(out, span_str(c->from));
    buffer_addf(out, "\n%s    new ", indent);
    buffer_add_escaped(out, span_str(c->to));
    buffer_add_str(out, "\n");
}

void
manifest_diff_render_text(const struct manifest_diff *d, const char *indent,
                          struct buffer *out)
{
    for (size_t i = 0; i < d->count; i++)
        render_change(&d->list[i], indent, out);
}

void
manifest_diff_render_json(const struct manifest_diff *d, struct json_writer *w)
{
    jw_array(w);
    for (size_t i = 0; i < d->count; i++) {
        const struct manifest_change *c = &d->list[i];

        jw_object(w);
        jw_put_str(w, "kind", manifest_change_kind_name(c->kind));
        jw_put_str(w, "subject", manifest_subject_name(c->subject));
        jw_put_str(w, "name", c->name);
        jw_put_str(w, "field", c->field);
        jw_put_str(w, "old", c->from);
        jw_put_str(w, "new", c->to);
        jw_end(w);
    }
    jw_end(w);
}
