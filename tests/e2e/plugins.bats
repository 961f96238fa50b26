#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Plugins and Vault behind a real server.

setup() {
    load common.bash
    start_suite
    start_realm
    export CCA_CONFIG_FILE=$work/realm/cca-config.json
    printf 'package policy\nallow := true\n' >all.rego
}

teardown() { end_suite; }

# configure TOML...: a server with these tables
configure() {
    cat >kbs.toml <<TOML
[http_server]
sockets = ["127.0.0.1:0"]
insecure_http = true
worker_count = 1
[admin]
authorization_mode = "InsecureAllowAll"
[storage_backend]
storage_type = "Sqlite"
backends.sqlite.path = "$work/kbs.sqlite"
TOML
    cat >>kbs.toml
}

start_configured() { start_server serve vouchsafe serve -c kbs.toml; }

allow_all() { kbs-client --url "$url" config set-resource-policy --policy-file all.rego; }

# ask METHOD PATH [CURL ARGUMENTS]: body in `answer`, prints the status
ask() {
    local method=$1 path=$2
    shift 2
    curl -sS -o answer -w '%{http_code}' -X "$method" "$@" "$url/kbs/v0/$path"
}

start_vault() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout vault.key -out vault.crt \
        -subj /CN=test -addext subjectAltName=IP:127.0.0.1 -days 1 2>/dev/null
    printf 'canary-vault-token\n' >vault.token
    python3 "$VS_ROOT/tests/e2e/vault_double.py" vault.crt vault.key canary-vault-token "$work" \
        >vault.out 2>vault.log 3>&- &
    pids+=("$!")
    vault_url=$(await_ready vault.out)
}

configure_vault() {
    configure <<TOML
[[plugins]]
name = "resource"
storage_backend_type = "vault"
vault_url = "$vault_url"
token_file = "$work/vault.token"
mount_path = "kv"
kv_version = 2
ca_certs = ["$work/vault.crt"]
$1
TOML
}

@test "a secret in Vault is set, released and deleted, and never in the log" {
    start_vault
    configure_vault ""
    start_configured
    allow_all
    kbs-client --url "$url" config set-resource --path a/b/c --resource-file message.txt
    kbs-client --url "$url" get-resource --path a/b/c | base64 -d >got
    cmp message.txt got
    kbs-client --url "$url" config delete-resource --path a/b/c
    run kbs-client --url "$url" get-resource --path a/b/c
    [ "$status" -eq 1 ]
    grep -q 'no value for .*a/b/c.* in Vault' serve.log
    touch sealed
    [ "$(ask POST resource/a/b/c --data-binary x)" = 401 ]
    grep -q 'Vault is sealed' serve.log
    [ -z "$(grep canary serve.log)" ]
}

@test "a slow Vault does not keep others waiting" {
    start_vault
    configure_vault ""
    start_configured
    touch slow
    ask POST resource/a/b/c --data-binary x >slow.status &
    slow=$!
    sleep 0.3
    start=$(date +%s%N)
    curl -sS -o /dev/null "$url/healthz"
    [ "$(ask GET resource-policy)" = 200 ]
    [ $((($(date +%s%N) - start) / 1000000)) -lt 1200 ]
    wait "$slow"
    [ "$(cat slow.status)" = 200 ]
}

@test "verify_ssl = false is accepted with a warning" {
    start_vault
    configure_vault "verify_ssl = false"
    sed -i '/^ca_certs/d' kbs.toml
    start_configured
    grep -q 'WARN.*verify_ssl = false' serve.log
    [ "$(ask POST resource/a/b/c --data-binary x)" = 200 ]
}

