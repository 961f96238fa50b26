# SPDX-License-Identifier: Apache-2.0
# Software realms, what is changed in them, and what a server says to it. Loaded after common.bash;
# the server's log is serve.log.

init_data_digest() {
    printf 'algorithm = "sha384"\nversion = "0.1.0"\n' | sha384sum | cut -d' ' -f1
}

# configure PROVIDER: kbs.toml of a server without JSON stores, with Veraison's interface; the lines are those of
# its reference value provider.
configure() {
    cat >kbs.toml <<END
[http_server]
sockets = ["127.0.0.1:0"]
insecure_http = true
[admin]
authorization_mode = "AuthenticatedAuthorization"
[[admin.authentication.bearer_jwt.identity_providers]]
public_key_uri = "$work/admin.pub"
[[admin.authorization.regex_acl.acls]]
role = "admin"
allowed_endpoints = "^/kbs/v0/.*$"
[attestation_service]
type = "coco_as_builtin"
[attestation_service.rvps_config]
$(grep -q '^type' <<<"$1" || echo 'type = "BuiltIn"')
$1
[veraison]
enabled = true
[[plugins]]
name = "resource"
storage_backend_type = "kvstorage"
END
}

# Serves the attestation device of a realm's directory on DIR.sock.
run_device() {
    vouchsafe realm run --dir "$1" --socket "$work/$1.sock" >"$1.out" 2>"$1.log" 3>&- &
    pids+=($!)
    await_ready "$1.out" >/dev/null
}

use() { export VOUCHSAFE_TSM_PATH=$work/$1.sock; }

# changed NAME SED: the same realm with the same keys, but realm.json edited.
changed() {
    cp -r realm "$1"
    sed -i "$2" "$1/realm.json"
    if cmp -s realm/realm.json "$1/realm.json"; then return 1; fi
    run_device "$1"
    use "$1"
}

flipped() { # the hexadecimal with its first digit changed
    case $1 in 0*) printf '1%s' "${1:1}" ;; *) printf '0%s' "${1:1}" ;; esac
}

b64_of_hex() { printf '%s' "$1" | sed 's/../\\x&/g' | xargs -0 printf '%b' | base64 -w0; }

ask() { kbs-client --url "$url" get-resource --path "$secret_path"; }

released() {
    ask | base64 -d >got
    cmp message.txt got
}

# denied REASON...: the guest learns nothing but that it was denied, the server's log says exactly why.
denied() {
    local before reason
    before=$(wc -l <serve.log)
    run ask
    echo "$output"
    [ "$status" -eq 1 ]
    [[ "$output" != *"$(base64 -w0 message.txt)"* ]]
    for reason in "$@"; do [[ "$output" != *"$reason"* ]]; done
    tail -n "+$((before + 1))" serve.log | sed 's/\\"/"/g' >why
    cat why
    for reason in "$@"; do grep -qF -- "$reason" why; done
}
