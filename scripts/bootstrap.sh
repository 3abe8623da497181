#!/usr/bin/env bash
# Installs the packages that are missing for what is asked, and nothing else.
#
#   scripts/bootstrap.sh [build] [lint] [fuzz]     (default: build)
#
# build  compiler, CMake and the libraries; also all that the tests and benchmarks need
# lint   clang-format and clang-tidy
# fuzz   clang with libFuzzer and the sanitizers
#
# Debian and its relatives: apt-get, with sudo when not root. macOS: names the Homebrew packages. Elsewhere: names what
# is needed. WHORL_NO_INSTALL=1 never installs: it names what is missing and fails.
# Exit codes: 0 nothing is missing (any more), 3 something is.
set -euo pipefail

readonly kMissing=3
readonly needed_text="a C++20 compiler (GCC 12, Clang 16 or newer), CMake 3.25, Ninja, and the libraries
Highway, oneTBB, fmt, nlohmann-json, CLI11, GoogleTest and Google Benchmark (optional: ccache, and cargo for rust/ and bench/peers/)"

tiers=("$@")
if [ ${#tiers[@]} -eq 0 ]; then tiers=(build); fi
for tier in "${tiers[@]}"; do
    case "$tier" in
    build | lint | fuzz) ;;
    *)
        echo "bootstrap: unknown tier '$tier' (build, lint, fuzz)" >&2
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
            libbenchmark-dev
        ;;
    lint) printf '%s\n' clang-format-19 clang-tidy-19 ;;
    fuzz) printf '%s\n' clang-19 libclang-rt-19-dev ;;
    esac
}

is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

on_debian() {
    local missing=() package tier
    for tier in "${tiers[@]}"; do
        while read -r package; do
            if [ -n "$package" ] && ! is_installed "$package"; then missing+=("$package"); fi
        done < <(debian_packages "$tier")
    done
    if [ ${#missing[@]} -eq 0 ]; then return 0; fi

    if [ -n "${WHORL_NO_INSTALL:-}" ]; then
        echo "bootstrap: missing packages: ${missing[*]}" >&2
        return $kMissing
    fi
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! has sudo; then
            echo "bootstrap: not root and no sudo; as root run: apt-get install ${missing[*]}" >&2
            return $kMissing
        fi
        as_root=(sudo)
    fi

    echo "bootstrap: installing ${missing[*]}"
    local attempt
    for attempt in 1 2; do
        if "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 update &&
            "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qy -o Acquire::Retries=3 \
                -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --no-install-recommends "${missing[@]}"; then
            return 0
        fi
        if [ "$attempt" -eq 1 ]; then
            echo "bootstrap: apt-get failed; once more in 10 s" >&2
            sleep 10
        fi
    done
    echo "bootstrap: could not install: ${missing[*]}" >&2
    return $kMissing
}

on_macos() {
    local wanted=() missing=() formula tier
    for tier in "${tiers[@]}"; do
        case "$tier" in
        build) wanted+=(cmake ninja ccache highway tbb fmt nlohmann-json cli11 googletest google-benchmark) ;;
        lint | fuzz) wanted+=(llvm@19) ;;
        esac
    done
    for formula in "${wanted[@]}"; do
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

case "$(uname -s)" in
Darwin) on_macos ;;
*) if has apt-get && has dpkg-query; then on_debian; else on_other; fi ;;
esac
