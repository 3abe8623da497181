#!/bin/sh
# Compares whorl with the published crates: drawn cases, one they fail on, the stored verdicts on altered proofs.
# usage: run.sh WHORL_PROGRAM [CASES]
# WHORL_SEED=N repeats the cases of a seed. WHORL_INTEROP_REQUIRED=1 turns a skip into a failure.
# exit code: 0 agreed, 1 differed, 77 skipped (no usable cargo or no crates)
set -eu

whorl=${1:?usage: run.sh WHORL_PROGRAM [CASES]}
cases=${2:-100}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export CARGO_TARGET_DIR="$root/build/rust"

skip() {
    echo "interop: skipped: $1"
    [ -z "${WHORL_INTEROP_REQUIRED:-}" ] || exit 1
    exit 77
}

command -v cargo >/dev/null 2>&1 || skip "cargo is not installed"
cargo fetch --quiet --manifest-path "$here/Cargo.toml" \
    || skip "this cargo ($(cargo --version)) cannot fetch the published crates"
cargo build --quiet --release --jobs 2 --manifest-path "$here/Cargo.toml"
interop="$CARGO_TARGET_DIR/release/interop"

work=$(mktemp -d "${TMPDIR:-/tmp}/whorl-interop.XXXXXX")
"$interop" run --whorl "$whorl" --work "$work" --cases "$cases" ${WHORL_SEED:+--seed "$WHORL_SEED"}
"$interop" constant --whorl "$whorl" --work "$work" ${WHORL_SEED:+--seed "$WHORL_SEED"}
for vector in interactions preprocessed_and_cached; do
    "$interop" recheck --vector "$root/tests/vectors/$vector" --list "$root/tests/reject/altered/$vector.json"
done
"$interop" recheck-security --vectors "$root/tests/vectors" --list "$root/tests/vectors/security.json"
rm -rf "$work"
