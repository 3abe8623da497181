#!/usr/bin/env bash
# Builds whorl for AArch64 Linux with Debian's cross compiler and runs the unit tests and the small vectors in qemu, which has NEON.
#
#   scripts/aarch64.sh --install   adds Debian's architecture arm64 and installs what is missing (as root)
#   scripts/aarch64.sh             builds in build/aarch64, runs
#
# JOBS limits how many compilers run at once. Exit codes: 0 all passed, 1 a test failed or a proof differs, 2 usage, 3 the machine.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly build=build/aarch64 emulator=qemu-aarch64
readonly vectors=(fib_height_1 fib_2e5 fib_three_airs_one_absent mixture mixture_l_skip_5 cached preprocessed
    preprocessed_and_cached interactions self_interactions)

case "${1:-}" in
"") ;;
--install)
    dpkg --add-architecture arm64
    apt-get -q update
    DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends g++-aarch64-linux-gnu qemu-user \
        {libhwy-dev,libfmt-dev,libtbb-dev,libboost-context-dev,libgtest-dev,libgmock-dev}:arm64
    ;;
*)
    echo "aarch64: unknown option '$1'" >&2
    exit 2
    ;;
esac

for tool in aarch64-linux-gnu-g++ "$emulator"; do
    command -v "$tool" >/dev/null || {
        echo "aarch64: no $tool; scripts/aarch64.sh --install brings it" >&2
        exit 3
    }
done
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)" \
    -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_LIBRARY_ARCHITECTURE=aarch64-linux-gnu \
    -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ \
    -DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER -DCMAKE_CROSSCOMPILING_EMULATOR="$(command -v "$emulator")" \
    -DWHORL_CUDA=OFF -DWHORL_METAL=OFF
cmake --build "$build" --target whorl_program unit_tests --parallel "${JOBS:-$(nproc)}"

"$emulator" "$build/whorl" --version
"$emulator" "$build/unit_tests"
proof="$(mktemp)"
trap 'rm -f "$proof"' EXIT
for vector in "${vectors[@]}"; do
    "$emulator" "$build/whorl" prove --task "tests/vectors/$vector" --out "$proof" --quiet
    cmp "$proof" "tests/vectors/$vector/proof.bin" || exit 1
done
echo "aarch64: the unit tests pass, and the proofs of ${#vectors[@]} vectors are the reference's"
