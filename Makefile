# Two commands are all a newcomer needs: `make demo` and `make check`. Each
# installs what it lacks (see scripts/setup-debian.sh) and builds by itself.
# Everything else is Meson's work: this file only remembers command lines.

BUILD ?= build
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)

.PHONY: help demo check build bench fuzz tsan lint format install clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

demo: ## the whole story on this machine, with a simulated processor
	@scripts/setup-debian.sh demo
	@$(MAKE) -s build
	@scripts/demo.sh $(BUILD)

check: ## every test and check; the last line counts them
	@scripts/setup-debian.sh test lint
	@scripts/check.sh

build: ## the programs, in build/
	@scripts/setup-debian.sh build
	@[ -f $(BUILD)/build.ninja ] || meson setup $(BUILD) >$(BUILD).log 2>&1 || \
	    { cat $(BUILD).log; exit 1; }
	@rm -f $(BUILD).log
	@ninja -C $(BUILD) -j $(JOBS) --quiet

bench: ## measure speed and memory, print a table
	@scripts/setup-debian.sh demo
	@$(MAKE) -s build
	@scripts/bench.sh $(BUILD)

fuzz: ## each fuzz target for SECONDS=20 (with clang and libFuzzer)
	@scripts/setup-debian.sh fuzz
	@scripts/fuzz.sh $(SECONDS)

tsan: ## data races of the daemon under load (thread sanitizer, two minutes)
	@scripts/setup-debian.sh test
	@scripts/tsan.sh

lint: ## clang-tidy over the files that changed since it last ran
	@scripts/setup-debian.sh lint
	@scripts/lint.sh

format: ## clang-format over all C files
	@scripts/setup-debian.sh lint
	@git ls-files '*.[ch]' | xargs clang-format -i

install: build ## programs, man pages and headers to PREFIX=/usr/local
	@meson configure $(BUILD) --prefix $(PREFIX)
	@meson install -C $(BUILD) --quiet

clean: ## remove what the build wrote
	@rm -rf build build-*
