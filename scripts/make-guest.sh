#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the static vouchsafe-guest, kbs-client and (for tests) vouchsafe-realm for one architecture: make-guest.sh aarch64|x86_64
#
# The libraries are the distribution's own static ones, of the target's architecture, unpacked into
# build/sysroot-ARCH: nothing is installed for another architecture, and nothing is compiled but the
# project. The results are in build/guest-ARCH, stripped.
set -eu
cd "$(dirname "$0")/.."

arch=${1:?usage: make-guest.sh aarch64|x86_64}
case $arch in
aarch64) debian=arm64 cc=aarch64-linux-gnu-gcc package=gcc-aarch64-linux-gnu libc=libc6-dev-arm64-cross ;;
x86_64) debian=amd64 cc=x86_64-linux-gnu-gcc package=gcc libc=libc6-dev ;;
*)
    echo "make-guest.sh: no such architecture: $arch" >&2
    exit 2
    ;;
esac
triplet=$arch-linux-gnu
build=$PWD/build/guest-$arch
root=$PWD/build/sysroot-$arch
packages="libssl-dev libevent-dev libnghttp2-dev libgmp-dev zlib1g-dev"

if ! command -v "$cc" >/dev/null || ! dpkg-query -W "$libc" >/dev/null 2>&1; then
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq >/dev/null
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$package" "$libc" >/dev/null
fi

# shellcheck disable=SC2086  # a list of words is meant
scripts/foreign-packages.sh "$debian" "$root" $packages

# Size counts: sections that nothing uses are dropped, and a static program needs no relocation.
cat >"$root/cross.ini" <<CROSS
[binaries]
c = '$cc'
ar = '${cc%gcc}gcc-ar'
strip = '${cc%gcc}strip'
pkgconfig = 'pkg-config'
[properties]
pkg_config_libdir = '$root/usr/lib/$triplet/pkgconfig'
sys_root = '$root'
[built-in options]
c_args = ['-isystem', '$root/usr/include', '-isystem', '$root/usr/include/$triplet', '-ffunction-sections', '-fdata-sections',
          '-fno-asynchronous-unwind-tables', '-fno-pie']
c_link_args = ['-static', '-no-pie', '-L$root/usr/lib/$triplet', '-Wl,--gc-sections', '-Wl,--build-id=none',
               '-Wl,-z,noseparate-code', '-Wl,-T,$PWD/scripts/no-unwind.ld']
[host_machine]
system = 'linux'
cpu_family = '$arch'
cpu = '$arch'
endian = 'little'
CROSS
log=$build.log
fail() {
    cat "$log" >&2
    exit 1
}
if [ ! -e "$build/build.ninja" ]; then
    rm -rf "$build"
    meson setup "$build" --cross-file "$root/cross.ini" -Dguest=true -Dbuildtype=minsize -Db_lto=true \
        -Db_pie=false -Db_staticpic=false >"$log" 2>&1 || fail
fi
ninja -C "$build" >"$log" 2>&1 || fail
for name in vouchsafe-guest kbs-client vouchsafe-realm; do
    "${cc%gcc}strip" -s -R .comment -o "$build/$name" "$build/src/cmd/$name"
    size=$(stat -c %s "$build/$name")
    packed=$(gzip -9c "$build/$name" | wc -c)
    echo "build/guest-$arch/$name: $size bytes, $packed compressed"
done
for name in attestation-agent confidential-data-hub api-server-rest grpc-aa grpc-cdh; do
    ln -sf vouchsafe-guest "$build/$name"
done
