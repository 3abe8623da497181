#!/usr/bin/env python3
"""Checks the checker: scripts/one_definition.py names what two files define differently, and nothing else.

    seeded_definitions.py --compiler g++
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
from typing import NamedTuple

CHECK = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "one_definition.py"


class Seed(NamedTuple):
    name: str
    finding: str  # a part of what the checker must say; empty: it must be content
    texts: tuple  # what the two files hold


def pair(name, finding, text, first, second):
    return Seed(name, finding, (text.replace("@", first), text.replace("@", second)))


INLINE = "namespace whorl { inline int twice(int x) { return @; } int call_FILE(int x) { return twice(x); } }"
SEEDS = (
    pair("inline function", "whorl::twice(int) is defined in 2 ways", INLINE, "2 * x", "3 * x"),
    pair("the same inline function", "", INLINE, "2 * x", "2 * x"),
    pair("an operand in a call", "whorl::twice(int) is defined in 2 ways",
         "int one(int); int two(int); " + INLINE, "one(x)", "two(x)"),
    pair("a text", "whorl::twice(int) is defined in 2 ways",
         "#include <cstdlib>\n" + INLINE, 'x + std::atoi("123")', 'x + std::atoi("124")'),
    pair("the same text at another place", "",
         '#include <cstdlib>\nint other_FILE() { return std::atoi("@"); }\n'
         + INLINE.replace("@", 'x + std::atoi("123")'), "1", "98765"),
    pair("a number with a fraction", "whorl::twice(int) is defined in 2 ways", INLINE, "int(x * 2.5)", "int(x * 3.5)"),
    pair("method of a class", "whorl::S::get() const is defined in 2 ways",
         "namespace whorl { struct S { @ int b = 1; int get() const { return b; } }; int call_FILE() { return S().get(); } }",
         "", "int a = 0;"),
    pair("template", "whorl::twice<int>(int) is defined in 2 ways",
         "namespace whorl { template <class T> T twice(T x) { return @; } int call_FILE(int x) { return twice(x); } }",
         "x + x", "x"),
    pair("inline variable", "whorl::kTable is defined in 2 ways",
         "namespace whorl { inline int kTable[2] = {1, @}; int call_FILE(int x) { return kTable[x]; } }", "2", "3"),
    pair("inline beside not inline", "whorl::twice(int) is defined in 2 ways",
         "namespace whorl { @ int twice(int x) { return x + sizeof(\"@\"); } int call_FILE(int x) { return twice(x); } }",
         "inline", ""),
    pair("instruction sets of Highway", "hwy::ChosenTarget::GetIndex() const is defined in 2 ways",
         "#define HWY_DISABLED_TARGETS (HWY_AVX3_DL @)\n#include <hwy/targets.h>\n"
         "unsigned long call_FILE() { return hwy::GetChosenTarget().GetIndex(); }", "", "| HWY_AVX2"),
    pair("unnamed namespace", "",
         INLINE.replace("inline", "namespace { inline").replace("} int call", "} } int call"), "2 * x", "3 * x"),
)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", required=True)
    compiler = parser.parse_args().compiler
    failed = 0
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            objects = []
            for name, text in zip("ab", seed.texts):
                source = pathlib.Path(folder) / f"{name}.cpp"
                source.write_text(text.replace("FILE", name))
                objects.append(source.with_suffix(".o"))
                subprocess.run([compiler, "-std=c++20", "-O0", "-g", "-c", source, "-o", objects[-1]], check=True)
            run = subprocess.run([sys.executable, CHECK, *objects], capture_output=True, text=True)
        expected = 1 if seed.finding else 0
        if not seed.finding and "unnamed" in seed.name:
            expected = 3  # nothing is left that both define
        if run.returncode != expected or seed.finding not in run.stderr:
            failed += 1
            print(f"{seed.name}: exit code {run.returncode}, expected {expected} and '{seed.finding}'\n{run.stderr}")
    print(f"{len(SEEDS) - failed} of {len(SEEDS)} seeds judged rightly")
    return 1 if failed else 0


sys.exit(main())
