#!/usr/bin/env python3
"""Compiles airs/good.cpp, which must give no warning, and airs/bad.cpp, whose comments say what the compiler must find."""

import argparse
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def compile_file(compiler, name, *options):
    command = [compiler, "-std=c++20", "-fsyntax-only", "-I", str(HERE.parent.parent / "include"), *options,
               str(HERE / "airs" / name)]
    done = subprocess.run(command, capture_output=True, text=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/local/bin"})
    return done.returncode, done.stdout + done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compiler", required=True)
    compiler = parser.parse_args().compiler
    failures = []

    status, text = compile_file(compiler, "good.cpp", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
    if status != 0:
        failures.append(f"airs/good.cpp does not compile without warnings:\n{text}")

    version = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout
    limit = ["-ferror-limit=0"] if "clang" in version else ["-fmax-errors=0"]
    status, text = compile_file(compiler, "bad.cpp", *limit)
    if status == 0:
        failures.append("airs/bad.cpp compiles")
    named_lines = {int(line) for line in re.findall(r"bad\.cpp:(\d+):\d+: error:", text)}
    num_expected = 0
    for number, line in enumerate((HERE / "airs/bad.cpp").read_text(encoding="utf-8").splitlines(), 1):
        if number > 2 and (expected := re.search(r"// error: (.*)", line)):
            num_expected += 1
            if expected[1] not in text:
                failures.append(f"airs/bad.cpp:{number}: the compiler does not say: {expected[1]}")
        elif line.endswith("// error here"):
            num_expected += 1
            if number not in named_lines:
                failures.append(f"airs/bad.cpp:{number}: no error on this line")
    if num_expected < 15:
        failures.append(f"only {num_expected} errors are expected of airs/bad.cpp: its comments were not understood")
    for failure in failures:
        print(failure)
    if failures:
        print(text)
    print(f"airs: {num_expected} mistakes, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
