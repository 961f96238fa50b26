#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What an installation puts in place, and whether it would start there.

setup() {
    load common.bash
    pids=()
    work=$(mktemp -d)
    cd "$work" || return 1
    command -v meson >/dev/null || skip "no meson"
    meson install -C "$VS_BUILD" --no-rebuild --tags systemd --destdir "$work/root" >install.log
    bindir=$(python3 - "$VS_BUILD" <<'P'
import json, os, subprocess, sys
text = subprocess.check_output(["meson", "introspect", "--buildoptions", sys.argv[1]])
options = {o["name"]: o["value"] for o in json.loads(text)}
print(os.path.join(options["prefix"], options["bindir"]))
P
    )
    mapfile -t units < <(find root -name '*.service')
}

teardown() { end_suite; }

@test "each unit starts a program that the same installation puts there" {
    [ "${#units[@]}" -eq 8 ]
    for unit in "${units[@]}"; do
        program=$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$unit")
        echo "$unit: $program"
        [ "${program%/*}" = "$bindir" ]
        [ "${program##*/}" = "$(basename "$unit" .service)" ]
        [ -x "$VS_BIN/${program##*/}" ]
        ! grep -q '@[a-z]*@' "$unit"
    done
}

@test "systemd takes every unit: systemd-analyze verify" {
    command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
    mkdir units
    for unit in root/*/lib/systemd/system/* root/*/*/lib/systemd/system/*; do
        [ ! -e "$unit" ] || sed "s|^ExecStart=$bindir/|ExecStart=$VS_BIN/|" "$unit" >"units/${unit##*/}"
    done
    [ "$(find units -type f | wc -l)" -eq 10 ]
    export SYSTEMD_UNIT_PATH=$work/units:
    for unit in units/*; do
        run systemd-analyze verify --man=no "$unit"
        echo "$unit: $output"
        [ "$status" -eq 0 ]
        [[ "$output" != *vouchsafe* && "$output" != *units/* ]]
    done
    sed -i 's/^NoNewPrivileges=yes/NoNewPrivilege=yes/' units/kbs.service # the test does see mistakes
    run systemd-analyze verify --man=no units/kbs.service
    [[ "$output" == *"NoNewPrivilege"* ]]
}

@test "the units are hardened: systemd-analyze gives at most 1.5" {
    command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
    for unit in "${units[@]}"; do
        run systemd-analyze security --offline=true "$unit"
        [ "$status" -eq 0 ] || [[ "$output" != *"unrecognized"* ]] || skip "systemd-analyze is too old"
        figure=$(sed -n 's/.*exposure level for [^:]*: \([0-9.]*\).*/\1/p' <<<"$output")
        echo "$unit: $figure"
        most=1.5
        # Root, since the report device is root's, and without PrivateUsers, to see who calls.
        case "$unit" in */attestation-agent.service | */confidential-data-hub.service) most=1.6 ;; esac
        awk -v f="$figure" -v most="$most" 'BEGIN { exit !(f != "" && f <= most) }'
    done
}

@test "the commands of docs/guest.md for a plain VM make files that agent and hub take" {
    awk '/^## Get a secret in a plain VM/ { on = 1; next } on && /^    / { print substr($0, 5); seen = 1; next } seen { exit }' \
        "$VS_ROOT/docs/guest.md" >commands
    grep -q '^make install' commands
    grep -v '^make install\|^systemctl\|^curl' commands | sed "s#/etc/vouchsafe#$work/host/etc/vouchsafe#" >here
    sh -e here
    printf '[attester]\nallow_sample = true\n' >>host/etc/vouchsafe/aa.toml
    sed -i "1i socket = \"unix://$work/cdh.sock\"" host/etc/vouchsafe/cdh.toml
    unset VOUCHSAFE_TSM_PATH
    start_server aa attestation-agent -a "unix://$work/aa.sock" --config-file host/etc/vouchsafe/aa.toml
    AA_SOCKET=unix://$work/aa.sock start_server cdh confidential-data-hub --config host/etc/vouchsafe/cdh.toml
}

# ---- initramfs ----------------------------------------------------------------------------------

