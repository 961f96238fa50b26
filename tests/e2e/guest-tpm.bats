#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The programs inside a machine with a TPM (swtpm), and a real server outside.

setup() {
    command -v swtpm >/dev/null || skip "swtpm is not installed"
    load common.bash
    start_suite
    start_server serve vouchsafe serve --data-dir kbs --listen 127.0.0.1:0 --admin-key admin.pub
    kbs_url=$url
    start_tpm
    prepare_secret
}

teardown() { [ -z "${work-}" ] || end_suite; }

tpm() { "$VS_ROOT/tests/e2e/tpm.py" "$work/tpm.sock" "$@"; }

run_tpm() {
    rm -f tpm.sock
    swtpm socket --tpm2 --tpmstate dir=tpm --server type=unixio,path="$work/tpm.sock" \
        --flags not-need-init,startup-clear >tpm.log 2>&1 3>&- &
    tpm_pid=$!
    pids+=("$tpm_pid")
    local i
    for ((i = 0; i < 200; i++)); do
        [ -S tpm.sock ] && break
        sleep 0.025
    done
}

start_tpm() {
    mkdir tpm
    run_tpm
    ak=$(tpm ak)
    tpm extend 11 "what this machine was booted with"
    export AA_TPM_DEVICE=$work/tpm.sock
}

# Key and register are what a machine may have.
endorse() {
    admin set-sample-reference-value trusted_aks "$ak" >/dev/null
    admin set-sample-reference-value tpm_pcr11 "$(tpm pcr 11)" >/dev/null
}

# start_guest [LINES OF CONFIGURATION] [OPTIONS OF THE AGENT]: agent, hub and REST server
start_guest() {
    printf '[token_configs.kbs]\nurl = "%s"\n%s\n' "$kbs_url" "${1-}" >aa.toml
    printf 'socket = "unix://%s/cdh.sock"\n[aa]\naa_socket = "unix://%s/aa.sock"\n[kbc]\nname = "cc_kbc"\nurl = "%s"\n' \
        "$work" "$work" "$kbs_url" >cdh.toml
    shift || true
    start_server aa attestation-agent -a "unix://$work/aa.sock" -c aa.toml "$@"
    aa_pid=$server_pid
    start_server cdh confidential-data-hub -c cdh.toml
    cdh_pid=$server_pid
    start_server asr api-server-rest -b 127.0.0.1:0 -a "unix://$work/aa.sock" -c "unix://$work/cdh.sock" -f all
    asr_pid=$server_pid
    asr_url=$url
    url=$kbs_url
}

# What was attested once is kept: a machine that starts anew does not have it.
stop_guest() {
    kill "$asr_pid" "$cdh_pid" "$aa_pid"
    wait "$asr_pid" "$cdh_pid" "$aa_pid" || true
}

get() { curl -sS -o got -w '%{http_code}' "$asr_url/cdh/resource/$secret_path"; }

@test "a machine with an endorsed key and register gets the secret, one with another register does not" {
    endorse
    start_guest
    curl -sS "$asr_url/info" | tr -d ' ' | grep -q '"tee":"tpm"'
    [ "$(get)" = 200 ]
    cmp message.txt got
    stop_guest

    tpm extend 11 "something else"
    start_guest
    [ "$(get)" = 500 ]
    grep -q PolicyDeny got
    [ "$(grep -c 'the secret' got)" = 0 ]
    stop_guest

    admin set-sample-reference-value tpm_pcr11 "$(tpm pcr 11)" >/dev/null
    start_guest
    [ "$(get)" = 200 ]
    cmp message.txt got
}

@test "a machine whose key is not endorsed gets nothing" {
    endorse
    admin set-sample-reference-value trusted_aks "${ak%????????}AAAAAAAA" >/dev/null
    start_guest
    [ "$(get)" = 500 ]
    grep -q PolicyDeny got
    [ "$(grep -c 'the secret' got)" = 0 ]
}

@test "what is measured at run time is in the register, and a log that outlived it is put away" {
    endorse
    export AAEL_PATH=$work/eventlog
    measured='[eventlog_config]
enable_eventlog = true
init_pcr = 23'
    extend() { "$VS_ROOT/tests/e2e/ttrpc.py" "$work/aa.sock" attestation_agent.AttestationAgentService ExtendRuntimeMeasurement "$@"; }
    start_guest "$measured"
    [ -z "$(extend 1=domain 2=operation 3=content)" ] # 0, which is not written
    want=$({
        head -c 32 /dev/zero
        printf '\x4c\x45\x41\x41\x18\0\0\0domain operation content' | openssl dgst -sha256 -binary
    } | openssl dgst -sha256 -r | cut -d' ' -f1)
    [ "$(tpm pcr 23)" = "$want" ]
    [ "$(get)" = 200 ]
    stop_guest

    start_guest "$measured" # again, on the same machine
    stop_guest
    [ ! -e eventlog.old ]
    tpm extend 23 "what the log does not know"
    run attestation-agent -a "unix://$work/aa.sock" -c aa.toml
    [ "$status" -eq 1 ]
    [[ "$output" == *"register 23 does not hold what the log says"* ]]

    kill "$tpm_pid"
    wait "$tpm_pid" || true
    run_tpm # the machine starts anew
    start_guest "$measured"
    grep -q "domain operation content" eventlog.old
    [ ! -s eventlog ]
    [ -z "$(extend 1=domain 2=operation 3=content)" ]
    [ "$(tpm pcr 23)" = "$want" ]
}

@test "init data is in the register, and other init data does not let the agent start" {
    endorse
    printf 'version = "0.1.0"\nalgorithm = "sha256"\n[data]\n"aa.toml" = "x"\n' >initdata.toml
    start_guest '' --initdata-toml initdata.toml
    [ "$(get)" = 200 ]
    want=$({ head -c 32 /dev/zero; openssl dgst -sha256 -binary initdata.toml; } | openssl dgst -sha256 -r | cut -d' ' -f1)
    [ "$(tpm pcr 8)" = "$want" ]
    stop_guest
    start_guest '' --initdata-toml initdata.toml # the register is not extended again
    [ "$(tpm pcr 8)" = "$want" ]
    [ "$(get)" = 200 ]
    stop_guest
    sed -i 's/"x"/"y"/' initdata.toml
    run attestation-agent -a "unix://$work/aa.sock" -c aa.toml --initdata-toml initdata.toml
    [ "$status" -eq 1 ]
    [[ "$output" == *"register 8 does not hold the expected init data"* ]]
}
