#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The whole chain of Arm CCA with real programs and signed endorsements: compute the RIM of an image,
# sign a CoRIM of it and one of the platform, provision both, attest, receive the secret; then with
# one thing changed at a time: denied, or refused at the door, and each time the reason. The server
# has no JSON stores: what it trusts is one certificate. (docs/cca.md, "The same with signed
# endorsements". With JSON stores: cca-stores.bats.)

setup_file() {
    load common.bash
    load cca.bash
    cd "$BATS_FILE_TMPDIR" || return 1
    make_image
    make_signer acme
    realm_of rim
}

setup() {
    load common.bash
    load cca.bash
    start_suite
    cp -r "$BATS_FILE_TMPDIR/." .
}

teardown() { end_suite; }

# ---- the steps ----

# Something with the header of an arm64 Image (text_offset 0, image_size 2 MiB, "ARM\x64"), and an initrd.
make_image() {
    { head -c 16 /dev/zero && printf '\0\0\x20\0\0\0\0\0' && head -c 32 /dev/zero && printf 'ARM\x64' &&
        head -c 9000 /dev/zero | tr '\0' k; } >Image
    head -c 5000 /dev/zero | tr '\0' i >initrd
}

# rim [OPTION...]: of the realm that kvmtool makes of the image.
rim() {
    vouchsafe rim kvmtool --host fvp --host kvm -m 512M -c 2 -k Image -i initrd -p "${cmdline-quiet}" \
        --rpv "$(init_data_digest)" --entity ACME "$@"
}

# make_signer NAME: an authority, NAME.ca.pem, and a signer under it, NAME.key and NAME.chain.
make_signer() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout "$1.ca.key" -out "$1.ca.pem" \
        -subj "/CN=$1 root" -days 2 2>/dev/null
    openssl req -x509 -CA "$1.ca.pem" -CAkey "$1.ca.key" -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes \
        -keyout "$1.key" -out "$1.pem" -subj "/CN=$1" -days 2 -extensions usr_cert -addext keyUsage=digitalSignature \
        2>/dev/null
    cat "$1.pem" "$1.ca.pem" >"$1.chain"
}

# sign SIGNER NAME: NAME.cbor becomes NAME.cose.
sign() {
    vouchsafe corim sign -k "$1.key" --chain "$1.chain" --name "$1" -o "$2.cose" "$2.cbor"
}

# realm_of MEASURE: a new software realm with the RIM that the command prints, and both endorsements.
realm_of() {
    rm -rf realm
    vouchsafe realm init --dir realm --rim "$("$1" -o hex)" --rpv "$(init_data_digest)" >/dev/null
    "$1" -o corim >realm.cbor
    sign acme realm
    platform_corim 1 platform
}

# platform_corim VERSION NAME: components, configuration and CPAK of the realm's platform, signed.
platform_corim() {
    vouchsafe realm endorse --dir realm --format corim --tag-version "$1" --output "$2"
    corim_of "$2"
}

corim_of() { # the directory of templates NAME: NAME.cose
    vouchsafe corim create -t "$1/corim-platform.json" -m "$1/comid-platform.json" -m "$1/comid-cpak.json" -o "$1.cbor"
    sign acme "$1"
}

serve_anchored() {
    configure "${1:-type = \"BuiltIn\"
trust_anchors = [\"$work/acme.ca.pem\"]
require_signed = true}"
    start_server serve vouchsafe serve -c kbs.toml --data-dir kbs
    prepare_secret
    run_device realm
    use realm
}

submit() { vouchsafe corim submit --url "$url" --auth-private-key admin.key "$1"; }
submit_veraison() { vouchsafe corim submit --veraison "$url" --auth-private-key admin.key "$1"; }

provisioned() {
    serve_anchored
    submit_veraison platform.cose
    submit realm.cose
}

# refused REASON FILE: at both doors
refused() {
    local door
    for door in submit submit_veraison; do
        run $door "$2"
        echo "$output"
        [ "$status" -eq 1 ]
        [[ "$output" == *"$1"* ]]
    done
}

other_rim() { changed "rim-${1:0:16}" "s/\"initial-measurement\": \".*\"/\"initial-measurement\": \"$1\"/"; }
not_approved() { echo "\"$(b64_of_hex "$1")\" is not an approved value of cca.realm.cca-realm-initial-measurement (no such"; }
record() { grep -o "$1[0-9a-f]*" serve.log | tail -1; }

# ---- what is as endorsed ----

