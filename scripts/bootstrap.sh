#!/usr/bin/env bash
# Installs the packages that are missing for what is asked, and nothing else.
#
#   scripts/bootstrap.sh [build] [cuda] [metal] [wasm] [python] [lint] [fuzz] [docs] [riscv]     (default: build)
#
# build  compiler, CMake and the libraries; also all that the tests and benchmarks need
# cuda   where no CUDA toolkit is installed: NVIDIA's compiler and runtime, as Python wheels, in build/cuda-toolkit
# metal  Apple's metal-cpp headers, from a Python wheel, in build/metal-cpp; elsewhere also what tests the Metal backend
#        without a Mac: clang 19 and, from a wheel, in build/zig, a compiler for macOS
# wasm   clang 19 with the C and C++ libraries for wasm32-wasi, and node, which runs the tests
# python Python with its headers, and in build/python/env, as wheels, what builds and tests the Python package; Chromium, in which a
#        test reads a page
# lint   clang-format, clang-tidy, and clang 19 with LLVM's standard library
# fuzz   clang with libFuzzer and the sanitizers
# docs   Doxygen
# riscv  a C compiler for RISC-V, for programs that OpenVM's VM runs
#
# Debian and its relatives: apt-get, with sudo when not root. macOS: names the Homebrew packages. Elsewhere: names what
# is needed. WHORL_NO_INSTALL=1 never installs: it names what is missing and fails. The build can do without the tiers
# cuda, metal, wasm and python, so they say why something is missing and do not fail; WHORL_CUDA=OFF, WHORL_METAL=OFF, WHORL_WASM=OFF and
# WHORL_PYTHON=OFF leave them out.
# Exit codes: 0 nothing is missing (any more), 3 something is.
set -euo pipefail

readonly kMissing=3
readonly build_folder="$(cd "$(dirname "$0")/.." && pwd)/build"
readonly cuda_toolkit="$build_folder/cuda-toolkit"
readonly cuda_version='13.0.*'
readonly cuda_wheels=(nvidia-cuda-nvcc nvidia-cuda-crt nvidia-nvvm nvidia-cuda-runtime nvidia-cuda-cccl)
readonly metal_cpp="$build_folder/metal-cpp"
# The headers are the same for every Python and every machine; a wheel must be named for one.
readonly metal_cpp_wheel=(--platform macosx_14_0_arm64 --python-version 3.12 mlx-metal==0.32.4)
readonly zig="$build_folder/zig"
readonly zig_wheel=(ziglang==0.17.1)
readonly python_env="$build_folder/python/env"
readonly needed_text="a C++20 compiler (GCC 12, Clang 16 or newer), CMake 3.25, Ninja, and the libraries
Highway, oneTBB, Boost.Context, fmt, nlohmann-json, CLI11, GoogleTest and Google Benchmark (optional: ccache, and cargo for rust/ and bench/peers/)"

tiers=("$@")
if [ ${#tiers[@]} -eq 0 ]; then tiers=(build); fi
for tier in "${tiers[@]}"; do
    case "$tier" in
    build | cuda | metal | wasm | python | lint | fuzz | docs | riscv) ;;
    *)
        echo "bootstrap: unknown tier '$tier' (build, cuda, metal, wasm, python, lint, fuzz, docs, riscv)" >&2
        exit 2
        ;;
    esac
done

has() { command -v "$1" >/dev/null 2>&1; }

has_compiler() { has "${CXX:-c++}" || has g++ || has clang++; }

# Prints the Debian packages of tier $1, one a line. A program that is there already, from whatever source, counts.
debian_packages() {
    case "$1" in
    build)
        has_compiler || echo g++
        has cmake || echo cmake
        has ninja || echo ninja-build
        has ccache || echo ccache
        printf '%s\n' libhwy-dev libtbb-dev libfmt-dev nlohmann-json3-dev libcli11-dev libgtest-dev libgmock-dev \
            libbenchmark-dev libboost-context-dev
        ;;
    lint)
        has python3 || echo python3
        printf '%s\n' clang-format-19 clang-tidy-19 clang-19 libc++-19-dev
        ;;
    fuzz) printf '%s\n' clang-19 libclang-rt-19-dev ;;
    docs) has doxygen || echo doxygen ;;
    riscv) has riscv64-unknown-elf-gcc || echo gcc-riscv64-unknown-elf ;;
    esac
}

