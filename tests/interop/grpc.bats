#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Our gRPC and the reference implementation (Python's grpcio), each as client and as server.
# VS_PYTHON names an interpreter that has grpcio; nothing is fetched.

setup() {
    python=${VS_PYTHON:-python3}
    "$python" -c 'import grpc' 2>/dev/null || skip "$python has no grpcio"
    peer=$VS_BUILD/tests/interop/grpc_peer
    dir=$BATS_TEST_TMPDIR
}

teardown() { [ -z "${work-}" ] || end_suite; }

certificates() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=peer' \
        -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1,URI:spiffe://example/peer' \
        -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
}

ours_with_their_client() {
    "$python" "$VS_ROOT/tests/interop/grpc_client.py" "$dir" "$peer" "$@"
}

@test "their client, our server, plain text" {
    run ours_with_their_client
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "their client, our server, with workers" {
    run ours_with_their_client -w 4
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "their client, our server, mutual TLS" {
    certificates
    run ours_with_their_client -c "$dir/cert.pem" -k "$dir/key.pem" -a "$dir/cert.pem"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "our client, their server" {
    certificates
    run "$python" "$VS_ROOT/tests/interop/grpc_server.py" "$dir" "$peer"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "the attestation service and the provider: their client, their services" {
    run "$python" "$VS_ROOT/tests/interop/trusted_side.py" "$dir" "$VS_BIN"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "the agent and the hub of a guest: their client" {
    "$python" -c 'import google.protobuf' 2>/dev/null || skip "$python has no protobuf"
    load ../e2e/common.bash
    start_suite
    start_realm
    serve
    kbs_url=$url
    prepare_secret
    endorse_rim >/dev/null
    printf '[token_configs.kbs]\nurl = "%s"\n[eventlog_config]\nenable_eventlog = true\n' "$kbs_url" >aa.toml
    start_server grpc-aa grpc-aa -a 127.0.0.1:0 -c aa.toml
    agent_url=$url
    start_server aa attestation-agent -a "unix://$work/aa.sock" -c aa.toml # the hub asks over ttrpc
    printf 'socket = "127.0.0.1:0"\n[aa]\naa_socket = "unix://%s/aa.sock"\n[kbc]\nname = "cc_kbc"\nurl = "%s"\n' \
        "$work" "$kbs_url" >cdh.toml
    start_server grpc-cdh grpc-cdh -c cdh.toml
    run "$python" "$VS_ROOT/tests/interop/guest_side.py" "${agent_url#http://}" "${url#http://}" "$secret_path" message.txt
    echo "$output"
    [ "$status" -eq 0 ]
}
