#!/usr/bin/env python3
"""Checks that kernels are Metal text, without a Mac.

    metal_lint.py --text kernels.metal --include src [--generated generated_kernels.metal]

clang 19 reads the text as C++ for OpenCL with shim/metal_stdlib, which maps Metal's address spaces onto OpenCL's. What
clang does not know of Metal, and what src/kernels/compat.h promises, is then looked for in its syntax tree. A text
without findings is compiled once more header by header, so that none leans on the order of the text. Prints a line for
each finding. Exit codes: 0 nothing found, 1 findings, 77 there is no clang++-19 (ctest takes the test for skipped).
"""

import argparse
import json
import math
import pathlib
import re
import shutil
import subprocess
import sys

SKIPPED = 77
CLANG = "clang++-19"
SHIM = pathlib.Path(__file__).resolve().parent / "shim"

FLAGS = [
    *("-x", "clcpp", "-cl-std=clc++2021", "-target", "spir64-unknown-unknown"),
    *("-fno-color-diagnostics", "-cl-no-stdinc", "-nostdinc", "-nogpulib"),
    *("-isystem", str(SHIM), "-D__METAL_VERSION__=300"),
    *("-Xclang", "-cl-ext=-cl_khr_fp64,-__opencl_c_fp64"),  # Metal has no doubles
    *("-Werror", "-Wall", "-Wextra", "-Wpedantic", "-Wpre-c++17-compat"),  # Metal is C++14
    # OpenCL's unsigned long long has 128 bits, Metal's 64. The host's compiler looks for what narrows.
    *("-Wno-unused", "-Wno-unused-parameter", "-Wno-c++11-narrowing"),
]

MAX_THREADS = 1024
MAX_THREADGROUP_BYTES = 32768
MAX_PARAMS_BYTES = 4096  # what a command encoder takes as bytes
PARAMS_FIELDS = {"u32": 4, "u64": 8, "ExtParam": 16}

POSITIONS = {"ushort", "ushort2", "ushort3", "uint", "uint2", "uint3"}
INDICES = {"ushort", "uint"}
BUILT_INS = {
    "simdgroup_index_in_threadgroup": INDICES,
    "thread_index_in_simdgroup": INDICES,
    "thread_index_in_threadgroup": INDICES,
    "thread_position_in_grid": POSITIONS,
    "thread_position_in_threadgroup": POSITIONS,
    "threadgroup_position_in_grid": POSITIONS,
    "threadgroups_per_grid": POSITIONS,
    "threads_per_grid": POSITIONS,
    "threads_per_simdgroup": INDICES,
    "threads_per_threadgroup": POSITIONS,
}

# Words of Metal's that clang takes for names.
KEYWORDS = {"bfloat", "fragment", "object_data", "ray_data", "threadgroup_imageblock", "vertex"}
# What `using namespace metal` brings in: a function or type of ours with such a name is ambiguous.
METAL_NAMES = set(
    """
    abs absdiff access acos acosh addsat all any array as_type asin asinh atan atan2 atanh atomic bias ceil clamp
    clz copysign cos cosh cospi cross ctz determinant discard_fragment distance distance_squared dot exp exp10 exp2
    extract_bits fabs faceforward fdim floor fma fmax fmedian3 fmin fmod fract frexp hadd ilogb insert_bits isfinite
    isinf isnan isnormal isordered isunordered ldexp length length_squared level log log10 log2 mad24 madhi madsat
    matrix max max3 median3 mem_flags memory_order min min3 mix modf mul24 mulhi nextafter normalize not
    numeric_limits pack_half_to_unorm popcount pow powr precise fast quantize refract reflect reverse_bits rhadd
    rint rotate round rsqrt sampler saturate select sign signbit sin sincos sinh sinpi smoothstep sqrt step subsat
    tan tanh tanpi texture transpose trunc vec
    """.split()
)
METAL_PREFIXES = ("quad_", "simd_", "simdgroup_", "threadgroup_")

DECLARATIONS = {"FunctionDecl", "CXXMethodDecl", "ParmVarDecl", "VarDecl", "FieldDecl", "TypedefDecl", "TypeAliasDecl"}
EXPLICIT_CASTS = {"CStyleCastExpr", "CXXFunctionalCastExpr", "CXXReinterpretCastExpr", "CXXStaticCastExpr"}
FORBIDDEN = {
    "CXXDeleteExpr": "delete",
    "CXXDynamicCastExpr": "dynamic_cast",
    "CXXNewExpr": "new",
    "CXXNoexceptExpr": "noexcept",
    "CXXTypeidExpr": "typeid",
    "GCCAsmStmt": "assembly",
    "GotoStmt": "goto",
    "IndirectGotoStmt": "goto",
    "LambdaExpr": "a lambda",
}


