#!/bin/sh
# Tests the engine for OpenVM, with the C++ library of a build folder.
# usage: run.sh BUILD_FOLDER [quick|whole|programs]
#   quick  the crate's own tests but for bytes.rs, and of the published suite the tests that call StarkEngine::prove
#   whole  all of the crate's tests, and the published suite on cpu and on sim
#   programs  a C program for OpenVM's VM, from its ELF file to one proof of all segments, by whorl-openvm; WHORL_DEVICE: where (cpu), PRIMES:
#             it counts those below this number (100000, two segments). The published crates make keys and traces, so they are built for this processor
# WHORL_OPENVM_REQUIRED=1 turns a skip into a failure.
# exit code: 0 passed, 77 skipped (no usable cargo or no crates), else a failure
set -eu

build=${1:?usage: run.sh BUILD_FOLDER [quick|whole|programs]}
part=${2:-quick}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export CARGO_TARGET_DIR="$root/build/rust"
WHORL_LIB_DIR=$(cd "$build" && pwd)
export WHORL_LIB_DIR
export WHORL_PROGRAM="$WHORL_LIB_DIR/whorl"

skip() {
    echo "openvm-whorl-backend: skipped: $1"
    [ -z "${WHORL_OPENVM_REQUIRED:-}" ] || exit 1
    exit 77
}

command -v cargo >/dev/null 2>&1 || skip "cargo is not installed"
command -v pkg-config >/dev/null 2>&1 || skip "pkg-config is not installed"
cargo fetch --quiet --manifest-path "$here/Cargo.toml" \
    || skip "this cargo ($(cargo --version)) cannot fetch the published crates"

test_crate() {
    cargo test --quiet --release --jobs 2 --manifest-path "$here/Cargo.toml" "$@"
}

case $part in
quick)
    test_crate --lib --test ffi --test errors --test spans --test tasks
    for device in cpu sim; do
        WHORL_DEVICE=$device test_crate --test suite -- interaction optional_air single_fib_and_dummy
    done
    ;;
whole)
    test_crate --lib --test ffi --test errors --test spans --test tasks --test bytes
    for device in cpu sim; do
        echo "the published suite on $device:"
        WHORL_DEVICE=$device test_crate --test suite
    done
    ;;
programs)
    command -v riscv64-unknown-elf-gcc >/dev/null 2>&1 || skip "riscv64-unknown-elf-gcc is not installed"
    CARGO_TARGET_DIR="$root/build/rust/native"
    RUSTFLAGS="-C target-cpu=native"
    export RUSTFLAGS
    test_crate --features vm --test programs
    cargo build --quiet --release --jobs 2 --manifest-path "$here/Cargo.toml" --features vm --bin whorl-openvm
    program=$CARGO_TARGET_DIR/release/whorl-openvm
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    riscv64-unknown-elf-gcc "@$here/examples/guest/gcc.options" -T "$here/examples/guest/guest.ld" \
        "$here/examples/guest/primes.c" -o "$work/primes.elf"
    limit=${PRIMES:-100000}
    # As the program reads it: four bytes, the lowest first.
    # shellcheck disable=SC2059  # the format is what is made here
    printf "$(printf '\\%03o' $((limit & 255)) $((limit >> 8 & 255)) $((limit >> 16 & 255)) $((limit >> 24)))" >"$work/limit"
    "$program" prove --elf "$work/primes.elf" --input "$work/limit" --segment-memory 2 \
        --device "${WHORL_DEVICE:-cpu}" --out "$work/proof" --vk "$work/vk"
    "$program" verify --proof "$work/proof" --vk "$work/vk"
    ;;
*)
    echo "run.sh: expected quick, whole or programs, found $part" >&2
    exit 2
    ;;
esac
