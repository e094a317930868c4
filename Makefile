# SPDX-License-Identifier: GPL-2.0-or-later
# The front door: meson and ninja build, tests/run tests, bench/run measures; this file only knows in which order.
# Run by root in somebody's tree, everything that is built belongs to the owner of the tree.

MAKEFLAGS += --no-print-directory
export PYTHONDONTWRITEBYTECODE = 1

OWNER := $(shell stat -c %U .)
ifeq ($(shell id -u),0)
ifneq ($(OWNER),root)
export AS_OWNER = runuser -u $(OWNER) --
endif
endif

RELEASE := --buildtype=debugoptimized
CHECK   := --buildtype=debugoptimized -Db_sanitize=address,undefined
CLANG   := --buildtype=debugoptimized
FUZZ    := --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false -Dfuzzing=true
# Other machines that the tests are built for: 32 bits, and the other order of bytes.
OTHERS  := $(if $(filter x86_64,$(shell uname -m)),i386 s390x)
export FUZZ_SECONDS ?= 60

.PHONY: help deps build demo check bench bench-quick fuzz mutations format install uninstall deb clean
help:
	@echo 'sudo make demo         see it work: server, client and traffic in two namespaces'
	@echo 'sudo make check        all tests; `tests/run --help` runs some of them'
	@echo 'make build             the programs, in build/release/src'
	@echo 'sudo make install      install them (PREFIX=/usr/local by default, DESTDIR is honoured); uninstall'
	@echo 'sudo make bench        measure (10 minutes); bench-quick: 90 seconds'
	@echo 'make fuzz              fuzz every parser for FUZZ_SECONDS=$(FUZZ_SECONDS) each'
	@echo 'sudo make mutations    break the source line by line; each break must turn a test red'
	@echo 'make format            apply clang-format; deps: install the Debian packages of dist/packages.txt'
	@echo 'make deb               build the Debian packages in build/deb; clean: remove build/'

deps:
	@dist/deps build test bench

build: build/release/build.ninja
	@$(if $(PREFIX),$(AS_OWNER) meson configure build/release -Dprefix=$(PREFIX))
	@dist/ninja release

build/%/build.ninja:
	@dist/deps build
	@$(AS_OWNER) env CC=$(or $(CC_$*),gcc) meson setup build/$* $(OPTIONS_$*) >/dev/null
OPTIONS_release := $(RELEASE)
OPTIONS_check   := $(CHECK)
OPTIONS_clang   := $(CLANG)
OPTIONS_fuzz    := $(FUZZ)
$(foreach a,$(OTHERS),$(eval OPTIONS_$a := $(RELEASE) --cross-file build/sysroot-$a/cross.ini))
CC_clang := clang
CC_fuzz  := clang

demo: build
	@dist/deps demo
	@tests/demo

check:
	@dist/deps build test
	@$(MAKE) build/release/build.ninja build/check/build.ninja build/clang/build.ninja
	@$(AS_OWNER) dist/sysroot $(OTHERS)
	@for a in $(OTHERS); do [ ! -e build/sysroot-$$a/cross.ini ] || $(MAKE) build/$$a/build.ninja || exit 1; done
	@tests/run

bench bench-quick: build
	@dist/deps bench
	@bench/run $(if $(filter bench-quick,$@),--quick)

fuzz:
	@dist/deps build test
	@$(MAKE) build/fuzz/build.ninja
	@dist/ninja fuzz
	@tests/fuzz/run

mutations:
	@dist/deps build test
	@tests/mutations/run

format:
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

install: build
	@meson install -C build/release --no-rebuild --quiet
	@chown $(OWNER): build/release/meson-logs/install-log.txt

uninstall:
	@ninja -C build/release uninstall >/dev/null

deb:
	@dist/deps build deb
	@dist/build-deb

clean:
	@rm -rf build
