#!/usr/bin/env bash
# Runs each fuzz target for SECONDS (20), starting from its seeds.
#
#   scripts/fuzz.sh [SECONDS [TARGET...]]
#
# What is found on the way is kept in build-fuzz/corpus/<target>, a crash in
# build-fuzz/crash/<target>-*.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-20}
shift || true
[ -f build-fuzz/build.ninja ] || CC=clang meson setup build-fuzz -Dfuzz=true \
    -Db_sanitize=address,undefined -Db_lundef=false >/dev/null
meson setup --reconfigure build-fuzz >/dev/null
ninja -C build-fuzz --quiet

targets=${*:-$(cd fuzz && ls fuzz_*.c | sed 's/fuzz_\(.*\)\.c/\1/')}
failed=0
for target in $targets; do
    corpus=build-fuzz/corpus/$target
    mkdir -p "$corpus" build-fuzz/crash
    if nice "build-fuzz/fuzz/fuzz_$target" -max_total_time="$seconds" \
        -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=1 \
        -artifact_prefix="build-fuzz/crash/$target-" \
        "$corpus" "fuzz/seeds/$target" >"build-fuzz/$target.log" 2>&1; then
        edges=$(sed -n 's/.*DONE *cov: \([0-9]*\).*/\1/p' "build-fuzz/$target.log" | tail -1)
        runs=$(sed -n 's/stat::number_of_executed_units: //p' "build-fuzz/$target.log")
        printf 'ok    %-18s %10s runs, %6s edges\n' "$target" "$runs" "$edges"
    else
        tail -n 40 "build-fuzz/$target.log"
        printf 'FAIL  %s\n' "$target"
        failed=1
    fi
done
exit "$failed"
