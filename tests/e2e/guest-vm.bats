#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A whole arm64 guest under emulation: Debian's kernel, an initramfs with the static programs, and a
# software realm as its TEE. It attests to a server on this machine's loopback (user networking)
# and hands what it got to its console. `make guest-vm` prepares it.

setup() {
    load common.bash
    vm=$VS_ROOT/build/guest-vm
    command -v qemu-system-aarch64 >/dev/null || skip "no qemu-system-aarch64"
    [ -e "$vm/base.cpio" ] || skip "the guest is not prepared: make guest-vm"
    start_suite
    vouchsafe realm init --dir realm >/dev/null
    serve
    prepare_secret
    printf 'a secret of one line' >line.txt
    admin set-resource --path "$secret_path" --resource-file line.txt >/dev/null
}

teardown() { end_suite; }

# boot START LINES: runs the guest until it powers off; its console in console.txt. START brings up its
# programs.
boot() {
    mkdir -p extra/realm extra/etc
    cp realm/* extra/realm/
    cat >extra/init <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmpfs /run 2>/dev/null || { mkdir -p /run; mount -t tmpfs tmpfs /run; }
for m in \$(cat /lib/order); do insmod /lib/\$m.ko; done
ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
ip route add default via 10.0.2.2
export VOUCHSAFE_TSM_PATH=/run/tsm.sock
vouchsafe-realm run --dir /realm --socket /run/tsm.sock >/run/realm.out 2>&1 &
until grep -q '^ready' /run/realm.out; do sleep 0.1; done
$1
$2
poweroff -f
INIT
    chmod +x extra/init
    (cd extra && find . | cpio -o -H newc --quiet) >extra.cpio
    cat "$vm/base.cpio" extra.cpio >initrd
    timeout 120 qemu-system-aarch64 -M virt -cpu cortex-a57 -m 256 -nographic -no-reboot -kernel "$vm/vmlinuz" -initrd initrd \
        -append "console=ttyAMA0 quiet panic=-1 agent.aa_kbc_params=cc_kbc::http://10.0.2.2:${url##*:}" \
        -netdev user,id=n -device virtio-net-device,netdev=n </dev/null >console.txt 2>&1 3>&-
}

one_by_one='
for program in aa cdh "asr -f all"; do
    vouchsafe-guest $program >"/run/${program%% *}.out" 2>&1 &
    until grep -q "^ready" "/run/${program%% *}.out"; do sleep 0.1; done
done'
together='
vouchsafe-guest all -f all >/run/all.out 2>&1 &
until grep -q "^ready http" /run/all.out; do sleep 0.1; done'

@test "a guest attests and reads its secret from the REST server" {
    endorse_rim >/dev/null
    boot "$together" "echo; wget -q -O - http://127.0.0.1:8006/info; echo; echo SECRET=\$(wget -q -O - http://127.0.0.1:8006/cdh/resource/$secret_path)."
    tr -d '\r' <console.txt >console
    grep -q '"tee":"cca"' console
    grep -q '^SECRET=a secret of one line\.$' console
}

@test "a guest whose RIM is not endorsed gets nothing" {
    boot "$one_by_one" "echo; echo SECRET=\$(wget -q -O - http://127.0.0.1:8006/cdh/resource/$secret_path 2>&1).; cat /run/cdh.out"
    tr -d '\r' <console.txt >console
    grep -q 'PolicyDeny' console
    ! grep -q 'a secret of one line' console
    grep -q 'is not an approved value of cca.realm.cca-realm-initial-measurement' serve.log
}
