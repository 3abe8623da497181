#!/usr/bin/env python3
"""Poseidon2 of whorl (bench/micro) beside Plonky3's packed permutation, by turns, on each instruction set that both have.

usage: permutation.py [--runs N] [--bench build/release/micro_bench]

Plonky3 chooses its instruction set when it is compiled, so it is built once per set (cargo, in build/rust/permutation-*).
Rates are permutations per second of processor time on one thread. Exit code: 0 measured, 3 cargo or the benchmark is missing.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# whorl's name, rustc's flags, the processor flag of /proc/cpuinfo.
INSTRUCTION_SETS = [
    ("AVX-512 IFMA", "-C target-cpu=native", "avx512ifma"),
    ("AVX-512", "-C target-cpu=native", "avx512dq"),
    ("AVX2", "-C target-cpu=native -C target-feature=-avx512f", "avx2"),
]


def peer_program(name, flags):
    folder = ROOT / "build" / "rust" / f"permutation-{name.lower().replace(' ', '-')}"
    manifest = pathlib.Path(__file__).parent / "permutation" / "Cargo.toml"
    subprocess.run(["cargo", "build", "--quiet", "--release", "--manifest-path", manifest, "--target-dir", folder], check=True,
                   env=dict(os.environ, RUSTFLAGS=flags))
    return folder / "release" / "permutation"


def whorl_rate(bench, name):
    result = subprocess.run([bench, f"--benchmark_filter=^poseidon2/permute/{name}$", "--benchmark_format=json",
                             "--benchmark_min_time=0.5"], check=True, capture_output=True, text=True)
    return json.loads(result.stdout)["benchmarks"][0]["items_per_second"]


def peer_rate(program):
    return json.loads(subprocess.run([program], check=True, capture_output=True, text=True).stdout)["permutations_per_s"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--bench", type=pathlib.Path, default=ROOT / "build" / "release" / "micro_bench")
    arguments = parser.parse_args()
    if shutil.which("cargo") is None or not arguments.bench.exists():
        print(f"permutation.py: needs cargo and {arguments.bench} (make bench builds it)", file=sys.stderr)
        return 3
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    for name, rust_flags, needed in INSTRUCTION_SETS:
        if needed not in flags:
            print(f"{name}: this processor does not have it")
            continue
        program = peer_program(name, rust_flags)
        whorl, peer = [], []
        for _ in range(arguments.runs):
            whorl.append(whorl_rate(arguments.bench, name))
            peer.append(peer_rate(program))
        ratio = statistics.median(w / p for w, p in zip(whorl, peer))
        print(f"{name}: whorl {statistics.median(whorl) / 1e6:.2f} M/s, Plonky3 {statistics.median(peer) / 1e6:.2f} M/s, "
              f"ratio {ratio:.2f} (median of {arguments.runs} turns, {min(w / p for w, p in zip(whorl, peer)):.2f} to "
              f"{max(w / p for w, p in zip(whorl, peer)):.2f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