@test "the provisioner makes a disk key that only an attested machine could get" {
    configure <<TOML
[[plugins]]
name = "provisioner"
TOML
    start_configured
    allow_all
    [ "$(ask POST provisioner/provision --data '{"vm_name":"vm1"}')" = 200 ]
    cp answer first
    [ "$(ask POST provisioner/provision --data '{"vm_name":"vm1"}')" = 200 ]
    cmp answer first
    path=$(sed 's/.*"resource_path":"\([^"]*\)".*/\1/' first)
    [ "$(ask GET "provisioner/$path")" = 401 ]
    grep -q TokenNotFound answer
    token=$(kbs-client --url "$url" attest --tee-key-file realm.key)
    [ "$(ask GET "provisioner/$path" -H "Authorization: Bearer $token")" = 401 ]
    grep -q 'init-data has no text' serve.log
}

hsm_at_work() { # [LINE of the plugin]
    module=/usr/lib/softhsm/libsofthsm2.so
    [ -r "$module" ] && command -v softhsm2-util >/dev/null || skip "SoftHSM is not installed"
    mkdir tokens
    printf 'directories.tokendir = %s/tokens\n' "$work" >softhsm2.conf
    export SOFTHSM2_CONF=$work/softhsm2.conf
    softhsm2-util --init-token --free --label test --so-pin 12345678 --pin canary-pin-1
    openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048 -out wrap.pem 2>/dev/null
    softhsm2-util --import wrap.pem --token test --label wrap --id 01 --pin canary-pin-1
    configure <<TOML
[[plugins]]
name = "pkcs11"
module = "$module"
pin = "canary-pin-1"
rsa_mechanism = "RsaPkcsTest"
lookup_label = "wrap"
${1:-}
TOML
    start_configured
    allow_all
    [ "$(ask POST pkcs11/wrap-key --data-binary canary-key)" = 200 ]
    cp answer wrapped
    [ "$(stat -c %s wrapped)" = 256 ]
    # What the HSM wrapped is what OpenSSL unwraps with the same key.
    openssl pkeyutl -decrypt -inkey wrap.pem -pkeyopt rsa_padding_mode:oaep -in wrapped -out key
    [ "$(cat key)" = canary-key ]
    [ "$(ask GET pkcs11/wrap-key --data-binary @wrapped)" = 401 ]
    token=$(kbs-client --url "$url" attest --tee-key-file realm.key)
    [ "$(ask GET pkcs11/wrap-key --data-binary @wrapped -H "Authorization: Bearer $token")" = 200 ]
    grep -q '"ciphertext"' answer
    [ -z "$(grep canary answer)" ]
    [ "$(ask POST pkcs11/resource/a/b/c --data-binary canary-secret)" = 200 ]
    [ "$(ask GET pkcs11/resource/a/b/c -H "Authorization: Bearer $token")" = 200 ]
    [ "$(ask DELETE pkcs11/resource/a/b/c)" = 200 ]
    [ -z "$(grep canary serve.log)" ]
}

@test "keys are wrapped and unwrapped in a HSM" {
    hsm_at_work
    grep -q 'sandbox is off.*plugins.token_paths' serve.log
    [ "$(awk '/^Seccomp:/ {print $2}' "/proc/$server_pid/status")" = 0 ]
}

@test "with the token's directory named a HSM works in the sandbox" {
    hsm_at_work "token_paths = [\"$work/tokens\"]"
    [ "$(awk '/^Seccomp:/ {print $2}' "/proc/$server_pid/status")" = 2 ]
}

configure_nebula() { # PROGRAM
    configure <<TOML
[[plugins]]
name = "nebula-ca"
nebula_cert_bin_path = "$1"
work_dir = "$work/nebula"
[plugins.ca_config]
argon_memory = 16
argon_iterations = 1
argon_parallelism = 1
TOML
}

@test "nebula-cert, and nothing else, runs in the sandbox" {
    mkdir bin
    cat >bin/nebula-cert <<'SH'
#!/bin/sh
case $1 in --version) echo "Version: 1.9.5"; exit 0 ;; esac
/usr/bin/env >/dev/null 2>&1 && echo "env ran" >"${0%/*}/../nebula/escaped"
while [ $# -gt 0 ]; do
    case $1 in
    -out-crt | -out-key) echo "made" >"$2" ;;
    esac
    shift
