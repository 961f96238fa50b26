#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `vouchsafe rim`: a realm's measurements from files and options, in every form that others take.

make_inputs() {
    printf 'FW CONTENT' >fw
    printf 'INITRD CONTENT' >initrd
    # An arm64 Image: text_offset 0, image_size 0x200000, the magic at 56.
    { printf '\0%.0s' {1..16} && printf '\0\0\x20\0\0\0\0\0' && printf '\0%.0s' {1..32} && printf 'ARM\x64' &&
        printf '%05000d' 7; } >Image
    six=(--num-bps 6 --num-wps 6)
    kvmtool=998dfdf6401d69f73ed88ac53d62d5ea2cfac6320b887ce4599aa8671791d4d0
}

setup() {
    load common.bash
    work=$(mktemp -d)
    cd "$work" || return 1
    pids=()
    make_inputs
}

teardown() { end_suite; }

rim() { vouchsafe rim "$@"; }

json() { python3 -c 'import json, sys; print(eval("json.load(sys.stdin)" + sys.argv[1]))' "$1"; }

@test "rim: known answers come out of the command" {
    [ "$(rim kvmtool "${six[@]}" -c 1 -m 512M -o hex)" = "$kvmtool" ]
    [ "$(rim kvmtool "${six[@]}" -c 1 -m 512 -f fw -o hex)" = cf37146fce0ad50e1be1a04580c1024e5449b430b0dd96b6ef5c9a2b73767bf5 ]
    [ "$(rim qemu "${six[@]}" --ipa-bits 52 -o hex)" = cf409055d866eea6c8d5e7862b540ff1cac9b11f125d088587d5ae97a0e3341667cf8fb3983e7377bca5c01d037bd97081ebf3b4dcb648442149749f4d65eeb0 ]
    [ "$(rim qemu "${six[@]}" --hash sha256 -c 2 -m 1G -f fw -k Image -p root=/dev/vda2 -o hex)" = fd3ce1072c3e95cd3a4d1a07729756564f260f9f7e95014418b416673a268b7a ]
}

@test "rim: a pipe gets JSON with all that was measured, --trace each command" {
    rim kvmtool "${six[@]}" -c 1 -m 512M --trace >out.json
    [ "$(json "['rim']" <out.json)" = "$kvmtool" ]
    [ "$(json "['parameters']['num_bps']" <out.json)" = 5 ]
    [ "$(json "['data'][0]['address']" <out.json)" = 0x8fe00000 ]
    [ "$(json "['steps'][-1]['rim']" <out.json)" = "$kvmtool" ]
    [ "$(json "['steps'][1]['command']" <out.json)" = "RMI_RTT_INIT_RIPAS base=0x80000000 top=0x80200000" ]
    [ "$(json "['steps'].__len__()" <out.json)" = $((1 + 256 + 16 + 1)) ]
    rim kvmtool "${six[@]}" -c 1 -m 512M -o text --trace >out.txt
    grep -q "$kvmtool" out.txt
    grep -q 'RMI_REC_CREATE flags=1 pc=0x0 x0=0x8fe00000' out.txt
}

@test "rim: RMM 2.0 measures no RIPAS and knows sha384" {
    rim kvmtool "${six[@]}" -c 1 -m 512M --rmm 2.0 --trace >out.json
    [ "$(json "['rim']" <out.json)" != "$kvmtool" ]
    [ "$(json "['steps'].__len__()" <out.json)" = $((1 + 16 + 1)) ]
    rim kvmtool "${six[@]}" -c 1 -m 512M --rmm 2.0 --hash sha384 -o hex | grep -qE '^[0-9a-f]{96}$'
    run rim kvmtool "${six[@]}" -c 1 -m 512M --hash sha384
    [ "$status" -eq 1 ] && [[ "$output" == *"sha-384 needs RMM 2.0"* ]]
}

