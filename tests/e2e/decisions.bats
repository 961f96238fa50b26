#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Seeing why: explain, replay, dry-run, the audit log, and that none of them holds a secret.

setup() {
    load common.bash
    start_suite
    start_realm
    serve --audit-log audit.log --operations 127.0.0.1:0 --log-level debug
    prepare_secret
    asker=(--url "$url" --auth-private-key admin.key)
}

teardown() { end_suite; }

# The decision id that the log tells for the latest line with this text.
decision_of() {
    grep "$1" serve.log | tail -1 | sed -n 's/.* decision=\([0-9a-f-]*\).*/\1/p'
}

@test "explain tells why the realm was not affirmed and why the secret was denied" {
    attest >ear.jwt
    run get_with_token ear.jwt
    [ "$status" -eq 1 ]
    vouchsafe explain "${asker[@]}" "$(decision_of 'kbs: attestation')" >why.json
    grep -q '"status":"warning"' why.json
    grep -q '"id":"cca.realm.cca-realm-initial-measurement"' why.json
    grep -q '"found":false' why.json
    grep -q '"by":"verifier"' why.json # an endorsement of this realm, which the driver asked for
    grep -q 'executables 33 (unrecognized_rt)' why.json
    vouchsafe explain "${asker[@]}" "$(decision_of 'kbs: release')" >denied.json
    grep -q '"verdict":"denied"' denied.json
    grep -q '"what":"release"' denied.json
    grep -q 'executables 33 (unrecognized_rt)' denied.json # of the attestation before it
    run vouchsafe explain "${asker[@]}" 00000000-0000-7000-8000-000000000000
    [ "$status" -eq 1 ]
    [[ "$output" == *"not found"* ]]
    run vouchsafe explain --url "$url" "$(decision_of 'kbs: release')" # nobody
    [ "$status" -eq 1 ]
}

@test "a sealed record replays to the token's own payload" {
    attest >ear.jwt
    vouchsafe audit key "${asker[@]}" >key.jwk
    vouchsafe explain "${asker[@]}" --export record.jws "$(decision_of 'kbs: attestation')" >/dev/null
    vouchsafe replay --key key.jwk record.jws
    [ "$(vouchsafe replay --key key.jwk --payload record.jws)" = "$(jwt_payload ear.jwt)" ]
    endorse_rim # what has changed since does not matter
    vouchsafe replay --key key.jwk record.jws
    openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null | openssl ec -pubout -out other.pem 2>/dev/null
    run vouchsafe replay --key other.pem record.jws
    [ "$status" -eq 1 ]
    sed 's/./X/100' record.jws >broken.jws
    run vouchsafe replay --key key.jwk broken.jws
    [ "$status" -eq 1 ]
}

@test "a dry run lists the verdicts that another policy would change" {
    attest >/dev/null
    cat >strict.rego <<'REGO'
package policy
trust_claims := {"hardware": 97}
REGO
    attest >/dev/null
    run vouchsafe dry-run "${asker[@]}" --policy strict.rego --last 10
    [ "$status" -eq 3 ]
    [ "$(grep -c '"before":"warning","after":"contraindicated"' <<<"$output")" -eq 2 ]
    run vouchsafe dry-run "${asker[@]}" --policy "$VS_ROOT/policies/default_cpu.rego"
    [ "$status" -eq 0 ]
    # A question that was not asked then is answered with today's reference values.
    cat >new.rego <<'REGO'
package policy
trust_claims := {"executables": 3} if "yes" in query_reference_value("new")
else := {"executables": 33}
REGO
    run vouchsafe dry-run "${asker[@]}" --policy new.rego
    [ "$status" -eq 0 ]
    admin set-sample-reference-value new yes
    run vouchsafe dry-run "${asker[@]}" --policy new.rego
    [ "$status" -eq 3 ]
    echo 'package policy trust_claims := {' >wrong.rego
    run vouchsafe dry-run "${asker[@]}" --policy wrong.rego
    [ "$status" -eq 1 ]
}

@test "the audit log is whole after kill -9, and a change is found" {
    attest >ear.jwt
    vouchsafe audit key "${asker[@]}" >key.jwk
    kill -9 "$server_pid"
    wait "$server_pid" || true
    run vouchsafe audit verify --key key.jwk audit.log
    [ "$status" -eq 3 ] # the last lines are not signed yet
    serve --audit-log audit.log
    stop_server
    vouchsafe audit verify --key key.jwk audit.log
    vouchsafe audit verify --json --key key.jwk audit.log | grep -q '"starts":2'
    sed 's/"what":"attestation"/"what":"attestatioN"/' audit.log >changed.log
    run vouchsafe audit verify --key key.jwk changed.log
    [ "$status" -eq 1 ]
    [[ "$output" == *"line "* ]]
    sed 3d audit.log >shorter.log
    run vouchsafe audit verify --key key.jwk shorter.log
    [ "$status" -eq 1 ]
}

@test "no secret reaches a log, an error, a metric, the audit log or a record" {
    canary=CANARY-$RANDOM$RANDOM-secret
    printf '%s' "$canary" >secret.txt
    admin set-resource --path "$secret_path" --resource-file secret.txt >/dev/null
    admin set-resource --path 'a/b' --resource-file secret.txt 2>err.txt || true
    admin set-resource-policy --allow-all >/dev/null
    endorse_rim >/dev/null
    attest >ear.jwt
    [ "$(get_with_token ear.jwt | base64 -d)" = "$canary" ]
    admin set-resource-policy --deny-all >/dev/null
    run get_with_token ear.jwt
    [ "$status" -eq 1 ]
    curl -s "$(sed -n 's/^operations //p' serve.out)/metrics" >metrics.txt
    for id in $(grep -o 'decision=[0-9a-f-]*' serve.log | cut -d= -f2); do
        vouchsafe explain "${asker[@]}" "$id" >>records.txt || true
    done
    stop_server
    # The secret in every form in which it was handled, the token, and the session cookie's name.
    for planted in "$canary" "$(printf '%s' "$canary" | base64 -w0)" "$(cut -d. -f3 ear.jwt)" kbs-session-id; do
        run grep -rlF -e "$planted" serve.log serve.out audit.log metrics.txt records.txt err.txt
        [ "$status" -eq 1 ]
    done
}
