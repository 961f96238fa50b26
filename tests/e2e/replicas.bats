#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Three servers with one configuration on one PostgreSQL, behind something that deals out requests.

bats_require_minimum_version 1.5.0

setup() {
    load common.bash
    for bin in /usr/lib/postgresql/*/bin; do [ -x "$bin/initdb" ] && pg_bin=$bin; done
    [ -n "${pg_bin:-}" ] || skip "PostgreSQL is not installed"
    start_suite
    service=$VS_ROOT/tests/e2e/service.py
    handshakes=$VS_ROOT/tests/e2e/handshakes.py
    # initdb refuses to run as root.
    as_nobody=()
    pg=$work/pg
    mkdir "$pg"
    if [ "$(id -u)" = 0 ]; then
        as_nobody=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
        chmod 755 "$work"
        chown nobody "$pg"
    fi
    (cd "$pg" && "${as_nobody[@]}" "$pg_bin/initdb" -D data -U postgres -A trust -N -E UTF8 --locale=C.UTF-8) >initdb.log 2>&1
    start_postgres
    start_replicas
}

teardown() {
    [ -n "${pg_bin:-}" ] || return 0
    # The servers first: they would log that the database goes.
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    stop_postgres INT
    end_suite
}

start_postgres() {
    (cd "$pg" && exec "${as_nobody[@]}" "$pg_bin/postgres" -D data -c listen_addresses= \
        -c unix_socket_directories="$pg" -c max_connections=60) >>"$work/postgres.log" 2>&1 3>&- &
    pg_pid=$!
    local i
    for ((i = 0; i < 400; i++)); do
        "$pg_bin/pg_isready" -q -h "$pg" -U postgres && return 0
        sleep 0.05
    done
    cat "$work/postgres.log" >&2
    return 1
}

stop_postgres() {
    [ -n "${pg_pid:-}" ] || return 0
    kill -"$1" "$pg_pid" 2>/dev/null || true
    wait "$pg_pid" 2>/dev/null || true
    pg_pid=
}

start_replicas() {
    cat >c.toml <<C
[http_server]
sockets = ["127.0.0.1:0"]
insecure_http = true
[admin]
type = "Simple"
personas = [{ id = "admin", public_key_path = "$work/admin.pub" }]
[attestation_service]
type = "coco_as_builtin"
sample_tee = true
[storage_backend]
storage_type = "Postgres"
[storage_backend.backends.postgres]
host = "$pg"
[[plugins]]
name = "resource"
storage_backend_type = "kvstorage"
C
    urls=()
    server_pids=()
    local i
    for i in 0 1 2; do
        start_server "serve$i" kbs -c c.toml
        grep -q 'sandbox is on\|kernel does not have all' "serve$i.log"
        urls+=("$url")
        server_pids+=("$server_pid")
    done
    python3 "$service" balance balancer "${urls[@]}" 2>balancer.log 3>&- &
    pids+=($!)
    for ((i = 0; i < 200; i++)); do [ -s balancer ] && break || sleep 0.025; done
    url=http://127.0.0.1:$(cat balancer)
    admin set-resource --path "$secret_path" --resource-file message.txt >/dev/null
    admin set-resource-policy --allow-all >/dev/null
    export KBS_CLIENT_ALLOW_SAMPLE=1
}

# The handshake's three requests go to three servers, since they are dealt out in turn.
handshake() {
    RUST_LOG=error kbs-client --url "$url" get-resource --tee-key-file realm.key --path "$secret_path" 2>>handshake.err |
        base64 -d | cmp - message.txt
}

# Writes resources load/$1/0, 1, ... until the file stop is there; those acknowledged are listed.
write_until_stopped() {
    local i
    for ((i = 0; ; i++)); do
        [ ! -e stop ] || return 0
        printf '%s %s' "$1" "$i" >"value.$1"
        if admin set-resource --path "load/$1/n$i" --resource-file "value.$1" >/dev/null 2>>"write.$1.err"; then
            echo "$i" >>"acknowledged.$1"
        fi
    done
}

await_lines() { # FILE N
    local i
    for ((i = 0; i < 1200; i++)); do
        [ "$(grep -c . "$1")" -lt "$2" ] || return 0
        sleep 0.1
    done
    return 1
}

await_status() { # STATUS URL
    local i
    for ((i = 0; i < 200; i++)); do
        [ "$(curl -s -o status -w '%{http_code}' "$2/readyz")" = "$1" ] && return 0
        sleep 0.1
    done
    return 1
}

@test "a handshake goes over three servers" {
    local i
    for ((i = 0; i < 10; i++)); do handshake; done
    for i in 0 1 2; do grep -q 'request=' "serve$i.log"; done
}

@test "one server is killed under load: no accepted write is lost, no handshake fails" {
    write_until_stopped a 3>&- &
    local a=$!
    write_until_stopped b 3>&- &
    local b=$!
    pids+=("$a" "$b")
    # Without retries: over the servers that stay, and over all three. And the client, as people use it.
    local modulus survivors all
    modulus=$(openssl rsa -in realm.key -noout -modulus 2>/dev/null | cut -d= -f2)
    python3 "$handshakes" 2 stop "$secret_path" "$modulus" "${urls[0]}" "${urls[2]}" >survivors.log 2>&1 3>&- &
    survivors=$!
    python3 "$handshakes" 2 stop "$secret_path" "$modulus" "${urls[@]}" >all.log 2>&1 3>&- &
    all=$!
    pids+=("$survivors" "$all")
    for ((i = 0; i < 6; i++)); do handshake; done
    await_lines survivors.log 20
    await_lines all.log 20
    run ! grep -v '^ok$' survivors.log all.log
    local before
    before=$(grep -c . survivors.log)
    kill -KILL "${server_pids[1]}"
    wait "${server_pids[1]}" || true
    for ((i = 0; i < 12; i++)); do handshake; done
    await_lines survivors.log $((before + 20))
    touch stop
    wait "$a" "$b" "$survivors" "$all"
    # The servers that stay fail nobody, not even while the third goes: whose every request went to
    # one of them got through, and of the others only those that went to the one that was gone did not.
    run ! grep -v '^ok$' survivors.log
    run ! grep -v "^ok$\|^failed ${urls[1]} \(Connection\|Remote\|IncompleteRead\)" all.log
    grep -q "^failed ${urls[1]}" all.log
    [ ! -s handshake.err ] || { cat handshake.err; false; }
    echo "# handshakes without retries: $(grep -c . survivors.log) over two servers, none failed; over three $(grep -c '^ok' all.log), and $(grep -c '^failed' all.log) at the one that was gone" >&3
    local written=0
    for name in a b; do
        for i in $(cat "acknowledged.$name"); do
            printf '%s %s' "$name" "$i" >want
            kbs-client --url "${urls[$((i % 2 * 2))]}" get-resource --tee-key-file realm.key \
                --path "load/$name/n$i" 2>/dev/null | base64 -d | cmp - want
            written=$((written + 1))
        done
    done
    echo "# acknowledged writes: $written, failed: $(grep -c . write.a.err write.b.err | tr '\n' ' ')" >&3
    [ "$written" -ge 4 ]
}

@test "PostgreSQL goes and comes back: precise errors, not ready, then ready without a restart" {
    handshake
    for u in "${urls[@]}"; do await_status 200 "$u"; done
    stop_postgres INT
    for u in "${urls[@]}"; do await_status 503 "$u"; done
    [ "$(curl -s -o answer -w '%{http_code}' "${urls[0]}/livez")" = 200 ]
    run handshake
    [ "$status" -ne 0 ]
    grep -q "not ready.*$pg" serve0.log
    start_postgres
    for u in "${urls[@]}"; do await_status 200 "$u"; done
    for ((i = 0; i < 6; i++)); do handshake; done
    for i in 0 1 2; do kill -0 "${server_pids[$i]}"; done
}
