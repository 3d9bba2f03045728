/* The way of `set` and `verify` to a coordinator: the manifest that says what
 * it must be, an aTLS connection, and the verdict for people to read. */
#ifndef ASSAY_CLI_CONNECT_H
#define ASSAY_CLI_CONNECT_H

#include "atls/validator.h"
#include "common/trust.h"
#include "service/client.h"

struct connect_options {
    struct trust_options trust;
    const char *manifest;
    const char *coordinator;
    const char *workspace;
    uint64_t timeout_s;
    bool strict;
};

#define CONNECT_OPTION_ROWS(type, member)                                      \
    { .name = "manifest",                                                      \
      .help = "the manifest (manifest.json)",                                  \
      OPT_TEXT(type, member.manifest, "FILE"),                                 \
      .letter = 'm' },                                                         \
        { .name = "coordinator",                                               \
          .help = "the coordinator's user API",                                \
          OPT_TEXT(type, member.coordinator, "HOST:PORT"),                     \
          .letter = 'c',                                                       \
          .required = true },                                                  \
        { .name = "workspace-dir",                                             \
          .help = "folder of files that are not named explicitly",             \
          OPT_TEXT(type, member.workspace, "DIR") },                           \
        { .name = "timeout",                                                   \
          .help = "how long to try to reach the coordinator",                  \
          OPT_NUMBER(type, member.timeout_s, "SECONDS"),                       \
          .fallback = "60",                                                    \
          .least = 1,                                                          \
          .most = 86400 },                                                     \
    {                                                                          \
        .name = "strict", .help = "warnings about the coordinator refuse it",  \
        OPT_FLAG(type, member.strict)                                          \
    }

struct connection {
    const struct invocation *inv;
    const struct connect_options *options;
    struct trust trust;
    struct manifest manifest; /* the local file */
    struct manifest_appraiser *appraiser;
    struct atls_appraiser judge;
    struct atls_validator validator;
    const struct key *key; /* the caller's own, or NULL */
    /* What was thought of the coordinator; empty before it answered. */
    struct buffer verdict_text, verdict_json, verdict_line;
    bool insecure; /* the verdict rests on something not the vendor's */
};

/* The path of a workspace file: named by the user, or the default name in the
 * workspace. In the invocation's arena; NULL when memory is out. */
const char *workspace_path(const struct invocation *inv, const char *workspace,
                           const char *named, const char *fallback);

/* Loads the manifest and whom to trust. Says what is wrong and returns the
 * exit code. c must not be moved afterwards; connection_close also after a
 * failure. */
int connection_open(const struct invocation *inv,
                    const struct connect_options *options,
                    struct connection *c);
void connection_close(struct connection *c);

/* Runs call, with a sign of life, again while the coordinator cannot be
 * reached, until the time is up. */
ASSAY_MUST_CHECK
enum assay_status connection_call(
    struct connection *c, const char *what,
    enum assay_status (*call)(void *ctx, const struct coordinator *coordinator,
                              struct assay_error *err),
    void *ctx, struct assay_error *err);

#endif
