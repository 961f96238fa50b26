#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Administration with the real programs: policies with their history, scopes, a Unix socket, client
# certificates, keys that change, reference values from an attestation.

setup() {
    load common.bash
    start_suite
    cat >base.toml <<END
[attestation_service]
type = "coco_as_builtin"
sample_tee = true
[storage_backend.backends.sqlite]
path = "$work/kbs.sqlite"
[[plugins]]
name = "resource"
storage_backend_type = "kvstorage"
[admin.authorization.regex_acl]
acls = [{ role = "admin", allowed_endpoints = "^/kbs/.+$" },
        { role = "values-a", allowed_endpoints = "^/kbs/v0/reference-value/rvps:///team-a/.+$" },
        { role = "team-a", allowed_endpoints = "^/kbs/v0/(resource/team-a/.+|resource-policy/repository/team-a(/.+)?)$" }]
END
    printf 'package policy\nallow := true\n' >yes.rego
    printf 'package policy\nallow := false\n' >no.rego
    printf 'package policy\nallow := \n' >bad.rego
}

teardown() { end_suite; }

# serve_local ROLE [NAME]: the name is another one after a restart, since the first one's output
# says ready already.
serve_local() {
    {
        printf '[http_server]\nsockets = ["127.0.0.1:0"]\ninsecure_http = true\n'
        printf '[admin]\nauthorization_mode = "AuthenticatedAuthorization"\nunix_socket = "%s/admin.sock"\n' "$work"
        printf '[admin.authentication.unix]\nidentities = [{ user = "%s", role = "%s" }]\n' "$(id -u)" "$1"
        cat base.toml
    } >kbs.toml
    start_server "${2:-serve}" vouchsafe serve -c kbs.toml
}

local_admin() {
    kbs-client --unix-socket admin.sock config "$@"
}

@test "policies are set, read back, rolled back and not overwritten unseen" {
    serve_local admin
    local_admin policy set attestation/mine_cpu yes.rego --note first
    local_admin policy get attestation/mine_cpu >got.rego 2>etag
    cmp yes.rego got.rego
    etag=$(sed -n 's/^ETag: //p' etag)
    local_admin policy set attestation/mine_cpu no.rego --if-match "$etag"
    run local_admin policy set attestation/mine_cpu yes.rego --if-match "$etag"
    [ "$status" -eq 1 ]
    [[ "$output" == *"somebody else has changed the policy"* ]]
    run local_admin policy set attestation/mine_cpu yes.rego --create
    [ "$status" -eq 1 ]
    run local_admin policy set attestation/mine_cpu bad.rego
    [ "$status" -eq 1 ]
    [[ "$output" == *mine_cpu.rego:* ]]
    local_admin policy get attestation/mine_cpu 2>/dev/null | cmp no.rego
    local_admin policy rollback attestation/mine_cpu --note "it was wrong"
    local_admin policy get attestation/mine_cpu 2>/dev/null | cmp yes.rego
    local_admin policy history attestation/mine_cpu | grep -q '"note":"it was wrong"'
    local_admin policy delete attestation/mine_cpu
    run local_admin policy get attestation/mine_cpu
    [ "$status" -eq 1 ]
    local_admin policy activate attestation/mine_cpu --version 2
    local_admin policy get attestation/mine_cpu 2>/dev/null | cmp no.rego
    run local_admin policy get nonsense/x
    [ "$status" -eq 1 ]
    run local_admin policy activate resource
    [ "$status" -eq 2 ]
}

@test "history survives a restart and tables are for terminals" {
    serve_local admin
    local_admin set-resource-policy --policy-file yes.rego
    grep -q 'action="set resource policy" target=/kbs/v0/resource-policy' serve.log
    local_admin policy set resource no.rego
    stop_server
    [ ! -e admin.sock ]
    serve_local admin again
    local_admin policy history resource | grep -q '"action":"found"'
    local_admin policy rollback resource
    local_admin policy get resource 2>/dev/null | cmp yes.rego
    script -qec "kbs-client --unix-socket admin.sock config policy history resource" /dev/null >table
    grep -q '^\*\|^.*\* *4 ' table
    ! grep -q '{' table
}

