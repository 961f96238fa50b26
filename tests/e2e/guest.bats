#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The programs inside a guest, with a software realm as the TEE and a real server outside.

setup() {
    load common.bash
    start_suite
    start_realm
    serve
    kbs_url=$url
    kbs_pid=$server_pid
    prepare_secret
    endorse_rim >/dev/null
}

teardown() { end_suite; }

ttrpc() { "$VS_ROOT/tests/e2e/ttrpc.py" "$@"; }

# member NAME...: that member of the JSON on stdin
member() { python3 -c 'import functools, json, sys; print(functools.reduce(lambda d, k: d[k], sys.argv[1:], json.load(sys.stdin)))' "$@"; }

ask_aa() { ttrpc "$work/aa.sock" attestation_agent.AttestationAgentService "$@"; }

# start_aa [LINES OF CONFIGURATION] -- [OPTIONS]
start_aa() {
    printf '[token_configs.kbs]\nurl = "%s"\n%s\n' "$kbs_url" "${1-}" >aa.toml
    shift || true
    start_server aa attestation-agent -a "unix://$work/aa.sock" -c aa.toml "$@"
    url=$kbs_url
}

start_cdh() {
    printf 'socket = "unix://%s/cdh.sock"\n%s\n[aa]\naa_socket = "unix://%s/aa.sock"\n[kbc]\nname = "cc_kbc"\nurl = "%s"\n' \
        "$work" "${1-}" "$work" "$kbs_url" >cdh.toml
    start_server cdh confidential-data-hub -c cdh.toml
    url=$kbs_url
}

start_asr() {
    start_server asr api-server-rest -b 127.0.0.1:0 -a "unix://$work/aa.sock" -c "unix://$work/cdh.sock" "$@"
    asr_url=$url
    url=$kbs_url
}

@test "a workload gets a secret through ASR, CDH and AA" {
    start_aa
    start_cdh
    start_asr -f all
    curl -sS -o got "$asr_url/cdh/resource/$secret_path"
    cmp message.txt got
    curl -sS "$asr_url/info" >info.json
    [ "$(member tee <info.json) $(member feature <info.json)" = "cca all" ]
    [ "$(stat -c %a aa.sock)" = 600 ]
    [ "$(stat -c %a cdh.sock)" = 600 ]
}

@test "guest programs read no settings of OpenSSL" {
    mkfifo conf # whoever reads it waits
    export OPENSSL_CONF=$work/conf
    run timeout 2 openssl rand -hex 1
    [ "$status" -eq 124 ]
    start_aa
    start_cdh
    start_asr
    unset OPENSSL_CONF
    curl -sS -o got "$asr_url/cdh/resource/$secret_path"
    cmp message.txt got
}

@test "evidence, token and event through ASR have upstream's forms" {
    start_aa
    start_cdh
    start_asr -f all
    [[ "$(curl -sS "$asr_url/aa/evidence?runtime_data=abc")" == '{"token":[217,1,143,'* ]]
    [[ "$(curl -sS "$asr_url/aa/evidence?runtime_data=YWJj&encoding=base64")" == '{"token":[217,1,143,'* ]]
    [ -z "$(curl -sS "$asr_url/aa/additional-evidence?runtime_data=abc")" ]
    curl -sS "$asr_url/aa/token?token_type=kbs" >token.json
    member token <token.json >ear.jwt
    jwt_payload ear.jwt | grep -q '"ear.status":"affirming"'
    member tee_keypair <token.json | openssl pkey -noout -text | grep -q 'P-256'
    run curl -sS -H 'Content-Type: text/plain' -d '{"domain":"d","operation":"o","content":"c c"}' "$asr_url/aa/aael"
    [ "$output" = '{"success":"false","message": "Attestation Agent does not enable eventlog recording"}' ]
}

