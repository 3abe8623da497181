#!/bin/sh
# Builds openvm-cpu-backend's own prover and runs it and whorl by turns on the same workloads.
# usage: run.sh [--runs N] [--threads N] [--whorl PROGRAM] [--proof N] [--scale K] [--log-stacked-height H] [keccakf|logup|segment|verify|all]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
command -v cargo >/dev/null 2>&1 || { echo "bench/peers: the peer is a Rust program, and cargo is not installed" >&2; exit 3; }

# The peer with all that this processor offers, in a folder of its own: other flags mean other objects.
export RUSTFLAGS="-C target-cpu=native"
cargo build --quiet --release --jobs 2 --manifest-path "$here/peer/Cargo.toml" --target-dir "$root/build/rust/native"

whorl="$root/build/release/whorl"
for argument; do
    [ "$argument" != --whorl ] || whorl=
done
if [ -n "$whorl" ]; then
    [ -f "$root/build/release/CMakeCache.txt" ] || (cd "$root" && cmake --preset release >/dev/null)
    cmake --build "$root/build/release" --target whorl_program >/dev/null
    set -- --whorl "$whorl" "$@"
fi
exec python3 "$here/compare.py" --peer "$root/build/rust/native/release/peer" --out "$root/build/bench" "$@"
