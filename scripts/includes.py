#!/usr/bin/env python3
"""Fails on a C++ file that uses a name of the standard library without including the name's header.

  scripts/includes.py           the files that git knows or would add
  scripts/includes.py FILE...   these files

Such a file compiles only while another header happens to include the missing one, which differs between standard libraries and their
versions. What headers of this project include counts, since it is the same everywhere. Exit codes: 0 no finding, 1 findings.
"""

import functools
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("src", "include", "tests", "fuzz", "bench", "examples", "wasm")
INCLUDE_FOLDERS = tuple(ROOT / name for name in ("src", "include", "tests", "tests/metal", "fuzz"))
SUFFIXES = (".cpp", ".hpp", ".cu")

# Header → names in std, or names without std where they begin with "::".
HEADERS = {
    "algorithm": "all_of any_of none_of copy copy_n copy_if count_if equal fill fill_n find find_if for_each generate lower_bound max max_element "
    "min min_element minmax mismatch nth_element partition remove remove_if replace reverse rotate shuffle sort stable_sort "
    "transform unique upper_bound clamp ranges::all_of ranges::any_of ranges::none_of ranges::copy ranges::copy_n ranges::count "
    "ranges::count_if ranges::equal ranges::fill ranges::find ranges::find_if ranges::for_each ranges::generate ranges::max "
    "ranges::max_element ranges::min ranges::min_element ranges::reverse ranges::shuffle ranges::sort ranges::transform ranges::unique "
    "ranges::is_sorted ranges::stable_sort ranges::lower_bound ranges::upper_bound ranges::contains is_sorted binary_search",
    "any": "any any_cast",
    "array": "array to_array",
    "atomic": "atomic atomic_flag atomic_ref memory_order_acquire memory_order_relaxed memory_order_release",
    "bit": "bit_cast bit_width bit_ceil bit_floor countl_zero countr_zero has_single_bit popcount endian rotl rotr",
    "bitset": "bitset",
    "charconv": "from_chars to_chars",
    "chrono": "chrono::",
    "cmath": "sqrt pow log log2 exp floor ceil round lround isnan isfinite",
    "compare": "strong_ordering partial_ordering weak_ordering",
    "concepts": "same_as convertible_to integral unsigned_integral derived_from invocable",
    "condition_variable": "condition_variable condition_variable_any",
    "cstddef": "byte max_align_t nullptr_t ptrdiff_t size_t",
    "cstdint": "int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t uintptr_t intptr_t",
    "cstdio": "fopen fclose fread fwrite fprintf printf snprintf fputs fflush puts FILE",
    "cstdlib": "abort exit getenv malloc free calloc aligned_alloc strtoul system quick_exit _Exit",
    "cstring": "memcpy memcmp memset memmove strlen strcmp strerror strchr",
    "deque": "deque",
    "exception": "exception exception_ptr current_exception rethrow_exception terminate uncaught_exceptions set_terminate",
    "filesystem": "filesystem::",
    "fstream": "ifstream ofstream fstream",
    "functional": "function hash less greater plus multiplies invoke reference_wrapper ref cref identity",
    "future": "future promise async packaged_task",
    "initializer_list": "initializer_list",
    "iomanip": "setw setprecision setfill quoted",
    "iostream": "cout cerr cin",
    "iterator": "back_inserter inserter istreambuf_iterator make_move_iterator ostream_iterator reverse_iterator",
    "latch": "latch",
    "limits": "numeric_limits",
    "list": "list",
    "map": "map multimap",
    "memory": "unique_ptr shared_ptr weak_ptr make_unique make_shared make_unique_for_overwrite enable_shared_from_this addressof align destroy_at construct_at",
    "mutex": "mutex recursive_mutex lock_guard unique_lock scoped_lock once_flag call_once",
    "new": "bad_alloc nothrow align_val_t launder get_new_handler set_new_handler",
    "numbers": "numbers::",
    "numeric": "accumulate iota reduce gcd lcm partial_sum inner_product midpoint",
    "optional": "optional nullopt make_optional",
    "queue": "queue priority_queue",
    "random": "mt19937 mt19937_64 random_device uniform_int_distribution uniform_real_distribution",
    "ranges": "views:: ranges::iota_view ranges::subrange",
    "regex": "regex regex_match regex_replace regex_search smatch sregex_iterator cmatch",
    "semaphore": "counting_semaphore binary_semaphore",
    "set": "set multiset",
    "shared_mutex": "shared_mutex shared_lock",
    "source_location": "source_location",
    "span": "span as_bytes as_writable_bytes dynamic_extent",
    "sstream": "stringstream ostringstream istringstream",
    "stack": "stack",
    "stdexcept": "runtime_error logic_error invalid_argument out_of_range length_error overflow_error domain_error",
    "string": "string to_string stoi stoul stoull getline",
    "string_view": "string_view",
    "system_error": "error_code system_error errc error_condition generic_category system_category make_error_code",
    "thread": "thread jthread this_thread::",
    "tuple": "tuple tie make_tuple apply",
    "type_traits": "is_same_v is_same conditional_t enable_if_t decay_t remove_cvref_t remove_const_t make_unsigned_t make_signed_t is_trivially_copyable_v "
    "is_base_of_v is_convertible_v is_integral_v is_unsigned_v is_enum_v underlying_type_t invoke_result_t is_constant_evaluated void_t "
    "is_nothrow_move_constructible_v is_invocable_v is_default_constructible_v is_pointer_v add_const_t remove_reference_t type_identity_t false_type true_type",
    "typeinfo": "type_info bad_cast",
    "unordered_map": "unordered_map unordered_multimap",
    "unordered_set": "unordered_set",
    "utility": "move forward exchange swap pair make_pair declval as_const in_place index_sequence make_index_sequence integer_sequence cmp_less "
    "cmp_equal cmp_greater to_underlying piecewise_construct unreachable in_range",
    "variant": "variant visit get_if holds_alternative monostate",
    "vector": "vector",
}
# What a header promises to include or to declare as well.
ALSO = {
    "size_t": {"cstdio", "cstdlib", "cstring", "ctime"},
    "swap": {"algorithm"},
    "move": {"algorithm"},
    "hash": {"string", "string_view", "memory", "optional", "variant", "thread", "system_error", "bitset", "vector"},
    "initializer_list": {"string", "vector", "map", "set", "utility", "algorithm", "deque", "list", "unordered_map", "unordered_set", "functional"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"', re.S)
USE = re.compile(r"\bstd::((?:ranges|chrono|filesystem|views|numbers|this_thread)::)?(\w+)")


def owners():
    table = {}
    for header, names in HEADERS.items():
        for name in names.split():
            table.setdefault(name, set()).add(header)
    for name, headers in ALSO.items():
        table[name] |= headers
    return table


OWNERS = owners()


@functools.cache
def includes_of(path):
    """The headers that a file includes itself or through headers of this project."""
    included, open_files, seen = set(), [path], {path}
    while open_files:
        current = open_files.pop()
        for name in INCLUDE.findall(current.read_text(errors="replace")):
            included.add(name)
            for folder in (current.parent, *INCLUDE_FOLDERS):
                header = folder / name
                if header.is_file() and header not in seen:
                    seen.add(header)
                    open_files.append(header)
    return included


def findings(path):
    text = path.read_text(errors="replace")
    included = includes_of(path)
    # Text and comments are cleared, but not the lines they stand on.
    code = NOISE.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), INCLUDE.sub("", text))
    found = {}  # header → its first use
    for match in USE.finditer(code):
        space, name = match.groups()
        headers = OWNERS.get(f"{space or ''}{name}") or OWNERS.get(space, set())
        if headers and not headers & included:
            found.setdefault(" or ".join(sorted(headers)), (code.count("\n", 0, match.start()) + 1, match.group(0)))
    return [(line, name, header) for header, (line, name) in found.items()]


def default_files():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *FOLDERS], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    return [ROOT / name for name in sorted(set(listed)) if name.endswith(SUFFIXES) and (ROOT / name).is_file()]


def main(arguments):
    files = [pathlib.Path(a) for a in arguments] or default_files()
    count = 0
    for path in files:
        for line, name, header in sorted(findings(path)):
            count += 1
            shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
            print(f"{shown}:{line}: {name} needs #include <{header}>", file=sys.stderr)
    if count:
        print(f"includes: {count} missing includes", file=sys.stderr)
        return 1
    print(f"includes: {len(files)} files include the headers of what they use from the standard library")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
