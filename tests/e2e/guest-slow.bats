#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The servers inside a guest when the KBS takes connections and does not answer.

setup() {
    load common.bash
    start_suite
    start_realm
    serve
    prepare_secret
    endorse_rim >/dev/null
    touch held
    start_server forward slow_kbs forward "${url##*:}" "$work/held"
    kbs_url=$url
    printf '[token_configs.kbs]\nurl = "%s"\n' "$kbs_url" >aa.toml
    start_server aa attestation-agent -a "unix://$work/aa.sock" -c aa.toml
    aa_pid=$server_pid
    printf 'socket = "unix://%s/cdh.sock"\n[aa]\naa_socket = "unix://%s/aa.sock"\n[kbc]\nname = "cc_kbc"\nurl = "%s"\n' \
        "$work" "$work" "$kbs_url" >cdh.toml
    start_server cdh confidential-data-hub -c cdh.toml
    cdh_pid=$server_pid
    start_server asr api-server-rest -b 127.0.0.1:0 -f all -a "unix://$work/aa.sock" -c "unix://$work/cdh.sock"
    asr_pid=$server_pid
    asr_url=$url
}

teardown() { end_suite; }

slow_kbs() { "$VS_ROOT/tests/e2e/slow_kbs.py" "$@"; }

all_three() { slow_kbs "$1" "$work/aa.sock" "$work/cdh.sock" "$asr_url" "${@:2}"; }

# What was held goes on being held, what comes now does not.
gets_the_secret() {
    rm -f held
    sleep 1 # until those who left are missed, and what was begun for them is given up
    curl -sS -m 20 -o got "$asr_url/cdh/resource/$secret_path"
    cmp message.txt got
}

# count_of KIND: how many descriptors or threads the three servers have
count_of() {
    local pid n=0
    for pid in "$aa_pid" "$cdh_pid" "$asr_pid"; do n=$((n + $(find "/proc/$pid/$1" -mindepth 1 -maxdepth 1 | wc -l))); done
    echo "$n"
}

@test "a KBS that does not answer holds up only those who need it, and not beyond their time" {
    all_three meet
    gets_the_secret
}

@test "only so many wait, one more is told so at once, and what needs no KBS is answered" {
    all_three fill
    gets_the_secret
}

@test "the same over gRPC" {
    start_server grpc grpc-aa -a 127.0.0.1:0 -c aa.toml
    printf '\0\0\0\0\5\n\3kbs' >token.grpc
    printf '\0\0\0\0\0' >empty.grpc
    # call MESSAGE METHOD [OPTIONS OF CURL]: prints the trailers
    call() {
        curl -sS -o answer --http2-prior-knowledge -D - -H 'Content-Type: application/grpc' -H 'TE: trailers' --data-binary "@$1" "${@:3}" \
            "$url/attestation_agent.AttestationAgentService/$2"
    }
    for i in 1 2 3 4 5 6 7 8; do
        curl -sS -m 8 -o /dev/null --http2-prior-knowledge -H 'Content-Type: application/grpc' --data-binary @token.grpc \
            "$url/attestation_agent.AttestationAgentService/GetToken" 2>/dev/null 3>&- &
        pids+=($!)
    done
    call token.grpc GetToken -m 20 -H 'grpc-timeout: 1S' | grep -q 'grpc-status: 4'
    call empty.grpc GetTeeType -m 5 | grep -q 'grpc-status: 0'
    grep -q cca answer
}

@test "the REST server says 504 when the hub says that something did not answer in time" {
    slow_kbs late "$work/late.sock" >late.out 3>&- &
    pids+=($!)
    until grep -q ready late.out; do sleep 0.05; done
    start_server asr2 api-server-rest -b 127.0.0.1:0 -c "unix://$work/late.sock"
    [ "$(curl -sS -o body -w '%{http_code}' "$url/cdh/resource/a/b/c")" = 504 ]
    [[ "$(cat body)" == *"DEADLINE_EXCEEDED: timeout" ]]
}

@test "200 callers of each server who left leave nothing behind" {
    all_three leave 8
    sleep 1
    threads=$(count_of task)
    files=$(count_of fd)
    all_three leave 200
    for ((i = 0; i < 100; i++)); do
        sleep 0.1
        [ "$(count_of fd)" -gt "$files" ] || break
    done
    echo "descriptors: $files, then $(count_of fd); threads: $threads, then $(count_of task)"
    [ "$(count_of fd)" -le "$files" ]
    [ "$(count_of task)" -le "$((threads + 12))" ]
    gets_the_secret
    for pid in "$asr_pid" "$cdh_pid" "$aa_pid"; do # what leaked would be told now
        kill "$pid"
        wait "$pid"
    done
}
