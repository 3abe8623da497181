#!/usr/bin/env python3
"""Uses whorl as another project would and runs a program that proves and verifies.

usage: route.py find_package|pkg_config|subdirectory|fetch_content --source DIR --build DIR --cmake PROGRAM --cxx COMPILER

find_package and pkg_config install the build at --build into a temporary prefix. subdirectory and fetch_content compile
whorl again, which takes minutes: without WHORL_LONG_TESTS=1 they configure, and compile one module.
Exit code: 0 works, 1 does not, 77 skipped.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77


def run(*command, **options):
    print("+", *command, flush=True)
    return subprocess.run([str(part) for part in command], check=True, **options)


def output(*command, **options):
    return run(*command, stdout=subprocess.PIPE, text=True, **options).stdout.strip()


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def check_consumer(program, environment=None):
    text = output(program, env=environment)
    print(text)
    if not text.endswith(": accepted"):
        sys.exit("the consumer's proof was not accepted")


def build_consumer(arguments, work, *definitions):
    consumer = pathlib.Path(__file__).parent / "consumer"
    run(arguments.cmake, "-S", consumer, "-B", work / "build", "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={arguments.cxx}",
        "-DCMAKE_BUILD_TYPE=Release", f"-DROUTE={arguments.route}", *definitions)
    return work / "build"


def install(arguments, work):
    prefix = work / "prefix"
    run(arguments.cmake, "--install", arguments.build, "--prefix", prefix, stdout=subprocess.DEVNULL)
    return prefix


def find_package(arguments, work):
    prefix = install(arguments, work)
    build = build_consumer(arguments, work, f"-DCMAKE_PREFIX_PATH={prefix}")
    run(arguments.cmake, "--build", build)
    check_consumer(build / "consumer")
    version = output(prefix / "bin" / "whorl", "--version")
    print(version)


def pkg_config(arguments, work):
    program = shutil.which("pkg-config")
    if program is None:
        skip("pkg-config is not installed")
    prefix = install(arguments, work)
    found = list(prefix.rglob("whorl.pc"))
    if len(found) != 1:
        sys.exit(f"expected one whorl.pc under {prefix}, found {len(found)}")
    environment = dict(os.environ, PKG_CONFIG_PATH=str(found[0].parent))
    flags = output(program, "--static", "--cflags", "--libs", "whorl", env=environment).split()
    source = pathlib.Path(__file__).parent / "consumer" / "main.cpp"
    run(arguments.cxx, "-std=c++20", "-O1", source, "-o", work / "consumer", *flags)
    check_consumer(work / "consumer")


def compile_whorl(arguments, build, module):
    if os.environ.get("WHORL_LONG_TESTS"):
        run(arguments.cmake, "--build", build)
        check_consumer(build / "consumer")
    else:
        run(arguments.cmake, "--build", build, "--target", module)
        print(f"configured, and compiled {module}; WHORL_LONG_TESTS=1 compiles all and runs the consumer")


def subdirectory(arguments, work):
    build = build_consumer(arguments, work, f"-DWHORL_SOURCE={arguments.source}")
    compile_whorl(arguments, build, "whorl_telemetry")


def fetch_content(arguments, work):
    git = shutil.which("git")
    if git is None or subprocess.run([git, "-C", arguments.source, "rev-parse", "HEAD"], capture_output=True).returncode != 0:
        skip("the source is not a git checkout")
    commit = output(git, "-C", arguments.source, "rev-parse", "HEAD")
    build = build_consumer(arguments, work, f"-DWHORL_SOURCE={arguments.source}", f"-DWHORL_COMMIT={commit}")
    compile_whorl(arguments, build, "whorl_telemetry")


def main():
    routes = {"find_package": find_package, "pkg_config": pkg_config, "subdirectory": subdirectory,
              "fetch_content": fetch_content}
    parser = argparse.ArgumentParser()
    parser.add_argument("route", choices=routes)
    parser.add_argument("--source", required=True, type=pathlib.Path)
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--cmake", required=True)
    parser.add_argument("--cxx", required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="whorl-package.") as folder:
        try:
            routes[arguments.route](arguments, pathlib.Path(folder))
        except subprocess.CalledProcessError as error:
            sys.exit(f"{error.cmd[0]} failed with exit code {error.returncode}")


if __name__ == "__main__":
    main()
