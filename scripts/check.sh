#!/usr/bin/env bash
# Every test and check of the project. What passed is one line each, what
# failed is shown in full; the last line counts them all.
#
#   scripts/check.sh [STEP...]
#
# Steps: release clang sanitize unit python layers lint. Without arguments: all.
set -uo pipefail
cd "$(dirname "$0")/.."

jobs=${JOBS:-$(nproc)}
release=build-check
sanitize=build-asan
fuzz=build-fuzz
logs=build-check-logs
steps=${*:-release clang sanitize unit python layers lint}
rm -rf "$logs"
mkdir -p "$logs"
: >"$logs/counts"

# A sanitizer's finding must not look like an exit code of ours (0 to 3).
export ASAN_OPTIONS=exitcode=99:detect_stack_use_after_return=1
# libfuse keeps 16 bytes of its own when a mount ends by a signal.
export LSAN_OPTIONS=suppressions=$PWD/scripts/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=exitcode=99:halt_on_error=1:print_stacktrace=1
export ASSAY_BUILD=$PWD/$sanitize PYTHONDONTWRITEBYTECODE=1

wanted() { case " $steps " in *" $1 "*) ;; *) return 1 ;; esac }
say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*"; }
count() { printf '%s %s %s\n' "$1" "$2" "$3" >>"$logs/counts"; }

# step NAME COMMAND...: one check, whose output matters only when it fails.
step() {
    local name=$1 log
    shift
    log=$logs/$(printf %s "$name" | tr -c 'a-z0-9\n' -).log
    if "$@" >"$log" 2>&1 </dev/null; then
        say "ok    $name"
        count 1 0 0
    else
        cat "$log"
        say "FAIL  $name"
        count 0 1 0
        return 1
    fi
}

skip() {
    say "SKIP  $1: $2"
    count 0 0 1
}

# build DIRECTORY OPTION...: configure, or configure again, and compile.
build() {
    local dir=$1
    shift
    if [ -f "$dir/build.ninja" ]; then
        meson setup --reconfigure "$dir" "$@"
    else
        meson setup "$dir" "$@"
    fi && ninja -C "$dir" -j "$jobs"
}

# tally NAME REPORT...: adds a runner's own report to the counts.
tally() {
    local name=$1 line
    shift
    if ! line=$(scripts/count-tests.py "$@" 2>"$logs/$name.detail"); then
        line='0 1 0'
        echo "no report from $name"
    fi
    cat "$logs/$name.detail"
    # shellcheck disable=SC2086 # three numbers
    count $line
    # shellcheck disable=SC2086
    set -- $line
    say "$([ "$2" = 0 ] && echo ok || echo FAIL)    $name: $1 passed, $2 failed, $3 skipped"
}

run_unit() {
    meson test -C "$sanitize" --num-processes "$jobs" --timeout-multiplier 4 \
        >"$logs/unit.log" 2>&1 </dev/null
    tally unit --meson "$sanitize/meson-logs/testlog.json"
}

run_python() {
    local dirs=
    # Memory is measured of programs without sanitizers.
    [ ! -x "$release/cmd/coordinator/assay-coordinator" ] ||
        export ASSAY_RELEASE_BUILD=$PWD/$release
    for dir in tests/cli tests/conformance tests/e2e tests/interop; do
        [ -d "$dir" ] && dirs="$dirs $dir"
    done
    [ -n "$dirs" ] || return 0
    # Debian's own interpreter: the packages of setup-debian.sh are for it.
    # shellcheck disable=SC2086
    /usr/bin/python3 -m pytest -q -p no:cacheprovider --tb=short \
        --junit-xml="$logs/python.xml" $dirs >"$logs/python.log" 2>&1 </dev/null
    local status=$?
    [ "$status" = 0 ] || cat "$logs/python.log"
    tally python --junit "$logs/python.xml"
}

if wanted release; then
    step "release build without warnings" build "$release" \
        -Dwerror=true || built=no
fi
if wanted clang; then
    if command -v clang >/dev/null; then
        CC=clang step "clang build without warnings, with libFuzzer" \
            build "$fuzz" -Dwerror=true -Dfuzz=true \
            -Db_sanitize=address,undefined -Db_lundef=false
    else
        skip "clang build" "clang is not installed"
    fi
fi
if wanted sanitize; then
    # Instrumented code makes gcc warn of what cannot happen: no -Werror here.
    step "build with ASan and UBSan" build "$sanitize" \
        -Db_sanitize=address,undefined -Doptimization=1 || built=no
fi
if [ "${built:-yes}" = yes ]; then
    ! wanted unit || run_unit
    ! wanted python || run_python
else
    skip "all tests" "there is nothing to run, the build failed"
fi
if wanted layers; then
    for rule in includes crypto poison headers globals; do
        step "layers: $rule" scripts/check-layers.py "$release" "$rule"
    done
fi
if wanted lint; then
    if command -v clang-tidy >/dev/null; then
        step "clang-tidy" env JOBS="$jobs" scripts/lint.sh "$release"
    else
        skip "clang-tidy" "not installed"
    fi
    if command -v clang-format >/dev/null; then
        step "clang-format" scripts/check-format.sh
    else
        skip "clang-format" "not installed"
    fi
fi

awk '{ p += $1; f += $2; s += $3 }
     END { printf "%d passed, %d failed, %d skipped\n", p, f, s
           exit f > 0 || p == 0 }' "$logs/counts"
