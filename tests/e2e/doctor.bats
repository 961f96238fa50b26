#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `vouchsafe doctor`: every finding says what is and what to do; the exit code tells a script.

setup() {
    load common.bash
    start_suite
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.pem \
        -subj /CN=kbs -days 365 2>/dev/null
    write_config
}

teardown() { end_suite; }

write_config() {
    cat >c.toml <<C
[http_server]
sockets = ["${socket:-127.0.0.1:0}"]
private_key = "$work/server.key"
certificate = "$work/server.pem"
[admin]
type = "Simple"
personas = [{ id = "admin", public_key_path = "$work/admin.pub" }]
[storage_backend.backends.sqlite]
path = "$work/kbs.sqlite"
[[plugins]]
name = "resource"
storage_backend_type = "kvstorage"
C
}

@test "what is well gives exit code 0" {
    run vouchsafe doctor -c c.toml
    echo "$output"
    [ "$status" -eq 0 ]
    [[ "$output" == '{"well":true,'* ]]
    [[ "$output" == *'"area":"private key","subject":"'"$work/server.key"'","finding":"readable"'* ]]
    [[ "$output" == *"certificate 1 is valid until"* ]]
    [[ "$output" == *"not there yet: the first start makes it"* ]]
    [ ! -e kbs.sqlite ]
}

@test "a terminal gets a table" {
    command -v script >/dev/null || skip "no script"
    run script -qec "vouchsafe doctor -c c.toml" /dev/null
    [[ "$output" == *"certificate"*"valid until"* ]]
    [[ "$output" != *'{"well"'* ]]
}

problem() { # PATTERN of the finding, PATTERN of the advice
    run vouchsafe doctor -c c.toml
    echo "$output"
    [ "$status" -eq 1 ]
    grep -qE '"level":"problem"[^}]*"finding":"[^}]*'"$1"'[^}]*"advice":"[^}]*'"$2" <<<"$output"
}

@test "a key that others may read" {
    chmod 644 server.key
    problem "mode 0644: others may read it" "chmod 600 $work/server.key"
}

certify() { # FROM UNTIL
    printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' >ca.cnf
    : >index
    echo 01 >serial
    openssl req -new -key server.key -subj /CN=kbs -out server.csr 2>/dev/null
    openssl ca -batch -config ca.cnf -selfsign -keyfile server.key -in server.csr -out server.pem -notext \
        -startdate "$1" -enddate "$2" 2>/dev/null
}

@test "a certificate that has expired, that is not valid yet, that is about to expire" {
    certify 20200101000000Z 20200102000000Z
    problem "expired at 2020-01-02T00:00:00Z" "SIGHUP"
    certify 20980101000000Z 20990102000000Z
    problem "not valid before 2098-01-01T00:00:00Z" "clock"
    openssl req -x509 -key server.key -out server.pem -subj /CN=kbs -days 5 2>/dev/null
    run vouchsafe doctor -c c.toml
    [ "$status" -eq 0 ]
    [[ "$output" == *'"level":"warning"'*"expires in "[45]" days"* ]]
}

@test "a certificate of another key" {
    openssl ecparam -name prime256v1 -genkey -noout -out server.key 2>/dev/null
    chmod 600 server.key
    problem "does not belong to the private key" "leaf stands first"
}

@test "files that are not there or are not what they should be" {
    rm server.pem
    problem "server.pem" "correct the path"
    echo nonsense >server.pem
    problem "." "PEM file"
    echo nonsense >admin.pub
    problem "." "PEM file of the public key"
}

@test "a configuration that cannot be read" {
    sed -i 's/sockets/sokets/' c.toml
    problem "sokets" "docs/configuration.md"
}

