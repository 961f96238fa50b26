# SPDX-License-Identifier: Apache-2.0
# A Veraison service that is ours, and what its clients do. Loaded after common.bash.

evidence_type='application/eat-collection; profile="http://arm.com/CCA-SSD/1.0.0"'
session_type=application/vnd.veraison.challenge-response-session+json

# start_verifier [LINES of http_server] [LINES of veraison]
start_verifier() {
    cat >verifier.toml <<C
[http_server]
sockets = ["127.0.0.1:0"]
${1:-insecure_http = true}
[admin]
authorization_mode = "DenyAll"
[veraison]
enabled = true
${2:-}
[[plugins]]
name = "resource"
storage_backend_type = "kvstorage"
[storage_backend.backends.sqlite]
path = "$work/verifier.sqlite"
C
    CCA_CONFIG_FILE=$work/realm/cca-config.json start_server verifier kbs -c verifier.toml
    verifier=$url verifier_pid=$server_pid
}

member() { # FILE JSON-PATH as Python has it
    python3 -c 'import json, sys; print(eval("json.load(open(sys.argv[1]))" + sys.argv[2]))' "$1" "$2"
}

new_session() { # QUERY: sets session, the URL
    curl -s -D head -o session.json -X POST -H "Accept: $session_type" \
        "$verifier/challenge-response/v1/newSession$1"
    session=$verifier/challenge-response/v1/$(sed -n 's/^[Ll]ocation: \([^\r]*\).*/\1/p' head)
}

submit() { # FILE [TYPE]: the status; body in answer.json
    curl -s -o answer.json -w '%{http_code}' -X POST -H "Accept: $session_type" \
        -H "Content-Type: ${2:-$evidence_type}" --data-binary @"$1" "$session"
}
