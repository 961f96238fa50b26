#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Command lines, exit codes, output of the programs.

setup() {
    load common.bash
    start_suite
}

teardown() { end_suite; }

@test "--help teaches and --version names the version, exit 0" {
    for p in vouchsafe kbs-client; do
        run "$p" --help
        [ "$status" -eq 0 ]
        [ "${#lines[@]}" -ge 8 ]
        run "$p" --version
        [ "$status" -eq 0 ]
    done
    run vouchsafe serve --help
    [ "$status" -eq 0 ]
    run vouchsafe realm --help
    [ "$status" -eq 0 ]
}

@test "a wrong command line exits 2 and says what is wrong" {
    run vouchsafe nosuch
    [ "$status" -eq 2 ]
    [[ "$output" == *nosuch* ]]
    run kbs-client attest --tee-key-fil x
    [ "$status" -eq 2 ]
    run kbs-client get-resource
    [ "$status" -eq 2 ]
    run kbs-client config
    [ "$status" -eq 2 ]
}

@test "kbs without a configuration is a wrong command line, as Trustee's" {
    for options in "" --log-json; do
        # shellcheck disable=SC2086
        KBS_CONFIG_FILE='' run timeout 20 kbs $options
        [ "$status" -eq 2 ]
        [[ "$output" == *config-file* ]]
        [[ "$output" != *ready* ]]
    done
    KBS_CONFIG_FILE=nosuch.toml run timeout 20 kbs
    [ "$status" -eq 1 ]
    [[ "$output" == *nosuch.toml* ]]
}

@test "the log level is read from directives for Trustee, and complaints are lines of the log" {
    printf '[http_server]\nsockets = ["127.0.0.1:0"]\ninsecure_http = true\n[admin]\ntype = "DenyAll"\n[storage_backend]\nstorage_type = "Memory"\n' >c.toml
    RUST_LOG=actix=warn,kbs=error start_server kbs kbs -c c.toml --log-json
    grep -q '"key":"admin.type"' kbs.log
    run ! grep -q '"level":"info"' kbs.log
    stop_server
    RUST_LOG=kbs=info start_server again kbs -c c.toml --log-json
    grep -q '"level":"info"' again.log
    stop_server
    RUST_LOG=shout start_server third kbs -c c.toml --log-json
    grep -q 'unknown log level, using info.*"given":"shout"' third.log
    run ! grep -qv '^{' third.log
}

@test "without a TEE the client says what it looked for and does not fall back to sample evidence" {
    [ ! -e /sys/kernel/config/tsm/report ] || skip "this machine has a report device"
    run kbs-client --url http://127.0.0.1:9 attest
    [ "$status" -eq 1 ]
    [[ "$output" == */sys/kernel/config/tsm/report* ]]
    [[ "$output" == *--allow-sample* ]]
    VOUCHSAFE_TSM_PATH=$work/nothing run kbs-client --url http://127.0.0.1:9 attest --allow-sample
    [ "$status" -eq 1 ]
    [[ "$output" == *"$work/nothing"* ]]
}

@test "sample evidence is refused unless the server asks for it" {
    mkdir realm && printf '{"cca-verifier":{"type":"local","ta-store":"t","rv-store":"r"}}' >realm/c.json
    start_server serve vouchsafe serve --data-dir kbs --listen 127.0.0.1:0 --admin-key admin.pub
    [ ! -e /sys/kernel/config/tsm/report ] || skip "this machine has a report device"
    run env KBS_CLIENT_ALLOW_SAMPLE=1 kbs-client --url "$url" attest
    [ "$status" -eq 1 ]
    start_server sample vouchsafe serve --data-dir kbs2 --listen 127.0.0.1:0 --admin-key admin.pub --sample-tee
    KBS_CLIENT_ALLOW_SAMPLE=1 kbs-client --url "$url" attest >ear.jwt
    jwt_payload ear.jwt | grep -q '"ear.status":"contraindicated"'
}

