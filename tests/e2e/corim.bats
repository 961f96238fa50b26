#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Endorsements as CoRIM: made, signed, checked, shown, sent.

setup() {
    load common.bash
    load cca.bash
    start_suite
    templates
}

teardown() { end_suite; }

zero=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
cpak=cca.cpak.01$(printf '02%.0s' {1..32})
platform=cca.platform.$(printf '00%.0s' {1..32})

# comid VERSION DIGEST: a CoMID template with a component and a key
comid() {
    openssl ecparam -name secp384r1 -genkey -noout 2>/dev/null | openssl ec -pubout -out cpak.pem 2>/dev/null
    cat <<END
{"tag-identity": {"id": "43bbe37f-2e61-4b33-aed3-53cff1428b16", "version": $1},
 "triples": {
  "reference-values": [{"environment": {"class": {"id": {"type": "bytes", "value": "$zero"}}},
   "measurements": [{"key": {"type": "string", "value": "cca.software-component"},
    "value": {"digests": [[1, "$2"]], "cryptokeys": [{"type": "bytes", "value": "$zero"}], "name": "BL1"}}]}],
  "attester-verification-keys": [{"environment": {"class": {"id": {"type": "bytes", "value": "$zero"}},
    "instance": {"type": "ueid", "value": "AQICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC"}},
   "verification-keys": [{"type": "pkix-base64-key", "value": "$(sed ':a;N;$!ba;s/\n/\\n/g' cpak.pem)"}]}]}}
END
}

templates() {
    comid 1 "$zero" >one.json
    comid 2 "$zero" >two.json
    cat >corim.json <<'END'
{"corim-id": "5c57e8f4-46cd-421b-91c9-08cf93e13cfc",
 "profile": {"type": "uri", "value": "tag:arm.com,2025:cca_platform#1.0.0"}}
END
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout ca.key -out ca.pem -subj /CN=root -days 2 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout signer.key -out signer.csr -subj /CN=signer 2>/dev/null
    printf 'basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n' >signer.ext
    openssl x509 -req -in signer.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -extfile signer.ext -out signer.pem 2>/dev/null
    cat signer.pem ca.pem >chain.pem
    openssl pkey -in signer.key -pubout -out signer.pub
}

make_both() {
    vouchsafe corim create -t corim.json -m one.json -o one.cbor
    vouchsafe corim create -t corim.json -m two.json -o two.cbor
    vouchsafe corim sign -k signer.key --chain chain.pem --name ACME -o one.cose one.cbor
    vouchsafe corim sign -k signer.key --chain chain.pem --name ACME -o two.cose two.cbor
}

@test "create gives the same bytes always, and show gives the template back" {
    make_both
    vouchsafe corim create -t corim.json -m one.json | cmp - one.cbor
    vouchsafe corim show one.cose >shown.json
    vouchsafe corim create -t shown.json -o again.cbor
    cmp one.cbor again.cbor
    vouchsafe corim show one.cbor | grep -q '"cca.software-component"'
}

@test "create says where a template is wrong, and what a profile does not allow" {
    sed 's/"digests"/"digest"/' one.json >bad.json
    run vouchsafe corim create -t corim.json -m bad.json -o bad.cbor
    [ "$status" -eq 1 ]
    [[ "$output" == *'bad.json'*'unknown member "digest"'* ]]
    sed 's/cca.software-component/cca.rim/' one.json >bad.json
    run vouchsafe corim create -t corim.json -m bad.json -o bad.cbor
    [ "$status" -eq 1 ]
    [[ "$output" == *"measurement 1 has a key that is not the profile's"* ]]
    [ ! -e bad.cbor ]
    run vouchsafe corim create -m one.json
    [ "$status" -eq 2 ]
    run vouchsafe corim create -t corim.json
    [ "$status" -eq 1 ]
}

@test "verify believes the chain or the key it was told to, and nothing else" {
    make_both
    vouchsafe corim verify --trust ca.pem one.cose | grep -q 'signature verified'
    vouchsafe corim verify --trust signer.pub --json one.cose | grep -q '"verified":true'
    openssl pkey -in ca.key -pubout -out other.pub
    run vouchsafe corim verify --trust other.pub one.cose
    [ "$status" -eq 1 ]
    run vouchsafe corim verify --trust ca.pem one.cbor
    [ "$status" -eq 1 ]
    [[ "$output" == *"not signed"* ]]
    run vouchsafe corim verify --trust ca.pem --at 2001-01-01T00:00:00Z one.cose
    [ "$status" -eq 1 ]
    size=$(stat -c %s one.cose)
    head -c $((size - 1)) one.cose >cut.cose
    run vouchsafe corim verify --trust ca.pem cut.cose
    [ "$status" -eq 1 ]
    printf '\001' | dd of=one.cose bs=1 seek=$((size - 1)) conv=notrunc 2>/dev/null
    run vouchsafe corim verify --trust signer.pub one.cose
    [ "$status" -eq 1 ]
}

