#!/usr/bin/env python3
"""Checks the checker: puts errors into kernels one at a time and expects metal_lint.py to name each.

    seeded_errors.py --text kernels.metal

The kernels are those of sample.h after the headers that all kernels share. Exit codes as metal_lint.py's.
"""

import argparse
import pathlib
import sys
from typing import NamedTuple

import metal_lint

SHARED_HEADERS = ("kernels/types.h", "kernels/compat_metal.h", "kernels/compat.h", "kernels/field.h", "kernels/reduce.h")
SAMPLE = pathlib.Path(__file__).resolve().parent / "sample.h"


class Seed(NamedTuple):
    name: str
    finding: str  # a part of what the checker must say
    old: str  # is replaced once in the text …
    new: str  # … by this


def instead(name, finding, old, new):
    return Seed(name, finding, old, new)


def outside(name, finding, code):
    """An error outside of functions."""
    anchor = "WH_KERNEL(sample_sum"
    return Seed(name, finding, anchor, f"{code}\n{anchor}")


def inside(name, finding, code):
    """An error in the kernel."""
    anchor = "    const Words in = words_at(p.in);\n"
    return Seed(name, finding, anchor, f"{anchor}    {code}\n")


def argument(name, finding, code):
    """An error in one more argument of all kernels."""
    anchor = "uint wh_tid"
    return Seed(name, finding, anchor, f"{code}, {anchor}")


NO_SPACE = "without an address space"
THREADS = "[[max_total_threads_per_threadgroup(threads)]]"

