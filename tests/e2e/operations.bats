#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The server as a service: reload, the service manager's protocols, sandbox, disks that fail.

setup() {
    load common.bash
    start_suite
    service=$VS_ROOT/tests/e2e/service.py
}

teardown() {
    # A file system of the test's own must go after the server that uses it.
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    if [ -d "$work/disk" ]; then umount "$work/disk" 2>/dev/null || true; fi
    end_suite
}

await_file() {
    local i
    for ((i = 0; i < 400; i++)); do
        [ -s "$1" ] && return 0
        sleep 0.025
    done
    echo "no $1" >&2
    return 1
}

await_line() { # FILE PATTERN
    local i
    for ((i = 0; i < 400; i++)); do
        grep -q "$2" "$1" 2>/dev/null && return 0
        sleep 0.025
    done
    echo "no line '$2' in $1:" >&2
    cat "$1" >&2
    return 1
}

# write_config [LINE of http_server] [LINES of storage]
write_config() {
    local http=${1:-insecure_http = true} storage=${2:-}
    [ -n "$storage" ] || printf -v storage '[storage_backend.backends.sqlite]\npath = "%s/kbs.sqlite"' "$work"
    cat >c.toml <<C
[http_server]
sockets = ["127.0.0.1:0"]
$http

[admin]
authorization_mode = "AuthenticatedAuthorization"
[admin.authentication.bearer_jwt]
identity_providers = [{ issuer = "${issuer:-test}", public_key_uri = "$work/admin.pub" }]
[admin.authorization.regex_acl]
acls = [{ role = "admin", allowed_endpoints = "^/kbs/.+\$" }]

[operations]
sockets = ["127.0.0.1:0"]

$storage

[[plugins]]
name = "resource"
storage_backend_type = "kvstorage"
C
}

# An administrator's token by issuer $1.
admin_token() {
    local now header claims
    now=$(date +%s)
    header=$(printf '{"alg":"EdDSA","typ":"JWT"}' | base64 -w0 | tr '+/' '-_' | tr -d =)
    claims=$(printf '{"iss":"%s","role":"admin","iat":%d,"exp":%d}' "$1" "$now" $((now + 600)) | base64 -w0 | tr '+/' '-_' | tr -d =)
    printf '%s.%s' "$header" "$claims" >signing-input
    openssl pkeyutl -sign -rawin -inkey admin.key -in signing-input -out sig
    printf '%s.%s.%s' "$header" "$claims" "$(base64 -w0 sig | tr '+/' '-_' | tr -d =)"
}

put_resource() { # PATH TOKEN [URL]: the HTTP status
    curl -s -k -o answer -w '%{http_code}' -X POST --data-binary @message.txt \
        -H "Authorization: Bearer $2" "${3:-$url}/kbs/v0/resource/$1"
}

operations_url() { sed -n 's/^operations //p' "$1" | head -1; }

@test "SIGHUP takes over administrators, and says what needs a restart" {
    write_config
    start_server kbs kbs -c c.toml
    [ "$(put_resource a/b/c "$(admin_token test)")" = 200 ]
    [ "$(put_resource a/b/c "$(admin_token other)")" = 401 ]
    issuer=other
    write_config 'insecure_http = true
worker_count = 1'
    kill -HUP "$server_pid"
    await_line kbs.log "configuration reloaded"
    grep -q 'needs a restart key=http_server.worker_count' kbs.log
    [ "$(grep -c 'needs a restart' kbs.log)" = 1 ]
    [ "$(put_resource a/b/c "$(admin_token test)")" = 401 ]
    [ "$(put_resource a/b/c "$(admin_token other)")" = 200 ]
}

@test "a broken configuration keeps the old one, with a precise error" {
    write_config
    start_server kbs kbs -c c.toml
    sed -i 's/insecure_http/insecure_htp/' c.toml
    kill -HUP "$server_pid"
    await_line kbs.log "not reloaded, the old one stays.*insecure_htp"
    issuer=other
    write_config
    sed -i 's/admin.pub/nowhere.pub/' c.toml
    kill -HUP "$server_pid"
    await_line kbs.log "not reloaded.*nowhere.pub"
    [ "$(put_resource a/b/c "$(admin_token test)")" = 200 ]
}