@test "sign refuses what a verifier would refuse" {
    make_both
    run vouchsafe corim sign -k ca.key --chain chain.pem -o x.cose one.cbor # not the chain's key
    [ "$status" -eq 1 ]
    run vouchsafe corim sign -k ca.key --chain ca.pem -o x.cose one.cbor # a CA
    [ "$status" -eq 1 ]
    run vouchsafe corim sign -k signer.key -o x.cose one.cose # signed already
    [ "$status" -eq 1 ]
    run vouchsafe corim sign -k signer.pub -o x.cose one.cbor # not a private key
    [ "$status" -eq 1 ]
    [ ! -e x.cose ]
    vouchsafe corim sign -k signer.key --name A --not-after 2001-01-01T00:00:00Z -o old.cose one.cbor
    run vouchsafe corim verify --trust signer.pub old.cose
    [ "$status" -eq 1 ]
    [[ "$output" == *"was valid until 2001"* ]]
}

@test "a KBS takes a CoRIM from its administrator, and an older one no more" {
    make_both
    serve
    run vouchsafe corim submit --url "$url" one.cbor
    [ "$status" -eq 1 ]
    vouchsafe corim submit --url "$url" --auth-private-key admin.key two.cbor
    admin get-reference-value --id "$cpak" | grep -q P-384
    admin get-reference-value --id "$platform" | grep -q BL1
    run vouchsafe corim submit --url "$url" --auth-private-key admin.key one.cbor
    [ "$status" -eq 1 ]
    [[ "$output" == *"version 1 is older than version 2"* ]]
    run admin set-sample-reference-value "$cpak" x
    [ "$status" -eq 1 ]
    [[ "$output" == *reserved* ]]
}

@test "Veraison's interface takes it where it is switched on" {
    make_both
    configure "type = \"BuiltIn\"
trust_anchors = [\"$work/ca.pem\"]"
    start_server serve vouchsafe serve -c kbs.toml --data-dir kbs
    curl -s "$url/.well-known/veraison/provisioning" | grep -q provisioningSubmit
    run vouchsafe corim submit --veraison "$url" one.cose
    [ "$status" -eq 1 ]
    [[ "$output" == *401* ]]
    vouchsafe corim submit --veraison "$url" --auth-private-key admin.key two.cose
    admin get-reference-value --id "$cpak" | grep -q P-384
    run vouchsafe corim submit --veraison "$url/" --auth-private-key admin.key one.cose
    [ "$status" -eq 1 ]
    [[ "$output" == *"is older than"* ]]
    # What is too large is a problem document too, with and without a length, and over HTTP/2 (which curl gives up).
    head -c 3000000 /dev/zero >large
    for coding in '' 'Transfer-Encoding: chunked'; do
        curl -s -D head.txt -H 'Expect:' -H "$coding" -H 'Content-Type: application/rim+cbor' --data-binary @large \
            -o problem.json "$url/endorsement-provisioning/v1/submit" || true # it may still be sending
        grep -q '^HTTP/1.1 413 Payload Too Large' head.txt
        grep -q '^Content-Type: application/problem+json' head.txt
        grep -q '"title":"Payload Too Large","status":413,"detail":"the body is larger' problem.json
    done
    if command -v nghttp >/dev/null; then
        nghttp -nv --data=large "$url/endorsement-provisioning/v1/submit" >frames.txt
        grep -q ':status: 413' frames.txt
        grep -q 'content-type: application/problem+json' frames.txt
    fi
    curl -s -D head.txt -o answer -H 'Expect:' --data-binary @large "$url/kbs/v0/auth" || true
    grep -q '^HTTP/1.1 413 Payload Too Large' head.txt
    grep -qi '^content-type: text/plain' head.txt
}

@test "a server without Veraison's interface is told apart, with what to look at" {
    make_both
    serve
    run vouchsafe corim submit --veraison "$url" --auth-private-key admin.key two.cose
    [ "$status" -eq 1 ]
    [[ "$output" == *"status 404: there is no provisioning interface at this URL"*"[veraison]"* ]]
}

@test "an RVPS takes attestation keys from signers that it trusts only" {
    make_both
    cat >rvps.json <<END
{"storage": {"storage_type": "Memory"}, "trust_anchors": ["$work/ca.pem"]}
END
    start_server rvps rvps -c rvps.json --address 127.0.0.1:0
    run rvps-tool register --corim one.cbor --addr "$url"
    [ "$status" -eq 1 ]
    [[ "$output" == *"attestation keys"* ]]
    rvps-tool register --corim one.cose --addr "$url"
    rvps-tool query -r "$cpak" --addr "$url" | grep -q '"kty":"EC"'
    run rvps-tool register --addr "$url"
    [ "$status" -eq 2 ]
}

# another_anchor: other.ca.pem, and its signer's other.key and other.chain.pem
another_anchor() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout other.ca.key -out other.ca.pem -subj /CN=other -days 2 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout other.key -out other.csr -subj /CN=osigner 2>/dev/null
    openssl x509 -req -in other.csr -CA other.ca.pem -CAkey other.ca.key -CAcreateserial -days 1 -extfile signer.ext -out other.pem 2>/dev/null
    cat other.pem other.ca.pem >other.chain.pem
}