SEEDS = [
    # Address spaces
    inside("pointer without an address space", NO_SPACE, "const u32* q = in; (void)q;"),
    outside("pointer parameter without an address space", NO_SPACE, "WH_FN u32 f(const u32* q) { return q[0]; }"),
    outside("reference without an address space", NO_SPACE, "WH_FN void f(u32& x) { x = 1; }"),
    outside("array as a parameter", NO_SPACE, "WH_FN u32 f(u32 a[4]) { return a[0]; }"),
    outside("alias of a pointer without an address space", NO_SPACE, "typedef u32* Bare;"),
    outside("member without an address space", NO_SPACE, "struct Holder { u32* at; };"),
    inside("cast to a pointer without an address space", NO_SPACE, "(void)*reinterpret_cast<u32*>(p.in);"),
    inside("device memory as threadgroup memory", "'shared_ext'", "(void)shared_ext(in, 0);"),
    inside("threadgroup memory as device memory", "'load_ext'", "(void)load_ext(scratch, 0);"),
    inside("constant memory as device memory", "'__constant u32 *'", "const Words q = &p.count; (void)q;"),
    inside("structure copied out of constant memory", "constructor", "const SampleParams copy = p; (void)copy;"),
    inside("structure copied out of device memory", "as if it were the thread's",
           "const SampleWords copy = *reinterpret_cast<device SampleWords*>(p.in); (void)copy;"),
    inside("parameters written to", "read-only", "p.count = 0;"),
    inside("constant written to", "read-only", "kSampleTable[0] = 1;"),
    outside("variable outside of functions", "WH_CONSTANT", "u32 counter = 0;"),
    outside("constant in no address space", "WH_CONSTANT", "static constexpr u32 kLoose = 3;"),
    outside("static local variable", "WH_CONSTANT", "WH_FN u32 f() { static u32 calls = 0; return ++calls; }"),
    # Kernels
    instead("kernel with a result", "void", "kernel void name(", "kernel u32 name("),
    instead("attribute after the word kernel", "attribute list", f"{THREADS} kernel", f"kernel {THREADS}"),
    instead("argument without an attribute", "one attribute", "wh_tid [[thread_index_in_threadgroup]]", "wh_tid"),
    instead("buffer without a slot", "one attribute", "p [[buffer(0)]]", "p"),
    instead("buffer in another slot", "slot 0", "[[buffer(0)]]", "[[buffer(1)]]"),
    argument("two buffers in one slot", "slot 0", "constant Params& q [[buffer(0)]]"),
    argument("parameters by value", "constant address space", "Params q [[buffer(1)]]"),
    argument("parameters in device memory", "constant address space", "device Params& q [[buffer(1)]]"),
    argument("built-in of a wrong type", "cannot be a float", "float q [[thread_position_in_grid]]"),
    argument("index as a vector", "cannot be a uint3", "uint3 q [[thread_index_in_simdgroup]]"),
    instead("positions of different sizes", "numbers of components", "uint3 wh_size", "uint2 wh_size"),
    instead("misspelt attribute", "attribute", "[[thread_index_in_threadgroup]]", "[[thread_index_in_group]]"),
    instead("attribute of a kernel at an argument", "not one of an argument", "[[thread_index_in_threadgroup]]",
            "[[max_total_threads_per_threadgroup(1)]]"),
    instead("2,048 threads in a threadgroup", "from 1 to 1024", "WH_KERNEL(sample_sum, SampleParams, 256)",
            "WH_KERNEL(sample_sum, SampleParams, 2048)"),
    instead("no bound on the threads", "from 1 to 1024", f"{THREADS} kernel", "kernel"),
    instead("templated kernel", "template", "WH_KERNEL(sample_sum", "template <int kSize>\nWH_KERNEL(sample_sum"),
    instead("kernel that is not listed", "not listed", "X(sample_sum, SampleParams, 256, WH_BARRIERS)", ""),
    instead("listed with other parameters", "listed with", "X(sample_sum, SampleParams", "X(sample_sum, SampleWords"),
    instead("listed with other threads", "listed with", "256, WH_BARRIERS", "128, WH_BARRIERS"),
    instead("listed without its barriers", "listed with", "256, WH_BARRIERS", "256, WH_NO_BARRIERS"),
    # Threadgroup memory
    instead("40 KiB of threadgroup memory", "40960 bytes", "WH_SHARED(scratch, 1024)", "WH_SHARED(scratch, 10240)"),
    inside("36 KiB in two arrays", "36864 bytes", "WH_SHARED(more, 8192); more[t.tid] = 0;"),
    inside("threadgroup memory that is not words", "WH_SHARED", "threadgroup SampleWords more[2]; more[0].w[0] = 1;"),
    inside("initial value in threadgroup memory", "initializer", "threadgroup u32 more = 3;"),
    outside("threadgroup memory in a function", "kernel function", "WH_FN void f() { WH_SHARED(x, 8); x[0] = 0; }"),
    # Parameters
    instead("pointer in the parameters", "parameters are u32, u64 and ExtParam", "u32 pad;", "device u32* pad;"),
    instead("byte in the parameters", "parameters are u32, u64 and ExtParam", "u32 pad;", "uchar pad;"),
    instead("flag in the parameters", "parameters are u32, u64 and ExtParam", "u32 pad;", "bool pad;"),
    instead("padding in the parameters", "padding before 'in'", "u64 in;", "u32 first;\n    u64 in;"),
    instead("padding at the end of the parameters", "padding at its end", "u32 pad;", ""),
    instead("8 KiB of parameters", "bytes of parameters", "u32 pad;", "u32 pad[2049];"),
    # Types and names
    inside("double", "double", "double x = 1; (void)x;"),
    inside("literal of type double", "double", "const float x = 0.5; (void)x;"),
    inside("unsigned long long", "no long long", "const unsigned long long x = 1; (void)x;"),
    inside("cast to long long", "no long long", "(void)static_cast<u32>(static_cast<long long>(p.count) >> 3);"),
    inside("shuffle of 64 bits", "ambiguous", "(void)simd_shuffle_xor(p.in, 1);"),
    inside("function that Metal lacks", "undeclared", "(void)mul_wide(p.count, 3u);"),
    inside("variable named half", "cannot combine", "u32 half = t.size / 2; (void)half;"),
    inside("variable named thread", "unqualified-id", "u32 thread = t.tid; (void)thread;"),
    inside("variable named vertex", "word of Metal's", "u32 vertex = t.tid; (void)vertex;"),
    outside("name of a function of Metal's", "namespace metal", "WH_FN u32 rotate(u32 x, u32 n) { return x << n; }"),
    outside("macro without a prefix", "lest Metal has one", "#define CHUNK 4"),
    # Language
    outside("recursion", "recursion", "WH_FN u32 f(u32 n) { return n == 0 ? 0 : f(n - 1); }"),
    outside("recursion of two", "recursion",
            "static u32 g(u32 n);\nWH_FN u32 f(u32 n) { return g(n); }\n"
            "static u32 g(u32 n) { return n == 0 ? 0 : f(n - 1); }"),
    outside("recursion of a template", "recursion",
            "template <u32 kN> WH_FN u32 f(u32 n) { return n == 0 ? kN : f<kN>(n - 1); }\n"
            "WH_FN u32 g() { return f<2>(3); }"),
    inside("lambda", "lambda", "const auto f = [](u32 x) { return x; }; (void)f(1);"),
    inside("goto", "goto", "goto end; end: (void)p;"),
    inside("pointer to a function", "pointers to functions", "u32 (*f)(u32) = fp_neg; (void)f;"),
    inside("new", "new", "(void)new u32(1);"),
    inside("throw", "throw", "throw 1;"),
    inside("array of variable length", "not a constant expression", "u32 x[p.count]; x[0] = 1;"),
    outside("virtual function", "virtual", "struct Shape { virtual u32 sides() { return 3; } };"),
    outside("base class", "base class", "struct Longer : SampleWords { u32 more; };"),
    outside("function that ends without its result", "non-void", "WH_FN u32 f() {}"),
    outside("constexpr if", "C++17", "template <u32 kN> WH_FN u32 f() { if constexpr (kN == 0) return 1; return 2; }"),
    inside("structured binding", "C++17", "const SampleWords q = {{1, 2, 3, 4}}; const auto [words] = q;"),
    outside("standard header", "file not found", "#include <vector>"),
    inside("standard library", "'std'", "(void)std::min(1u, 2u);"),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", required=True, type=pathlib.Path, help="the text of all kernels")
    arguments = parser.parse_args()
    metal_lint.require_clang()

    headers = metal_lint.headers(arguments.text.read_text())
    sample = SAMPLE.read_text().replace('#include "kernels/reduce.h"', "")
    text = "".join(headers[name] for name in SHARED_HEADERS) + sample
    failures = [f"without a seed: {finding}" for finding in metal_lint.check_text(text)[0]]
    for seed in SEEDS:
        if text.count(seed.old) == 0:
            failures.append(f"{seed.name}: the text has no '{seed.old}'")
            continue
        findings, _ = metal_lint.check_text(text.replace(seed.old, seed.new, 1))
        if not findings:
            failures.append(f"{seed.name}: not found")
        elif not any(seed.finding in finding for finding in findings):
            failures.append(f"{seed.name}: found for another reason: {'; '.join(findings)}")
    print("\n".join(failures))
    print(f"{len(SEEDS)} seeded errors: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.setrecursionlimit(1 << 20)
    sys.exit(main())
