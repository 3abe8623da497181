#!/usr/bin/env python3
"""Checks what the fake Metal runtime finds: puts errors into the Metal backend's host code, one at a time, and proves.

    seeded_host_errors.py --source src/device/metal --build build/release --vectors tests/vectors

Each error goes into a copy of one file, which takes the place of the original in whorl_on_fake_metal: compiled and linked
with the build's own commands, as Ninja tells them. The program then proves small tasks on the fake device. An error is
found if it does not compile, or if one of the proofs does not come, is another than the stored one, or leaves Metal
objects behind, or at last if `whorl doctor` finds the device wrong. Exit codes: 0 all found, 1 some were not, 77 the build
is not Ninja's (ctest takes the test for skipped).
"""

import argparse
import concurrent.futures
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
from typing import NamedTuple

# What is proved, until something is wrong, and the seed of what the fake draws: quick tasks in several orders, then one
# with traces that are not copied.
PROOFS = [(vector, order) for order in range(4) for vector in ("interactions", "fib_2e5")] + [("keccak_5_perms", 0)]
TIMEOUT_S = 90


class Seed(NamedTuple):
    name: str
    file: str
    right: str  # is in the file once …
    wrong: str  # … and becomes this


SEEDS = [
    # Order
    Seed("no encoder waits for another", "encoder_order.hpp",
         "if (stands_for_all_ || earlier.accesses.conflicts_with(accesses))", "if (stands_for_all_)"),
    Seed("no fence is updated", "encoder_order.hpp",
         "encoder.updateFence(add(stands_for_all_ ? kAll : accesses));", "add(accesses);"),
    Seed("reads do not wait for writes", "encoder_order.cpp", "overlap(writes, later.reads) || ", ""),
    Seed("writes do not wait for writes and reads", "encoder_order.cpp",
         " || overlap(writes, later.writes) || overlap(reads, later.writes)", ""),
    Seed("what waits for all stands for itself alone", "encoder_order.hpp", "stands_for_all_ ? kAll : accesses",
         "accesses"),
    Seed("what dispatches write is not declared", "metal_runtime.cpp",
         "if (use.is_written) accesses_.writes", "if (use.is_written) accesses_.reads"),
    Seed("what copies write is not declared", "metal_runtime.cpp",
         "accesses_.writes.push_back({command.destination", "accesses_.reads.push_back({command.destination"),
    Seed("signals overtake each other", "metal_runtime.cpp", "buffer->encodeWait(event_.get(), last_signal_);", ""),
    # Waiting
    Seed("results are read before they are there", "metal_runtime.cpp",
         "while (event_->signaledValue() < last_signal_) {", "while (false) {"),
    Seed("a submission is not committed", "metal_runtime.cpp", "buffer->commit();", ""),
    Seed("an encoder is not ended", "metal_runtime.cpp", "~EndOfEncoding() { encoder.endEncoding(); }",
         "~EndOfEncoding() {}"),
    # Residency
    Seed("buffers are not made resident", "metal_runtime.cpp",
         "if (!read.empty()) encoder.useResources(read.data(), read.size(), MTL::ResourceUsageRead);", ""),
    Seed("what is written is made resident for reading", "metal_runtime.cpp",
         "written.size(), MTL::ResourceUsageRead | MTL::ResourceUsageWrite", "written.size(), MTL::ResourceUsageRead"),
    # Arguments
    Seed("no pipeline is set", "metal_runtime.cpp",
         "encoder.setComputePipelineState(pipeline(*command.kernel));", ""),
    Seed("parameters in another slot", "metal_runtime.cpp", "command.kernel->params_size, 0);",
         "command.kernel->params_size, 1);"),
    Seed("parameters of another dispatch", "metal_runtime.cpp",
         "encoder.setBytes(submission.params.data() + command.params,", "encoder.setBytes(submission.params.data(),"),
    Seed("threads for threadgroups", "metal_runtime.cpp", "encoder.dispatchThreadgroups(", "encoder.dispatchThreads("),
    Seed("a threadgroup too few", "metal_runtime.cpp", "MTL::Size(command.groups, 1, 1)",
         "MTL::Size(command.groups > 1 ? command.groups - 1 : 1, 1, 1)"),
    Seed("half of each threadgroup", "metal_runtime.cpp", "MTL::Size(command.kernel->threads, 1, 1)",
         "MTL::Size((command.kernel->threads + 1) / 2, 1, 1)"),
    Seed("copies from the start of a buffer", "metal_runtime.cpp", "from.buffer.get(), command.source - from.first,",
         "from.buffer.get(), 0,"),
    Seed("fills with another byte", "metal_runtime.cpp", "NS::Range::Make(offset, command.bytes), command.byte",
         "NS::Range::Make(offset, command.bytes), 1"),
    # Memory
    Seed("wrapped memory is not whole pages", "memory.cpp", "(offset + bytes + page - 1) / page * page",
         "offset + bytes"),
    Seed("private memory is read by the host", "memory.cpp", "mode == MTL::StorageModePrivate ? nullptr :", ""),
    Seed("a part starts where its block does", "memory.cpp", "blocks_.at(block.id) + offset;",
         "blocks_.at(block.id) + 0 * offset;"),
    Seed("objects without a pool", "metal_runtime.cpp",
         "    std::invoke_result_t<const Work&> guarded(const Work& work) const {\n        const AutoreleasePool pool;",
         "    std::invoke_result_t<const Work&> guarded(const Work& work) const {"),
    Seed("a command buffer is released twice", "metal_runtime.cpp", "NS::RetainPtr(queue_->commandBuffer(",
         "NS::TransferPtr(queue_->commandBuffer("),
    Seed("a buffer is never released", "memory.cpp",
         "auto buffer = NS::TransferPtr(device_.newBuffer(bytes,", "auto buffer = NS::RetainPtr(device_.newBuffer(bytes,"),
    # Kernels
    Seed("another kernel's function", "library.cpp", "library.newFunction(ns_string(kernel.name))",
         'library.newFunction(ns_string("fold_pairs"))'),
]


