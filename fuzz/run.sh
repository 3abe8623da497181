#!/usr/bin/env bash
# fuzz/run.sh [RUNS] [TARGET…]: builds the fuzzers (preset `fuzz`) and gives each RUNS inputs (default 100000), starting
# from the small stored proofs. Exit status 0: no finding. WHORL_FUZZ_BUILD: another build folder than build/fuzz.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
runs=${1:-100000}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(fuzz_decode fuzz_verify)
build=${WHORL_FUZZ_BUILD:-$root/build/fuzz}
max_len=16384

cd "$root"
cmake --preset fuzz -B "$build" > /dev/null
cmake --build "$build" --target "${targets[@]}"

# A seed is the key's length (u32 little endian), the key and the proof: see input.hpp.
seeds=$build/seeds
mkdir -p "$seeds"
for task in tests/vectors/*/; do
    key=$task/vk.postcard
    proof=$task/proof.bin
    key_size=$(wc -c < "$key")
    [ $((4 + key_size + $(wc -c < "$proof"))) -le $max_len ] || continue
    {
        for shift in 0 8 16 24; do printf "\\x$(printf %02x $((key_size >> shift & 255)))"; done
        cat "$key" "$proof"
    } > "$seeds/$(basename "$task")"
done

for target in "${targets[@]}"; do
    corpus=$build/corpus/$target
    mkdir -p "$corpus" "$build/findings"
    echo "== $target: $runs runs"
    "$build/$target" -runs="$runs" -max_len=$max_len -rss_limit_mb=1024 -timeout=60 -len_control=0 \
        -artifact_prefix="$build/findings/$target-" -verbosity=0 -print_final_stats=1 "$corpus" "$seeds"
done
