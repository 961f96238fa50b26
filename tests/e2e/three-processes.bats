#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The deployment of the learning path: rvps, grpc-as and kbs as three processes that speak gRPC with each
# other, from configuration files in the dialect of December 2025 and in today's.

bats_require_minimum_version 1.5.0

setup() {
    load common.bash
    start_suite
    start_realm
    export CCA_CONFIG_FILE=$work/realm/cca-config.json
}

teardown() { end_suite; }

start_rvps() {
    start_server rvps rvps --config rvps.json --address "${1:-127.0.0.1:0}"
    rvps_url=$url rvps_pid=$server_pid
}

start_as() {
    start_server as grpc-as --config-file as.json --socket "${1:-127.0.0.1:0}" "${as_options[@]}"
    as_url=$url as_pid=$server_pid
}

start_kbs() {
    start_server kbs kbs --config-file kbs.toml
}

stop_pid() {
    kill "$1"
    wait "$1" || true
}

# The files of December 2025.
then_files() {
    local part=$1
    case $part in
    rvps) printf '{"storage":{"type":"LocalFs","file_path":"%s/values"}}' "$work" >rvps.json ;;
    as)
        as_options=(--data-dir as)
        cat >as.json <<C
{ "work_dir": "/opt/confidential-containers/attestation-service",
  "policy_engine": "opa",
  "rvps_config": { "type": "GrpcRemote", "address": "$rvps_url" },
  "attestation_token_broker": { "type": "Ear", "policy_dir": "/opt/policies", "duration_min": 30 } }
C
        ;;
    kbs)
        cat >kbs.toml <<C
[http_server]
sockets = ["127.0.0.1:0"]
insecure_http = true
[attestation_token]
insecure_key = true
[attestation_service]
type = "coco_as_grpc"
as_addr = "$as_url"
[admin]
type = "Simple"
[[admin.personas]]
id = "tester"
public_key_path = "$work/admin.pub"
[[plugins]]
name = "resource"
type = "LocalFs"
dir_path = "$work/repository"
[storage_backend]
backends.sqlite.path = "$work/kbs.sqlite"
C
        ;;
    esac
}

# The files of today: tokens are believed because of their certificate, storage has a section.
now_files() {
    local part=$1
    case $part in
    rvps)
        cat >rvps.json <<C
{ "storage": { "storage_type": "LocalJson", "backends": { "local_json": { "file_dir_path": "$work/values" } } } }
C
        ;;
    as)
        as_options=()
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=signer \
            -keyout signer.key -out signer.pem 2>/dev/null
        cat >as.json <<C
{ "rvps_config": { "type": "GrpcRemote", "address": "${rvps_url#http://}" },
  "attestation_token_broker": { "duration_min": 5, "issuer_name": "three",
      "signer": { "key_path": "$work/signer.key", "cert_path": "$work/signer.pem" } },
  "storage_backend": { "storage_type": "LocalFs", "backends": { "local_fs": { "dir_path": "$work/as-store" } } } }
C
        ;;
    kbs)
        cat >kbs.toml <<C
[http_server]
sockets = ["127.0.0.1:0"]
insecure_http = true
[attestation_token]
trusted_certs_paths = ["$work/signer.pem"]
[attestation_service]
type = "coco_as_grpc"
as_addr = "$as_url/"
pool_size = 4
timeout = 5
[admin]
authorization_mode = "AuthenticatedAuthorization"
[admin.authentication.bearer_jwt]
identity_providers = [{ public_key_uri = "$work/admin.pub" }]
[admin.authorization.regex_acl]
acls = [{ role = "admin", allowed_endpoints = "^/kbs/.+\$" }]
[storage_backend]
storage_type = "LocalFs"
[storage_backend.backends.local_fs]
dir_path = "$work/kbs-store"
[[plugins]]
name = "resource"
storage_backend_type = "kvstorage"
C
        ;;
    esac
}

# DIALECT [ADDRESS-OF-RVPS ADDRESS-OF-AS]
start_three() {
    "$1_files" rvps
    start_rvps "${@:2:1}"
    "$1_files" as
    start_as "${@:3:1}"
    "$1_files" kbs
    start_kbs
    prepare_secret
}