@test "a signer of another anchor takes over nothing" {
    make_both
    another_anchor
    vouchsafe corim sign -k other.key --chain other.chain.pem --name ACME -o theirs.cose two.cbor
    configure "trust_anchors = [\"$work/ca.pem\", \"$work/other.ca.pem\"]"
    start_server serve vouchsafe serve -c kbs.toml --data-dir kbs
    vouchsafe corim submit --url "$url" --auth-private-key admin.key one.cose
    admin get-reference-value --id "$cpak" >before
    run vouchsafe corim submit --url "$url" --auth-private-key admin.key theirs.cose
    [ "$status" -eq 1 ]
    [[ "$output" == *"is endorsed under trust anchor CN=root (key sha256:"*"only it or an administrator can replace it"* ]]
    admin get-reference-value --id "$cpak" | cmp - before
    # under another tag it would be a second key, which makes none count
    sed 's/43bbe37f/53bbe37f/' two.json >tag.json
    vouchsafe corim create -t corim.json -m tag.json -o tag.cbor
    vouchsafe corim sign -k other.key --chain other.chain.pem --name ACME -o tag.cose tag.cbor
    run vouchsafe corim submit --url "$url" --auth-private-key admin.key tag.cose
    [ "$status" -eq 1 ]
    [[ "$output" == *"$cpak"*"is endorsed under trust anchor CN=root"* ]]
    vouchsafe corim submit --url "$url" --auth-private-key admin.key two.cose
    run cmp before <(admin get-reference-value --id "$cpak")
    [ "$status" -eq 1 ]
}

@test "a restricted anchor gives no keys, and a wrong restriction stops the start" {
    make_both
    sed '/attester-verification-keys/,$d' one.json | sed '$s/,$//' >values.json
    echo '}}' >>values.json
    vouchsafe corim create -t corim.json -m values.json -o values.cbor
    vouchsafe corim sign -k signer.key --chain chain.pem --name ACME -o values.cose values.cbor
    cat >rvps.json <<END
{"storage": {"storage_type": "Memory"}, "restricted_anchors": [{"path": "$work/ca.pem", "may": ["platform"]}]}
END
    start_server rvps rvps -c rvps.json --address 127.0.0.1:0
    run rvps-tool register --corim one.cose --addr "$url"
    [ "$status" -eq 1 ]
    [[ "$output" == *"trust anchor CN=root is restricted, and may not vouch for attestation-keys"* ]]
    rvps-tool register --corim values.cose --addr "$url"
    rvps-tool query -r "$platform" --addr "$url" | grep -q BL1
    local wrong
    for wrong in '["platforms"]' '[]'; do
        sed "s/\[\"platform\"\]/$wrong/" rvps.json >wrong.json
        run timeout 20 rvps -c wrong.json --address 127.0.0.1:0
        [ "$status" -eq 1 ]
        [[ "$output" == *restricted_anchors*may* ]]
    done
    sed 's/"storage"/"trust_anchors": ["ca.pem"], "storage"/' rvps.json >wrong.json
    run timeout 20 rvps -c wrong.json --address 127.0.0.1:0
    [ "$status" -eq 1 ]
    [[ "$output" == *"with other rights"* ]]
}

