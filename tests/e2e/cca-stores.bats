#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Arm CCA with the JSON stores of Trustee's local verifier and reference values that a policy asks
# for: attest, receive the secret; then with one thing changed at a time, and each time the reason.
# With signed endorsements: cca-chain.bats.

setup() {
    load common.bash
    load cca.bash
    start_suite
    head -c 8192 /dev/zero | tr '\0' 'k' >kernel
    vouchsafe realm init --dir realm --rim "$(measure_image kernel)" --rpv "$(init_data_digest)" >/dev/null
    run_device realm
    provision
    use realm
}

teardown() { end_suite; }

# ---- the steps ----

# The RIM of an image, in hexadecimal: what the RMM will measure when a host starts it.
measure_image() {
    sha512sum "$1" | cut -d' ' -f1
}

b64_zeros() { head -c "$1" /dev/zero | base64 -w0; }

endorse() { admin set-sample-reference-value "cca.realm.$1" "$2" >/dev/null; }

# Trust anchors and reference values reach the verifier: the platform's as JSON stores, the realm's
# as reference values that the policy asks for.
provision() {
    vouchsafe realm endorse --dir realm --output endorsed
    start_server serve vouchsafe serve --data-dir kbs --listen 127.0.0.1:0 --admin-key admin.pub \
        --cca-config endorsed/cca-config.json
    prepare_secret
    admin set-attestation-policy --policy-file "$VS_ROOT/examples/cca/strict.rego" --id default_cpu >/dev/null
    endorse cca-realm-initial-measurement "$(b64_of_hex "$(measure_image kernel)")"
    for i in 0 1 2 3; do endorse "cca-realm-extensible-measurement-$i" "$(b64_zeros 64)"; done
    endorse cca-realm-personalization-value \
        "$(b64_of_hex "$(init_data_digest)00000000000000000000000000000000")"
}

# ---- what is as endorsed ----

@test "measured, endorsed, provisioned, attested: the secret arrives byte for byte" {
    released
    vouchsafe realm token --dir realm --challenge "$(sha384sum kernel | cut -d' ' -f1)" -o token.cbor
    run vouchsafe decode --cca-config endorsed/cca-config.json token.cbor
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == *"passed       platform references"* ]]
    [[ "$output" == *"passed       realm references"* ]]
}

@test "every profile, outer form and curve of the platform key goes through the chain" {
    local profile form n=0
    for profile in legacy 1.0.0 2.0.0 legacy/1.0.0; do
        for form in 399 907; do
            for curve in P-256 P-384 P-521; do
                [ "$profile$form" = 1.0.0399 ] || [ $curve != P-521 ] || continue
                n=$((n + 1))
                vouchsafe realm init --dir "r$n" --profile $profile --form $form --cpak $curve \
                    --rim "$(measure_image kernel)" --rpv "$(init_data_digest)" >/dev/null
                cp "r$n/ta-store.json" endorsed/ta-store.json
                run_device "r$n"
                use "r$n"
                released
            done
        done
    done
    [ "$n" -eq 17 ]
}

# ---- one thing changed ----

@test "another image: its RIM is not an approved value" {
    rim=$(flipped "$(measure_image kernel)")
    changed other "s/\"initial-measurement\": \".*\"/\"initial-measurement\": \"$rim\"/"
    denied "\"$(b64_of_hex "$rim")\" is not an approved value of cca.realm.cca-realm-initial-measurement"
}

@test "a measurement that the realm extended at run time is not an approved value" {
    released
    vouchsafe realm extend --dir realm --index 3 --data 00
    rem=$(head -c 65 /dev/zero | sha512sum | cut -d' ' -f1)
    denied "\"$(b64_of_hex "$rem")\" is not an approved value of cca.realm.cca-realm-extensible-measurement-2"
    endorse cca-realm-extensible-measurement-2 "$(b64_of_hex "$rem")"
    released
}

@test "another personalization value is not an approved value" {
    rpv=$(flipped "$(init_data_digest)")00000000000000000000000000000000
    changed other "s/\"personalization-value\": \".*\"/\"personalization-value\": \"$rpv\"/"
    denied "\"$(b64_of_hex "$rpv")\" is not an approved value of cca.realm.cca-realm-personalization-value"
}

@test "another platform component matches no reference entry" {
    value=$(sed -n 's/.*"measurement-value": "\(.*\)".*/\1/p' realm/realm.json | sed -n 9p)
    changed other "s/$value/$(flipped "$value")/"
    denied 'component 8 "RMM": digest' 'is not the value of rv-store entry 0, signer matches'
}

@test "another signer of a component matches no reference entry" {
    changed other '0,/"signer-id": "./s/"signer-id": "./"signer-id": "f/'
    denied 'component 0 "RSE_BL1_2": digest' 'is the value of rv-store entry 0, signer' 'is not the endorsed'
}

@test "another platform configuration matches no reference entry" {
    changed other 's/"platform-configuration": "cf/"platform-configuration": "ce/'
    denied 'configuration cecfcfcf is not the cfcfcfcf of rv-store entry 0'
}

@test "another implementation id is not that of the trust anchor" {
    changed other 's/"implementation-id": "../"implementation-id": "00/'
    denied "the trust anchor of this instance id has another implementation id"
}

@test "a platform that somebody can debug is refused, by the name of its state" {
    changed other 's/"lifecycle": 12288/"lifecycle": 20480/'
    denied "lifecycle 0x5000 (recoverable-cca-platform-rot-debug) is not accepted"
}

@test "another platform key is no trust anchor, and under the right name its signature fails" {
    vouchsafe realm init --dir stranger --rim "$(measure_image kernel)" --rpv "$(init_data_digest)" >/dev/null
    run_device stranger
    use stranger
    denied "no trust anchor has this instance id"
    instance=$(sed -n 's/.*"instance-id": "\(.*\)".*/\1/p' endorsed/ta-store.json)
    cp -r stranger impostor
    sed -i "s/^{/{ \"instance-id\": \"$instance\",/" impostor/realm.json
    run_device impostor
    use impostor
    denied "platform token: signature"
}

@test "a token for another nonce is a replay" {
    vouchsafe realm token --dir realm --challenge "$(sha384sum kernel | cut -d' ' -f1)" -o stale.cbor
    python3 "$VS_ROOT/tests/e2e/cca_device.py" "$work/stale.sock" stale.cbor >stale.out 2>stale.log 3>&- &
    pids+=($!)
    await_ready stale.out >/dev/null
    use stale
    denied "realm challenge is not the expected report data"
}

@test "a trust anchor that is withdrawn stops the platform at once" {
    released
    echo '[]' >endorsed/none.json
    mv endorsed/none.json endorsed/ta-store.json
    denied "no trust anchor has this instance id"
}

@test "a reference value that is withdrawn stops the realm" {
    released
    endorse cca-realm-initial-measurement "$(b64_zeros 64)"
    denied "is not an approved value of cca.realm.cca-realm-initial-measurement"
}
