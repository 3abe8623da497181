#!/usr/bin/env python3
"""Uses whorl as another project would and runs a program that proves and verifies, or one that verifies.

usage: route.py ROUTE --source DIR --build DIR --cmake PROGRAM --cxx COMPILER

find_package, pkg_config     install the build at --build into a temporary prefix
find_verifier                the same, for a program that links whorl::verifier, where the prover's libraries cannot be found
subdirectory, fetch_content  compile whorl again, which takes minutes: without WHORL_LONG_TESTS=1 they configure, and compile one module;
                             Boost cannot be found, since a subproject has no simulated GPU
verifier_alone               configures, builds and installs whorl without the prover, where the prover's libraries cannot be found
without_sim                  configures whorl without the simulated GPU, where Boost cannot be found, and runs the program without it: that of
                             the build at --build, with WHORL_LONG_TESTS=1 the one configured, and a consumer with it
debian                       makes Debian packages of the build at --build, extracts them and uses them
conan_recipe                 reads conanfile.py; what it builds is tested by `conan create .`

Exit code: 0 works, 1 does not, 77 skipped.
"""

import argparse
import os
import pathlib
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
import types

SKIPPED = 77
# What only the prover and the program use: CMake packages, headers, symbols and shared libraries.
NOT_THE_VERIFIERS = ("TBB", "Boost", "nlohmann_json", "CLI11")
# tbb/tbb.h itself: libstdc++ asks whether it is there, and clang lists what is asked for among the headers.
FOREIGN_HEADER = re.compile(r"/(tbb|oneapi|boost|nlohmann|CLI)/(?!tbb\.h)")
FOREIGN_SYMBOL = re.compile(r"\b(tbb|boost|nlohmann|CLI)::")
FOREIGN_LIBRARY = re.compile(r"lib(tbb|boost)")
# What only the simulated GPU and the doctor have.
SIM_SYMBOL = re.compile(r"\b(gpu::sim|gpu::mirror|boost)::")
# What the program makes of its table of options.
PROGRAM_TEXTS = ("bash-completion/completions/whorl", "_whorl", "vendor_completions.d/whorl.fish", "man1/whorl.1")
VECTOR = pathlib.Path("tests/vectors/mixture")


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
    for text in PROGRAM_TEXTS:
        if not list(prefix.rglob(text)):
            sys.exit(f"no {text} is installed")


def pkg_config_flags(program, prefix, package):
    found = list(prefix.rglob(f"{package}.pc"))
    if len(found) != 1:
        sys.exit(f"expected one {package}.pc under {prefix}, found {len(found)}")
    environment = dict(os.environ, PKG_CONFIG_PATH=str(found[0].parent))
    return output(program, "--static", "--cflags", "--libs", package, env=environment).split()