@test "SIGHUP takes a renewed certificate; connections and the old one survive a broken one" {
    for n in one two; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $n.key -out $n.pem \
            -subj "/CN=$n" -days 2 2>/dev/null
    done
    cp one.key server.key && cp one.pem server.pem
    write_config "private_key = \"$work/server.key\"
certificate = \"$work/server.pem\""
    start_server kbs kbs -c c.toml
    subject() { openssl s_client -connect "${url#https://}" </dev/null 2>/dev/null | grep '^subject'; }
    [[ "$(subject)" == *one* ]]
    cp two.pem server.pem # without its key
    issuer=other
    write_config "private_key = \"$work/server.key\"
certificate = \"$work/server.pem\""
    kill -HUP "$server_pid"
    await_line kbs.log "not reloaded, the old one stays.*certificate and private_key"
    [[ "$(subject)" == *one* ]]
    [ "$(put_resource a/b/c "$(admin_token test)")" = 200 ] # nothing of it was taken over
    cp two.key server.key
    kill -HUP "$server_pid"
    await_line kbs.log "configuration reloaded"
    [[ "$(subject)" == *two* ]]
}

@test "limits per source change at run time" {
    write_config
    start_server kbs kbs -c c.toml
    write_config 'insecure_http = true
rate_per_source = 1
burst_per_source = 1'
    kill -HUP "$server_pid"
    await_line kbs.log "configuration reloaded"
    codes=$(for i in 1 2 3 4; do curl -s -o answer -w '%{http_code} ' "$url/livez" || true; done)
    [[ "$codes" == *000* || "$codes" == *429* ]]
    [ "$(grep -c 'needs a restart' kbs.log)" = 0 ]
}

@test "the service manager hears READY, RELOADING, WATCHDOG and STOPPING" {
    python3 "$service" notify "$work/notify" told 3>&- &
    pids+=($!)
    for ((i = 0; i < 200; i++)); do [ -S notify ] && break || sleep 0.025; done
    write_config
    start_server kbs env NOTIFY_SOCKET="$work/notify" WATCHDOG_USEC=400000 kbs -c c.toml
    await_line told '^READY=1'
    await_line told '^WATCHDOG=1'
    kill -HUP "$server_pid"
    await_line told '^RELOADING=1 MONOTONIC_USEC=[0-9][0-9]*$'
    stop_server
    await_line told '^STOPPING=1'
    [ "$(grep -c '^READY=1' told)" = 2 ]
}

