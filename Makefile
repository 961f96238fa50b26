# SPDX-License-Identifier: Apache-2.0
# The face of the project. The build itself is meson's (meson.build); this file knows the few
# commands a person types. `make help` lists them.

B     := build/test
R     := build/release
FUZZ  := build/fuzz
JOBS  := $(shell nproc)
FUZZ_SECONDS ?= 60

.PHONY: help demo test guest guest-vm peers survival p384 bench conformance rego-oracle corim-oracle rim-oracle fuzz check format install clean deps release

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: deps $(R)/build.ninja ## build, then attest a realm, be denied, endorse it, receive the secret
	@ninja -C $(R) -j $(JOBS) $(NINJA_QUIET) programs
	@scripts/demo.sh $(R)

test: deps $(B)/build.ninja ## build with sanitizers and run all tests
	@ninja -C $(B) -j $(JOBS) $(NINJA_QUIET)
	@scripts/run-tests.py $(B)

survival: deps $(B)/build.ninja ## kill the writer of each store 1,000 times; nothing acknowledged may be lost
	@ninja -C $(B) -j $(JOBS) $(NINJA_QUIET) tests/survival/survival
	@for kind in sqlite localfs localjson; do $(B)/tests/survival/survival $$kind 1000 || exit 1; done

p384: deps release ## P-384: OpenSSL, nettle and Wycheproof's vectors against each other; a million signatures (stopped, it goes on where it was)
	@tests/differential/wycheproof.sh $(R)
	@$(R)/tests/differential/p384_differential 1000000 - $(R)/p384.state || [ $$? = 77 ]

bench: deps release ## release build; print all figures
	@scripts/bench.sh $(R)

conformance: deps release ## Rego: passed/total per topic of the public suites
	@$(R)/tests/unit/rego/rego-conformance $(wildcard ../shared/data/rego/opa/v1 ../shared/data/rego/opa/v0 ../shared/data/rego/regorus)

rego-oracle: deps release ## Rego: thousands of programs through OPA (fetched, needs Go) and librego
	@tests/oracle/run.sh $(R)

corim-oracle: deps release ## CoRIM: Veraison's CLI and libraries (fetched, needs Go) and vouchsafe corim
	@tests/oracle/corim/run.sh $(R)

rim-oracle: deps release ## RIM: cca-realm-measurements (fetched, needs cargo) and vouchsafe rim
	@tests/oracle/rim/run.sh $(R)

fuzz: deps $(FUZZ)/build.ninja ## run every fuzz target for FUZZ_SECONDS each
	@ninja -C $(FUZZ) -j $(JOBS) $(NINJA_QUIET)
	@scripts/fuzz.sh $(FUZZ) $(FUZZ_SECONDS)

check: deps $(B)/build.ninja ## static checks: formatting, cppcheck, shellcheck
	@scripts/check.sh

format: ## clang-format all sources
	@git ls-files '*.c' '*.h' '*.cc' | xargs clang-format -i

release: deps $(R)/build.ninja ## optimised build in build/release
	@ninja -C $(R) -j $(JOBS) $(NINJA_QUIET)

guest: ## static vouchsafe-guest and kbs-client for aarch64 and x86_64, in build/guest-*
	@scripts/make-guest.sh aarch64
	@scripts/make-guest.sh x86_64

guest-vm: ## kernel and initramfs of an emulated arm64 guest, for its end-to-end test
	@scripts/guest-vm.sh

peers: ## fetch and build other implementations, for the tests against them (Go)
	@scripts/peers.sh

install: release ## install below DESTDIR/prefix
	@meson install -C $(R) --no-rebuild

clean: ## remove all builds
	rm -rf build

deps:
	@scripts/install-deps.sh

$(B)/build.ninja:
	@CC=gcc CXX=g++ meson setup $(B) -Dbuildtype=debugoptimized -Db_sanitize=address,undefined >/dev/null

$(R)/build.ninja:
	@CC=gcc CXX=g++ meson setup $(R) -Dbuildtype=release -Db_lto=true -Db_pie=true >/dev/null

$(FUZZ)/build.ninja:
	@CC=clang CXX=clang++ meson setup $(FUZZ) -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false >/dev/null
