#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Veraison both ways with real programs: a KBS whose CCA verifier is remote ("type": "remote", as a
# Trustee configured for a Veraison service), and the server that it asks, which is ours.

bats_require_minimum_version 1.5.0

setup() {
    load common.bash
    load veraison.bash
    start_suite
    start_realm
}

teardown() { end_suite; }

certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=verifier' \
        -addext 'subjectAltName=IP:127.0.0.1' -keyout tls.key -out tls.pem 2>/dev/null
}

# remote_config [MEMBERS]: the configuration of the KBS that asks
remote_config() {
    printf '{"cca-verifier":{"type":"remote","address":"%s"%s}}' "$verifier" "$1" >remote.json
}

start_kbs() {
    start_server serve vouchsafe serve --data-dir kbs --listen 127.0.0.1:0 --admin-key admin.pub \
        --cca-config remote.json
}

endorse_and_store() {
    admin set-sample-reference-value cca.realm.cca-realm-initial-measurement \
        "$(vouchsafe realm rim --dir realm)" >/dev/null
    admin set-resource --path "$secret_path" --resource-file message.txt >/dev/null
}

@test "a secret is released on the word of a remote verifier, over TLS, in the sandbox" {
    certificate
    start_verifier "private_key = \"$work/tls.key\"
certificate = \"$work/tls.pem\""
    remote_config ",\"ca-cert\":\"$work/tls.pem\",\"minimum-status\":\"affirming\""
    start_kbs
    endorse_and_store
    kbs-client --url "$url" get-resource --tee-key-file realm.key --path "$secret_path" | base64 -d |
        cmp - message.txt
    grep -q 'attestation.*verdict=allowed.*action="veraison session".*status=affirming' verifier.log
}

@test "what the remote verifier no longer trusts gets nothing, with its reason in our log" {
    start_verifier
    remote_config
    start_kbs
    endorse_and_store
    attest >/dev/null
    echo '[]' >realm/ta-store.json.new
    mv realm/ta-store.json.new "$(member realm/cca-config.json '["cca-verifier"]["ta-store"]')"
    run ! attest
    grep -q 'there is no submod CCA_SSD_PLATFORM: no trust anchor for evidence' serve.log
    grep -q 'verdict=denied.*no trust anchor for evidence' verifier.log
}

@test "without the remote verifier, or with another certificate than its own, nothing is released" {
    certificate
    start_verifier "private_key = \"$work/tls.key\"
certificate = \"$work/tls.pem\""
    remote_config # without ca-cert: the system does not know it
    start_kbs
    run ! attest
    grep -q 'remote verifier https://127.0.0.1:' serve.log
    kill "$verifier_pid"
    wait "$verifier_pid" || true
    remote_config ",\"ca-cert\":\"$work/tls.pem\",\"timeout-ms\":3000"
    run ! attest
}

