# SPDX-License-Identifier: Apache-2.0
# Shared by the end-to-end tests: real programs on loopback, ports chosen free, stopped by pid.
# VS_BIN = directory of the programs, VS_ROOT = project root; both set by meson.

PATH="$VS_BIN:$PATH"
secret_path=cca-trustee/demo-message/message.txt

start_suite() {
    work=$(mktemp -d)
    cd "$work" || return 1
    pids=()
    openssl genpkey -algorithm ed25519 -out admin.key 2>/dev/null
    openssl pkey -in admin.key -pubout -out admin.pub 2>/dev/null
    openssl genrsa -traditional -out realm.key 2048 2>/dev/null
    printf 'the secret \0 with a NUL and an umlaut \303\274\n' >message.txt
}

end_suite() {
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    cd / && rm -rf "$work"
}

# Prints what follows "ready " in the first such line of a file, waiting for it.
await_ready() {
    local i
    for ((i = 0; i < 400; i++)); do
        if grep -q '^ready ' "$1" 2>/dev/null; then
            sed -n 's/^ready //p' "$1" | head -1
            return 0
        fi
        sleep 0.025
    done
    echo "not ready: $1" >&2
    cat "${1%.out}.log" >&2
    return 1
}

# start_server NAME COMMAND...: sets url and server_pid; log in NAME.log
start_server() {
    local name=$1
    shift
    : >"$name.out" # what a server of the same name said before is not this one's
    "$@" >"$name.out" 2>"$name.log" 3>&- &
    server_pid=$!
    pids+=("$server_pid")
    url=$(await_ready "$name.out")
}

serve() {
    start_server serve vouchsafe serve --data-dir kbs --listen 127.0.0.1:0 --admin-key admin.pub \
        --cca-config realm/cca-config.json "$@"
}

stop_server() {
    kill "$server_pid"
    wait "$server_pid"
}

# A software realm on a Unix socket (the FUSE form has tests of its own).
start_realm() {
    vouchsafe realm init --dir realm >/dev/null
    vouchsafe realm run --dir realm --socket "$work/tsm.sock" >realm.out 2>realm.log 3>&- &
    pids+=($!)
    await_ready realm.out >/dev/null
    export VOUCHSAFE_TSM_PATH=$work/tsm.sock
}

admin() {
    kbs-client --url "$url" config --auth-private-key admin.key "$@"
}

attest() {
    kbs-client --url "$url" attest --tee-key-file realm.key
}

get_with_token() {
    kbs-client --url "$url" get-resource --tee-key-file realm.key --attestation-token "$1" --path "$secret_path"
}

endorse_rim() {
    admin set-sample-reference-value cca.realm.cca-realm-initial-measurement "$(vouchsafe realm rim --dir realm)"
}

prepare_secret() {
    admin set-resource --path "$secret_path" --resource-file message.txt >/dev/null
    admin set-resource-policy --affirming >/dev/null
}

# The payload of a JWT as JSON text.
jwt_payload() {
    local p
    p=$(cut -d. -f2 "$1" | tr '_-' '/+')
    while [ $((${#p} % 4)) -ne 0 ]; do p+='='; done
    printf '%s' "$p" | base64 -d
}