def clang(arguments, text):
    """Runs clang on a text; returns exit code, standard output, and the lines of its errors and warnings."""
    run = subprocess.run([CLANG, *FLAGS, *arguments, "-"], input=text, capture_output=True, text=True)
    messages = [line for line in run.stderr.splitlines() if re.search(r"\b(error|warning):", line)]
    return run.returncode, run.stdout, messages or run.stderr.splitlines()


def listed_kernels(text, macro):
    """A list of kernels as a dictionary: name to (structure of parameters, threads, whether it has barriers)."""
    row = f"\n#define WH_ROW(name, Params, threads, barriers, ...) @name Params threads barriers\n{macro}(WH_ROW)\n"
    _, output, _ = clang(["-E", "-P"], text + row)
    rows = re.findall(r"@\s*(\w+) (\w+) (\w+) (true|false)", output)
    return {name: (params, int(threads), barriers == "true") for name, params, threads, barriers in rows}


def children(node):
    return [child for child in node.get("inner", ()) if child and not child.get("isImplicit")]


def descendants(node):
    """The node and all below it that are written in the text, in its order."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))


def type_of(node):
    """The type as it is written, and as it is without aliases."""
    names = node.get("type", {})
    return names.get("qualType", ""), names.get("desugaredQualType", names.get("qualType", ""))


def plain(name):
    """A type's name without qualifiers and without the address space of the variable itself."""
    return re.sub(r"\b(const|__private)\b", "", name).strip()


def attributes(node):
    """Metal's attributes of a declaration: pairs of name and argument, None where there is none."""
    found = []
    for child in children(node):
        if child["kind"] == "AnnotateAttr":
            name, *arguments = child["inner"]
            literal = next(part for part in descendants(name) if part["kind"] == "StringLiteral")
            found.append((json.loads(literal["value"]), int(arguments[0]["value"]) if arguments else None))
    return found


def is_kernel(function):
    return any(child["kind"] == "OpenCLKernelAttr" for child in children(function))


