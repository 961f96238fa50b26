#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# docs/cca.md is true: its commands run in order, and each line of output that it shows is printed.

setup() {
    load common.bash
    work=$(mktemp -d)
    cd "$work"
    export VOUCHSAFE=$VS_ROOT
}

teardown() { cd / && rm -rf "$work"; }

# The indented lines between the marks, without the indentation: "$ command", "> its continuation",
# and what it prints.
tour() { sed -n '/^<!-- tour -->/,/^<!-- end of tour -->/ s/^    //p' "$VS_ROOT/docs/cca.md"; }

@test "the commands of the CCA guide do what it says" {
    # One shell for all: each command's output between marks, stopping at the first that fails.
    {
        echo 'set -m; trap "kill \$(jobs -p) 2>/dev/null" EXIT'
        local n=0 line last='&'
        check() { [[ $last == *'&' ]] || echo '[ $? = 0 ] || { echo "@@ failed"; exit 1; }'; }
        while IFS= read -r line; do
            case $line in
            '$ '*)
                check
                n=$((n + 1))
                printf 'echo "@@ %d"\n%s\n' "$n" "${line#\$ }"
                ;;
            '> '*) printf '%s\n' "${line#> }" ;;
            *) continue ;;
            esac
            last=$line
        done < <(tour)
        check
        echo 'echo "@@ end"'
    } >tour.sh
    bash tour.sh >printed 2>&1 3>&- || { cat printed tour.sh ./*.log; false; }

    # Each line of the guide is one of those printed by the command above it.
    local n=0 line
    while IFS= read -r line; do
        case $line in
        '$ '*)
            n=$((n + 1))
            sed -n "/^@@ $n\$/,/^@@ /p" printed >here
            ;;
        '' | … | '> '*) ;;
        *)
            pattern=${line//\\/\\\\}
            pattern=${pattern//\[/\\[}
            pattern=${pattern//…/*}
            found=
            while IFS= read -r got; do
                # shellcheck disable=SC2053
                [[ $got == $pattern ]] && found=1 && break
            done <here
            [ -n "$found" ] || { printf 'command %d does not print: %s\n' "$n" "$line"; cat here; false; }
            ;;
        esac
    done < <(tour)
    [ "$n" -gt 60 ]
    grep -q '<svg' token.html
}

@test "each test that the CCA guide names is one" {
    command -v meson >/dev/null || skip "meson is not in the path"
    meson introspect --tests "$VS_BUILD" | grep -o '"name": "[^"]*"' | cut -d'"' -f4 >tests
    awk -F'|' '/^## What is promised/ {on = 1} on && /^\|/ {print $(NF - 1)}' "$VS_ROOT/docs/cca.md" |
        grep -o '`[^`]*`' | tr -d '`' >named
    [ "$(wc -l <named)" -gt 30 ]
    while IFS= read -r name; do
        grep -qxF "$name" tests || { echo "no test is called $name"; return 1; }
    done <named
}

@test "each word of the completion of realm and decode is an option" {
    # shellcheck source=/dev/null
    . "$VS_ROOT/packaging/completion/vouchsafe.bash"
    COMP_CWORD=3
    for sub in init run rim token extend endorse; do
        help=$(vouchsafe realm "$sub" --help)
        for word in $(_vouchsafe_realm "$sub"); do
            [ "$word" = --help ] || [[ "$help" == *"$word"* ]]
        done
    done
    help=$(vouchsafe decode --help)
    COMP_WORDS=(vouchsafe decode -)
    COMP_CWORD=2
    _vouchsafe
    [ "${#COMPREPLY[@]}" -ge 7 ]
    for word in "${COMPREPLY[@]}"; do [ "$word" = --help ] || [[ "$help" == *"$word"* ]]; done
}
