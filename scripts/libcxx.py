#!/usr/bin/env python3
"""Fails on a file that does not compile with clang 19 and LLVM's standard library, which includes less than GCC's does.

  scripts/libcxx.py BUILD_DIR [PART]    all C++ files of the compile_commands.json in BUILD_DIR and folders in it, or those whose path
                                        has PART in it; not C, nor what the build itself writes into BUILD_DIR; nothing is written

JOBS limits how many compilers run at once. Exit codes: 0 all compile, 1 some do not, 2 usage, 3 no compiler or library.
"""

import concurrent.futures
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

COMPILER = "clang++-19"
# What asks for output, and what only GCC knows or only code generation needs.
WITH_VALUE = {"-o", "-MF", "-MT", "-MQ", "--param"}
DROPPED = {"-c", "-MD", "-MMD", "--coverage"}
DROPPED_STARTS = ("-fsanitize", "-fno-sanitize", "-W", "-O", "-g", "--param=")


def syntax_command(entry):
    arguments = shlex.split(entry["command"]) if "command" in entry else entry["arguments"]
    kept, skip = [], False
    # Before the first option stand the compiler and, where there is one, its launcher.
    first = next(i for i, a in enumerate(arguments) if a.startswith("-"))
    for argument in arguments[first:]:
        if skip:
            skip = False
        elif argument in WITH_VALUE:
            skip = True
        elif argument not in DROPPED and not argument.startswith(DROPPED_STARTS):
            kept.append(argument)
    return [COMPILER, "-stdlib=libc++", "-fsyntax-only", "-w", *kept]


def compile_one(entry):
    run = subprocess.run(syntax_command(entry), cwd=entry["directory"], capture_output=True, text=True)
    return entry["file"], run.returncode, run.stderr


def has_library():
    with tempfile.TemporaryDirectory() as folder:
        probe = pathlib.Path(folder) / "probe.cpp"
        probe.write_text("#include <version>\n#ifndef _LIBCPP_VERSION\n#error not libc++\n#endif\n")
        run = subprocess.run([COMPILER, "-stdlib=libc++", "-fsyntax-only", probe], capture_output=True)
        return run.returncode == 0


def main(arguments):
    if len(arguments) not in (1, 2) or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    part = arguments[1] if len(arguments) == 2 else ""
    # Files that CMake does not compile itself have a database beside their objects. A build of its own in a folder of this one, as
    # tests make for other machines, is none of ours.
    build = pathlib.Path(arguments[0]).resolve()
    databases = [found for found in sorted(build.rglob("compile_commands.json"))
                 if found.parent == build or not (found.parent / "CMakeCache.txt").exists()]
    if not databases:
        print(f"libcxx: no compile_commands.json in {arguments[0]}; configure the preset first", file=sys.stderr)
        return 2
    if shutil.which(COMPILER) is None or not has_library():
        print(f"libcxx: no {COMPILER} with libc++; scripts/bootstrap.sh lint installs clang-19 and libc++-19-dev", file=sys.stderr)
        return 3
    entries = {}
    for database in databases:
        for entry in json.loads(database.read_text()):
            file = pathlib.Path(entry["directory"], entry["file"]).resolve()
            if file.suffix not in (".c", ".cu") and part in str(file) and not file.is_relative_to(build):
                entries.setdefault(str(file), {**entry, "file": str(file)})
    jobs = int(os.environ.get("JOBS", os.cpu_count() or 2))
    failed = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for file, status, text in pool.map(compile_one, entries.values()):
            if status != 0:
                failed.append(file)
                print(text, file=sys.stderr)
    if failed:
        print(f"libcxx: {len(failed)} of {len(entries)} files do not compile with libc++:", *failed, sep="\n  ", file=sys.stderr)
        return 1
    print(f"libcxx: all {len(entries)} files compile with libc++")
    return 0


sys.exit(main(sys.argv[1:]))