class Lint:
    """What clang's syntax tree of a text has against the rules; the findings are in `findings`, each once."""

    def __init__(self, tree, text):
        self.bytes = text.encode()
        self.findings = []
        self.functions = {}  # by mangled name
        self.records = {}
        self.mangled = {node["id"]: node["mangledName"] for node in descendants(tree) if "mangledName" in node}
        ours = [node for node in children(tree) if (node["kind"], node.get("name")) != ("NamespaceDecl", "metal")]

        for top in ours:
            self.check_global_name(top)
            for node in descendants(top):
                self.check_node(top.get("name", "?"), node)
                if node["kind"] in ("FunctionDecl", "CXXMethodDecl") and "mangledName" in node:
                    self.functions[node["mangledName"]] = node
                elif node["kind"] == "CXXRecordDecl" and node.get("completeDefinition"):
                    self.records[node["name"]] = node
        self.calls = {name: self.callees(node) for name, node in self.functions.items()}
        self.kernels = {name: node for name, node in self.functions.items() if is_kernel(node)}
        for name, node in self.kernels.items():
            self.check_kernel(name, node)
        self.check_recursion()

    def find(self, where, what):
        finding = f"{where}: {what}"
        if finding not in self.findings:
            self.findings.append(finding)

    def check_global_name(self, node):
        name = node.get("name", "")
        if node["kind"] != "UsingDirectiveDecl" and (name in METAL_NAMES or name.startswith(METAL_PREFIXES)):
            if node["id"] in self.mangled or node["kind"] in ("CXXRecordDecl", "FunctionTemplateDecl", "TypedefDecl"):
                self.find(name, "the name is one of namespace metal")

    def check_node(self, where, node):
        kind = node["kind"]
        written, full = type_of(node)
        name = node.get("name", "")
        if kind in FORBIDDEN:
            self.find(where, f"{FORBIDDEN[kind]} is not Metal")
        if kind in DECLARATIONS and name in KEYWORDS:
            self.find(where, f"'{name}' is a word of Metal's")
        if kind in DECLARATIONS or kind in EXPLICIT_CASTS:
            described = f"{repr(name) if name else 'cast'} ({written})"
            if "__generic" in full:
                self.find(where, f"{described}: pointer or reference without an address space")
            if "long long" in full:
                self.find(where, f"{described}: Metal has no long long")
        if kind == "ParmVarDecl" and self.source_end(node) == b"]":
            self.find(where, f"'{name}': an array parameter is a pointer without an address space")
        if kind == "VarDecl" and re.search(r"__global \w+$", written):
            self.find(where, f"'{name}': a variable that outlives a thread must be WH_CONSTANT")
        if kind == "CXXRecordDecl" and node.get("bases"):
            self.find(where, f"'{name}' has a base class")
        if kind == "ImplicitCastExpr" and node.get("castKind") == "AddressSpaceConversion":
            source = type_of(node["inner"][0])[1]
            if re.search("__(global|local|constant)", source):
                self.find(where, f"a value of type '{source}' is used as if it were the thread's")

    def source_end(self, node):
        """The last byte of a declaration that no macro made."""
        offset = node["range"]["end"].get("offset")
        return b"" if offset is None else self.bytes[offset : offset + 1]

    def callees(self, function):
        """Mangled names of the functions that a function names."""
        references = (node["referencedDecl"]["id"] for node in descendants(function) if node["kind"] == "DeclRefExpr")
        return {self.mangled[identity] for identity in references if identity in self.mangled}

    def reachable(self, name):
        """What a function calls, directly or not."""
        seen = set()
        pending = [name]
        while pending:
            fresh = self.calls.get(pending.pop(), set()) - seen
            seen |= fresh
            pending.extend(fresh)
        return seen

    def has_barriers(self, name):
        return any("threadgroup_barrier" in callee for callee in self.reachable(name))

    def check_recursion(self):
        for name, node in self.functions.items():
            if name in self.reachable(name):
                self.find(node["name"], "recursion")

    def check_kernel(self, name, kernel):
        if not type_of(kernel)[0].startswith("void ("):
            self.find(name, "a kernel returns nothing")
        self.check_arguments(name, [node for node in children(kernel) if node["kind"] == "ParmVarDecl"])
        self.check_threadgroup_memory(name, kernel)
        if not 1 <= self.threads(kernel) <= MAX_THREADS:
            self.find(name, f"max_total_threads_per_threadgroup must be from 1 to {MAX_THREADS}")

    def threads(self, kernel):
        return dict(attributes(kernel)).get("max_total_threads_per_threadgroup", 0)

    def params(self, kernel):
        """The name of the structure that the kernel's buffer is, None where there is none."""
        for node in children(kernel):
            match = re.fullmatch(r"__constant (\w+) &", plain(type_of(node)[0]))
            if node["kind"] == "ParmVarDecl" and match:
                return match[1]
        return None

    def check_arguments(self, kernel, arguments):
        slots = []
        sizes = set()
        for node in arguments:
            name = node.get("name", "?")
            described = attributes(node)
            if len(described) != 1:
                self.find(kernel, f"'{name}' must have one attribute, has {len(described)}")
                continue
            attribute, slot = described[0]
            written = plain(type_of(node)[0])
            if attribute == "buffer":
                slots.append(slot)
                self.check_buffer(kernel, name, written)
            elif attribute not in BUILT_INS:
                self.find(kernel, f"'{name}': [[{attribute}]] is not one of an argument")
            elif written not in BUILT_INS[attribute]:
                self.find(kernel, f"'{name}': [[{attribute}]] cannot be a {written}")
            elif BUILT_INS[attribute] is POSITIONS:
                sizes.add(written[-1] if written[-1].isdigit() else "1")
        if slots != [0]:
            self.find(kernel, f"a kernel has one buffer, in slot 0; this one has {slots}")
        if len(sizes) > 1:
            self.find(kernel, "positions and sizes of the grid have different numbers of components")

    def check_buffer(self, kernel, name, written):
        match = re.fullmatch(r"__constant (\w+) &", written)
        if match and match[1] in self.records:
            self.check_params(match[1])
        else:
            self.find(kernel, f"'{name}' must be a structure in the constant address space, not '{written}'")

    def check_params(self, name):
        fields = [node for node in children(self.records[name]) if node["kind"] == "FieldDecl"]
        size = 0
        alignment = 4
        for field in fields:
            element, extents = re.fullmatch(r"(.*?)((?:\[\d+\])*)", type_of(field)[0]).groups()
            if element not in PARAMS_FIELDS:
                self.find(name, f"'{field['name']}' is a {element}; parameters are u32, u64 and ExtParam")
                return
            if element == "u64":
                alignment = 8
                if size % 8 != 0:
                    self.find(name, f"there is padding before '{field['name']}'")
            size += PARAMS_FIELDS[element] * math.prod(map(int, re.findall(r"\d+", extents)))
        if size % alignment != 0:
            self.find(name, "there is padding at its end")
        if size > MAX_PARAMS_BYTES:
            self.find(name, f"{size} bytes of parameters, at most {MAX_PARAMS_BYTES}")

    def check_threadgroup_memory(self, kernel, function):
        words = 0
        for node in descendants(function):
            if node["kind"] == "VarDecl" and type_of(node)[0].startswith("__local"):
                match = re.fullmatch(r"__local u32\[(\d+)\]", type_of(node)[0])
                if not match:
                    self.find(kernel, f"'{node['name']}': threadgroup memory must be WH_SHARED")
                    continue
                words += int(match[1])
        if 4 * words > MAX_THREADGROUP_BYTES:
            self.find(kernel, f"{4 * words} bytes of threadgroup memory, at most {MAX_THREADGROUP_BYTES}")

    def check_list(self, listed):
        """Compares the kernels with their list."""
        for name in sorted(listed.keys() ^ self.kernels.keys()):
            self.find(name, "listed, but there is no such kernel" if name in listed else "not listed")
        for name in sorted(listed.keys() & self.kernels.keys()):
            kernel = self.kernels[name]
            actual = (self.params(kernel), self.threads(kernel), self.has_barriers(name))
            if actual != listed[name]:
                self.find(name, f"listed with (parameters, threads, barriers) {listed[name]}, is {actual}")