done
SH
    chmod 755 bin/nebula-cert
    configure_nebula "$work/bin/nebula-cert"
    start_configured
    [ "$(awk '/^Seccomp:/ {print $2}' "/proc/$server_pid/status")" = 2 ]
    allow_all
    token=$(kbs-client --url "$url" attest --tee-key-file realm.key)
    [ "$(ask GET 'nebula-ca/credential?name=a&ip=10.0.0.2/24' -H "Authorization: Bearer $token")" = 200 ]
    [ -s nebula/ca/ca.crt ]
    [ ! -e nebula/escaped ]
}

@test "the real nebula-cert signs in the sandbox" {
    program=$(command -v nebula-cert) || skip "nebula-cert is not installed"
    configure_nebula "$program"
    start_configured
    [ "$(awk '/^Seccomp:/ {print $2}' "/proc/$server_pid/status")" = 2 ]
    allow_all
    token=$(kbs-client --url "$url" attest --tee-key-file realm.key)
    [ "$(ask GET 'nebula-ca/credential?name=a&ip=10.0.0.2/24' -H "Authorization: Bearer $token")" = 200 ]
    "$program" print -path nebula/ca/ca.crt | grep -q 'Trustee Nebula CA plugin'
}

@test "a plugin that cannot work stops the start and says why" {
    configure <<TOML
[[plugins]]
name = "pkcs11"
module = "/nonexistent.so"
pin = "canary-pin"
TOML
    run vouchsafe serve -c kbs.toml
    [ "$status" -eq 1 ]
    [[ "$output" == *pkcs11*/nonexistent.so* ]]
    [[ "$output" != *canary* ]]
}

@test "the example of an external plugin, on Google's gRPC, is served" {
    local python
    for python in python3 /usr/bin/python3 none; do # Debian's packages belong to Debian's Python
        "$python" -c 'import grpc, google.protobuf' 2>/dev/null && break
    done
    [ "$python" != none ] && command -v protoc >/dev/null ||
        skip "protobuf-compiler, python3-grpcio or python3-protobuf is not installed"
    protoc -I "$VS_ROOT/proto" --python_out=. "$VS_ROOT/proto/plugin.proto"
    PYTHONPATH=. "$python" "$VS_ROOT/examples/plugin/plugin.py" 127.0.0.1:0 >plugin.out 2>plugin.log 3>&- &
    pids+=("$!")
    configure <<TOML
[operations]
sockets = ["127.0.0.1:0"]
[[plugins]]
name = "external"
backends = [{ name = "keys", endpoint = "http://127.0.0.1:$(await_ready plugin.out)", timeout_ms = 5000 }]
TOML
    start_configured
    allow_all
    [ "$(ask GET external/keys/key/disk)" = 401 ]
    grep -q TokenNotFound answer
    token=$(kbs-client --url "$url" attest --tee-key-file realm.key)
    [ "$(ask GET external/keys/key/disk -H "Authorization: Bearer $token")" = 200 ]
    grep -q '"ciphertext"' answer
    [ "$(ask POST external/keys/rotate)" = 200 ]
    [ "$(cat answer)" = rotated ]
    [ "$(ask GET external/keys/none -H "Authorization: Bearer $token")" = 401 ]
    grep -q PluginInternalError answer
    [ "$(ask GET external/other/key/x -H "Authorization: Bearer $token")" = 401 ]
    ops=$(sed -n 's/^operations //p' serve.out)
    curl -sS "$ops/metrics" >metrics
    grep -q '^kbs_plugin_requests_total{plugin_name="keys"} 3' metrics
    grep -q '^kbs_plugin_errors_total{plugin_name="keys"} 1' metrics
}
