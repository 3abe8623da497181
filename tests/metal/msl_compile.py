#!/usr/bin/env python3
"""Compiles kernels in Metal's language into a shared library that the fake Metal runtime loads.

    msl_compile.py --text kernels.metal --output kernels.so [--lint] [--sanitize address,undefined]

clang 19 reads the text as metal_lint.py has it read; --lint also looks for what metal_lint.py looks for in a text. The
code is made for this machine: the functions of shim/metal_stdlib come from fake/native.h, each kernel gets an entry point
that runs threads of a group one after another, and threadgroup memory is each host thread's own, so that several host
threads can run groups at once. fake/kernel_table.hpp says what the library exports. Messages go to standard error. Exit
codes: 0 compiled, 1 the text has errors, 77 there is no clang++-19.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
from typing import NamedTuple

import metal_lint

FAKE = pathlib.Path(__file__).resolve().parent / "fake"
NATIVE_FLAGS = ["-w", "-O2", "-fPIC", "-fvisibility=hidden", "-g1", "-target", "x86_64-unknown-linux-gnu"]
SIMD_WIDTH = 32

# What a built-in argument is, in the variables of an entry point.
BUILT_INS = {
    "simdgroup_index_in_threadgroup": f"index / {SIMD_WIDTH}",
    "thread_index_in_simdgroup": f"index % {SIMD_WIDTH}",
    "thread_index_in_threadgroup": "index",
    "thread_position_in_grid": "group * size + fake_metal_position(index, size)",
    "thread_position_in_threadgroup": "fake_metal_position(index, size)",
    "threadgroup_position_in_grid": "group",
    "threadgroups_per_grid": "groups",
    "threads_per_grid": "groups * size",
    "threads_per_simdgroup": str(SIMD_WIDTH),
    "threads_per_threadgroup": "size",
}

ENTRY_POINT = """
extern "C" void fake_metal_run_{name}(const device ulong* slots, const device uint* at, uint first, uint count) {{
    const uint3 group = fake_metal_triple(at);
    const uint3 groups = fake_metal_triple(at + 3);
    const uint3 size = fake_metal_triple(at + 6);
    for (uint index = first; index < first + count; ++index) {name}({arguments});
}}
"""

# A variable of threadgroup memory: clang makes it one of the whole program.
THREADGROUP_VARIABLE = re.compile(
    r"^@(?P<symbol>_ZZ\d+(?P<kernel>\w+?)E\w+) = internal (?:unnamed_addr )?global "
    r"(?P<type>\[(?P<words>\d+) x i32\]) undef, align \d+$",
    re.MULTILINE,
)


class CompileError(Exception):
    """The text has errors; the message is the compiler's."""


class ThreadgroupVariable(NamedTuple):
    symbol: str
    kernel: str
    size: int  # bytes


def run(arguments, text):
    result = subprocess.run([metal_lint.CLANG, *arguments], input=text, capture_output=True, text=True)
    if result.returncode != 0:
        raise CompileError(result.stderr)
    return result.stdout


def read_kernels(text, wants_lint):
    """The kernels of a text, in the lint's form, which holds them in `kernels`."""
    tree = run([*metal_lint.FLAGS, "-fsyntax-only", "-Xclang", "-ast-dump=json", "-"], text)
    lint = metal_lint.Lint(json.loads(tree), text)
    findings = metal_lint.check_macros(text) + lint.findings if wants_lint else []
    if findings:
        raise CompileError("".join(f"error: {finding}\n" for finding in findings))
    if not lint.kernels:
        raise CompileError("error: there is no kernel\n")
    return lint


def parameters(kernel):
    """The arguments of a kernel: pairs of type and attribute, which is a name and a slot."""
    for node in metal_lint.children(kernel):
        if node["kind"] == "ParmVarDecl":
            yield metal_lint.plain(metal_lint.type_of(node)[0]), metal_lint.attributes(node)[0]


def argument(written, attribute, slot):
    """What an entry point passes for an argument of a kernel."""
    if attribute == "buffer":
        return f"*reinterpret_cast<{written.rstrip('& ')}*>(slots[{slot}])"
    value = BUILT_INS[attribute]
    element, count = re.fullmatch(r"(\w+?)([23]?)", written).groups()
    if attribute in metal_lint.BUILT_INS and metal_lint.BUILT_INS[attribute] is metal_lint.INDICES:
        return f"static_cast<{element}>({value})"
    components = [f"static_cast<{element}>(({value}).{axis})" for axis in "xyz"[: int(count or 1)]]
    return components[0] if len(components) == 1 else f"({written})({', '.join(components)})"


