#!/usr/bin/env bash
# Runs every fuzz target (fuzz/*_fuzz.cpp, built as BUILD_DIR/*_fuzz) for RUNS inputs each, one target per core.
#
#   scripts/fuzz.sh BUILD_DIR [RUNS]
#
# Each target starts from fuzz/corpus/<target>/ where there is one, and keeps what it learns in BUILD_DIR/corpus/<target>,
# so that a second run goes on where the first stopped. Inputs that fail are left in BUILD_DIR/findings/.
# FUZZ_MEMORY_MB=2048 limits the memory of a target, FUZZ_SEED repeats a run (the seed is printed).
set -euo pipefail
cd "$(dirname "$0")/.."

readonly build="${1:?usage: scripts/fuzz.sh BUILD_DIR [RUNS]}"
readonly runs="${2:-1000000}"
readonly memory_mb="${FUZZ_MEMORY_MB:-2048}"
readonly seed="${FUZZ_SEED:-$(date +%s)}"
readonly jobs="${JOBS:-$(nproc 2>/dev/null || sysctl -n hw.logicalcpu 2>/dev/null || echo 2)}"
export UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"

shopt -s nullglob
targets=("$build"/*_fuzz)
if [ ${#targets[@]} -eq 0 ]; then
    echo "fuzz: no targets in $build; cmake --preset fuzz && cmake --build --preset fuzz" >&2
    exit 2
fi

run_target() { # program
    local name corpus log
    name=$(basename "$1")
    corpus="$build/corpus/$name"
    log="$build/$name.log"
    mkdir -p "$corpus" "$build/findings"
    local folders=("$corpus")
    if [ -d "fuzz/corpus/$name" ]; then folders+=("fuzz/corpus/$name"); fi
    if ! "$1" -runs="$runs" -seed="$seed" -rss_limit_mb="$memory_mb" -timeout=60 -print_final_stats=1 \
        -artifact_prefix="$build/findings/$name-" "${folders[@]}" >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        echo "fuzz: $name has a finding; its input is in $build/findings/" >&2
        return 1
    fi
    echo "fuzz: $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs without a finding (seed $seed)"
}
export -f run_target
export build runs memory_mb seed
printf '%s\0' "${targets[@]}" | xargs -0 -n 1 -P "$jobs" bash -c 'set -euo pipefail; run_target "$0"'
