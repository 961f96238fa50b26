#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What it costs to ask why, with the real programs of a release build: N attestations (100) of a
# software realm are recorded and audited, then explained, replayed, tried with another policy, and
# the audit log is verified.
# usage: scripts/bench-why.sh BUILD [N]
set -euo pipefail

bin=$(cd "$1" && pwd)/src/cmd
n=${2:-100}
export PATH="$bin:$PATH"
work=$(mktemp -d "${TMPDIR:-/tmp}/vouchsafe-why.XXXXXX")
pids=()
cleanup() {
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT
cd "$work"

ready() { # FILE: what follows "ready "
    for _ in $(seq 400); do
        grep -q '^ready ' "$1" && break
        sleep 0.025
    done
    sed -n 's/^ready //p' "$1" | head -1
}
timed() { # NAME COUNT COMMAND...: milliseconds in all, and per one
    local name=$1 count=$2 begin end
    shift 2
    begin=$(date +%s%N)
    "$@" >out || [ $? -eq 3 ] # a dry run says so when verdicts would change
    end=$(date +%s%N)
    awk -v n="$name" -v c="$count" -v ns=$((end - begin)) \
        'BEGIN { printf "%-34s %8.1f ms", n, ns / 1e6; if (c > 1) printf ", %8.3f ms each of %d", ns / 1e6 / c, c; print "" }'
}

openssl genpkey -algorithm ed25519 -out admin.key 2>/dev/null
openssl pkey -in admin.key -pubout -out admin.pub 2>/dev/null
vouchsafe realm init --dir realm >/dev/null
vouchsafe realm run --dir realm --socket "$work/tsm.sock" >realm.out 2>/dev/null &
pids+=($!)
export VOUCHSAFE_TSM_PATH=$work/tsm.sock
ready realm.out >/dev/null
vouchsafe serve --data-dir kbs --listen 127.0.0.1:0 --admin-key admin.pub --cca-config realm/cca-config.json \
    --audit-log audit.log >serve.out 2>serve.log &
pids+=($!)
url=$(ready serve.out)
asker=(--url "$url" --auth-private-key admin.key)
for ((i = 0; i < n; i++)); do kbs-client --url "$url" attest >ear.jwt; done

id=$(sed -n 's/.*attestation verdict=allowed decision=\([0-9a-f-]*\).*/\1/p' serve.log | tail -1)
vouchsafe audit key "${asker[@]}" >key.jwk
printf 'package policy\ntrust_claims := {"hardware": 97}\n' >strict.rego
timed "explain one decision" 1 vouchsafe explain "${asker[@]}" "$id"
printf '%-34s %8d bytes\n' "its record" "$(stat -c %s out)"
vouchsafe explain "${asker[@]}" --export record.jws "$id" >/dev/null
timed "replay one sealed record, offline" 1 vouchsafe replay --key key.jwk record.jws
timed "dry run over the last $n" "$n" vouchsafe dry-run "${asker[@]}" --policy strict.rego --last "$n"
[ "$(grep -c '"after":"contraindicated"' out)" -eq "$n" ]
lines=$(wc -l <audit.log)
timed "verify an audit log" "$lines" vouchsafe audit verify --key key.jwk audit.log
