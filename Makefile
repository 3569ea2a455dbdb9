# A thin front: each target is one script or one call of meson. `make help` lists them.
#
#   make demo     a fresh Debian 12 ends with the example app live on a staging and a production of its own
#   make check    everything that can be proved here, ending in `N passed, N failed`

PREFIX  ?= /usr/local
DESTDIR ?=
NINJA    = ninja $(if $(MAKE_TERMOUT),,--quiet) -C

# Two builds that live side by side: the one people use, and the one tests use, with sanitizers and fault points.
RELEASE_FLAGS = -Dbuildtype=debugoptimized
CHECK_FLAGS   = -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false -Dfaults=true

.DEFAULT_GOAL := build/lockflight
.PHONY: build/lockflight build-check/lockflight all demo check check-long check-clients check-contract package install format lint fuzz bench bench-migrations bench-flags clean help

all: build/lockflight

build/lockflight: ## build the program (the default)
	@tools/install-deps build
	@test -f build/build.ninja || meson setup build $(RELEASE_FLAGS)
	@$(NINJA) build

build-check/lockflight: # what the tests run
	@tools/install-deps build test
	@test -f build-check/build.ninja || meson setup build-check $(CHECK_FLAGS)
	@$(NINJA) build-check

demo: ## install what is missing, build, and fly the example app to staging and production
	@tools/demo

check: ## run every test; the last line is `N passed, N failed`
	@tools/install-deps build run test
	@$(MAKE) --no-print-directory build/lockflight build-check/lockflight
	@tools/check

check-long: ## what takes longer than a check may: a million rules beside flagd-core, a million hostile ones
	@tools/install-deps build run test
	@$(MAKE) --no-print-directory build/lockflight build-check/lockflight
	@LOCKFLIGHT_FLAG_EVALUATIONS=1000000 LOCKFLIGHT_SUITE_SECONDS=7200 tools/check clients/flags flag_hostile

check-clients: ## the vendors' own clients against the local platform, and the list of what they did; a part of `check`
	@tools/install-deps build run test
	@$(MAKE) --no-print-directory build/lockflight build-check/lockflight
	@tools/check clients/; status=$$?; sort -V build-check/logs/client-commands | expand -t 22,30; exit $$status

check-contract: ## make check-contract OPENAPI=<file>: hold the local platform against Supabase's own document
	@test -n "$(OPENAPI)" || { echo 'make check-contract needs OPENAPI=<file>, the OpenAPI document of api.supabase.com' >&2; exit 2; }
	@tools/install-deps build run test
	@$(MAKE) --no-print-directory build/lockflight
	@tests/clients/check-contract "$(OPENAPI)"

package: ## the npm packages and the Debian package, in build/package
	@tools/install-deps build package
	@$(MAKE) --no-print-directory build/lockflight
	@tools/package

install: build/lockflight ## install the program, man pages and completions (PREFIX, DESTDIR)
	@tools/install-files "$(DESTDIR)" "$(PREFIX)"

format: ## lay out every C file as .clang-format says
	@tools/install-deps lint
	@git ls-files '*.c' '*.h' '*.cc' | xargs clang-format-14 -i

lint: ## clang-format, clang-tidy and gcc -fanalyzer, all findings are errors
	@tools/install-deps build lint
	@tools/lint

T ?= 60
fuzz: ## make fuzz T=60: search each fuzz target for T seconds with libFuzzer
	@tools/install-deps build fuzz
	@tools/fuzz $(T)

bench: ## measure against netlify-cli, nginx and the vendors' start-up
	@tools/install-deps build run test bench
	@$(MAKE) --no-print-directory build/lockflight
	@bench/run

bench-migrations: ## measure migrations against psql, dbmate, the Supabase CLI, sqitch and squawk
	@tools/install-deps build run test bench
	@$(MAKE) --no-print-directory build/lockflight
	@bench/migrations/run

bench-flags: ## measure feature flags against flagd-core and Unleash
	@tools/install-deps build run test bench-flags
	@$(MAKE) --no-print-directory build/lockflight
	@bench/flags/run

clean: ## remove every build
	rm -rf build build-check build-lint build-fuzz

help: ## this list
	@sed -n 's/^\([a-z/-]*\):.*## /\1\t/p' Makefile | expand -t 20
