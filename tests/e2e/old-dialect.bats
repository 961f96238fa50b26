#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Trustee's KBS of December 2025 replaced by this one, with its file as it is: what it left below
# /opt/confidential-containers is found, and stays there. Each test has a mount namespace of its own, in
# which /opt and /var/lib are empty.

bats_require_minimum_version 1.5.0

setup() {
    load common.bash
    unshare -m true 2>/dev/null || skip "no mount namespace may be made here"
    start_suite
    mkdir opt # what a deployment keeps of a container
    opt=/opt/confidential-containers/kbs
    [[ "$BATS_TEST_DESCRIPTION" != *"directory of the attestation service"* ]] ||
        opt=/opt/confidential-containers/attestation-service
    # The learning path's, with another port.
    cat >kbs-config.toml <<C
[http_server]
sockets = ["127.0.0.1:0"]
insecure_http = true

[attestation_token]
insecure_key = true

[attestation_service]
type = "coco_as_grpc"
as_addr = "http://127.0.0.1:9"

[admin]
type = "Simple"

[[admin.personas]]
id = "kbs-admin"
public_key_path = "$work/admin.pub"

[[plugins]]
name = "resource"
type = "LocalFs"
dir_path = "$opt/repository"
C
}

teardown() { end_suite; }

# A container: of it nothing but "$work/opt" is kept, which it has at "$opt".
# In place of the shell that calls it, so that its pid is the server's.
contained() {
    # shellcheck disable=SC2016
    exec unshare -m sh -c 'mount -t tmpfs none /opt && mount -t tmpfs none /var/lib &&
        mkdir -p "$1" && mount --bind "$0" "$1" && shift && exec "$@"' "$work/opt" "$opt" "$@"
}

start_kbs() {
    start_server kbs contained kbs --config-file "${1:-kbs-config.toml}"
}

# A token that the server believes (insecure_key) and that the default policy would be content with.
forge_token() {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out forged.key 2>/dev/null
    python3 - >forged.jwt <<'P'
import base64, json, subprocess, time
def b64(b): return base64.urlsafe_b64encode(b).rstrip(b"=").decode()
der = subprocess.check_output(["openssl", "pkey", "-in", "forged.key", "-pubout", "-outform", "DER"], stderr=subprocess.DEVNULL)
n = int(subprocess.check_output(["openssl", "rsa", "-in", "realm.key", "-noout", "-modulus"]).split(b"=")[1], 16)
x, y = der[-64:-32], der[-32:]
jwk = {"kty": "EC", "crv": "P-256", "alg": "ES256", "x": b64(x), "y": b64(y)}
tee = {"kty": "RSA", "alg": "RSA-OAEP-256", "e": "AQAB", "n": b64(n.to_bytes(256, "big"))}
head = b64(json.dumps({"alg": "ES256", "jwk": jwk}).encode())
body = b64(json.dumps({"exp": int(time.time()) + 600, "tee-pubkey": tee}).encode())
sig = subprocess.run(["openssl", "dgst", "-sha256", "-sign", "forged.key"], input=f"{head}.{body}".encode(), capture_output=True, check=True).stdout
r = sig[4:4 + sig[3]]
s = sig[6 + sig[3]:]
print(f"{head}.{body}.{b64(b''.join(n[-32:].rjust(32, bytes(1)) for n in (r, s)))}")
P
}

denied() {
    run get_with_token forged.jwt
    [ "$status" -eq 1 ]
    [[ "$output" == *PolicyDeny* ]]
}

keep_secret() {
    mkdir -p "opt/repository/$(dirname $secret_path)"
    cp message.txt "opt/repository/$secret_path"
}

@test "the policy that Trustee left is the one in effect, and the log says so" {
    keep_secret
    forge_token
    cp "$VS_ROOT/policies/kbs_deny_all.rego" opt/policy.rego
    start_kbs
    denied
    grep -q "resource policy in effect.*deny-all.*kept=\"file $opt/policy.rego\"" kbs.log
    run ! grep -q 'built-in default is in effect' kbs.log
    cmp "$VS_ROOT/policies/kbs_deny_all.rego" opt/policy.rego
    [ -s opt/vouchsafe.sqlite ] # with the policy, not somewhere that is thrown away
}

@test "a policy that is set is written there, and is in effect after the container was made anew" {
    keep_secret
    forge_token
    start_kbs
    get_with_token forged.jwt | base64 -d | cmp message.txt # the default, as Trustee's
    admin set-resource-policy --deny-all
    cmp "$VS_ROOT/policies/kbs_deny_all.rego" opt/policy.rego
    denied
    stop_server
    start_kbs
    denied
    stop_server
    rm opt/vouchsafe.sqlite* # Trustee knows nothing of it
    start_kbs
    denied
    [ "$(admin policy history resource)" = '[]' ]
    admin set-resource-policy --allow-all
    get_with_token forged.jwt | base64 -d | cmp message.txt
    admin policy rollback resource # what was found in the file is a version of it
    cmp "$VS_ROOT/policies/kbs_deny_all.rego" opt/policy.rego
    denied
}

