#!/usr/bin/env bash
# Looks for what clang-format and clang-tidy would say of the C++ and CUDA files that git knows or would add.
#
#   scripts/lint.sh --fix-format                 rewrite files in the project's format
#   scripts/lint.sh --format                     fail on a file that is not in it
#   scripts/lint.sh --tidy BUILD_DIR             fail on a clang-tidy finding; BUILD_DIR and folders in it hold compile_commands.json
#   scripts/lint.sh --libcxx BUILD_DIR           fail on a file that does not compile with LLVM's standard library
#
# JOBS limits how many clang-tidy, or compilers, run at once.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly jobs="${JOBS:-$(nproc 2>/dev/null || sysctl -n hw.logicalcpu 2>/dev/null || echo 2)}"

# The named tool of LLVM 19, under Debian's name or Homebrew's.
find_tool() {
    local candidate
    for candidate in "$1-19" "/opt/homebrew/opt/llvm@19/bin/$1" "/usr/local/opt/llvm@19/bin/$1"; do
        if command -v "$candidate"; then return; fi
    done
    echo "lint: $1-19 not found; scripts/bootstrap.sh lint" >&2
    return 3
}

list_files() { # patterns…
    git ls-files --cached --others --exclude-standard -- "$@" | sort -u | while read -r file; do
        if [ -f "$file" ]; then printf '%s\n' "$file"; fi
    done
}

fix_format() {
    local tool
    tool=$(find_tool clang-format)
    list_files '*.hpp' '*.cpp' '*.h' '*.cu' | xargs "$tool" -i
}

check_format() {
    local tool
    tool=$(find_tool clang-format)
    if ! list_files '*.hpp' '*.cpp' '*.h' '*.cu' | xargs "$tool" --dry-run --Werror; then
        echo "lint: not in the project's format; make format" >&2
        return 1
    fi
    echo "lint: format is right"
}

check_tidy() { # build directory
    local tool database file databases=() jobs_of_tidy=() count=0
    tool=$(find_tool clang-tidy)
    if [ ! -f "$1/compile_commands.json" ]; then
        echo "lint: no $1/compile_commands.json; cmake --preset $(basename "$1")" >&2
        return 2
    fi
    # Files that CMake does not compile itself have a database beside their objects. A build of its own in a folder of this one, as
    # tests make for other machines, is none of ours.
    while read -r database; do
        if [ "$database" = "$1/compile_commands.json" ] || [ ! -f "$(dirname "$database")/CMakeCache.txt" ]; then
            databases+=("$database")
        fi
    done < <(find "$1" -name compile_commands.json | sort)
    while read -r file; do
        database=$(grep -lF "\"$PWD/$file\"" "${databases[@]}" | head -n 1) || true
        if [ -n "$database" ]; then
            jobs_of_tidy+=("$(dirname "$database")" "$file")
            count=$((count + 1))
        fi
    done < <(list_files '*.cpp')
    # One process a file, its output kept whole; xargs fails when any of them does.
    if ! printf '%s\0' "${jobs_of_tidy[@]}" | xargs -0 -P "$jobs" -n 2 bash -c \
        'out=$("$0" -p "$1" --quiet --warnings-as-errors="*" "$2" 2>&1) || { printf "%s\n" "$out"; exit 1; }' \
        "$tool"; then
        echo "lint: clang-tidy has findings" >&2
        return 1
    fi
    echo "lint: clang-tidy has no findings in $count files"
}

if [ $# -eq 0 ]; then
    sed -n '2,9s/^# \{0,1\}//p' "$0"
    exit 2
fi
failed=0 # every check that is asked for runs, so that one look shows all
while [ $# -gt 0 ]; do
    case "$1" in
    --fix-format) fix_format ;;
    --format) check_format || failed=1 ;;
    --tidy)
        check_tidy "${2:?--tidy needs a build directory}" || failed=1
        shift
        ;;
    --libcxx)
        JOBS="$jobs" python3 scripts/libcxx.py "${2:?--libcxx needs a build directory}" || failed=1
        shift
        ;;
    *)
        echo "lint: unknown option '$1'" >&2
        exit 2
        ;;
    esac
    shift
done
exit $failed