@test "sockets of the service manager are used instead of those of the file" {
    write_config
    python3 "$service" activate api:operations ports kbs -c c.toml >kbs.out 2>kbs.log 3>&- &
    pids+=($!)
    await_line kbs.out '^ready'
    { read -r api; read -r operations; } <ports
    [ "$(curl -s -o answer -w '%{http_code}' "http://127.0.0.1:$api/livez")" = 200 ]
    curl -s "http://127.0.0.1:$operations/readyz" | grep -q '"ready":true'
    [ "$(grep -c '^operations' kbs.out)" = 0 ]
}

@test "a log line on the journal's socket starts with its priority" {
    write_config
    # The file stands for the journal's socket: its device and inode are what JOURNAL_STREAM names.
    : >kbs.log
    stream=$(stat -c '%d:%i' kbs.log)
    JOURNAL_STREAM=$stream start_server kbs kbs -c c.toml
    grep -q '^<6>.*ready' kbs.log
    JOURNAL_STREAM=1:2 start_server other kbs -c c.toml
    grep -q '^2.*ready' other.log
}

@test "every line of a request has its id, and the answer too" {
    write_config
    start_server kbs kbs -c c.toml
    trace=4bf92f3577b34da6a3ce929d0e0e4736
    curl -s -D head -o answer -X POST --data-binary x -H "traceparent: 00-$trace-00f067aa0ba902b7-01" \
        "$url/kbs/v0/resource/a/b/c"
    id=$(sed -n 's/^traceparent: 00-\(.*\)-01.*/\1/p' head)
    [[ "$id" == $trace-* ]]
    grep -q "administration.*request=$id" kbs.log
}

@test "SIGTERM: what is in flight is answered, what is new is refused" {
    write_config
    start_server kbs kbs -c c.toml
    head -c 1000000 /dev/zero >big
    token=$(admin_token test)
    curl -s -o answer -w '%{http_code}' -X POST --data-binary @big --limit-rate 500k \
        -H "Authorization: Bearer $token" "$url/kbs/v0/resource/a/b/c" >code 3>&- &
    upload=$!
    sleep 0.7
    kill "$server_pid"
    sleep 0.2
    run curl -s -o answer2 "$url/livez"
    [ "$status" -ne 0 ]
    wait "$upload"
    [ "$(cat code)" = 200 ]
    wait "$server_pid"
}

@test "the sandbox is on, and can be turned off" {
    write_config
    start_server kbs kbs -c c.toml
    grep -q 'sandbox is on seccomp=on landlock=' kbs.log || grep -q 'kernel does not have all of it' kbs.log
    [ "$(awk '/^Seccomp:/ {print $2}' "/proc/$server_pid/status")" = 2 ]
    [ "$(awk '/^NoNewPrivs:/ {print $2}' "/proc/$server_pid/status")" = 1 ]
    for task in /proc/"$server_pid"/task/*; do
        [ "$(awk '/^Seccomp:/ {print $2}' "$task/status")" = 2 ]
    done
    start_server off kbs -c c.toml --no-sandbox
    grep -q 'sandbox is off' off.log
    [ "$(awk '/^Seccomp:/ {print $2}' "/proc/$server_pid/status")" = 0 ]
}

# The programs of three processes, with a certificate that each has been given.
each_other_program() { # FUNCTION
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout one.key -out one.pem \
        -subj /CN=one -days 2 2>/dev/null
    local tls=(-t "$work/one.pem" -k "$work/one.key")
    "$1" rvps rvps --data-dir rvps --address 127.0.0.1:0 "${tls[@]}"
    "$1" grpc-as grpc-as --data-dir as --socket 127.0.0.1:0 "${tls[@]}"
    "$1" restful-as restful-as --data-dir rest --socket 127.0.0.1:0 "${tls[@]}"
}

supervised_program() { # NAME COMMAND...
    local name=$1
    shift
    rm -f notify told
    python3 "$service" notify "$work/notify" told 3>&- &
    pids+=($!)
    for ((i = 0; i < 200; i++)); do [ -S notify ] && break || sleep 0.025; done
    start_server "$name" env NOTIFY_SOCKET="$work/notify" WATCHDOG_USEC=400000 "$@"
    await_line told '^READY=1'
    await_line told '^WATCHDOG=1'
    kill -HUP "$server_pid"
    await_line "$name.log" 'certificate reloaded'
    await_line told '^RELOADING=1 MONOTONIC_USEC=[0-9][0-9]*$'
    stop_server
    await_line told '^STOPPING=1'
    [ "$(grep -c '^READY=1' told)" = 2 ]
}

@test "the service manager hears the same of grpc-as, restful-as and rvps" {
    each_other_program supervised_program
}

boxed_program() { # NAME COMMAND...
    local name=$1
    shift
    start_server "$name" "$@"
    grep -q 'sandbox is on seccomp=on landlock=' "$name.log" || grep -q 'kernel does not have all of it' "$name.log"
    for task in /proc/"$server_pid"/task/*; do
        [ "$(awk '/^Seccomp:/ {print $2}' "$task/status")" = 2 ]
        [ "$(awk '/^NoNewPrivs:/ {print $2}' "$task/status")" = 1 ]
    done
    stop_server
    start_server "$name" "$@" --no-sandbox
    grep -q 'sandbox is off' "$name.log"
    [ "$(awk '/^Seccomp:/ {print $2}' "/proc/$server_pid/status")" = 0 ]
    stop_server
}

@test "grpc-as, restful-as and rvps are in the sandbox, and can be without" {
    each_other_program boxed_program
}

@test "a certificate that cannot be read keeps the old one in grpc-as, too" {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout one.key -out one.pem \
        -subj /CN=one -days 2 2>/dev/null
    start_server as grpc-as --data-dir as --socket 127.0.0.1:0 -t one.pem -k one.key
    echo nonsense >one.pem
    kill -HUP "$server_pid"
    await_line as.log 'certificate not reloaded, the old one stays'
    openssl s_client -connect "${url#https://}" </dev/null 2>/dev/null | grep -q '^subject.*one'
}

@test "rvps serves on a socket of the service manager" {
    python3 "$service" activate api ports rvps --data-dir rvps --address 127.0.0.1:1 >rvps.out 2>rvps.log 3>&- &
    pids+=($!)
    await_line rvps.out '^ready'
    read -r api <ports
    run rvps-tool query -r nothing -a "http://127.0.0.1:$api"
    [ "$status" -eq 0 ]
}

@test "in the sandbox a new configuration cannot name a key elsewhere, and the error says so" {
    write_config
    start_server kbs kbs -c c.toml
    grep -q 'landlock="version' kbs.log || skip "this kernel has no Landlock"
    elsewhere=$(mktemp -d)
    cp admin.pub "$elsewhere/"
    sed -i "s|$work/admin.pub|$elsewhere/admin.pub|" c.toml
    kill -HUP "$server_pid"
    await_line kbs.log "not reloaded.*$elsewhere/admin.pub.*Permission denied"
    rm -r "$elsewhere"
}

small_disk() {
    mkdir disk
    mount -t tmpfs -o "size=$1" tmpfs disk 2>/dev/null || skip "no right to mount a file system"
}

await_ready_status() { # STATUS URL
    local i
    for ((i = 0; i < 100; i++)); do
        [ "$(curl -s -o readyz -w '%{http_code}' "$2/readyz")" = "$1" ] && return 0
        sleep 0.1
    done
    cat readyz >&2
    return 1
}

@test "a full disk: not ready, a precise error, reads go on, and it recovers" {
    small_disk 2m
    write_config '' "[storage_backend.backends.sqlite]
path = \"$work/disk/kbs.sqlite\""
    start_server kbs kbs -c c.toml
    operations=$(operations_url kbs.out)
    token=$(admin_token test)
    [ "$(put_resource a/b/kept "$token")" = 200 ]
    await_ready_status 200 "$operations"
    dd if=/dev/zero of=disk/fill bs=4k 2>/dev/null || true
    head -c 300000 /dev/urandom >message.txt
    [ "$(put_resource a/b/lost "$token")" != 200 ]
    await_ready_status 503 "$operations"
    grep -q '"name":"store","ok":false,"error":".*full' readyz
    [ "$(curl -s -o answer -w '%{http_code}' "$url/readyz")" = 503 ]
    [ "$(curl -s -o answer -w '%{http_code}' "$url/livez")" = 200 ]
    rm disk/fill
    await_ready_status 200 "$operations"
    [ "$(put_resource a/b/new "$token")" = 200 ]
}

@test "a store that becomes read-only: not ready, a precise error, and it recovers" {
    small_disk 8m
    write_config '' "[storage_backend]
storage_type = \"LocalFs\"
[storage_backend.backends.local_fs]
dir_path = \"$work/disk/store\""
    start_server kbs kbs -c c.toml
    operations=$(operations_url kbs.out)
    token=$(admin_token test)
    [ "$(put_resource a/b/kept "$token")" = 200 ]
    mount -o remount,ro disk
    [ "$(put_resource a/b/lost "$token")" != 200 ]
    grep -q 'Read-only file system' kbs.log
    await_ready_status 503 "$operations"
    grep -q 'Read-only file system' readyz
    mount -o remount,rw disk
    await_ready_status 200 "$operations"
    [ "$(put_resource a/b/new "$token")" = 200 ]
}
