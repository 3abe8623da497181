#!/usr/bin/env python3
"""Builds the verifier as WebAssembly and compares it, under node, with the native one.

    verify.py --source . --build build/release/wasm --cases build/release/wasm_cases [--jobs 2]

The build is that of the preset wasm, with warnings as errors. wasm_cases (cases.cpp) writes keys, proofs and statements with the native
verifier's verdicts; verify.mjs expects the same of the module: accepted or not, the rule that is broken, and the whole message. It also
tests the ES module. Then the programs of docs/wasm.md are run.

Exit codes: 0 all is well, 1 not, 77 a tool is missing (ctest takes the test for skipped).
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

SKIPPED = 77
HERE = pathlib.Path(__file__).resolve().parent
VECTORS = ["interactions", "preprocessed_and_cached"]
LONG_VECTORS = ["cached", "fib_2e5", "fib_height_1", "fib_three_airs_one_absent", "mixture", "mixture_l_skip_5", "preprocessed",
                "self_interactions", *VECTORS]
PROBE = "#include <string>\nextern \"C\" unsigned long size() { return std::string(\"a\").size(); }\n"


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


def check_tools(folder):
    for tool in ("clang++-19", "ninja", "node"):
        if shutil.which(tool) is None:
            skip(f"{tool} is not installed (scripts/bootstrap.sh wasm installs it)")
    major = int(run(["node", "--version"]).stdout.strip().lstrip("v").split(".")[0])
    if major < 18:
        skip(f"node 18 or newer is needed, and {major} is installed")
    probe = folder / "probe.cpp"
    probe.write_text(PROBE)
    result = run(["clang++-19", "--target=wasm32-wasi", "-mexec-model=reactor", "-Wl,--export=size", probe, "-o", folder / "probe.wasm"])
    if result.returncode != 0:
        print(result.stdout)
        skip("clang++-19 builds no program for wasm32-wasi (scripts/bootstrap.sh wasm installs what it needs)")


def build(arguments):
    """Configures and builds. The output of the first step that fails, or None."""
    # CMake reads the toolchain's flags only into an empty cache; the objects stay.
    (arguments.build / "CMakeCache.txt").unlink(missing_ok=True)
    configure = [arguments.cmake, "--preset", "wasm", "-S", arguments.source, "-B", arguments.build]
    make = [arguments.cmake, "--build", arguments.build, "--target", "whorl_wasm", "-j", str(arguments.jobs)]
    for step in (configure, make):
        result = run(step, cwd=arguments.source)
        if result.returncode != 0:
            return result.stdout
    return None


def run_page(arguments):
    """What is wrong with the programs of the page: a line each."""
    page = (arguments.source / "docs/wasm.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```js\n(.*?)^```$", page, flags=re.S | re.M)
    if len(blocks) != 2:
        return [f"docs/wasm.md: expected a program for node and one for browsers, found {len(blocks)} js blocks"]
    failures = []
    for_node, for_browsers = arguments.build / "page.mjs", arguments.build / "page_browser.mjs"
    for_node.write_text(blocks[0], encoding="utf-8")
    for_browsers.write_text(blocks[1], encoding="utf-8")
    vector = arguments.source / "tests/vectors/mixture_app_100_bits"
    wrong = arguments.build / "wrong.bin"
    proof = bytearray((vector / "proof.bin").read_bytes())
    proof[4] ^= 1
    wrong.write_bytes(proof)
    for file, expected in ((vector / "proof.bin", 0), (wrong, 1)):
        result = run(["node", for_node, vector / "vk.postcard", file])
        if result.returncode != expected:
            failures.append(f"docs/wasm.md: exit status {result.returncode}, expected {expected}\n{result.stdout}")
    result = run(["node", HERE / "worker_page.mjs", for_browsers, vector / "vk.postcard", vector / "proof.bin", wrong])
    if result.returncode != 0:
        failures.append(f"docs/wasm.md: its worker: {result.stdout}")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", required=True, type=pathlib.Path, help="the root of the project")
    parser.add_argument("--build", required=True, type=pathlib.Path, help="the folder to build in")
    parser.add_argument("--cases", required=True, type=pathlib.Path, help="the program of cases.cpp")
    parser.add_argument("--cmake", default="cmake", help="CMake's program")
    parser.add_argument("--jobs", default=2, type=int, help="how many compilers run at once")
    arguments = parser.parse_args()
    arguments.build = arguments.build.resolve()
    arguments.build.mkdir(parents=True, exist_ok=True)
    check_tools(arguments.build)

    started = time.monotonic()
    output = build(arguments)
    if output is not None:
        print(output)
        return 1
    print(f"built in {time.monotonic() - started:.0f} s")

    vectors = LONG_VECTORS if os.environ.get("WHORL_LONG_TESTS") else VECTORS
    cases = arguments.build / "cases.jsonl"
    with cases.open("wb") as out:
        subprocess.run([arguments.cases, *vectors], stdout=out, check=True)
    result = run(["node", "--expose-gc", HERE / "verify.mjs", "--build", arguments.build, "--source", arguments.source,
                  "--cases", cases])
    print(result.stdout)
    failures = run_page(arguments)
    print("\n".join(failures))
    return 1 if failures or result.returncode != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