@test "ASR answers errors with upstream's statuses" {
    start_aa
    start_cdh
    start_asr -f all
    status_of() { curl -sS -o body -w '%{http_code}' "$@"; }
    [ "$(status_of "$asr_url/aa/token")" = 400 ]
    [ "$(status_of "$asr_url/aa/evidence")" = 400 ]
    [ "$(status_of "$asr_url/aa/evidence?runtime_data=a&encoding=hex")" = 400 ]
    [ "$(status_of "$asr_url/aa/evidence?runtime_data=%21%21&encoding=base64")" = 400 ]
    [ "$(status_of -X POST "$asr_url/aa/token?token_type=kbs")" = 404 ]
    [ "$(status_of "$asr_url/aa/nothing")" = 404 ]
    [ "$(status_of "$asr_url/")" = 404 ]
    [ "$(status_of -X POST -d x "$asr_url/info")" = 405 ]
    [ "$(status_of -d '{' "$asr_url/aa/aael")" = 500 ]
    [ "$(status_of "$asr_url/aa/token?token_type=other")" = 500 ]
    [ "$(status_of "$asr_url/cdh/resource/no/such/one")" = 500 ]
    [ "$(status_of "$asr_url/cdh/resource/a/../b" --path-as-is)" = 500 ]
    [ "$(status_of "$asr_url/aa/evidence?runtime_data=$(printf 'a%.0s' {1..65})")" = 500 ]
    [ "$(status_of -H 'Host: evil.example' "$asr_url/info")" = 403 ]
    [ "$(status_of -H 'Host: localhost:1' "$asr_url/info")" = 200 ]
    [ "$(status_of -H 'Host: 127.0.0.1:x' "$asr_url/info")" = 403 ]
    # the target's authority counts (RFC 9112 3.2.2), in HTTP/2 the only one there is
    [ "$(status_of -H 'Host: 127.0.0.1' --request-target http://evil.example/info "$asr_url/")" = 403 ]
    [ "$(status_of -H 'Host: 127.0.0.1' --request-target https://evil.example/info "$asr_url/")" = 403 ]
    [ "$(status_of -H 'Host: evil.example' --request-target http://127.0.0.1:9/info "$asr_url/")" = 200 ]
    [ "$(status_of -H 'Host: 127.0.0.1' --request-target http://127.0.0.1@evil.example/info "$asr_url/")" = 400 ]
    [ "$(status_of --http2-prior-knowledge -H 'Host: evil.example' "$asr_url/info")" = 403 ]
    [ "$(status_of --http2-prior-knowledge "$asr_url/info")" = 200 ]
}

@test "ASR serves only the features it was started with, and only loopback" {
    start_aa
    start_cdh
    start_asr
    run curl -sS "$asr_url/aa/token?token_type=kbs"
    [ "$output" = "Attestation Feature Not Enabled" ]
    [ "$(curl -sS "$asr_url/info" | tr -d ' ')" = '{"version":"0.1.0","feature":"resource"}' ]
    run api-server-rest -b 0.0.0.0:0
    [ "$status" -eq 1 ]
    [[ "$output" == *"loopback only"* ]]
    run api-server-rest -b 127.0.0.1:0 -f everything
    [ "$status" -eq 1 ]
    start_server asr-unix api-server-rest -b 127.0.0.1:0 --unix-socket "$work/asr.sock" -c "unix://$work/cdh.sock"
    curl -sS --unix-socket asr.sock -H 'Host: anything' -o got "http://guest/cdh/resource/$secret_path"
    cmp message.txt got
}

@test "many secrets cost one attestation" {
    start_aa
    start_cdh
    start_asr
    for i in 1 2 3 4 5 6 7 8; do
        curl -sS -o got "$asr_url/cdh/resource/$secret_path"
        cmp message.txt got
    done
    [ "$(grep -c 'POST /kbs/v0/attest' serve.log)" -le 1 ]
    [ "$(ask_aa GetToken 1=kbs | sha256sum)" = "$(ask_aa GetToken 1=kbs | sha256sum)" ]
}

@test "a secret is not left in the memory of the hub or the REST server" {
    [ "$(id -u)" = 0 ] || skip "only root reads another process's memory"
    head -c 48 /dev/urandom | base64 -w0 >planted
    admin set-resource --path default/planted/1 --resource-file planted >/dev/null
    start_aa
    start_cdh
    cdh_pid=$server_pid
    start_asr
    asr_pid=$server_pid
    for i in 1 2 3; do
        curl -sS -o got "$asr_url/cdh/resource/default/planted/1"
        cmp planted got
    done
    "$VS_ROOT/tests/e2e/memory_scan.py" "$cdh_pid" planted
    "$VS_ROOT/tests/e2e/memory_scan.py" "$asr_pid" planted
    printf '%s' confidential-data-hub >present # the scan does find what is there
    run "$VS_ROOT/tests/e2e/memory_scan.py" "$cdh_pid" present
    [ "$status" -eq 1 ]
}

