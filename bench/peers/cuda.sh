#!/bin/sh
# Runs openvm-cuda-backend's own prover and whorl by turns on a machine with an NVIDIA GPU, on the same workloads.
# usage: cuda.sh [--runs N] [--proofs N] [--threads N] [--whorl PROGRAM] [--peer PROGRAM] [--proof N] [--scale K] [keccakf|logup|segment|all]
# Builds what is not given: the peer takes cargo and nvcc.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
whorl="$root/build/release/whorl"
peer="$root/build/rust/native/release/cuda-peer"
for argument; do
    case $argument in
    --whorl) whorl= ;;
    --peer) peer= ;;
    esac
done

if [ -n "$peer" ]; then
    for tool in cargo nvcc; do
        command -v $tool >/dev/null 2>&1 || { echo "bench/peers: no --peer, and no $tool to build it with" >&2; exit 3; }
    done
    RUSTFLAGS="-C target-cpu=native" cargo build --quiet --release --jobs 2 --manifest-path "$here/peer/Cargo.toml" \
        --target-dir "$root/build/rust/native" --no-default-features --features cuda --bin cuda-peer
    set -- --peer "$peer" "$@"
fi
if [ -n "$whorl" ]; then
    [ -f "$root/build/release/CMakeCache.txt" ] || (cd "$root" && cmake --preset release >/dev/null)
    cmake --build "$root/build/release" --target whorl_program >/dev/null
    set -- --whorl "$whorl" "$@"
fi
exec python3 "$here/compare.py" --device cuda --out "$root/build/bench" "$@"