# What the hooks read is below $work/host, and what they call writes its arguments to $work/calls.
prepare_host() {
    mkdir -p host/usr/local/bin host/etc/vouchsafe host/etc/ssl/certs host/hooks
    install -m 755 /dev/null host/usr/local/bin/vouchsafe-guest
    install -m 755 "$VS_ROOT/packaging/initramfs/vouchsafe-guest-start" host/usr/local/bin/
    echo aa >host/etc/vouchsafe/aa.toml
    echo bundle >host/etc/ssl/certs/ca-certificates.crt
    : >calls
}

in_host() { sed "s#/usr/share/initramfs-tools#$work/host/hooks#; s#\([ =]\|\[ -e \)\(/usr/bin\|/usr/local/bin\|/etc/vouchsafe/initramfs.conf\|/etc/ssl/certs/ca-certificates.crt\|/etc/pki/tls/certs/ca-bundle.crt\)\b#\1$work/host\2#g; s#/etc/vouchsafe/\(aa\|cdh\).toml#$work/host&#g" "$1"; }

modules='configfs tsm tsm_report arm-cca-guest tdx-guest sev-guest tpm_tis tpm_crb dm-mod dm-crypt xts ecb aesni-intel aes-ce-blk'

initramfs_tools_hook() {
    in_host "$VS_ROOT/packaging/initramfs/initramfs-tools-hook" >hook
    cat >host/hooks/hook-functions <<H
copy_exec() { echo "exec \$*" >>$work/calls; }
copy_file() { echo "file \$*" >>$work/calls; return 1; } # 1: there already
manual_add_modules() { echo "module \$*" >>$work/calls; [ "\$1" != sev-guest ]; }
H
    DESTDIR=$work/image sh hook
}

@test "the hook of initramfs-tools copies program, settings, certificates and modules" {
    prepare_host
    [ "$(sh "$VS_ROOT/packaging/initramfs/initramfs-tools-hook" prereqs)" = "" ]
    initramfs_tools_hook
    cat calls
    host=$work/host
    grep -qx "exec $host/usr/local/bin/vouchsafe-guest $host/usr/bin/vouchsafe-guest" calls
    grep -qx "file script $host/usr/local/bin/vouchsafe-guest-start $host/usr/bin/vouchsafe-guest-start" calls
    grep -qx "file config $host/etc/vouchsafe/aa.toml $host/etc/vouchsafe/aa.toml" calls
    ! grep -q cdh.toml calls
    grep -qx "file certificates $host/etc/ssl/certs/ca-certificates.crt /etc/vouchsafe/ca.crt" calls
    [ "$(sed -n 's/^module //p' calls | tr '\n' ' ')" = "$modules " ]
}

