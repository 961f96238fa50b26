#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# CoRIMs of Veraison's cocli through `vouchsafe corim`, and the other way round. Skipped, saying why,
# where Go or the modules cannot be had. usage: tests/oracle/corim/run.sh BUILD
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
vouchsafe=$build/src/cmd/vouchsafe
skip() {
    echo "corim-oracle: skipped: $1"
    exit 0
}
fail() {
    echo "corim-oracle: $1" >&2
    exit 1
}
command -v go >/dev/null || skip "there is no go command"
work=$build/corim-oracle
mkdir -p "$work"
cp "$here/go.mod" "$here/main.go" "$work/"
cd "$work"
if ! { go build -mod=mod -o cocli github.com/veraison/corim/cocli && go build -mod=mod -o peer .; } 2>build.log; then
    skip "cocli could not be built: $(tail -n 1 build.log)"
fi
data=$(go list -mod=mod -m -f '{{.Dir}}' github.com/veraison/corim)/cocli/data
key=$data/keys/ec-p256.jwk
cp "$data"/comid/templates/*.json .
chmod u+w ./*.json
sed 's/"d":[^,]*,//' "$key" >public.jwk
count=0

for template in *.json; do
    name=${template%.json}
    # cocli passes over members that it does not know; they are an error here.
    grep -q op-flags "$template" && continue
    ./cocli comid create -t "$template" -o . >/dev/null
    printf '{"corim-id": "oracle"}' >manifest.template
    "$vouchsafe" corim create -t manifest.template -m "$template" -o ours.cbor
    "$vouchsafe" corim sign -k "$key" --name oracle -o ours.cose ours.cbor
    # Our signature and our CoMID, read by their libraries.
    ./peer "$key" ours.cose >ours.hex || fail "$name: Veraison's libraries refuse ours"
    # To the byte what cocli makes, but for attester keys, which stand at 3 today and stood at 2 then.
    od -An -v -tx1 "$name.cbor" | tr -d ' \n' >theirs.hex
    grep -q attester-verification-keys "$template" ||
        [ "$(cat ours.hex)" = "$(cat theirs.hex)" ] || fail "$name: the CoMIDs differ"
    count=$((count + 1))
done

# Their manifest and their signature, by ours; their templates are valid from 2021 to 2025.
for pair in cca-refval:cca cca-mult-refval:cca cca-realm-refval:cca-realm; do
    ./cocli corim create -t "$data/corim/templates/corim-${pair#*:}.json" -m "comid-${pair%:*}.cbor" -o theirs.cbor >/dev/null
    ./cocli corim sign -f theirs.cbor -k "$key" -m "$data/corim/templates/meta-mini.json" -o theirs.cose >/dev/null
    "$vouchsafe" corim verify --at 2024-01-01T00:00:00Z --trust public.jwk theirs.cose >/dev/null || fail "$pair: not verified"
    "$vouchsafe" corim show theirs.cose | grep -q tag-identity || fail "$pair: not shown"
    count=$((count + 1))
done
[ "$count" -gt 3 ] || fail "no template was found"
echo "corim-oracle: $count agree"
