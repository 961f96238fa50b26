#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# dracut: puts vouchsafe-guest, its configuration, the certificates that it trusts and the modules that it may need into the
# initramfs. /etc/vouchsafe/initramfs.conf may set program= and ca= (docs/guest.md).

settings() {
    local dir
    program=
    for dir in /usr/bin /usr/local/bin; do
        [ ! -x "$dir/vouchsafe-guest" ] || program=$dir/vouchsafe-guest
    done
    ca=/etc/ssl/certs/ca-certificates.crt
    [ -e "$ca" ] || ca=/etc/pki/tls/certs/ca-bundle.crt
    # shellcheck source=/dev/null
    [ ! -e /etc/vouchsafe/initramfs.conf ] || . /etc/vouchsafe/initramfs.conf
    start=${program%/*}/vouchsafe-guest-start
}

check() {
    local program ca start
    settings
    [ -x "$program" ] && [ -x "$start" ] || return 1
    return 255 # only when asked for
}

depends() {
    echo network
}

# Of which a kernel has some, as modules or built in: the report device (tsm, tsm_report in newer kernels) of each TEE,
# a TPM, and what encrypted disks need.
installkernel() {
    local module
    for module in configfs tsm tsm_report arm-cca-guest tdx-guest sev-guest tpm_tis tpm_crb \
        dm-mod dm-crypt xts ecb aesni-intel aes-ce-blk; do
        hostonly='' instmods "$module" || true
    done
}

install() {
    local program ca start
    settings
    inst "$program" /usr/bin/vouchsafe-guest
    inst "$start" /usr/bin/vouchsafe-guest-start
    inst_multiple -o /etc/vouchsafe/aa.toml /etc/vouchsafe/cdh.toml
    if [ -e "$ca" ]; then
        inst_simple "$(readlink -f "$ca")" /etc/vouchsafe/ca.crt # vouchsafe-guest-start names it
    else
        dwarn "vouchsafe-guest: no $ca: only certificates of the configuration files are trusted"
    fi
}