@test "a realm that is not endorsed gets nothing, and is told which policy said no" {
    admin set-sample-reference-value cca.realm.cca-realm-initial-measurement bm8= >/dev/null
    start_aa
    start_cdh
    start_asr
    run curl -sS -w ' %{http_code}' "$asr_url/cdh/resource/$secret_path"
    [[ "$output" == *" 500" ]]
    [[ "$output" == *PolicyDeny* ]]
    [[ "$output" != *"the secret"* ]]
}

@test "the hub goes on with a server that knows neither its token nor its key" {
    start_aa
    start_cdh
    start_asr
    curl -sS -o got "$asr_url/cdh/resource/$secret_path"
    kill "$kbs_pid"
    wait "$kbs_pid" || true
    start_server serve2 vouchsafe serve --data-dir kbs2 --listen "${kbs_url#http://}" --admin-key admin.pub \
        --cca-config realm/cca-config.json
    prepare_secret
    endorse_rim >/dev/null
    rm got
    curl -sS -o got "$asr_url/cdh/resource/$secret_path"
    cmp message.txt got
}

@test "the agent refuses to run with init data that the realm was not started with" {
    printf 'version = "0.1.0"\nalgorithm = "sha256"\n[data]\n"aa.toml" = "x"\n' >initdata.toml
    printf '[token_configs.kbs]\nurl = "%s"\n' "$kbs_url" >aa.toml
    run attestation-agent -a "unix://$work/aa.sock" -c aa.toml --initdata-toml initdata.toml
    [ "$status" -eq 1 ]
    [[ "$output" == *"personalization value"* ]]
    [ ! -e aa.sock ]
    sed 's/sha256/SHA256/' initdata.toml >upper.toml
    run attestation-agent -a "unix://$work/aa.sock" -c aa.toml --initdata-toml upper.toml
    [ "$status" -eq 1 ]
    [[ "$output" == *'unknown algorithm "SHA256", must be "sha256"'* ]]
    run attestation-agent -a "unix://$work/aa.sock" -c aa.toml --initdata-digest 'not base64'
    [ "$status" -eq 1 ]
    start_aa
    run ask_aa BindInitData "1=$(printf 'x%.0s' {1..32})"
    [ "$status" -eq 1 ]
    [[ "$output" == "13 [ERROR:attestation-agent] AA binding init data failed"* ]]
}

@test "without a TEE the agent does not run, unless the sample attester is asked for" {
    printf '[token_configs.kbs]\nurl = "%s"\n' "$kbs_url" >aa.toml
    run env -u VOUCHSAFE_TSM_PATH attestation-agent -a "unix://$work/aa.sock" -c aa.toml
    [ "$status" -eq 1 ]
    [[ "$output" == *'no TEE found (VOUCHSAFE_TSM_PATH names another report device; "allow_sample = true" in [attester] of the'* ]]
    [[ "$output" != *"--allow-sample"* && "$output" != *KBS_CLIENT* ]]
    run env -u VOUCHSAFE_TSM_PATH kbs-client --url "$kbs_url" attest --tee-key-file realm.key
    [[ "$output" == *"no TEE found ("*"; --allow-sample or KBS_CLIENT_ALLOW_SAMPLE=1 allows"* ]]
    unset VOUCHSAFE_TSM_PATH
    start_aa '[attester]
allow_sample = true'
    [ "$(ask_aa GetTeeType)" = sample ]
}

@test "the agent says over ttrpc what upstream says, and the cause behind it" {
    start_aa
    [ "$(ask_aa GetTeeType)" = cca ]
    run ask_aa GetToken 1=nonsense
    [ "$status" -eq 1 ]
    [[ "$output" == "13 [ERROR:attestation-agent] AA-KBC get token failed: "*nonsense* ]]
    run ask_aa GetEvidence "1=$(printf 'x%.0s' {1..65})"
    [[ "$output" == "13 [ERROR:attestation-agent] AA-KBC get evidence failed: "* ]]
    run ask_aa UpdateConfiguration 1=x
    [ "$output" = "12 UpdateConfiguration method" ]
    [ "$(ask_aa ExtendRuntimeMeasurement 1=d 2=o 3=c)" = 2 ]
    run ask_aa ExtendRuntimeMeasurement '1=two words' 2=o 3=c
    [[ "$output" == "13 [ERROR:attestation-agent] AA extend runtime measurement failed: "* ]]
}

