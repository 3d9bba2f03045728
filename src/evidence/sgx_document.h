/* The JSON documents that Intel signs, as far as they are alike: an envelope
 * { NAME: body, "signature": 128 hex digits }.
 *
 * The signature covers the body exactly as it was transported, from its first
 * brace to the last: those bytes are verified, and from no others is anything
 * read. Keys that are there twice, or differ in case only, are refused. */
#ifndef ASSAY_EVIDENCE_SGX_DOCUMENT_H
#define ASSAY_EVIDENCE_SGX_DOCUMENT_H

#include "codec/json.h"
#include "evidence/sgx_tcb.h"
#include "evidence/tdx_quote.h"

struct sgx_document {
    struct json body;         /* an object; in the arena */
    struct span signed_bytes; /* borrowed from the text */
    uint8_t signature[QUOTE_SIGNATURE_SIZE];
};

/* text may end in one NUL, as a C program's collateral does.
 *
 * ASSAY_ERR_MALFORMED, ASSAY_ERR_LIMIT, ASSAY_ERR_NOMEM */
ASSAY_MUST_CHECK
enum assay_status sgx_document_decode(struct span text, const char *name,
                                      struct arena *arena,
                                      struct sgx_document *out,
                                      struct assay_error *err);

/* Advisories of one level; sorted as Intel sorted them. */
struct sgx_advisories {
    const char *const *ids;
    size_t count;
};

/* One level of a thing that has a single SVN: a QE, a TDX module. */
struct sgx_isv_level {
    uint16_t isv_svn;
    enum tcb_status status; /* UP_TO_DATE, OUT_OF_DATE or REVOKED */
    int64_t date;
    struct sgx_advisories advisories;
};

struct sgx_isv_levels {
    struct sgx_isv_level *list; /* highest SVN first */
    size_t count;
};

/* The first level at or below svn, or NULL. */
const struct sgx_isv_level *
sgx_isv_level_find(const struct sgx_isv_levels *levels, uint16_t svn);

/* --- reading members ------------------------------------------------------
 *
 * Fails stickily: read through, check once. */
struct sgx_fields {
    struct arena *arena;
    struct assay_error *err;
    enum assay_status st;
};

/* Records the first fault; "what: got ..., want ..." */
void sgx_fields_fail(struct sgx_fields *f, enum assay_status st,
                     const char *what, const struct json *got,
                     const char *want);

void sgx_field_hex(struct sgx_fields *f, const struct json *obj,
                   const char *key, uint8_t *out, size_t size);
uint32_t sgx_field_uint(struct sgx_fields *f, const struct json *obj,
                        const char *key, uint32_t max);
/* "YYYY-MM-DDThh:mm:ssZ", nothing else. */
int64_t sgx_field_date(struct sgx_fields *f, const struct json *obj,
                       const char *key);
/* tcbStatus, which must be in the set (bits 1u << status). */
enum tcb_status sgx_field_status(struct sgx_fields *f, const struct json *obj,
                                 unsigned allowed);
struct sgx_advisories sgx_field_advisories(struct sgx_fields *f,
                                           const struct json *obj);
struct sgx_isv_levels sgx_field_isv_levels(struct sgx_fields *f,
                                           const struct json *obj,
                                           uint32_t max_svn);
/* A non-empty array of at most max items, or NULL. */
const struct json *sgx_field_array(struct sgx_fields *f, const struct json *obj,
                                   const char *key, size_t max);

#endif