# Denied, endorsed, received.
play() {
    attest >ear.jwt
    jwt_payload ear.jwt | grep -q '"ear.status":"warning"'
    run get_with_token ear.jwt
    [ "$status" -eq 1 ]
    [[ "$output" == *PolicyDeny* ]]
    grep -q 'appraised.*executables 33.*is not an approved value of cca.realm.cca-realm-initial-measurement' as.log
    grep -q 'executables 33 (unrecognized_rt)' kbs.log

    [ "$(endorse_rim)" = "Reference Values Updated" ]
    attest >ear.jwt
    jwt_payload ear.jwt | grep -q '"ear.status":"affirming"'
    get_with_token ear.jwt | base64 -d >got
    cmp message.txt got
}

@test "files of December 2025: denied, endorsed, received" {
    start_three then
    play
    cmp message.txt "repository/$secret_path"
    [ -e values/reference_value/cca.realm.cca-realm-initial-measurement ]
    grep -q 'obsolete key.*storage.type.*storage.storage_type' rvps.log
    grep -q 'key has no effect.*work_dir' as.log
    [ "$(jwt_payload ear.jwt | grep -o '"iat":[0-9]*' | head -1 | cut -d: -f2)" -gt 0 ]
}

@test "files of today: denied, endorsed, received" {
    start_three now
    play
    jwt_payload ear.jwt | grep -q '"iss":"three"'
    [ -s values/reference_value ]
    [ -s as-store/attestation_service_policy/default_cpu.rego ]
    vouchsafe verify --ca signer.pem ear.jwt
}

@test "rvps-tool registers and shows, and kbs-client sees the same values" {
    start_three now
    printf '{"version":"0.1.0","type":"sample","payload":"%s"}' \
        "$(printf '{"a.b":["x",1,true],"one":"y"}' | base64 -w0)" >values.json
    rvps-tool register --path values.json --addr "$rvps_url"
    [ "$(rvps-tool query -r a.b -a "$rvps_url")" = '["x",1,true]' ]
    [ "$(rvps-tool query -r one -a "$as_url")" = '"y"' ] # the service answers for the provider
    [[ "$(rvps-tool query -r none -a "$rvps_url")" == *"No reference values found for the given id"* ]]
    [ "$(admin get-reference-value --id a.b)" = '"[\"x\",1,true]"' ]
    printf '{"version":"0.2.0","type":"sample","payload":""}' >bad.json
    run rvps-tool register --path bad.json --addr "$rvps_url"
    [ "$status" -eq 1 ]
    [[ "$output" == *"Version unmatched! Need 0.1.0, given 0.2.0."* ]]
    run rvps-tool query -r a.b -a http://127.0.0.1:9
    [ "$status" -eq 1 ]
    [[ "$output" == *"127.0.0.1:9"*refused* ]]
}

@test "a policy set through kbs is used by the attestation service, and its errors come back" {
    start_three now
    printf 'package policy\nimport rego.v1\n\ntrust_claims := {"executables": 3, "hardware": 2, "configuration": 2}\n' >mine.rego
    admin set-attestation-policy --policy-file mine.rego --id default_cpu
    cmp mine.rego as-store/attestation_service_policy/default_cpu.rego
    attest >ear.jwt
    jwt_payload ear.jwt | grep -q '"ear.status":"affirming"'
    printf 'package policy\nallow if {\n  input.x ==\n}\n' >bad.rego
    run admin set-attestation-policy --policy-file bad.rego --id default_cpu
    [ "$status" -eq 1 ]
    [[ "$output" == *"default_cpu.rego:"* ]]
    cmp mine.rego as-store/attestation_service_policy/default_cpu.rego
}

