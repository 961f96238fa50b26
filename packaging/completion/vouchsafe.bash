# SPDX-License-Identifier: Apache-2.0
# bash completion for vouchsafe(1), kbs(1), grpc-as(1), restful-as(1), rvps(1), rvps-tool(1) and
# kbs-client(1)

# The words behind `vouchsafe rego SUBCOMMAND`; its subcommands while there is none.
_vouchsafe_rego() {
    local scope="--data --input --stdin-input --package --import --v0-compatible --legacy-not --nonstrict"
    if [ "$COMP_CWORD" -le 2 ]; then
        echo "eval check explain test bench fmt build repl --help"
        return
    fi
    case $1 in
    eval) echo "$scope --format --fail --fail-defined --strict --explain --help" ;;
    explain) echo "$scope --format --values --help" ;;
    check) echo "--v0-compatible --strict --help" ;;
    test) echo "--data --run --coverage --threshold --verbose --format --v0-compatible --legacy-not --nonstrict --help" ;;
    bench) echo "--data --input --count --explain --v0-compatible --legacy-not --nonstrict --help" ;;
    fmt) echo "--write --list --fail --v0-compatible --help" ;;
    build) echo "--dump --v0-compatible --strict --legacy-not --help" ;;
    repl) echo "--data --input --v0-compatible --help" ;;
    esac
}

# The same for `vouchsafe realm`.
_vouchsafe_realm() {
    if [ "$COMP_CWORD" -le 2 ]; then
        echo "init run rim token extend endorse --help"
        return
    fi
    case $1 in
    init) echo "--dir --description --profile --form --rim --hash --rpv --lifecycle --cpak --rak --help" ;;
    run) echo "--dir --mount --socket --help" ;;
    rim) echo "--dir --help" ;;
    token) echo "--dir --challenge --output --help" ;;
    extend) echo "--dir --index --data --help" ;;
    endorse) echo "--dir --output --format --tag-version --help" ;;
    esac
}

# The same behind `vouchsafe rim`.
_vouchsafe_rim() {
    local output="--output --rpv --entity --trace --help"
    local vmm="--memory --cpus --kernel --initrd --cmdline --dtb --output-dtb --pmu --no-pmu --hash --rmm --host --ipa-bits --num-bps --num-wps --pmu-num-ctrs --sve-vl --lpa2 --flags $output"
    if [ "$COMP_CWORD" -le 2 ]; then
        echo "kvmtool qemu cloud-hypervisor image rem --help"
        return
    fi
    case $1 in
    kvmtool) echo "$vmm --firmware --firmware-address --event-log --no-its --cmdline-as-is --virtio-mmio" ;;
    qemu) echo "$vmm --firmware --event-log --no-its" ;;
    cloud-hypervisor) echo "$vmm --no-serial" ;;
    image) echo "$output" ;;
    rem) echo "--index --hash --start --output --trace --help" ;;
    esac
}

# The same for `vouchsafe corim`.
_vouchsafe_corim() {
    if [ "$COMP_CWORD" -le 2 ]; then
        echo "create sign verify show submit --help"
        return
    fi
    case $1 in
    create) echo "--template --comid --output --help" ;;
    sign) echo "--key --chain --kid --meta --name --uri --not-before --not-after --output --help" ;;
    verify) echo "--trust --crl --at --json --help" ;;
    show) echo "--json --help" ;;
    submit) echo "--veraison --url --cert-file --admin-token-file --auth-private-key --help" ;;
    esac
}

