#!/usr/bin/env bash
# fuzz/run.sh [RUNS] [TARGET…]: builds the fuzzers (preset `fuzz`) and runs them, starting from the small stored tasks.
# fuzz_decode, fuzz_verify and fuzz_statement get RUNS inputs (default 100000), the slower targets a part of that (`share`). Exit status 0:
# no finding. WHORL_FUZZ_BUILD: another build folder than build/fuzz. WHORL_FUZZ_SECONDS: stop each target after that time.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
runs=${1:-100000}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(fuzz_decode fuzz_verify fuzz_statement fuzz_task fuzz_prove)
build=${WHORL_FUZZ_BUILD:-$root/build/fuzz}
max_len=16384

# One input of a target costs as much as this many of fuzz_decode.
declare -A share=([fuzz_decode]=1 [fuzz_verify]=1 [fuzz_statement]=1 [fuzz_task]=10 [fuzz_prove]=50)
declare -A memory_mb=([fuzz_decode]=1024 [fuzz_verify]=1024 [fuzz_statement]=1024 [fuzz_task]=1024 [fuzz_prove]=4096)
declare -A timeout_s=([fuzz_decode]=60 [fuzz_verify]=60 [fuzz_statement]=60 [fuzz_task]=60 [fuzz_prove]=300)

cd "$root"
cmake --preset fuzz -B "$build" > /dev/null
cmake --build "$build" --target "${targets[@]}"

size() { wc -c < "$1"; }
u32() { # little endian
    local shift
    for shift in 0 8 16 24; do printf "\\x$(printf %02x $(($1 >> shift & 255)))"; done
}
packed_file() { # as folder.hpp reads it
    local name
    name=$(basename "$1")
    printf "\\x$(printf %02x ${#name})%s" "$name"
    u32 "$(size "$1")"
    cat "$1"
}

pair_seeds=$build/seeds/pair     # a key and a proof: input.hpp
task_seeds=$build/seeds/task     # a folder: folder.hpp
choice_seeds=$build/seeds/choice # any bytes: drawn_task.hpp
statement_seeds=$build/seeds/statement # the page's example, and every field
mkdir -p "$pair_seeds" "$task_seeds" "$choice_seeds" "$statement_seeds"
sed -n '/^## Statement/,$p' docs/formats.md | sed -n '/^```json$/,/^```$/p' | sed '/^```/d' > "$statement_seeds/page"
params=$(sed -n '/^## Task/,$p' docs/formats.md | sed -n '/^  "params": {$/,/^  },$/p')
printf '{"format": 1, "min_security_bits": 1.5, %s\n"airs": [{"air_id": 1, "cached_commitments": [[1, 2, 3, 4, 5, 6, 7, 8]]}]}\n' \
    "$params" > "$statement_seeds/params"
for task in tests/vectors/*/; do
    name=$(basename "$task")
    key=$task/vk.postcard
    proof=$task/proof.bin
    cp "$key" "$choice_seeds/$name"
    if [ $((4 + $(size "$key") + $(size "$proof"))) -le $max_len ]; then
        { u32 "$(size "$key")"; cat "$key" "$proof"; } > "$pair_seeds/$name"
    fi
    # task.json comes first: the mutator likes the first file best.
    files=("$task/task.json")
    for file in "$task"/*; do
        case $file in *task.json | *proof.bin | *.u64le) ;; *) files+=("$file") ;; esac
    done
    total=0
    for file in "${files[@]}"; do total=$((total + $(size "$file") + 64)); done
    if [ $total -le $max_len ]; then
        for file in "${files[@]}"; do packed_file "$file"; done > "$task_seeds/$name"
    fi
done
# No stored task has notes: those of the page, on the key of fib_2e5.
notes=$(mktemp -d)
trap 'rm -r "$notes"' EXIT
sed '1s/{/{"notes": "notes.json",/' tests/vectors/fib_2e5/task.json > "$notes/task.json"
awk '/^```/ { if (block ~ /"buses"/) printf "%s", block; block = ""; next } { block = block $0 "\n" }' docs/formats.md > "$notes/notes.json"
for file in "$notes/task.json" "$notes/notes.json" tests/vectors/fib_2e5/vk.postcard tests/vectors/fib_2e5/air0_main.bin; do
    packed_file "$file"
done > "$task_seeds/fib_2e5_with_notes"
declare -A seeds=([fuzz_decode]=$pair_seeds [fuzz_verify]=$pair_seeds [fuzz_statement]=$statement_seeds
    [fuzz_task]=$task_seeds [fuzz_prove]=$choice_seeds)

for target in "${targets[@]}"; do
    corpus=$build/corpus/$target
    mkdir -p "$corpus" "$build/findings"
    own_runs=$((runs / share[$target]))
    echo "== $target: $own_runs runs"
    "$build/$target" -runs="$own_runs" -max_len=$max_len -rss_limit_mb="${memory_mb[$target]}" \
        -timeout="${timeout_s[$target]}" -max_total_time="${WHORL_FUZZ_SECONDS:-0}" -len_control=0 \
        -artifact_prefix="$build/findings/$target-" -verbosity=0 -print_final_stats=1 "$corpus" "${seeds[$target]}"
done
