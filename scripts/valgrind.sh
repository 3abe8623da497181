#!/bin/sh
# Small proofs under valgrind's memcheck: no value that nobody wrote decides anything, no access outside what was allocated.
#
#   scripts/valgrind.sh [BUILD]    BUILD: a build folder with prove_tests; default build/release
#
# Exit code 0: nothing found, or skipped, with the reason; 1: findings, with their stacks. The CPU alone: the simulated device
# switches stacks, which memcheck cannot follow, and checks its own memory. Memcheck shows programs a processor with AVX2 at
# most, so Highway takes no wider vectors here.
set -eu

build=${1:-build/release}
if ! command -v valgrind >/dev/null; then
    echo "scripts/valgrind.sh: skipped: valgrind is not installed" >&2
    exit 0
fi
if [ ! -x "$build/prove_tests" ]; then
    echo "scripts/valgrind.sh: $build/prove_tests is missing: cmake --build $build --target prove_tests" >&2
    exit 2
fi
WHORL_POISON='' valgrind --quiet --error-exitcode=1 --track-origins=yes --fair-sched=yes \
    "$build/prove_tests" --gtest_brief=1 --gtest_filter='Memcheck.*'