def compile_c(arguments, work, example, flags):
    """examples/EXAMPLE.c as a reader compiles it; None where there is no C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        print("no C compiler: the C ABI is not tested")
        return None
    run(compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", arguments.source / "examples" / f"{example}.c", "-o", work / example, *flags)
    return work / example


def pkg_config(arguments, work):
    program = shutil.which("pkg-config")
    if program is None:
        skip("pkg-config is not installed")
    prefix = install(arguments, work)
    flags = pkg_config_flags(program, prefix, "whorl")
    source = pathlib.Path(__file__).parent / "consumer" / "main.cpp"
    run(arguments.cxx, "-std=c++20", "-O1", source, "-o", work / "consumer", *flags)
    check_consumer(work / "consumer")
    prover = compile_c(arguments, work, "prove_c", flags)
    if prover is not None:
        run(prover, arguments.source / VECTOR)


def compile_whorl(arguments, build, module):
    if os.environ.get("WHORL_LONG_TESTS"):
        run(arguments.cmake, "--build", build)
        check_consumer(build / "consumer")
    else:
        run(arguments.cmake, "--build", build, "--target", module)
        print(f"configured, and compiled {module}; WHORL_LONG_TESTS=1 compiles all and runs the consumer")


def without_package(*names):
    return [f"-DCMAKE_DISABLE_FIND_PACKAGE_{name}=ON" for name in names]


def subdirectory(arguments, work):
    build = build_consumer(arguments, work, f"-DWHORL_SOURCE={arguments.source}", *without_package("Boost"))
    compile_whorl(arguments, build, "whorl_telemetry")


def fetch_content(arguments, work):
    git = shutil.which("git")
    if git is None or subprocess.run([git, "-C", arguments.source, "rev-parse", "HEAD"], capture_output=True).returncode != 0:
        skip("the source is not a git checkout")
    commit = output(git, "-C", arguments.source, "rev-parse", "HEAD")
    build = build_consumer(arguments, work, f"-DWHORL_SOURCE={arguments.source}", f"-DWHORL_COMMIT={commit}",
                           *without_package("Boost"))
    compile_whorl(arguments, build, "whorl_telemetry")


def check_verifier(program, source, work):
    """`program KEY PROOF` accepts a stored proof and rejects an altered one."""
    key = source / VECTOR / "vk.postcard"
    proof = source / VECTOR / "proof.bin"
    altered = bytearray(proof.read_bytes())
    altered[-4] ^= 1  # the lowest byte of the last element: still a proof, but another one
    (work / "altered.bin").write_bytes(altered)
    not_a_proof = source / VECTOR / "task.json"
    for path, expected_code, expected_text in ((proof, 0, "accepted"), (work / "altered.bin", 1, "rejected: "), (not_a_proof, 2, "")):
        done = subprocess.run([program, key, path], stdout=subprocess.PIPE, text=True)
        print(f"{program.name} {path.name}: exit code {done.returncode}, {done.stdout.strip()}")
        if done.returncode != expected_code or not done.stdout.startswith(expected_text):
            sys.exit(f"expected exit code {expected_code} and \"{expected_text}\"")


def check_rests_on_nothing_else(file):
    """No symbol or shared library of what only the prover uses."""
    symbols = output("nm", "-C", file)
    libraries = output("ldd", file) if file.suffix != ".a" else ""
    foreign = FOREIGN_SYMBOL.search(symbols) or FOREIGN_LIBRARY.search(libraries)
    if foreign:
        sys.exit(f"{file} has {foreign.group()}")


def build_verifier_consumer(arguments, work, prefix):
    build = build_consumer(arguments, work, f"-DCMAKE_PREFIX_PATH={prefix}", f"-DWHORL_SOURCE={arguments.source}",
                           *without_package(*NOT_THE_VERIFIERS))
    run(arguments.cmake, "--build", build)
    check_rests_on_nothing_else(build / "consumer")
    check_verifier(build / "consumer", arguments.source, work)


def find_verifier(arguments, work):
    build_verifier_consumer(arguments, work, install(arguments, work))


def verifier_alone(arguments, work):
    build = work / "verifier_alone"
    run(arguments.cmake, "-S", arguments.source, "-B", build, "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={arguments.cxx}",
        "-DCMAKE_BUILD_TYPE=Release", "-DWHORL_PROVER=OFF", *without_package(*NOT_THE_VERIFIERS))
    run(arguments.cmake, "--build", build)
    headers = output(shutil.which("ninja"), "-C", build, "-t", "deps", stderr=subprocess.DEVNULL)
    if foreign := FOREIGN_HEADER.search(headers):
        sys.exit(f"a file of the verifier includes a header of {foreign.group(1)}; ninja -C {build} -t deps tells which")
    check_rests_on_nothing_else(build / "libwhorl_verifier.a")
    check_rests_on_nothing_else(build / "example_verify")
    check_verifier(build / "example_verify", arguments.source, work)

    prefix = work / "prefix"
    run(arguments.cmake, "--install", build, "--prefix", prefix, stdout=subprocess.DEVNULL)
    build_verifier_consumer(arguments, work, prefix)
    program = shutil.which("pkg-config")
    if program is None:
        print("pkg-config is not installed: whorl-verifier.pc is not tested")
        return
    flags = pkg_config_flags(program, prefix, "whorl-verifier")
    run(arguments.cxx, "-std=c++20", "-O1", arguments.source / "examples" / "verify.cpp", "-o", work / "verify", *flags)
    check_rests_on_nothing_else(work / "verify")
    check_verifier(work / "verify", arguments.source, work)
    in_c = compile_c(arguments, work, "verify_c", flags)
    if in_c is not None:
        check_rests_on_nothing_else(in_c)
        check_verifier(in_c, arguments.source, work)


def check_program_without_sim(program, source, work):
    """It names the option that brings what it lacks, and proves on the CPU."""
    if foreign := SIM_SYMBOL.search(output("nm", "-C", program)):
        sys.exit(f"{program} has {foreign.group()}")
    prove = ("prove", "--task", source / VECTOR, "--out", work / "proof.bin", "--quiet")
    no_sim = 'no device "sim" here: this build has no simulated GPU (configure with -DWHORL_SIM=ON); available: cpu'
    no_doctor = 'no command "doctor" in this build (configure with -DWHORL_DOCTOR=ON)'
    for command, expected_code, expected_text in (
            ((*prove, "--device", "sim"), 3, no_sim), (("plan", "--task", source / VECTOR, "--device", "sim"), 3, no_sim),
            (("devices",), 0, "-DWHORL_SIM=ON"), (("--version",), 0, "devices: cpu"), (("doctor",), 2, no_doctor),
            (("help", "doctor"), 2, no_doctor), (prove, 0, "")):
        done = subprocess.run([program, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        print(f"{program.name} {command[0]}: exit code {done.returncode}, {done.stdout.strip()}")
        if done.returncode != expected_code or expected_text not in done.stdout:
            sys.exit(f"expected exit code {expected_code} and \"{expected_text}\"")
    if (work / "proof.bin").read_bytes() != (source / VECTOR / "proof.bin").read_bytes():
        sys.exit("the proof is not the stored one")
    for absent in ("  doctor", "sim\n"):
        if absent in output(program, "--help") + output(program, "--version"):
            sys.exit(f"help or version names {absent.strip()}")


def without_sim(arguments, work):
    build = work / "whorl"

    def configure(*definitions, **options):
        return subprocess.run([arguments.cmake, "-S", arguments.source, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                               f"-DCMAKE_CXX_COMPILER={arguments.cxx}", "-DWHORL_TESTS=OFF", "-DWHORL_BENCH=OFF", "-DWHORL_CUDA=OFF",
                               *definitions], text=True, **options)

    def files_naming(pattern):
        return [name for name in ("build.ninja", "whorl.pc", "whorlConfig.cmake")
                if re.search(pattern, (build / name).read_text(), re.IGNORECASE)]

    if configure("-DWHORL_SIM=OFF", *without_package("Boost")).returncode != 0:
        sys.exit("cannot be configured without the simulated GPU and Boost")
    if found := files_naming(r"boost|gpu_sim|gpu_mirror|whorl_doctor"):
        sys.exit(f"without the simulated GPU, {found} name it, the doctor or Boost")
    program = arguments.build / "whorl_without_sim"
    if os.environ.get("WHORL_LONG_TESTS"):
        run(arguments.cmake, "--build", build)
        program = build / "whorl"
        prefix = work / "prefix"
        run(arguments.cmake, "--install", build, "--prefix", prefix, stdout=subprocess.DEVNULL)
        consumer = build_consumer(arguments, work, f"-DCMAKE_PREFIX_PATH={prefix}", *without_package("Boost"))
        run(arguments.cmake, "--build", consumer)
        check_consumer(consumer / "consumer")
        for file in (program, consumer / "consumer"):
            if "boost" in output("ldd", file):
                sys.exit(f"{file} loads Boost")
    check_program_without_sim(program, arguments.source, work)

    refused = configure("-DWHORL_DOCTOR=ON", stderr=subprocess.PIPE)
    if refused.returncode == 0 or "WHORL_DOCTOR needs WHORL_SIM, which is OFF" not in refused.stderr:
        sys.exit(f"the doctor without the simulated GPU is not refused:\n{refused.stderr}")
    if configure("-DWHORL_SIM=ON", "-DWHORL_DOCTOR=OFF", "-UCMAKE_DISABLE_FIND_PACKAGE_Boost").returncode != 0:
        sys.exit("cannot be configured without the doctor")
    if len(files_naming("boost")) != 3 or files_naming("gpu_mirror|whorl_doctor"):
        sys.exit("without the doctor, there is no simulated GPU, or there is a part of the doctor")


def debian(arguments, work):
    if missing := [name for name in ("dpkg-deb", "dpkg-shlibdeps") if shutil.which(name) is None]:
        skip(f"{missing[0]} is not installed")
    cpack = arguments.cmake.parent / "cpack"
    run(cpack, "-G", "DEB", "--config", arguments.build / "CPackConfig.cmake", "-B", work, "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=none",
        stdout=subprocess.DEVNULL)
    # Package → files that it must have, and what it must depend on.
    expected = {
        "libwhorl-verifier-dev": (("include/whorl/verify.hpp", "whorlVerifierTargets.cmake", "whorl-verifier.pc"), "libhwy-dev"),
        "libwhorl-dev": (("include/whorl/prove.hpp", "whorlProverTargets.cmake", "whorl.pc"), "libwhorl-verifier-dev (= "),
        "whorl": (("bin/whorl", *PROGRAM_TEXTS), "libtbb12"),
    }
    root = work / "root"
    all_files = set()
    for name, (files, dependency) in expected.items():
        (package,) = work.glob(f"{name}_*.deb")
        contents = output("dpkg-deb", "--contents", package)
        paths = {line.split()[-1] for line in contents.splitlines() if not line.startswith("d")}
        for file in files:
            if not any(path.endswith("/" + file) for path in paths):
                sys.exit(f"{package.name} has no {file}:\n{contents}")
        if twice := all_files & paths:
            sys.exit(f"{package.name} has files of another package: {sorted(twice)}")
        all_files |= paths
        depends = output("dpkg-deb", "--field", package, "Depends")
        print(f"{package.name}: {package.stat().st_size} bytes, {len(paths)} files, depends on {depends}")
        if dependency not in depends:
            sys.exit(f"{package.name} does not depend on {dependency}")
        run("dpkg-deb", "--extract", package, root)
    print(output(root / "usr" / "bin" / "whorl", "--version"))
    build = build_consumer(arguments, work, f"-DCMAKE_PREFIX_PATH={root / 'usr'}")
    run(arguments.cmake, "--build", build)
    check_consumer(build / "consumer")


def conan_recipe(arguments, work):
    """Reads the recipe without Conan: that it finds the version, and that what it names is there."""
    class Anything(types.ModuleType):
        def __getattr__(self, name):
            return type(name, (), {})

    for module in ("conan", "conan.tools", "conan.tools.build", "conan.tools.cmake", "conan.tools.files"):
        sys.modules[module] = Anything(module)
    sys.modules["conan.tools.files"].load = lambda recipe, path: pathlib.Path(path).read_text()
    runpy.run_path(str(arguments.source / "test_package" / "conanfile.py"))
    recipe = runpy.run_path(str(arguments.source / "conanfile.py"))["WhorlRecipe"]()
    recipe.recipe_folder = arguments.source
    recipe.set_version()
    for pattern in (recipe.exports, *recipe.exports_sources):
        if not list(arguments.source.glob(pattern)):
            sys.exit(f"the recipe exports {pattern}, which is not there")
    cmake_files = (arguments.source / "CMakeLists.txt", *(arguments.source / "cmake").glob("*.cmake"))
    known = "".join(path.read_text() for path in cmake_files)
    for option in re.findall(r'"(WHORL_[A-Z]+)"', (arguments.source / "conanfile.py").read_text()):
        if not re.search(rf"(option|set)\({option} ", known):
            sys.exit(f"the recipe sets {option}, which is no option of whorl's")
    print(f"the recipe is of whorl {recipe.version} and names what is there")


def main():
    routes = {"find_package": find_package, "pkg_config": pkg_config, "find_verifier": find_verifier,
              "subdirectory": subdirectory, "fetch_content": fetch_content, "verifier_alone": verifier_alone,
              "without_sim": without_sim, "debian": debian, "conan_recipe": conan_recipe}
    parser = argparse.ArgumentParser()
    parser.add_argument("route", choices=routes)
    parser.add_argument("--source", required=True, type=pathlib.Path)
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--cmake", required=True, type=pathlib.Path)
    parser.add_argument("--cxx", required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="whorl-package.") as folder:
        try:
            routes[arguments.route](arguments, pathlib.Path(folder))
        except subprocess.CalledProcessError as error:
            sys.exit(f"{error.cmd[0]} failed with exit code {error.returncode}")


if __name__ == "__main__":
    main()