@test "the first start writes the default policy where Trustee would, and warns of secrets beside it" {
    keep_secret
    start_kbs
    cmp "$VS_ROOT/policies/kbs_default.rego" opt/policy.rego
    grep -q 'WARN.*built-in default is in effect now, beside resources' kbs.log
    grep -q 'resource policy in effect.*built-in default' kbs.log
    stop_server
    start_kbs
    run ! grep -q 'beside resources' kbs.log
    stop_server
    rm -rf opt/*
    start_kbs
    run ! grep -q 'beside resources' kbs.log
}

@test "a policy file that is no policy releases nothing, and can be replaced" {
    keep_secret
    forge_token
    printf 'package policy\nallow if {\n' >opt/policy.rego
    start_kbs
    grep -q 'ERROR.*resource policy cannot be used' kbs.log
    run get_with_token forged.jwt
    [ "$status" -eq 1 ]
    [[ "$output" == *PolicyEngineError* ]]
    admin set-resource-policy --allow-all
    get_with_token forged.jwt | base64 -d | cmp message.txt
}

@test "an edit of the file counts at once, as it did for Trustee" {
    keep_secret
    forge_token
    start_kbs
    get_with_token forged.jwt | base64 -d | cmp message.txt
    cp "$VS_ROOT/policies/kbs_deny_all.rego" opt/policy.rego
    denied
    rm opt/policy.rego # gone is not: as at first
    run get_with_token forged.jwt
    [ "$status" -eq 1 ]
    [[ "$output" == *"Failed to load policy"* ]]
}

@test "a policy that names resources as Trustee did until v0.17 is warned about, and served when told" {
    keep_secret
    forge_token
    cat >opt/policy.rego <<R
package policy
default allow := false
allow if data["resource-path"] == "resource/$secret_path"
R
    start_kbs
    denied
    grep -q 'WARN.*looks at data.*was a text.*policy_engine.resource_path' kbs.log
    stop_server
    printf '[policy_engine]\nresource_path = "text"\n' >>kbs-config.toml
    start_kbs
    get_with_token forged.jwt | base64 -d | cmp message.txt
    run ! grep -q 'looks at data' kbs.log
    mkdir -p opt/repository/other/x
    cp message.txt opt/repository/other/x/y
    run kbs-client --url "$url" get-resource --tee-key-file realm.key --attestation-token forged.jwt --path other/x/y
    [ "$status" -eq 1 ]
    [[ "$output" == *PolicyDeny* ]]
}

@test "with a storage section the policy of then is taken over once, and the log says so" {
    keep_secret
    forge_token
    cp "$VS_ROOT/policies/kbs_deny_all.rego" opt/policy.rego
    printf '[storage_backend]\nbackends.sqlite.path = "%s/kept.sqlite"\n' "$work" >>kbs-config.toml
    start_kbs
    denied
    grep -q "taken over.*$opt/policy.rego" kbs.log
    grep -q 'resource policy in effect.*deny-all.*kept="Sqlite ' kbs.log
    admin set-resource-policy --allow-all
    stop_server
    start_kbs
    get_with_token forged.jwt | base64 -d | cmp message.txt
    cmp "$VS_ROOT/policies/kbs_deny_all.rego" opt/policy.rego
}

@test "today's dialect does not look there" {
    forge_token
    cp "$VS_ROOT/policies/kbs_deny_all.rego" opt/policy.rego
    cat >now.toml <<C
[http_server]
sockets = ["127.0.0.1:0"]
insecure_http = true
[attestation_token]
insecure_header_jwk = true
[attestation_service]
type = "coco_as_grpc"
[admin]
authorization_mode = "InsecureAllowAll"
[[plugins]]
name = "resource"
storage_backend_type = "kvstorage"
C
    start_kbs now.toml
    grep -q 'resource policy in effect.*built-in default.*kept="Sqlite /var/lib/vouchsafe/kbs.sqlite"' kbs.log
    [ "$(ls opt)" = policy.rego ]
}

@test "an attestation policy survives with the directory of the attestation service" {
    printf '{"work_dir":"/opt/confidential-containers/attestation-service","policy_engine":"opa","rvps_config":{"type":"BuiltIn"},"attestation_token_broker":{"type":"Ear"}}' >as.json
    printf 'package policy\n' >mine.rego
    for service in as again; do
        start_server $service contained restful-as --config-file as.json --socket 127.0.0.1:0
        grep -q 'WARN.*policies that an older version kept.*are not read' $service.log
        [ -s opt/vouchsafe.sqlite ]
        if [ $service = as ]; then
            curl -sf -X POST -H 'content-type: application/json' "$url/policy" \
                -d "{\"type\":\"rego\",\"policy_id\":\"default_cpu\",\"policy\":\"$(base64 -w0 mine.rego | tr '+/' '-_' | tr -d =)\"}"
        fi
        curl -sf "$url/policy/default_cpu" | tr '_-' '/+' | base64 -d 2>/dev/null | cmp - mine.rego
        stop_server
    done
}

@test "vouchsafe config shows where policy and store are" {
    (contained vouchsafe config --json -c kbs-config.toml >shown)
    grep -q "{\"from\":\"default\",\"key\":\"storage_backend.backends.sqlite.path\",\"value\":\"$opt/vouchsafe.sqlite\"}" shown
    grep -q "{\"from\":\"default\",\"key\":\"policy_engine.policy_path\",\"value\":\"$opt/policy.rego\"}" shown
}