@test "a port that is taken, an address of another machine" {
    start_server serve vouchsafe serve --data-dir data --listen 127.0.0.1:0
    socket=${url#http://}
    write_config
    run vouchsafe doctor -c c.toml
    [ "$status" -eq 0 ]
    [[ "$output" == *"somebody listens there"* ]]
    socket=192.0.2.1:8080
    write_config
    problem "Cannot assign requested address" "address of this machine"
}

@test "a store that cannot be written, one with open permissions, a database that is not there" {
    vouchsafe serve --data-dir data --listen 127.0.0.1:0 >serve.out 2>serve.log 3>&- &
    pids+=($!)
    await_ready serve.out >/dev/null
    cp data/vouchsafe.sqlite kbs.sqlite
    chmod 644 kbs.sqlite
    problem "mode 0644" "chmod 600"
    echo "this is no database, whatever its name says, and it is long enough to be looked at" >kbs.sqlite
    chmod 600 kbs.sqlite
    problem "not a database" "own it"
    cat >>c.toml <<C
[storage_backend]
storage_type = "Postgres"
[storage_backend.backends.postgres]
host = "$work/nowhere"
C
    sed -i '/backends.sqlite/,/path/d' c.toml
    problem "nowhere" "the server runs"
}

@test "choices that are dangerous" {
    cat >c.toml <<C
[http_server]
sockets = ["0.0.0.0:0"]
insecure_http = true
[attestation_token]
insecure_header_jwk = true
[attestation_service]
type = "coco_as_builtin"
sample_tee = true
[admin]
authorization_mode = "InsecureAllowAll"
[storage_backend]
storage_type = "Memory"
C
    problem "anybody may administrate" "keys of administrators"
    [[ "$output" == *"believed"* && "$output" == *"proves nothing"* && "$output" == *"overheard"* && "$output" == *"lost when the server stops"* ]]
}

# configure_peers: the tables of standard input after a configuration without a verifier
configure_peers() {
    write_config
    cat >>c.toml
}

fine() { # AREA SUBJECT PATTERN of the finding
    run vouchsafe doctor -c c.toml
    echo "$output"
    grep -qE '"level":"ok","area":"'"$1"'","subject":"[^"]*'"$2"'[^"]*","finding":"'"$3" <<<"$output"
}

@test "a verifier that is another process: serving, stopped, hanging, somebody else, with TLS" {
    start_server as grpc-as --data-dir as --socket 127.0.0.1:0
    as_url=$url
    configure_peers <<C
[attestation_service]
type = "coco_as_grpc"
as_addr = "$as_url"
C
    fine verifier "$as_url" "it answers and is serving"
    [ "$status" -eq 0 ]
    kill -STOP "$server_pid"
    begin=$SECONDS
    problem "gRPC .*${as_url#http://}.*(time|deadline)" "runs and listens there"
    [ $((SECONDS - begin)) -lt 15 ]
    kill -CONT "$server_pid"
    stop_server
    problem "gRPC .*${as_url#http://}.*refused" "runs and listens there"
    start_server as grpc-as --data-dir as --socket 127.0.0.1:0 -t server.pem -k server.key
    configure_peers <<C
[attestation_service]
type = "coco_as_grpc"
as_addr = "$url"
C
    problem "certificate" "certificates fit"
    start_server kbs vouchsafe serve --data-dir kbs --listen 127.0.0.1:0 # speaks no gRPC
    configure_peers <<C
[attestation_service]
type = "coco_as_grpc"
as_addr = "$url"
C
    run vouchsafe doctor -c c.toml
    [[ "$output" != *"is serving"* ]]
}

@test "a provider that is another process, there and not there" {
    start_server rvps rvps --data-dir values --address 127.0.0.1:0
    configure_peers <<C
[attestation_service]
type = "coco_as_builtin"
[attestation_service.rvps_config]
type = "GrpcRemote"
address = "${url#http://}"
C
    fine values "${url#http://}" "it answers and is serving"
    stop_server
    problem "refused" "runs and listens there"
}

@test "an external plugin, there and not there" {
    start_server rvps rvps --data-dir values --address 127.0.0.1:0 # some gRPC server
    configure_peers <<C
[[plugins]]
name = "external"
backends = [{ name = "mine", endpoint = "$url" }]
C
    fine plugin "mine at $url" "it answers"
    stop_server
    problem "refused" "runs and listens there"
}

@test "Vault: well, with another token, sealed, with a certificate of nobody, not there" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout vault.key -out vault.crt \
        -subj /CN=test -addext subjectAltName=IP:127.0.0.1 -days 1 2>/dev/null
    python3 "$VS_ROOT/tests/e2e/vault_double.py" vault.crt vault.key canary-token "$work" >vault.out 2>vault.log 3>&- &
    vault_pid=$!
    pids+=("$vault_pid")
    url=$(await_ready vault.out)
    sed -i '/plugins/,$d' c.toml
    cp c.toml base.toml
    vault_config() { # TOKEN [CA]
        local ca=""
        [ -z "${2:-}" ] || ca="ca_certs = [\"$work/$2\"]"
        cp base.toml c.toml
        cat >>c.toml <<C
[[plugins]]
name = "resource"
storage_backend_type = "vault"
vault_url = "$url"
token = "$1"
mount_path = "kv"
kv_version = 2
verify_ssl = true
$ca
C
    }
    vault_config canary-token vault.crt
    fine Vault "$url" "it answers and takes the token"
    [ "$status" -eq 0 ]
    vault_config another-token vault.crt
    problem "refuses the token" "renew the token, or let its policy read kv"
    [[ "$output" != *another-token* ]]
    vault_config canary-token
    problem "certificate" "ca_certs has its authority"
    touch sealed
    vault_config canary-token vault.crt
    problem "sealed" "unsealed"
    rm sealed
    kill "$vault_pid"
    wait "$vault_pid" 2>/dev/null || true
    problem "(refused|connect)" "runs there"
}