@test "a repository's policy narrows, and its administrator stays there" {
    serve_local admin
    local_admin set-resource --path team-a/k/1 --resource-file message.txt >/dev/null
    local_admin set-resource --path team-b/k/1 --resource-file message.txt >/dev/null
    [ "$(local_admin list-resources)" = '["team-a/k/1","team-b/k/1"]' ]
    local_admin set-resource-policy --policy-file yes.rego >/dev/null
    stop_server
    serve_local team-a again
    local_admin policy set resource/team-a no.rego
    run local_admin policy set resource/team-b no.rego
    [ "$status" -eq 1 ]
    run local_admin policy set resource no.rego
    [ "$status" -eq 1 ]
    run local_admin list-resources
    [ "$status" -eq 1 ]
    [ ! -e /sys/kernel/config/tsm/report ] || skip "this machine has a report device"
    run kbs-client --url "$url" get-resource --path team-a/k/1 --allow-sample
    [ "$status" -eq 1 ]
    kbs-client --url "$url" get-resource --path team-b/k/1 --allow-sample | base64 -d | cmp message.txt
}

@test "reference values are collected from an attestation, and only what is approved is stored" {
    serve_local admin
    [ ! -e /sys/kernel/config/tsm/report ] || skip "this machine has a report device"
    kbs-client --url "$url" attest --allow-sample >ear.jwt
    jwt_payload ear.jwt | grep -q '"ear.status":"contraindicated"'
    id=$(sed -n 's/.*attestation verdict=allowed decision=\([0-9a-f-]*\).*/\1/p' serve.log | tail -1)
    local_admin collect "$id" >proposal
    grep -q '"name":"launch_digest","observed":"abcde"' proposal
    [ "$(local_admin reference-values list)" = '[]' ]
    digest=$(sed 's/.*"proposal":"\([0-9a-f]*\)".*/\1/' proposal)
    run local_admin collect "$id" --approve launch_digest --proposal 0000
    [ "$status" -eq 1 ]
    run local_admin collect "$id" --approve launch_digest
    [ "$status" -eq 1 ]
    local_admin collect "$id" --approve launch_digest --approve svn --approve major_version \
        --approve minimum_minor_version --proposal "$digest"
    local_admin reference-values list --prefix launch | grep -q "collected from decision $id"
    kbs-client --url "$url" attest --allow-sample >ear.jwt
    ! jwt_payload ear.jwt | grep -q '"ear.status":"contraindicated"'
    local_admin reference-values delete svn
    run local_admin reference-values delete svn
    [ "$status" -eq 1 ]
}

@test "a client certificate is an administrator, and keys of tokens are read again" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem \
        -days 1 -subj "/CN=test CA" 2>/dev/null
    for n in server alice; do
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $n.key -out $n.csr \
            -subj "/O=example/CN=$n" 2>/dev/null
        openssl x509 -req -in $n.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -out $n.pem \
            -extfile <(printf 'subjectAltName=IP:127.0.0.1') 2>/dev/null
    done
    {
        printf '[http_server]\nsockets = ["127.0.0.1:0"]\nprivate_key = "server.key"\ncertificate = "server.pem"\n'
        printf '[admin]\nauthorization_mode = "AuthenticatedAuthorization"\n'
        printf '[admin.authentication.mtls]\nclient_ca = "ca.pem"\n'
        printf 'identities = [{ subject = "CN=alice,O=example", role = "admin" }]\n'
        printf '[admin.authentication.bearer_jwt]\nidentity_providers = [{ public_key_uri = "admin.pub" }]\n'
        cat base.toml
    } >kbs.toml
    start_server serve vouchsafe serve -c kbs.toml
    kbs-client --url "$url" --cert-file ca.pem --client-cert alice.pem --client-key alice.key config policy list
    run kbs-client --url "$url" --cert-file ca.pem --client-cert server.pem --client-key server.key config policy list
    [ "$status" -eq 1 ]
    run kbs-client --url "$url" --cert-file ca.pem config policy list
    [ "$status" -eq 1 ]
    kbs-client --url "$url" --cert-file ca.pem config --auth-private-key admin.key policy list
    openssl genpkey -algorithm ed25519 -out new.key 2>/dev/null
    openssl pkey -in new.key -pubout -out admin.pub 2>/dev/null
    for _ in $(seq 100); do
        kbs-client --url "$url" --cert-file ca.pem config --auth-private-key new.key policy list && break
        sleep 0.1
    done
    run kbs-client --url "$url" --cert-file ca.pem config --auth-private-key admin.key policy list
    [ "$status" -eq 1 ]
}