def entry_point(name, kernel):
    arguments = (argument(written, *attribute) for written, attribute in parameters(kernel))
    return ENTRY_POINT.format(name=name, arguments=", ".join(arguments))


def to_own_threadgroup_memory(code):
    """LLVM's text with threadgroup memory for each host thread, and the variables of it."""
    found = [
        ThreadgroupVariable(match["symbol"], match["kernel"], 4 * int(match["words"]))
        for match in THREADGROUP_VARIABLE.finditer(code)
    ]
    own = r"@\g<symbol> = hidden thread_local global \g<type> zeroinitializer, align 16"
    return THREADGROUP_VARIABLE.sub(own, code), found


def kernel_table(lint, variables):
    """C++ with the table of kernels and the barrier."""
    lines = [
        "#include <cstring>",
        '#include "kernel_table.hpp"',
        "using namespace fake_metal;",
        '#define EXPORTED extern "C" __attribute__((visibility("default")))',
        f"EXPORTED BarrierFunction {exported('kBarrierSymbol')};",
        f"BarrierFunction {exported('kBarrierSymbol')};",
        f'extern "C" void fake_metal_barrier() {{ {exported("kBarrierSymbol")}(); }}',
    ]
    rows = []
    for name, kernel in lint.kernels.items():
        own = [variable for variable in variables if variable.kernel == name]
        lines.append(f'extern "C" RunFunction fake_metal_run_{name};')
        lines += [f'extern __thread char {name}_{i}[{v.size}] __asm__("{v.symbol}");' for i, v in enumerate(own)]
        fills = "".join(f"std::memset({name}_{i}, kPoison, {v.size}); " for i, v in enumerate(own))
        lines.append(f"static void poison_{name}() {{ {fills}}}")
        slots = sum(1 << slot for _, (attribute, slot) in parameters(kernel) if attribute == "buffer")
        threads = lint.threads(kernel) or metal_lint.MAX_THREADS
        barriers = "true" if lint.has_barriers(name) else "false"
        size = sum(v.size for v in own)
        rows.append(
            f'{{"{name}", fake_metal_run_{name}, poison_{name}, {slots}u, {threads}u, {size}u, {barriers}}},'
        )
    table = exported("kKernelTableSymbol")
    lines += [f"EXPORTED const KernelEntry {table}[];", f"const KernelEntry {table}[] = {{", *rows, "{}};", ""]
    return "\n".join(lines)


def exported(constant):
    """The symbol that a constant of kernel_table.hpp names."""
    return re.search(rf'{constant} = "(\w+)"', (FAKE / "kernel_table.hpp").read_text())[1]


def compile_text(text, output, wants_lint, sanitizers):
    lint = read_kernels(text, wants_lint)
    entry_points = (entry_point(name, kernel) for name, kernel in lint.kernels.items())
    native = (FAKE / "native.h").read_text()
    whole = f'{text}\n#line 1 "native.h"\n{native}{"".join(entry_points)}'

    flags = [*NATIVE_FLAGS, *([f"-fsanitize={sanitizers}"] if sanitizers else [])]
    if "thread" in sanitizers:
        flags += ["-mllvm", "-tsan-instrument-memintrinsics=0"]  # GCC 12's library has no __tsan_memcpy
    to_llvm = ["-S", "-emit-llvm", "-Xclang", "-disable-llvm-passes", "-o", "-", "-"]
    code, variables = to_own_threadgroup_memory(run([*metal_lint.FLAGS, *flags, *to_llvm], whole))
    with tempfile.TemporaryDirectory() as folder:
        kernels, table = f"{folder}/kernels.o", f"{folder}/table.o"
        run([*flags, "-x", "ir", "-c", "-o", kernels, "-"], code)
        cxx = ["-std=c++20", "-I", str(FAKE), "-x", "c++"]
        run([*NATIVE_FLAGS, *cxx, "-c", "-o", table, "-"], kernel_table(lint, variables))
        # The sanitizers' own functions are those of the program.
        run(["-shared", *([] if sanitizers else ["-Wl,-z,defs"]), "-o", str(output), kernels, table], None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", required=True, type=pathlib.Path)
    parser.add_argument("--output", required=True, type=pathlib.Path)
    parser.add_argument("--lint", action="store_true", help="also take the findings of metal_lint.py for errors")
    parser.add_argument("--sanitize", default="", help="sanitizers for the kernels, as -fsanitize takes them")
    arguments = parser.parse_args()
    metal_lint.require_clang()
    try:
        compile_text(arguments.text.read_text(), arguments.output, arguments.lint, arguments.sanitize)
    except CompileError as error:
        sys.stderr.write(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.setrecursionlimit(1 << 20)  # the tree is as deep as the longest expression
    sys.exit(main())
