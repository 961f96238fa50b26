#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# vouchsafe config: what is in effect, and that it refuses what the server refuses.

setup() {
    load common.bash
    start_suite
}

teardown() { end_suite; }

# KEY: its value and where it comes from, as the JSON has them.
setting() {
    python3 -c '
import json, sys
print(*(json.dumps(s["value"]) + " " + s["from"] for s in json.load(sys.stdin) if s["key"] == sys.argv[1]))' "$1"
}

@test "config: each setting has its value and where it comes from" {
    cat >c.toml <<'C'
[http_server]
insecure_http = true
sockets = ["127.0.0.1:1", "[::1]:2"]
[attestation_token]
insecure_key = true
[admin]
authorization_mode = "DenyAll"
[[plugins]]
name = "resource"
storage_backend_type = "Vault"
vault_url = "https://127.0.0.1:8200"
token = "s3cret-canary"
C
    vouchsafe config -c c.toml >out.json
    [ "$(setting http_server.sockets <out.json)" = '["127.0.0.1:1", "[::1]:2"] file' ]
    [ "$(setting http_server.insecure_http <out.json)" = 'true file' ]
    [ "$(setting http_server.payload_request_size <out.json)" = '2 default' ]
    [ "$(setting attestation_service.type <out.json)" = '"coco_as_builtin" default' ]
    [ "$(setting http_server.private_key <out.json)" = '' ] # neither said nor a default
    # An older name is shown as it is written, and the newer one not with a default that does not hold.
    [ "$(setting attestation_token.insecure_key <out.json)" = 'true file' ]
    [ "$(setting attestation_token.insecure_header_jwk <out.json)" = '' ]
    grep -q '"now":"attestation_token.insecure_header_jwk"' out.json
    [ "$(setting 'plugins[0].vault_url' <out.json)" = '"https://127.0.0.1:8200" file' ]
    [ "$(setting 'plugins[0].token' <out.json)" = '"(not shown)" file' ]
    run grep -q s3cret out.json
    [ "$status" -eq 1 ]
    echo '{"rvps_config":{"type":"BuiltIn","storage":{"type":"Postgres","password":"s3cret"}}}' >as.json
    vouchsafe config --of as -c as.json >as.out
    [ "$(setting rvps_config.storage <as.out)" = '"(not shown)" file' ]
    vouchsafe config -c c.toml --changed >changed.json
    run grep -q '"default"' changed.json
    [ "$status" -eq 1 ]
    [ "$(vouchsafe config --of rvps --changed)" = '[]' ]
}

@test "config: a file that the server refuses is refused, with the same reason" {
    printf '[http_server]\ninsecure_htpp = true\n' >c.toml
    run vouchsafe config -c c.toml
    [ "$status" -eq 1 ] && [[ "$output" == *'did you mean "http_server.insecure_http"?'* ]]
    run vouchsafe serve -c c.toml
    [ "$status" -eq 1 ] && [[ "$output" == *'did you mean \"http_server.insecure_http\"?'* ]]
    echo '{"attestation_token_broker": {"signer": {"cert_path": "x"}}}' >as.json # not by the table alone
    run vouchsafe config --of as -c as.json
    [ "$status" -eq 1 ] && [[ "$output" == *'needs "key_path"'* ]]
    run vouchsafe config --of rvps -c nowhere.json
    [ "$status" -eq 1 ] && [[ "$output" == *"nowhere.json"* ]]
    run vouchsafe config --of gateway
    [ "$status" -eq 1 ] && [[ "$output" == *"kbs, as or rvps"* ]]
}
