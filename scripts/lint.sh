#!/usr/bin/env bash
# clang-tidy, with the checks of .clang-tidy, over src/, cmd/ and fuzz/.
#
#   scripts/lint.sh [BUILD-DIRECTORY]
#
# A file is linted again only when it, what it includes, or the checks changed:
# the digest of its preprocessed text is remembered in the build directory.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
stamps=$build/lint
mkdir -p "$stamps"
[ -f "$build/compile_commands.json" ] || meson setup "$build" >/dev/null
# Generated headers must be there before anything is parsed.
ninja -C "$build" --quiet

lint_one() {
    local file=$1 digest stamp
    digest=$( (cat .clang-tidy; clang-tidy --version; scripts/preprocess.py "$build" "$file") |
        sha256sum | cut -c1-40)
    stamp=$stamps/$digest
    [ ! -e "$stamp" ] || return 0
    nice clang-tidy --quiet -p "$build" "$file" 2>"$stamp.err" ||
        { grep -v 'warnings generated' "$stamp.err"; rm "$stamp.err"; return 1; }
    rm "$stamp.err"
    : >"$stamp"
}
export -f lint_one
export build stamps

git ls-files 'src/*.c' 'cmd/*.c' 'fuzz/*.c' |
    xargs -P "${JOBS:-$(nproc)}" -I{} bash -c 'lint_one {}'
