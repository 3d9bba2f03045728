#!/bin/sh
# All C files are formatted as .clang-format says.
set -eu
cd "$(dirname "$0")/.."
git ls-files -z '*.[ch]' | xargs -0 -r clang-format --dry-run -Werror
