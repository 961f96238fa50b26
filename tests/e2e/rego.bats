#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `vouchsafe rego`: options, formats and exit codes that users of opa know.

setup() {
    load common.bash
    work=$(mktemp -d)
    cd "$work" || return 1
    pids=()
    mkdir -p d/sub
    printf 'package policy\n\ndefault allow := false\n\nallow if {\n\tinput.user == data.sub.owner\n\tinput.a.b\n}\n' >d/p.rego
    printf '{"owner": "ada"}' >d/sub/data.json
    printf 'name: ada\n' >d/more.yaml
    printf '{"user": "ada"}' >in.json
}

teardown() { end_suite; }

@test "eval: folders of policies and data, input from file or standard input, package and imports" {
    run vouchsafe rego eval -d d -i in.json -f raw data.policy.allow
    [ "$status" -eq 0 ] && [ "$output" = false ]
    run vouchsafe rego eval -d d -f raw 'concat("", [data.sub.owner, data.name])'
    [ "$output" = adaada ]
    [ "$(echo '{"user":"ada","a":{"b":1}}' | vouchsafe rego eval -d d -I -f raw data.policy.allow)" = true ]
    [ "$(echo '{"user":"ada","a":{"b":1}}' | vouchsafe rego eval -d d -i - --package policy -f raw allow)" = true ]
    run vouchsafe rego eval -d d --import 'data.sub as s' -f raw s.owner
    [ "$output" = ada ]
    run vouchsafe rego eval -d d -I -i in.json data.policy.allow
    [ "$status" -eq 2 ]
    printf 'package old\nallow { input.x }\n' >old.rego
    run vouchsafe rego eval -d old.rego 1
    [ "$status" -eq 2 ] && [[ "$output" == *"old.rego:2:7: rego_parse_error"*"allow { input.x }"*"^"* ]]
    run vouchsafe rego eval --v0-compatible -d old.rego -f raw 1
    [ "$status" -eq 0 ] && [ "$output" = 1 ]
}

@test "eval: formats" {
    run vouchsafe rego eval -f values 'x = [1, 2][_]'
    [ "$(tr -d ' \n' <<<"$output")" = '[true][true]' ]
    run vouchsafe rego eval -f bindings 'x = [1, 2][_]'
    [ "$(tr -d ' \n' <<<"$output")" = '{"x":1}{"x":2}' ]
    run vouchsafe rego eval -f pretty 'x = [1, 2][_]'
    [[ "${lines[1]}" == "│ x │" ]] && [[ "${lines[4]}" == "│ 2 │" ]]
    run vouchsafe rego eval -f pretty data.nope
    [ "$output" = undefined ]
    run vouchsafe rego eval -f json '"x"'
    [ "$(tr -d ' \n' <<<"$output")" = '{"result":[{"expressions":[{"location":{"col":1,"row":1},"text":"\"x\"","value":"x"}]}]}' ]
    run vouchsafe rego eval -f nosuch 1
    [ "$status" -eq 2 ] && [[ "$output" == *bindings* ]]
}

@test "eval: exit codes" {
    run vouchsafe rego eval data.nope
    [ "$status" -eq 0 ] && [ "$output" = '{}' ]
    run vouchsafe rego eval --fail data.nope
    [ "$status" -eq 1 ]
    run vouchsafe rego eval --fail false
    [ "$status" -eq 0 ]
    run vouchsafe rego eval --fail-defined false
    [ "$status" -eq 1 ]
    run vouchsafe rego eval --fail-defined data.nope
    [ "$status" -eq 0 ]
    run vouchsafe rego eval 1/0
    [ "$status" -eq 2 ] && [[ "$output" == *"divide by zero"* ]]
    run vouchsafe rego eval --nonstrict 1/0
    [ "$status" -eq 0 ]
}

@test "explain: JSON in a pipe, a tree on request, no values on request" {
    run vouchsafe rego explain -d d -i in.json data.policy.allow
    [ "$status" -eq 0 ]
    python3 -c 'import json,sys; r=json.loads(sys.argv[1]); d=r["definitions"][0]; assert d["held"][0]["text"] == "input.user == data.sub.owner" and d["failed"]["text"] == "input.a.b"; assert {"path": "input.a.b", "exists": False, "missing_from": "input.a"} in r["consulted"]' "$output"
    run vouchsafe rego explain -f tree -d d -i in.json data.policy.allow
    [[ "$output" == *"true   input.user == data.sub.owner"*"failed input.a.b"*"input.a.b  does not exist: there is no input.a"* ]]
    [[ "$output" != *$'\033'* ]]
    run vouchsafe rego explain -f tree --values 0 -d d -i in.json data.policy.allow
    [[ "$output" != *ada* ]]
    run vouchsafe rego explain --values x data.policy.allow
    [ "$status" -eq 2 ]
}

@test "test: filter, coverage, threshold" {
    printf 'package policy_test\n\ntest_denied if not data.policy.allow with input as {}\n\ntest_wrong if data.policy.allow\n' >d/p_test.rego
    run vouchsafe rego test d
    [ "$status" -eq 2 ] && [[ "$output" == *"test_wrong: FAIL"*"PASS: 1/2"* ]]
    run vouchsafe rego test -v --run denied --coverage d
    [ "$status" -eq 0 ] && [[ "$output" == *"test_denied: PASS"*"d/p.rego"*"not evaluated: 7"* ]]
    run vouchsafe rego test --run denied --threshold 100 d
    [ "$status" -eq 2 ] && [[ "$output" == *"are wanted"* ]]
    run vouchsafe rego test --run denied --threshold 50 d
    [ "$status" -eq 0 ]
    run vouchsafe rego test --threshold many d
    [ "$status" -eq 1 ]
}

@test "fmt: standard input, --list, --fail, --write" {
    [ "$(printf 'package a\nx:=[1,2] # c\n' | vouchsafe rego fmt)" = "$(printf 'package a\n\nx := [1, 2] # c')" ]
    printf 'package a\nx:=1\n' >f.rego
    run vouchsafe rego fmt --list f.rego
    [ "$status" -eq 1 ] && [ "$output" = f.rego ]
    run vouchsafe rego fmt --fail f.rego
    [ "$status" -eq 1 ]
    run vouchsafe rego fmt --write f.rego
    [ "$status" -eq 0 ]
    run vouchsafe rego fmt --fail f.rego
    [ "$status" -eq 0 ]
    run vouchsafe rego fmt --write
    [ "$status" -eq 2 ]
}

@test "each word of the completion is an option of its subcommand" {
    # shellcheck source=/dev/null
    . "$VS_ROOT/packaging/completion/vouchsafe.bash"
    COMP_CWORD=3
    for sub in eval check explain test bench fmt build repl; do
        help=$(vouchsafe rego "$sub" --help)
        for word in $(_vouchsafe_rego "$sub"); do
            [ "$word" = --help ] || [[ "$help" == *"$word"* ]]
        done
    done
}
