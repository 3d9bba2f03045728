/* What every fuzz target shares.
 *
 * A target is fuzz_<module>.c with the libFuzzer entry below. It asserts a
 * property of its module ("what decodes, encodes to the same bytes"), not just
 * survival, and calls fuzz_success() where an input got all the way through:
 * a target that never gets there tests the first length check and little else.
 *
 * Its seeds lie in seeds/<module>/ and say by their name what they promise:
 *
 *   ok-*    reaches fuzz_success(); each target has at least one
 *   bad-*   does not reach it: a refusal we want to keep
 *   other   only has to survive
 *
 * replay.c runs all of them in the ordinary test suite. */
#ifndef ASSAY_FUZZ_H
#define ASSAY_FUZZ_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input at hand was accepted in full. Does nothing under libFuzzer. */
void fuzz_success(void);

#endif
