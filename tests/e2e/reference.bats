#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The reference scenario with real programs, and what must not work on the way.

setup() {
    load common.bash
    start_suite
    start_realm
    serve
    prepare_secret
}

teardown() { end_suite; }

@test "a realm is denied until its RIM is endorsed, then receives the secret byte for byte" {
    attest >ear.jwt
    jwt_payload ear.jwt | grep -q '"ear.status":"warning"'
    run get_with_token ear.jwt
    [ "$status" -eq 1 ]
    [[ "$output" == *PolicyDeny* ]]
    grep -q 'is not an approved value of cca.realm.cca-realm-initial-measurement' serve.log

    [ "$(endorse_rim)" = "Reference Values Updated" ]
    attest >ear2.jwt
    jwt_payload ear2.jwt | grep -q '"ear.status":"affirming"'
    get_with_token ear2.jwt | base64 -d >got
    cmp message.txt got
}

@test "the old token stays denied after the endorsement" {
    attest >ear.jwt
    endorse_rim
    run get_with_token ear.jwt
    [ "$status" -eq 1 ]
}

@test "get-resource without a token attests by itself" {
    endorse_rim
    kbs-client --url "$url" get-resource --path "$secret_path" | base64 -d >got
    cmp message.txt got
}

@test "another TEE key cannot decrypt what was released for this one" {
    endorse_rim
    attest >ear.jwt
    openssl genrsa -traditional -out other.key 2048 2>/dev/null
    run kbs-client --url "$url" get-resource --tee-key-file other.key --attestation-token ear.jwt --path "$secret_path"
    [ "$status" -eq 1 ]
    [[ "$output" != *"$(base64 -w0 message.txt)"* ]]
}

@test "a token with one changed character is refused" {
    endorse_rim
    attest >ear.jwt
    token=$(cat ear.jwt)
    middle=$((${#token} / 2))
    c=${token:middle:1}
    [ "$c" = A ] && n=B || n=A
    printf '%s' "${token:0:middle}$n${token:middle+1}" >bad.jwt
    run get_with_token bad.jwt
    [ "$status" -eq 1 ]
    [[ "$output" == *TokenVerifierError* ]]
}

@test "a realm with another RIM stays denied" {
    endorse_rim
    vouchsafe realm init --dir other --rim "$(printf '11%.0s' {1..64})" >/dev/null
    cp realm/keys.json other/ 2>/dev/null || true
    vouchsafe realm run --dir other --socket "$work/other.sock" >other.out 2>other.log 3>&- &
    pids+=($!)
    await_ready other.out >/dev/null
    VOUCHSAFE_TSM_PATH=$work/other.sock run kbs-client --url "$url" get-resource --path "$secret_path"
    [ "$status" -eq 1 ]
    [[ "$output" != *"$(base64 -w0 message.txt)"* ]]
}

@test "secrets, policies and reference values survive a restart" {
    endorse_rim
    stop_server
    serve
    attest >ear.jwt
    get_with_token ear.jwt | base64 -d >got
    cmp message.txt got
}

@test "a token of before the restart still opens the secret after it" {
    endorse_rim
    attest >ear.jwt
    stop_server
    serve
    get_with_token ear.jwt | base64 -d >got
    cmp message.txt got
}

@test "kill -9 loses nothing that was acknowledged" {
    endorse_rim
    kill -9 "$server_pid"
    wait "$server_pid" || true
    serve
    attest >ear.jwt
    get_with_token ear.jwt | base64 -d >got
    cmp message.txt got
}

@test "administration without a token, or with the wrong key, is refused and changes nothing" {
    openssl genpkey -algorithm ed25519 -out wrong.key 2>/dev/null
    run kbs-client --url "$url" config --auth-private-key wrong.key set-resource --path "$secret_path" --resource-file admin.pub
    [ "$status" -eq 1 ]
    run kbs-client --url "$url" config set-resource-policy --allow-all
    [ "$status" -eq 1 ]
    endorse_rim
    attest >ear.jwt
    get_with_token ear.jwt | base64 -d >got
    cmp message.txt got
}

@test "a policy with an error is refused when it is set, with line and column" {
    printf 'package policy\n\nallow if {\n  input.x ==\n}\n' >bad.rego
    run admin set-resource-policy --policy-file bad.rego
    [ "$status" -eq 1 ]
    [[ "$output" == *:5:* || "$output" == *:4:* ]]
    printf 'package policy\nallow if { nosuchname.x }\n' >unsafe.rego
    run admin set-resource-policy --policy-file unsafe.rego
    [ "$status" -eq 1 ]
    [[ "$output" == *unsafe* ]]
}

@test "the log holds no secret, no token and no session" {
    endorse_rim
    attest >ear.jwt
    get_with_token ear.jwt >/dev/null
    ! grep -q 'the secret' serve.log
    ! grep -qF "$(cut -d. -f3 ear.jwt)" serve.log
    ! grep -q 'kbs-session-id' serve.log
}

# The last digit of a digest: of what the verifier takes for genuine.
change_rmm_reference() {
    sed -i '/"component-type": "RMM"/,/"signer-id"/ s/\("measurement-value": ".*\)[0-9a-f]"/\1'"$1"'"/' realm/rv-store.json
}

@test "a platform whose firmware is not endorsed is refused, and the log names the component" {
    endorse_rim
    attest >/dev/null
    change_rmm_reference 0 # from 9
    run attest
    [ "$status" -ne 0 ]
    grep -q 'component 8 \\"RMM\\": digest [0-9a-f]* is not the value of rv-store entry 0, signer matches' serve.log
    [[ "$output" != *component* ]] # which is not for the peer to know
}

@test "a platform that is left to policy is not affirmed by the shipped one" {
    endorse_rim
    sed -i 's/"type": *"local"/&, "platform-mismatch": "policy"/' realm/cca-config.json
    attest >ear.jwt
    jwt_payload ear.jwt | grep -q '"ear.status":"affirming"'
    change_rmm_reference 0
    attest >ear.jwt
    jwt_payload ear.jwt | grep -q '"ear.status":"contraindicated"'
    grep -q 'platform: component 8 \\"RMM\\"' serve.log
}

@test "without a CCA configuration only endorsed platforms are accepted" {
    stop_server
    start_server serve vouchsafe serve --data-dir kbs --listen 127.0.0.1:0 --admin-key admin.pub \
        --cca-config nowhere.json
    grep -q 'only endorsed CCA platforms will be accepted' serve.log
    run attest
    [ "$status" -ne 0 ]
    grep -q 'neither in the trust anchor store nor endorsed as cca.cpak.01' serve.log
}