@test "rim: the devicetree that is written measures the same when it is given" {
    for vmm in "kvmtool -c 3 -m 512M --pmu --virtio-mmio 2" "qemu -c 3 -i initrd --event-log --no-its" \
        "cloud-hypervisor -c 3 -i initrd --no-serial"; do
        # shellcheck disable=SC2086
        rim $vmm "${six[@]}" --pmu-num-ctrs 4 -k Image -p quiet --output-dtb made.dtb -o hex >made
        # shellcheck disable=SC2086
        rim $vmm "${six[@]}" --pmu-num-ctrs 4 -k Image -p quiet --dtb made.dtb -o hex >given
        cmp made given
    done
    run rim qemu "${six[@]}" -k Image --dtb made.dtb -o hex
    [ "$status" -eq 0 ] && [[ "$output" == *"note: the devicetree speaks of an initrd"* ]]
}

@test "rim: QEMU unpacks a gzip kernel, the others say so" {
    gzip -k Image
    [ "$(rim qemu "${six[@]}" -k Image -o hex)" = "$(rim qemu "${six[@]}" -k Image.gz -o hex)" ]
    [ "$(rim qemu "${six[@]}" -k Image -o hex)" = "$(gunzip -c Image.gz | rim qemu "${six[@]}" -k - -o hex)" ]
    run rim kvmtool "${six[@]}" -c 1 -m 512M -k Image.gz
    [ "$status" -eq 1 ] && [[ "$output" == *"Image.gz"* || "$output" == *"gunzip it"* ]]
    head -c 40 Image.gz >cut.gz
    run rim qemu "${six[@]}" -k cut.gz
    [ "$status" -eq 1 ] && [[ "$output" == *"cut.gz: gzip data ends early"* ]]
}

@test "rim: hosts lower each other, and what is measured must be known" {
    rim kvmtool --host fvp --host kvm --host rmm-1.0-eac5 -c 1 -m 512M >out.json
    [ "$(json "['parameters']" <out.json)" = "{'flags': 2, 's2sz': 33, 'sve_vl': 3, 'num_bps': 1, 'num_wps': 1, 'pmu_num_ctrs': 0}" ]
    printf 'num_bps = 6\nnum_wps = 6\n' >host.toml
    [ "$(rim kvmtool --host host.toml -c 1 -m 512M -o hex)" = "$kvmtool" ]
    run rim kvmtool -c 1 -m 512M
    [ "$status" -eq 1 ] && [[ "$output" == *"the host's ipa_bits"* || "$output" == *"the host's num_bps is not known"* ]]
    printf 'num_bps = 6\nbreakpoints = 6\n' >bad.toml
    run rim kvmtool --host bad.toml -c 1 -m 512M
    [ "$status" -eq 1 ] && [[ "$output" == *"--host bad.toml: \"breakpoints\" is no capability"* ]]
    run rim kvmtool --host nope -c 1 -m 512M
    [ "$status" -eq 1 ] && [[ "$output" == *"neither a file nor one of fvp"* ]]
}

@test "rim: a description by a file" {
    mkdir d
    cp fw d/
    cat >d/realm.toml <<'END'
hash = "sha256"
rmm = "1.0"
[realm]
ipa_bits = 33
num_bps = 6
num_wps = 6
[[ram]]
base = 0x80000000
size = 0x20000000
[[data]]
address = 0x80000000
file = "fw"
[[data]]
address = 0x8fe00000
file = "dtb"
[[rec]]
pc = 0x80000000
gprs = [0x8fe00000]
END
    rim kvmtool "${six[@]}" -c 1 -m 512M -f fw -o hex --output-dtb d/dtb >want
    rim image d/realm.toml -o hex >got
    cmp want got
    rm d/fw
    run rim image d/realm.toml
    [ "$status" -eq 1 ] && [[ "$output" == *"d/fw: cannot open"* ]]
}

@test "rim: reference values are what rvps-tool registers" {
    start_server rvps rvps --address 127.0.0.1:0 --data-dir rv
    rim kvmtool "${six[@]}" -c 1 -m 512M -o reference-values >rv.json
    rvps-tool register --path rv.json --addr "$url"
    [ "$(rvps-tool query -r cca.realm.cca-realm-initial-measurement -a "$url")" = \
        "[\"$(rim kvmtool "${six[@]}" -c 1 -m 512M -o base64)\"]" ]
}

