/* fuzz_success() for libFuzzer, which measures progress by coverage. */
#include "fuzz.h"

void
fuzz_success(void)
{
}