@test "what is administered in one process is administered across three" {
    start_three now "unix:$work/rvps.sock" "unix:$work/as.sock"
    [ "$rvps_url $as_url" = "unix:$work/rvps.sock unix:$work/as.sock" ]
    printf 'package policy\n\ntrust_claims := {"hardware": 97}\n' >mine.rego
    admin policy set attestation/default_cpu mine.rego --note "for a test"
    attest >ear.jwt
    jwt_payload ear.jwt | grep -q '"ear.status":"contraindicated"'
    admin policy history attestation/default_cpu >history
    grep -q '"note":"for a test"' history
    grep -q '"who":"[^"]*, by the peer' history
    run admin policy set attestation/default_cpu mine.rego --create
    [ "$status" -eq 1 ]
    run admin policy delete attestation/default_cpu
    [ "$status" -eq 1 ]
    [[ "$output" == *"would come back"* ]]
    admin policy rollback attestation/default_cpu
    admin policy get attestation/default_cpu 2>/dev/null | cmp "$VS_ROOT/policies/default_cpu.rego"

    # A denial is explained, replayed, and gives the values that would have passed.
    attest >ear.jwt
    id=$(sed -n 's/.*attestation verdict=allowed decision=\([0-9a-f-]*\).*/\1/p' kbs.log | tail -1)
    asker=(--url "$url" --auth-private-key admin.key)
    vouchsafe explain "${asker[@]}" "$id" | grep -q 'is not an approved value of cca.realm.cca-realm-initial-measurement'
    vouchsafe audit key "${asker[@]}" >key.jwk
    vouchsafe explain "${asker[@]}" --export record.jws "$id" >/dev/null
    [ "$(vouchsafe replay --key key.jwk --payload record.jws)" = "$(jwt_payload ear.jwt)" ]
    [ "$(admin reference-values list)" = '[]' ]
    admin collect "$id" >proposal
    name=cca.realm.cca-realm-initial-measurement
    admin collect "$id" --approve $name --proposal "$(sed 's/.*"proposal":"\([0-9a-f]*\)".*/\1/' proposal)"
    admin reference-values list >listed
    grep -q "collected from decision $id, by the peer's word" listed
    attest >ear.jwt
    jwt_payload ear.jwt | grep -q '"ear.status":"affirming"'
    admin reference-values delete $name
    run admin reference-values delete $name
    [ "$status" -eq 1 ]
    attest >ear.jwt
    jwt_payload ear.jwt | grep -q '"ear.status":"warning"'
}

@test "strangers on the ports administrate nothing, and all that Trustee has works" {
    start_three now
    play
    name=cca.realm.cca-realm-initial-measurement
    refused() { # WORD... of an administrator, who is no stranger to the KBS
        run admin "$@"
        [ "$status" -eq 1 ]
        [[ "$output" == *PERMISSION_DENIED*--client-ca*insecure_administration* ]] || {
            echo "$output"
            return 1
        }
    }
    refused reference-values list
    refused reference-values delete $name
    refused policy history attestation/default_cpu
    refused policy rollback attestation/default_cpu
    grep -q 'refused to a stranger.*DeleteReferenceValue.*peer=127.0.0.1:' as.log
    grep -q 'evaluations are not explained or recorded.*--client-ca' kbs.log
    attest >ear.jwt # nothing was deleted
    jwt_payload ear.jwt | grep -q '"ear.status":"affirming"'
}

@test "an operator may open administration to strangers, in so many words" {
    now_files rvps
    sed -i 's/^{/{ "insecure_administration": true,/' rvps.json
    start_rvps
    now_files as
    sed -i 's/^{/{ "insecure_administration": true,/' as.json
    start_as
    now_files kbs
    start_kbs
    endorse_rim
    admin reference-values list | grep -q cca-realm-initial-measurement
    admin reference-values delete cca.realm.cca-realm-initial-measurement
    admin policy history attestation/default_cpu >history
    for log in rvps.log as.log; do grep -q 'insecure_administration: whoever reaches this address may' $log; done
}

@test "a Unix socket is for IP:port's place only, and is gone after the end" {
    now_files rvps
    start_rvps "unix:$work/rvps.sock"
    [ -S rvps.sock ]
    run rvps --config rvps.json --address "unix:$work/rvps.sock"
    [ "$status" -eq 1 ]
    [[ "$output" == *"somebody listens on $work/rvps.sock"* ]]
    run rvps --config rvps.json --address unix:rvps.sock
    [ "$status" -eq 1 ]
    [[ "$output" == *"is not IP:port"* ]]
    rvps-tool query -r x -a "$rvps_url"
    stop_pid "$rvps_pid"
    [ ! -e rvps.sock ]
    run rvps-tool query -r x -a "$rvps_url"
    [[ "$output" == *"cannot connect to $work/rvps.sock"* ]]
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x \
        -keyout link.key -out link.pem 2>/dev/null
    run grpc-as --data-dir as --socket "unix:$work/as.sock" -t link.pem -k link.key
    [ "$status" -eq 1 ]
    [[ "$output" == *"no TLS on a Unix socket"* ]]
}