@test "computed, signed, provisioned at two doors, attested: the secret arrives" {
    serve_anchored
    denied "no trust anchor has this instance id"
    submit_veraison platform.cose
    attest >ear.jwt
    run get_with_token ear.jwt
    [ "$status" -eq 1 ] # the platform is genuine, the realm nobody's
    submit realm.cose
    released
    attest >ear.jwt
    run vouchsafe verify ear.jwt
    [[ "$output" == *"submod cpu0: affirming"* ]]
    jwt_payload ear.jwt | grep -qF "\"record\":\"cca.realm.$(rim -o hex)\""
}

@test "the CoRIM of a computed RIM is what its templates make, and the devicetree is the VMM's" {
    rim -o comid-template >comid.json
    rim -o corim-template --output-dtb made.dtb >corim.json
    vouchsafe corim create -t corim.json -m comid.json | cmp - realm.cbor
    rim -o corim --dtb made.dtb | cmp - realm.cbor
}

@test "decode judges a token by CoRIMs, when their signatures hold" {
    vouchsafe realm token --dir realm --challenge "$(sha384sum Image | cut -d' ' -f1)" -o token.cbor
    judged() { # EXIT-CODE SENTENCE OPTION...
        local code=$1 said=$2
        shift 2
        run vouchsafe decode "$@" token.cbor
        echo "$output"
        [ "$status" -eq "$code" ]
        [[ "$output" == *"$said"* ]]
    }
    both=(--corim platform.cose --corim realm.cose)
    judged 0 "passed       platform references" "${both[@]}" --trust acme.ca.pem
    [[ "$output" == *"passed       realm references"* ]]
    judged 3 "no reference value has this RIM" --corim platform.cose --trust acme.ca.pem
    judged 3 "no trust anchor has this instance id" --corim realm.cbor
    judged 1 "the CoRIM is not signed" --corim platform.cbor --trust acme.ca.pem
    make_signer stranger
    judged 1 "signature of the CoRIM" "${both[@]}" --trust stranger.ca.pem
    judged 1 "--trust is for the signatures of --corim" --trust acme.ca.pem
    vouchsafe corim sign -k acme.key --name acme --not-after 2001-01-01T00:00:00Z -o old.cose platform.cbor
    openssl pkey -in acme.key -pubout -out acme.pub
    judged 1 "not valid now" --corim old.cose --trust acme.pub
}

@test "the same where the reference value provider is a program of its own" {
    echo "{\"storage\": {\"storage_type\": \"Memory\"}, \"trust_anchors\": [\"$work/acme.ca.pem\"], \"require_signed\": true}" >rvps.json
    start_server rvps rvps -c rvps.json --address 127.0.0.1:0
    provider=$url
    serve_anchored "type = \"GrpcRemote\"
address = \"$provider\""
    rvps-tool register --corim platform.cose --addr "$provider"
    submit_veraison realm.cose
    released
}

@test "firmware that measures what it loads: REM 0 is endorsed and compared" {
    head -c 4096 /dev/zero | tr '\0' f >fw
    measured() {
        vouchsafe rim qemu --host fvp --host kvm -f fw -k Image -i initrd --rpv "$(init_data_digest)" "$@"
    }
    realm_of measured
    provisioned
    rem=$(vouchsafe rim rem --hash sha512 digest:Image digest:initrd -o hex)
    denied "REM 0 $(printf 0%.0s {1..128}) is not the $rem that cca.realm.$(measured -o hex), entry 0 endorses"
    for file in Image initrd; do
        vouchsafe realm extend --dir realm --index 1 --data "$(sha512sum $file | cut -d' ' -f1)"
    done
    released
    vouchsafe realm extend --dir realm --index 1 --data 00
    denied "REM 0 $(vouchsafe rim rem --hash sha512 --start "$rem" hex:00 -o hex) is not the $rem"
}

# ---- one thing changed in the realm ----

# nobodys RIM: the reason names it, and the record that would endorse it
nobodys() {
    [ "$1" != "$approved" ]
    other_rim "$1"
    denied "$(not_approved "$1")" "realm: there is no endorsement cca.realm.$1: to endorse this RIM, submit a CoRIM"
}

