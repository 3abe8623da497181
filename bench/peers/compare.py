#!/usr/bin/env python3
"""Runs whorl and a peer by turns and prints medians, ratios, memory and spans side by side.

Started by run.sh and cuda.sh. Every measurement is a fresh process, alike for both programs: on the CPU it proves (or
verifies) once, on a GPU it warms up, proves several times, and the median proof counts.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VECTOR = ROOT / "tests" / "vectors" / "keccakf_1024"
# A verification takes milliseconds: more of them cost nothing and calm the median.
VERIFICATIONS_PER_RUN = 5


class Spans:
    """A list of {name, parent, time_ms} with sums by name and by path."""

    def __init__(self, spans):
        self.spans = spans

    def ancestors(self, span):
        while span.get("parent") is not None:
            span = self.spans[span["parent"]]
            yield span

    def total_ms(self, name, under=None):
        """The time in spans of that name, below a span `under`; None when there is none."""
        times = []
        for span in self.spans:
            above = [a["name"] for a in self.ancestors(span)]
            if span["name"] == name and name not in above and (under is None or under in above):
                times.append(span["time_ms"])
        return sum(times) if times else None

    def by_path(self):
        """{path: (count, ms)} in order of first appearance."""
        paths = {}
        for span in self.spans:
            path = tuple(reversed([span["name"], *(a["name"] for a in self.ancestors(span))]))
            count, ms = paths.get(path, (0, 0.0))
            paths[path] = (count + 1, ms + span["time_ms"])
        return paths


PROOF = "stark_prove_excluding_trace"
COMMIT = "prover.main_trace_commit"


def spans_of_proof(spans, index):
    """The spans of one proof among several, as a list of its own. A span comes after its parent."""
    root = [i for i, span in enumerate(spans) if span["name"] == PROOF][index]
    own, place = [{**spans[root], "parent": None}], {root: 0}
    for i, span in enumerate(spans):
        if span["parent"] in place:
            place[i] = len(own)
            own.append({**span, "parent": place[span["parent"]]})
    return own


def median_run(runs):
    return sorted(runs, key=lambda r: r["prove_ms"])[(len(runs) - 1) // 2]


def total(*names, under=None):
    """A stage that is the sum of the named spans."""

    def stage(spans):
        times = [t for name in names if (t := spans.total_ms(name, under)) is not None]
        return sum(times) if times else None

    return stage


def rest(whole, *parts):
    """A stage that is what `parts` leave of `whole`."""

    def stage(spans):
        ms = spans.total_ms(whole)
        return None if ms is None else ms - sum(spans.total_ms(part) or 0.0 for part in parts)

    return stage


# Stage: in whorl's spans, in the peer's.
CPU_STAGES = [
    ("prove, excluding trace", total(PROOF), total(PROOF)),
    ("commit main trace", total(COMMIT), total(COMMIT)),
    ("  codewords", total("rs_code_matrix", under=COMMIT),
     total("eval_to_coeff_phase", "transpose_to_rm", "dft_batch", under=COMMIT)),
    ("  Merkle tree", total("merkle_tree", under=COMMIT), total("row_hash", "digest_layers", under=COMMIT)),
    ("constraints", total("prover.rap_constraints"), total("prove_zerocheck_and_logup")),
    ("  LogUp GKR", total("logup_gkr"), total("fractional_sumcheck")),
    ("  round 0 and the rest", rest("prover.rap_constraints", "logup_gkr", "mle_rounds"),
     rest("prove_zerocheck_and_logup", "fractional_sumcheck", "prover.batch_constraints.mle_rounds")),
    ("  MLE rounds", total("mle_rounds"), total("prover.batch_constraints.mle_rounds")),
    ("openings", total("prover.openings"), total("prove_stacked_opening_reduction", "prove_whir_opening_cpu")),
    ("  stacked reduction", total("stacked_reduction"), total("prove_stacked_opening_reduction")),
    ("  WHIR", total("whir"), total("prove_whir_opening_cpu")),
]

CUDA_STAGES = [
    ("prove, excluding trace", total(PROOF), total(PROOF)),
    ("commit main trace", total(COMMIT), total(COMMIT)),
    ("  codewords", total("rs_code_matrix", under=COMMIT), total("rs_code_matrix", under=COMMIT)),
    ("  Merkle tree", total("merkle_tree", under=COMMIT), total("merkle_tree", under=COMMIT)),
    ("constraints", total("prover.rap_constraints"), total("prover.rap_constraints")),
    ("  LogUp GKR", total("logup_gkr"), total("prover.rap_constraints.logup_gkr")),
    ("  round 0", total("round0"), total("prover.rap_constraints.round0")),
    ("  MLE rounds", total("mle_rounds"), total("prover.rap_constraints.mle_rounds")),
    ("openings", total("prover.openings"), total("prover.openings")),
    ("  stacked reduction", total("stacked_reduction"), total("prover.openings.stacked_reduction")),
    ("  WHIR", total("whir"), total("prover.openings.whir")),
]


def run(command, env):
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stderr.strip()}")
    return done.stdout


def proving_arguments(workload, options):
    if workload == "segment":
        return ["task", "--task", options.task]
    return [workload, *(["--inputs", VECTOR / "inputs.u64le"] if workload == "keccakf" else [])]


class Peer:
    name = "peer"

    def __init__(self, options):
        self.program = options.peer
        self.options = options
        self.env = dict(os.environ)
        if options.threads:
            self.env["RAYON_NUM_THREADS"] = str(options.threads)


class CpuPeer(Peer):
    title = "openvm-cpu-backend 2.0.1"
    stages = CPU_STAGES
    memory_key = "peak_rss_bytes"

    def prove(self, workload):
        return json.loads(run([self.program, *proving_arguments(workload, self.options)], self.env))

    def verify(self):
        return json.loads(run([self.program, "verify", "--vk", VECTOR / "vk.postcard", "--proof", VECTOR / "proof.bin"], self.env))


class CudaPeer(Peer):
    title = "openvm-cuda-backend 2.0.1"
    stages = CUDA_STAGES
    memory_key = "peak_device_bytes"

    def prove(self, workload):
        counts = ["--warm-ups", str(self.options.warm_ups), "--runs", str(self.options.proofs)]
        text = run([self.program, *proving_arguments(workload, self.options), *counts], self.env)
        return median_run([line for line in map(json.loads, text.splitlines()) if line["kind"] == "run"])


class Whorl:
    name = "whorl"

    def __init__(self, options):
        self.program = options.whorl
        self.options = options
        self.common = ["--quiet", *(["--threads", str(options.threads)] if options.threads else [])]
        self.env = dict(os.environ)

    def with_metrics(self, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "metrics.json"
            # Verification takes one thread.
            common = ["--quiet"] if arguments[0] == "verify" else self.common
            text = run([self.program, *arguments, *common, "--metrics", path], self.env)
            return text, json.loads(path.read_text())

    def prove(self, workload):
        num_warm_ups = self.options.warm_ups
        runs = ["--runs", str(num_warm_ups + self.options.proofs)]
        what = ["--task", self.options.task] if workload == "segment" else [workload]
        text, metrics = self.with_metrics("bench", *what, *runs, "--device", self.options.device)
        lines = [line for line in map(json.loads, text.splitlines()) if line["kind"] == "run"]
        line = median_run(lines[num_warm_ups:])
        line["spans"] = spans_of_proof(metrics["spans"], line["run"])
        return line

    def verify(self):
        _, metrics = self.with_metrics("verify", "--vk", VECTOR / "vk.postcard", "--proof", VECTOR / "proof.bin")
        return {"verify_ms": Spans(metrics["spans"]).total_ms("verify")}


def touch_memory(size):
    """Takes `size` bytes and gives them back. A virtual machine may have returned its free pages to the host, from which they come back at
    less than 1 GB/s: not in the time of whichever program is the first to need them."""
    if size:
        run([sys.executable, "-c", f"import mmap\nm = mmap.mmap(-1, {size})\nfor i in range(0, {size}, 4096): m[i] = 1"], None)


def take_turns(programs, num_rounds, measure):
    """{name: [result]}; the first of a round is the last of the next. Each has the memory at hand that any took before."""
    results = {program.name: [] for program in programs}
    most = 0
    for index in range(num_rounds):
        for program in programs if index % 2 == 0 else reversed(programs):
            touch_memory(most)
            result = measure(program)
            results[program.name].append(result)
            most = max(most, result.get("peak_rss_bytes", 0))
    return results


def median(results, key):
    return statistics.median(r[key] for r in results)


def paired_ratios(results, key):
    return [w[key] / p[key] for w, p in zip(results["whorl"], results["peer"])]


def megabytes(size):
    return size / 1e6


def number(value, width=10, digits=1):
    return " " * (width - 1) + "-" if value is None else f"{value:{width}.{digits}f}"


class Report:
    def __init__(self):
        self.lines = []

    def say(self, line=""):
        print(line, flush=True)
        self.lines.append(line)


def median_of(spans, stage):
    values = [v for s in spans if (v := stage(s)) is not None]
    return statistics.median(values) if values else None


def comparison(report, title, rows):
    """rows: (label, whorl, peer, ratio, unit)"""
    report.say(f"{title:<26} {'whorl':>10} {'peer':>10} {'ratio':>7}")
    for label, whorl, peer, ratio, unit in rows:
        report.say(f"{label + ', ' + unit:<26} {number(whorl)} {number(peer)} {number(ratio, 7, 2)}")
    report.say()


def span_list(report, name, all_spans):
    """The spans of one program by path: medians over its runs."""
    report.say(f"spans of {name}, ms (count)")
    tables = [s.by_path() for s in all_spans]
    whole = statistics.median(sum(ms for path, (_, ms) in t.items() if len(path) == 1) for t in tables)
    for path, (count, _) in tables[0].items():
        ms = statistics.median(t[path][1] if path in t else 0.0 for t in tables)
        if ms >= whole / 1000:
            label = "  " * len(path) + path[-1] + (f" ({count})" if count > 1 else "")
            report.say(f"{label:<52} {number(ms)}")
    report.say()


def ratio(whorl, peer):
    return None if whorl is None or not peer else whorl / peer


def compare_proofs(report, programs, workload, num_rounds):
    reference = programs[-1]
    results = take_turns(programs, num_rounds, lambda program: program.prove(workload))
    whorl, peer = results["whorl"], results["peer"]
    if whorl[0]["proof_bytes"] != peer[0]["proof_bytes"]:
        sys.exit(f"{workload}: proofs of {whorl[0]['proof_bytes']} and {peer[0]['proof_bytes']} bytes: not the same workload")
    ratios = paired_ratios(results, "prove_ms")
    rows = [("prove", median(whorl, "prove_ms"), median(peer, "prove_ms"), statistics.median(ratios), "ms")]
    fastest = [min(r["prove_ms"] for r in results[p]) for p in ("whorl", "peer")]
    rows.append(("prove, fastest", *fastest, fastest[0] / fastest[1], "ms"))
    rows.append(("verify after proving", median(whorl, "verify_ms"), median(peer, "verify_ms"),
                 statistics.median(paired_ratios(results, "verify_ms")), "ms"))
    memory = [max((megabytes(r[reference.memory_key]) for r in results[p] if reference.memory_key in r), default=None)
              for p in ("whorl", "peer")]
    rows.append(("peak memory", *memory, ratio(*memory), "MB"))
    comparison(report, f"{workload}: medians of {num_rounds}", rows)

    spans = {p: [Spans(r["spans"]) for r in results[p]] for p in ("whorl", "peer")}
    stages = []
    for label, in_whorl, in_peer in reference.stages:
        w, p = median_of(spans["whorl"], in_whorl), median_of(spans["peer"], in_peer)
        # A ratio of next to nothing says nothing.
        stages.append((label, w, p, ratio(w, p) if p is not None and p >= 0.1 else None, "ms"))
    comparison(report, f"{workload}: stages", stages)
    for name in ("whorl", "peer"):
        span_list(report, name, spans[name])
    return {
        "results": results,
        "prove_ratio_median": statistics.median(ratios),
        "prove_ratios": ratios,
        "stages": [{"stage": s[0].strip(), "whorl_ms": s[1], "peer_ms": s[2]} for s in stages],
    }


def compare_verification(report, programs, num_rounds):
    results = take_turns(programs, num_rounds, lambda program: program.verify())
    ratios = paired_ratios(results, "verify_ms")
    row = ("verify", median(results["whorl"], "verify_ms"), median(results["peer"], "verify_ms"), statistics.median(ratios), "ms")
    comparison(report, f"keccakf proof: {num_rounds} runs", [row])
    return {"results": results, "verify_ratio_median": statistics.median(ratios), "verify_ratios": ratios}


def cpu_model():
    try:
        text = Path("/proc/cpuinfo").read_text()
        return next(line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown processor"


def gpu_model():
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    return run(query, dict(os.environ)).splitlines()[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", default="all", choices=["keccakf", "logup", "segment", "verify", "all"])
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--runs", type=int, default=5, help="rounds: each program takes one turn a round")
    parser.add_argument("--proofs", type=int, help="timed proofs a turn; cpu: 1, cuda: 10")
    parser.add_argument("--proof", type=int, default=118, help="of segment: which of the block's proofs (whorl bench --proof)")
    parser.add_argument("--scale", type=int, help="of segment: heights are divided by 2^K; cpu: 4, cuda: 0")
    parser.add_argument("--log-stacked-height", type=int, help="of segment: log2 of the stacked height; by default that of the block, scaled")
    parser.add_argument("--threads", type=int, default=0, help="0: one per core, as both programs choose")
    parser.add_argument("--whorl", type=Path, required=True)
    parser.add_argument("--peer", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    is_cpu = options.device == "cpu"
    if is_cpu and options.proofs not in (None, 1):
        parser.error("on the CPU a turn is one proof")
    if not is_cpu and options.what == "verify":
        parser.error("both programs verify on the CPU")
    options.warm_ups = 0 if is_cpu else 2
    options.proofs = options.proofs or (1 if is_cpu else 10)
    if options.runs < 1 or options.proofs < 1:
        parser.error("--runs and --proofs must be at least 1")
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.whorl.is_file():
        parser.error(f"{options.whorl}: no such program")

    scale = options.scale if options.scale is not None else 4 if is_cpu else 0
    # The task is made once; both programs read it.
    folder = tempfile.TemporaryDirectory(dir=options.out) if options.what in ("segment", "all") else None
    if folder:
        options.task = Path(folder.name) / "segment"
        stacked = ["--log-stacked-height", str(options.log_stacked_height)] if options.log_stacked_height else []
        run([options.whorl, "bench", "segment", "--proof", str(options.proof), "--scale", str(scale), *stacked, "--task-out", options.task],
            dict(os.environ))

    report = Report()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    machine = {"cpu": cpu_model(), "cores": cores, "threads": options.threads or cores, "load_before": os.getloadavg()}
    if not is_cpu:
        machine["gpu"] = gpu_model()
    version = run([options.whorl, "--version"], dict(os.environ)).splitlines()[0]
    programs = [Whorl(options), CpuPeer(options) if is_cpu else CudaPeer(options)]
    devices = ", ".join(machine[kind] for kind in ("gpu", "cpu") if kind in machine)
    report.say(f"{version} and {programs[-1].title} on {devices}, {cores} cores, {machine['threads']} threads,"
               f" load {machine['load_before'][0]:.1f} before")
    turn = "one proof" if is_cpu else f"the median of {options.proofs} proofs after {options.warm_ups}"
    report.say(f"{turn} a process, by turns; ratio: whorl / peer, the median of paired runs for whole times")
    report.say()

    found = {"machine": machine, "runs": options.runs, "whorl": version}
    for workload in ("keccakf", "logup", "segment"):
        if options.what in (workload, "all"):
            found[workload] = compare_proofs(report, programs, workload, options.runs)
    if is_cpu and options.what in ("verify", "all"):
        found["verify"] = compare_verification(report, programs, VERIFICATIONS_PER_RUN * options.runs)
    machine["load_after"] = os.getloadavg()

    stem = options.out / ("peers" if is_cpu else f"peers-{options.device}")
    stem.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")
    stem.with_suffix(".txt").write_text("\n".join(report.lines) + "\n")
    print(f"written: {stem}.txt, {stem}.json")


if __name__ == "__main__":
    main()
