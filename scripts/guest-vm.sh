#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prepares a whole arm64 guest for tests/e2e/guest-vm.bats in build/guest-vm: the distribution's
# kernel, and an initramfs with the static programs of `make guest`, a shell and the drivers of the
# machine that qemu emulates. The test adds its own files to it.
set -eu
cd "$(dirname "$0")/.."
out=$PWD/build/guest-vm

if ! command -v qemu-system-aarch64 >/dev/null || ! command -v cpio >/dev/null; then
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq >/dev/null
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends qemu-system-arm cpio >/dev/null
fi
scripts/make-guest.sh aarch64
scripts/foreign-packages.sh arm64 "$out/packages" @linux-image-cloud-arm64 busybox-static \
    e2fsprogs libext2fs2 libcom-err2 libblkid1 libuuid1 libc6

root=$out/root
rm -rf "$root"
mkdir -p "$root/bin" "$root/lib" "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/etc"
cp "$out"/packages/bin/busybox "$root/bin/busybox"
for name in vouchsafe-guest vouchsafe-realm; do cp "build/guest-aarch64/$name" "$root/bin/"; done
# What makes file systems is not there as a static program.
cp "$out"/packages/sbin/mke2fs "$root/bin/mkfs.ext4"
find "$out/packages" -name ld-linux-aarch64.so.1 -exec cp -L {} "$root/lib/" \; -quit
for library in libext2fs.so.2 libe2p.so.2 libcom_err.so.2 libblkid.so.1 libuuid.so.1 libc.so.6; do
    find "$out/packages" -name "$library" -exec cp -L {} "$root/lib/" \; -quit
done
# In the order in which they must be loaded.
for module in virtio_ring virtio virtio_mmio failover net_failover virtio_net virtio_blk dax dm-mod dm-crypt ecb xts; do
    find "$out/packages/lib/modules" -name "$module.ko" -exec cp {} "$root/lib/" \;
    echo "$module"
done >"$root/lib/order"
(cd "$root" && find . | cpio -o -H newc --quiet) >"$out/base.cpio"
cp "$out"/packages/boot/vmlinuz-* "$out/vmlinuz"
rm -rf "$root"
echo "build/guest-vm: kernel and initramfs of $(stat -c %s "$out/base.cpio") bytes"
