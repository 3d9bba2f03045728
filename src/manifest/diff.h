/* What changed from one manifest to the next, in terms of what they mean:
 * white space, the order of policies and the spelling of keys do not matter,
 * the order of seedshare owners does (contrast-interop section 3.1). */
#ifndef ASSAY_MANIFEST_DIFF_H
#define ASSAY_MANIFEST_DIFF_H

#include "base/buffer.h"
#include "codec/json.h"
#include "manifest/manifest.h"

enum manifest_change_kind {
    MANIFEST_ADDED,
    MANIFEST_REMOVED,
    MANIFEST_CHANGED,
};

enum manifest_subject {
    MANIFEST_POLICY,
    MANIFEST_REFERENCE_VALUE,
    MANIFEST_WORKLOAD_OWNER,
    MANIFEST_SEEDSHARE_OWNER,
    MANIFEST_OTHER,
};
enum { MANIFEST_SUBJECTS = MANIFEST_OTHER + 1 };

struct manifest_change {
    enum manifest_change_kind kind;
    enum manifest_subject subject;
    const char *name;  /* "coordinator [coordinator *]", "snp Genoa" */
    const char *field; /* "hash", "MinimumTCB.SNPVersion"; "" for the whole */
    const char *from;  /* "" for what was added */
    const char *to;    /* "" for what was removed */
};

/* In the arena. */
struct manifest_diff {
    struct manifest_change *list;
    size_t count, cap;
    bool same_bytes;
    struct arena *arena;
    bool nomem;
};

/* Both must have been decoded. ASSAY_ERR_NOMEM */
ASSAY_MUST_CHECK
enum assay_status manifest_diff(const struct manifest *from,
                                const struct manifest *to, struct arena *arena,
                                struct manifest_diff *out,
                                struct assay_error *err);

const char *manifest_change_kind_name(enum manifest_change_kind kind);
const char *manifest_subject_name(enum manifest_subject subject);

/* "2 policies added, 1 reference value changed", or "nothing". One line. */
void manifest_diff_summary(const struct manifest_diff *d, struct buffer *out);

/* Every change, on lines that begin with indent; names are escaped. */
void manifest_diff_render_text(const struct manifest_diff *d,
                               const char *indent, struct buffer *out);

/* An array of {"kind","subject","name","field","old","new"}. */
void manifest_diff_render_json(const struct manifest_diff *d,
                               struct json_writer *w);

#endif
