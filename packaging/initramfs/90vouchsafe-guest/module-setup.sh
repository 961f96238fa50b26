#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# dracut: puts vouchsafe-guest and its configuration into the initramfs.

check() {
    require_binaries vouchsafe-guest || return 1
    return 255 # only when asked for
}

depends() {
    echo network
}

installkernel() {
    hostonly='' instmods arm-cca-guest tsm
}

install() {
    inst_multiple vouchsafe-guest
    inst_multiple -o /etc/vouchsafe/aa.toml /etc/vouchsafe/cdh.toml
}
