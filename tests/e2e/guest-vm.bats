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
    disks=()
    vouchsafe realm init --dir realm >/dev/null
    serve
    prepare_secret
    printf 'a secret of one line' >line.txt
    admin set-resource --path "$secret_path" --resource-file line.txt >/dev/null
}

teardown() { end_suite; }

# disk NAME IMAGE: attaches it to the guests that are booted from now on
disk() { disks+=(-drive "if=none,format=raw,id=$1,file=$2" -device "virtio-blk-device,drive=$1,serial=$1"); }

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
        -netdev user,id=n -device virtio-net-device,netdev=n "${disks[@]}" </dev/null >console.txt 2>&1 3>&-
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
    [ "$(grep -c 'a secret of one line' console)" = 0 ]
    grep -q 'is not an approved value of cca.realm.cca-realm-initial-measurement' serve.log
}

# In the guest: "disk NAME" prints /dev/..., "mount_disk PLACE OPTION=VALUE..." has the hub mount an
# encrypted disk and prints the answer, "left" prints what mappings there are.
disk_tools='
disk() { for d in /sys/block/vd*; do [ "$(cat $d/serial)" != "$1" ] || echo "/dev/${d##*/}"; done; }
mount_disk() {
    place=$1 options="\"encryptionType\":\"luks2\""
    shift
    for o; do options="$options,\"${o%%=*}\":\"${o#*=}\""; done
    echo "{\"volume_type\":\"block-device\",\"mount_point\":\"$place\",\"options\":{$options}}" |
        vouchsafe-guest secure-mount -s - 2>&1
}
left() { ls /dev/mapper /sys/block | grep -v -e control -e vd -e : -e "^$"; }
# pid_of WORD: the one of our programs that was started with it
pid_of() { for pid in $(pidof vouchsafe-guest); do ! grep -q "$1" /proc/$pid/cmdline || echo $pid; done; }
# words_of PID: what there is of letters and digits in its memory
words_of() {
    while read span access rest; do
        case $access in *w*) ;; *) continue ;; esac
        from=$((0x${span%-*} / 4096)) to=$((0x${span#*-} / 4096))
        dd if=/proc/$1/mem bs=4096 skip=$from count=$((to - from)) 2>/dev/null
    done </proc/$1/maps | tr -cs "A-Za-z0-9" "\n"
}
echo'

# An ext4 file system with one file, encrypted by cryptsetup: make_volume IMAGE SECTOR-SIZE
make_volume() {
    PATH=$PATH:/usr/sbin:/sbin
    command -v cryptsetup >/dev/null || skip "no cryptsetup"
    mkdir files
    echo "a line of the disk" >files/file.txt
    truncate -s 8M "$1"
    mkfs.ext4 -q -F -b 4096 -d files "$1"
    truncate -s 40M "$1"
    cryptsetup --batch-mode --disable-locks reencrypt --encrypt --type luks2 --cipher aes-xts-plain64 --key-size 512 \
        --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --hash sha256 --sector-size "$2" --reduce-device-size 32M \
        --volume-key-file volume.key --key-file disk.key "$1"
    run grep -q "a line of the disk" "$1"
    [ "$status" -eq 1 ]
}

# Keys that a shell can look for: the one that the KBS has, and the volume's.
disk_key() {
    printf '%s' "$(openssl rand -hex 16)" >disk.key
    printf '%s' "$(openssl rand -hex 32)" >volume.key
    admin set-resource --path default/disk/1 --resource-file disk.key >/dev/null
}

@test "a guest opens its encrypted disk with a key from the KBS, as its header was checked" {
    endorse_rim >/dev/null
    disk_key
    make_volume volume.img 4096
    digest=$(vouchsafe-guest luks2-header volume.img | sed -n 's/^digest *//p')
    printf '%s\n' "$digest" >digest.txt
    admin set-resource --path default/disk/digest --resource-file digest.txt >/dev/null
    disk volume volume.img
    in_hex=$(od -An -v -tx1 volume.key | tr -d ' \n') # as the kernel is given it
    # Small stacks: all of the memory is looked at.
    boot "ulimit -s 1024$one_by_one$disk_tools" "digest=$digest; keys='$(cat disk.key) $(cat volume.key) $in_hex'; $(cat <<'GUEST'
d=$(disk volume)
id=$(cat /sys/class/block/${d##*/}/dev)
key=kbs:///default/disk/1
open="sourceType=encrypted targetType=fileSystem"
mkdir /mnt /other
ln -s /mnt /link
echo LINK=$(mount_disk /link devicePath=$d $open key=$key)
echo DIGEST=$(mount_disk /mnt devicePath=$d $open key=$key headerDigest=$(echo $digest | tr 0-9 a-j | tr a-j 1-90))
echo KEY=$(mount_disk /mnt devicePath=$d $open key=kbs:///default/disk/digest)
echo LEFT=$(left).
words_of $(pid_of cdh) >/run/words
for k in $keys; do echo AFTERERRORS=$(grep -c $k /run/words); done
echo MOUNTED=$(mount_disk /mnt deviceId=$id $open key=$key headerDigest=kbs:///default/disk/digest mapperName=data)
echo FILE=$(cat /mnt/file.txt). $(grep ' /mnt ' /proc/mounts)
echo AGAIN=$(mount_disk /other devicePath=$d $open key=$key)
words_of $(pid_of cdh) >/run/words
for k in $keys; do echo AFTERMOUNT=$(grep -c $k /run/words); done
echo CONTROL=$(grep -c VOUCHSAFE /run/words)
GUEST
)"
    tr -d '\r' <console.txt >console
    grep '^[A-Z]*=' console
    grep -q '^LINK=.*with no symbolic link on the way' console
    grep -q "^DIGEST=.*has the digest $digest, which is not the expected one" console
    grep -q '^KEY=.*the key opens no keyslot' console
    grep -q '^LEFT=\.$' console
    grep -q '^MOUNTED=mount succeeded!$' console
    grep -q '^FILE=a line of the disk\. /dev/mapper/data /mnt ext4 rw,nosuid,nodev,noatime' console
    grep -q '^AGAIN=.*busy' console
    # No key is left in memory, wherever it failed; what is there is found.
    [ "$(grep -c '^AFTERERRORS=0$' console)" = 3 ]
    [ "$(grep -c '^AFTERMOUNT=0$' console)" = 3 ]
    grep -q '^CONTROL=[1-9]' console
}

# A mkfs.ext4 before the real one that does what /fake/mode says.
breaking_mkfs='
mkdir /fake
cat >/fake/mkfs.ext4 <<MKFS
#!/bin/busybox sh
case \$(cat /fake/mode) in
fail) exit 1 ;;
hang) touch /fake/hangs; exec sleep 1000 ;;
*) exec /bin/mkfs.ext4 "\$@" ;;
esac
MKFS
chmod +x /fake/mkfs.ext4
echo fail >/fake/mode
export PATH=/fake:$PATH'

@test "a guest does not open a disk whose header was given the null cipher, and encrypts an empty one with a key of its own" {
    endorse_rim >/dev/null
    disk_key
    make_volume volume.img 512
    "$VS_ROOT/tests/e2e/luks2_null.py" volume.img
    truncate -s 8M empty.img files.img
    disk volume volume.img
    disk empty empty.img
    disk files files.img
    boot "$breaking_mkfs$together$disk_tools" "$(cat <<'GUEST'
mkdir /mnt
echo NULL=$(mount_disk /mnt devicePath=$(disk volume) sourceType=encrypted targetType=fileSystem key=kbs:///default/disk/1)
files="devicePath=$(disk files) sourceType=empty targetType=fileSystem"
echo FAILED=$(mount_disk /mnt $files)
echo LEFT=$(left).
echo hang >/fake/mode
mount_disk /mnt $files >/dev/null &
until [ -e /fake/hangs ]; do sleep 0.1; done
echo MEANWHILE=$(left | wc -l)
kill $(pid_of secure-mount)
for i in 1 2 3 4 5 6 7 8 9 10; do [ "$(left)" ] && sleep 0.5; done
echo DESERTED=$(left)$(pidof sleep)$(grep -c /mnt /proc/mounts).
echo work >/fake/mode
echo MADE=$(mount_disk /mnt $files "mkfsOpts=-m 0 -L scratch")
grep ' /mnt ' /proc/mounts
echo 'what only a file may hold' >/mnt/file
sync
empty="devicePath=$(disk empty) sourceType=empty"
echo DEVICE=$(mount_disk /scratch $empty targetType=device mapperName=scratch)
readlink /scratch
echo 'what only the guest may read' | dd of=/scratch conv=notrunc 2>/dev/null
sync
echo 3 >/proc/sys/vm/drop_caches
echo READ=$(dd if=/scratch bs=28 count=1 2>/dev/null).
GUEST
)"
    tr -d '\r' <console.txt >console
    grep '^[A-Z]*=' console
    grep -q '^NULL=.*"encryption" is "cipher_null-ecb", must be "aes-xts-plain64"' console
    grep -q '^FAILED=.*mkfs.ext4 failed' console
    grep -q '^LEFT=\.$' console
    # Whoever asked has left: nothing is left of it, and it may be asked for again.
    grep -q '^MEANWHILE=[1-9]' console
    grep -q '^DESERTED=0\.$' console
    grep -q '^MADE=mount succeeded!$' console
    grep -q '^/dev/mapper/[0-9a-f]* /mnt ext4 rw,nosuid,nodev,noatime' console
    grep -q '^DEVICE=mount succeeded!$' console
    grep -q '^/dev/mapper/scratch$' console
    grep -q '^READ=what only the guest may read\.$' console
    [ "$(cat empty.img files.img | grep -c 'what only')" = 0 ]
    for image in empty.img files.img; do [ "$(tr -d '\0' <$image | wc -c)" -gt 0 ]; done
}
