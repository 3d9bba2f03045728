/* What the builtins on text share. */
#ifndef ASSAY_REGO_BUILTINS_TEXT_H
#define ASSAY_REGO_BUILTINS_TEXT_H

#include "base/arena.h"

/* Offset of the first occurrence at or behind from, or SIZE_MAX. */
size_t text_find(struct span text, struct span part, size_t from);
bool text_begins(struct span text, struct span prefix);
bool text_ends(struct span text, struct span suffix);

/* Bytes of the rune at an offset before the end; a byte that is not UTF-8
 * reads as U+FFFD. */
size_t text_rune(struct span text, size_t at, uint32_t *rune);

/* The offset a number of runes further, at most the end. */
size_t text_skip(struct span text, size_t at, size_t runes);

/* Base64 with line ends skipped, in the standard or the URL alphabet, with
 * padding required or refused. On failure *fault is the offset of the byte at
 * fault, or SIZE_MAX when the arena is spent. */
bool base64_bytes(struct arena *a, struct span text, bool url, bool padded,
                  struct span *out, size_t *fault);

#endif