def build_commands(build):
    """The words of the commands that make whorl_on_fake_metal, one list for each."""
    run = subprocess.run(["ninja", "-C", build, "-t", "commands", "whorl_on_fake_metal"],
                         capture_output=True, text=True, check=True)
    return [shlex.split(line) for line in run.stdout.splitlines()]


def until_and(words):
    """The words before the first && that is not at the start."""
    words = words[words.index("&&") + 1 :]
    return words[: words.index("&&")] if "&&" in words else words


def after(words, option, value):
    """The words with another value of an option."""
    at = words.index(option)
    return [*words[: at + 1], str(value), *words[at + 2 :]]


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1][:110] if lines else ""


def run_program(program, order, command, *arguments):
    """A command on the fake device, which draws from `order`; None where it takes too long."""
    try:
        return subprocess.run([program, command, "--device", "metal", "--quiet", *arguments], capture_output=True,
                              text=True, timeout=TIMEOUT_S, env=dict(os.environ, WHORL_FAKE_METAL_SEED=str(order)))
    except subprocess.TimeoutExpired:
        return None


def with_first_include(words, folder):
    """The words with one more folder for headers, before all others."""
    at = next(i for i, word in enumerate(words) if word.startswith("-I"))
    return [*words[:at], f"-I{folder}", *words[at:]]


class Planter:
    def __init__(self, arguments):
        self.source = arguments.source
        self.build_folder = arguments.build
        self.vectors = arguments.vectors
        self.work = arguments.build / "seeded_host_errors"
        commands = build_commands(arguments.build)
        compile_words = next(until_and(words) for words in commands
                             if str(arguments.source / "metal_runtime.cpp") in words)
        self.compile_words = [word for word in compile_words if word != "-Werror"]  # what runs must show the error
        self.link_words = until_and(commands[-1])

    def build(self, number, seed):
        """The program with the error in it: its path and None, or None and the compiler's message."""
        folder = self.work / str(number)
        copies = folder / "device" / "metal"
        copies.mkdir(parents=True, exist_ok=True)
        text = (self.source / seed.file).read_text()
        if text.count(seed.right) != 1:
            raise SystemExit(f"{seed.name}: not once in {seed.file}: {seed.right}")
        (copies / seed.file).write_text(text.replace(seed.right, seed.wrong))
        # A header's error goes into the one file that uses it.
        source = copies / (seed.file if seed.file.endswith(".cpp") else "metal_runtime.cpp")
        if source.name != seed.file:
            shutil.copy(self.source / source.name, source)
        built = folder / (source.stem + ".o")
        words = after(after(after(self.compile_words, "-c", source), "-o", built), "-MF", f"{built}.d")
        run = subprocess.run(with_first_include(words, folder), capture_output=True, text=True, cwd=self.build_folder)
        if run.returncode != 0:
            return None, next(line for line in run.stderr.splitlines() if "error:" in line)
        # The linker takes no object from a library whose symbols it has already.
        program = folder / "whorl"
        words = after(self.link_words, "-o", program)
        at = words.index("-o")
        subprocess.run([*words[:at], str(built), *words[at:]], check=True, cwd=self.build_folder)
        return program, None

    def verdict(self, program):
        """How proofs show the error; None where they do not."""
        for vector, order in PROOFS:
            folder = self.vectors / vector
            proof = program.with_suffix(".proof")
            run = run_program(program, order, "prove", "--task", folder, "--out", proof)
            if run is None:
                return "never ends"
            if run.returncode != 0:
                return f"exit code {run.returncode}: {last_line(run.stderr)}"
            if proof.read_bytes() != (folder / "proof.bin").read_bytes():
                return f"another proof of {vector}"
        run = run_program(program, 1, "doctor")
        if run is None:
            return "the doctor never ends"
        wrong = [line for line in run.stdout.splitlines() if "WRONG" in line]
        return None if run.returncode == 0 else f"doctor: {(wrong or [last_line(run.stderr)])[0][:110]}"

    def plant(self, number, seed):
        program, message = self.build(number, seed)
        return f"does not compile: {message}" if program is None else self.verdict(program)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", required=True, type=pathlib.Path)
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--vectors", required=True, type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    if not (arguments.build / "build.ninja").exists():
        print("skipped: the build is not Ninja's")
        return 77

    planter = Planter(arguments)
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        verdicts = list(pool.map(planter.plant, range(len(SEEDS)), SEEDS))
    for seed, verdict in zip(SEEDS, verdicts):
        print(f"{'found' if verdict else 'NOT FOUND'}: {seed.name}{': ' + verdict if verdict else ''}")
    missed = sum(verdict is None for verdict in verdicts)
    print(f"{len(SEEDS)} seeded errors in host code: {missed} not found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
