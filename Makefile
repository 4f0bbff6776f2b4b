# The front door. Every target does the set-up it needs.
SHELL := /bin/bash
BUILD := build/release
PRESET := release
JOBS ?= $(shell nproc)
CASES ?= all

.DEFAULT_GOAL := help
.PHONY: help setup build run test test-unit test-streams test-system bench format tidy tidy-full fuzz sim queries crash asan tsan clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## install what building and testing need
	@tools/setup

build: setup ## build everything (release)
	@cmake --preset $(PRESET) $(if $(wildcard $(BUILD)/CMakeCache.txt),>/dev/null)
	@cmake --build --preset $(PRESET) -j $(JOBS)

run: build ## start Tidegate and watch real meters run through a pipeline
	@examples/grid/run $(BUILD)/bin/tidegate

test: build tidy ## build and run all tests
	@tests/run_all $(BUILD)

test-unit: build ## unit tests only
	@ctest --test-dir $(BUILD) --output-on-failure -R '^unit\.'

test-streams: build ## golden stream files under every setting
	@ctest --test-dir $(BUILD) --output-on-failure -R '^streams\.'

test-system: build ## the real binary: kill -9, real MQTT clients, bad input
	@build/venv/bin/python -m pytest -q tests/system

bench: build ## benchmarks; CASES="json_window mqtt_qos0" runs some
	@bench/run $(BUILD) $(CASES)

sim: build ## simulation from seeds, endless; SEEDS=5000 FIRST=1, or SEED=123 for one with its story
	@$(BUILD)/tests/sim/simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),0) --first $(or $(FIRST),1))

queries: build ## random queries against a reference, endless; FIRST=1, or SEED=123 for one seed with its queries
	@$(BUILD)/tests/queries/random_queries $(if $(SEED),--seed $(SEED),--endless --first $(or $(FIRST),$(shell date +%s)))

crash: build ## the long form of the kill -9 test; ROUNDS=500
	@TIDEGATE_KILL_ROUNDS=$(or $(ROUNDS),500) build/venv/bin/python -m pytest -q tests/system/test_kill.py

fuzz: setup ## every fuzz target; SECONDS_EACH=60
	@tests/run_fuzz $(or $(SECONDS_EACH),60)

asan: setup ## unit and stream tests under AddressSanitizer and UBSan
	@cmake --preset asan >/dev/null && cmake --build --preset asan -j $(JOBS) && ctest --test-dir build/asan --output-on-failure

tsan: setup ## unit and stream tests under ThreadSanitizer
	@cmake --preset tsan >/dev/null && cmake --build --preset tsan -j $(JOBS) && ctest --test-dir build/tsan --output-on-failure

format: setup ## format all C++ and Python files
	@git ls-files '*.cpp' '*.h' | xargs clang-format-19 -i
	@build/venv/bin/black --quiet --line-length=120 tests examples tools/tidy

tidy: setup ## module graph and house rules
	@tools/tidy

tidy-full: build ## clang-tidy over all files; takes long
	@tools/clang_tidy $(BUILD)

clean: ## remove what was built (not the Python tools)
	@rm -rf build/release build/asan build/tsan build/fuzz build/debug
