#!/usr/bin/env bash
# Proves the demo's task and writes its span tree into README.md, between the marks spans:begin and spans:end.
#
#   scripts/update-spans.sh [extra options of `whorl keccakf`]
set -euo pipefail
cd "$(dirname "$0")/.."

readonly program=build/release/whorl
if [ ! -x "$program" ]; then
    echo "update-spans: no $program; make build" >&2
    exit 2
fi
if ! output=$("$program" keccakf --timings --inputs tests/vectors/keccakf_1024/inputs.u64le --out build/keccakf.proof "$@" 2>&1); then
    printf '%s\n' "$output" >&2
    exit 1
fi
tree=$(printf '%s\n' "$output" | tr '\r' '\n' | grep -E '[0-9.]+ ms +[0-9.]+%' || true)
if [ -z "$tree" ]; then
    echo "update-spans: no span tree in the program's output" >&2
    exit 1
fi
cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1 || true)
if [ -z "$cpu" ]; then cpu=$(sysctl -n machdep.cpu.brand_string 2>/dev/null || uname -m); fi
cores=$(nproc 2>/dev/null || sysctl -n hw.logicalcpu)

{
    sed '/<!-- spans:begin -->/q' README.md
    printf '```text\n%s\n```\n' "$tree"
    printf '`scripts/update-spans.sh` on %s, %s cores, %s, commit %s.\n' \
        "$cpu" "$cores" "$(date -u +%F)" "$(git rev-parse --short HEAD)"
    sed -n '/<!-- spans:end -->/,$p' README.md
} >README.md.tmp
mv README.md.tmp README.md
