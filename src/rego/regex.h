/* Regular expressions in the dialect of RE2, in time linear in the text.
 *
 * Leftmost-first, over Unicode code points; no back references, no looking
 * around. Syntax: literals, ., classes with ranges, POSIX, Perl and Unicode
 * names, groups (capturing, named, with flags i m s U), alternatives, greedy
 * and lazy * + ? {n,m} with counts to 1000, ^ $ \A \z \b \B, \Q..\E.
 * A byte that is not UTF-8 in the text counts as U+FFFD.
 *
 * A compiled pattern is immutable. Searching needs memory, which a matcher
 * keeps from one search to the next. */
#ifndef ASSAY_REGO_REGEX_H
#define ASSAY_REGO_REGEX_H

#include "base/arena.h"
#include "base/error.h"

struct regex;
struct regex_matcher;

/* Compiles pattern, which is copied. ASSAY_ERR_MALFORMED with a sentence
 * "error parsing regexp: WHAT: `WHERE`", ASSAY_ERR_LIMIT, ASSAY_ERR_NOMEM. */
ASSAY_MUST_CHECK
enum assay_status regex_new(struct span pattern, const struct allocator *alloc,
                            struct regex **out, struct assay_error *err);
void regex_free(struct regex *re);

size_t regex_groups(const struct regex *re); /* without the whole, 0 */
/* Of group i from 1; empty when it has none. Groups may share a name. */
struct span regex_group_name(const struct regex *re, size_t i);
/* Instructions: what one character of a text may cost at most. */
size_t regex_size(const struct regex *re);

/* Byte offsets; SIZE_MAX for a group that took no part. */
struct regex_range {
    size_t from, to;
};

ASSAY_MUST_CHECK
enum assay_status regex_matcher_new(const struct allocator *alloc,
                                    struct regex_matcher **out,
                                    struct assay_error *err);
void regex_matcher_free(struct regex_matcher *m);

/* Searches text from an offset on; ^ and \b see what is in front of it.
 *
 *   groups  written when *found: the whole match, then the first count - 1
 *           groups; NULL when count is 0 (which is faster)
 *
 * Fails with ASSAY_ERR_NOMEM only. */
ASSAY_MUST_CHECK
enum assay_status regex_search(struct regex_matcher *m, const struct regex *re,
                               struct span text, size_t from,
                               struct regex_range *groups, size_t count,
                               bool *found);

/* The same by the slower of the two machines only: for tests, which compare
 * them. */
ASSAY_MUST_CHECK
enum assay_status regex_search_parallel(struct regex_matcher *m,
                                        const struct regex *re,
                                        struct span text, size_t from,
                                        struct regex_range *groups,
                                        size_t count, bool *found);

/* --- Compiled patterns by their text --- */

/* Keeps up to LIMIT_REGEX_CACHE patterns; then starts afresh. For one thread
 * at a time. */
struct regex_cache;

ASSAY_MUST_CHECK
enum assay_status regex_cache_new(const struct allocator *alloc,
                                  struct regex_cache **out,
                                  struct assay_error *err);
void regex_cache_free(struct regex_cache *c);
struct regex_matcher *regex_cache_matcher(struct regex_cache *c);

/* *out is borrowed until the cache is asked for another. */
ASSAY_MUST_CHECK
enum assay_status regex_cache_get(struct regex_cache *c, struct span pattern,
                                  const struct regex **out,
                                  struct assay_error *err);

#endif
