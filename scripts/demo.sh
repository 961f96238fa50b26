#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The reference scenario, with the real programs: attest a software CCA realm, be denied because its
# initial measurement is not endorsed, endorse it, attest again, receive the secret. Exits 0 only if
# every step did what it should.
# usage: scripts/demo.sh BUILD
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
bin=$(cd "$1" && pwd)/src/cmd
export PATH="$bin:$PATH"
work=$(mktemp -d "${TMPDIR:-/tmp}/vouchsafe-demo.XXXXXX")
pids=()

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
    bold='' dim='' green='' red='' plain=''
fi

cleanup() {
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT

step() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
good() { printf '%s  ok: %s%s\n' "$green" "$*" "$plain"; }
fail() {
    printf '%s  FAILED: %s%s\n' "$red" "$*" "$plain" >&2
    [ -s serve.log ] && sed 's/^/    server: /' serve.log >&2
    exit 1
}
# Shows a command and what it prints, without the long tokens in between.
run() {
    printf '%s  $ %s%s\n' "$dim" "$*" "$plain"
    "$@" 2>&1 | cut -c1-160 | sed 's/^/    /'
    return "${PIPESTATUS[0]}"
}
# Waits for "ready ..." as the first line of a file and prints what follows the word.
ready() {
    local i
    for ((i = 0; i < 200; i++)); do
        if grep -q '^ready ' "$1" 2>/dev/null; then
            sed -n 's/^ready //p' "$1" | head -1
            return 0
        fi
        sleep 0.025
    done
    return 1
}

cd "$work"
secret_path=cca-trustee/demo-message/message.txt
echo "The realm is who it says it is. $(date -u +%FT%TZ)" >message.txt

step "0. Keys of this demonstration: an administrator's, the realm's TEE key, and a software CCA realm"
run openssl genpkey -algorithm ed25519 -out admin.key
run openssl pkey -in admin.key -pubout -out admin.pub
run openssl genrsa -traditional -out realm.key 3072 2>/dev/null
run vouchsafe realm init --dir realm

step "1. The trusted side starts: KBS, attestation service and reference values in one process"
printf '%s  $ vouchsafe serve --data-dir kbs --listen 127.0.0.1:0 --admin-key admin.pub --cca-config realm/cca-config.json%s\n' "$dim" "$plain"
vouchsafe serve --data-dir kbs --listen 127.0.0.1:0 --admin-key admin.pub --cca-config realm/cca-config.json \
    >serve.out 2>serve.log &
pids+=($!)
url=$(ready serve.out) || fail "the server did not become ready"
good "ready at $url"

step "   The software realm starts and offers its attestation device"
vouchsafe realm run --dir realm >realm.out 2>realm.log &
pids+=($!)
device=$(ready realm.out) || fail "the realm did not become ready: $(cat realm.log)"
case $device in
fuse*) good "a configfs-tsm look-alike on FUSE: ${device#* }" ;;
*) good "FUSE is not to be had here, so the same device is served on a Unix socket: ${device#* }" ;;
esac
export VOUCHSAFE_TSM_PATH=${device#* }

step "2. The administrator stores the secret and sets both policies"
admin=(kbs-client --url "$url" config --auth-private-key admin.key)
run "${admin[@]}" set-resource --path "$secret_path" --resource-file message.txt
run "${admin[@]}" set-resource-policy --affirming
run "${admin[@]}" set-attestation-policy --policy-file "$here/policies/default_cpu.rego" --id default_cpu
good "secret stored, policies set"

step "3. The realm attests"
printf '%s  $ kbs-client --url %s attest --tee-key-file realm.key > ear.jwt%s\n' "$dim" "$url" "$plain"
kbs-client --url "$url" attest --tee-key-file realm.key >ear.jwt || fail "attestation failed"
good "an EAR token of $(wc -c <ear.jwt) bytes"

step "4. It asks for the secret and is denied, since nobody has endorsed its initial measurement"
run vouchsafe verify ear.jwt
vouchsafe verify --json ear.jwt >ear.json
grep -q '"ear.status":"warning"' ear.json || fail "the first EAR should have status warning"
grep -q '"executables":33' ear.json || fail "executables should be 33 (unrecognized)"
grep -q '"hardware":2' ear.json || fail "hardware should be 2 (genuine)"
get=(kbs-client --url "$url" get-resource --tee-key-file realm.key --attestation-token ear.jwt --path "$secret_path")
if run "${get[@]}" >denial; then fail "the secret was released without an endorsed RIM"; fi
cat denial
good "denied"

step "   The guest was given no more than the decision's id. The administrator asks why"
decision=$(sed -n 's/.*decision \([0-9a-f-]\{36\}\).*/\1/p' denial)
explain=(vouchsafe explain --url "$url" --auth-private-key admin.key "$decision")
printf '%s  $ %s%s\n' "$dim" "${explain[*]}" "$plain"
"${explain[@]}" >explanation
grep -o '"reasons":\["[^]]*' explanation | sed 's/^"reasons":\["//; s/"$//; s/\\"/"/g; s/^/    /'
grep -q 'is not an approved value of cca.realm.cca-realm-initial-measurement' explanation || fail "the explanation does not name the reference value"
rim=$(vouchsafe realm rim --dir realm)

step "5. The administrator endorses the realm's initial measurement"
run "${admin[@]}" set-sample-reference-value cca.realm.cca-realm-initial-measurement "$rim"

step "6. The realm attests again and receives the secret"
kbs-client --url "$url" attest --tee-key-file realm.key >ear.jwt || fail "attestation failed"
run vouchsafe verify ear.jwt
vouchsafe verify --json ear.jwt >ear.json
grep -q '"ear.status":"affirming"' ear.json || fail "the second EAR should have status affirming"
printf '%s  $ kbs-client ... get-resource ... --path %s | base64 -d%s\n' "$dim" "$secret_path" "$plain"
"${get[@]}" | base64 -d >received.txt || fail "the secret did not arrive"
sed 's/^/    /' received.txt
cmp -s message.txt received.txt || fail "the secret is not what was stored, byte for byte"
good "the secret arrived, decrypted, byte for byte"