@test "an event log on a TEE without registers is told so, and the agent runs" {
    start_aa '[eventlog_config]
enable_eventlog = true'
    [ "$(ask_aa ExtendRuntimeMeasurement 1=d 2=o 3=c)" = 1 ]
    run attestation-agent --version
    [[ "$output" == *"supported attesters: tdx, snp, cca, az-tdx-vtpm, az-snp-vtpm, tpm"* ]]
}

@test "sealed secrets and layer keys come through the hub" {
    jose jwk gen -i '{"alg":"ES256"}' -o issuer.key
    jose jwk pub -i issuer.key -o issuer.jwk
    admin set-resource --path default/sealed/pub --resource-file issuer.jwk >/dev/null
    printf '{"version":"0.1.0","type":"vault","name":"kbs:///%s","provider":"kbs","provider_settings":{},"annotations":{}}' \
        "$secret_path" >vault.json
    jose jws sig -I vault.json -k issuer.key -s '{"protected":{"alg":"ES256","kid":"kbs:///default/sealed/pub"}}' -c -o vault.jws
    start_aa
    start_cdh
    printf 'sealed.%s' "$(cat vault.jws)" >sealed
    ttrpc "$work/cdh.sock" api.SealedSecretService UnsealSecret --stdin <sealed >got
    cmp message.txt got
    sed 's/.\{10\}$/AAAAAAAAAA/' sealed >bad
    run ttrpc "$work/cdh.sock" api.SealedSecretService UnsealSecret --stdin <bad
    [ "$status" -eq 1 ]
    [[ "$output" == "13 [CDH] [ERROR]: Unseal Secret failed: "* ]]

    head -c 32 /dev/urandom >kek
    admin set-resource --path default/key/1 --resource-file kek >/dev/null
    parameter=$(printf 'keyid=kbs:///default/key/1::keypath=%s/kek' "$work" | base64 -w0)
    printf '{"op":"keywrap","keywrapparams":{"ec":{"Parameters":{"attestation-agent":["%s"]}},"optsdata":"%s"}}' \
        "$parameter" "$(printf 'layer options' | base64)" | vouchsafe-guest keyprovider >wrapped.json
    python3 -c 'import json,sys; print(json.dumps({"op": "keyunwrap", "keyunwrapparams": {"annotation": json.load(sys.stdin)["keywrapresults"]["annotation"]}}))' <wrapped.json |
        ttrpc "$work/cdh.sock" keyprovider.KeyProviderService UnWrapKey --stdin >got.json
    [ "$(member keyunwrapresults optsdata <got.json | python3 -c 'import sys; print(bytes(eval(sys.stdin.read())).decode())')" = "layer options" ]
    for bad in 'not JSON' '{}' '{"op":"keywrap"}' '{"op":"keyunwrap","keyunwrapparams":{"annotation":"!"}}' \
        '{"op":"keyunwrap","keyunwrapparams":{"annotation":"e30="}}'; do
        run ttrpc "$work/cdh.sock" keyprovider.KeyProviderService UnWrapKey "1=$bad"
        [ "$status" -eq 1 ]
        [[ "$output" == "13 [ERROR] UnwrapKey Parse request failed: "* ]]
    done
    # read, but no key is there
    packet=$(printf '{"kid":"kbs:///default/key/none","wrapped_data":"AA==","iv":"AA==","wrap_type":"A256GCM"}' | base64 -w0)
    run ttrpc "$work/cdh.sock" keyprovider.KeyProviderService UnWrapKey \
        "1={\"op\":\"keyunwrap\",\"keyunwrapparams\":{\"annotation\":\"$packet\"}}"
    [[ "$output" == "13 [CDH] [ERROR]: Decrypt Image (UnwrapKey) failed: "* ]]
    run ttrpc "$work/cdh.sock" api.ImagePullService PullImage 1=x
    [ "$output" = "5 /api.ImagePullService/PullImage is not supported" ]
}

