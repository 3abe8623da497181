#!/usr/bin/env python3
"""Builds the program for arm64 macOS 14, without a Mac: warnings are errors, and so are undefined symbols.

    macos_build.py --source . --build build/macos --zig build/zig/zig --metal-cpp build/metal-cpp [--jobs 2]

The build is the project's own, with Metal; zig brings the compiler (clang), the headers and symbols of macOS's C library,
and a C++ library, and macos/toolchain.cmake tells CMake how to use it. Of Apple's frameworks, apple_stubs lists the
symbols that the program may use. Of the libraries that Homebrew has on a Mac, Debian's headers are used, and the symbols
are those of Debian's shared libraries (fmt, whose symbols name types of the C++ library, is used as headers alone). Then
errors are put into a file and into the link, and each must be found. Only what changed is built again.

What passing shows: every source compiles for macOS with clang, CMake's files hold there, the sources are complete, and
the program calls nothing but what these lists have. What it does not show: that Apple has what apple_stubs lists, that
Apple's own compiler and its older C++ library take the sources (zig's library is newer), that Homebrew's newer versions of
the libraries do, or that the program runs.

Exit codes: 0 built, 1 not, 77 a tool is missing (ctest takes the test for skipped).
"""

import argparse
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys

SKIPPED = 77
HERE = pathlib.Path(__file__).resolve().parent

# What is included of Debian's /usr/include, and nothing else of it; and of Apple's frameworks, whose headers zig lacks.
PACKAGE_HEADERS = [pathlib.Path("/usr/include") / name
                   for name in ("CLI", "boost", "fmt", "hwy", "nlohmann", "oneapi", "tbb")]
FRAMEWORK_HEADERS = [HERE / "fake" / "include" / name for name in ("CoreFoundation", "CoreGraphics", "IOSurface")]
LIBRARIES = ("boost_context", "hwy", "tbb")

SEEDED_SOURCES = {
    "a warning": ("int low_word(long word) { return word; }", "-Wshorten-64-to-32"),
    "a header of Linux's": ("#include <sys/sysinfo.h>", "file not found"),
}
SEEDED_CALL = 'extern "C" void MTLNoSuchFunction();\nvoid call() { MTLNoSuchFunction(); }\n'


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


