#!/usr/bin/env python3
"""Checks the checker: scripts/includes.py names the headers that a file lacks, and nothing else."""

import pathlib
import subprocess
import sys
import tempfile

CHECK = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "includes.py"
SEEDS = (  # text, the findings
    ("std::mutex m;\n", [":1: std::mutex needs #include <mutex>"]),
    ("#include <mutex>\nstd::mutex m;\n", []),
    ("#include <mutex>\nstd::mutex m;\nstd::optional<int> x;\n", [":3: std::optional needs #include <optional>"]),
    ("std::ranges::sort(x);\nstd::sort(x, y);\n", [":1: std::ranges::sort needs #include <algorithm>"]),
    ("auto t = std::chrono::seconds(1);\n", [":1: std::chrono::seconds needs #include <chrono>"]),
    ("// std::mutex\n/* std::array */ const char* x = \"std::span\";\n", []),
    ("#include \"own.hpp\"\nstd::mutex m;\n", []),  # own.hpp includes it
    ("#include \"own.hpp\"\nstd::latch m;\n", [":2: std::latch needs #include <latch>"]),
    ("std::size_t n;\n", [":1: std::size_t needs #include <cstddef or"]),
    ("#include <cstdio>\nstd::size_t n;\n", []),
)


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "own.hpp").write_text("#pragma once\n#include <mutex>\n")
        for number, (text, findings) in enumerate(SEEDS):
            file = pathlib.Path(folder, f"seed{number}.cpp")
            file.write_text(text)
            run = subprocess.run([sys.executable, CHECK, file], capture_output=True, text=True)
            said = [line for line in run.stderr.splitlines() if "#include" in line]
            is_right = len(said) == len(findings) and all(f in s for f, s in zip(findings, said))
            if not is_right or run.returncode != (1 if findings else 0):
                failed += 1
                print(f"{text!r}: exit code {run.returncode}, found {said}, expected {findings}")
    print(f"{len(SEEDS) - failed} of {len(SEEDS)} seeds judged rightly")
    return 1 if failed else 0


sys.exit(main())