@test "keys behind https: read, not a set, certificate of nobody, not there" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout keys.key -out keys.crt \
        -subj /CN=test -addext subjectAltName=IP:127.0.0.1 -days 1 2>/dev/null
    start_server as grpc-as --data-dir as --socket 127.0.0.1:0
    curl -sf "$url/.well-known/jwks.json" | sed 's/"kty"/"kid":"one","kty"/' >set.json
    mkdir -p issuer/.well-known
    start_server files python3 "$VS_ROOT/tests/e2e/service.py" files keys.crt keys.key
    printf '{"jwks_uri":"%s/set.json"}' "$url" >issuer/.well-known/openid-configuration
    sources() { # URL [CA]
        local ca=""
        [ -z "${2:-}" ] || ca="[key_sources]
ca_file = \"$work/$2\""
        configure_peers <<C
[attestation_token]
trusted_jwk_sets = ["$1"]
$ca
C
    }
    sources "$url/set.json" keys.crt
    fine "key source" "$url" "1 keys"
    [ "$status" -eq 0 ]
    sources "$url/issuer" keys.crt
    fine "key source" "$url" "1 keys"
    sources "$url/c.toml" keys.crt
    problem "." "key_sources.ca_file"
    sources "$url/set.json"
    problem "certificate" "key_sources.ca_file"
    kill "$server_pid"
    wait "$server_pid" || true
    sources "$url/set.json" keys.crt
    problem "(refused|connect)" "key_sources.ca_file"
}