is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Installs the named Debian packages.
apt_install() {
    if [ -n "${WHORL_NO_INSTALL:-}" ]; then
        echo "bootstrap: missing packages: $*" >&2
        return $kMissing
    fi
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! has sudo; then
            echo "bootstrap: not root and no sudo; as root run: apt-get install $*" >&2
            return $kMissing
        fi
        as_root=(sudo)
    fi

    echo "bootstrap: installing $*"
    local attempt
    for attempt in 1 2; do
        if "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 update &&
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qy -o Acquire::Retries=3 \
                -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --no-install-recommends "$@"; then
            return 0
        fi
        if [ "$attempt" -eq 1 ]; then
            echo "bootstrap: apt-get failed; once more in 10 s" >&2
            sleep 10
        fi
    done
    echo "bootstrap: could not install: $*" >&2
    return $kMissing
}

on_debian() {
    local missing=() package tier
    for tier in "${tiers[@]}"; do
        while read -r package; do
            if [ -n "$package" ] && ! is_installed "$package"; then missing+=("$package"); fi
        done < <(debian_packages "$tier")
    done
    if [ ${#missing[@]} -eq 0 ]; then return 0; fi
    apt_install "${missing[@]}"
}

on_macos() {
    local wanted=() missing=() formula tier
    for tier in "${tiers[@]}"; do
        case "$tier" in
        build) wanted+=(cmake ninja ccache highway tbb boost fmt nlohmann-json cli11 googletest google-benchmark) ;;
        lint | fuzz) wanted+=(llvm@19) ;;
        docs) has doxygen || wanted+=(doxygen) ;;
        riscv) has riscv64-unknown-elf-gcc || wanted+=(riscv64-elf-gcc) ;;
        esac
    done
    # The bash of macOS is 3.2, to which an empty array is unset.
    for formula in ${wanted[@]+"${wanted[@]}"}; do
        if ! has brew || ! brew list --versions "$formula" >/dev/null 2>&1; then missing+=("$formula"); fi
    done
    if ! has_compiler; then echo "bootstrap: no C++ compiler; run: xcode-select --install" >&2; fi
    if [ ${#missing[@]} -gt 0 ]; then
        echo "bootstrap: run: brew install ${missing[*]}" >&2
        return $kMissing
    fi
    has_compiler || return $kMissing
}

# Says what is needed only when something certainly is; CMake names a missing library itself.
on_other() {
    if has_compiler && has cmake && has ninja; then return 0; fi
    echo "bootstrap: whorl needs $needed_text" >&2
    return $kMissing
}

has_debian_packages() { has apt-get && has dpkg-query; }

# Whether an nvcc that knows C++20 is where cmake/Cuda.cmake looks for one.
has_cuda() {
    local nvcc
    for nvcc in "$(command -v nvcc || true)" /usr/local/cuda*/bin/nvcc "$cuda_toolkit/bin/nvcc"; do
        if [ -x "$nvcc" ] && [[ "$("$nvcc" --version 2>&1)" =~ release\ (1[2-9]|[2-9][0-9])\. ]]; then return 0; fi
    done
    return 1
}

has_pip() { python3 -m pip --version >/dev/null 2>&1; }

staging=""
trap '[ -z "$staging" ] || rm -rf "$staging"' EXIT

# Unpacks wheels into a new folder, staging. With --target, pip leaves the system's Python packages alone (PEP 668).
fetch_wheels() { # wheels, and options of pip's
    local log
    mkdir -p "$build_folder"
    staging=$(mktemp -d "$build_folder/wheels.XXXXXX") || return
    for _ in 1 2; do
        if log=$(python3 -m pip install --target "$staging" --upgrade --no-deps --only-binary=:all: --no-compile \
            --retries 3 --disable-pip-version-check "$@" 2>&1); then
            return
        fi
    done
    tail -n 3 <<<"$log" >&2
    rm -rf "$staging"
    return $kMissing
}

# Moves a part of staging to where it belongs, whole or not at all, and drops the rest.
keep_part() { # part, destination
    # The move fails where another bootstrap was faster; what that one fetched is as good.
    python3 -c 'import os, sys; os.rename(*sys.argv[1:])' "$staging/$1" "$2" 2>/dev/null || [ -d "$2" ] || return
    rm -rf "$staging"
    staging=""
}

install_cuda() {
    fetch_wheels "${cuda_wheels[@]/%/==$cuda_version}" || return
    # The wheels have their libraries in lib; nvcc and CMake look in lib64.
    ln -s lib "$staging/nvidia/cu13/lib64" && keep_part nvidia/cu13 "$cuda_toolkit"
}

# Never fails: it says why there is no CUDA, and the build goes on without.
on_cuda() {
    # A toolkit that was chosen by hand is CMake's to judge.
    if [ "${WHORL_CUDA:-}" = OFF ] || [ -n "${WHORL_CUDA_TOOLKIT:-}" ] || has_cuda; then return 0; fi
    local without="bootstrap: building without CUDA:"
    case "$(uname -s)-$(uname -m)" in
    Linux-x86_64 | Linux-aarch64) ;;
    *)
        echo "$without there is no toolkit for $(uname -s) on $(uname -m)"
        return 0
        ;;
    esac
    if [ -n "${WHORL_NO_INSTALL:-}" ]; then
        echo "$without nvcc 12.0 or newer is not installed"
        return 0
    fi
    if ! has_pip && has_debian_packages; then apt_install python3 python3-pip || true; fi
    if ! has_pip; then
        echo "$without there is no toolkit, and no python3 with pip to fetch one" >&2
        return 0
    fi
    echo "bootstrap: fetching the CUDA compiler (105 MB) into $cuda_toolkit; WHORL_CUDA=OFF does without"
    install_cuda || echo "$without its compiler could not be fetched" >&2
}