@test "a policy set on the port of the attestation service has its version at once" {
    start_three now
    start_server rest restful-as --socket 127.0.0.1:0 --data-dir rest
    printf 'package policy\n' >mine.rego
    curl -sf -X POST -H 'content-type: application/json' "$url/policy" \
        -d "{\"type\":\"rego\",\"policy_id\":\"mine_cpu\",\"policy\":\"$(base64 -w0 mine.rego | tr '+/' '-_' | tr -d =)\"}"
    python3 -c 'import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute("select value from kv where ns like ?", ("%_history",)):
    print(row[0].decode())' rest/as.sqlite >dump
    grep -q "set on the attestation service's own port" dump
}

@test "a provider that takes only what is signed deletes nothing for a stranger" {
    cat >rvps.json <<C
{ "trust_anchors": ["$work/admin.pub"], "require_signed": true }
C
    start_server rvps rvps --config rvps.json --address "unix:$work/rvps.sock" --data-dir values
    rvps_url=$url
    now_files as
    start_as "unix:$work/as.sock"
    now_files kbs
    start_kbs
    run admin reference-values delete anything
    [ "$status" -eq 1 ]
    [[ "$output" == *"with a signature only"* ]]
}

@test "the attestation service dies and comes back: a precise error, then all is as before" {
    start_three now
    endorse_rim
    kill -9 "$as_pid"
    wait "$as_pid" || true
    run attest
    [ "$status" -eq 1 ]
    grep -q "attestation service: gRPC /vouchsafe.administration.AttestationAdministration/EvaluateAndTell at ${as_url#http://}: .*refused" kbs.log
    run admin set-attestation-policy --policy-file "$VS_ROOT/policies/default_cpu.rego" --id default_cpu
    [ "$status" -eq 1 ]
    [[ "$output" == *refused* ]]
    curl -sf "$url/livez"
    kbs=$url
    start_as "${as_url#http://}"
    url=$kbs
    attest >ear.jwt
    jwt_payload ear.jwt | grep -q '"ear.status":"affirming"'
    get_with_token ear.jwt | base64 -d >got
    cmp message.txt got
}

@test "an attestation service that hangs holds up nothing else, and kbs still stops" {
    start_three now
    endorse_rim
    attest >ear.jwt
    kill -STOP "$as_pid"
    attest >hung.jwt 2>&1 3>&- &
    pids+=($!)
    sleep 0.5
    curl -sf -m 5 "$url/livez"
    get_with_token ear.jwt | base64 -d >got
    cmp message.txt got
    begin=$(date +%s)
    stop_pid "$server_pid"
    kill -CONT "$as_pid"
    [ $(($(date +%s) - begin)) -lt 20 ]
    grep -q 'left with requests in flight' kbs.log
}

@test "the provider dies: evidence is refused, not appraised without it, until it is back" {
    start_three then
    kbs=$url
    endorse_rim
    stop_pid "$rvps_pid"
    run attest
    [ "$status" -eq 1 ]
    grep -q "reference value provider: gRPC /reference.ReferenceValueProviderService/QueryReferenceValue at ${rvps_url#http://}: .*refused" as.log
    grep -q "ABORTED: Attestation evaluation failed.*refused" kbs.log
    start_rvps "${rvps_url#http://}"
    url=$kbs
    attest >ear.jwt
    jwt_payload ear.jwt | grep -q '"ear.status":"affirming"'
}

@test "the three may be started in any order" {
    now_files rvps
    start_rvps
    stop_pid "$rvps_pid"
    now_files as
    start_as
    stop_pid "$as_pid"
    now_files kbs
    start_kbs
    kbs=$url
    start_as "${as_url#http://}"
    start_rvps "${rvps_url#http://}"
    url=$kbs
    prepare_secret
    endorse_rim
    attest >ear.jwt
    jwt_payload ear.jwt | grep -q '"ear.status":"affirming"'
}

@test "kbs with its own verifier and a provider that is another process" {
    now_files rvps
    start_rvps
    cat >kbs.toml <<C
[http_server]
sockets = ["127.0.0.1:0"]
insecure_http = true
[attestation_service]
type = "coco_as_builtin"
[attestation_service.rvps_config]
type = "GrpcRemote"
address = "${rvps_url#http://}"
[admin]
type = "Simple"
[[admin.personas]]
id = "tester"
public_key_path = "$work/admin.pub"
[storage_backend]
storage_type = "Memory"
[[plugins]]
name = "resource"
storage_backend_type = "kvstorage"
C
    start_kbs
    prepare_secret
    endorse_rim
    attest >ear.jwt
    get_with_token ear.jwt | base64 -d >got
    cmp message.txt got
    [ -s values/reference_value ]
}

