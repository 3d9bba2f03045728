#!/usr/bin/env bash
# The whole story on one machine, with simulated processors, told as it runs.
#
#   scripts/demo.sh [BUILD-DIRECTORY]
#
# Exit code 0 only when every row of the table at the end is as expected.
set -euo pipefail
cd "$(dirname "$0")/.."

build=$(realpath "${1:-build}")
export PATH=$build/cmd/cli:$build/cmd/sim:$build/cmd/initializer:$PATH
attacker=$build/tests/tools/attacker
# A short path: it holds unix sockets, whose names are limited.
dir=$(mktemp -d "${TMPDIR:-/tmp}/assay-demo.XXXXXX")
dev=$dir/dev
export XDG_CACHE_HOME=$dir/cache
rows=$dir/rows
vm=
: >"$rows"

clean_up() {
    [ -z "$vm" ] || kill "$vm" 2>/dev/null || true
    assay dev down --dir "$dev" >/dev/null 2>&1 || true
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

bold=
plain=
if [ -t 1 ]; then
    bold=$(tput bold 2>/dev/null || true)
    plain=$(tput sgr0 2>/dev/null || true)
fi
chapter() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
tell() { printf '%s\n' "$*" | fold -s -w 78; }
show() { sed 's/^/    /'; }

# run COMMAND...: shows a command and what it says.
run() {
    printf '  $ %s\n' "$*" | sed "s|$dir/||g; s|$PWD/||g"
    "$@" 2>&1 | sed "s|$dir/||g; s|$PWD/||g" | show
}

row() { printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >>"$rows"; }
field() { python3 -c 'import json, sys
v = json.load(open(sys.argv[1]))
for key in sys.argv[2:]:
    v = next(p for p in v["pods"] if p["name"] == key[4:]) if key.startswith("pod:") else v[key]
print(v)' "$dev/state.json" "$@"; }

# ---------------------------------------------------------------- a deployment

tell "Two pods, web and store, will run on this machine, which we do not trust: \
each in a (simulated) confidential VM whose processor signs what was started. \
Nothing here is really confidential, and every program will say so: INSECURE."

chapter "1. Bring it up"
tell "A simulated processor vendor, the coordinator in a VM of its own, a \
manifest that says which pods may exist, and the pods."
run assay dev up --dir "$dev" examples/guestbook

chapter "2. What the pods got"
tell "Each pod showed evidence for a fresh key. The coordinator checked it \
against the manifest and answered with a certificate, and with the secret that \
the manifest gives to this pod."
run assay dev status --dir "$dev"
tell "In the pod store:"
run ls -l "$dev/pods/store/contrast/tls-config" "$dev/pods/store/contrast/secrets"
run openssl x509 -in "$dev/pods/store/contrast/tls-config/certChain.pem" -noout \
    -subject -issuer -enddate -ext subjectAltName

user_api=$(field user_api)
mesh_api=$(field mesh_api)
vendor=http://$(field vendor)
web=$(field pod:web address)
store=$(field pod:store address)
identity=$(field pod:web identity)
anchor=$dev/vendor/ark-Genoa.pem
manifest=$dev/owner/manifest.json

# ---------------------------------------------------------------- a data owner

chapter "3. A data owner wants to know whom she talks to"
tell "She has the manifest she was promised. assay verify asks the coordinator \
for its evidence, fetches the whole history of manifests, and compares."
mkdir "$dir/data-owner"
cp "$manifest" "$dir/data-owner/manifest.json"
verify=(assay verify -m manifest.json -c "$user_api" --trust-anchor "$anchor"
    --kds-url "$vendor")
cd "$dir/data-owner"
if run "${verify[@]}"; then
    row "data owner, the promised manifest" accepted accepted "the history is as promised"
else
    row "data owner, the promised manifest" accepted refused "see above"
fi
sed 's/"web"/"spy"/' manifest.json >other.json
tell "With another manifest than the one that is active, it says no:"
if run "${verify[@]/manifest.json/other.json}"; then
    row "data owner, another manifest" refused accepted ""
else
    row "data owner, another manifest" refused refused "the active manifest differs"
fi
cd - >/dev/null

chapter "4. Talking"
tell "The verified root certificate is all she needs to talk to the pods; web \
passes her entry on to store over mutual TLS, where both check names."
ca=$dir/data-owner/verify/coordinator-root-ca.pem
visit() { run curl -sS --cacert "$ca" --connect-to "web:443:$web" "$@" https://web/; }
visit -d "hello from the data owner"
visit
tell "store answers only to web. Without a certificate of the mesh:"
talk() {
    curl -sS --cacert "$ca" --connect-to "store:443:$store" "$@" https://store/ 2>&1
}
if said=$(talk); then got=accepted; else got=refused; fi
printf '%s\n' "$said" | show
row "store, visitor without certificate" refused "$got" "${said##*: }"
tell "And with a genuine certificate of another name, its own:"
tls=$dev/pods/store/contrast/tls-config
said=$(talk --cert "$tls/certChain.pem" --key "$tls/key.pem") || true
printf '%s\n' "$said" | show
case $said in *"this is for web"*) got=refused ;; *) got=accepted ;; esac
row "store, pod of another name" refused "$got" "this is for web"

# -------------------------------------------------------------- dishonest pods

chapter "5. Pods that are not what they say"
tell "Each of these asks the real coordinator for a certificate. The first is \
honest, to show that the attempt itself works; each other differs in one thing."

measurement=$(python3 -c 'import json,sys
print(json.load(open(sys.argv[1]))["ReferenceValues"]["snp"][0]["TrustedMeasurement"])' "$manifest")
coordinator_log=$dev/logs/coordinator.log

# start_vm OPTION...: a simulated processor, honest but for the options.
start_vm() {
    rm -f "$dir/tsm"
    assay-sim vm --state "$dev/vendor" --product Genoa --chip demo \
        --socket "$dir/tsm" "$@" >"$dir/vm.log" 2>&1 &
    vm=$!
    for _ in $(seq 100); do
        [ ! -S "$dir/tsm" ] || return 0
        sleep 0.05
    done
    cat "$dir/vm.log"
    return 1
}
stop_vm() {
    kill "$vm"
    wait "$vm" 2>/dev/null || true
    vm=
}

honest=(--measurement "$measurement" --host-data "$identity" --tcb 9,0,23,72
    --policy 30000)
# with OPTION VALUE...: the honest guest, with these instead.
with() {
    local -a words=("${honest[@]}")
    local i option
    while [ $# -gt 0 ]; do
        option=$1
        for ((i = 0; i < ${#words[@]}; i += 2)); do
            [ "${words[i]}" != "$option" ] || unset "words[i]" "words[i+1]"
        done
        words=("${words[@]}" "$option" "$2")
        shift 2
    done
    guest=("${words[@]}")
}

join() {
    rm -rf "$dir/contrast"
    mkdir "$dir/contrast"
    assay-initializer --coordinator "$mesh_api" --tsm "$dir/tsm" \
        --kds-url "$vendor" --dir "$dir/contrast" --done-file "" --attempts 1 \
        >"$dir/join.log" 2>&1
}
attack() { "$attacker" "$1" "$mesh_api" "$dir/tsm" >"$dir/join.log" 2>&1; }

# attempt NAME EXPECTED PATTERN COMMAND...: one pod, tried once. The reason is
# what the coordinator wrote about it, and has to match the pattern.
attempt() {
    local name=$1 expected=$2 pattern=$3 before got=refused reason
    shift 3
    before=$(wc -l <"$coordinator_log")
    start_vm "${guest[@]}"
    if "$@"; then got=accepted; fi
    stop_vm
    reason=$(tail -n +$((before + 1)) "$coordinator_log" | reason_of "$got")
    if [ "$got" = refused ]; then
        if ! grep -Eqi -- "$pattern" <<<"$reason"; then got="refused, but why?"; fi
        if [ -s "$dir/contrast/tls-config/key.pem" ]; then got="refused, yet a key"; fi
    fi
    printf '  %-28s %-9s %s\n' "$name" "$got" ""
    [ -z "$reason" ] || fold -s -w 72 <<<"$reason" | sed 's/^/      /'
    row "$name" "$expected" "$got" "$reason"
}

# reason_of GOT: from new lines of the coordinator's log, the last refusal.
reason_of() {
    [ "$1" = refused ] || { cat >/dev/null; echo "its certificate was issued"; return; }
    sed -n 's/.*\(error\|reason\)="\(\([^"\\]\|\\.\)*\)".*/\2/p' | tail -n 1
}

with
attempt "honest pod" accepted "" join
with --measurement "$(printf '%s' "another image" | sha384sum | cut -d' ' -f1)"
attempt "wrong measurement" refused "measurement" join
with --host-data "$(printf '%s' "another policy" | sha256sum | cut -d' ' -f1)"
attempt "wrong policy digest" refused "polic|host.?data|identity|not in the manifest" join
with --policy b0000
attempt "debug guest" refused "debug" join
with --tcb 8,0,22,71
attempt "old TCB" refused "tcb" join
with
attempt "replayed evidence" refused "report.?data|nonce" attack replay
with
attempt "evidence for another key" refused "report.?data|nonce" attack other-key
assay-sim revoke --state "$dev/vendor" --product Genoa ask >"$dir/revoke.log" 2>&1
tell "AMD revokes the authority that issued a chip's certificate. The coordinator \
renews the revocation list at most once a minute, so the next attempt comes then."
sleep 61
with --ask-generation 1
attempt "revoked VCEK (its issuer)" refused "revo" join

# --------------------------------------------------------------------- the end

chapter "6. Down again"
run assay dev down --dir "$dev"

chapter "Summary"
awk -F'\t' -v width=78 '
    BEGIN { printf "%-36s %-9s %-9s\n", "case", "expected", "got" }
    { ok = $2 == $3
      printf "%-36s %-9s %-9s %s\n", $1, $2, $3, ok ? "ok" : "WRONG"
      bad += !ok }
    END { printf "\n%d cases, %d as expected, %d wrong\n", NR, NR - bad, bad
          exit bad > 0 || NR == 0 }' "$rows"