fetch_metal_cpp() {
    echo "bootstrap: fetching metal-cpp (45 MB) into $metal_cpp; WHORL_METAL=OFF does without"
    fetch_wheels "${metal_cpp_wheel[@]}" && keep_part mlx/include/metal_cpp "$metal_cpp"
}

fetch_zig() {
    echo "bootstrap: fetching a compiler for macOS (100 MB) into $zig; WHORL_METAL=OFF does without"
    fetch_wheels "${zig_wheel[@]}" && keep_part ziglang "$zig"
}

# Never fails: it says what is missing, and the build, or the tests that need it, go on without.
on_metal() {
    if [ "${WHORL_METAL:-}" = OFF ]; then return 0; fi
    local without="bootstrap: tests of Metal will be skipped:" packages=() wheels=() wheel
    if [ ! -f "$metal_cpp/Metal/Metal.hpp" ]; then wheels+=(metal_cpp); fi
    if [ "$(uname -s)" = Darwin ]; then
        without="bootstrap: building without Metal:"
    else
        if [ ! -x "$zig/zig" ]; then wheels+=(zig); fi
        has clang++-19 || packages+=(clang-19)
        has python3 || packages+=(python3)
        if [ ${#wheels[@]} -gt 0 ] && ! has_pip; then packages+=(python3-pip); fi
    fi
    if [ ${#packages[@]} -gt 0 ] && ! { has_debian_packages && apt_install "${packages[@]}"; }; then
        echo "$without there is no ${packages[*]}" >&2
    fi
    if [ ${#wheels[@]} -eq 0 ]; then return 0; fi
    if [ -n "${WHORL_NO_INSTALL:-}" ]; then
        echo "$without build/ has no ${wheels[*]}"
        return 0
    fi
    if ! has_pip; then
        echo "$without there is no python3 with pip to fetch ${wheels[*]}" >&2
        return 0
    fi
    for wheel in "${wheels[@]}"; do
        "fetch_$wheel" || echo "$without $wheel could not be fetched" >&2
    done
}

# Never fails: it says what is missing, and the tests that need it are skipped.
on_wasm() {
    if [ "${WHORL_WASM:-}" = OFF ]; then return 0; fi
    local without="bootstrap: the tests of the WebAssembly verifier will be skipped:" packages=() package
    if ! has_debian_packages; then
        echo "$without there are no Debian packages of clang 19 for wasm32-wasi here"
        return 0
    fi
    for package in clang-19 lld-19 libc++-19-dev-wasm32 libclang-rt-19-dev-wasm32 wasi-libc; do
        is_installed "$package" || packages+=("$package")
    done
    has python3 || packages+=(python3)
    has node || packages+=(nodejs)
    if [ ${#packages[@]} -gt 0 ] && ! apt_install "${packages[@]}"; then
        echo "$without there is no ${packages[*]}" >&2
    fi
}

# What pyproject.toml asks for to build the Python package and to test all of it, one requirement a line. (Python 3.11 reads TOML.)
python_requirements() {
    python3 - "$build_folder/../pyproject.toml" <<'PYTHON'
import sys, tomllib

with open(sys.argv[1], "rb") as file:
    project = tomllib.load(file)
extras = project["project"]["optional-dependencies"]
wanted = project["build-system"]["requires"] + project["project"]["dependencies"] + sum(extras.values(), [])
print("\n".join(sorted(set(wanted))))
PYTHON
}

# Never fails: it says what is missing, and the tests of the Python package are skipped.
on_python() {
    if [ "${WHORL_PYTHON:-}" = OFF ]; then return 0; fi
    local without="bootstrap: the tests of the Python package will be skipped:" packages=() package requirements log
    if has_debian_packages; then
        for package in python3-venv python3-dev; do
            is_installed "$package" || packages+=("$package")
        done
        has chromium || has google-chrome || packages+=(chromium)
        if [ ${#packages[@]} -gt 0 ] && ! apt_install "${packages[@]}"; then
            echo "$without there is no ${packages[*]}" >&2
        fi
    fi
    if ! requirements=$(python_requirements 2>/dev/null); then
        echo "$without there is no python3 of 3.11 or newer" >&2
        return 0
    fi
    # The stamp is the last thing that is written.
    if [ -f "$python_env/whorl-requirements" ] && [ "$(cat "$python_env/whorl-requirements")" = "$requirements" ]; then return 0; fi
    if [ -n "${WHORL_NO_INSTALL:-}" ]; then
        echo "$without build/python/env has not all of: ${requirements//$'\n'/, }"
        return 0
    fi
    echo "bootstrap: fetching what builds and tests the Python package (180 MB) into $python_env; WHORL_PYTHON=OFF does without"
    mkdir -p "$(dirname "$python_env")"
    if ! log=$(python3 -m venv "$python_env" 2>&1 &&
        "$python_env/bin/python" -m pip install --only-binary=:all: --retries 3 --disable-pip-version-check $requirements 2>&1); then
        tail -n 3 <<<"$log" >&2
        echo "$without its wheels could not be fetched" >&2
        return 0
    fi
    printf '%s\n' "$requirements" >"$python_env/whorl-requirements"
}

case "$(uname -s)" in
Darwin) on_macos ;;
*) if has_debian_packages; then on_debian; else on_other; fi ;;
esac
case " ${tiers[*]} " in
*" cuda "*) on_cuda ;;
esac
case " ${tiers[*]} " in
*" metal "*) on_metal ;;
esac
case " ${tiers[*]} " in
*" wasm "*) on_wasm ;;
esac
case " ${tiers[*]} " in
*" python "*) on_python ;;
esac