@test "rim: a realm with the computed measurement gets the secret, with one letter changed nothing" {
    rm -rf "$work"
    start_suite
    make_inputs
    realm_of() { rim kvmtool "${six[@]}" -c 2 -m 512M -k Image -i initrd -p "$1" -o "$2"; }
    endorse() { admin set-sample-reference-value cca.realm.cca-realm-initial-measurement "$(realm_of "$1" base64)"; }
    vouchsafe realm init --dir realm --rim "$(realm_of quiet hex)" >/dev/null
    vouchsafe realm run --dir realm --socket "$work/tsm.sock" >realm.out 2>realm.log 3>&- &
    pids+=($!)
    await_ready realm.out >/dev/null
    export VOUCHSAFE_TSM_PATH=$work/tsm.sock
    serve
    prepare_secret
    endorse quieT
    attest >ear.jwt
    run get_with_token ear.jwt
    [ "$status" -eq 1 ] && [[ "$output" == *PolicyDeny* ]]
    grep -qF "$(realm_of quiet base64)" serve.log # which RIM is not approved
    endorse quiet
    attest >ear.jwt
    get_with_token ear.jwt | base64 -d | cmp message.txt -
}

@test "rim: templates of CoMID and CoRIM name the realm by its RIM" {
    rim kvmtool "${six[@]}" -c 1 -m 512M -o comid-template --rpv 0102 >comid.json
    b64=$(rim kvmtool "${six[@]}" -c 1 -m 512M -o base64)
    [ "$(json "['triples']['reference-values'][0]['environment']['class']['id']['value']" <comid.json)" = "$b64" ]
    [ "$(json "['triples']['reference-values'][0]['measurements'][0]['key']['value']" <comid.json)" = cca.rim ]
    [ "$(json "['triples']['reference-values'][0]['measurements'][0]['value']['digests'][0][0]" <comid.json)" = 1 ]
    [ "$(json "['triples']['reference-values'][0]['measurements'][1]['key']['value']" <comid.json)" = cca.rpv ]
    rim qemu "${six[@]}" -f fw -k Image -i initrd -o comid-template >comid.json
    [ "$(json "['triples']['reference-values'][0]['measurements'][1]['key']['value']" <comid.json)" = cca.rem0 ]
    cmp comid.json <(rim qemu "${six[@]}" -f fw -k Image -i initrd -o comid-template)
    rim qemu "${six[@]}" -o corim-template --entity ACME >corim.json
    [ "$(json "['profile']['value']" <corim.json)" = "tag:arm.com,2025:cca_realm#1.0.0" ]
    [ "$(json "['entities'][0]['name']" <corim.json)" = ACME ]
    run rim qemu "${six[@]}" -o comid-template --rpv "$(printf '00%.0s' {1..65})"
    [ "$status" -eq 1 ] && [[ "$output" == *"--rpv: 65 bytes"* ]]
}

@test "rim: the CoRIM is the one that its templates make, and no text for a terminal" {
    realm_of() { rim qemu "${six[@]}" -f fw -k Image -i initrd --rpv 0102 --entity ACME -o "$1"; }
    realm_of comid-template >comid.json
    realm_of corim-template >template.json
    realm_of corim >realm.cbor
    vouchsafe corim create -t template.json -m comid.json | cmp - realm.cbor
    vouchsafe corim show realm.cbor | grep -q cca.rem0
    run script -qec "vouchsafe rim kvmtool ${six[*]} -c 1 -m 512M -o corim" /dev/null
    [ "$status" -eq 1 ] && [[ "$output" == *"redirect it to a file"* ]]
    # Reading it back finds the same measurement.
    id=$(vouchsafe corim show realm.cbor | json "['comids'][0]['triples']['reference-values'][0]['environment']['class']['id']['value']")
    [ "$id" = "$(realm_of base64)" ]
}

