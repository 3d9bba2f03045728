/* Whole files, with a ceiling on what is read and no half-written results. */
#ifndef ASSAY_BASE_FILE_H
#define ASSAY_BASE_FILE_H

#include <sys/types.h>

#include "base/buffer.h"

/* Appends the whole file to *out, whose limit is the ceiling. "-" is standard
 * input. ASSAY_ERR_NOT_FOUND, ASSAY_ERR_IO, ASSAY_ERR_LIMIT, ..NOMEM. */
ASSAY_MUST_CHECK
enum assay_status file_read(const char *path, struct buffer *out,
                            struct assay_error *err);

/* Replaces path by bytes: written aside with the mode, fsynced, renamed, and
 * the directory fsynced. After a crash at any line the file is the old one or
 * the new one. */
ASSAY_MUST_CHECK
enum assay_status file_write_atomic(const char *path, struct span bytes,
                                    mode_t mode, struct assay_error *err);

/* Creates path and its missing parents, with this mode whatever the umask is.
 * An existing directory is fine, and stays as it is. */
ASSAY_MUST_CHECK
enum assay_status dir_create(const char *path, mode_t mode,
                             struct assay_error *err);

#endif