@test "mutual TLS on every link" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=trusted \
        -addext 'subjectAltName=IP:127.0.0.1' -keyout link.key -out link.pem 2>/dev/null
    tls=(-t link.pem -k link.key --client-ca link.pem)
    printf '{}' >rvps.json
    start_server rvps rvps -c rvps.json -a 127.0.0.1:0 --data-dir values "${tls[@]}"
    rvps_url=$url
    [[ "$rvps_url" == https://* ]]
    printf '{"rvps_config":{"type":"GrpcRemote","address":"%s","ca_cert_path":"link.pem","client_cert_path":"link.pem","client_key_path":"link.key"}}' \
        "$rvps_url" >as.json
    start_server as grpc-as -c as.json -s 127.0.0.1:0 --data-dir as "${tls[@]}"
    as_url=$url
    then_files kbs
    sed -i "s|^as_addr = .*|&\nca_cert_path = \"link.pem\"\nclient_cert_path = \"link.pem\"\nclient_key_path = \"link.key\"|" kbs.toml
    start_kbs
    prepare_secret
    play
    admin reference-values list | grep -q "by the peer's word" # who shows a certificate is known
    admin policy history attestation/default_cpu >history
    admin reference-values delete cca.realm.cca-realm-initial-measurement
    run rvps-tool query -r x -a "$rvps_url" --ca-cert link.pem # without a certificate of its own
    [ "$status" -eq 1 ]
    rvps-tool query -r x -a "$rvps_url" --ca-cert link.pem --client-cert link.pem --client-key link.key
    run rvps-tool query -r x -a "$rvps_url"
    [ "$status" -eq 1 ]
    [[ "$output" == *certificate* ]]
}

@test "restful-as serves the same over HTTP, with web pages of allowed origins" {
    start_server rest restful-as -s 127.0.0.1:0 --data-dir as -r https://a.example,https://b.example -r http://c.example
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/healthz")" = 200 ]
    curl -sf "$url/.well-known/jwks.json" | grep -q '"crv":"P-256"'
    [ "$(curl -sf "$url/policy" | tr ',' '\n' | grep -c policy-id)" -eq 4 ]
    curl -sf "$url/policy/default_cpu" | tr '_-' '/+' | base64 -d 2>/dev/null | cmp - "$VS_ROOT/policies/default_cpu.rego"
    curl -si -H 'Origin: https://b.example' "$url/policy" | grep -qi '^access-control-allow-origin: https://b.example'
    run ! grep -qi access-control-allow-origin <(curl -si -H 'Origin: https://d.example' "$url/policy")
    curl -si -X OPTIONS -H 'Origin: http://c.example' -H 'Access-Control-Request-Method: POST' "$url/attestation" |
        grep -qi '^access-control-max-age: 86400'
}

@test "grpc-as and rvps tell operators what they do and whether they can" {
    start_server rvps rvps --address 127.0.0.1:0 --data-dir rv --operations 127.0.0.1:0
    rvps_url=$url rvps_pid=$server_pid
    printf '{"rvps_config":{"type":"GrpcRemote","address":"%s"}}' "$rvps_url" >as.json
    start_server as grpc-as -c as.json -s 127.0.0.1:0 --data-dir as --operations 127.0.0.1:0
    as_url=$url
    start_server rest restful-as -c as.json -s 127.0.0.1:0 --data-dir rest --operations 127.0.0.1:0
    ops() { sed -n 's/^operations //p' "$1.out"; }
    echo '{"version":"0.1.0","type":"nobody","payload":""}' >wrong.json
    run rvps-tool register -p wrong.json -a "$rvps_url"
    [ "$status" -eq 1 ]
    rvps-tool query -r nothing -a "$as_url"
    curl -sf "$(ops rvps)/metrics" | grep -q '^rvps_messages_total{result="refused"} 1$'
    curl -sf "$(ops rvps)/metrics" | grep -q '^rvps_queries_total{result="none"} 1$'
    curl -s -X POST -H 'Content-Type: application/json' -d '{"verification_requests":[{"tee":"sample","evidence":"e30"}],"policy_ids":[]}' "$url/attestation" >/dev/null
    curl -sf "$(ops rest)/metrics" | grep -q '^as_evaluations_total{result="refused"} 1$'
    for name in rvps as rest; do
        [ "$(curl -s -o /dev/null -w '%{http_code}' "$(ops $name)/livez")" = 200 ]
        curl -sf "$(ops $name)/readyz" | grep -q '"ready":true'
        curl -sf "$(ops $name)/metrics" | grep -q '^process_open_fds'
    done
    stop_pid "$rvps_pid"
    for ((i = 0; i < 100; i++)); do # an answer is kept for 3 s
        curl -s "$(ops as)/readyz" >ready.json
        grep -q '"ready":true' ready.json || break
        sleep 0.1
    done
    grep -q '"reference value provider","ok":false,"error":".*refused' ready.json
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$(ops as)/livez")" = 200 ]
}

