#!/usr/bin/env bash
# Runs every benchmark program BUILD_DIR/*_bench and leaves its numbers in BUILD_DIR/bench/<program>.json.
#
#   scripts/bench.sh BUILD_DIR [Google Benchmark options, e.g. --benchmark_filter=ntt]
set -euo pipefail
cd "$(dirname "$0")/.."

readonly build="${1:?usage: scripts/bench.sh BUILD_DIR [options]}"
shift
shopt -s nullglob
programs=("$build"/*_bench)
if [ ${#programs[@]} -eq 0 ]; then
    echo "bench: no benchmark programs in $build" >&2
    exit 2
fi
mkdir -p "$build/bench"
for program in "${programs[@]}"; do
    name=$(basename "$program")
    echo "== $name"
    "$program" --benchmark_out="$build/bench/$name.json" --benchmark_out_format=json "$@"
done
