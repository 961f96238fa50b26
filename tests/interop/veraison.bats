#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Results of our Veraison service, read by Veraison's own Rust library (the crate `ear`). VS_EAR_PEER
# names the program that tests/interop/ear_peer builds (OPENSSL_NO_VENDOR=1 cargo build); nothing is
# fetched here.

setup() {
    [ -x "${VS_EAR_PEER:-}" ] || skip "VS_EAR_PEER names no program (build tests/interop/ear_peer with cargo)"
    load ../e2e/common.bash
    load ../e2e/veraison.bash
    start_suite
    start_realm
}

teardown() {
    if [ -n "${work:-}" ]; then end_suite; fi
}

# result_for TOKEN NONCE: ear.jwt and key.jwk
result_for() {
    new_session "?nonce=$2"
    [ "$(submit "$1")" = 200 ]
    member answer.json '["result"]' | tr -d '\n' >ear.jwt
    curl -s "$verifier/.well-known/veraison/verification" >discovery.json
    python3 -c 'import json; json.dump(json.load(open("discovery.json"))["ear-verification-key"], open("key.jwk", "w"))'
}

@test "a good result, and one that proves nothing, are read by Veraison's library" {
    start_verifier
    nonce=$(printf 'A%.0s' {1..64} | base64 -w0 | tr '+/' '-_')
    vouchsafe realm token --dir realm --challenge "$(printf 41%.0s {1..64})" --output token.cbor
    result_for token.cbor "$nonce"
    "$VS_EAR_PEER" ear.jwt key.jwk >seen
    grep -q '^profile tag:github.com,2023:veraison/ear$' seen
    grep -q '^CCA_REALM "affirming"$' seen
    grep -q '^CCA_SSD_PLATFORM "affirming"$' seen
    grep -q "^nonce .*${nonce%%=*}" seen
    head -c 300 token.cbor >short.cbor
    result_for short.cbor "$nonce"
    "$VS_EAR_PEER" ear.jwt key.jwk >seen
    grep -q '^ARM_CCA "contraindicated"$' seen
}

@test "Veraison's library refuses a result that was changed" {
    start_verifier
    vouchsafe realm token --dir realm --challenge "$(printf 41%.0s {1..64})" --output token.cbor
    result_for token.cbor "$(printf 'A%.0s' {1..64} | base64 -w0 | tr '+/' '-_')"
    sed -i 's/\.e/.f/' ear.jwt
    run "$VS_EAR_PEER" ear.jwt key.jwk
    [ "$status" -ne 0 ]
}
