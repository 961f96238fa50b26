#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# ttrpc with another implementation at the other end: Go's. `make peers` fetches and builds it.

setup() {
    peer=$VS_ROOT/build/peers/ttrpc
    [ -x "$peer" ] || skip "there is no peer: make peers (needs Go)"
    load ../e2e/common.bash
    start_suite
}

teardown() { [ -z "${work-}" ] || end_suite; }

@test "Go's client calls our agent, one and many at once, and reads our failures" {
    start_realm
    printf '[log]\nlevel = "error"\n' >aa.toml
    start_server aa attestation-agent -a "unix://$work/aa.sock" -c aa.toml
    aa=attestation_agent.AttestationAgentService
    [ "$("$peer" call aa.sock $aa GetTeeType)" = cca ]
    [[ "$("$peer" call aa.sock $aa GetEvidence abc)" == '{"token":['* ]]
    "$peer" many aa.sock $aa GetTeeType 100
    run "$peer" call aa.sock $aa GetToken kbs
    [[ "$output" == *"code = Internal"*"AA-KBC get token failed"* ]]
    run "$peer" call aa.sock $aa Nothing
    [[ "$output" == *"code = Unimplemented"* ]]
    run "$peer" call aa.sock no.Such GetTeeType
    [[ "$output" == *"code = InvalidArgument"* ]]
}

@test "our REST server asks an agent made with Go's server" {
    start_server peer "$peer" serve "$work/aa.sock"
    start_server asr api-server-rest -b 127.0.0.1:0 -f attestation -a "unix://$work/aa.sock"
    [ "$(curl -sS "$url/info")" = '{"version":"0.1.0","tee":"sample","feature":"attestation"}' ]
    [ "$(curl -sS "$url/aa/evidence?runtime_data=abc")" = "evidence for abc" ]
    run curl -sS -w ' %{http_code}' "$url/aa/token?token_type=kbs"
    [[ "$output" == *"PERMISSION_DENIED: no token of type kbs 500" ]]
    for i in 1 2 3 4 5 6; do curl -sS "$url/aa/evidence?runtime_data=$i" >"out$i" & done
    wait $(jobs -p | grep -v -e "${pids[0]}" -e "${pids[1]}")
    for i in 1 2 3 4 5 6; do [ "$(cat "out$i")" = "evidence for $i" ]; done
}