_vouchsafe() {
    local cur=${COMP_WORDS[COMP_CWORD]} sub=${COMP_WORDS[1]-} words=""
    local client="--url --cert-file --admin-token-file --auth-private-key"
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="serve config doctor decode verify explain replay dry-run audit rego corim rim realm --help --version"
    else
        case $sub in
        serve) words="--config-file --data-dir --listen --operations --audit-log --admin-key --cca-config --sample-tee --log-level --log-json --no-sandbox --help" ;;
        config) words="--config-file --of --changed --json --help" ;;
        doctor) words="--config-file --data-dir --cca-config --json --help" ;;
        decode) words="--json --full --html --cca-config --ta-store --rv-store --corim --trust --challenge --help" ;;
        verify) words="--key --ca --json --help" ;;
        explain) words="$client --export --json --help" ;;
        replay) words="--key --payload --help" ;;
        dry-run) words="$client --policy --id --last --json --help" ;;
        audit) words="verify key $client --key --json --help" ;;
        rego) words=$(_vouchsafe_rego "${COMP_WORDS[2]-}") ;;
        rim) words=$(_vouchsafe_rim "${COMP_WORDS[2]-}") ;;
        corim) words=$(_vouchsafe_corim "${COMP_WORDS[2]-}") ;;
        realm) words=$(_vouchsafe_realm "${COMP_WORDS[2]-}") ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    [ "${#COMPREPLY[@]}" -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

# The programs without subcommands, and rvps-tool.
_vouchsafe_servers() {
    local cur=${COMP_WORDS[COMP_CWORD]} words=""
    local tls="--https-pubkey-cert --https-prikey --client-ca" log="--log-level --log-json --help --version"
    case ${1##*/} in
    kbs) words="--config-file --no-sandbox $log" ;;
    grpc-as) words="--config-file --socket $tls --data-dir --cca-config --sample-tee --no-sandbox $log" ;;
    restful-as) words="--config-file --socket --allowed_origin $tls --data-dir --cca-config --sample-tee --no-sandbox $log" ;;
    rvps) words="--config --address $tls --data-dir --no-sandbox $log" ;;
    rvps-tool)
        case ${COMP_WORDS[1]-} in
        register) words="--path --corim --addr --ca-cert --client-cert --client-key --help" ;;
        query) words="--reference-value-id --addr --ca-cert --client-cert --client-key --help" ;;
        esac
        [ "$COMP_CWORD" -gt 1 ] || words="register query --help --version"
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    [ "${#COMPREPLY[@]}" -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

_kbs_client() {
    local cur=${COMP_WORDS[COMP_CWORD]} words="attest get-resource config --url --cert-file --unix-socket --client-cert --client-key --proxy --timeout --oldest-protocol --allow-sample --help --version" w
    for w in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $w in
        attest) words="--tee-key-file --allow-sample" ;;
        get-resource) words="--path --tee-key-file --attestation-token --allow-sample" ;;
        config) words="--admin-token-file --auth-private-key set-attestation-policy set-resource-policy set-resource delete-resource get-reference-value set-sample-reference-value policy reference-values collect list-resources" ;;
        set-attestation-policy) words="--policy-file --default --type --id" ;;
        set-resource-policy) words="--policy-file --default --affirming --allow-all --deny-all" ;;
        set-resource) words="--path --resource-file" ;;
        delete-resource) words="--path" ;;
        get-reference-value) words="--id" ;;
        policy) words="list get history set activate rollback delete --version --note --if-match --create" ;;
        reference-values) words="list delete --prefix" ;;
        collect) words="--approve --proposal" ;;
        set-sample-reference-value) words="--as-integer --as-bool --as-single-value" ;;
        esac
    done
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    [ "${#COMPREPLY[@]}" -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

_vouchsafe_guest() {
    local cur=${COMP_WORDS[COMP_CWORD]} name=${COMP_WORDS[0]##*/} words=""
    [ "$name" != vouchsafe-guest ] || name=${COMP_WORDS[1]-}
    case $name in
    attestation-agent | aa | grpc-aa) words="--attestation_sock --config-file --initdata-digest --initdata-toml --log-level --help --version" ;;
    confidential-data-hub | cdh | grpc-cdh | keyprovider) words="--config --log-level --help --version" ;;
    secure-mount) words="--socket --storage-path --help" ;;
    luks2-header) words="--help" ;;
    all) words="--aa-config --cdh-config --bind --unix-socket --features --log-level --help" ;;
    api-server-rest | asr) words="--bind --unix-socket --features --cdh_addr --aa_addr --log-level --help --version" ;;
    esac
    [ "${COMP_WORDS[0]##*/}" != vouchsafe-guest ] || [ "$COMP_CWORD" -gt 1 ] || words="aa cdh asr all grpc-aa grpc-cdh keyprovider secure-mount luks2-header --help --version"
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    [ "${#COMPREPLY[@]}" -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

complete -F _vouchsafe_guest vouchsafe-guest attestation-agent confidential-data-hub api-server-rest grpc-aa grpc-cdh
complete -F _vouchsafe vouchsafe
complete -F _vouchsafe_servers kbs grpc-as restful-as rvps rvps-tool
complete -F _kbs_client kbs-client
