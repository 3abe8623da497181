#!/usr/bin/env python3
"""Looks for shapes on which whorl is slower than the peer: AIRs alike, of every height and kind, by turns.

    bench/peers/run.sh --runs 1 verify                    # builds both programs
    bench/peers/sweep.py [--runs N] [--threads N] [--many N] [PATTERN]

A task folder is made for each shape and round, and both programs prove it, each proof in a fresh process. Each round draws other columns:
in short proofs most of the time is proof of work, whose luck depends on them, so the ratio is that of the sums over all rounds. With
--many one more line is of so many tiny proofs (tests/vectors/fib_2e5, hardly any proof of work) that a process makes one after another.
The last line names the worst. Writes build/bench/sweep.json.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def shape(height, airs=1, columns=100, constraints=50, interactions=10, buses=1, stacked=None):
    options = {"num-airs": airs, "num-columns": columns, "num-constraints": constraints,
               "num-interactions": interactions, "num-buses": buses, "log-height": height}
    if stacked:
        options["log-stacked-height"] = stacked
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


SHAPES = {
    **{f"100 columns, 2^{h} rows": shape(h) for h in (4, 6, 8, 10, 12, 14, 16)},
    **{f"8 columns, 2^{h} rows": shape(h, columns=8, constraints=4, interactions=3) for h in (12, 16, 18, 20)},
    **{f"30 columns without interactions, 2^{h} rows": shape(h, columns=30, constraints=20, interactions=0) for h in (10, 14, 18)},
    **{f"8 columns without constraints, 2^{h} rows": shape(h, columns=8, constraints=0, interactions=6) for h in (10, 14, 18)},
    "1,000 columns, 2^12 rows": shape(12, columns=1000, constraints=500, interactions=100),
    "50 AIRs of 20 columns, 2^4 rows": shape(4, airs=50, columns=20, constraints=10, interactions=5),
    "50 AIRs of 20 columns, 2^10 rows": shape(10, airs=50, columns=20, constraints=10, interactions=5),
    "100 buses, 2^12 rows": shape(12, airs=10, columns=30, constraints=10, interactions=10, buses=100),
    "many constraints, 2^10 rows": shape(10, columns=200, constraints=5000, interactions=0),
    "4 columns in a stack of 2^22, 2^20 rows": shape(20, columns=4, constraints=2, interactions=1, stacked=22),
}


def run(command, env):
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stderr.strip()}")
    return done.stdout


def many_proofs(options, env, threads):
    """Times of one process each that proves a tiny task options.many times."""
    task = ROOT / "tests/vectors/fib_2e5"
    text = run([options.whorl, "bench", "--task", task, "--runs", str(options.many), "--quiet", *threads], env)
    lines = map(json.loads, text.splitlines())
    whorl_ms = sum(line["prove_ms"] for line in lines if line["kind"] == "run")
    return whorl_ms, json.loads(run([options.peer, "task", "--task", task, "--proofs", str(options.many)], env))["prove_ms"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pattern", nargs="?", default="", help="only shapes whose name has it")
    parser.add_argument("--runs", type=int, default=5, help="rounds: each program takes one turn a round")
    parser.add_argument("--many", type=int, default=0, metavar="N", help="also N tiny proofs one after another")
    parser.add_argument("--threads", type=int, default=0, help="0: one per core, as both programs choose")
    parser.add_argument("--whorl", type=Path, default=ROOT / "build/release/whorl")
    parser.add_argument("--peer", type=Path, default=ROOT / "build/rust/native/release/peer")
    parser.add_argument("--out", type=Path, default=ROOT / "build/bench/sweep.json")
    options = parser.parse_args()
    env = dict(os.environ)
    threads = []
    if options.threads:
        env["RAYON_NUM_THREADS"] = str(options.threads)
        threads = ["--threads", str(options.threads)]

    found = []

    def note(name, rounds):
        whorl_ms, peer_ms = (sum(times) / len(rounds) for times in zip(*rounds))
        ratio = whorl_ms / peer_ms
        print(f"{name:<48} {whorl_ms:9.1f} {peer_ms:9.1f} {ratio:6.2f}", flush=True)
        found.append({"shape": name, "whorl_ms": whorl_ms, "peer_ms": peer_ms, "ratio": ratio, "rounds": rounds})

    print(f"{'ms, means of ' + str(options.runs):<48} {'whorl':>9} {'peer':>9} {'ratio':>6}")
    for name, arguments in SHAPES.items():
        if options.pattern not in name:
            continue
        rounds = []
        for index in range(options.runs):
            with tempfile.TemporaryDirectory() as folder:
                task = Path(folder) / "task"
                run([options.whorl, "bench", "shape", *arguments, "--seed", str(index), "--task-out", task], env)

                def whorl():
                    text = run([options.whorl, "bench", "--task", task, "--runs", "1", "--quiet", *threads], env)
                    return json.loads(text.splitlines()[0])

                def peer():
                    return json.loads(run([options.peer, "task", "--task", task], env))

                order = [whorl, peer] if index % 2 == 0 else [peer, whorl]
                results = {program.__name__: program() for program in order}
            if results["whorl"]["proof_bytes"] != results["peer"]["proof_bytes"]:
                sys.exit(f"{name}: proofs of different lengths: not the same workload")
            rounds.append((results["whorl"]["prove_ms"], results["peer"]["prove_ms"]))
        note(name, rounds)
    if options.many:
        note(f"{options.many:,} proofs of 2^5 rows", [many_proofs(options, env, threads)])
    if not found:
        sys.exit(f"no shape has \"{options.pattern}\" in its name")
    worst = max(found, key=lambda line: line["ratio"])
    print(f"worst: {worst['ratio']:.2f}, {worst['shape']}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
