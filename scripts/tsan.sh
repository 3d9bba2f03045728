#!/usr/bin/env bash
# Looks for data races: the daemon's tests with the thread sanitizer.
#
#   scripts/tsan.sh        ASSAY_RACE_SECONDS=30 sets the time under load
#
# Builds into build-tsan. Findings are in build-tsan/reports; only those inside
# libraries that are not ours are suppressed (scripts/tsan.supp).
set -euo pipefail
cd "$(dirname "$0")/.."

build=build-tsan
reports=$build/reports
if [ ! -f "$build/build.ninja" ]; then
    meson setup "$build" -Db_sanitize=thread -Doptimization=1 \
        -Db_lundef=false >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
    rm -f "$build.log"
fi
ninja -C "$build" -j "${JOBS:-$(nproc)}" --quiet
rm -rf "$reports"
mkdir -p "$reports"

export ASSAY_BUILD=$PWD/$build PYTHONDONTWRITEBYTECODE=1
export ASSAY_RACE_SECONDS=${ASSAY_RACE_SECONDS:-30}
export TSAN_OPTIONS="exitcode=66:second_deadlock_stack=1"
TSAN_OPTIONS+=":suppressions=$PWD/scripts/tsan.supp:log_path=$PWD/$reports/race"
failed=0
meson test -C "$build" --num-processes "${JOBS:-$(nproc)}" \
    --timeout-multiplier 10 net-grpc net-http1 atls-handshake collect-kds \
    service-guard store-file >"$reports/unit.log" 2>&1 || failed=1
/usr/bin/python3 -m pytest -q -s -p no:cacheprovider --tb=short \
    tests/e2e/test_race.py || failed=1
for report in "$reports"/race.*; do
    [ -e "$report" ] || continue
    failed=1
    head -n 60 "$report"
done
[ "$failed" = 0 ] && echo "no data races" || { tail -n 20 "$reports/unit.log"; exit 1; }