@test "a configuration with an unknown key is refused with a suggestion" {
    printf '[http_server]\ninsecure_htp = true\n[admin]\nauthorization_mode = "DenyAll"\n' >c.toml
    run vouchsafe serve -c c.toml
    [ "$status" -ne 0 ]
    [[ "$output" == *insecure_htp* ]]
    [[ "$output" == *insecure_http* ]]
}

@test "kbs reads a Trustee configuration file in today's dialect" {
    now=$(date +%s)
    cat >kbs-config.toml <<C
[http_server]
sockets = ["127.0.0.1:0"]
insecure_http = true

[attestation_token]
insecure_header_jwk = true

[attestation_service]
type = "coco_as_builtin"
timeout = 5

[attestation_service.attestation_token_broker]
duration_min = 5

[admin]
authorization_mode = "AuthenticatedAuthorization"

[admin.authentication.bearer_jwt]
identity_providers = [{ issuer = "test", public_key_uri = "$work/admin.pub" }]

[admin.authorization.regex_acl]
acls = [{ role = "admin", allowed_endpoints = "^/kbs/.+\$" }]

[storage_backend]
storage_type = "LocalFs"

[storage_backend.backends.local_fs]
dir_path = "$work/store"

[[plugins]]
name = "resource"
storage_backend_type = "kvstorage"
C
    start_server kbs kbs -c kbs-config.toml
    # Trustee has /metrics here, for everybody: who comes from it is told.
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/metrics")" = 404 ]
    grep -q 'WARN.*/metrics is not served.*operations.metrics_on_api' kbs.log
    header=$(printf '{"alg":"EdDSA","typ":"JWT"}' | base64 -w0 | tr '+/' '-_' | tr -d =)
    claims=$(printf '{"iss":"test","role":"admin","iat":%d,"exp":%d}' "$now" $((now + 600)) | base64 -w0 | tr '+/' '-_' | tr -d =)
    printf '%s.%s' "$header" "$claims" >signing-input
    openssl pkeyutl -sign -rawin -inkey admin.key -in signing-input -out sig
    printf '%s.%s.%s\n' "$header" "$claims" "$(base64 -w0 sig | tr '+/' '-_' | tr -d =)" >admin-token
    kbs-client --url "$url" config --admin-token-file admin-token set-resource --path a/b/c --resource-file message.txt
    cmp message.txt 'store/repository/a\x2Fb\x2Fc'
    kbs-client --url "$url" config --admin-token-file admin-token delete-resource --path a/b/c
    [ ! -e 'store/repository/a\x2Fb\x2Fc' ]
}

@test "kbs reads the learning path's configuration dialect (personas, LocalFs resources)" {
    cat >kbs-config.toml <<C
[http_server]
sockets = ["127.0.0.1:0"]
insecure_http = true

[attestation_token]
insecure_key = true

[attestation_service]
type = "coco_as_builtin"

[storage_backend]
storage_type = "Memory"

[admin]
type = "Simple"

[[admin.personas]]
id = "admin"
public_key_path = "$work/admin.pub"

[[plugins]]
name = "resource"
type = "LocalFs"
dir_path = "$work/repository"
C
    start_server kbs kbs -c kbs-config.toml
    admin set-resource --path cca-trustee/demo-message/message.txt --resource-file message.txt
    cmp message.txt repository/cca-trustee/demo-message/message.txt
}