# revocation_list FILE: what ca.pem says now
revocation_list() {
    cat >ca.cnf <<'END'
[ca]
default_ca = own
[own]
database = index.txt
crlnumber = crlnumber
default_md = sha256
default_crl_days = 2
END
    [ -e index.txt ] || { : >index.txt && echo 01 >crlnumber; }
    openssl ca -config ca.cnf -keyfile ca.key -cert ca.pem -gencrl -out new.crl 2>/dev/null
    mv new.crl "$1"
}

@test "a revoked signer is refused, by the tool and by a running provider" {
    make_both
    mkdir lists
    revocation_list lists/ca.crl
    openssl crl -in lists/ca.crl -outform DER -out ca.der
    vouchsafe corim verify --trust ca.pem --crl ca.der one.cose | grep -q 'signature verified'
    run vouchsafe corim verify --trust ca.pem --crl ca.pem one.cose # not a list
    [ "$status" -eq 1 ]
    another_anchor
    vouchsafe corim sign -k other.key --chain other.chain.pem --name ACME -o theirs.cose one.cbor
    run vouchsafe corim verify --trust other.ca.pem --trust ca.pem --crl lists/ca.crl theirs.cose
    [ "$status" -eq 1 ]
    [[ "$output" == *"revocation of CN=osigner: no revocation list of its issuer is configured"* ]]
    cat >rvps.json <<END
{"storage": {"storage_type": "Memory"}, "trust_anchors": ["$work/ca.pem"], "crls": ["$work/lists/ca.crl"]}
END
    start_server rvps rvps -c rvps.json --address 127.0.0.1:0
    rvps-tool register --corim one.cose --addr "$url"
    printf 'V\t%s\t\t%s\tunknown\t/CN=signer\n' "$(date -u -d '+1 day' +%y%m%d%H%M%SZ)" "$(openssl x509 -in signer.pem -noout -serial | cut -d= -f2)" >index.txt
    openssl ca -config ca.cnf -keyfile ca.key -cert ca.pem -revoke signer.pem 2>/dev/null
    revocation_list lists/ca.crl
    run rvps-tool register --corim two.cose --addr "$url"
    [ "$status" -eq 1 ]
    [[ "$output" == *"revocation of CN=signer: certificate 0 is revoked"* ]]
    run vouchsafe corim verify --trust ca.pem --crl lists/ca.crl two.cose
    [ "$status" -eq 1 ]
    [[ "$output" == *"certificate 0 is revoked"* ]]
    rm lists/ca.crl
    run rvps-tool register --corim two.cose --addr "$url"
    [ "$status" -eq 1 ]
    run timeout 20 rvps -c rvps.json --address 127.0.0.1:0
    [ "$status" -eq 1 ]
    [[ "$output" == *crls*lists/ca.crl* ]]
}

@test "the software realm's own templates become endorsements" {
    make_both
    vouchsafe realm init --dir realm >/dev/null
    vouchsafe realm endorse --dir realm --output endorsements --format corim >/dev/null
    cd endorsements
    vouchsafe corim create -t corim-platform.json -m comid-platform.json -m comid-cpak.json -o platform.cbor
    vouchsafe corim create -t corim-realm.json -m comid-realm.json -o realm.cbor
    vouchsafe corim sign -k ../signer.key --chain ../chain.pem --name realm -o platform.cose platform.cbor
    vouchsafe corim verify --trust ../ca.pem platform.cose
    cd ..
    serve
    vouchsafe corim submit --url "$url" --auth-private-key admin.key endorsements/platform.cose
    vouchsafe corim submit --url "$url" --auth-private-key admin.key endorsements/realm.cbor
    rim=$(vouchsafe realm rim --dir realm | base64 -d | od -An -v -tx1 | tr -d ' \n')
    admin get-reference-value --id "cca.realm.$rim" | grep -q rem
}

@test "each word of the completion of corim is an option" {
    # shellcheck source=/dev/null
    . "$VS_ROOT/packaging/completion/vouchsafe.bash"
    COMP_CWORD=3
    for sub in create sign verify show submit; do
        help=$(vouchsafe corim "$sub" --help)
        for word in $(_vouchsafe_corim "$sub"); do
            [ "$word" = --help ] || [[ "$help" == *"$word"* ]]
        done
    done
}
