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
sample_tee = true
[admin]
authorization_mode = "InsecureAllowAll"
[storage_backend]
storage_type = "Memory"
C
    problem "anybody may administrate" "keys of administrators"
    [[ "$output" == *"believed"* && "$output" == *"proves nothing"* && "$output" == *"overheard"* && "$output" == *"lost when the server stops"* ]]
}
