#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that building and testing need, and nothing when they are there.
set -eu

packages="gcc g++ clang libclang-rt-14-dev meson ninja-build pkg-config python3 scdoc
libssl-dev libevent-dev libcurl4-openssl-dev libsqlite3-dev libgmp-dev libre2-dev libfuse3-dev fuse3
zlib1g-dev libyaml-dev libexpat1-dev libedit-dev libcmocka-dev libjansson-dev libnghttp2-dev libprotobuf-c-dev protobuf-c-compiler
libpq-dev libseccomp-dev libp11-kit-dev nettle-dev bats curl openssl jose postgresql softhsm2
protobuf-compiler python3-grpcio python3-protobuf swtpm cryptsetup-bin e2fsprogs"

missing=""
for p in $packages; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

echo "installing:$missing" >&2
if [ "$(id -u)" = 0 ]; then
    sudo=""
elif command -v sudo >/dev/null; then
    sudo="sudo"
else
    echo "cannot install packages: not root and no sudo. As root: apt-get install$missing" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq >/dev/null
# shellcheck disable=SC2086  # a list of words is meant
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