@test "a reference value that a URI names is read and deleted by it, raw and encoded, and only it" {
    serve_local admin
    local_admin set-sample-reference-value rvps:///team-a/fw:1.0 one
    local_admin set-sample-reference-value rvps:///team-b/fw two
    local_admin set-sample-reference-value plain/name three
    [ "$(local_admin get-reference-value --id rvps:///team-a/fw:1.0)" = '"[\"one\"]"' ]
    asked() { # METHOD PATH: the status, and the body into the file "answer"
        curl -s -o answer -w '%{http_code}' --path-as-is --unix-socket admin.sock -X "$1" "http://kbs/kbs/v0/$2"
    }
    for path in rvps:///team-a/fw:1.0 rvps:%2F%2F%2Fteam-a%2Ffw:1.0 rvps%3a/%2F/team-a%2ffw%3A1.0; do
        [ "$(asked GET "reference-value/$path")" = 200 ]
        [ "$(cat answer)" = '["one"]' ]
    done
    [ "$(asked GET reference-value/plain%2Fname)" = 200 ]
    # Another route, another form: as before.
    for path in reference-value%2Frvps:///team-a/fw:1.0 reference%2Dvalue/rvps:%2F//team-a/fw:1.0 \
        resource-policy%2Fresource-policy resource-policy/rvps:///x reference-value/rvps:////team-a/fw:1.0 \
        reference-value/rvps:///team-b/../team-a/fw:1.0 reference-value/rvps:///team-b/%2e%2e/team-a/fw:1.0 \
        reference-value//plain/name reference-value/plain//name reference-value/rvps:///; do
        [ "$(asked GET "$path")" != 200 ]
        grep -q 'has an encoded slash, an empty segment' answer
    done
    stop_server
    serve_local values-a again
    [ "$(asked GET reference-value/rvps:///team-a/fw:1.0)" = 200 ]
    for path in rvps:///team-b/fw rvps:%2F%2F%2Fteam-b%2Ffw plain/name rvps:///team-a/../team-b/fw \
        rvps:///team-a/%2E%2E/team-b/fw rvps:///team-a//../team-b/fw rvps:///team-a/%252e%252e/team-b/fw; do
        [ "$(asked GET "reference-value/$path")" = 401 ]
        [ "$(asked DELETE "reference-value/$path")" != 200 ]
    done
    [ "$(asked POST reference-value/rvps:///team-a/x)" != 200 ] # nothing can be set below a name
    [ "$(asked GET reference-value)" = 401 ]
    [ "$(asked DELETE reference-value/rvps:%2F%2F%2Fteam-a/fw:1.0)" = 200 ]
    [ "$(asked GET reference-value/rvps:///team-a/fw:1.0)" = 401 ]
    grep -q 'No reference value found for the given id: rvps:///team-a/fw:1.0' answer
    stop_server
    serve_local admin once-more
    [ "$(asked GET reference-value/rvps:///team-b/fw)" = 200 ]
}
