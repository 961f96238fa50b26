#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unpacks Debian packages of another architecture into a directory: nothing is installed, no system
# file is changed. foreign-packages.sh DEBIAN-ARCHITECTURE DIRECTORY PACKAGE...
# @PACKAGE stands for what that package depends on first: the kernel that is current.
# Does nothing when the directory has them all.
set -eu
debian=$1
root=$2
shift 2

wanted=$*
[ "$(cat "$root/.complete" 2>/dev/null)" != "$wanted" ] || exit 0
rm -rf "$root"
mkdir -p "$root/apt/lists/partial" "$root/apt/cache/archives/partial" "$root/deb"
: >"$root/apt/status"
cat >"$root/apt/conf" <<CONF
Dir::State "$root/apt";
Dir::State::status "$root/apt/status";
Dir::Cache "$root/apt/cache";
APT::Architecture "$debian";
APT::Architectures {"$debian";};
APT::Sandbox::User "root";
CONF
apt-get -c "$root/apt/conf" -qq update
for package in "$@"; do
    case $package in
    @*) package=$(apt-cache -c "$root/apt/conf" depends "${package#@}" | sed -n 's/.*Depends: //p' | head -1) ;;
    esac
    (cd "$root/deb" && apt-get -c "$root/apt/conf" -qq download "$package")
done
for deb in "$root"/deb/*.deb; do dpkg-deb -x "$deb" "$root"; done
rm -rf "$root/apt" "$root/deb"
printf '%s' "$wanted" >"$root/.complete"