@test "TDX collateral: a file that is not there, one that is no collateral, a service that is not asked" {
    cat >>c.toml <<C
[attestation_service]
type = "coco_as_builtin"
[attestation_service.verifier_config.dcap_verifier]
collateral_service = "file://$work/collateral.json"
C
    problem "collateral.json" "fetch the collateral"
    run vouchsafe serve -c c.toml
    [ "$status" -ne 0 ]
    [[ "$output" == *"TDX verifier"*"collateral.json"* ]]
    echo '{"collaterals":{}}' >collateral.json
    run vouchsafe doctor -c c.toml
    [ "$status" -eq 0 ]
    [[ "$output" == *"collateral is readable"* ]]
    sed -i 's,file://[^"]*,https://pccs.example/sgx/certification/v4/,' c.toml
    run vouchsafe doctor -c c.toml
    [ "$status" -eq 0 ]
    [[ "$output" == *'"level":"warning"'*"TDX evidence will be refused"* ]]
}

# What an earlier release stored at its first start, in place of what this one has.
put_earlier_policies() {
    python3 - kbs.sqlite "$VS_ROOT/tests/earlier" <<'P'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for ns, key, name in (("kbs", "resource-policy.rego", "kbs_default"),
                      ("attestation_service_policy", "default_cpu.rego", "default_cpu")):
    text = open(f"{sys.argv[2]}/{name}.rego", "rb").read()
    assert db.execute("update kv set value = ? where ns = ? and key = ?", (text, ns, key)).rowcount == 1
db.commit()
P
}

start_kbs() { start_server kbs kbs --config-file c.toml; }

@test "defaults of an earlier release: told of, replaced at the start, kept where somebody has chosen them" {
    sed -i 's/^private_key.*/insecure_http = true/; /^certificate/d' c.toml
    start_kbs
    stop_server
    run vouchsafe doctor -c c.toml
    [[ "$output" != *'"area":"policy"'* ]]
    put_earlier_policies
    run vouchsafe doctor -c c.toml
    [ "$status" -eq 0 ]
    for id in resource-policy default_cpu; do
        grep -qE '"level":"warning","area":"policy","subject":"'$id'","finding":"the default of an earlier release: [^"]*","advice":"start the server' <<<"$output"
    done

    start_kbs
    grep -q 'WARN policies: a default policy of an earlier release was replaced.*policy=resource-policy lacked=".*made in software" undo="kbs-client config policy rollback resource"' kbs.log
    grep -q 'policy=default_cpu lacked=".*migrated are affirmed" undo="kbs-client config policy rollback attestation/default_cpu"' kbs.log
    admin policy get resource 2>/dev/null | cmp - "$VS_ROOT/policies/kbs_default.rego"
    admin policy get attestation/default_cpu 2>/dev/null | cmp - "$VS_ROOT/policies/default_cpu.rego"
    admin policy history resource | grep -q '"action":"found".*"action":"upgrade"[^}]*"who":"vouchsafe '
    run vouchsafe doctor -c c.toml
    [[ "$output" != *'"area":"policy"'* ]]

    # An administrator wants it as it was.
    admin policy rollback resource
    stop_server
    start_kbs
    admin policy get resource 2>/dev/null | cmp - "$VS_ROOT/tests/earlier/kbs_default.rego"
    grep -q 'an administrator has chosen, so it stays policy=resource-policy' kbs.log
    run vouchsafe doctor -c c.toml
    grep -qE '"subject":"resource-policy","finding":"the default of an earlier release, which an administrator has chosen: [^"]*","advice":"kbs-client config set-resource-policy --default"' <<<"$output"
    admin set-resource-policy --default
    admin policy rollback attestation/default_cpu
    run vouchsafe doctor -c c.toml
    grep -q '"advice":"kbs-client config set-attestation-policy --default --id default_cpu"' <<<"$output"
    admin set-attestation-policy --default --id default_cpu
    run vouchsafe doctor -c c.toml
    [[ "$output" != *'"area":"policy"'* ]]
    run admin set-attestation-policy --default --id kbs_allow_all
    [ "$status" -eq 1 ]
    [[ "$output" == *'no policy "kbs_allow_all" is shipped'* ]]
    run admin set-attestation-policy --id default_cpu
    [ "$status" -eq 1 ]
    [[ "$output" == *"give --policy-file or --default"* ]]
}
