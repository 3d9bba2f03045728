/* Inside manifest/: reading JSON values into fields, where each fault becomes
 * a finding with its path, and null counts as absent as it does in Go. */
#ifndef ASSAY_MANIFEST_FIELDS_H
#define ASSAY_MANIFEST_FIELDS_H

#include "codec/json.h"
#include "manifest/manifest.h"

/* A value on its way from the root: the path in findings. */
struct place {
    const struct place *up; /* NULL at the root */
    const char *name;       /* a member, or NULL: an element */
    size_t index;
    const struct json *value; /* NULL when absent */
    struct manifest *m;
};

struct place place_root(struct manifest *m, const struct json *value);
/* A member, by its key in any case. */
struct place place_member(const struct place *up, const char *key);
struct place place_element(const struct place *up, size_t index);

bool place_present(const struct place *p);

void note(const struct place *p, enum manifest_severity severity,
          const char *fmt, ...) ASSAY_PRINTF(3, 4);
/* The same without a place in the tree. */
void note_at(struct manifest *m, enum manifest_severity severity, size_t offset,
             const char *path, const char *fmt, ...) ASSAY_PRINTF(5, 6);

/* A warning for each member that is not among known, ended by NULL. */
void note_unknown(const struct place *p, const char *const *known);

/* Each returns true and writes *out only for a present value of that shape;
 * a value of another shape is an error; an absent one is silent. */
bool read_object(const struct place *p);
/* Counts at most limit elements; more are an error. */
/* A list, or the single object of older manifests, which counts as one. */
bool read_list_size(const struct place *p, size_t *count);
bool read_array(const struct place *p, size_t limit, size_t *count);
bool read_text(const struct place *p, struct span *out);
/* Anything but a text is "". */
const char *read_text_or_empty(const struct place *p);
bool read_u64(const struct place *p, uint64_t most, uint64_t *out);
bool read_bool(const struct place *p, bool *out);
bool read_hex(const struct place *p, uint8_t *out, size_t len);
/* Of any even length, into the arena. */
bool read_hex_any(const struct place *p, struct span *out);

/* The same, and an absent value is a finding of that severity. */
bool need_hex(const struct place *p, enum manifest_severity severity,
              uint8_t *out, size_t len);

/* Hex texts of item_len bytes each, back to back in the arena. */
void read_hex_list(const struct place *p, size_t limit, size_t item_len,
                   struct span *out);

/* decode_values.c */
void decode_reference_values(const struct place *p);
/* decode_tdx.c: the list ReferenceValues.tdx, or the object of older files */
void decode_tdx_values(const struct place *p);

#endif