@test "a file of secrets serves where there is no server" {
    printf '{"one/2/three":"%s"}' "$(base64 -w0 message.txt)" >files.json
    printf 'socket = "unix://%s/cdh.sock"\n[kbc]\nname = "offline_fs_kbc"\n' "$work" >cdh.toml
    export OFFLINE_FS_KBC_EXTRA_FILE_PATH=$work/files.json,/nonexistent
    start_server cdh confidential-data-hub -c cdh.toml
    ttrpc "$work/cdh.sock" api.GetResourceService GetResource 1=kbs:///one/2/three >got
    cmp message.txt got
    run ttrpc "$work/cdh.sock" api.GetResourceService GetResource 1=kbs:///one/2/four
    [ "$status" -eq 1 ]
}

@test "credentials must be below their directory" {
    start_aa
    printf 'socket = "unix://%s/cdh.sock"\n[aa]\naa_socket = "unix://%s/aa.sock"\n[kbc]\nname = "cc_kbc"\nurl = "%s"\n[[credentials]]\npath = "/run/confidential-containers/cdh/kbs/../../escape"\nresource_uri = "kbs:///%s"\n' \
        "$work" "$work" "$kbs_url" "$secret_path" >cdh.toml
    run confidential-data-hub -c cdh.toml
    [ "$status" -eq 1 ]
    [[ "$output" == *'".."'* ]]
}

