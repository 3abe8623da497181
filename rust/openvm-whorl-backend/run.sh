#!/bin/sh
# Tests the engine for OpenVM, with the C++ library of a build folder.
# usage: run.sh BUILD_FOLDER [quick|whole]
#   quick  the crate's own tests but for bytes.rs, and of the published suite the tests that call StarkEngine::prove
#   whole  all of the crate's tests, and the published suite on cpu and on sim
# WHORL_OPENVM_REQUIRED=1 turns a skip into a failure.
# exit code: 0 passed, 77 skipped (no usable cargo or no crates), else a failure
set -eu

build=${1:?usage: run.sh BUILD_FOLDER [quick|whole]}
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
    test_crate --lib --test ffi --test errors --test tasks
    for device in cpu sim; do
        WHORL_DEVICE=$device test_crate --test suite -- interaction optional_air single_fib_and_dummy
    done
    ;;
whole)
    test_crate --lib --test ffi --test errors --test tasks --test bytes
    for device in cpu sim; do
        echo "the published suite on $device:"
        WHORL_DEVICE=$device test_crate --test suite
    done
    ;;
*)
    echo "run.sh: expected quick or whole, found $part" >&2
    exit 2
    ;;
esac
