# A thin front for the CMake presets (CMakePresets.json). Every target first installs the Debian packages it lacks;
# WHORL_NO_INSTALL=1 makes it name them instead.
#
#   PRESET=release     which preset build and test use: release, debug, asan, tsan, coverage, clang, cuda-release
#   WHORL_CUDA=OFF     build without CUDA, and fetch no compiler for it; ON: fail where there is none
#   WHORL_METAL=OFF    build without Metal, and fetch nothing that tests it; ON: fail where it cannot be built
#   WHORL_WASM=OFF     fetch nothing that builds the verifier as WebAssembly; its tests are skipped
#   JOBS=<cores>       how many compilers and tests run at once
#   FUZZ_RUNS=1000000  inputs tried by each fuzz target
#   DEVICE=cpu         what bench proves on: cpu, sim, cuda, cuda:1, metal, … (metal: beside the original's times)

PRESET ?= release
JOBS ?= $(shell nproc 2>/dev/null || sysctl -n hw.logicalcpu 2>/dev/null || echo 2)
FUZZ_RUNS ?= 1000000
# What scripts/bootstrap.sh looks after: what building takes, and for tests the rest of tier metal.
TIERS := build $(if $(filter Darwin,$(shell uname -s)),metal,cuda)

WHORL := build/release/whorl
DEMO_TASK := tests/vectors/keccakf_1024
DEMO_PROOF := build/keccakf.proof
DEVICE ?= cpu
# The first proof compiles kernels; its time is nobody's.
BESIDE_ORIGINAL := --warmups 2 --beside bench/results/original-m2-max.jsonl
CAPTURE := build/keccakf.gputrace

export CMAKE_BUILD_PARALLEL_LEVEL := $(JOBS)
export CTEST_PARALLEL_LEVEL := $(JOBS)

.DEFAULT_GOAL := help
.PHONY: help demo build wasm test long nightly quick bench capture peers python openvm-suite openvm-e2e fuzz format lint docs clean bootstrap configure

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do \
		printf '  %-18s %s\n' "$$name" "$$what"; done

demo: PRESET := release
demo: build ## prove 1,024 keccak-f permutations and verify the proof
	$(WHORL) keccakf --timings --inputs $(DEMO_TASK)/inputs.u64le --out $(DEMO_PROOF)
	$(WHORL) verify --vk $(DEMO_TASK)/vk.postcard --proof $(DEMO_PROOF)
	@cmp $(DEMO_PROOF) $(DEMO_TASK)/proof.bin && echo "$(DEMO_PROOF) is, byte for byte, the reference prover's proof."

build: configure ## build the program: build/release/whorl
	cmake --build --preset $(PRESET) --target whorl_program

wasm: TIERS := build wasm
wasm: PRESET := wasm
wasm: configure ## build the verifier as WebAssembly, with an ES module for it: build/wasm
	cmake --build --preset wasm

test: TIERS := build cuda metal wasm python
test: configure ## build everything and run all tests
	cmake --build --preset $(PRESET)
	ctest --preset $(PRESET)

long: TIERS := build cuda metal
long: configure ## the tests that take minutes: keccakf on the simulated GPU
	cmake --build --preset $(PRESET)
	WHORL_LONG_TESTS=1 ctest --preset $(PRESET) -R Long

nightly: ## hours: every preset with the whole suite, the long tests, valgrind and fuzzing; ends with a table
	scripts/bootstrap.sh build cuda metal wasm lint fuzz
	scripts/nightly.sh

quick: ## what CI runs of nightly: small tests without optimisation, and under AddressSanitizer and UndefinedBehaviorSanitizer
	scripts/bootstrap.sh build
	WHORL_CUDA=OFF WHORL_METAL=OFF scripts/nightly.sh --quick

bench: PRESET := release
bench: configure ## build and run the benchmarks, on DEVICE
	cmake --build --preset $(PRESET)
	scripts/bench.sh build/$(PRESET) --device $(DEVICE) $(if $(filter metal%,$(DEVICE)),$(BESIDE_ORIGINAL))

ifeq ($(shell uname -s),Darwin)
capture: PRESET := release
capture: build ## on a Mac: record a small proof's work on the GPU for Xcode, build/keccakf.gputrace
	rm -rf $(CAPTURE)
	MTL_CAPTURE_ENABLED=1 WHORL_METAL_CAPTURE=$(CAPTURE) $(WHORL) keccakf --permutations 8 --device metal
	@echo "$(CAPTURE) is for Xcode: open $(CAPTURE)"
else
capture:
	@echo "make capture needs a Mac: it records what an Apple GPU does, for Xcode" >&2; exit 1
endif

peers: build ## compare with the reference's own CPU prover (needs cargo)
	bench/peers/run.sh

python: ## build the Python package as pip does, and run its tests
	scripts/bootstrap.sh build python
	for part in install package cluster; do WHORL_PYTHON_REQUIRED=1 python/run.sh $$part || exit; done

openvm-suite: PRESET := release
openvm-suite: configure ## the engine for OpenVM: all of its tests, and the published suite on cpu and sim (needs cargo)
	cmake --build --preset $(PRESET) --target libwhorl.a libwhorl_verifier.a whorl_program
	WHORL_OPENVM_REQUIRED=1 rust/openvm-whorl-backend/run.sh build/$(PRESET) whole

openvm-e2e: PRESET := release
openvm-e2e: TIERS := build riscv
openvm-e2e: configure ## a C program on OpenVM's VM: run, proved in segments, aggregated to one proof, verified (needs cargo)
	cmake --build --preset $(PRESET) --target libwhorl.a libwhorl_verifier.a whorl_program
	WHORL_OPENVM_REQUIRED=1 rust/openvm-whorl-backend/run.sh build/$(PRESET) programs

fuzz: ## feed FUZZ_RUNS hostile inputs to decoders and verifier, and a part of that to the task reader and the prover
	scripts/bootstrap.sh build fuzz
	fuzz/run.sh $(FUZZ_RUNS)

format: ## rewrite the C++ files in the project's format
	scripts/bootstrap.sh lint
	scripts/lint.sh --fix-format

lint: TIERS := build cuda metal lint
lint: configure ## clang-format check, clang-tidy, and a syntax pass with LLVM's standard library
	cmake --build --preset $(PRESET) --target generated_sources
	scripts/lint.sh --format --tidy build/$(PRESET) --libcxx build/$(PRESET)

docs: ## the API site, build/docs/html; fails on a warning of Doxygen's
	scripts/bootstrap.sh docs
	mkdir -p build
	doxygen Doxyfile
	@echo "the API site: build/docs/html/index.html"

clean: ## remove all build output
	rm -rf build

bootstrap:
	scripts/bootstrap.sh $(TIERS)

configure: bootstrap
	cmake --preset $(PRESET) $(if $(WHORL_CUDA),-DWHORL_CUDA=$(WHORL_CUDA)) $(if $(WHORL_METAL),-DWHORL_METAL=$(WHORL_METAL))
