#!/usr/bin/env bash
# Runs the micro benchmarks, programs BUILD_DIR/*_bench, where there are any, then proves the workloads of `whorl bench`.
#
#   scripts/bench.sh BUILD_DIR [options of `whorl bench`]
#
# Leaves BUILD_DIR/bench/<program>.json and, a JSON line a run, BUILD_DIR/bench/proofs.jsonl.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly build="${1:?usage: scripts/bench.sh BUILD_DIR [options]}"
shift
mkdir -p "$build/bench"
shopt -s nullglob
for program in "$build"/*_bench; do
    name=$(basename "$program")
    echo "== $name"
    "$program" --benchmark_out="$build/bench/$name.json" --benchmark_out_format=json
done
echo "== whorl bench $*"
"$build/whorl" bench "$@" | tee "$build/bench/proofs.jsonl"
