#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The KBS client in its three forms, against a real server: kbs-client, the guest's agent and hub, and
# libvouchsafe-client from outside: installed, found by pkg-config, used by the example.

setup_file() {
    export STAGE="$BATS_FILE_TMPDIR/stage"
    meson install -C "$VS_BUILD" --no-rebuild --quiet --destdir "$STAGE"
    PC=$(find "$STAGE" -name vouchsafe-client.pc)
    export PKG_CONFIG_PATH="${PC%/*}" PKG_CONFIG_SYSROOT_DIR="$STAGE"
    LIB=$(find "$STAGE" -name libvouchsafe-client.so)
    LIB_DIR=${LIB%/*}
    export LIB_DIR
    # shellcheck disable=SC2046,SC2086  # words are meant
    cc -std=c11 -Wall -Wextra -Wpedantic -Werror $SANITIZE "$VS_ROOT/examples/client/get_secret.c" \
        $(pkg-config --cflags --libs vouchsafe-client) -o "$BATS_FILE_TMPDIR/get_secret"
}

setup() {
    load common.bash
    start_suite
    start_realm
    serve
    kbs_url=$url
    prepare_secret
    endorse_rim >/dev/null
}

teardown() { end_suite; }

get_secret() { LD_LIBRARY_PATH=$LIB_DIR "$BATS_FILE_TMPDIR/get_secret" "$@"; }

# front VERSION: speaks that version only
front() {
    start_server "front-$1" python3 "$VS_ROOT/tests/e2e/service.py" speak "$1" "$kbs_url"
    front_url=$url
    url=$kbs_url
}

offers() { sed -n 's/^offer //p' "front-$1.out" | tr '\n' ' '; }

@test "the library shows its documented functions and no others" {
    lib=$(find "$STAGE" -name 'libvouchsafe-client.so.1.0.0')
    nm -D --defined-only "$lib" | awk '$2 != "A" {print $3}' | sed 's/@.*//' | sort >have
    grep -oE '\bvouchsafe_[a-z_]+\(' "$VS_ROOT/include/vouchsafe/client.h" | tr -d '(' | sort -u >documented
    diff have documented
    [[ "$(readelf -d "$lib")" == *"SONAME"*"[libvouchsafe-client.so.1]"* ]]
    # whose allocators and threads would be the whole program's
    run readelf -d "$lib"
    [[ "$output" != *libcurl* && "$output" != *libevent* ]]
}

@test "the header is C11 and C++ without a warning, alone and with its own types" {
    printf '#include <vouchsafe/client.h>\nint f(void);\nint f(void) { vouchsafe_config c = {0}; c.size = sizeof c; return (int)c.size; }\n' >x.c
    cp x.c x.cc
    # shellcheck disable=SC2046  # words are meant
    cc -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Werror -fsyntax-only $(pkg-config --cflags vouchsafe-client) x.c
    # shellcheck disable=SC2046  # words are meant
    c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -Wno-missing-field-initializers -fsyntax-only \
        $(pkg-config --cflags vouchsafe-client) x.cc
}

@test "the example gets the secret of an attested realm, and says why not" {
    get_secret "$kbs_url" "$secret_path" >got 2>said
    cmp message.txt got
    grep -qx 'attested as cca with protocol 0.4.0' said
    admin set-resource-policy --deny-all >/dev/null
    run get_secret "$kbs_url" "$secret_path"
    [ "$status" -eq 1 ]
    [[ "$output" == *"PolicyDeny"*"decision "* ]]
    run get_secret "$kbs_url/kbs/v0" "$secret_path"
    [[ "$output" == *"must be the root of the server"* ]]
    VOUCHSAFE_TSM_PATH=/nonexistent run get_secret "$kbs_url" "$secret_path"
    [ "$status" -eq 1 ]
    [[ "$output" == *"cannot use the attestation device"* ]]
    # the library says nothing by itself
    [ "${#lines[@]}" -eq 1 ]
}

@test "servers of each version give their secret to kbs-client and to the library" {
    for version in 0.4.0 0.3.0 0.2.0 0.1.1; do
        front "$version"
        kbs-client --url "$front_url" --oldest-protocol 0.1.1 get-resource --path "$secret_path" 2>said | base64 -d >got
        cmp message.txt got
        [ "$version" = 0.4.0 ] || grep -q "going on with $version" said
        OLDEST_PROTOCOL=0.1.1 get_secret "$front_url" "$secret_path" >got 2>said
        cmp message.txt got
        grep -qx "attested as cca with protocol $version" said
        [ "$version" = 0.4.0 ] || grep -q "^warning: .*going on with $version" said
    done
    [ "$(offers 0.4.0)" = "0.4.0 0.4.0 " ]
    [ "$(offers 0.2.0)" = "0.4.0 0.2.0 0.4.0 0.2.0 " ]
    [ "$(offers 0.1.1)" = "0.4.0 0.4.0 0.1.1 0.4.0 0.4.0 0.1.1 " ]
}

@test "0.1.1 is not spoken unless that was asked for" {
    front 0.1.1
    run kbs-client --url "$front_url" attest
    [ "$status" -eq 1 ]
    [[ "$output" == *'"=0.1.1", which is older than 0.2.0, the oldest that is allowed here'* ]]
    run get_secret "$front_url" "$secret_path"
    [ "$status" -eq 1 ]
    [[ "$output" == *'"=0.1.1", which is older than 0.2.0'* ]]
    [[ "$(offers 0.1.1)" != *0.1.1* ]]
    run kbs-client --url "$front_url" --oldest-protocol 0.1.0 attest
    [[ "$output" == *"--oldest-protocol is one of 0.1.1, 0.2.0"* ]]
    run kbs-client --url "$front_url" --timeout 0 attest
    [[ "$output" == *"--timeout is 1 to 86400 seconds"* ]]
}

@test "a server that serves newer versions only is spoken to, and one in front that lies gets nothing" {
    stop_server
    printf '[http_server]\nsockets = ["127.0.0.1:0"]\ninsecure_http = true\n[attestation_service]\ntype = "coco_as_builtin"\noldest_protocol = "0.3.0"\n[admin]\nauthorization_mode = "DenyAll"\n[[plugins]]\nname = "resource"\nstorage_backend_type = "kvstorage"\n' >kbs.toml
    serve -c kbs.toml
    kbs_url=$url
    kbs-client --url "$kbs_url" get-resource --path "$secret_path" | base64 -d >got
    cmp message.txt got
    front 0.3.0
    kbs-client --url "$front_url" get-resource --path "$secret_path" 2>said | base64 -d >got
    cmp message.txt got
    # what it asks for the server behind it does not take: 0.4.0, 0.2.0, 0.3.0, and no circle
    front 0.2.0
    run kbs-client --url "$front_url" attest
    [ "$status" -eq 1 ]
    [[ "$output" == *'asks for protocol "=0.2.0" and does not take it'* ]]
    [ "$(offers 0.2.0)" = "0.4.0 0.2.0 0.3.0 " ]
}

@test "a workload gets its secret from a server of 0.1.1 when agent and hub allow that" {
    front 0.1.1
    guest() {
        printf '[token_configs.kbs]\nurl = "%s"\n%s\n' "$front_url" "$1" >aa.toml
        printf 'socket = "unix://%s/cdh.sock"\n[aa]\naa_socket = "unix://%s/aa.sock"\n[kbc]\nname = "cc_kbc"\nurl = "%s"\n%s\n' \
            "$work" "$work" "$front_url" "$1" >cdh.toml
        start_server aa attestation-agent -a "unix://$work/aa.sock" -c aa.toml
        aa_pid=$server_pid
        start_server cdh confidential-data-hub -c cdh.toml
        cdh_pid=$server_pid
        start_server asr api-server-rest -b 127.0.0.1:0 -a "unix://$work/aa.sock" -c "unix://$work/cdh.sock" -f all
        asr_pid=$server_pid
        asr_url=$url
    }
    guest ''
    [ "$(curl -sS -o body -w '%{http_code}' "$asr_url/cdh/resource/$secret_path")" != 200 ]
    grep -q 'older than 0.2.0' aa.log cdh.log body
    kill "$asr_pid" "$cdh_pid" "$aa_pid"
    wait "$asr_pid" "$cdh_pid" "$aa_pid" || true
    guest 'oldest_protocol = "0.1.1"'
    curl -sS -o got "$asr_url/cdh/resource/$secret_path"
    cmp message.txt got
    grep -q 'going on with 0.1.1' aa.log
}

@test "https with a root of its own; the proxy of the environment, unless one is given" {
    stop_server
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key -out tls.pem -days 1 \
        -subj /CN=kbs -addext subjectAltName=IP:127.0.0.1 2>/dev/null
    printf '[http_server]\nsockets = ["127.0.0.1:0"]\nprivate_key = "tls.key"\ncertificate = "tls.pem"\n[admin]\nauthorization_mode = "DenyAll"\n[[plugins]]\nname = "resource"\nstorage_backend_type = "kvstorage"\n' >kbs.toml
    serve -c kbs.toml
    get_secret "$url" "$secret_path" tls.pem >got
    cmp message.txt got
    run get_secret "$url" "$secret_path"
    [ "$status" -eq 1 ]
    [[ "$output" == *"certificate"* ]]
    https_proxy=http://127.0.0.1:1 run get_secret "$url" "$secret_path" tls.pem
    [ "$status" -eq 1 ]
    [[ "$output" == *"proxy http://127.0.0.1:1"* ]]
    https_proxy=http://127.0.0.1:1 kbs-client --url "$url" --cert-file tls.pem --proxy '' get-resource \
        --path "$secret_path" | base64 -d >got
    cmp message.txt got
}