def check_macros(text):
    names = re.findall(r"^\s*#\s*define\s+(\w+)", text, re.MULTILINE)
    foreign = [name for name in names if not re.match("WH|k[A-Z]", name)]
    return [f"{name}: macros begin with WH_ or k, lest Metal has one of that name" for name in foreign]


def check_text(text, macro="WH_ALL_KERNELS"):
    """All findings in the text of kernels that Metal would be given, and how many kernels it has; `macro` lists them."""
    code, output, messages = clang(["-fsyntax-only", "-Xclang", "-ast-dump=json"], text)
    if code != 0:
        return messages, 0
    lint = Lint(json.loads(output), text)
    lint.check_list(listed_kernels(text, macro))
    return check_macros(text) + lint.findings, len(lint.kernels)


def headers(text):
    """The headers that a text is made of, in order: name to body (see cmake/KernelText.cmake)."""
    parts = re.split(r'^#line 1 "(.*)"\n', text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def check_headers(text, include):
    """The findings in headers that are compiled by themselves."""
    findings = []
    for name in headers(text):
        code, _, messages = clang(["-fsyntax-only", "-I", include], f'#include "{name}"\n')
        if code != 0:
            findings += [f"{name} by itself: {message}" for message in messages]
    return findings


def require_clang():
    """Ends the program where there is no clang, in a way that ctest takes for a skipped test."""
    if shutil.which(CLANG) is None:
        print(f"skipped: {CLANG} is not installed (scripts/bootstrap.sh fuzz installs it)")
        sys.exit(SKIPPED)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", required=True, type=pathlib.Path, help="the text of all kernels")
    parser.add_argument("--include", required=True, help="the folder that holds kernels/")
    parser.add_argument("--generated", type=pathlib.Path, help="generated kernels to check instead")
    arguments = parser.parse_args()
    require_clang()

    text = arguments.text.read_text()
    if arguments.generated:
        text = f"#define WH_WITHOUT_KERNELS\n{text}#line 1\n{arguments.generated.read_text()}"
        findings, num_kernels = check_text(text, "WH_GENERATED_KERNELS")
    else:
        findings, num_kernels = check_text(text)
        findings = findings or check_headers(text, arguments.include)
    print("\n".join(findings))
    print(f"{num_kernels} kernels in {len(headers(text))} headers: {len(findings)} findings")
    return 1 if findings or num_kernels == 0 else 0


if __name__ == "__main__":
    sys.setrecursionlimit(1 << 20)  # the tree is as deep as the longest expression
    sys.exit(main())
