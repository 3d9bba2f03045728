#!/usr/bin/env bash
# Speed and memory on this machine, as a Markdown table on stdout.
#
#   scripts/bench.sh [BUILD-DIRECTORY]      REQUESTS=3000 sets the load
#
# Ratios come from one run on one machine; absolute numbers are that machine's.
set -euo pipefail
cd "$(dirname "$0")/.."

build=$(realpath "${1:-build}")
requests=${REQUESTS:-3000}
export PATH=$build/cmd/cli:$build/cmd/sim:$build/cmd/initializer:$PATH
dir=$(mktemp -d "${TMPDIR:-/tmp}/assay-bench.XXXXXX")
dev=$dir/dev
export XDG_CACHE_HOME=$dir/cache
vm=

clean_up() {
    [ -z "$vm" ] || kill "$vm" 2>/dev/null || true
    assay dev down --dir "$dev" >/dev/null 2>&1 || true
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# Mesh API, pod web's identity, measurement and the vendor's address.
fields() {
    python3 -c 'import json, sys
dev = sys.argv[1]
state = json.load(open(dev + "/state.json"))
manifest = json.load(open(dev + "/owner/manifest.json"))
web = next(pod for pod in state["pods"] if pod["name"] == "web")
print(state["mesh_api"], web["identity"],
      manifest["ReferenceValues"]["snp"][0]["TrustedMeasurement"],
      "http://" + state["vendor"])' "$dev"
}
rss_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
row() { printf '| %-44s | %-34s |\n' "$1" "$2"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
size_kib() { # of a program without its debug information
    strip -o "$dir/stripped" "$1"
    echo $(($(stat -c %s "$dir/stripped") / 1024))
}

row "what" "measured"
row "---" "---"

# ------------------------------------------------------------- the coordinator
assay dev up --dir "$dev" examples/guestbook >/dev/null 2>"$dir/up.log" ||
    { cat "$dir/up.log" >&2; exit 1; }
read -r mesh identity measurement vendor <<<"$(fields)"
pid=$(pgrep -f "assay-coordinator.*$mesh" | head -n 1)
row "coordinator, resident, idle" "$(rss_kib "$pid") KiB"

# ------------------------------------------------------------------- cold start
assay-sim report --state "$dev/vendor" --product Genoa --chip bench \
    --measurement "$measurement" --host-data "$identity" --policy 30000 \
    --tcb 9,0,23,72 --report-data "$(printf '%0128d' 0)" --out "$dir/report" \
    --leaf "$dir/vcek" --chain "$dir/chain" --crl "$dir/crl" >/dev/null 2>&1
assay collateral bundle --output-file "$dir/bundle" --report "$dir/report" \
    --kds-url "$vendor" >/dev/null 2>"$dir/bundle.log" || true
collateral=("$dir/vcek" "$dir/chain" "$dir/crl")
source_of=(--cert "$dir/vcek" --cert "$dir/chain" --crl "$dir/crl")
how="from files"
[ ! -s "$dir/bundle" ] || { source_of=(--bundle "$dir/bundle"); how="from a bundle"; }
for _ in $(seq 21); do
    start=$(date +%s%N)
    assay evidence verify --tee snp --offline "${source_of[@]}" \
        --trust-anchor "$dev/vendor/ark-Genoa.pem" "$dir/report" >/dev/null || true
    echo $((($(date +%s%N) - start) / 1000))
done | median >"$dir/cold"
row "evidence verify, cold, $how" "$(awk '{ printf "%.1f ms", $1 / 1000 }' "$dir/cold")"

# ------------------------------------------------------- one report, warm chain
for _ in 1 2 3; do
    "$build/tests/tools/bench-verify" "$(date +%s)" \
        "$dev/vendor/ark-Genoa.pem" "$dir/report" "${collateral[@]}"
done >"$dir/verify"
sed -n 1,4p "$dir/verify" | while read -r line; do row "report, warm chain" "$line"; done
openssl speed -seconds 2 ecdsap384 2>/dev/null >"$dir/openssl" || true
row "openssl speed ecdsap384" "$(awk '/^ *384 bits ecdsa/ { print $NF }' "$dir/openssl") verifications/s"

# ------------------------------------------------------- one quote, warm and cold
"$build/tests/unit/evidence/make-intel-evidence" "$dir/intel"
at=$(date -d 2026-06-01T00:00:00Z +%s)
for _ in 1 2 3; do
    "$build/tests/tools/bench-quote" "$at" "$dir/intel/root.der" "$dir/intel"
done | while read -r line; do row "quote, warm and cold" "$line"; done
openssl speed -seconds 2 ecdsap256 2>/dev/null >"$dir/openssl" || true
row "openssl speed ecdsap256" "$(awk '/^ *256 bits ecdsa/ { print $NF }' "$dir/openssl") verifications/s"

# ----------------------------------------------------------------- NewMeshCert
assay-sim vm --state "$dev/vendor" --product Genoa --chip bench \
    --socket "$dir/tsm" --measurement "$measurement" --host-data "$identity" \
    --policy 30000 --tcb 9,0,23,72 >"$dir/vm.log" 2>&1 &
vm=$!
for _ in $(seq 100); do [ -S "$dir/tsm" ] && break || sleep 0.05; done
"$build/tests/tools/bench-mesh" "$mesh" "$dir/tsm" 4 50 >/dev/null # warms up
read -r n failed _ rate p50 p99 \
    <<<"$("$build/tests/tools/bench-mesh" "$mesh" "$dir/tsm" 4 "$requests")"
row "NewMeshCert, load on the same machine" "$rate/s, p50 $p50 ms, p99 $p99 ms"
row "coordinator, resident, after $n more ($failed failed)" "$(rss_kib "$pid") KiB"

# -------------------------------------------------------------------- programs
cat >"$dir/peak.py" <<'PY'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
PY
peak=$(python3 "$dir/peak.py" assay-initializer --coordinator "$mesh" \
    --tsm "$dir/tsm" --dir "$dir/contrast" --done-file "" --attempts 1 --offline)
row "assay-initializer, peak resident" "$peak KiB"
for program in cli/assay coordinator/assay-coordinator \
    initializer/assay-initializer sim/assay-sim; do
    row "${program#*/}, size on disk, stripped" "$(size_kib "$build/cmd/$program") KiB"
done