flip_bit() { # FILE OFFSET: the lowest bit of that byte
    local byte
    byte=$(od -An -tu1 -j "$2" -N1 "$1")
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\$(printf %03o $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

@test "another bit of the kernel, the initrd or the devicetree: its RIM is nobody's, and the reason names the record" {
    provisioned
    released
    approved=$(rim -o hex --output-dtb vmm.dtb)
    [ "$(rim -o hex --dtb vmm.dtb)" = "$approved" ]
    flip_bit Image 5000
    nobodys "$(rim -o hex)"
    flip_bit Image 5000
    flip_bit initrd 4999
    nobodys "$(rim -o hex)"
    flip_bit initrd 4999
    flip_bit vmm.dtb "$(grep -abo quiet vmm.dtb | head -1 | cut -d: -f1)"
    nobodys "$(rim -o hex --dtb vmm.dtb)"
    [ "$(rim -o hex)" = "$approved" ]
}

@test "another letter of the command line: its RIM is nobody's, and the reason names the record" {
    provisioned
    approved=$(rim -o hex)
    cmdline=quieT
    nobodys "$(rim -o hex)"
}

@test "another RPV is not what the endorsement of this RIM says" {
    provisioned
    rpv=$(flipped "$(init_data_digest)")00000000000000000000000000000000
    changed other "s/\"personalization-value\": \".*\"/\"personalization-value\": \"$rpv\"/"
    denied "RPV $rpv is not the $(init_data_digest)" "that cca.realm.$(rim -o hex), entry 0 endorses"
}

# ---- one thing changed in the platform ----

@test "another digest of a component is not an endorsed value" {
    provisioned
    value=$(sed -n 's/.*"measurement-value": "\(.*\)".*/\1/p' realm/realm.json | sed -n 9p)
    changed other "s/$value/$(flipped "$value")/"
    denied "component 8 \"RMM\": digest $(flipped "$value") is not an endorsed value (1 endorsed), signer matches"
}

@test "another signer id of a component is not the endorsed one" {
    provisioned
    changed other '0,/"signer-id": "./s/"signer-id": "./"signer-id": "f/'
    denied 'component 0 "RSE_BL1_2": digest' 'is endorsed, signer f' 'is not the endorsed'
}

@test "another configuration is not an endorsed value under its mask" {
    provisioned
    changed other 's/"platform-configuration": "cf/"platform-configuration": "ce/'
    denied 'configuration cecfcfcf is not an endorsed value (1 endorsed: cfcfcfcf under mask ffffffff)'
}

@test "an endorsed platform that somebody can debug is refused all the same" {
    provisioned
    changed other 's/"lifecycle": 12288/"lifecycle": 20480/'
    denied "lifecycle 0x5000 (recoverable-cca-platform-rot-debug) is not accepted"
}

@test "another implementation id has no key in the endorsement of this instance" {
    provisioned
    changed other 's/"implementation-id": "../"implementation-id": "00/'
    denied "$(record cca.cpak.) has no key for the platform token's implementation id"
}

@test "another CPAK is nobody's, and under the endorsed name its signature fails" {
    provisioned
    name=$(record cca.cpak.)
    vouchsafe realm init --dir stranger --rim "$(rim -o hex)" --rpv "$(init_data_digest)" >/dev/null
    run_device stranger
    use stranger
    denied "no trust anchor has this instance id"
    cp -r stranger impostor
    sed -i "s/^{/{ \"instance-id\": \"${name#cca.cpak.}\",/" impostor/realm.json
    run_device impostor
    use impostor
    denied "platform token: signature"
}

# ---- one thing changed in the endorsements ----

@test "a bit of a CoRIM or of its signature, another signer, none: refused at both doors" {
    serve_anchored
    size=$(stat -c %s platform.cose)
    # A letter of what is endorsed, so that the CoRIM is still one; and the signature.
    letter=$(LC_ALL=C grep -obUa RMM platform.cose | head -1 | cut -d: -f1)
    for at in "$letter" $((size - 1)); do
        cp platform.cose bad.cose
        flip_bit bad.cose "$at"
        refused "signature" bad.cose
    done
    make_signer stranger
    mv platform.cose good.cose
    sign stranger platform
    refused "certificate chain: self-signed certificate" platform.cose
    refused "the CoRIM is not signed, and this server takes signed ones only" platform.cbor
    submit good.cose
}

@test "an older version of an endorsement does not come back" {
    serve_anchored
    platform_corim 2 newer
    submit newer.cose
    submit_veraison newer.cose # the same again
    refused "version 1 is older than version 2" platform.cose
    submit realm.cose
    released
}

@test "a new version without the CPAK stops the platform at once" {
    provisioned
    released
    vouchsafe realm init --dir stranger --rim "$(rim -o hex)" --rpv "$(init_data_digest)" >/dev/null
    platform_corim 2 revoked
    vouchsafe realm endorse --dir stranger --format corim --tag-version 2 --output its
    # The same tag, now with the key of another machine.
    tag=$(grep -o '"id": "[0-9a-f-]\{36\}"' revoked/comid-cpak.json)
    sed "s/\"id\": \"[0-9a-f-]\{36\}\"/$tag/" its/comid-cpak.json >revoked/comid-cpak.json
    corim_of revoked
    submit_veraison revoked.cose
    denied "no trust anchor has this instance id"
}