@test "the request sequence of Veraison's clients, and a result that others can verify" {
    start_verifier
    challenge=$(head -c 64 /dev/urandom | xxd -p -c 200)
    vouchsafe realm token --dir realm --challenge "$challenge" --output token.cbor
    nonce=$(printf %s "$challenge" | xxd -r -p | base64 -w0 | tr '+/' '-_') # padded, not escaped
    curl -s -f -H 'Accept: application/vnd.veraison.discovery+json' \
        "$verifier/.well-known/veraison/verification" >discovery.json
    [ "$(member discovery.json '["api-endpoints"]["newChallengeResponseSession"]')" = /challenge-response/v1/newSession ]
    new_session "?nonce=$nonce"
    grep -q '^HTTP/1.1 201' head
    [ "$(member session.json '["status"]')" = waiting ]
    [ "$(member session.json '["nonce"]' | base64 -d | xxd -p -c 200)" = "$challenge" ]
    [ "$(submit token.cbor)" = 200 ]
    [ "$(member answer.json '["status"]')" = complete ]
    member answer.json '["result"]' | tr -d '\n' >ear.jwt
    python3 -c 'import json; json.dump(json.load(open("discovery.json"))["ear-verification-key"], open("key.jwk", "w"))'
    if command -v jose >/dev/null; then
        jose jws ver -i "$(cat ear.jwt)" -k key.jwk -O ear.json
    else
        cut -d. -f2 ear.jwt | tr '_-' '/+' | base64 -d 2>/dev/null >ear.json || true
    fi
    [ "$(member ear.json '["eat_nonce"]')" = "$nonce" ]
    [ "$(member ear.json '["submods"]["CCA_REALM"]["ear.status"]')" = affirming ]
    [ "$(member ear.json '["submods"]["CCA_SSD_PLATFORM"]["ear.status"]')" = affirming ]
    [ "$(curl -s "$session" | cmp - answer.json && echo same)" = same ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' -X DELETE "$session")" = 204 ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$session")" = 404 ]
    # The result is no attestation token of the KBS beside it.
    [ "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(cat ear.jwt)" "$verifier/kbs/v0/resource/a/b/c")" = 401 ]
}

@test "evidence for a nonce that the client chose has its result in one session, or as the operator says" {
    nonce=$(printf 'A%.0s' {1..64} | base64 -w0 | tr '+/' '-_' | tr -d =)
    vouchsafe realm token --dir realm --challenge "$(printf 41%.0s {1..64})" --output token.cbor
    start_verifier
    new_session "?nonce=$nonce"
    first=$session
    [ "$(submit token.cbor)" = 200 ]
    new_session "?nonce=$nonce"
    [ "$(submit token.cbor)" = 409 ]
    [ "$(member answer.json '["status"]')" = 409 ]
    [[ "$(member answer.json '["detail"]')" == "this evidence had its result in another session"* ]]
    grep -q 'verdict=denied.*action="veraison session".*this evidence had its result in another session' verifier.log
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$first")" = 200 ]
    again() { # LINES of veraison: after a restart with them, on the same store
        kill "$verifier_pid"
        wait "$verifier_pid" || true
        start_verifier "insecure_http = true" "$1"
        new_session "?nonce=$nonce"
    }
    again ""
    [ "$(submit token.cbor)" = 409 ]
    again 'client_nonces = "any"'
    [ "$(submit token.cbor)" = 200 ]
    again 'client_nonces = "refuse"'
    grep -q '^HTTP/1.1 400' head
    [ "$(member session.json '["detail"]')" = "this verifier draws nonces itself and takes none" ]
    new_session "?nonceSize=64"
    grep -q '^HTTP/1.1 201' head
    challenge=$(member session.json '["nonce"]' | base64 -d | xxd -p -c 200)
    vouchsafe realm token --dir realm --challenge "$challenge" --output token.cbor
    [ "$(submit token.cbor)" = 200 ]
}

@test "restful-as serves the same interface when it is switched on, and only then" {
    printf '{"veraison":{"enabled":true}}' >as.json
    start_server as restful-as -c as.json --data-dir as --socket 127.0.0.1:0 --cca-config realm/cca-config.json
    verifier=$url
    vouchsafe realm token --dir realm --challenge "$(printf 41%.0s {1..64})" --output token.cbor
    new_session "?nonce=$(printf 'A%.0s' {1..64} | base64 -w0 | tr '+/' '-_' | tr -d =)"
    [ "$(submit token.cbor)" = 200 ]
    [ "$(submit token.cbor application/octet-stream)" = 415 ]
    remote_config
    start_kbs
    endorse_and_store
    attest >/dev/null
    start_server plain restful-as --data-dir plain --socket 127.0.0.1:0
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/.well-known/veraison/verification")" = 404 ]
}

@test "sessions outlive a restart of the verifier, and end after two and a half minutes at most" {
    start_verifier
    new_session
    kill "$verifier_pid"
    wait "$verifier_pid" || true
    before=$session
    start_verifier
    session=$verifier/challenge-response/${before#*/challenge-response/}
    [ "$(curl -s -o answer.json -w '%{http_code}' "$session")" = 200 ]
    cmp answer.json session.json
    left=$(python3 -c 'import json, datetime
e = datetime.datetime.fromisoformat(json.load(open("session.json"))["expiry"].replace("Z", "+00:00"))
print(int((e - datetime.datetime.now(datetime.timezone.utc)).total_seconds()))')
    [ "$left" -le 150 ] && [ "$left" -gt 60 ]
}