def write_if_changed(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def exported_symbols(library):
    """The names that a shared library of this machine defines for others, as Mach-O spells them."""
    listing = subprocess.run(["nm", "--dynamic", "--defined-only", "--format=posix", library],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
    symbols = {"_" + line.split()[0].split("@")[0] for line in listing.splitlines()}
    # Highway's sets of targets are int64_t: long on Linux, long long on macOS.
    symbols |= {symbol[:-1] + "x" for symbol in symbols if symbol.startswith("__ZN3hwy") and symbol.endswith("El")}
    return sorted(symbols)


def find_library(name):
    """The path of a shared library that this machine's linker would take."""
    path = run(["c++", f"-print-file-name=lib{name}.so"]).stdout.strip()
    return path if os.path.isabs(path) else None


def write_packages(folder):
    """Fills the folder that macos/packages.cmake hands out."""
    include, lib = folder / "include", folder / "lib"
    include.mkdir(parents=True, exist_ok=True)
    lib.mkdir(exist_ok=True)
    for headers in PACKAGE_HEADERS + FRAMEWORK_HEADERS:
        if not headers.is_dir():
            skip(f"there is no {headers}")
        if not (include / headers.name).exists():
            (include / headers.name).symlink_to(headers)
    for name in LIBRARIES:
        library = find_library(name)
        if library is None:
            skip(f"there is no shared library {name}")
        symbols = ",\n".join(f"        '{symbol}'" for symbol in exported_symbols(library))
        write_if_changed(lib / f"lib{name}.tbd", f"""--- !tapi-tbd
tbd-version: 4
targets: [ arm64-macos ]
install-name: '/opt/homebrew/lib/lib{name}.dylib'
exports:
  - targets: [ arm64-macos ]
    symbols: [
{symbols} ]
...
""")


def build(arguments, environment):
    """Configures and builds. The output of the first step that fails, or None."""
    packages = arguments.build / "packages"
    write_packages(packages)
    # CMake reads the toolchain's flags only into an empty cache; the objects stay.
    (arguments.build / "CMakeCache.txt").unlink(missing_ok=True)
    configure = [
        *(arguments.cmake, "-S", arguments.source, "-B", arguments.build, "-G", "Ninja"),
        *("--toolchain", HERE / "macos" / "toolchain.cmake"),
        *(f"-DZIG={arguments.zig}", f"-DPACKAGES={packages}", f"-DWHORL_METAL_CPP={arguments.metal_cpp}"),
        *("-DWHORL_METAL=ON", "-DWHORL_CUDA=OFF", "-DWHORL_WERROR=ON", "-DWHORL_TESTS=OFF", "-DWHORL_BENCH=OFF"),
        "-DWHORL_CCACHE=OFF",
        # No build type's flags, those of Release above all: optimised, the linker drops calls that nobody makes.
        "-DCMAKE_BUILD_TYPE=None",
    ]
    make = [arguments.cmake, "--build", arguments.build, "--target", "whorl_program", "-j", str(arguments.jobs)]
    for step in (configure, make):
        result = run(step, env=environment)
        if result.returncode != 0:
            return result.stdout
    return None


def seeded_failures(build, environment):
    """What the build's own commands let pass of errors that are put in: a line each."""
    commands = json.loads((build / "compile_commands.json").read_text())
    entry = next(entry for entry in commands if entry["file"].endswith("src/cli/main.cpp"))
    source, compiled = build / "seeded.cpp", build / "seeded.o"
    compile_source = [*shlex.split(entry["command"])[:-4], "-o", compiled, "-c", source]
    failures = []
    for name, (text, finding) in SEEDED_SOURCES.items():
        source.write_text(text + "\n")
        result = run(compile_source, env=environment)
        if result.returncode == 0 or finding not in result.stdout:
            failures.append(f"seeded: {name}: not found")

    source.write_text(SEEDED_CALL)
    steps = run(["ninja", "-C", build, "-t", "commands", "whorl"], env=environment).stdout
    link = steps.strip().splitlines()[-1].removeprefix(": && ").removesuffix(" && :")
    link = [*shlex.split(link), compiled]
    link[link.index("-o") + 1] = build / "seeded"
    result = run(compile_source, env=environment)
    if result.returncode == 0:
        result = run(link, cwd=build, env=environment)
    if result.returncode == 0 or "undefined symbol: _MTLNoSuchFunction" not in result.stdout:
        failures.append("seeded: a call to a function that no library has: not found")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", required=True, type=pathlib.Path, help="the root of the project")
    parser.add_argument("--build", required=True, type=pathlib.Path, help="the folder to build in")
    parser.add_argument("--zig", required=True, type=pathlib.Path, help="zig's program")
    parser.add_argument("--metal-cpp", required=True, help="the folder that holds Metal/Metal.hpp")
    parser.add_argument("--cmake", default="cmake", help="CMake's program")
    parser.add_argument("--jobs", default=2, type=int, help="how many compilers run at once")
    arguments = parser.parse_args()
    if not arguments.zig.exists():
        skip(f"there is no {arguments.zig} (scripts/bootstrap.sh metal fetches it)")
    if not arguments.metal_cpp:
        skip("there is no metal-cpp (scripts/bootstrap.sh metal fetches it)")
    for tool in ("ninja", "nm", "c++"):
        if shutil.which(tool) is None:
            skip(f"{tool} is not installed")

    arguments.build = arguments.build.resolve()
    cache = str(arguments.build / "zig-cache")
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
    output = build(arguments, environment)
    if output is not None:
        print(output)
        return 1
    failures = seeded_failures(arguments.build, environment)
    print("\n".join(failures))
    size = (arguments.build / "whorl").stat().st_size
    print(f"whorl for arm64 macOS: {size} bytes; {len(SEEDED_SOURCES) + 1} seeded errors: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
