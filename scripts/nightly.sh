#!/usr/bin/env bash
# Builds presets, runs the suite in each, and ends with a table. Goes on after a failure; its log is build/nightly/STEP.log.
#
#   scripts/nightly.sh [STEP...]           all steps by default
#   scripts/nightly.sh --quick [STEP...]   what CI runs of them (default: debug asan): the tests of small pieces, and of small proofs
#
# Steps: the presets release, debug, asan, tsan, coverage and clang, each with the whole suite but for what release alone has;
#        long      the tests that take minutes, in preset release
#        valgrind  uninitialised memory, in preset release
#        fuzz      FUZZ_RUNS inputs (default 1000000) for each target
#
# WHORL_CUDA and WHORL_METAL (AUTO, ON, OFF) go to CMake; JOBS limits how many compilers and tests run at once.
# Exit codes: 0 all passed, 1 a step failed, 2 usage.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

readonly all_steps=(release debug asan tsan coverage clang long valgrind fuzz)
readonly logs=build/nightly
readonly jobs="${JOBS:-$(nproc 2>/dev/null || sysctl -n hw.logicalcpu 2>/dev/null || echo 2)}"
export CMAKE_BUILD_PARALLEL_LEVEL="$jobs" CTEST_PARALLEL_LEVEL="$jobs"

is_quick=""
steps=()
for argument in "$@"; do
    case "$argument" in
    --quick) is_quick=1 ;;
    release | debug | asan | tsan | coverage | clang | long | valgrind | fuzz) steps+=("$argument") ;;
    *)
        echo "nightly: unknown step '$argument' (${all_steps[*]})" >&2
        exit 2
        ;;
    esac
done
if [ ${#steps[@]} -eq 0 ]; then
    if [ -n "$is_quick" ]; then steps=(debug asan); else steps=("${all_steps[@]}"); fi
fi

build() { # preset, targets…
    local preset="$1" cuda=OFF
    shift
    # Only release runs on a GPU; asan checks the host code too.
    case "$preset" in release | asan) cuda=AUTO ;; esac
    cmake --preset "$preset" -DWHORL_CUDA="${WHORL_CUDA:-$cuda}" -DWHORL_METAL="${WHORL_METAL:-AUTO}" &&
        cmake --build --preset "$preset" ${1:+--target "$@"}
}

# The builds for macOS and WebAssembly are the same in every preset, and the seeded errors are run once: release has them.
readonly once='^(metal/(macos_build|seeded_)|wasm/)'
# The same code as on the other vectors, on traces so tall that instrumented code takes an hour for them.
readonly tall='^(prove|gpu)/.*(mixture_app_100_bits|[kK]eccakf_?1024)'
# Under ThreadSanitizer the simulated device's fibers take gigabytes and many minutes a test. Its threads are watched by its own
# race check (gpu/…RacesInProof), so here it runs where it works beside others (prove/), on small tasks.
readonly simulated='^(gpu|metal)/|^cli/(Bench|Doctor|OddFile\.WithoutEnd)|ShortTraces|keccak_5_perms'

# What counts coverage takes memory of its own and many times the time: limits and examples that were measured without it say nothing.
readonly measured='^cli/Machine\.(MemoryThatRunsOut|WithoutAddressSpace)|^docs/pages'

run_step() { # step; its time for building goes to $logs/$1.built
    local step="$1" targets=() filter=() preset="$1"
    case "$step" in
    long | valgrind) preset=release ;;
    fuzz)
        scripts/bootstrap.sh build fuzz && fuzz/run.sh "${FUZZ_RUNS:-1000000}"
        return
        ;;
    clang) filter=(-E "$once") ;;
    debug | asan | tsan | coverage)
        filter=(-E "$once|$tall")
        # An example of the pages proves with proof of work, for which it has five minutes.
        if [ "$step" = tsan ]; then filter=(-E "$once|$tall|$simulated|^docs/pages"); fi
        if [ "$step" = coverage ]; then filter=(-E "$once|$tall|$measured"); fi
        export WHORL_DRAWN_CASES="${WHORL_DRAWN_CASES:-11}" # one for each l_skip
        ;;
    esac
    if [ -n "$is_quick" ]; then
        case "$step" in
        debug)
            targets=(unit_tests air_tests)
            filter=(-R '^(unit|air|build)/')
            ;;
        *)
            targets=(unit_tests air_tests reject_tests prove_tests)
            filter=(-R '^(unit|air|reject)/|^prove/.*(fib|interactions|cached|preprocessed)')
            ;;
        esac
    fi
    build "$preset" ${targets[@]+"${targets[@]}"} || return
    date +%s >"$logs/$step.built"
    case "$step" in
    long) WHORL_LONG_TESTS=1 ctest --preset release -R Long ;;
    valgrind) scripts/valgrind.sh build/release ;;
    *) ctest --preset "$preset" ${filter[@]+"${filter[@]}"} ;;
    esac
}

mkdir -p "$logs"
rows=()
failed=0
for step in "${steps[@]}"; do
    rm -f "$logs/$step.built"
    started=$(date +%s)
    printf '\n== nightly: %s\n' "$step"
    run_step "$step" 2>&1 | tee "$logs/$step.log"
    status=${PIPESTATUS[0]}
    ended=$(date +%s)
    built=$(cat "$logs/$step.built" 2>/dev/null || echo "$ended")
    verdict=$(grep -E '^[0-9]+% tests passed' "$logs/$step.log" | tail -n 1)
    if [ "$status" -ne 0 ]; then
        outcome=FAILED failed=1
    elif [ "$step" = valgrind ] && grep -q 'skipped:' "$logs/$step.log"; then
        outcome=skipped
    else
        outcome=passed
    fi
    rows+=("$(printf '%-9s %-7s %8s %8s  %s' "$step" "$outcome" "$((built - started))" "$((ended - built))" "$verdict")")
done

printf '\n%-9s %-7s %8s %8s  %s\n' step outcome 'build/s' 'tests/s' 'ctest (logs: '"$logs"')'
printf '%s\n' "${rows[@]}"
exit $failed