@test "the hook of initramfs-tools obeys initramfs.conf, and fails without the program" {
    prepare_host
    echo own >host/own.pem
    mkdir host/static
    cp host/usr/local/bin/* host/static
    printf 'program=%s/host/static/vouchsafe-guest\nca=%s/host/own.pem\n' "$work" "$work" >host/etc/vouchsafe/initramfs.conf
    initramfs_tools_hook
    grep -q "^exec $work/host/static/vouchsafe-guest " calls
    grep -qx "file certificates $work/host/own.pem /etc/vouchsafe/ca.crt" calls
    rm host/own.pem
    : >calls
    run initramfs_tools_hook
    [ "$status" -eq 0 ]
    [[ "$output" == *"only certificates of the configuration files are trusted"* ]]
    ! grep -q certificates calls
    rm -r host/etc/vouchsafe/initramfs.conf host/usr/local/bin/vouchsafe-guest
    run initramfs_tools_hook
    [ "$status" -eq 1 ]
    [[ "$output" == *"no vouchsafe-guest"* ]]
}

@test "dracut's module copies the same" {
    prepare_host
    in_host "$VS_ROOT/packaging/initramfs/90vouchsafe-guest/module-setup.sh" >module-setup
    inst() { echo "inst $*" >>calls; }
    inst_simple() { echo "simple $*" >>calls; }
    inst_multiple() { echo "multiple $*" >>calls; }
    instmods() { echo "module $*" >>calls; [ "$1" != tdx-guest ]; }
    dwarn() { echo "warning $*" >>calls; }
    # shellcheck disable=SC1091
    . ./module-setup
    run check
    [ "$status" -eq 255 ]
    [ "$(depends)" = network ]
    installkernel
    install
    cat calls
    host=$work/host
    grep -qx "inst $host/usr/local/bin/vouchsafe-guest $host/usr/bin/vouchsafe-guest" calls
    grep -qx "inst $host/usr/local/bin/vouchsafe-guest-start $host/usr/bin/vouchsafe-guest-start" calls
    grep -qx "multiple -o $host/etc/vouchsafe/aa.toml $host/etc/vouchsafe/cdh.toml" calls
    grep -qx "simple $host/etc/ssl/certs/ca-certificates.crt /etc/vouchsafe/ca.crt" calls
    [ "$(sed -n 's/^module //p' calls | tr '\n' ' ')" = "$modules " ]
    rm host/etc/ssl/certs/ca-certificates.crt
    install
    grep -q '^warning .*only certificates of the configuration files' calls
    rm host/usr/local/bin/vouchsafe-guest
    run check
    [ "$status" -eq 1 ]
}

# guest_start [ARGUMENTS]: the script with a /run and an /etc of its own
guest_start() {
    sed "s#/etc/vouchsafe#$work/host/etc/vouchsafe#g" "$VS_ROOT/packaging/initramfs/vouchsafe-guest-start" >start
    unshare -m sh -c 'mount -t tmpfs none /run && exec sh start "$@"' start "$@"
}

@test "the start script loads modules, mounts configfs and returns when secrets can be had" {
    [ "$(id -u)" = 0 ] || skip "only root mounts"
    unshare -m true 2>/dev/null || skip "no mount namespaces here"
    prepare_host
    mkdir stubs
    for name in modprobe mount; do # mount: the real one for the test's own /run
        printf '#!/bin/sh\necho "%s $*" >>%s/calls\ncase "$*" in *configfs*|-q*) exit 1 ;; esac\nexec /bin/%s "$@"\n' \
            "$name" "$work" "$name" >"stubs/$name"
        chmod +x "stubs/$name"
    done
    PATH=$work/stubs:$PATH
    printf '[attester]\nallow_sample = true\n' >host/etc/vouchsafe/aa.toml
    printf '[kbc]\nname = "offline_fs_kbc"\n' >host/etc/vouchsafe/cdh.toml
    echo bundle >host/etc/vouchsafe/ca.crt
    mkdir etc
    cp /etc/passwd /etc/group etc
    printf '{"a/b/c":"%s"}' "$(printf secret | base64)" >etc/aa-offline_fs_kbc-keys.json
    printf '{"a/b/c":"%s"}' "$(printf planted | base64)" >planted.json
    # as if from the kernel's command line: the files win
    export AA_KBC_PARAMS=cc_kbc::http://127.0.0.1:1 VOUCHSAFE_TSM_PATH=$work/nowhere SSL_CERT_FILE=$work/none \
        OFFLINE_FS_KBC_EXTRA_FILE_PATH=$work/planted.json OPENSSL_CONF=$work/none VOUCHSAFE_IMDS_URL=http://127.0.0.1:1 \
        http_proxy=http://127.0.0.1:1 all_proxy=http://127.0.0.1:1 OTHER="two
lines=and more"
    sed "s#/etc/vouchsafe#$work/host/etc/vouchsafe#g" "$VS_ROOT/packaging/initramfs/vouchsafe-guest-start" >start
    unshare -m sh -c 'mount -t tmpfs none /run && mount --bind etc /etc && sh start -b 127.0.0.1:0 &&
        read -r pid </run/vouchsafe-guest.pid && cat /run/vouchsafe-guest.out &&
        tr "\0" "\n" </proc/$pid/environ | sort >environment
        curl -sS --noproxy "*" "$(sed -n "s/^ready \(http.*\)/\1/p" /run/vouchsafe-guest.out)/cdh/resource/a/b/c"
        kill "$pid"' >out 2>err
    cat out err calls
    grep -q 'secret$' out
    [ "$(cat environment)" = "PATH=$PATH
SSL_CERT_FILE=$work/host/etc/vouchsafe/ca.crt" ]
    for module in tsm arm-cca-guest tdx-guest sev-guest tpm_tis; do grep -qx "modprobe -q $module" calls; done
    grep -q ' /sys/kernel/config ' /proc/mounts || grep -qx 'mount -t configfs none /sys/kernel/config' calls

    rm host/etc/vouchsafe/aa.toml # no TEE, and the sample attester is not asked for
    run guest_start -b 127.0.0.1:0
    [ "$status" -eq 1 ]
    [[ "$output" == *"does not serve"*"no TEE found"* ]]
}
