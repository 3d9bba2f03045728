#!/bin/sh
# Installs the Debian packages that a purpose needs and that are missing.
#
#   scripts/setup-debian.sh [--list] build|test|demo|lint|fuzz ...
#
# Says what it installs before it does; does nothing, silently, when nothing
# is missing. Uses sudo when not root. --list only prints the packages.
set -eu

build='gcc libc6-dev make meson ninja-build pkg-config
 libssl-dev libuv1-dev libnghttp2-dev libcurl4-openssl-dev
 libprotobuf-c-dev protobuf-c-compiler libfuse3-dev
 libfyaml-dev zlib1g-dev'
run='openssl fuse3 bubblewrap python3 ca-certificates'
tests='libcmocka-dev binutils curl man-db python3-pytest python3-grpcio
 python3-protobuf python3-cryptography'
lint='clang clang-tidy clang-format'
fuzz='clang'

list_only=false
wanted=
for purpose in "$@"; do
    case $purpose in
    --list) list_only=true ;;
    build) wanted="$wanted $build" ;;
    test) wanted="$wanted $build $run $tests" ;;
    demo) wanted="$wanted $build $run" ;;
    lint) wanted="$wanted $build $lint" ;;
    fuzz) wanted="$wanted $build $fuzz" ;;
    *)
        sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
    esac
done

if $list_only; then
    # shellcheck disable=SC2086 # a list of words
    printf '%s\n' $wanted | sort -u
    exit 0
fi
[ "${ASSAY_NO_SETUP:-}" = "" ] || exit 0

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "setup: not a Debian system, so nothing is installed. Needed there:" >&2
    # shellcheck disable=SC2086
    echo "setup:" $wanted >&2
    exit 0
fi

missing=
for package in $wanted; do
    case " $missing " in *" $package "*) continue ;; esac
    state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) ||
        state=
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup: missing packages, and no sudo to install them with." >&2
        echo "setup: as root: apt-get install --no-install-recommends$missing" >&2
        exit 3
    fi
    as_root=sudo
fi

echo "setup: installing Debian packages:$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
    # No questions and no stdin: this also runs where nobody watches.
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
        -o DPkg::Lock::Timeout=120 "$@" </dev/null >"$log" 2>&1
}
# shellcheck disable=SC2086
if ! { apt update && apt install -y --no-install-recommends $missing; }; then
    cat "$log" >&2
    echo "setup: apt-get failed, see above. By hand:" >&2
    echo "setup:   ${as_root:+sudo }apt-get update" >&2
    echo "setup:   ${as_root:+sudo }apt-get install --no-install-recommends$missing" >&2
    exit 3
fi