@test "gRPC is served on loopback only" {
    printf '[token_configs.kbs]\nurl = "%s"\n' "$kbs_url" >aa.toml
    run grpc-aa -a 0.0.0.0:0 -c aa.toml
    [ "$status" -eq 1 ]
    [[ "$output" == *"loopback only"* ]]
    start_server grpc-aa grpc-aa -a 127.0.0.1:0 -c aa.toml
    [[ "$url" == http://127.0.0.1:* ]]
}

@test "SecureMount says what it does not do, and refuses what is malformed" {
    start_aa
    start_cdh
    mount_as() { printf '{"volume_type":"%s","mount_point":"/mnt","options":{%s}}' "$1" "$2" | vouchsafe-guest secure-mount --socket "unix://$work/cdh.sock" -s -; }
    run mount_as alibaba-cloud-oss ''
    [ "$status" -eq 1 ]
    [[ "$output" == *"[CDH] [ERROR]: Secure Mount failed: "*'"alibaba-cloud-oss" are not supported'* ]]
    run mount_as block-device '"encryptionType":"zfs"'
    [[ "$output" == *'"zfs" is not supported'* ]]
    run mount_as block-device '"encryptionType":"luks1"'
    [[ "$output" == *'must be "luks2"'* && "$output" != *zfs* ]]
    run mount_as block-device ''
    [[ "$output" == *'"encryptionType" is missing: "luks2"'* && "$output" != *zfs* ]]
    run mount_as block-device '"encryptionType":"luks2","sourceType":"encrypted","targetType":"device","key":"kbs:///a/b/c","devicePath":"/dev/null"'
    [[ "$output" == *"/dev/null is no block device"* ]]
    run ttrpc "$work/cdh.sock" api.SecureMountService SecureMount 1=block-device 2=malformed
    [ "$status" -eq 1 ]
    [[ "$output" == *"not a well-formed message"* ]]
    options=()
    for i in {1..33}; do options+=(2=); done
    run ttrpc "$work/cdh.sock" api.SecureMountService SecureMount 1=block-device "${options[@]}"
    [[ "$output" == *"at most 32 options"* ]]
}

@test "SecureMount is for root, and not over gRPC" {
    [ "$(id -u)" = 0 ] || skip "only root can call as another user"
    [ -x /usr/bin/python3 ] || skip "no python that another user can run"
    start_aa
    start_cdh '[callers]
users = ["65534"]'
    chmod 755 "$work"
    run setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/python3 - "$work/cdh.sock" \
        api.SecureMountService SecureMount 1=block-device <"$VS_ROOT/tests/e2e/ttrpc.py"
    [ "$status" -eq 1 ]
    [[ "$output" == "7 disks are mounted for root only"* ]]
    run ttrpc "$work/cdh.sock" api.SecureMountService SecureMount 1=block-device
    [[ "$output" == *'"encryptionType" is missing'* ]]

    sed 's|^socket = .*|socket = "127.0.0.1:0"|' cdh.toml >grpc.toml
    start_server grpc grpc-cdh -c grpc.toml
    printf '\0\0\0\0\0' | curl -sS --http2-prior-knowledge -H 'content-type: application/grpc' -H 'te: trailers' \
        --data-binary @- -D answer.txt -o /dev/null "$url/api.SecureMountService/SecureMount"
    grep -qi '^grpc-status: 7' answer.txt
    curl -sS --http2-prior-knowledge -H 'content-type: application/grpc' -H 'te: trailers' -d '' -D answer.txt -o /dev/null \
        "$url/api.ImagePullService/PullImage"
    grep -qi '^grpc-status: 12' answer.txt
}

# as_daemon SOCKET [COMMAND...]: asks the agent which TEE it is in, as a user that is neither root nor the agent's
as_daemon() {
    local socket=$1
    shift
    "$@" setpriv --reuid 1 --regid 1 --clear-groups /usr/bin/python3 - "$socket" \
        attestation_agent.AttestationAgentService GetTeeType <"$VS_ROOT/tests/e2e/ttrpc.py"
}

needs_namespaces() {
    [ "$(id -u)" = 0 ] || skip "only root can call as another user"
    [ -x /usr/bin/python3 ] || skip "no python that another user can run"
    unshare -U -r -m true 2>/dev/null || skip "no user namespaces here"
}

@test "in a user namespace a caller from outside is nobody: not even the user nobody" {
    needs_namespaces
    chmod 755 "$work"
    sample='[attester]
allow_sample = true'
    for users in 65534 1; do
        printf '%s\n[callers]\nusers = ["%s"]\n' "$sample" "$users" >aa.toml
        start_server aa env -u VOUCHSAFE_TSM_PATH unshare -U -r attestation-agent -a "unix://$work/aa.sock" -c aa.toml
        [ "$(ask_aa GetTeeType)" = sample ]
        run as_daemon "$work/aa.sock"
        [ "$status" -ne 0 ]
        [[ "$output" != *sample* ]]
        grep -q 'not in this user namespace' aa.log
        stop_server
    done
    printf '%s\n[callers]\nusers = ["1"]\n' "$sample" >aa.toml # without a namespace it may
    start_server aa env -u VOUCHSAFE_TSM_PATH attestation-agent -a "unix://$work/aa.sock" -c aa.toml
    [ "$(as_daemon "$work/aa.sock")" = sample ]
}

@test "callers reach the default socket whatever the umask is, by user and by group" {
    needs_namespaces
    chmod 755 "$work"
    socket=/run/confidential-containers/attestation-agent/attestation-agent.sock
    for callers in 'users = ["1"]' 'group = "1"'; do
        printf '[attester]\nallow_sample = true\n[callers]\n%s\n' "$callers" >aa.toml
        # CAP_CHOWN is what the unit takes away: then the file has no group, and the kernel still tells who calls.
        start_server aa env -u VOUCHSAFE_TSM_PATH unshare -m sh -c \
            'mount -t tmpfs none /run && umask 077 && exec setpriv --bounding-set -chown --inh-caps -chown attestation-agent -c aa.toml'
        [ "$(nsenter -t "$server_pid" -m stat -c %a /run/confidential-containers/attestation-agent)" = 755 ]
        [ "$(as_daemon "$socket" nsenter -t "$server_pid" -m)" = sample ]
        run nsenter -t "$server_pid" -m setpriv --reuid 2 --regid 2 --clear-groups /usr/bin/python3 - "$socket" \
            attestation_agent.AttestationAgentService GetTeeType <"$VS_ROOT/tests/e2e/ttrpc.py"
        [ "$status" -ne 0 ]
        [[ "$output" != *sample* ]]
        stop_server
    done
    printf '[attester]\nallow_sample = true\n' >aa.toml
    start_server aa env -u VOUCHSAFE_TSM_PATH unshare -m sh -c \
        'mount -t tmpfs none /run && umask 077 && exec attestation-agent -c aa.toml'
    [ "$(nsenter -t "$server_pid" -m stat -c %a /run/confidential-containers/attestation-agent)" = 700 ]
    [ "$(nsenter -t "$server_pid" -m stat -c %a "$socket")" = 600 ]
}

@test "a kernel command line that cannot be read is said, once" {
    needs_namespaces
    printf '[attester]\nallow_sample = true\n' >aa.toml
    # ProcSubset=pid of a unit
    unshare -m mount -t proc -o subset=pid proc /proc 2>/dev/null || skip "this kernel cannot hide /proc/cmdline"
    start_server aa env -u VOUCHSAFE_TSM_PATH unshare -m sh -c \
        "mount -t proc -o subset=pid proc /proc && exec attestation-agent -a unix://$work/aa.sock -c aa.toml"
    [ "$(grep -c "command line are not in effect" aa.log)" = 1 ]
    [ "$(ask_aa GetTeeType)" = sample ]
    stop_server
    start_server aa env -u VOUCHSAFE_TSM_PATH attestation-agent -a "unix://$work/aa.sock" -c aa.toml
    ! grep -q "command line" aa.log
}

@test "the kernel's command line alone is enough, with an authority of KBS_CERT or of a bundle" {
    needs_namespaces
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 1 \
        -subj "/CN=test CA" 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj "/CN=kbs" 2>/dev/null
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -out server.pem \
        -extfile <(printf 'subjectAltName=IP:127.0.0.1') 2>/dev/null
    kill "$kbs_pid"
    wait "$kbs_pid" || true
    cat >tls.toml <<'T'
[http_server]
private_key = "server.key"
certificate = "server.pem"
[admin]
authorization_mode = "DenyAll"
[[plugins]]
name = "resource"
storage_backend_type = "kvstorage"
T
    serve -c tls.toml
    [[ "$url" == https://* ]]
    printf 'quiet agent.aa_kbc_params=cc_kbc::%s\n' "$url" >cmdline
    mount_and='mount -t tmpfs none /run && mount --bind cmdline /proc/cmdline && exec'
    all='vouchsafe-guest all -b 127.0.0.1:0'
    fetch() { curl -sS -o got -w '%{http_code}' "$(await_http all.out)/cdh/resource/$secret_path"; }
    await_http() {
        for ((i = 0; i < 400; i++)); do
            ! grep -q '^ready http' "$1" || break
            sleep 0.025
        done
        sed -n 's/^ready \(http\)/\1/p' "$1"
    }
    start_server all env KBS_CERT="$(cat ca.pem)" unshare -m sh -c "$mount_and $all"
    [ "$(fetch)" = 200 ]
    cmp message.txt got
    stop_server
    start_server all env SSL_CERT_FILE="$work/ca.pem" unshare -m sh -c "$mount_and $all"
    [ "$(fetch)" = 200 ]
    cmp message.txt got
    stop_server
    start_server all unshare -m sh -c "$mount_and $all"
    [ "$(fetch)" = 500 ]
    grep -qi 'certificate' got
}

@test "AA_SOCKET wins over the hub's file" {
    start_aa
    printf 'socket = "unix://%s/cdh.sock"\n[aa]\naa_socket = "unix://%s/nowhere.sock"\n[kbc]\nname = "cc_kbc"\nurl = "%s"\n' \
        "$work" "$work" "$kbs_url" >cdh.toml
    export AA_SOCKET=unix://$work/aa.sock
    start_server cdh confidential-data-hub -c cdh.toml
    ttrpc "$work/cdh.sock" api.GetResourceService GetResource "1=kbs:///$secret_path" >got
    cmp message.txt got
}

@test "the static program keeps to its size and memory" {
    static=$VS_ROOT/build/guest-$(uname -m)/vouchsafe-guest
    [ -x "$static" ] || skip "make guest was not run"
    needs_namespaces
    [ "$(stat -c %s "$static")" -le 6000000 ]
    printf '[token_configs.kbs]\nurl = "%s"\n' "$kbs_url" >aa.toml
    printf '[kbc]\nname = "cc_kbc"\nurl = "%s"\n' "$kbs_url" >cdh.toml
    start_server all unshare -m sh -c "mount -t tmpfs none /run && exec '$static' all -b 127.0.0.1:0 -f all --aa-config aa.toml --cdh-config cdh.toml"
    for ((i = 0; i < 400; i++)); do
        ! grep -q '^ready http' all.out || break
        sleep 0.025
    done
    asr_url=$(sed -n 's/^ready \(http\)/\1/p' all.out)
    for i in 1 2 3 4 5; do
        curl -sS -o got "$asr_url/cdh/resource/$secret_path"
        cmp message.txt got
    done
    rss=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$server_pid/status")
    echo "RSS $rss kB"
    [ "$rss" -gt 0 ] && [ "$rss" -le 12000 ]
}