@test "rim rem: extends as the RMM does, by hex, by bytes, by digest" {
    [ "$(rim rem hex:616263 -o hex)" = 365aa7d8f7f9402c4b9434502b4cc89ddb09fe50d7cd95b493b834c62d5a5370 ]
    printf abc >abc
    [ "$(rim rem file:abc -o hex)" = "$(rim rem hex:616263 -o hex)" ]
    [ "$(rim rem digest:abc -o hex)" = "$(rim rem "hex:$(sha256sum abc | cut -d' ' -f1)" -o hex)" ]
    [ "$(rim rem hex:61 hex: -o hex)" = "$(rim rem --start "$(rim rem hex:61 -o hex)" hex: -o hex)" ]
    [ "$(rim rem -n 4 hex: | json "['token-index']")" = 3 ]
    # What firmware is expected to do with kernel and initrd is the same.
    [ "$(rim rem --hash sha512 digest:Image digest:initrd -o hex)" = \
        "$(rim qemu "${six[@]}" -f fw -k Image -i initrd | json "['rem0']")" ]
    for index in 0 5 x; do
        run rim rem -n $index hex:61
        [ "$status" -eq 1 ] && [[ "$output" == *"--index $index"* ]]
    done
    run rim rem file:Image
    [ "$status" -eq 1 ] && [[ "$output" == *"did you mean digest:Image?"* ]]
    run rim rem abc
    [ "$status" -eq 1 ] && [[ "$output" == *"must be hex:BYTES, file:PATH or digest:PATH"* ]]
    run rim rem --start 00 hex:61
    [ "$status" -eq 1 ] && [[ "$output" == *"a sha-256 value has 32"* ]]
    run rim rem hex:61 -o corim-template
    [ "$status" -eq 1 ]
}

@test "rim: broken and absurd inputs are refused with the reason, and nothing is printed" {
    refused() { # what it says, then the words
        local said=$1 code=0
        shift
        rim "$@" >out 2>err || code=$?
        [ "$code" -eq 1 ] && [ ! -s out ] && grep -qF -- "$said" err && return
        echo "$*: exit $code, printed $(cat out), said $(cat err)"
        return 1
    }
    printf 'not a kernel' >text
    : >empty
    refused "no arm64 Linux Image" qemu "${six[@]}" -k text
    refused "empty: is empty" qemu "${six[@]}" -k empty
    refused "cannot open" qemu "${six[@]}" -k missing
    refused "no devicetree" qemu "${six[@]}" --dtb text
    refused "0 bytes are no devicetree" qemu "${six[@]}" --dtb empty
    refused "--memory 12Q" qemu "${six[@]}" -m 12Q
    refused "no realm runs in none" qemu "${six[@]}" -m 0
    refused "--memory 99999999T" qemu "${six[@]}" -m 99999999T
    refused "more than 255 GiB" qemu "${six[@]}" -m 1T
    refused "--cpus 0" qemu "${six[@]}" -c 0
    refused "--cpus 513" qemu "${six[@]}" -c 513
    refused "--rmm 3" qemu "${six[@]}" --rmm 3
    refused "--hash md5" qemu "${six[@]}" --hash md5
    refused "did you mean hex" qemu "${six[@]}" -o hez
    refused "num_bps is 65" qemu --num-bps 65 --num-wps 6
    refused "RMM 1.0 does not define 0x8" qemu "${six[@]}" --flags 0x8
    refused "an initrd without a kernel" qemu "${six[@]}" -i initrd
    refused "not inside RAM" kvmtool "${six[@]}" -c 1 -m 512M -f fw --firmware-address 0x1000
    refused "initrd" kvmtool "${six[@]}" -c 1 -m 2M -k Image -i initrd
    run rim kvmtool --pmu --no-pmu
    [ "$status" -eq 2 ]
    run rim
    [ "$status" -eq 2 ]
}

@test "rim: each word of its completion is an option" {
    # shellcheck source=/dev/null
    . "$VS_ROOT/packaging/completion/vouchsafe.bash"
    COMP_CWORD=3
    for sub in kvmtool qemu cloud-hypervisor image rem; do
        help=$(rim "$sub" --help)
        for word in $(_vouchsafe_rim "$sub"); do
            [[ "$help" == *"$word"* ]] || { echo "$sub has no $word"; return 1; }
        done
    done
}

@test "rim: a large file costs no memory" {
    truncate -s 300M big
    peak=$(python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' \
        vouchsafe rim qemu "${six[@]}" -m 2G -k Image -i big)
    [ "$peak" -lt 200000 ] || { echo "$peak KiB"; return 1; }
}
