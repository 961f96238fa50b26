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
    printf '[aa]\naa_socket = "unix://%s/aa.sock"\n' "$work" >>host/etc/vouchsafe/cdh.toml
    sed -i "1i socket = \"unix://$work/cdh.sock\"" host/etc/vouchsafe/cdh.toml
    unset VOUCHSAFE_TSM_PATH
    start_server aa attestation-agent -a "unix://$work/aa.sock" --config-file host/etc/vouchsafe/aa.toml
    start_server cdh confidential-data-hub --config host/etc/vouchsafe/cdh.toml
}