@test "a provider that hangs makes the service not ready, and holds up no operator" {
    python3 -c '
import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(64)
print("ready http://127.0.0.1:%d" % s.getsockname()[1], flush=True)
time.sleep(120)' >tarpit.out 3>&- &
    pids+=($!)
    printf '{"rvps_config":{"type":"GrpcRemote","address":"%s"}}' "$(await_ready tarpit.out)" >as.json
    start_server as grpc-as -c as.json -s 127.0.0.1:0 --data-dir as --operations 127.0.0.1:0
    ops=$(sed -n 's/^operations //p' as.out)
    for i in 1 2 3; do curl -s -m 5 "$ops/readyz" >"ready$i.json" & askers+=($!); done
    sleep 0.1
    [ "$(curl -s -m 0.4 -o /dev/null -w '%{http_code}' "$ops/livez")" = 200 ]
    wait "${askers[@]}"
    grep -q '"reference value provider","ok":false,"error":"it does not answer in time"' ready1.json
    grep -q '"name":"store","ok":true' ready1.json
}

@test "one source cannot take grpc-as for itself" {
    start_server as restful-as -s 127.0.0.1:0 --data-dir as --rate-per-source 5 --burst-per-source 5
    for ((i = 0; i < 20; i++)); do curl -s -o /dev/null -w '%{http_code}\n' "$url/policy" || true; done >codes
    grep -q 200 codes
    grep -qE '429|000' codes # too many requests, or a connection that was closed at once
    run restful-as -s 127.0.0.1:0 --rate-per-source many
    [ "$status" -eq 1 ] && [[ "$output" == *"--rate-per-source many: must be 0 to 1000000"* ]]
    run restful-as -s 127.0.0.1:0 --burst-per-source 5
    [ "$status" -eq 1 ] && [[ "$output" == *"needs --rate-per-source"* ]]
}

@test "what cannot be right is refused at the start, with the reason" {
    refused() { # TEXT COMMAND...
        local text=$1
        shift
        run "$@"
        [ "$status" -ne 0 ]
        [[ "$output" == *"$text"* ]] || {
            echo "$output"
            return 1
        }
    }
    printf '{"rvps_confg":{}}' >bad.json
    refused 'did you mean \"rvps_config\"' grpc-as -c bad.json -s 127.0.0.1:0
    printf '{"rvps_config":{"type":"GrpcRemote","adress":"x"}}' >bad.json
    refused 'did you mean \"rvps_config.address\"' grpc-as -c bad.json -s 127.0.0.1:0
    printf '{' >bad.json
    refused 'bad.json' rvps -c bad.json -a 127.0.0.1:0
    refused 'nosuch.json' rvps -c nosuch.json -a 127.0.0.1:0
    refused 'nosuch.json' grpc-as -c nosuch.json
    refused 'both --https-pubkey-cert and --https-prikey' grpc-as -s 127.0.0.1:0 -t admin.pub
    refused 'both --https-pubkey-cert and --https-prikey' restful-as -s 127.0.0.1:0 -k admin.key
    refused 'is not IP:port' grpc-as -s nowhere:1
    refused '--socket' restful-as
    refused 'http:// or https://' restful-as -s 127.0.0.1:0 --data-dir as -r example.org
    refused 'ftp' grpc-as -s 127.0.0.1:0 --data-dir as -c <(printf '{"rvps_config":{"type":"GrpcRemote","address":"ftp://x:1"}}')
}