@test "hostile requests get the documented errors and the server stays up" {
    start_server serve vouchsafe serve --data-dir kbs --listen 127.0.0.1:0 --admin-key admin.pub
    code() { curl -s -o body -w '%{http_code}' "$@"; }
    [ "$(code "$url/healthz")" = 200 ]
    [ "$(code "$url/nosuch")" = 404 ]
    [ "$(code "$url/kbs/v0/nosuch/x")" = 404 ]
    grep -q 'errors/PluginNotFound' body
    [ "$(code -X POST -d '{' "$url/kbs/v0/auth")" = 401 ]
    grep -q 'errors/AttestationError' body
    [ "$(code -X POST -d '{"version":"0.1.0","tee":"cca","extra-params":""}' "$url/kbs/v0/auth")" = 401 ]
    grep -q 'KBS Client Protocol Version Mismatch' body
    [ "$(code -X POST -d '{}' "$url/kbs/v0/attest")" = 401 ]
    [ "$(code "$url/kbs/v0/resource/a/b/c")" = 401 ]
    grep -q 'errors/TokenNotFound' body
    [ "$(code -X PATCH "$url/kbs/v0/auth")" = 405 ]
    [ "$(code "$url/kbs/v0/resource/%zz")" = 400 ]
    head -c 3000000 /dev/zero >big
    [ "$(code -X POST --data-binary @big "$url/kbs/v0/auth")" = 413 ]
    [ "$(code -X POST -d '{"version":"0.4.0","tee":"cca","extra-params":""}' "$url/kbs/v0/auth")" = 200 ]
    kill -0 "$server_pid"
}

@test "SIGTERM stops the server with exit code 0" {
    start_server serve vouchsafe serve --data-dir kbs --listen 127.0.0.1:0 --admin-key admin.pub
    stop_server
}

@test "decode and verify show evidence and tokens" {
    vouchsafe realm init --dir realm >/dev/null
    vouchsafe realm token --dir realm --challenge "$(printf '00%.0s' {1..64})" -o token.cbor
    run vouchsafe decode token.cbor
    [ "$status" -eq 0 ]
    [[ "$output" == *cca-realm-initial-measurement* || "$output" == *RIM* ]]
    vouchsafe decode --json token.cbor | grep -q '^{'
    head -c 100 token.cbor >cut.cbor
    run vouchsafe decode cut.cbor
    [ "$status" -eq 1 ]
    run vouchsafe verify message.txt
    [ "$status" -eq 1 ]
}

@test "health and metrics are on a listener of their own" {
    start_server serve vouchsafe serve --data-dir kbs --listen 127.0.0.1:0 --operations 127.0.0.1:0 --admin-key admin.pub
    local ops
    ops=$(sed -n 's/^operations //p' serve.out)
    [ "$(curl -s "$ops/livez")" = ok ]
    curl -sf "$ops/readyz" | grep -q '"ready":true'
    admin set-resource --path a/b/c --resource-file message.txt
    curl -s "$url/kbs/v0/resource/a/b/c" >/dev/null
    curl -sf "$ops/metrics" >metrics.txt
    grep -qx 'kbs_http_requests_total 2' metrics.txt
    grep -q '^kbs_resource_writes_total{resource_path="[0-9a-f]\{16\}"} 1$' metrics.txt
    run ! grep -q 'a/b/c' metrics.txt
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/metrics")" = 404 ]
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/readyz")" = 200 ]
}

@test "with require_signed nobody's word is taken for a reference value" {
    start_with() {
        cat >signed.toml <<C
[http_server]
sockets = ["127.0.0.1:0"]
insecure_http = true
[admin]
type = "Simple"
[[admin.personas]]
id = "admin"
public_key_path = "admin.pub"
[storage_backend]
storage_type = "Memory"
[attestation_service]
type = "coco_as_builtin"
[attestation_service.rvps_config]
type = "BuiltIn"
require_signed = true
$1
C
        start_server signed kbs -c signed.toml
    }
    openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null | openssl ec -pubout -out signer.pem 2>/dev/null
    start_with 'trust_anchors = ["signer.pem"]'
    run admin set-sample-reference-value svn 1
    [ "$status" -eq 1 ]
    [[ "$output" == *"sign"* ]]
    run admin get-reference-value --id svn
    [ "$status" -eq 1 ]
    # Without anchors nothing could ever satisfy it: nothing is taken, and the start says so.
    start_with ''
    grep -q 'WARN.*only signed reference values are taken, and no trust anchors are given' signed.log
    run admin set-sample-reference-value svn 1
    [ "$status" -eq 1 ]
    run kbs-client --url "$url" config --auth-private-key admin.key get-reference-value --id svn
    [ "$status" -eq 1 ]
    run start_with 'trust_anchors = ["admin.key"]' # a private key has no business there
    [ "$status" -ne 0 ]
}
